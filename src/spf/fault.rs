//! A term of an SPF record that cannot be read.

use super::{judge::judge, mistake::Mistake};
use crate::lex::{Span, SyntaxError, excerpt};
use std::fmt;

/// A term for which a record cannot be read (RFC 7208 §4.6): which one, what is wrong with it, and what was probably meant.
///
/// Its text form says it in printable ASCII, in about 200 octets at most. It quotes the term and what was meant, each cut behind 60 octets.
///
/// ```
/// use mailverdict::spf::{Mistake, faults};
/// let text = b"v=spf1 ipv4:192.0.2.10, -all;";
/// let faults = faults(text);
/// assert_eq!(faults[0].span().and_then(|span| span.of(text)), Some(&b"ipv4:192.0.2.10,"[..]));
/// assert_eq!((faults[0].mistake, faults[0].offset), (Mistake::Punctuation(','), 22));
/// assert_eq!(faults[1].to_string(), "\"-all;\" has \";\" where only a blank may stand; \"-all\" was probably meant");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Fault {
    span: Option<Span>,
    /// The term with its qualifier, printable: octets that are not printable ASCII are `\ddd`. Cut behind 60 octets.
    pub term: Box<str>,
    /// Octets from the start of the record to the first one that cannot stand where it stands; the end of the term where one is missing.
    pub offset: usize,
    /// What is wrong.
    pub mistake: Mistake,
    /// What the term was probably meant to be, where that can be told: a term, or two with a blank between. No more than 400 octets.
    pub meant: Option<Box<str>>,
}

impl Fault {
    /// Of the term at which a record could not be read, for which `error` is the reason.
    pub(super) fn of(record: &[u8], error: &SyntaxError) -> Self {
        let before = record.get(..error.offset).unwrap_or_default();
        let start = memchr::memrchr(b' ', before).map_or(0, |blank| blank + 1);
        let rest = record.get(start..).unwrap_or_default();
        let (_, behind) = record.split_at_checked(error.offset).unwrap_or_default();
        let len = error.offset - start + memchr::memchr(b' ', behind).unwrap_or(behind.len());
        let (term, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        let judgement = judge(term, behind, error.offset - start, &error.expected);
        Self {
            span: Span::new(start, term.len()),
            term: excerpt(term),
            offset: start + judgement.at,
            mistake: judgement.mistake,
            meant: judgement.meant,
        }
    }

    /// Where the whole term stands in its record, with its qualifier. `None` behind the first 4,294,967,295 octets.
    pub fn span(&self) -> Option<Span> {
        self.span
    }
}

/// What is so, in words: the term quoted, what is wrong with it, and what was probably meant.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" {}", self.term, self.mistake)?;
        let meant = self.meant.iter().map(|meant| excerpt(meant.as_bytes()));
        meant.into_iter().try_for_each(|meant| write!(f, "; \"{meant}\" was probably meant"))
    }
}
