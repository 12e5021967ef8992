//! Fields that must stand in a message once at most.

use super::Header;
use std::fmt;

/// Their names; RFC 5322 §3.6 has the first ones, RFC 2045 §4, §5 and §6 the last three.
const NAMES: [&str; 14] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "Date",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Some of the fields that a message has once at most: From, Sender, Reply-To, To, Cc, Bcc, Message-ID, In-Reply-To, References,
/// Subject and Date (RFC 5322 §3.6), MIME-Version, Content-Type and Content-Transfer-Encoding (RFC 2045).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SingularFields(u16);

impl SingularFields {
    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their names, as the RFCs write them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().enumerate().filter(move |(at, _)| self.0 & bit(*at) != 0).map(|(_, name)| name)
    }
}

impl fmt::Debug for SingularFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// The names, with commas between them.
impl fmt::Display for SingularFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names().enumerate().try_for_each(|(at, name)| write!(f, "{}{name}", if at == 0 { "" } else { ", " }))
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for SingularFields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for SingularFields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Self::default();
        for name in Vec::<String>::deserialize(deserializer)? {
            let at = NAMES.iter().position(|known| *known == name);
            let none = || serde::de::Error::custom(format_args!("{name:?} is no field that must stand once"));
            fields.0 |= bit(at.ok_or_else(none)?);
        }
        Ok(fields)
    }
}

fn bit(at: usize) -> u16 {
    u32::try_from(at).ok().and_then(|at| 1_u16.checked_shl(at)).unwrap_or(0)
}

/// How often each of them stands in a header, or in a list of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SingularCounts([u32; NAMES.len()]);

impl SingularCounts {
    /// Those of these names, in whatever case.
    pub(crate) fn of<'n>(names: impl Iterator<Item = &'n [u8]>) -> Self {
        let mut counts = Self::default();
        for name in names {
            if let Some(count) = place_of(name).and_then(|at| counts.0.get_mut(at)) {
                *count = count.saturating_add(1);
            }
        }
        counts
    }

    /// Those of a header's fields; none where no name stands twice, as in most headers.
    pub(crate) fn of_header(header: &Header<'_>) -> Self {
        let names = || header.fields().iter().map(|field| field.name());
        let mut seen = SingularFields::default();
        let may_repeat = names().filter_map(possible_place_of).any(|at| {
            let repeats = seen.0 & bit(at) != 0;
            seen.0 |= bit(at);
            repeats
        });
        if may_repeat { Self::of(names()) } else { Self::default() }
    }

    /// Those that stand more than once, and how often.
    pub(super) fn repeated(&self) -> impl Iterator<Item = (&'static str, u32)> {
        NAMES.into_iter().zip(self.0).filter(|(_, count)| *count > 1)
    }

    /// Those of a header that are signed, though not as often as they stand there.
    pub(crate) fn not_covered_by(&self, signed: &Self) -> SingularFields {
        let places = self.0.iter().zip(signed.0).enumerate();
        let open = places.filter(|(_, (there, signed))| *signed > 0 && *there > signed);
        SingularFields(open.fold(0, |fields, (at, _)| fields | bit(at)))
    }
}

/// The place of a name among [`NAMES`].
fn place_of(name: &[u8]) -> Option<usize> {
    possible_place_of(name).filter(|at| NAMES.get(*at).is_some_and(|known| known.as_bytes().eq_ignore_ascii_case(name)))
}

/// The only place among [`NAMES`] that the name may have, by its length and its last letter.
fn possible_place_of(name: &[u8]) -> Option<usize> {
    Some(match (name.len(), name.last()? | 0x20) {
        (4, b'm') => 0,
        (6, b'r') => 1,
        (8, b'o') => 2,
        (2, b'o') => 3,
        (2, b'c') => 4,
        (3, b'c') => 5,
        (10, b'd') => 6,
        (11, b'o') => 7,
        (10, b's') => 8,
        (7, b't') => 9,
        (4, b'e') => 10,
        (12, b'n') => 11,
        (12, b'e') => 12,
        (25, b'g') => 13,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_in_its_place() {
        for (at, name) in NAMES.into_iter().enumerate() {
            assert_eq!(place_of(name.to_ascii_uppercase().as_bytes()), Some(at), "{name}");
        }
        assert_eq!(place_of(b"X-Test"), None);
        assert_eq!(place_of(b"Sendex"), None);
    }

    #[test]
    fn what_is_signed_less_often_than_it_stands_is_not_covered() {
        let there = SingularCounts::of([&b"From"[..], b"SUBJECT", b"subject", b"To", b"To", b"Date"].into_iter());
        let repeated: Vec<_> = there.repeated().collect();
        assert_eq!(repeated, [("To", 2), ("Subject", 2)]);
        let not_covered =
            |signed: &[&[u8]]| there.not_covered_by(&SingularCounts::of(signed.iter().copied())).to_string();
        assert_eq!(not_covered(&[b"from", b"subject", b"to"]), "To, Subject");
        assert_eq!(not_covered(&[b"from", b"subject", b"Subject"]), "");
        assert_eq!(not_covered(&[b"from", b"from", b"date"]), "");
    }
}
