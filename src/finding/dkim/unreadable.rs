//! Key records that cannot be read.

use crate::{
    crypto::wanted_octets,
    dkim::KeyRecordError,
    finding::{
        Finding, Rule,
        quote::quoted,
        record_text::{RecordText, shown},
    },
    lex::{
        Span,
        tag_list::{Tag, Tags},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// What keeps the record from being read; `None` where no tag can be named for it.
pub(super) fn finding(text: &RecordText<'_>, error: &KeyRecordError) -> Option<Finding> {
    let (tags, _) = Tags::read_until_error(text.text);
    let span = |tag: Tag<'_>| tag.span().map(|tag| tag.whole());
    match error {
        KeyRecordError::Version => {
            let span = tags.tag("v").and_then(span);
            let says = format!("{} is not v=DKIM1, so the record is no key", quoted(text.at(span)));
            Some(text.finding(Rule::DkimVersion, span, &says, "Write v=DKIM1; and then the other tags."))
        }
        KeyRecordError::VersionNotFirst => {
            let span = tags.tag("v").and_then(span);
            let says = format!("{} must be the first tag, or the record is no key", quoted(text.at(span)));
            Some(text.finding(Rule::DkimVersion, span, &says, "Move it to the start."))
        }
        KeyRecordError::MissingKey => {
            let says = format!("{} has no p=, and so no key", quoted(text.text));
            Some(text.finding(Rule::DkimPMissing, None, &says, "Add p= and the key."))
        }
        KeyRecordError::DuplicateTag(name) => {
            let second = tags.iter().filter(|tag| tag.name == name.as_bytes()).nth(1).and_then(span);
            let says =
                format!("{} stands in the record a second time, which makes it invalid", quoted(text.at(second)));
            Some(text.finding(Rule::DkimDuplicateTag, second, &says, "Remove one of the two."))
        }
        KeyRecordError::Syntax(error) => {
            let of_record = || {
                let says = format!("the key record of {} cannot be read: {error}", shown(text.name));
                text.finding(Rule::DkimSyntax, None, &says, "Publish the record as the one who made the key gave it.")
            };
            Some(of_syntax(text, &tags, error.error.offset).unwrap_or_else(of_record))
        }
        KeyRecordError::InvalidKey(_) => None,
    }
}

/// The tag that the grammar stopped in.
fn of_syntax(text: &RecordText<'_>, tags: &Tags<'_>, offset: usize) -> Option<Finding> {
    let (name, value, span) = match tags.iter().find(|tag| (tag.name_offset..=tag.raw_end).contains(&offset)) {
        Some(tag) => (tag.name, tag.value, tag.span()?.whole()),
        // The list itself stops there: up to the next semicolon.
        None => {
            let start = tags.iter().last().map_or(0, |tag| tag.raw_end + 1);
            let rest = text.text.get(start..)?;
            let part = rest.split(|octet| *octet == b';').next()?;
            let trimmed = part.trim_ascii();
            let start = start + (part.len() - part.trim_ascii_start().len());
            let equals = trimmed.iter().position(|octet| *octet == b'=')?;
            let (name, value) = trimmed.split_at_checked(equals)?;
            (name.trim_ascii(), value.get(1..)?.trim_ascii(), Span::new(start, trimmed.len())?)
        }
    };
    let says = |why: &str| format!("{} {why}", quoted(text.at(Some(span))));
    Some(match name {
        b"p" => of_key(text, value, span),
        b"k" => text.finding(Rule::DkimKeyType, Some(span), &says("names no type of key"), "Write k=rsa or k=ed25519."),
        b"h" => text.finding(Rule::DkimHash, Some(span), &says("is no list of hashes"), "Remove the tag."),
        b"s" => text.finding(Rule::DkimService, Some(span), &says("is no list of services"), "Remove the tag."),
        _ => return None,
    })
}

/// A `p=` that is no base64.
fn of_key(text: &RecordText<'_>, value: &[u8], span: Span) -> Finding {
    let has = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    let symbols = value.iter().filter(|octet| octet.is_ascii_alphanumeric() || b"+/".contains(octet)).count();
    let (why, advice) = if has(b"-----") {
        ("has the lines of a key file in it", "Publish what stands between the lines alone.")
    } else if has(b"\\") {
        ("has a backslash in it", "Remove the backslashes: they belong to a zone file, not to the record.")
    } else if has(b"\"") {
        ("has quotation marks in it", "Remove the quotation marks.")
    } else if value.starts_with(b"p=") {
        ("begins with p= twice", "Remove one of the two.")
    } else if has(b"-") || has(b"_") {
        ("is written in the base64 of URLs", "Write + for - and / for _.")
    } else {
        let start: Vec<u8> = value.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).take(8).collect();
        let start = STANDARD_NO_PAD.decode(start).unwrap_or_default();
        let octets = symbols / 4 * 3 + symbols % 4 * 3 / 4;
        match wanted_octets(&start) {
            Some(wanted) if wanted > octets => return truncated(text, Some(span), octets, wanted),
            _ => ("is no base64", "Publish the key as its file has it, in one line."),
        }
    };
    text.finding(Rule::DkimPBase64, Some(span), &format!("{} {why}", quoted(text.at(Some(span)))), advice)
}

/// A `p=` that ends before its key does.
pub(super) fn truncated(text: &RecordText<'_>, span: Option<Span>, octets: usize, wanted: usize) -> Finding {
    let says = format!(
        "p= is cut off: its key says that it has {wanted} octets, and {octets} are there, in a record of {} characters",
        text.text.len()
    );
    let advice = "Publish the whole key, in several character-strings of no more than 255 octets each.";
    text.finding(Rule::DkimPTruncated, span, &says, advice)
}
