//! Results of some lines, as they are written.

use super::{buffers::Buffers, progress::Count};
use crate::{json, json_text::Object, style::printable};

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
        self.write(id, |to| to.text("error", &printable(error)));
        self.count.tally.errors += 1;
    }

    /// Adds a line: the id of the request, and the fields of its results.
    pub(crate) fn write(&mut self, id: Option<&str>, results: impl FnOnce(&mut Object<'_>)) {
        json::push_line(&mut self.lines, |to| {
            to.json("id", id.unwrap_or("null"));
            results(to);
        });
        self.count.tally.requests += 1;
    }
}
