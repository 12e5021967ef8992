//! What a finding quotes.

use crate::lex::{Span, excerpt, printable};

/// The stretch of a record or a field that a finding is about, made printable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    text: Box<str>,
    span: Option<Span>,
}

/// Characters of a sentence.
const MAX_SENTENCE: usize = 1000;
/// Octets of a quoted stretch that are kept.
const MAX_TEXT: usize = 4096;

impl Quote {
    /// The stretch of `record` at `span`; where the span does not fit the record, there is nothing to quote.
    pub(crate) fn of(record: &[u8], span: Span) -> Option<Self> {
        let stretch = span.of(record)?;
        Some(Self { text: printable(stretch.get(..MAX_TEXT).unwrap_or(stretch)), span: Some(span) })
    }

    /// What stands in a field, printable already; its place counts from the field's name, where it is known.
    pub(crate) fn of_field(text: &str, span: Option<Span>) -> Self {
        Self { text: printable(text.as_bytes().get(..MAX_TEXT).unwrap_or(text.as_bytes())), span }
    }

    /// The term, tag or value, with octets other than printable ASCII as `\ddd`; no more than 4096 octets of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it stands, in octets of the record or field.
    pub fn span(&self) -> Option<Span> {
        self.span
    }
}

/// The octets as a sentence quotes them: whole up to 60, then cut with three dots.
pub(crate) fn quoted(octets: &[u8]) -> String {
    format!("\"{}\"", excerpt(octets))
}

/// A sentence, cut with three dots where it is longer than anybody reads.
pub(crate) fn bounded(sentence: &str) -> Box<str> {
    match sentence.char_indices().nth(MAX_SENTENCE) {
        Some((end, _)) => format!("{}...", sentence.get(..end).unwrap_or_default()).into(),
        None => sentence.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_printable_and_its_span_counts_octets() {
        let record = b"v=spf1 \xe2\x80\x93all";
        let quote = Quote::of(record, Span::new(7, 6).unwrap()).unwrap();
        assert_eq!(quote.text(), r"\226\128\147all");
        assert_eq!(quote.span().unwrap().range(), 7..13);
        assert_eq!(Quote::of(record, Span::new(7, 7).unwrap()), None);
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(quoted(&[b'a'; 60]), format!("\"{}\"", "a".repeat(60)));
        assert_eq!(quoted(&[b'a'; 61]), format!("\"{}...\"", "a".repeat(60)));
        let long = [b'\n'; MAX_TEXT + 1];
        assert_eq!(Quote::of(&long, Span::new(0, long.len()).unwrap()).unwrap().text().len(), 4 * MAX_TEXT);
        assert_eq!(bounded(&"ä".repeat(MAX_SENTENCE)).chars().count(), MAX_SENTENCE);
        assert_eq!(*bounded(&"a".repeat(MAX_SENTENCE + 1)), *format!("{}...", "a".repeat(MAX_SENTENCE)));
    }
}
