//! Aliases that lead to no end.

use super::MAX_CNAME_CHAIN;
use crate::{lex::excerpt, name::Name};
use std::fmt;

/// The names that CNAME records led to, in order, where they lead in a circle or further than [`MAX_CNAME_CHAIN`], and no more than
/// that. A circle ends with the name that comes a second time. What is no name to us is left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EndlessAliases(Box<[Name]>);

/// Names that a sentence has.
const MAX_SHOWN: usize = 4;

impl EndlessAliases {
    /// Of the names that were followed from `asked`.
    pub fn new(asked: &Name, names: impl IntoIterator<Item = Name>) -> Self {
        let mut kept: Vec<Name> = Vec::new();
        for name in names.into_iter().take(MAX_CNAME_CHAIN) {
            let is_known = name == *asked || kept.contains(&name);
            kept.push(name);
            if is_known {
                break;
            }
        }
        Self(kept.into())
    }

    /// The names, in order.
    pub fn names(&self) -> &[Name] {
        &self.0
    }
}

/// `CNAME records lead on without end: a.example, b.example, a.example`; printable, and bounded.
impl fmt::Display for EndlessAliases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CNAME records lead on without end")?;
        for (place, name) in self.0.iter().take(MAX_SHOWN).enumerate() {
            f.write_str(if place == 0 { ": " } else { ", " })?;
            f.write_str(&excerpt(name.as_str().as_bytes()))?;
        }
        f.write_str(if self.0.len() > MAX_SHOWN { ", ..." } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_told_up_to_the_name_that_comes_again() {
        let name = |text: &str| Name::parse(text).unwrap();
        let of = |names: &[&str]| EndlessAliases::new(&name("a"), names.iter().map(|text| name(text)));
        for (names, kept) in [
            (&["a", "a"][..], &["a"][..]),
            (&["b", "a", "b", "a"], &["b", "a"]),
            (&["b", "c", "c", "c"], &["b", "c", "c"]),
            (&["b", "c", "d", "e"], &["b", "c", "d", "e"]),
        ] {
            assert!(of(names).names().iter().eq(&kept.iter().map(|text| name(text)).collect::<Vec<_>>()), "{names:?}");
        }
        assert_eq!(of(&["b", "a"]).to_string(), "CNAME records lead on without end: b, a");
        assert_eq!(of(&["b", "c", "d", "e"]).to_string(), "CNAME records lead on without end: b, c, d, e");
        assert_eq!(
            of(&["b", "c", "d", "e", "\u{1}"]).to_string(),
            "CNAME records lead on without end: b, c, d, e, ..."
        );
        assert_eq!(of(&["\u{1}"]).to_string(), r"CNAME records lead on without end: \001");
    }
}
