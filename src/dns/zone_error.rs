//! Why there is no zone.

use crate::name::{Name, NameError};
use std::fmt;

/// Why there is no zone: which file, which line, what is wrong. Its text is made for one line of a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError {
    /// The file, as it was called when it was given.
    pub file: Box<str>,
    /// The line, counted from 1; `None` where the file could not even be read.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: ZoneProblem,
}

/// What is wrong with a master file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZoneProblem {
    /// The operating system's words.
    Unreadable(Box<str>),
    /// Something else stands there than the grammar has.
    Expected {
        /// What should stand there.
        expected: &'static str,
        /// What stands there, shortened, in printable ASCII.
        found: Box<str>,
    },
    /// A name that is none.
    Name {
        /// The bound that was broken.
        error: NameError,
        /// The name as it stands there, shortened, in printable ASCII.
        found: Box<str>,
    },
    /// A CNAME record and other data at one name, or two CNAME records (RFC 1034 §3.6.2).
    CnameBesideData(Name),
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.escape_debug())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.problem {
            ZoneProblem::Unreadable(reason) => write!(f, ": cannot be read: {reason}"),
            ZoneProblem::Expected { expected, found } => write!(f, ": expected {expected}, found {found}"),
            ZoneProblem::Name { error, found } => write!(f, ": expected a domain name, found {found}: {error}"),
            ZoneProblem::CnameBesideData(name) => {
                write!(f, ": a CNAME record stands alone, but {} has other data", name.as_str().escape_debug())
            }
        }
    }
}

impl std::error::Error for ZoneError {}

impl ZoneError {
    pub(super) fn unreadable(file: &str, error: &std::io::Error) -> Self {
        // The operating system's words without Rust's number behind them.
        let text = error.to_string();
        let words = text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words);
        Self { file: file.into(), line: None, problem: ZoneProblem::Unreadable(words.to_lowercase().into()) }
    }

    pub(super) fn cname_beside_data(file: &str, line: usize, owner: &Name) -> Self {
        Self { file: file.into(), line: Some(line), problem: ZoneProblem::CnameBesideData(owner.clone()) }
    }
}

/// What is wrong, and in which line; the file is added at the end.
pub(super) type Fault = (usize, ZoneProblem);

/// The grammar has `expected` where something else stands.
pub(super) fn fault(line: usize, expected: &'static str, found: impl fmt::Display) -> Fault {
    (line, ZoneProblem::Expected { expected, found: found.to_string().into() })
}
