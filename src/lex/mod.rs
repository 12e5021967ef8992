//! The only door between nom and the rest of the house.

pub(crate) mod at_sign;
mod dotted_quad;
pub(crate) mod encoded_word;
mod excerpt;
pub(crate) mod mailbox;
mod origin;
mod printable;
pub(crate) mod quoted;
mod span;
pub(crate) mod structured;
pub(crate) mod tag_list;
mod tag_span;

pub use span::Span;
pub use tag_span::TagSpan;

pub(crate) use dotted_quad::DottedQuad;
pub(crate) use excerpt::{character_string, escaped, excerpt, printable};
pub(crate) use origin::Origin;
pub(crate) use printable::Printable;
pub(crate) use tag_span::TagSpans;

use nom::error::{ErrorKind, FromExternalError, ParseError};
use std::{borrow::Cow, fmt};

/// Why a text does not match its grammar, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SyntaxError {
    /// Octets from the start of the text that was given to the parser.
    pub offset: usize,
    /// The grammar rule that was wanted there, named as in its RFC.
    pub expected: Cow<'static, str>,
}

impl SyntaxError {
    /// At `offset`, something other than `expected` stands.
    pub(crate) const fn new(offset: usize, expected: &'static str) -> Self {
        Self { offset, expected: Cow::Borrowed(expected) }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at octet {}", self.expected, self.offset)
    }
}

impl std::error::Error for SyntaxError {}

/// nom's view of the same error: the rest of the input where it stopped.
#[derive(Debug)]
pub(crate) struct Stop<'t> {
    pub(crate) rest: &'t [u8],
    pub(crate) expected: &'static str,
}

impl<'t> ParseError<&'t [u8]> for Stop<'t> {
    fn from_error_kind(rest: &'t [u8], _: ErrorKind) -> Self {
        Self { rest, expected: "" }
    }
    /// Inner rules know better than outer ones.
    fn append(_: &'t [u8], _: ErrorKind, inner: Self) -> Self {
        inner
    }
    /// Of two alternatives the one that got further.
    fn or(self, other: Self) -> Self {
        if other.rest.len() < self.rest.len() { other } else { self }
    }
}

impl<'t, E> FromExternalError<&'t [u8], E> for Stop<'t> {
    fn from_external_error(rest: &'t [u8], _: ErrorKind, _: E) -> Self {
        Self { rest, expected: "" }
    }
}

pub(crate) type Parsed<'t, T> = nom::IResult<&'t [u8], T, Stop<'t>>;

/// Names the rule that `parser` implements, for the error message.
pub(crate) fn rule<'t, T>(
    name: &'static str,
    mut parser: impl nom::Parser<&'t [u8], Output = T, Error = Stop<'t>>,
) -> impl nom::Parser<&'t [u8], Output = T, Error = Stop<'t>> {
    move |input| {
        parser.parse_complete(input).map_err(|error| {
            error.map(|stop: Stop<'t>| if stop.expected.is_empty() { Stop { expected: name, ..stop } } else { stop })
        })
    }
}

/// Runs `parser` over all of `text`; the only way out of nom.
pub(crate) fn parse_all<'t, T>(
    text: &'t [u8],
    mut parser: impl nom::Parser<&'t [u8], Output = T, Error = Stop<'t>>,
) -> Result<T, SyntaxError> {
    match parser.parse_complete(text) {
        Ok(([], value)) => Ok(value),
        Ok((rest, _)) => Err(SyntaxError::new(text.len() - rest.len(), "end of text")),
        Err(nom::Err::Error(stop) | nom::Err::Failure(stop)) => {
            Err(SyntaxError::new(text.len() - stop.rest.len(), stop.expected))
        }
        Err(nom::Err::Incomplete(_)) => Err(SyntaxError::new(text.len(), "more text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nom::{Parser as _, bytes::complete::tag, character::complete::digit1};

    #[test]
    fn error_names_the_rule_and_the_octet() {
        let year = || rule("year", digit1);
        let error = parse_all(b"in 19x", (tag("in "), year())).unwrap_err();
        assert_eq!((error.offset, &*error.expected), (5, "end of text"));
        let error = parse_all(b"in x", (tag("in "), year()).map(|_| ())).unwrap_err();
        assert_eq!((error.offset, &*error.expected), (3, "year"));
        assert_eq!(error.to_string(), "expected year at octet 3");
    }
}
