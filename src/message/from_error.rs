//! A From field that does not follow its grammar.

use super::FromText;
use crate::lex::SyntaxError;
use std::fmt;

/// A From field that does not follow the grammar of RFC 5322 §3.4, in words that quote it.
///
/// ```
/// use mailverdict::message::{FromProblem, Header};
/// let header = Header::parse(b"From: Doe, John <john@example.com>\r\n\r\n")?;
/// let authors = header.authors();
/// let error = authors.error().expect("the comma parts two addresses");
/// assert_eq!(error.problem, FromProblem::CommaInName);
/// assert_eq!(&*error.value.text, "Doe, John <john@example.com>");
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FromError {
    /// Where the grammar is left, in octets from the first one of the field's name, and what it wants there.
    pub error: SyntaxError,
    /// The value of the field.
    pub value: FromText,
    /// What is probably wrong.
    pub problem: FromProblem,
}

/// What is probably wrong with a From field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum FromProblem {
    /// A display name has an `@`, and does not stand in quotation marks.
    AtInName,
    /// A display name has a comma, and does not stand in quotation marks.
    CommaInName,
    /// Several addresses stand without a comma between them.
    SeveralAddresses,
    /// An encoded word (RFC 2047) stands where the address should stand.
    EncodedAddress,
    /// What stands behind the `@` of an address is no domain.
    NoDomain,
    /// A control character, which no address may have (RFC 5322 §3.2.3).
    ControlCharacter,
    /// A `<` without a `>`, or a `>` without a `<`.
    LoneBracket,
    /// None of these.
    Other,
}

/// What an error expects where an address follows the grammar, and its domain is none.
pub(super) const DOMAIN: &str = "domain name";
/// Octets of a field that a guess is made from.
const LOOKED_AT: usize = 2048;

impl FromError {
    /// Of the value of a field, which begins `before` octets from the start of the field.
    pub(super) fn of(error: SyntaxError, value: &[u8], before: usize) -> Self {
        let text = value.trim_ascii();
        let problem = match &*error.expected {
            DOMAIN => FromProblem::NoDomain,
            _ => problem(text.get(..LOOKED_AT).unwrap_or(text)),
        };
        Self {
            error: SyntaxError { offset: before + error.offset, ..error },
            value: FromText::of(value, before),
            problem,
        }
    }
}

/// What is probably wrong, judged by what stands outside of quotation marks and comments.
fn problem(text: &[u8]) -> FromProblem {
    let bare = bare(text);
    let count = |wanted: u8| bare.iter().filter(|octet| **octet == wanted).count();
    let name = bare.split(|octet| *octet == b'<').next().unwrap_or_default();
    match (count(b'<'), count(b'@')) {
        (0, 0) if text.starts_with(b"=?") => FromProblem::EncodedAddress,
        (1, _) if name.contains(&b'@') => FromProblem::AtInName,
        (1, _) if name.contains(&b',') => FromProblem::CommaInName,
        (0, 2..) | (2.., _) if count(b',') == 0 => FromProblem::SeveralAddresses,
        _ if text.iter().any(|octet| octet.is_ascii_control() && !octet.is_ascii_whitespace()) => {
            FromProblem::ControlCharacter
        }
        (opened, _) if opened != count(b'>') => FromProblem::LoneBracket,
        _ => FromProblem::Other,
    }
}

/// The text without what stands in quotation marks and in comments.
fn bare(text: &[u8]) -> Vec<u8> {
    let (mut bare, mut in_quotes, mut depth, mut is_escaped) = (Vec::with_capacity(text.len()), false, 0_usize, false);
    for octet in text {
        match octet {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' if depth == 0 => in_quotes = !in_quotes,
            b'(' if !in_quotes => depth += 1,
            b')' if !in_quotes => depth = depth.saturating_sub(1),
            _ if !in_quotes && depth == 0 => bare.push(*octet),
            _ => {}
        }
    }
    bare
}

impl FromProblem {
    /// What to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::AtInName | Self::CommaInName => "Write the name in quotation marks.",
            Self::SeveralAddresses => "Write one address, or commas between several.",
            Self::EncodedAddress => "Encode the name alone, and write the address behind it as it is, in < and >.",
            Self::NoDomain => "Write a domain of letters, digits and hyphens behind the @, such as john@example.com.",
            Self::ControlCharacter => "Remove the control characters.",
            Self::LoneBracket => "Write the address between one < and one >.",
            Self::Other => "Write one address, as in \"John Doe\" <john@example.com>.",
        }
    }
}

impl fmt::Display for FromError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error: SyntaxError { offset, .. }, value, problem } = self;
        write!(f, "{value} ")?;
        f.write_str(match problem {
            FromProblem::AtInName => "has an @ in a name that is not in quotation marks",
            FromProblem::CommaInName => "has a comma in a name that is not in quotation marks",
            FromProblem::SeveralAddresses => "has several addresses without a comma between them",
            FromProblem::EncodedAddress => "is an encoded word, which is no address",
            FromProblem::NoDomain => "has an address whose domain is none",
            FromProblem::ControlCharacter => "has a control character, which no address may have",
            FromProblem::LoneBracket => "has a < without a >, or a > without a <",
            FromProblem::Other => "is no list of addresses",
        })?;
        write!(f, " (at octet {offset})")
    }
}
