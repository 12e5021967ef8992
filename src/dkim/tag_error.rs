//! A tag that does not follow its grammar.

use crate::{
    lex::{Printable, SyntaxError},
    message::HeaderField,
};
use std::fmt;

/// A tag of a DKIM-Signature field, an ARC field or a key record that does not follow its grammar, in words that quote it.
///
/// ```
/// use mailverdict::dkim::KeyRecord;
/// let error = KeyRecord::parse(b"v=DKIM1; k=rsa!; p=").unwrap_err();
/// assert_eq!(error.to_string(), "the key record is malformed: \"k=rsa!\" names no type of key (at octet 11)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TagError {
    /// Where the grammar is left, and what it wants there. In a header field, octets count from the first one of the field's name where
    /// the error stands in a report, and from the one behind the colon where the value was read by itself.
    pub error: SyntaxError,
    /// The tag as written, printable and cut where it is long; empty where nothing is written there.
    pub tag: Box<str>,
}

/// Octets of a tag that are quoted.
const SHOWN: usize = 60;

impl TagError {
    /// With the tag of `list` that the error stands in.
    pub(crate) fn of(error: SyntaxError, list: &[u8]) -> Self {
        let (before, behind) = list.split_at_checked(error.offset).unwrap_or((list, &[]));
        let start = memchr::memrchr(b';', before).map_or(0, |at| at + 1);
        let end = memchr::memchr(b';', behind).map_or(list.len(), |at| before.len() + at);
        let tag = list.get(start..end).unwrap_or_default().trim_ascii();
        let shown = tag.get(..SHOWN).unwrap_or(tag);
        let more = if shown.len() < tag.len() { "..." } else { "" };
        Self { error, tag: format!("{}{more}", Printable(&String::from_utf8_lossy(shown))).into() }
    }

    /// The same, counted from the first octet of the field's name.
    pub(crate) fn in_field(self, field: HeaderField<'_>) -> Self {
        let before = field.raw().len() - field.value().len();
        let error = SyntaxError { offset: before + self.error.offset, ..self.error };
        Self { error, ..self }
    }

    /// What is wrong with the tag.
    fn said(&self) -> &'static str {
        match &*self.error.expected {
            "tag-name" => "does not begin with the name of a tag",
            "\"=\"" => "has no = behind the name of its tag",
            "tag-value" => "has a character that no tag may have",
            "base64string" => "is no base64",
            "end of base64string" => "is base64 that ends within an octet, as where it was cut off",
            "domain-name" => {
                "has no valid domain (two labels or more of letters, digits and hyphens, no dot at the end)"
            }
            "selector" => "is no selector",
            "hdr-name" => "is no list of names of header fields parted by colons",
            "sig-a-tag-alg" => "names no algorithm",
            "sig-c-tag-alg" => "names no canonicalization",
            "sig-q-tag-method" => "names no way to ask for the key",
            "sig-z-tag-copy" => "is no list of copied header fields",
            "dkim-quoted-printable" => "has a character that must be written as = and two hexadecimal digits",
            "UTF-8" => "stands for octets that are no UTF-8",
            "\"@\"" => "has no @",
            "Local-part" => "has no local part before its @ that an address may have",
            "1*12DIGIT" => "is no time in seconds, of no more than 12 digits",
            "1*76DIGIT" => "is no number of octets",
            "chain-status" => "is none of none, fail and pass",
            "key-h-tag-alg" => "is no list of hashes",
            "key-k-tag-type" => "names no type of key",
            "key-s-tag-type" => "is no list of services",
            "key-t-tag-flag" => "is no list of flags",
            _ => "cannot be read",
        }
    }
}

impl fmt::Display for TagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error: SyntaxError { offset, .. }, tag } = self;
        match &**tag {
            "" => write!(f, "a tag is wanted at octet {offset}, and none stands there"),
            tag => write!(f, "\"{tag}\" {} (at octet {offset})", self.said()),
        }
    }
}
