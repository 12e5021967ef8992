//! Results of some lines, as they are written.

use super::{buffers::Buffers, progress::Count};
use crate::{json, style::printable};
use serde::Serialize;

/// Results of some lines.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) lines: Vec<u8>,
    pub(crate) count: Count,
}

impl Part {
    pub(crate) fn new(buffers: &Buffers) -> Self {
        Self { lines: buffers.take(), ..Self::default() }
    }

    /// Adds the line that says why there is no result for the request of that id.
    pub(crate) fn refuse(&mut self, id: Option<&str>, error: &str) {
        // A log in which it ends up is read on terminals as well.
        self.write(id, &Refusal { error: &printable(error) });
        self.count.tally.errors += 1;
    }

    /// Adds a line: the id of the request, and the members of its results.
    pub(crate) fn write(&mut self, id: Option<&str>, results: &impl Serialize) {
        json::push_line_with_id(&mut self.lines, id.unwrap_or("null"), results);
        self.count.tally.requests += 1;
    }
}

/// Why there is no result.
#[derive(Serialize)]
struct Refusal<'r> {
    error: &'r str,
}
