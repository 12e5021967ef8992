//! Texts that were meant to be DMARC records and are none (RFC 9989 §4.7, `v`).

use super::{octets::Part, record::Record};
use crate::lex::Span;

/// What keeps a text from being a DMARC record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NearMiss {
    /// The version stands behind other tags.
    NotFirst,
    /// Something stands before the version: a blank, a quotation mark, a byte order mark.
    Before,
    /// No semicolon stands behind the version.
    NoSemicolon,
    /// The version is not in upper case.
    Case,
    /// The version is another, or `v=` is missing.
    Version,
}

/// Tags that are looked at.
const MAX_TAGS: usize = 16;
/// Octets that are looked at.
const MAX_OCTETS: usize = 1024;

/// What keeps a text from being a DMARC record that was meant to be one, and the tag that does; `None` for a record, and for a text that
/// speaks of other things.
pub(crate) fn near_miss(text: &[u8]) -> Option<(NearMiss, Option<Span>)> {
    if Record::parse(text).is_ok() {
        return None;
    }
    let start = text.get(..MAX_OCTETS).unwrap_or(text);
    let mut tags = Part::whole(start).split(b';').take(MAX_TAGS).enumerate();
    tags.find_map(|(place, tag)| {
        let tag = if place > 0 { tag.trim() } else { tag };
        Some((of_tag(place, tag.text)?, tag.span()))
    })
}

/// What is wrong with a tag that was meant to be the version; `None` where it was not.
fn of_tag(place: usize, tag: &[u8]) -> Option<NearMiss> {
    let is_mark = |octet: &u8| !octet.is_ascii_graphic() || b"\"'\\`".contains(octet);
    let marks = tag.iter().take_while(|octet| is_mark(octet)).count();
    let (before, rest) = tag.split_at_checked(marks)?;
    let named = rest.strip_prefix(b"v").or_else(|| rest.strip_prefix(b"V")).map(<[u8]>::trim_ascii_start);
    let value = named.and_then(|named| named.strip_prefix(b"=").or_else(|| named.strip_prefix(b":")));
    let value = value.map_or(rest, <[u8]>::trim_ascii_start);
    let (word, version) = value.split_at_checked("DMARC".len())?;
    if !word.eq_ignore_ascii_case(b"DMARC") {
        return None;
    }
    // Without `v=`, other words may begin so.
    if named.is_none() && !version.starts_with(b"1") {
        return None;
    }
    let behind = version.strip_prefix(b"1").map(<[u8]>::trim_ascii_start);
    Some(match behind {
        _ if place > 0 => NearMiss::NotFirst,
        _ if !before.is_empty() => NearMiss::Before,
        Some([next, ..]) if !next.is_ascii_alphanumeric() || version.get(1) == Some(&b' ') => NearMiss::NoSemicolon,
        Some([]) if word != b"DMARC" => NearMiss::Case,
        Some(_) | None => NearMiss::Version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_told_from_records_and_from_other_texts() {
        let near = |text: &str| near_miss(text.as_bytes()).map(|(near, _)| near);
        assert_eq!(near("v=DMARC1; p=none"), None);
        assert_eq!(near("v = DMARC1 ;p=none"), None);
        for (text, expected) in [
            ("v=dmarc1; p=none", NearMiss::Case),
            ("v=DMARC1 p=none", NearMiss::NoSemicolon),
            ("v=DMARC1: p=none", NearMiss::NoSemicolon),
            ("v=DMARC1, p=none", NearMiss::NoSemicolon),
            (" v=DMARC1; p=none", NearMiss::Before),
            ("\u{feff}v=DMARC1; p=none", NearMiss::Before),
            ("\"v=DMARC1; p=none\"", NearMiss::Before),
            ("p=none; v=DMARC1", NearMiss::NotFirst),
            ("v=DMARC2; p=none", NearMiss::Version),
            ("v=DMARC12; p=none", NearMiss::Version),
            ("v:DMARC1; p=none", NearMiss::Version),
            ("DMARC1; p=none", NearMiss::Version),
            ("v=DMARC", NearMiss::Version),
        ] {
            assert_eq!(near(text), Some(expected), "{text}");
        }
        for text in ["", "v=spf1 -all", "dmarc-verification", "v=TLSRPTv1; rua=mailto:dmarc@example.com", "; ; p=none"]
        {
            assert_eq!(near(text), None, "{text}");
        }
    }
}
