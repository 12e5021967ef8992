//! Texts that share their memory.

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
    stretch: Stretch,
}

/// Where a text stands among others, in octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stretch {
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

impl Text {
    /// The memory of the text, where no other text shares it.
    pub(crate) fn whole(&self) -> Option<&Arc<str>> {
        (self.stretch.start == 0 && self.stretch.end == self.whole.len()).then_some(&self.whole)
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.whole.get(self.stretch.start..self.stretch.end).unwrap_or_default()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { whole: text.into(), stretch: Stretch { start: 0, end: text.len() } }
    }
}

impl From<Arc<str>> for Text {
    fn from(whole: Arc<str>) -> Self {
        let stretch = Stretch { start: 0, end: whole.len() };
        Self { whole, stretch }
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

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Texts that are written one after another, and then share one allocation.
#[derive(Debug)]
pub(crate) struct Texts {
    /// UTF-8, as long as there is room for all of it.
    few: [u8; FEW],
    len: usize,
    /// All of it, once there is not.
    many: Vec<u8>,
}

/// Octets that are written without an allocation.
const FEW: usize = 1024;

impl Default for Texts {
    fn default() -> Self {
        Self { few: [0; FEW], len: 0, many: Vec::new() }
    }
}

impl Texts {
    /// Where the next text will begin.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.push_octets(text.as_bytes());
    }

    /// Writes octets that are a text, or will be one with those that follow.
    pub(crate) fn push_octets(&mut self, octets: &[u8]) {
        let end = self.len + octets.len();
        match self.few.get_mut(self.len..end) {
            Some(room) if self.many.is_empty() => room.copy_from_slice(octets),
            _ => self.push_to_many(octets),
        }
        self.len = end;
    }

    #[cold]
    fn push_to_many(&mut self, octets: &[u8]) {
        if self.many.is_empty() {
            self.many.extend_from_slice(self.few.get(..self.len).unwrap_or_default());
        }
        self.many.extend_from_slice(octets);
    }

    /// The octets written from `start` on.
    pub(crate) fn octets_since(&self, start: usize) -> &[u8] {
        let all = if self.many.is_empty() { &self.few[..] } else { &self.many };
        all.get(start..self.len).unwrap_or_default()
    }

    /// What was written from `start` on.
    pub(crate) fn since(&self, start: usize) -> &str {
        std::str::from_utf8(self.octets_since(start)).unwrap_or_default()
    }

    /// Takes back what was written last; `len` is on the border of a character.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.many.truncate(len);
    }

    /// Ends a text that began at `start`.
    pub(crate) fn stretch(&self, start: usize) -> Stretch {
        Stretch { start, end: self.len() }
    }

    /// Writes a whole text.
    pub(crate) fn add(&mut self, text: &str) -> Stretch {
        let start = self.len();
        self.push(text);
        self.stretch(start)
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
    pub(crate) fn text(&self, stretch: Stretch) -> Text {
        Text { whole: Arc::clone(&self.0), stretch }
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
        let second = texts.stretch(start);
        let shared = texts.share();
        assert_eq!((&*shared.text(first), &*shared.text(second), &*shared.text(Stretch::default())), ("ä", "bc", ""));
        assert_eq!(shared.text(second), Text::from("bc"));
        assert_ne!(shared.text(first), shared.text(second));
        assert_eq!(Text::of(&format_args!("{}-bit", 2048)), Text::from("2048-bit"));
        assert_eq!(format!("{:?} {}", shared.text(first), shared.text(second)), "\"ä\" bc");
    }
    #[test]
    fn texts_of_any_length_are_kept() {
        let mut texts = Texts::default();
        let long = "x".repeat(FEW - 1);
        texts.push(&long);
        texts.push("\u{e4}b");
        assert_eq!(texts.since(0), format!("{long}\u{e4}b"));
        texts.truncate(FEW - 2);
        texts.push("yz");
        assert_eq!((texts.since(FEW - 3), texts.len()), ("xyz", FEW));
        texts.truncate(0);
        texts.push("c");
        assert_eq!((texts.since(0), &*texts.share().text(Stretch { start: 0, end: 1 })), ("c", "c"));
    }
}
