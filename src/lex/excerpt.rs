//! Octets of strangers, as sentences quote them.

use std::fmt::Write as _;

/// Octets of a text that a sentence quotes; what is longer is cut.
const QUOTED_OCTETS: usize = 60;

/// Octets other than printable ASCII as `\ddd`, as master files have them (RFC 1035 §5.1).
pub(crate) fn printable(octets: &[u8]) -> Box<str> {
    escaped(octets, b"").into()
}

/// The same, with a backslash before each of these signs.
pub(crate) fn escaped(octets: &[u8], signs: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            sign if signs.contains(sign) => text.extend(['\\', char::from(*sign)]),
            b' '..=b'~' => text.push(char::from(*octet)),
            // To write to memory never fails.
            _ => drop(write!(text, "\\{octet:03}")),
        }
    }
    text
}

/// A character string of a master file (RFC 1035 §5.1), in its quotes.
pub(crate) fn character_string(octets: &[u8]) -> String {
    format!("\"{}\"", escaped(octets, b"\"\\"))
}

/// The octets, printable: whole up to 60, then cut with three dots.
pub(crate) fn excerpt(octets: &[u8]) -> Box<str> {
    match octets.get(..QUOTED_OCTETS).filter(|_| octets.len() > QUOTED_OCTETS) {
        Some(shown) => format!("{}...", printable(shown)).into(),
        None => printable(octets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_and_all_is_printable() {
        assert_eq!(*printable(b"a\xe2\x80\x93b"), *r"a\226\128\147b");
        assert_eq!(character_string(b"v=\"\\;\xe2 1"), r#""v=\"\\;\226 1""#);
        assert_eq!(*excerpt(&[b'a'; 60]), *"a".repeat(60));
        assert_eq!(*excerpt(&[b'a'; 61]), *format!("{}...", "a".repeat(60)));
    }
}
