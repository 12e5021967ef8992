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
    /// `text` is printable ASCII.
    fn comment(&mut self, text: &str);
    /// Adds the reason, which is printable ASCII.
    fn reason(&mut self, text: &str);
    /// Adds a property, unless its value [is not shown](shown_value); `key` is how it is named before its value: `header.d=`.
    fn property(&mut self, key: &'static str, value: &str);
}

/// RFC 5322 §2.1.1 allows no line of more than 998 characters, and a word cannot be folded: longer values are left out.
pub(super) const MAX_VALUE_LEN: usize = 320;

/// Reasons are for people, who read no more than this.
pub(crate) const MAX_REASON_LEN: usize = 240;

/// A value from a message in printable ASCII; none where it is too long.
pub(super) fn shown_value(value: &str) -> Option<Cow<'_, str>> {
    Some(printable(value)).filter(|value| value.len() <= MAX_VALUE_LEN)
}

/// A reason in printable ASCII, or its beginning, of so many characters.
pub(crate) fn shown_reason(reason: &str, max_len: usize) -> Cow<'_, str> {
    let reason = printable(reason);
    // All of it is ASCII.
    match reason.get(..max_len).filter(|_| reason.len() > max_len) {
        Some(start) => Cow::Owned(format!("{start}...")),
        None => reason,
    }
}

/// The text with all but printable ASCII escaped.
fn printable(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut printed = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ' '..='~') { printed.push(c) } else { printed.extend(c.escape_default()) }
    }
    Cow::Owned(printed)
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

    fn property(&mut self, key: &'static str, value: &str) {
        let (ptype, property) = key.trim_end_matches('=').split_once('.').unwrap_or_default();
        let value =
            shown_value(value).map(|value| Property::new(Cow::Borrowed(ptype), Cow::Borrowed(property), &*value));
        self.properties.extend(value);
    }
}
