//! Texts as a page shows them: visible, and no longer than somebody reads.

use crate::escape::is_active;
use maud::{Markup, html};
use std::{borrow::Cow, fmt::Write as _};

/// Characters of one text.
const MAX_TEXT: usize = 4000;

/// The text, or its beginning and how much more there is.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_TEXT) {
        None => text.into(),
        Some((end, _)) => {
            let (start, rest) = text.split_at_checked(end).unwrap_or((text, ""));
            format!("{start}... (and {} octets more)", rest.len()).into()
        }
    }
}

/// Octets as they are read: UTF-8 is what it says, others are shown as `\xff`, and so is what acts or hides. Lines end where they end.
pub(super) fn octets(octets: &[u8]) -> String {
    let mut shown = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        shown.extend(chunk.valid().chars().filter(|character| *character != '\r'));
        for octet in chunk.invalid() {
            // Writing to a `String` cannot fail.
            let _ = write!(shown, "\\x{octet:02x}");
        }
    }
    shown
}

/// What nobody would see, or what would act on what stands around it, as an escape; markup stays what it is.
pub(super) fn visible(page: &str) -> String {
    let mut shown = String::with_capacity(page.len());
    for character in page.chars() {
        if is_active(character) && character != '\n' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// So many of a list are shown.
pub(super) struct More {
    pub(super) shown: usize,
    pub(super) all: usize,
}

impl maud::Render for More {
    fn render(&self) -> Markup {
        let more = self.all.saturating_sub(self.shown);
        html! { @if more > 0 { p.muted { "and " (more) " more" } } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_seen() {
        assert_eq!(octets(b"a\r\n\xffb\xc3\xa9\0"), "a\n\\xffbé\0");
        assert_eq!(visible("<p>\0\u{202e}a\tb\u{200b}é\n</p>"), "<p>\\u{0}\\u{202e}a\\tb\\u{200b}é\n</p>");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut(&"é".repeat(MAX_TEXT)), "é".repeat(MAX_TEXT));
        assert_eq!(cut(&"é".repeat(MAX_TEXT + 2)), format!("{}... (and 4 octets more)", "é".repeat(MAX_TEXT)));
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(html! { (More { shown: 3, all: 3 }) }.into_string(), "");
        assert_eq!(html! { (More { shown: 3, all: 5 }) }.into_string(), "<p class=\"muted\">and 2 more</p>");
    }
}
