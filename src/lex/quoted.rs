//! What RFC 5322 writes as it is, and what it quotes.

use super::structured::is_escaped;

/// `atext` of RFC 5322 §3.2.3, with UTF-8 (RFC 6532 §3.2).
fn is_atext(c: char) -> bool {
    matches!(c, '0'..='9' | 'A'..='Z' | '^'..='~' | '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?')
        || (!c.is_ascii() && !is_escaped(c))
}

/// Parts that are not empty, with dots between them.
pub(crate) fn is_dotted(text: &str, is_part: impl Fn(char) -> bool) -> bool {
    let mut is_empty = true;
    for c in text.chars() {
        if c == '.' && is_empty || c != '.' && !is_part(c) {
            return false;
        }
        is_empty = c == '.';
    }
    !is_empty
}

/// `dot-atom-text` of RFC 5322 §3.2.3.
pub(crate) fn is_dot_atom(text: &str) -> bool {
    is_dotted(text, is_atext)
}

/// Adds a text with a backslash before each of `special` (`quoted-pair` of RFC 5322 §3.2.1), and what would not be seen as it is escaped.
pub(crate) fn push_escaped(to: &mut String, text: &str, special: &[u8]) {
    let is_plain = |octet| matches!(octet, b' '..=b'~') && !special.contains(&octet);
    let mut rest = text;
    // Stretches of ASCII in which nothing is escaped are copied whole.
    while let Some(at) = rest.bytes().position(|octet| !is_plain(octet)) {
        let (plain, tail) = rest.split_at(at);
        to.push_str(plain);
        let mut chars = tail.chars();
        let Some(c) = chars.next() else { break };
        rest = chars.as_str();
        if is_escaped(c) {
            // The escape is text like any other, so its backslash is quoted as well.
            c.escape_default().for_each(|c| to.extend((c == '\\').then_some('\\').into_iter().chain([c])));
        } else {
            if c.is_ascii() {
                to.push('\\');
            }
            to.push(c);
        }
    }
    to.push_str(rest);
}
