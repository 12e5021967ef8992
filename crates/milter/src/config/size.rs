//! Numbers of octets, as `64 MiB`.

use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// A number of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub usize);

const EXPECTED: &str = "expected a number of octets, such as \"64 MiB\" (KiB, MiB, GiB)";

impl Size {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(end)?;
        let factor = match unit.trim_start() {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.parse::<usize>().ok()?.checked_mul(factor).map(Self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        match units.into_iter().find(|(bits, _)| self.0 >= 1 << bits && self.0.is_multiple_of(1 << bits)) {
            Some((bits, unit)) => write!(f, "{} {unit}", self.0 >> bits),
            None => write!(f, "{} octets", self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Size;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of octets, such as \"64 MiB\"")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Size, E> {
                usize::try_from(number).map(Size).map_err(|_| E::custom(EXPECTED))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Size, E> {
                usize::try_from(number).map(Size).map_err(|_| E::custom(EXPECTED))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                Size::read(text).ok_or_else(|| E::custom(EXPECTED))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, octets) in [("64 MiB", 64 << 20), ("1KiB", 1024), ("2 GiB", 2 << 30), ("300", 300), (" 5 B ", 5)] {
            assert_eq!(Size::read(text), Some(Size(octets)), "{text}");
        }
        for text in ["", "MiB", "-1", "1 MB", "1.5 MiB", "99999999999999999999", "99999999999 GiB"] {
            assert_eq!(Size::read(text), None, "{text}");
        }
        assert_eq!(
            [Size(64 << 20), Size(1025), Size(2048)].map(|size| size.to_string()),
            ["64 MiB", "1025 octets", "2 KiB"]
        );
    }
}
