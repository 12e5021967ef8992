//! The fields of ARC, and the sets they come in (RFC 8617 §4.1, §4.2).

use crate::{
    authentication_results::arc_info,
    dkim::{
        parse::{digits, error_at},
        signature::list_text,
    },
    lex::{
        SyntaxError,
        tag_list::{TagListError, Tags},
    },
    message::HeaderField,
};
use std::fmt;

/// RFC 8617 §4.2.1: instances are 1 to 50.
pub(crate) const MAX_INSTANCE: u8 = 50;

/// The three fields of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ArcField {
    /// ARC-Authentication-Results (RFC 8617 §4.1.1).
    AuthenticationResults,
    /// ARC-Message-Signature (RFC 8617 §4.1.2).
    MessageSignature,
    /// ARC-Seal (RFC 8617 §4.1.3).
    Seal,
}

impl ArcField {
    pub(super) const ALL: [Self; 3] = [Self::AuthenticationResults, Self::MessageSignature, Self::Seal];

    /// The name of the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthenticationResults => "ARC-Authentication-Results",
            Self::MessageSignature => "ARC-Message-Signature",
            Self::Seal => "ARC-Seal",
        }
    }

    /// Which of the three a field is; a field whose name merely begins so is none.
    pub(super) fn of(field: &HeaderField<'_>) -> Option<Self> {
        // Most fields are none; all three begin alike.
        let [first, ..] = field.raw() else { return None };
        if !first.eq_ignore_ascii_case(&b'A') {
            return None;
        }
        Self::ALL.into_iter().find(|kind| field.is(kind.name()))
    }

    /// `i=` of such a field: one or two digits.
    ///
    /// In ARC-Authentication-Results it comes before all else (RFC 8617 §4.1.1). The ABNF has it first in the two others as well;
    /// their prose calls them tag lists, whose tags stand in any order, and that is what sealers write.
    pub(super) fn instance(self, value: &[u8]) -> Result<u8, SyntaxError> {
        match self {
            Self::AuthenticationResults => arc_info(value).map(|(instance, _)| instance),
            Self::MessageSignature | Self::Seal => {
                let text = list_text(value);
                let (tags, outcome) = Tags::read_until_error(text);
                let Some(tag) = tags.tag("i") else {
                    return Err(match outcome {
                        Err(TagListError::Syntax(error)) => error,
                        Ok(()) | Err(TagListError::Duplicate(_)) => SyntaxError::new(text.len(), "instance"),
                    });
                };
                // RFC 6376 §3.2: a list with two tags of one name is none; which of two instances would count?
                if let Some(second) = tags.iter().filter(|tag| tag.name == b"i").nth(1) {
                    return Err(SyntaxError::new(second.name_offset, "another tag than i"));
                }
                let number = digits(&tag, 2, "instance")?;
                u8::try_from(number).map_err(|_| error_at(&tag, 0, "instance"))
            }
        }
    }
}

impl fmt::Display for ArcField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A field and its place in the header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'m> {
    pub(super) field_index: usize,
    pub(super) field: HeaderField<'m>,
}

/// What has one instance: exactly one field of each kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set<'m> {
    pub(super) results: Placed<'m>,
    pub(super) message_signature: Placed<'m>,
    pub(super) seal: Placed<'m>,
}
