//! Watching an evaluation.

use super::{limits::Spent, record::Directive, record::Record, result::SpfResult};
use crate::name::Name;
use std::fmt;

/// Told of each step of an evaluation; `()` listens to none, at no cost.
///
/// `spent` is what the check has spent of its limits so far. Every `entered` has its `left`; between the two stand the directives
/// that were tried, each after all that happened inside it (an `include` enters and leaves its target first). A `redirect` enters its target after the last directive of its record, and
/// both are left with the same result, the target first.
pub trait Observe: Send {
    /// Whether anybody listens; `false` spares the evaluation whatever only an observer wants to know.
    const LISTENS: bool = true;

    /// The evaluation of a domain begins; without a record where there is none that can be evaluated.
    fn entered(&mut self, domain: &Name, record: Option<&Record>, spent: Spent) {
        let _ = (domain, record, spent);
    }
    /// A directive was tried.
    fn tried(&mut self, directive: &Directive, outcome: Tried, spent: Spent) {
        let _ = (directive, outcome, spent);
    }
    /// The evaluation of the domain that was entered last ended with this result.
    fn left(&mut self, result: &SpfResult, spent: Spent) {
        let _ = (result, spent);
    }
}

impl Observe for () {
    const LISTENS: bool = false;
}

/// What came of trying a directive (RFC 7208 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Tried {
    /// It matched, and so decided.
    Matched,
    /// It did not match.
    NotMatched,
    /// It ended the evaluation with an error.
    Failed,
}

/// In words: `match`, `no match`, `error`.
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Matched => "match",
            Self::NotMatched => "no match",
            Self::Failed => "error",
        })
    }
}

/// One observer for each identity, for the two are evaluated side by side.
///
/// A null reverse-path is checked as the HELO identity (RFC 7208 §2.4): then the evaluation runs once, before the eyes of `helo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observers<O> {
    /// Watches the check of the HELO identity.
    pub helo: O,
    /// Watches the check of the MAIL FROM identity.
    pub mail_from: O,
}
