//! What is passed over in a DMARC record.

use super::{
    octets::{Part, printable},
    uri::UriError,
};
use crate::lex::{Origin, Span};
use std::{borrow::Cow, fmt};

/// A part of a record that means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Ignored {
    /// The part as published, made printable: a whole tag, or a member of its list.
    pub text: Box<str>,
    /// Why it was passed over.
    pub why: IgnoredBecause,
    /// The registered tag that it is, stands in, or begins with; `None` where it has no such name.
    pub tag: Option<Cow<'static, str>>,
    #[cfg_attr(feature = "serde", serde(skip))]
    span: Origin<Option<Span>>,
}

/// Why a part of a record was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum IgnoredBecause {
    /// The tag is not registered.
    UnknownTag,
    /// There is no `=`, no name before it, or no value behind it.
    NoTag,
    /// The value does not follow the tag's grammar.
    MalformedValue,
    /// A member of `rua` or `ruf` is no URI.
    MalformedUri(UriError),
    /// The tag was given before.
    Repeated,
}

impl Ignored {
    pub(super) fn new(part: Part<'_>, tag: Option<&'static str>, why: IgnoredBecause) -> Self {
        Self { text: printable(part.text), why, tag: tag.map(Cow::Borrowed), span: Origin(part.span()) }
    }

    /// Where it stands in its record.
    pub fn span(&self) -> Option<Span> {
        self.span.0
    }
}

impl fmt::Display for IgnoredBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownTag => "the tag is not registered",
            Self::NoTag => "this is no tag with a value",
            Self::MalformedValue => "the value is malformed",
            Self::MalformedUri(error) => return write!(f, "this {error}"),
            Self::Repeated => "the tag was given before",
        })
    }
}
