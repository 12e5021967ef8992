//! The names of `h=`, RFC 6376 §3.5.

use crate::text::Text;
use std::fmt;

/// The names of `h=`, as written, in their order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldNames(pub(super) Text);

impl FieldNames {
    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        // A name of a field has no colon (RFC 5322 §2.2).
        self.0.split(':').filter(|_| !self.is_empty())
    }

    /// The octets of the names.
    pub(crate) fn octets(&self) -> impl Iterator<Item = &[u8]> {
        // Names are short: no search for the colon pays.
        self.0.as_bytes().split(|octet| *octet == b':').filter(|_| !self.is_empty())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for FieldNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// As in `h=`, separated by colons.
impl fmt::Display for FieldNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for FieldNames {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for FieldNames {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<String>::deserialize(deserializer).map(|names| Self(names.join(":").into()))
    }
}
