//! The octets of a record and its values: without the white space around them, and in printable ASCII.

use crate::lex::{Span, TagSpan, escaped};

/// A part of a record, and where it stands there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part<'t> {
    pub(super) text: &'t [u8],
    /// Octets from the start of the record.
    offset: usize,
}

impl<'t> Part<'t> {
    /// A record.
    pub(super) fn whole(text: &'t [u8]) -> Self {
        Self { text, offset: 0 }
    }

    /// What stands between the separators.
    pub(super) fn split(self, separator: u8) -> impl Iterator<Item = Self> {
        let mut offset = self.offset;
        self.text.split(move |octet| *octet == separator).map(move |text| {
            let part = Self { text, offset };
            offset += text.len() + 1;
            part
        })
    }

    /// What stands before and behind the first separator.
    pub(super) fn split_once(self, separator: u8) -> Option<(Self, Self)> {
        let at = memchr::memchr(separator, self.text)?;
        let (before, after) = (self.text.get(..at)?, self.text.get(at + 1..)?);
        Some((Self { text: before, ..self }, Self { text: after, offset: self.offset + at + 1 }))
    }

    /// The part without white space at its ends; line ends are no white space here (RFC 9989 §4.8: *WSP).
    pub(super) fn trim(self) -> Self {
        let text = skip_wsp(self.text);
        let wsp = text.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        let offset = self.offset + (self.text.len() - text.len());
        Self { text: text.get(..text.len() - wsp).unwrap_or_default(), offset }
    }

    /// `None` where it does not fit.
    pub(super) fn span(self) -> Option<Span> {
        Span::new(self.offset, self.text.len())
    }

    /// Where the tag stands that this part is; it ends in `value`.
    pub(super) fn tag_span(self, value: Self) -> Option<TagSpan> {
        TagSpan::new(self.offset, value.offset, value.text.len())
    }
}

pub(super) fn skip_wsp(text: &[u8]) -> &[u8] {
    let wsp = text.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    text.get(wsp..).unwrap_or_default()
}

/// The text with every octet outside printable ASCII written as `\DDD` in decimal, and the backslash doubled.
pub(super) fn printable(text: &[u8]) -> Box<str> {
    escaped(text, b"\\").into()
}

/// What [`printable`] wrote; `None` where it did not write the text.
#[cfg(feature = "serde")]
pub(crate) fn unprinted(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'\\' => match rest.next()? {
                b'\\' => b'\\',
                digit => {
                    let decimal = |digit: u8| char::from(digit).to_digit(10);
                    let (tens, ones) = (decimal(rest.next()?)?, decimal(rest.next()?)?);
                    u8::try_from(decimal(digit)? * 100 + tens * 10 + ones).ok()?
                }
            },
            octet => octet,
        });
    }
    Some(octets)
}
