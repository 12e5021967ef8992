//! Other foldings, other white space, other case and other spellings of fields.

use super::{
    super::octets::replaced,
    alternative::{Alternatives, Told, unfolded, value_of},
    slot::raw_name,
};
use crate::{
    dkim::{Algorithm, ChangeKind},
    lex::{encoded_word, excerpt},
    message::HeaderField,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::Write as _;

/// Every field as other programs write it.
pub(super) fn add(alternatives: &mut Alternatives<'_, '_>) {
    let canonicalization = alternatives.slots.canonicalization;
    for (place, slot) in alternatives.each_slot() {
        let Some(field) = slot.field.filter(|_| !alternatives.is_full()) else { continue };
        let name = String::from_utf8_lossy(field.name()).into_owned();
        let value = value_of(&field);
        let says = format!("{name} is written in another way than when it was signed: folding, white space or case");
        let told = || Told::unlikely(ChangeKind::HeaderRefolded, says.clone());
        let mut values = vec![
            joined(value, b""),
            replaced(&unfolded(value), b", ", b","),
            replaced(&unfolded(value), b",", b", "),
            replaced(&unfolded(value), b"; ", b";"),
            replaced(&unfolded(value), b";", b"; "),
        ];
        if canonicalization == Algorithm::Simple {
            values.extend(of_simple(value));
        }
        for value in &values {
            let led = if value.starts_with(b" ") || canonicalization == Algorithm::Relaxed {
                value.clone()
            } else {
                [b" ", &value[..]].concat()
            };
            alternatives.value(place, &led, told());
            if canonicalization == Algorithm::Simple {
                alternatives.value(place, value, told());
            }
        }
        if canonicalization == Algorithm::Simple {
            for other in other_names(&field) {
                alternatives.raw(place, &[&other, &b":"[..], value, b"\r\n"].concat(), told());
            }
        }
    }
}

/// What "simple" minds beside that.
fn of_simple(value: &[u8]) -> Vec<Vec<u8>> {
    let plain = unfolded(value);
    let kept: Vec<u8> = value.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect();
    let mut values = vec![
        plain.clone(),
        kept.clone(),
        joined(value, b" "),
        value.trim_ascii_end().to_vec(),
        [value, b" "].concat(),
        replaced(value, b"\r\n\t", b"\r\n "),
        replaced(value, b"\r\n ", b"\r\n\t"),
        replaced(value, b"\r\n        ", b"\r\n\t"),
        replaced(value, b"\r\n\t", b"\r\n        "),
        replaced(value, b"\r\n ", b"\r\n    "),
        replaced(value, b"\t", b" "),
        [b" ", value.trim_ascii_start()].concat(),
        [b"\t", value.trim_ascii_start()].concat(),
        value.trim_ascii_start().to_vec(),
        [b"\r\n ", value.trim_ascii_start()].concat(),
        [b"\r\n\t", value.trim_ascii_start()].concat(),
        [b" \r\n ", value.trim_ascii_start()].concat(),
    ];
    for fold in [&b"\r\n "[..], b"\r\n\t", b"\r\n    ", b"\r\n        "] {
        for mark in [&b","[..], b";"] {
            values.push(replaced(&plain, &[mark, b" "].concat(), &[mark, fold].concat()));
        }
        // At each blank alone, as a line grew too long there.
        let blanks: Vec<usize> = memchr::memchr_iter(b' ', &plain).collect();
        for at in blanks.iter().rev().take(24) {
            let (before, after) = (plain.get(..*at).unwrap_or_default(), plain.get(*at + 1..).unwrap_or_default());
            values.push([before, fold, after].concat());
        }
    }
    values
}

/// The name in other cases.
fn other_names(field: &HeaderField<'_>) -> Vec<Vec<u8>> {
    let name = String::from_utf8_lossy(raw_name(field)).into_owned();
    let lower = name.to_ascii_lowercase();
    let mut names = vec![
        super::alternative::title(lower.trim_end()),
        lower.clone(),
        lower.to_ascii_uppercase(),
        format!("{name} "),
    ];
    let plain = lower.trim_end().split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    });
    names.push(plain.collect::<Vec<_>>().join("-"));
    names.push(lower.replace("mime", "MIME").replace("version", "Version"));
    names.push("Message-ID".to_owned());
    names.retain(|other| *other != name && other.trim_end().eq_ignore_ascii_case(name.trim_end()));
    names.into_iter().map(String::into_bytes).collect()
}

/// The value with something else in place of each line end and the white space behind it.
fn joined(value: &[u8], by: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for (number, line) in value.split(|octet| *octet == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if number > 0 {
            out.extend_from_slice(by);
            out.extend_from_slice(line.trim_ascii_start());
        } else {
            out.extend_from_slice(line);
        }
    }
    out
}

/// Encoded words as other programs write them, and without a tag that was put into them (RFC 2047).
pub(super) fn add_encoded_words(alternatives: &mut Alternatives<'_, '_>) {
    for (place, slot) in alternatives.each_slot() {
        let Some(field) = slot.field.filter(|_| matches!(&*slot.name, "subject" | "from" | "to" | "cc" | "reply-to"))
        else {
            continue;
        };
        let present = unfolded(value_of(&field));
        // An address stays as it is.
        let at = if &*slot.name == "subject" { present.len() } else { memchr::memrchr(b'<', &present).unwrap_or(0) };
        let (phrase, address) = present.split_at(at);
        let text = encoded_word::decoded(phrase).unwrap_or_else(|| phrase.to_vec());
        let text = text.trim_ascii();
        if text.is_ascii() || text.len() > 400 {
            continue;
        }
        let name = String::from_utf8_lossy(field.name()).into_owned();
        let mut former = vec![(
            text,
            Told::unlikely(
                ChangeKind::EncodedWord,
                format!("the encoded words of {name} are written in another way than when they were signed"),
            ),
        )];
        if &*slot.name == "subject" {
            former.extend(without_tags(text));
        }
        for (text, told) in former {
            let text = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
            for form in forms(text, &charsets(phrase)) {
                let space: &[u8] = if address.is_empty() { b"" } else { b" " };
                let value = [b" ", &form[..], space, address].concat();
                let told = Told { says: told.says.clone(), removed: None, ..told };
                alternatives.value(place, &value, told);
            }
        }
    }
}

/// What may have stood in Subject without a tag or a warning that was put before it.
fn without_tags(text: &[u8]) -> Vec<(&[u8], Told)> {
    let ends = text.iter().enumerate().filter(|(_, octet)| matches!(octet, b']' | b':' | b')' | b'}' | b'*' | b' '));
    let ends: Vec<usize> = ends.map(|(at, _)| at + 1).filter(|at| *at <= 60).take(8).collect();
    let each = ends.into_iter().filter_map(|end| {
        let (tag, rest) = text.split_at_checked(end)?;
        let is_tag = tag.first() == Some(&b'[') && tag.last() == Some(&b']');
        let kind = if is_tag { ChangeKind::SubjectTag } else { ChangeKind::SubjectPrefix };
        let says = format!(
            "\"{}\" was put before Subject after signing, and its encoded words were written anew",
            excerpt(tag.trim_ascii())
        );
        Some((rest.trim_ascii_start(), Told::likely(kind, says)))
    });
    each.filter(|(rest, _)| !rest.is_empty()).collect()
}

/// The charsets that the field names, as written and in either case; UTF-8 where it names none.
fn charsets(phrase: &[u8]) -> Vec<String> {
    let named = memchr::memmem::find(phrase, b"=?").and_then(|at| phrase.get(at + 2..));
    let named = named.and_then(|rest| rest.split(|octet| *octet == b'?').next()).unwrap_or(b"utf-8");
    let named = String::from_utf8_lossy(named.get(..20).unwrap_or(named)).into_owned();
    let mut all = vec![named.to_ascii_uppercase(), named.to_ascii_lowercase(), named];
    all.dedup();
    all
}

/// The ways in which programs write a text that is not ASCII.
fn forms(text: &[u8], charsets: &[String]) -> Vec<Vec<u8>> {
    let mut forms = vec![text.to_vec()];
    let words: Vec<&[u8]> = text.split(|octet| *octet == b' ').collect();
    let first = words.iter().position(|word| !word.is_ascii()).unwrap_or(0);
    let last = words.iter().rposition(|word| !word.is_ascii()).unwrap_or(0);
    let middle = words.get(first..=last).unwrap_or_default().join(&b' ');
    let (before, after) =
        (words.get(..first).unwrap_or_default().join(&b' '), words.get(last + 1..).unwrap_or_default().join(&b' '));
    for charset in charsets {
        for letter in ["B", "Q", "b", "q"] {
            let is_base64 = letter.eq_ignore_ascii_case("b");
            let styles: &[bool] = if is_base64 { &[true] } else { &[true, false] };
            for is_strict in styles {
                let encoded = |text: &[u8], most: usize| {
                    let payload =
                        |text: &[u8]| if is_base64 { STANDARD.encode(text) } else { q_encoded(text, *is_strict) };
                    let room = most.saturating_sub(charset.len() + 7);
                    let pieces = pieces(text, |piece| payload(piece).len() <= room);
                    pieces
                        .map(|piece| format!("=?{charset}?{letter}?{}?=", payload(piece)))
                        .collect::<Vec<_>>()
                        .join(" ")
                        .into_bytes()
                };
                forms.push(encoded(text, usize::MAX));
                forms.push(encoded(text, 75));
                if !before.is_empty() || !after.is_empty() {
                    let parts = [before.clone(), encoded(&middle, 75), after.clone()];
                    forms.push(parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(&b' '));
                }
            }
        }
    }
    forms
}

/// The longest pieces that fit, no character of UTF-8 cut in two.
fn pieces(text: &[u8], fits: impl Fn(&[u8]) -> bool) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let is_start = |at: usize| rest.get(at).is_none_or(|octet| octet & 0xc0 != 0x80);
        let whole = rest.len();
        // What fits grows with the piece, so the longest is searched for by halves.
        let (mut low, mut high) = (1, whole);
        while low < high {
            let middle = (low + high).div_ceil(2);
            if fits(rest.get(..middle).unwrap_or_default()) { low = middle } else { high = middle - 1 }
        }
        let end = (1..=low).rev().find(|at| is_start(*at)).unwrap_or(low);
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(piece)
    })
}

/// RFC 2047 §4.2; strict as in a phrase (§5, rule 3).
fn q_encoded(text: &[u8], is_strict: bool) -> String {
    let mut out = String::new();
    for octet in text {
        match octet {
            b' ' => out.push('_'),
            b'=' | b'?' | b'_' => drop(write!(out, "={octet:02X}")),
            _ if octet.is_ascii_alphanumeric() || matches!(octet, b'!' | b'*' | b'+' | b'-' | b'/') => {
                out.push(char::from(*octet))
            }
            b'!'..=b'~' if !is_strict => out.push(char::from(*octet)),
            _ => drop(write!(out, "={octet:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded_in_pieces_that_cut_no_character() {
        let text = "Grüße ".repeat(12);
        for form in forms(text.as_bytes(), &["utf-8".to_owned()]) {
            let decoded = encoded_word::decoded(&form).unwrap_or(form);
            assert_eq!(String::from_utf8(decoded).unwrap().replace(' ', ""), text.replace(' ', ""));
        }
        let all = forms("Re: Grüße".as_bytes(), &["UTF-8".to_owned()]);
        assert!(all.contains(&b"Re: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=".to_vec()), "{all:?}");
    }

    #[test]
    fn folds_are_joined_by_what_is_given() {
        assert_eq!(joined(b" a,\r\n\tb\r\n c", b""), b" a,bc");
        assert_eq!(joined(b" a,\n\tb", b" "), b" a, b");
    }
}
