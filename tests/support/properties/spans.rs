//! Spans quote their terms and tags: what stands between the spaces or semicolons of a text, as the plainest of readers finds it.

use mailverdict::{
    Span, TagSpan, dmarc,
    spf::{self, Term},
};
use std::ops::Range;

/// The tags of DKIM-Signature (RFC 6376 §3.5).
pub(crate) const SIGNATURE_TAGS: [&str; 14] = ["v", "a", "b", "bh", "c", "d", "h", "i", "l", "q", "s", "t", "x", "z"];

/// The tags of ARC-Seal (RFC 8617 §4.1.3), and the one that it must not have.
pub(crate) const SEAL_TAGS: [&str; 8] = ["i", "a", "b", "cv", "d", "s", "t", "h"];

/// The tags of key records (RFC 6376 §3.6.1).
pub(crate) const KEY_TAGS: [&str; 7] = ["v", "h", "k", "n", "p", "s", "t"];

/// The terms of an SPF record are what stands between its spaces, in this order, and each reads alone as it does in the record.
pub(crate) fn spf_terms(text: &[u8], record: &spf::Record) {
    let words: Vec<&[u8]> =
        text["v=spf1".len()..].split(|octet| *octet == b' ').filter(|word| !word.is_empty()).collect();
    let terms = record.terms();
    assert_eq!(terms.len(), words.len());
    for (term, word) in terms.into_iter().zip(words) {
        let span = term.span().expect("it was read");
        assert_eq!(span.range(), place(text, word), "{term}");
        let word = std::str::from_utf8(word).expect("terms are ASCII");
        let value = || word.split_once('=').expect("a modifier").1;
        match term {
            Term::Directive(directive) => assert_eq!(word.parse().as_ref(), Ok(directive)),
            Term::Redirect(modifier) | Term::Exp(modifier) => {
                assert_eq!(value().parse().as_ref(), Ok(&modifier.domain));
            }
            Term::UnknownModifier(modifier) => {
                assert!(word.starts_with(modifier.name()));
                assert_eq!(value().parse().as_ref(), Ok(modifier.value()));
            }
        }
    }
}

/// Where `part` stands in `text`, of which it is a part.
fn place(text: &[u8], part: &[u8]) -> Range<usize> {
    let offset = part.as_ptr().addr() - text.as_ptr().addr();
    offset..offset + part.len()
}

/// The tags of a list are what stands between its semicolons, without the white space around it.
pub(crate) fn tags(list: &[u8], names: &[&str], span_of: impl Fn(&str) -> Option<TagSpan>) {
    let mut tags = Vec::new();
    for part in list.split(|octet| *octet == b';') {
        let tag = trimmed(part);
        let Some(equals) = tag.iter().position(|octet| *octet == b'=') else { continue };
        let value = trimmed(&tag[equals + 1..]);
        tags.push((trimmed(&tag[..equals]), place(list, tag), place(list, value)));
    }
    for name in names {
        let expected = tags.iter().find(|(tag, ..)| *tag == name.as_bytes());
        let expected = expected.map(|(_, tag, value)| (tag.clone(), value.clone()));
        assert_eq!(span_of(name).map(|span| (span.whole().range(), span.value().range())), expected, "{name}=");
    }
    assert_eq!(span_of(""), None);
    assert_eq!(span_of("zz"), None);
}

/// The registered tags of DMARC records (RFC 9989 §4.7, RFC 7489 §6.3).
const DMARC_TAGS: [&str; 14] =
    ["v", "p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo", "pct", "rf", "ri"];

/// The tags of a DMARC record are the first ones of their names; what was passed over is a whole tag or a member of one, in the order of
/// the record.
pub(crate) fn dmarc_parts(text: &[u8], record: &dmarc::Record) {
    // Without the white space at both ends (RFC 9989 §4.8).
    let trimmed = |Range { mut start, mut end }: Range<usize>| {
        let white = |at: usize| matches!(text[at], b' ' | b'\t');
        while start < end && white(start) {
            start += 1;
        }
        while start < end && white(end - 1) {
            end -= 1;
        }
        start..end
    };
    let specs = text.split(|octet| *octet == b';').map(|spec| trimmed(place(text, spec)));
    let specs: Vec<_> = specs.collect();
    for name in DMARC_TAGS {
        let expected = specs.iter().find_map(|spec| {
            let equals = spec.start + text[spec.clone()].iter().position(|octet| *octet == b'=')?;
            let is_named = text[trimmed(spec.start..equals)].eq_ignore_ascii_case(name.as_bytes());
            is_named.then(|| (spec.clone(), trimmed(equals + 1..spec.end)))
        });
        let found = record.span_of(name).map(|span| (span.whole().range(), span.value().range()));
        assert_eq!(found, expected, "{name}");
    }
    let mut end = 0;
    for ignored in &record.ignored {
        let span = ignored.span().expect("it was read").range();
        assert!(end <= span.start && span.end <= text.len(), "{ignored:?}");
        end = span.end;
        let members = ["rua", "ruf", "fo"].map(|name| record.span_of(name).map(|tag| tag.value()));
        let within = |list: Span| list.range().start <= span.start && span.end <= list.range().end;
        assert!(specs.contains(&span) || members.into_iter().flatten().any(within), "{ignored:?}");
        if text[span.clone()].iter().all(|octet| matches!(octet, b' '..=b'~') && *octet != b'\\') {
            assert_eq!(ignored.text.as_bytes(), &text[span]);
        }
    }
    for (name, uris) in [("rua", &record.aggregate_reports), ("ruf", &record.failure_reports)] {
        let mut end = 0;
        for uri in uris {
            let span = uri.span().expect("it was read");
            let list = record.span_of(name).expect("it has members").value().range();
            assert!(list.start.max(end) <= span.offset() && span.range().end <= list.end);
            end = span.range().end;
            assert_eq!(span.of(text).and_then(|text| dmarc::ReportUri::parse(text).ok()).as_ref(), Some(uri));
        }
    }
}

/// Without white space at both ends; nothing but white space is empty where it begins.
fn trimmed(text: &[u8]) -> &[u8] {
    let white = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let Some(start) = text.iter().position(|octet| !white(octet)) else { return &text[..0] };
    let end = text.iter().rposition(|octet| !white(octet)).map_or(start, |last| last + 1);
    &text[start..end]
}
