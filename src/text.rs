//! Texts that share their memory.

use smallvec::SmallVec;
use std::{fmt, hash, ops::Deref, sync::Arc};

/// A text, or a part of a longer one whose memory it shares; a clone copies nothing.
///
/// ```
/// use mailverdict::text::Text;
/// let text = Text::from("relaxed/simple");
/// assert_eq!(text.split_once('/'), Some(("relaxed", "simple")));
/// ```
#[derive(Clone, Default)]
pub struct Text {
    whole: Arc<str>,
    span: Span,
}

/// Where a text stands among others, in octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

impl Text {
    /// What `text` displays, in one allocation.
    pub(crate) fn of(text: &impl fmt::Display) -> Self {
        let mut texts = Texts::default();
        // To write to memory never fails.
        let _ = fmt::Write::write_fmt(&mut texts, format_args!("{text}"));
        Self::from(texts.since(0))
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.whole.get(self.span.start..self.span.end).unwrap_or_default()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { whole: text.into(), span: Span { start: 0, end: text.len() } }
    }
}

impl From<Arc<str>> for Text {
    fn from(whole: Arc<str>) -> Self {
        let span = Span { start: 0, end: whole.len() };
        Self { whole, span }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl hash::Hash for Text {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// Texts that are written one after another, and then share one allocation.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// UTF-8.
    octets: SmallVec<[u8; 1024]>,
}

impl Texts {
    /// Where the next text will begin.
    pub(crate) fn len(&self) -> usize {
        self.octets.len()
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.octets.extend_from_slice(text.as_bytes());
    }

    /// What was written from `start` on.
    pub(crate) fn since(&self, start: usize) -> &str {
        self.octets.get(start..).and_then(|octets| std::str::from_utf8(octets).ok()).unwrap_or_default()
    }

    /// Takes back what was written last; `len` is on the border of a character.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.octets.truncate(len);
    }

    /// Ends a text that began at `start`.
    pub(crate) fn span(&self, start: usize) -> Span {
        Span { start, end: self.len() }
    }

    /// Writes a whole text.
    pub(crate) fn add(&mut self, text: &str) -> Span {
        let start = self.len();
        self.push(text);
        self.span(start)
    }

    /// All is written.
    pub(crate) fn share(&self) -> Shared {
        Shared(self.since(0).into())
    }
}

impl fmt::Write for Texts {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// The memory that several texts share.
pub(crate) struct Shared(Arc<str>);

impl Shared {
    pub(crate) fn text(&self, span: Span) -> Text {
        Text { whole: Arc::clone(&self.0), span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart_by_what_they_say() {
        let mut texts = Texts::default();
        let first = texts.add("ä");
        let start = texts.len();
        texts.push("b");
        texts.push("cd");
        assert_eq!(texts.since(start), "bcd");
        texts.truncate(start + 2);
        let second = texts.span(start);
        let shared = texts.share();
        assert_eq!((&*shared.text(first), &*shared.text(second), &*shared.text(Span::default())), ("ä", "bc", ""));
        assert_eq!(shared.text(second), Text::from("bc"));
        assert_ne!(shared.text(first), shared.text(second));
        assert_eq!(Text::of(&format_args!("{}-bit", 2048)), Text::from("2048-bit"));
        assert_eq!(format!("{:?} {}", shared.text(first), shared.text(second)), "\"ä\" bc");
    }
}
