//! Why a configuration cannot be run.

use std::{fmt, io, path::Path};

/// Why a configuration cannot be run.
#[derive(Debug)]
pub struct CannotRun(String);

impl fmt::Display for CannotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CannotRun {
    /// In a sentence.
    pub fn of(why: String) -> Self {
        Self(why)
    }

    /// Because of a file.
    pub fn of_file(what: &str, path: &Path, error: &io::Error) -> Self {
        Self(format!("{what} {}: {error}", path.display()))
    }
}
