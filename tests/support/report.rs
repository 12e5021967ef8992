//! Reports for tests: packed, wrapped, and a row as a line.
#![allow(dead_code, reason = "each test takes what it wants")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use mailverdict::report::Row;
use std::io::{Cursor, Write as _};

pub(crate) fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, octets) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(octets).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A mail with a text and an attachment.
pub(crate) fn wrapped(media_type: &str, name: &str, octets: &[u8]) -> Vec<u8> {
    let base64 = STANDARD.encode(octets);
    let lines: Vec<&str> = base64.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!(
        "From: a@mx.example\nSubject: Report domain: contoso.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n\
         --b\nContent-Type: text/plain\n\nHello!\n\n--b\nContent-Type: {media_type}; name=\"{name}\"\nContent-Transfer-Encoding: base64\n\n\
         {}\n--b--\n",
        lines.join("\n")
    )
    .into_bytes()
}

/// Address, messages, disposition, aligned DKIM and SPF, author domain, MAIL FROM, recipient; signatures; SPF; reasons.
pub(crate) fn line(row: &Row) -> String {
    fn shown(value: Option<impl ToString>) -> String {
        value.map_or("-".to_owned(), |value| value.to_string())
    }
    let text = |value: &Option<Box<str>>| shown(value.as_deref());
    let mail_from = row.envelope_from.as_deref().map(|domain| if domain.is_empty() { "<>" } else { domain });
    let dkim: Vec<_> = row
        .dkim_results
        .iter()
        .map(|dkim| format!("{}/{}={}", text(&dkim.domain), text(&dkim.selector), shown(dkim.result)))
        .collect();
    let spf: Vec<_> = row
        .spf_results
        .iter()
        .map(|spf| format!("{}/{}={}", text(&spf.domain), shown(spf.scope), shown(spf.result)))
        .collect();
    let reasons: Vec<_> = row
        .reasons
        .iter()
        .map(|reason| match &reason.comment {
            Some(comment) => format!("{}({comment})", shown(reason.kind)),
            None => shown(reason.kind),
        })
        .collect();
    format!(
        "{} {} {} {} {} {} {} {}; {}; {}; {}",
        shown(row.source_ip),
        row.count,
        shown(row.disposition),
        shown(row.dkim),
        shown(row.spf),
        text(&row.header_from),
        shown(mail_from),
        text(&row.envelope_to),
        dkim.join(" "),
        spf.join(" "),
        reasons.join(" ")
    )
}
