//! Texts as a page shows them: visible, and no longer than somebody reads.

use crate::escape::is_active;
use maud::{Markup, html};
use std::{borrow::Cow, fmt::Write as _};

/// Characters of one text.
const MAX_TEXT: usize = 2000;
/// Characters of a word among many: a name of a field, a term of a record.
const MAX_WORD: usize = 120;
/// Octets of a list beyond which nothing is added to it.
const MAX_LIST: usize = 64 * 1024;

/// The text, or its beginning and how much more there is.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    cut_to(text, MAX_TEXT)
}

/// The same of a word among many.
pub(super) fn cut_word(word: &str) -> Cow<'_, str> {
    cut_to(word, MAX_WORD)
}

fn cut_to(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
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

/// The items of a list that are shown.
pub(super) struct Bounded {
    pub(super) items: Vec<Markup>,
    pub(super) more: More,
}

impl Bounded {
    /// The first `most` of them, or fewer where they are long.
    pub(super) fn of<'t, T>(all: &'t [T], most: usize, mut item: impl FnMut(&'t T) -> Markup) -> Self {
        let mut octets = 0;
        let mut items = Vec::new();
        for one in all.iter().take(most) {
            if octets > MAX_LIST {
                break;
            }
            let item = item(one);
            octets += item.0.len();
            items.push(item);
        }
        let more = More { shown: items.len(), all: all.len() };
        Self { items, more }
    }
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
    fn lists_have_bounds() {
        let all = [1000; 300];
        let item = |octets: &usize| html! { ("x".repeat(*octets)) };
        let Bounded { items, more } = Bounded::of(&all, 10, item);
        assert_eq!((items.len(), more.shown, more.all), (10, 10, 300));
        // One more than fit, and no more.
        assert_eq!(Bounded::of(&all, 300, item).items.len(), MAX_LIST / 1000 + 1);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(html! { (More { shown: 3, all: 3 }) }.into_string(), "");
        assert_eq!(html! { (More { shown: 3, all: 5 }) }.into_string(), "<p class=\"muted\">and 2 more</p>");
    }
}
