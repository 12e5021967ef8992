//! Names of the DNS, and the domains of mail.

use std::{borrow::Borrow, fmt, sync::Arc};

/// Octets of a name in its text form, without the final dot (RFC 1035 §2.3.4: 255 on the wire).
pub const MAX_NAME_LEN: usize = 253;
/// Octets of a label (RFC 1035 §2.3.4).
pub const MAX_LABEL_LEN: usize = 63;

/// A DNS name: labels of 1 to 63 ASCII octets, at most 253 octets in all, kept in lower case.
///
/// Any ASCII octet but the dot may stand in a label (SPF macros make such names); a final dot is accepted and dropped. The root
/// is the name without labels and is written `.`.
///
/// ```
/// use mailverdict::name::Name;
/// let name = Name::parse("Selector1._domainkey.Contoso.COM.")?;
/// assert_eq!(name.as_str(), "selector1._domainkey.contoso.com");
/// assert!(name.is_at_or_below(&Name::parse("contoso.com")?));
/// # Ok::<(), mailverdict::name::NameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
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
        Self::scan(text).map(|(name, _)| name)
    }

    /// Reads a name in one pass, and says whether it is made of letters, digits, hyphens and underscores alone.
    fn scan(text: &str) -> Result<(Self, bool), NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Ok((Self::root(), true));
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
        let name = Self(if kinds & UPPER != 0 { text.to_ascii_lowercase().into() } else { text.into() });
        Ok((name, kinds & NOT_LDH == 0))
    }

    /// The name without labels.
    pub fn root() -> Self {
        Self("".into())
    }

    /// In lower case, without the final dot; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels from left to right.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.').filter(|label| !label.is_empty())
    }

    /// How many labels there are; none for the root.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// Whether there is more than one label.
    pub(crate) fn has_parent(&self) -> bool {
        memchr::memchr(b'.', self.0.as_bytes()).is_some()
    }

    /// The text, without a copy.
    pub(crate) fn into_text(self) -> Arc<str> {
        self.0
    }

    /// The name without its leftmost label; none above the root.
    pub fn parent(&self) -> Option<Self> {
        match self.0.split_once('.') {
            Some((_, parent)) => Some(Self(parent.into())),
            None if self.0.is_empty() => None,
            None => Some(Self::root()),
        }
    }

    /// The name made of the rightmost `count` labels; the whole name where it has no more than that.
    pub fn rightmost(&self, count: usize) -> Self {
        if count == 0 {
            return Self::root();
        }
        match self.0.rmatch_indices('.').nth(count - 1) {
            Some((dot, _)) => Self(self.0.get(dot + 1..).unwrap_or_default().into()),
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
        if self.0.is_empty() {
            return Self::parse(labels);
        }
        let mut text = String::with_capacity(labels.len() + 1 + self.0.len());
        text.push_str(labels);
        text.push('.');
        text.push_str(&self.0);
        Self::parse(&text)
    }

    /// Whether this is `ancestor` itself or a name below it, label by label.
    pub fn is_at_or_below(&self, ancestor: &Self) -> bool {
        match self.0.strip_suffix(&*ancestor.0) {
            Some(below) => below.is_empty() || ancestor.0.is_empty() || below.ends_with('.'),
            None => false,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
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
        &self.0
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A domain as mail addresses and signatures name them: a [`Name`] of at least one label, whose labels are letters, digits and
/// hyphens.
///
/// U-labels become A-labels (RFC 8616 §2). The underscore is accepted as well: no mail standard has it, senders do, and such a
/// domain deserves a verdict rather than a shrug.
///
/// ```
/// use mailverdict::name::Domain;
/// assert_eq!(Domain::parse("Grüße.example")?.as_str(), "xn--gre-6ka8l.example");
/// assert!(Domain::parse("[192.0.2.1]").is_err());
/// # Ok::<(), mailverdict::name::NameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Name);

impl Domain {
    /// Reads a domain; upper case becomes lower case, U-labels become A-labels, one final dot is dropped.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (name, is_ldh) = if text.is_ascii() {
            Name::scan(text)?
        } else {
            // A name of 253 octets has no more characters than that when its labels are U-labels, of four octets at most.
            if text.len() > 4 * (MAX_NAME_LEN + 1) {
                return Err(NameError::TooLong);
            }
            // RFC 8616 §2 by way of UTS 46; the checks that matter to the DNS are made by `Name` and below.
            let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY)
                .map_err(|_| NameError::NotAscii)?;
            Name::scan(&ascii)?
        };
        Self::of_ldh(name, is_ldh)
    }

    fn of_ldh(name: Name, is_ldh: bool) -> Result<Self, NameError> {
        if name.as_str().is_empty() {
            return Err(NameError::Empty);
        }
        if is_ldh { Ok(Self(name)) } else { Err(NameError::NotLdh) }
    }

    /// In lower case, without a final dot.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The same as a [`Name`].
    pub fn as_name(&self) -> &Name {
        &self.0
    }

    /// How many labels there are; at least one.
    pub fn label_count(&self) -> usize {
        self.0.label_count()
    }

    /// The domain without its leftmost label; none above a single label.
    pub fn parent(&self) -> Option<Self> {
        self.0.parent().filter(|name| !name.as_str().is_empty()).map(Self)
    }

    /// The domain made of the rightmost `count` labels (at least one is kept).
    pub fn rightmost(&self, count: usize) -> Self {
        Self(self.0.rightmost(count.max(1)))
    }

    /// Whether this is `ancestor` itself or a domain below it, label by label.
    pub fn is_at_or_below(&self, ancestor: &Self) -> bool {
        self.0.is_at_or_below(&ancestor.0)
    }
}

impl TryFrom<Name> for Domain {
    type Error = NameError;
    fn try_from(name: Name) -> Result<Self, NameError> {
        let is_ldh = name.as_str().bytes().all(|octet| octet == b'.' || kind(octet) == 0);
        Self::of_ldh(name, is_ldh)
    }
}

impl From<Domain> for Name {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

impl AsRef<Name> for Domain {
    fn as_ref(&self) -> &Name {
        &self.0
    }
}

impl std::str::FromStr for Domain {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Domain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
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

    #[test]
    fn domains_are_letters_digits_hyphens_and_the_tolerated_underscore() {
        assert!(Domain::parse("a-1.example").is_ok());
        assert!(Domain::parse("_a.example").is_ok());
        assert_eq!(Domain::parse("a b.example"), Err(NameError::NotLdh));
        assert_eq!(Domain::parse("[192.0.2.1]"), Err(NameError::NotLdh));
        assert_eq!(Domain::parse("."), Err(NameError::Empty));
        assert_eq!(Domain::parse("a\u{fffd}.example"), Err(NameError::NotAscii));
        assert_eq!(Domain::parse("Bücher.example").unwrap().as_str(), "xn--bcher-kva.example");
    }
}
