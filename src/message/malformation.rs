//! What makes a header malformed in such a way that readers disagree on what it says.

use super::{
    HeaderField,
    block::{Block, Blocks, mbox_separator},
};
use crate::lex;
use std::{fmt, sync::Arc};

/// Something in a header that readers of mail take in different ways, so that what one of them is shown is not what was verified
/// (RFC 6376 §3.8, §8.15).
///
/// ```
/// use mailverdict::message::{Header, MalformationKind};
/// let header = Header::parse(b"From: a@example.com\r\nDear customer,\r\nSubject: x\r\n\r\n")?;
/// let malformation = &header.malformations()[0];
/// assert_eq!((malformation.kind, malformation.offset), (MalformationKind::NotAField, 21));
/// assert_eq!(
///     malformation.to_string(),
///     "the header is malformed at octet 21: a line that is no header field, \"Dear customer,\""
/// );
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Malformation {
    /// Octets from the start of the message to the first of its kind.
    pub offset: usize,
    /// Of which kind.
    pub kind: MalformationKind,
    /// The text there: no more than a part of one line, everything but printable ASCII escaped.
    pub text: Arc<str>,
    /// How many of this kind there are.
    pub count: usize,
}

/// Kinds of malformations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum MalformationKind {
    /// A line that is neither a field, which has a name of printable ASCII and a colon, nor the continuation of one (RFC 5322 §2.2).
    /// Some readers pass over it, others end the header there, and take all from there on for the body.
    NotAField,
    /// White space between the name of a field and its colon. Readers must accept it (RFC 5322 §4.5), and some do not: they take the line for
    /// one that is no field.
    SpaceBeforeColon,
    /// A line `From …` as it separates messages in an mbox file, anywhere but first.
    MboxSeparator,
    /// U+FEFF in UTF-8 before the first field, which some readers do not take for a part of its name.
    ByteOrderMark,
    /// The octet 0, at which some readers end the text.
    Nul,
    /// Another control than the tab (RFC 5322 §2.2); some readers end lines at VT, FF, FS, GS and RS.
    Control,
    /// A CR that no LF follows (RFC 5322 §2.2); some readers end lines there.
    BareCr,
    /// An LF without CR in a message that has CRLF (RFC 5322 §2.2); some readers do not end lines there.
    BareLf,
    /// U+0085, U+2028 or U+2029 in UTF-8: ends of lines to readers that decode the header before they split it.
    LineSeparator,
}

impl MalformationKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::NotAField,
        Self::SpaceBeforeColon,
        Self::MboxSeparator,
        Self::ByteOrderMark,
        Self::Nul,
        Self::Control,
        Self::BareCr,
        Self::BareLf,
        Self::LineSeparator,
    ];
}

impl fmt::Display for MalformationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAField => "a line that is no header field",
            Self::SpaceBeforeColon => "white space between the name of a field and its colon",
            Self::MboxSeparator => "a separator line of an mbox file that is not the first line",
            Self::ByteOrderMark => "a byte order mark",
            Self::Nul => "a NUL",
            Self::Control => "a control character",
            Self::BareCr => "a CR without LF",
            Self::BareLf => "an LF without CR beside CRLF",
            Self::LineSeparator => "a Unicode line separator",
        })
    }
}

impl fmt::Display for Malformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, kind, text, count } = self;
        write!(f, "the header is malformed at octet {offset}: {kind}, \"{text}\"")?;
        match count {
            0 | 1 => Ok(()),
            _ => write!(f, " (the first of {count})"),
        }
    }
}

/// U+FEFF in UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Octets of a line that are quoted.
const QUOTED: usize = 48;
/// Octets that are quoted before the one that is wrong.
const QUOTED_BEFORE: usize = 24;

/// The first of each kind in the header `raw` (without its body), in their order. `bare_lf` tells whether LF alone is one.
pub(super) fn find(raw: &[u8], bare_lf: bool) -> Vec<Malformation> {
    let mut found = Vec::new();
    for block in Blocks::starting_at(raw, mbox_separator(raw)) {
        if let Some(kind) = of_start(&block) {
            note(&mut found, kind, block.offset, || raw.get(block.offset..).unwrap_or_default());
        }
    }
    let mut line_start = 0;
    let mut before = None;
    for (at, octet) in raw.iter().enumerate() {
        let after = raw.get(at + 1..).unwrap_or_default();
        let kind = match octet {
            b'\n' if before != Some(b'\r') => bare_lf.then_some(MalformationKind::BareLf),
            b'\r' if after.first() != Some(&b'\n') => Some(MalformationKind::BareCr),
            b'\r' | b'\n' | b'\t' => None,
            0 => Some(MalformationKind::Nul),
            0x01..=0x1f | 0x7f => Some(MalformationKind::Control),
            _ => line_separator(raw.get(at..).unwrap_or_default()).map(|_| MalformationKind::LineSeparator),
        };
        if let Some(kind) = kind {
            let quoted_from = line_start.max(at.saturating_sub(QUOTED_BEFORE));
            note(&mut found, kind, at, || raw.get(quoted_from..).unwrap_or_default());
        }
        if *octet == b'\n' {
            line_start = at + 1;
        }
        before = Some(*octet);
    }
    found.sort_by_key(|malformation| malformation.offset);
    found
}

/// What is wrong with how a block begins.
fn of_start(block: &Block<'_>) -> Option<MalformationKind> {
    match HeaderField::parse(block.raw) {
        Some(field) => field.has_space_before_colon().then_some(MalformationKind::SpaceBeforeColon),
        None if block.offset == 0 && block.raw.starts_with(BYTE_ORDER_MARK) => Some(MalformationKind::ByteOrderMark),
        None if block.raw.starts_with(b"From ") => Some(MalformationKind::MboxSeparator),
        None => Some(MalformationKind::NotAField),
    }
}

/// Octets of U+0085, U+2028 or U+2029, where a text begins with one of these.
pub(super) fn line_separator(text: &[u8]) -> Option<usize> {
    match text {
        [0xc2, 0x85, ..] => Some(2),
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => Some(3),
        _ => None,
    }
}

/// Whether there is such a character anywhere.
pub(super) fn has_line_separators(text: &[u8]) -> bool {
    memchr::memchr2_iter(0xc2, 0xe2, text).any(|at| text.get(at..).and_then(line_separator).is_some())
}

fn note<'m>(found: &mut Vec<Malformation>, kind: MalformationKind, offset: usize, quoted: impl FnOnce() -> &'m [u8]) {
    if let Some(known) = found.iter_mut().find(|known| known.kind == kind) {
        known.count += 1;
        return;
    }
    let line = quoted();
    let line = line.get(..memchr::memchr(b'\n', line).unwrap_or(line.len())).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = lex::printable(line.get(..QUOTED).unwrap_or(line));
    found.push(Malformation { offset, kind, text: text.into(), count: 1 });
}
