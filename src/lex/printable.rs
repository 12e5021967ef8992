//! Text of strangers, made fit to be shown.

use std::fmt;

/// Displays a text with everything but printable ASCII escaped, so that it can neither start a line, move a cursor nor pass for
/// another script; a backslash is doubled, so that no escape can be feigned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printable<'t>(pub(crate) &'t str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        // Without a way out, so that the octets are compared by vector instructions.
        let is_special = |octet: u8| u8::from(octet == b'\\') | u8::from(octet.wrapping_sub(b' ') > b'~' - b' ');
        if rest.bytes().fold(0, |any, octet| any | is_special(octet)) == 0 {
            return f.write_str(rest);
        }
        while let Some(at) = rest.find(|c| !matches!(c, ' '..='[' | ']'..='~')) {
            let (plain, special) = rest.split_at(at);
            f.write_str(plain)?;
            let mut chars = special.chars();
            if let Some(c) = chars.next() {
                write!(f, "{}", c.escape_default())?;
            }
            rest = chars.as_str();
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_ascii_comes_through() {
        assert_eq!(Printable("plain 'text' \"~\"").to_string(), "plain 'text' \"~\"");
        assert_eq!(Printable("a\r\nB: \u{1b}[1m\\ ä\u{202e}").to_string(), r"a\r\nB: \u{1b}[1m\\ \u{e4}\u{202e}");
    }
}
