//! Spans quote their terms and tags: what stands between the spaces or semicolons of a text, as the plainest of readers finds it.

use mailverdict::spf::{self, Term};

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
fn place(text: &[u8], part: &[u8]) -> std::ops::Range<usize> {
    let offset = part.as_ptr().addr() - text.as_ptr().addr();
    offset..offset + part.len()
}
