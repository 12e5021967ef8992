//! The value of a From field, as it is quoted.

use crate::lex::{Span, printable};
use std::fmt;

/// Octets of a field that are quoted.
const SHOWN: usize = 100;

/// The value of a From field, without white space around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FromText {
    /// The value, or its first 100 octets, with octets other than printable ASCII as `\ddd`.
    pub text: Box<str>,
    /// Where `text` stands, in octets from the first one of the field's name.
    pub span: Option<Span>,
    /// Whether the value goes on behind `text`.
    pub is_cut: bool,
}

impl FromText {
    /// Of the value of a field, which begins `before` octets from the start of the field.
    pub(super) fn of(value: &[u8], before: usize) -> Self {
        let text = value.trim_ascii();
        let shown = text.get(..SHOWN).unwrap_or(text);
        let start = before + (value.len() - value.trim_ascii_start().len());
        Self { text: printable(shown), span: Span::new(start, shown.len()), is_cut: shown.len() < text.len() }
    }
}

/// In quotation marks.
impl fmt::Display for FromText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}{}\"", self.text, if self.is_cut { "..." } else { "" })
    }
}
