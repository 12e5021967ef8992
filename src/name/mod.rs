//! Names of the DNS, and the domains of mail.

mod domain;
mod joined;

pub use domain::Domain;
pub(crate) use joined::{DomainText, Joined};

use crate::lex;
use std::{
    borrow::{Borrow, Cow},
    cmp::Ordering,
    fmt, hash,
    sync::Arc,
};

/// Octets of a name in its text form, without the final dot (RFC 1035 §2.3.4: 255 on the wire).
pub const MAX_NAME_LEN: usize = 253;
/// Octets of a label (RFC 1035 §2.3.4).
pub const MAX_LABEL_LEN: usize = 63;

/// A DNS name: labels of 1 to 63 ASCII octets, at most 253 octets in all, kept in lower case.
///
/// Any ASCII octet but the dot may stand in a label (SPF macros make such names); a final dot is accepted and dropped. The root
/// is the name without labels and is written `.`.
///
/// A name may share its memory with longer ones, as the parents of a name do: neither a clone nor a walk up copies any text.
///
/// ```
/// use mailverdict::name::Name;
/// let name = Name::parse("Selector1._domainkey.Contoso.COM.")?;
/// assert_eq!(name.as_str(), "selector1._domainkey.contoso.com");
/// assert!(name.is_at_or_below(&Name::parse("contoso.com")?));
/// # Ok::<(), mailverdict::name::NameError>(())
/// ```
#[derive(Clone)]
pub struct Name {
    /// This name, or a longer one of which it is a part: so it never holds on to more than [`MAX_NAME_LEN`] octets.
    whole: Arc<str>,
    /// `None` for all of it, which is what most names are.
    part: Option<Part>,
}

/// Where a name stands in a longer one, in octets.
#[derive(Clone, Copy)]
struct Part {
    start: u8,
    end: u8,
}

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NameError {
    /// Nothing at all.
    #[error("the name is empty")]
    Empty,
    /// Two dots in a row, or a dot at the start.
    #[error("the name has an empty label")]
    EmptyLabel,
    /// A label of more than 63 octets.
    #[error("a label of the name is longer than 63 octets")]
    LabelTooLong,
    /// More than 253 octets.
    #[error("the name is longer than 253 octets")]
    TooLong,
    /// An octet outside ASCII, or a U-label that has no A-label (RFC 5891).
    #[error("the name holds a character that has no place in the DNS")]
    NotAscii,
    /// For a [`Domain`]: a character other than letters, digits, hyphen and underscore.
    #[error("the domain holds a character other than letters, digits and hyphens")]
    NotLdh,
}

/// Kinds of octets in a label.
const UPPER: u8 = 1;
const NOT_LDH: u8 = 2;
const NOT_ASCII: u8 = 4;

#[inline]
fn kind(octet: u8) -> u8 {
    match octet {
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => 0,
        b'A'..=b'Z' => UPPER,
        _ if octet.is_ascii() => NOT_LDH,
        _ => NOT_ASCII,
    }
}

impl Name {
    /// Reads a name; upper case becomes lower case, and one final dot is dropped.
    ///
    /// # Errors
    /// [`NameError`] says which bound of RFC 1035 §2.3.4 was broken.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::read(text).map(|(text, _)| Self::of_read(&text))
    }

    /// Reads a name that is a whole text, and shares its memory where that can be.
    pub(crate) fn of_shared(text: &Arc<str>) -> Result<Self, NameError> {
        Self::read(text).map(|(read, _)| Self::at_end_of(text, &read))
    }

    /// What was `read` at the end of a text; shares its memory where nothing was changed, and the text is no longer than a name.
    fn at_end_of(text: &Arc<str>, read: &str) -> Self {
        if text.len() > MAX_NAME_LEN || !text.ends_with(read) {
            return Self::of_read(read);
        }
        let whole = Self { whole: Arc::clone(text), part: None };
        if read.len() == text.len() { whole } else { whole.after(text.len() - read.len()) }
    }

    /// Reads a name in one pass, without memory for it, and says whether it is made of letters, digits, hyphens and underscores alone.
    fn read(text: &str) -> Result<(Cow<'_, str>, bool), NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Ok((Cow::Borrowed(""), true));
        }
        // Of all faults an octet outside ASCII is named first.
        let fault = |error| Err(if text.is_ascii() { error } else { NameError::NotAscii });
        let mut kinds = 0;
        let mut label_len = 0_usize;
        for octet in text.bytes() {
            if octet == b'.' {
                if label_len == 0 {
                    return fault(NameError::EmptyLabel);
                }
                label_len = 0;
            } else {
                label_len += 1;
                if label_len > MAX_LABEL_LEN {
                    return fault(NameError::LabelTooLong);
                }
                kinds |= kind(octet);
            }
        }
        if kinds & NOT_ASCII != 0 {
            return Err(NameError::NotAscii);
        }
        if label_len == 0 {
            return Err(NameError::EmptyLabel);
        }
        if text.len() > MAX_NAME_LEN {
            return Err(NameError::TooLong);
        }
        let text = if kinds & UPPER != 0 { text.to_ascii_lowercase().into() } else { text.into() };
        Ok((text, kinds & NOT_LDH == 0))
    }

    /// The name of a text that was read, which is no longer than a name can be.
    fn of_read(text: &str) -> Self {
        Self { whole: text.into(), part: None }
    }

    /// The name between two places of this one.
    fn part(&self, start: usize, end: usize) -> Self {
        let before = self.part.map_or(0, |part| part.start);
        // No name is longer than a `u8` counts.
        let place = |at: usize| before.saturating_add(u8::try_from(at).unwrap_or(u8::MAX));
        Self { whole: Arc::clone(&self.whole), part: Some(Part { start: place(start), end: place(end) }) }
    }

    /// What is left of the name without its first octets.
    fn after(&self, octets: usize) -> Self {
        self.part(octets, self.as_str().len())
    }

    /// The name without labels.
    pub fn root() -> Self {
        Self::of_read("")
    }

    /// In lower case, without the final dot; empty for the root.
    #[inline]
    pub fn as_str(&self) -> &str {
        match self.part {
            None => &self.whole,
            Some(Part { start, end }) => self.whole.get(usize::from(start)..usize::from(end)).unwrap_or_default(),
        }
    }

    /// The labels from left to right.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.as_str().split('.').filter(|label| !label.is_empty())
    }

    /// How many labels there are; none for the root.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// Whether there is more than one label.
    pub(crate) fn has_parent(&self) -> bool {
        memchr::memchr(b'.', self.as_str().as_bytes()).is_some()
    }

    /// The name without its leftmost label; none above the root.
    pub fn parent(&self) -> Option<Self> {
        match memchr::memchr(b'.', self.as_str().as_bytes()) {
            Some(dot) => Some(self.after(dot + 1)),
            None if self.as_str().is_empty() => None,
            None => Some(self.after(self.as_str().len())),
        }
    }

    /// The name made of the rightmost `count` labels; the whole name where it has no more than that.
    pub fn rightmost(&self, count: usize) -> Self {
        let Some(last) = count.checked_sub(1) else { return self.after(self.as_str().len()) };
        match self.as_str().rmatch_indices('.').nth(last) {
            Some((dot, _)) => self.after(dot + 1),
            None => self.clone(),
        }
    }

    /// The name with `labels` (one or several, separated by dots) in front.
    ///
    /// # Errors
    /// [`NameError`] where that is no name, most often because it grew too long.
    ///
    /// ```
    /// # use mailverdict::name::Name;
    /// let name = Name::parse("example.com")?.prepend("_dmarc")?;
    /// assert_eq!(name.as_str(), "_dmarc.example.com");
    /// # Ok::<(), mailverdict::name::NameError>(())
    /// ```
    pub fn prepend(&self, labels: &str) -> Result<Self, NameError> {
        if self.as_str().is_empty() {
            return Self::parse(labels);
        }
        if labels.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        let (read, _) = Self::read(labels)?;
        // Between this dot and the next one there would be nothing.
        if labels.ends_with('.') {
            return Err(NameError::EmptyLabel);
        }
        joined::joined([&*read, self.as_str()])
    }

    /// Whether this is `ancestor` itself or a name below it, label by label.
    pub fn is_at_or_below(&self, ancestor: &Self) -> bool {
        is_at_or_below(self.as_str(), ancestor.as_str())
    }
}

fn is_at_or_below(name: &str, ancestor: &str) -> bool {
    match name.strip_suffix(ancestor) {
        Some(below) => below.is_empty() || ancestor.is_empty() || below.ends_with('.'),
        None => false,
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.as_str().is_empty() { "." } else { self.as_str() })
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        // Many names that are compared are clones.
        let (name, other) = (self.as_str(), other.as_str());
        std::ptr::eq(name, other) || name == other
    }
}

impl Eq for Name {}

/// A name of strangers, printable.
pub(crate) fn shown(name: &Name) -> Box<str> {
    lex::printable(name.as_str().as_bytes())
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As its text is hashed, for [`Borrow`].
impl hash::Hash for Name {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn names_have_labels_of_1_to_63_octets_and_253_in_all() {
        let label = "a".repeat(63);
        assert!(Name::parse(&label).is_ok());
        assert_eq!(Name::parse(&format!("{label}a")), Err(NameError::LabelTooLong));
        let longest = format!("{label}.{label}.{label}.{}", "b".repeat(61));
        assert_eq!(longest.len(), MAX_NAME_LEN);
        assert!(Name::parse(&longest).is_ok());
        assert!(Name::parse(&format!("{longest}.")).is_ok());
        assert_eq!(Name::parse(&format!("{longest}b")), Err(NameError::TooLong));
        assert_eq!(Name::parse("a..b"), Err(NameError::EmptyLabel));
        assert_eq!(Name::parse(".a"), Err(NameError::EmptyLabel));
        assert_eq!(Name::parse("a.."), Err(NameError::EmptyLabel));
        assert_eq!(Name::parse(""), Err(NameError::Empty));
        assert_eq!(Name::parse("."), Ok(Name::root()));
        assert_eq!(Name::parse("ä.example"), Err(NameError::NotAscii));
    }

    #[test]
    fn a_name_at_the_end_of_a_text_shares_its_memory_where_nothing_changes() {
        let local = "a".repeat(MAX_NAME_LEN - 11);
        for (text, octets, is_shared) in [
            ("bob@example.com", 11, true),
            ("example.com", 11, true),
            ("bob@Example.com", 11, false),
            ("bob@example.com.", 12, false),
            (&format!("{local}example.com"), 11, true),
            (&format!("{local}@example.com"), 11, false),
        ] {
            let text: Arc<str> = text.into();
            let domain = Domain::at_end_of(&text, octets).unwrap();
            assert_eq!(domain, Domain::parse("example.com").unwrap(), "{text}");
            assert_eq!(Arc::ptr_eq(&domain.as_name().whole, &text), is_shared, "{text}");
            assert_eq!(domain.parent().unwrap().as_str(), "com");
        }
        assert_eq!(Domain::at_end_of(&"bob@".into(), 0), Err(NameError::Empty));
        assert_eq!(Name::of_shared(&"a..b".into()), Err(NameError::EmptyLabel));
    }

    #[test]
    fn what_is_prepended_is_read_like_the_whole() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        let three = [longest.as_str(); 3].join(".");
        let prepended = ["", ".", "a", "A.b", "a.", "a..", ".a", "a..b", "ä", "ä.", "a b", &longest, &longer, &three];
        for above in ["", "com", "example.com", &three, &format!("{three}.{}", "b".repeat(59)), &"c".repeat(63)] {
            let name = if above.is_empty() { Name::root() } else { name(above) };
            for labels in prepended {
                let whole = if above.is_empty() { labels.to_owned() } else { format!("{labels}.{above}") };
                assert_eq!(name.prepend(labels), Name::parse(&whole), "{labels:?} and {above:?}");
            }
        }
    }

    #[test]
    fn ancestors_are_told_by_labels_not_by_letters() {
        assert!(name("a.example.com").is_at_or_below(&name("example.com")));
        assert!(name("example.com").is_at_or_below(&name("example.com")));
        assert!(!name("badexample.com").is_at_or_below(&name("example.com")));
        assert!(!name("com").is_at_or_below(&name("example.com")));
        assert!(name("com").is_at_or_below(&Name::root()));
    }

    #[test]
    fn walking_up_ends_at_the_root() {
        let up: Vec<_> = std::iter::successors(Some(name("a.b.c")), Name::parent).collect();
        assert_eq!(up, [name("a.b.c"), name("b.c"), name("c"), Name::root()]);
        assert_eq!(Domain::parse("com").unwrap().parent(), None);
        assert_eq!(name("a.b.c").rightmost(2), name("b.c"));
        assert_eq!(name("a.b.c").rightmost(7), name("a.b.c"));
        assert_eq!(name("a.b.c").rightmost(0), Name::root());
        assert_eq!(name("a.b.c").label_count(), 3);
        assert_eq!(Name::root().label_count(), 0);
    }
}
