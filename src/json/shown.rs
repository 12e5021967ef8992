//! What is written in words and is not read back.

use serde::{Serialize, Serializer};
use std::fmt;

/// What something displays, as a text.
#[derive(Clone, Copy)]
pub(super) struct Shown<'t>(pub(super) &'t dyn fmt::Display);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}
