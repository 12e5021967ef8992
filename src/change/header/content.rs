//! Fields that say what the body is, dates, and copies in `z=`.

use super::{
    super::octets::replaced,
    alternative::{Alternatives, Told, title, unfolded, value_of},
};
use crate::{
    dkim::{ChangeKind, parse, signature::list_text},
    lex::{excerpt, tag_list::Tags},
    message::HeaderField,
};

/// Copies that are looked at.
const MAX_COPIES: usize = 64;

/// Encodings, as they are written.
const ENCODINGS: [&str; 7] = ["7bit", "8bit", "quoted-printable", "base64", "binary", "8BIT", "7BIT"];

/// Content-Type, Content-Transfer-Encoding and MIME-Version. `part_header` is that of the first part of the body, where it has any: a
/// multipart that was put around a body has its fields there.
pub(super) fn add(alternatives: &mut Alternatives<'_, '_>, part_header: &[HeaderField<'_>]) {
    for (place, slot) in alternatives.each_slot().filter(|(_, slot)| slot.name.starts_with("content-")) {
        for field in part_header.iter().filter(|field| field.name().eq_ignore_ascii_case(slot.name.as_bytes())) {
            let name = title(&slot.name);
            let says = format!(
                "{name} was \"{}\", which now stands in a part of the body",
                excerpt(&unfolded(value_of(field)))
            );
            alternatives.value(place, value_of(field), Told::likely(ChangeKind::BodyPartAdded, says));
        }
        if slot.field.is_some() && !part_header.is_empty() {
            let says = format!("{} was added after signing, with the multipart around the body", title(&slot.name));
            alternatives.absent(place, Told::likely(ChangeKind::BodyPartAdded, says));
        }
    }
    for (place, slot) in alternatives.named("content-transfer-encoding") {
        let Some(field) = slot.field.filter(|_| !alternatives.is_full()) else { continue };
        let present = unfolded(value_of(&field));
        for encoding in ENCODINGS {
            let says = format!(
                "Content-Transfer-Encoding was \"{encoding}\", and is \"{}\": the body was converted",
                excerpt(&present)
            );
            alternatives.value(
                place,
                format!(" {encoding}").as_bytes(),
                Told::likely(ChangeKind::TransferEncoding, says),
            );
        }
    }
    for (place, slot) in alternatives.named("content-type") {
        let Some(field) = slot.field.filter(|_| !alternatives.is_full()) else { continue };
        let present = value_of(&field);
        for form in quotes(present) {
            let says = format!("Content-Type was \"{}\"", excerpt(&unfolded(&form)));
            alternatives.value(place, &form, Told::unlikely(ChangeKind::CharsetOrBoundary, says));
        }
    }
    for (place, slot) in alternatives.named("mime-version").chain(alternatives.named("date")) {
        let Some(field) = slot.field.filter(|_| !alternatives.is_full()) else { continue };
        let name = String::from_utf8_lossy(field.name()).into_owned();
        for form in other_dates(&unfolded(value_of(&field))) {
            let says = format!("{name} was \"{}\", and is written in another way", excerpt(&form));
            alternatives.value(place, &[b" ", &form[..]].concat(), Told::unlikely(ChangeKind::FieldChanged, says));
        }
    }
}

/// The value with and without quotation marks around its parameters, and with other charsets of the same text.
fn quotes(value: &[u8]) -> Vec<Vec<u8>> {
    let plain = unfolded(value);
    let mut forms = vec![replaced(&plain, b"\"", b"")];
    for name in [&b"charset="[..], b"boundary=", b"name=", b"format="] {
        let Some(at) = memchr::memmem::find(&plain, name).map(|at| at + name.len()) else { continue };
        let (before, rest) = plain.split_at(at);
        let end = rest.iter().position(|octet| *octet == b';').unwrap_or(rest.len());
        let (parameter, after) = rest.split_at(end);
        let bare = replaced(parameter.trim_ascii(), b"\"", b"");
        forms.push([before, b"\"", &bare, b"\"", after].concat());
        forms.push([before, &bare, after].concat());
        forms.push([before, b"\"", &bare.to_ascii_uppercase(), b"\"", after].concat());
        forms.push([before, b"\"", &bare.to_ascii_lowercase(), b"\"", after].concat());
        forms.push([before, &bare.to_ascii_uppercase(), after].concat());
        forms.push([before, &bare.to_ascii_lowercase(), after].concat());
        if name == b"charset=" {
            for charset in ["us-ascii", "US-ASCII", "utf-8", "UTF-8", "iso-8859-1", "ISO-8859-1", "windows-1252"] {
                forms.push([before, charset.as_bytes(), after].concat());
                forms.push([before, b"\"", charset.as_bytes(), b"\"", after].concat());
            }
        }
    }
    for separator in [&b"; "[..], b";"] {
        let others = forms.clone();
        forms.extend(others.iter().map(|form| {
            let tight = replaced(form, b"; ", b";");
            replaced(&tight, b";", separator)
        }));
    }
    forms.into_iter().map(|form| [b" ", &form[..]].concat()).collect()
}

/// Without a comment, with other words for UTC, with another form of the day.
fn other_dates(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    let bare = value.split(|octet| *octet == b'(').next().unwrap_or_default().trim_ascii().to_vec();
    for text in [value.to_vec(), bare.clone()] {
        for (from, to) in [
            (&b" GMT"[..], &b" +0000"[..]),
            (b" +0000", b" GMT"),
            (b" UTC", b" +0000"),
            (b" +0000", b" UTC"),
            (b" +0000", b" +0000 (UTC)"),
            (b" +0000", b" +0000 (GMT)"),
            (b" -0000", b" +0000"),
            (b" +0000", b" -0000"),
            (b", 0", b", "),
            (b", 0", b",  "),
            (b",  ", b", 0"),
            (b",", b""),
        ] {
            forms.push(replaced(&text, from, to));
        }
        if let Some(digit) = memchr::memmem::find(&text, b", ").map(|at| at + 2)
            && text.get(digit + 1) == Some(&b' ')
        {
            let (before, after) = text.split_at(digit);
            forms.push([before, b"0", after].concat());
        }
        if let Some(comma) = memchr::memchr(b',', &text) {
            forms.push(text.get(comma + 1..).unwrap_or_default().trim_ascii().to_vec());
        }
    }
    forms.push(bare);
    forms
}

/// The fields as the signer copied them into `z=` (RFC 6376 §3.5).
pub(super) fn add_copies(alternatives: &mut Alternatives<'_, '_>, own: HeaderField<'_>) {
    let tags = Tags::read(list_text(own.value())).unwrap_or_default();
    let copies = tags.tag("z").and_then(|tag| parse::sig_z_tag(&tag).ok()).unwrap_or_default();
    for copy in copies.iter().take(MAX_COPIES) {
        let name = String::from_utf8_lossy(&copy.name).trim().to_ascii_lowercase();
        let text = excerpt(&unfolded(&copy.value));
        for (place, slot) in alternatives.each_slot().filter(|(_, slot)| *slot.name == *name) {
            let kind = match (&slot.field, &*slot.name) {
                (None, _) => ChangeKind::HeaderRemoved,
                (Some(_), "from") => ChangeKind::FromRewritten,
                (Some(_), "to" | "cc") => ChangeKind::RecipientsRewritten,
                (Some(_), _) => ChangeKind::FieldChanged,
            };
            let says = format!("{} was \"{text}\" when it was signed, as z= says", title(&name));
            let value = [b" ", copy.value.trim_ascii()].concat();
            alternatives.value(place, &value, Told::likely(kind, says));
        }
    }
}
