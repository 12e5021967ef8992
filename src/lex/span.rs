//! Where a term or a tag stands in the text that it was read from.

use std::ops::Range;

/// Where a term or a tag stands in its record, or in the value of its field.
///
/// It counts octets, and holds no text: [`of`](Self::of) quotes the text that was read. What was made, and not read, has no span;
/// nor has what ends behind the first 4,294,967,295 octets of its text. Spans do not count where records are compared: where a term
/// stands says nothing about what it says.
///
/// ```
/// use mailverdict::{Span, spf::Record};
/// let text = b"v=spf1  MX -all";
/// let record = Record::parse(text)?;
/// let span = record.directives[0].span().expect("the record was read");
/// assert_eq!((span.offset(), span.length()), (8, 2));
/// assert_eq!(span.of(text), Some(&b"MX"[..]));
/// # Ok::<(), mailverdict::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Unchecked"))]
pub struct Span {
    offset: u32,
    length: u32,
}

/// Two numbers that may not fit together.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    offset: usize,
    length: usize,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Span {
    type Error = &'static str;

    fn try_from(Unchecked { offset, length }: Unchecked) -> Result<Self, &'static str> {
        Self::new(offset, length).ok_or("the span ends behind the octets that can be counted")
    }
}

impl Span {
    /// `None` where it does not fit.
    pub(crate) fn new(offset: usize, length: usize) -> Option<Self> {
        let end = u32::try_from(offset.checked_add(length)?).ok()?;
        let offset = u32::try_from(offset).ok()?;
        Some(Self { offset, length: end - offset })
    }

    /// From `start` to `end`, which is not before it.
    pub(super) fn between(start: u32, end: u32) -> Self {
        Self { offset: start, length: end.saturating_sub(start) }
    }

    /// Octets from the start of the text.
    pub fn offset(self) -> usize {
        self.offset as usize
    }

    /// How many octets; 0 where a tag has an empty value.
    pub fn length(self) -> usize {
        self.length as usize
    }

    /// The octets as a range of the text.
    pub fn range(self) -> Range<usize> {
        self.offset()..self.offset() + self.length()
    }

    /// The octets themselves; `None` where `text` is too short, and so is another one than was read.
    pub fn of(self, text: &[u8]) -> Option<&[u8]> {
        text.get(self.range())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_no_span() {
        let most = u32::MAX as usize;
        assert_eq!(Span::new(0, most).map(Span::range), Some(0..most));
        assert_eq!(Span::new(most, 0).map(Span::range), Some(most..most));
        assert_eq!(Span::new(1, most), None);
        assert_eq!(Span::new(usize::MAX, 1), None);
        #[cfg(target_pointer_width = "64")]
        assert_eq!(Span::new(most + 1, 0), None);
    }

    #[test]
    fn a_text_that_is_too_short_has_nothing_to_quote() {
        let span = Span::new(2, 3).unwrap();
        assert_eq!(span.of(b"abcde"), Some(&b"cde"[..]));
        assert_eq!(span.of(b"abcd"), None);
        assert_eq!(Span::new(5, 0).unwrap().of(b"abcde"), Some(&b""[..]));
    }
}
