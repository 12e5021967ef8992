//! Where a report departs from its format: what people are told beside its rows.

use crate::lex::excerpt;
use serde::Serialize;
use std::fmt::Write as _;

/// Findings that are kept; what comes beyond is counted in those of its kind alone.
const MAX_FINDINGS: usize = 100;

/// Where a report departs from its format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportFinding {
    /// Its kind, such as `report-word-unknown`; docs/reports.md lists them. Kinds are never renamed.
    pub id: &'static str,
    /// What is so, in one sentence; texts of the report are quoted in printable ASCII.
    pub says: String,
    /// The line of the XML where it was seen first, counted from 1.
    pub line: Option<u64>,
}

/// The findings of a report, each kind of deviation in each place once.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    list: Vec<Counted>,
}

#[derive(Clone, Debug)]
struct Counted {
    id: &'static str,
    says: String,
    line: Option<u64>,
    more: u64,
}

impl Findings {
    /// What is the same but for its line is counted.
    pub(super) fn add(&mut self, id: &'static str, line: Option<u64>, says: String) {
        // The list is short, and what repeats itself was mostly seen last.
        if let Some(same) = self.list.iter_mut().rev().find(|seen| seen.id == id && seen.says == says) {
            same.more = same.more.saturating_add(1);
        } else if self.list.len() < MAX_FINDINGS {
            self.list.push(Counted { id, says, line, more: 0 });
        } else if let Some(kind) = self.list.iter_mut().rev().find(|seen| seen.id == id) {
            kind.more = kind.more.saturating_add(1);
        }
    }

    /// All of them, in the order in which they were seen.
    pub(super) fn into_list(self) -> Vec<ReportFinding> {
        let told = |Counted { id, mut says, line, more }| {
            if more > 0 {
                let times = if more == 1 { "once".to_owned() } else { format!("{more} times") };
                // To write to memory never fails.
                let _ = write!(says, " (and {times} more)");
            }
            ReportFinding { id, says, line }
        };
        self.list.into_iter().map(told).collect()
    }
}

/// A text of the report as sentences quote it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", excerpt(text.as_bytes()))
}
