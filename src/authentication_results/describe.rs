//! Results one after another, whether they are kept as values or written at once.

use super::{MethodResult, Property};
use std::borrow::Cow;

/// What takes results in the order of the field.
pub(crate) trait Results {
    /// What takes the rest of one result.
    type Description: Describe;

    /// One more result, and what `describe` says of it.
    fn result(&mut self, method: &'static str, result: &'static str, describe: impl FnOnce(&mut Self::Description));
}

/// What takes the rest of a result: its comments, then its reason, then its properties.
pub(crate) trait Describe {
    fn comment(&mut self, text: &str);
    fn reason(&mut self, text: &str);
    fn property(&mut self, ptype: &'static str, property: &'static str, value: &str);
}

impl Results for Vec<MethodResult> {
    type Description = MethodResult;

    fn result(&mut self, method: &'static str, result: &'static str, describe: impl FnOnce(&mut MethodResult)) {
        let mut described = MethodResult::new(method, result);
        describe(&mut described);
        self.push(described);
    }
}

impl Describe for MethodResult {
    fn comment(&mut self, text: &str) {
        self.comments.push(text.into());
    }

    fn reason(&mut self, text: &str) {
        self.reason = Some(text.into());
    }

    fn property(&mut self, ptype: &'static str, property: &'static str, value: &str) {
        self.properties.push(Property::new(Cow::Borrowed(ptype), Cow::Borrowed(property), value));
    }
}
