//! The reports in a mail: attachments of whatever name and type, and failure reports.

use super::{error::ReadError, failure::FailureReport, limits::ReadLimits};
use crate::{
    message::{Message, to_crlf},
    mime::{Encoding, Part, Structure, base64_octets, field, qp_decoded},
};

/// Characters of the name of a part.
const MAX_NAME: usize = 200;

/// What a mail has that may be a report.
pub(super) enum Content {
    /// A part, decoded; and whether it is a mail itself.
    Part { name: String, octets: Vec<u8>, is_message: bool },
    /// The mail is a failure report.
    Failure(Box<FailureReport>),
}

/// What a mail has that may be a report, from top to bottom. Texts for people are left out.
pub(super) fn contents(mail: &[u8], limits: &ReadLimits) -> Result<Vec<Content>, ReadError> {
    let no_mail = ReadError::NoReport("it is neither XML, JSON, gzip, zip, nor a mail");
    let mail = to_crlf(mail);
    let message = Message::parse(&mail).map_err(|_| no_mail.clone())?;
    let header = message.header();
    if header.fields().is_empty() {
        return Err(no_mail);
    }
    let first =
        |name: &str| header.fields().iter().find(|field| field.is(name)).map_or(&b""[..], |field| field.value());
    let (content_type, encoding) = (first("Content-Type"), first("Content-Transfer-Encoding"));
    let body = message.body();
    let structure = Structure::of(content_type, encoding, body);
    let leaves: Vec<&Part> = structure.leaves().collect();
    if leaves.len() > limits.parts {
        return Err(ReadError::TooManyParts { limit: limits.parts });
    }
    let of = |part: &Part, name: &[u8]| {
        if part.header.is_empty() {
            let own = if name == b"content-type" { content_type } else { first("Content-Disposition") };
            own.to_vec()
        } else {
            field(body.get(part.header.clone()).unwrap_or_default(), name).unwrap_or_default()
        }
    };
    let is_feedback = |part: &Part| {
        of(part, b"content-type").trim_ascii().to_ascii_lowercase().starts_with(b"message/feedback-report")
    };
    // RFC 5965 §2: the second part of three, of which the last is the message reported.
    if let Some(part) = leaves.iter().find(|part| is_feedback(part)) {
        let fields = decoded(body, part);
        return Ok(vec![Content::Failure(Box::new(FailureReport::read(&fields)))]);
    }
    if content_type.trim_ascii_start().to_ascii_lowercase().starts_with(b"multipart/report") {
        let mut texts = leaves.iter().filter(|part| part.is_text && !part.is_html);
        if let Some(report) = texts.find_map(|part| FailureReport::read_text(&decoded(body, part))) {
            return Ok(vec![Content::Failure(Box::new(report))]);
        }
    }
    let parts = leaves.iter().enumerate().filter(|(_, part)| !part.is_html);
    let part = |(number, part): (usize, &&Part)| {
        let name = [&b"content-disposition"[..], b"content-type"].into_iter().find_map(|own| file_name(&of(part, own)));
        let name = name.unwrap_or_else(|| (number + 1).to_string());
        Content::Part { name, octets: decoded(body, part), is_message: part.is_message }
    };
    Ok(parts.map(part).collect())
}

fn decoded(body: &[u8], part: &Part) -> Vec<u8> {
    let content = body.get(part.content.clone()).unwrap_or_default();
    match part.encoding {
        Encoding::Plain => content.to_vec(),
        Encoding::QuotedPrintable => qp_decoded(content),
        Encoding::Base64 => base64_octets(content),
    }
}

/// The parameter `filename` or `name`; without what leads elsewhere.
fn file_name(field: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(field);
    let lower = text.to_ascii_lowercase();
    let at = lower.find("name=")? + "name=".len();
    let value = text.get(at..)?.trim_start();
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split([';', ' ', '\t', '\r', '\n']).next()?,
    };
    let name: String = value.rsplit(['/', '\\']).next()?.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    (!name.is_empty()).then_some(name)
}
