//! The domains of mail.

use super::{MAX_NAME_LEN, Name, NameError, kind};
use std::{borrow::Cow, fmt, sync::Arc};

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
pub struct Domain(pub(super) Name);

impl Domain {
    /// Reads a domain; upper case becomes lower case, U-labels become A-labels, one final dot is dropped.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::read(text).map(|text| Self(Name::of_read(&text)))
    }

    /// Reads the domain that the last `octets` of a text are, and shares its memory where that can be.
    pub(crate) fn at_end_of(text: &Arc<str>, octets: usize) -> Result<Self, NameError> {
        let end = text.get(text.len().saturating_sub(octets)..).unwrap_or(text);
        Self::read(end).map(|read| Self(Name::at_end_of(text, &read)))
    }

    /// Reads a domain, without memory for it.
    pub(super) fn read(text: &str) -> Result<Cow<'_, str>, NameError> {
        let (text, is_ldh) = if text.is_ascii() {
            Name::read(text)?
        } else {
            // A name of 253 octets has no more characters than that when its labels are U-labels, of four octets at most.
            if text.len() > 4 * (MAX_NAME_LEN + 1) {
                return Err(NameError::TooLong);
            }
            // RFC 8616 §2 by way of UTS 46; the checks that matter to the DNS are made by `Name` and below.
            let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY)
                .map_err(|_| NameError::NotAscii)?;
            let (text, is_ldh) = Name::read(&ascii)?;
            (text.into_owned().into(), is_ldh)
        };
        check(&text, is_ldh)?;
        Ok(text)
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

    /// Whether one of them is the other or a domain below it, so that they can align (RFC 9989 §4.10.2).
    pub(crate) fn is_in_line_with(&self, other: &Self) -> bool {
        self.is_at_or_below(other) || other.is_at_or_below(self)
    }
}

impl TryFrom<Name> for Domain {
    type Error = NameError;
    fn try_from(name: Name) -> Result<Self, NameError> {
        let is_ldh = name.as_str().bytes().all(|octet| octet == b'.' || kind(octet) == 0);
        check(name.as_str(), is_ldh)?;
        Ok(Self(name))
    }
}

/// Whether the text of a name is that of a domain.
fn check(text: &str, is_ldh: bool) -> Result<(), NameError> {
    match text {
        "" => Err(NameError::Empty),
        _ if is_ldh => Ok(()),
        _ => Err(NameError::NotLdh),
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

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Domain {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
