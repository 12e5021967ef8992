//! What lenient readers may take for the domains of a From field that does not follow the grammar.

use super::distinct::Distinct;
use crate::{
    lex::{
        at_sign::{ends_of_at_signs, may_hide_at_sign},
        encoded_word,
    },
    name::{Domain, MAX_LABEL_LEN},
};

/// Octets of the longest text after an `@` that may still be a domain: 63 characters a label of four octets each, and room.
pub(super) const MAX_DOMAIN_TEXT: usize = 1024;
/// How many at signs of a message, behind which no domain stands plainly, are read in all the ways that there are.
const MAX_READ_LENIENTLY: usize = 16;
/// The full stop, and those that UTS 46 maps to it.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
/// How many pieces that odd octets part may begin a domain.
const MAX_FIRST_PIECES: usize = 4;

/// The domains that some reader may find behind the at signs of malformed From fields.
#[derive(Debug)]
pub(super) struct PossibleDomains {
    pub(super) domains: Distinct,
    /// Whether there is an at sign behind which no domain could be read, so that nobody knows whose address it belongs to.
    pub(super) is_incomplete: bool,
    /// How many at signs may still be read in all the ways that there are.
    left: usize,
}

impl Default for PossibleDomains {
    fn default() -> Self {
        Self { domains: Distinct::default(), is_incomplete: false, left: MAX_READ_LENIENTLY }
    }
}

impl PossibleDomains {
    /// Adds what stands behind each at sign of a field, in comments and quotes as well, as it stands and with encoded words decoded.
    pub(super) fn read(&mut self, field: &[u8]) {
        self.read_behind_at_signs(field);
        if let Some(decoded) = encoded_word::decoded(field) {
            self.read_behind_at_signs(&decoded);
        }
    }

    fn read_behind_at_signs(&mut self, text: &[u8]) {
        for at in ends_of_at_signs(text) {
            let behind = text.get(at..).unwrap_or_default();
            if let Some((text, domain)) = plain_domain(behind) {
                self.domains.add(domain);
                // Some readers leave out what is not ASCII.
                if text.is_ascii() {
                    continue;
                }
            }
            match self.left.checked_sub(1) {
                Some(left) => {
                    self.left = left;
                    self.read_leniently(behind);
                }
                None => self.is_incomplete = true,
            }
        }
    }

    /// Adds what a reader may come to who stops at an odd octet, begins behind one, or leaves out whatever is odd.
    fn read_leniently(&mut self, behind: &[u8]) {
        let octets = behind.get(..MAX_DOMAIN_TEXT).unwrap_or(behind);
        let text = as_some_text(octets);
        let (uncommented, seen) = (without_comments(&text), without_the_unseen(octets));
        let mut is_read = false;
        for mut text in [Some(text), uncommented, Some(seen)].into_iter().flatten() {
            if octets.len() < behind.len() {
                // What is cut off may go on.
                text.push('\0');
            }
            for is_in_domain in [is_in_domain_of_any_script, is_in_usual_domain, is_in_ascii_domain] {
                let Pieces { pieces, is_whole } = Pieces::of(&text, is_in_domain);
                self.is_incomplete |= !is_whole;
                let starts = (1..=MAX_FIRST_PIECES).filter_map(|count| pieces.get(..count));
                let end = pieces.len().checked_sub(1).and_then(|last| pieces.get(last..));
                for some in starts.chain(end).chain([&*pieces]) {
                    if let Some(domain) = joined(some) {
                        self.domains.add(domain);
                        is_read = true;
                    }
                }
                if text.is_ascii() {
                    break;
                }
            }
        }
        self.is_incomplete |= !is_read;
    }
}

/// The one domain that stands behind every `@` of a malformed field, in comments and quotes as well; `None` where there are several,
/// or where some reader may find another one.
pub(super) fn sole_domain(text: &[u8]) -> Option<Domain> {
    if may_hide_at_sign(text) {
        return None;
    }
    let mut sole = None;
    for at in memchr::memchr_iter(b'@', text) {
        let (_, domain) = plain_domain(text.get(at + 1..)?)?;
        if sole.get_or_insert_with(|| domain.clone()) != &domain {
            return None;
        }
    }
    sole
}

/// The domain at the start of `text`, as it stands there and as it is asked for, where nobody can take it to begin or to end elsewhere.
fn plain_domain(text: &[u8]) -> Option<(&str, Domain)> {
    let is_in_domain = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | 0x80..);
    // No further than the next at sign, which may be outside ASCII.
    let near = ends_of_at_signs(text).next().and_then(|end| text.get(..end)).unwrap_or(text);
    let len = near.iter().take(MAX_DOMAIN_TEXT).take_while(|octet| is_in_domain(octet)).count();
    let (domain, after) = text.split_at_checked(len)?;
    if domain.ends_with(b".") || !is_end_of_domain(after) {
        return None;
    }
    let text = std::str::from_utf8(domain).ok()?;
    Some((text, Domain::parse(text).ok()?))
}

/// Whether a domain ends before `after` for everybody.
fn is_end_of_domain(after: &[u8]) -> bool {
    // Of `<a@b>`, `"a@b" <…`, `(a@b)`, and of a display name in apostrophes, as in `'a@b' <a@b>`.
    let behind_closing = trim_start(after, is_closing);
    let next = trim_start(behind_closing, |octet| octet.is_ascii_whitespace());
    let closing = after.len() - behind_closing.len();
    let is_bracketed = after.iter().take(closing).any(|octet| *octet == b'>');
    let is_apart = next.len() < behind_closing.len();
    match next {
        [] => true,
        // RFC 5322 §4.4: an obsolete domain goes on behind white space and comments.
        [b'.' | b'(', ..] => false,
        [b'<', rest @ ..] => is_apart || starts_with_local_part(rest),
        [b',' | b';', rest @ ..] => rest.first().is_none_or(u8::is_ascii_whitespace) || starts_with_local_part(rest),
        // Readers who leave white space out take a word for more of the domain.
        [..] => is_apart && (is_bracketed || starts_with_local_part(next)),
    }
}

fn is_closing(octet: u8) -> bool {
    b"'\">)]".contains(&octet)
}

fn trim_start(text: &[u8], is_trimmed: impl Fn(u8) -> bool) -> &[u8] {
    let len = text.iter().take_while(|octet| is_trimmed(**octet)).count();
    text.get(len..).unwrap_or_default()
}

/// Whether a word that begins here is the local part of an address.
fn starts_with_local_part(text: &[u8]) -> bool {
    let is_end =
        |octet: u8| octet.is_ascii_whitespace() || octet.is_ascii_control() || b"@<>()[]\\,;:\"".contains(&octet);
    let len = text.iter().take(MAX_DOMAIN_TEXT).take_while(|octet| !is_end(**octet)).count();
    text.get(len) == Some(&b'@')
}

/// UTF-8, and ISO 8859-1 for octets that are none.
fn as_some_text(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(char::from));
    }
    text
}

/// The text without what a reader may drop who shows text alone: what is no UTF-8, controls, quotes, and what is unusual in a domain of
/// any script.
fn without_the_unseen(octets: &[u8]) -> String {
    let is_seen = |c: &char| match c {
        '"' | '\\' => false,
        ' '..='~' => true,
        c => is_rearranging(*c) || is_in_usual_domain(*c),
    };
    octets.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).filter(is_seen).collect()
}

/// Whether what stands beside it is shown elsewhere, or not at all: what a terminal or a bidirectional text makes of it, nobody knows.
fn is_rearranging(c: char) -> bool {
    matches!(c, '\u{8}' | '\u{1b}' | '\u{7f}' | '\u{9b}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text without what stands in parentheses, if anything does.
fn without_comments(text: &str) -> Option<String> {
    let mut depth = 0_usize;
    let mut is_quoted_pair = false;
    let is_kept = |c: &char| {
        let (is_escaped, was_outside) = (is_quoted_pair, depth == 0);
        is_quoted_pair = *c == '\\' && !is_escaped;
        match c {
            '(' if !is_escaped => depth += 1,
            ')' if !is_escaped => depth = depth.saturating_sub(1),
            _ => {}
        }
        was_outside && depth == 0
    };
    text.contains('(').then(|| text.chars().filter(is_kept).collect())
}

fn is_in_ascii_domain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn is_in_domain_of_any_script(c: char) -> bool {
    is_in_ascii_domain(c) || !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !is_rearranging(c)
}

/// Letters and digits with their accents, and the dots of UTS 46; other characters are rare in domains, or have no place there.
fn is_in_usual_domain(c: char) -> bool {
    is_in_ascii_domain(c)
        || !c.is_ascii() && c.is_alphanumeric()
        || matches!(c, '\u{300}'..='\u{36f}')
        || DOTS.contains(&c)
}

/// The pieces of a domain that odd characters part, up to where it ends for everybody.
struct Pieces<'t> {
    pieces: Vec<&'t str>,
    /// Whether there are no more of them, and nothing shows them in another order.
    is_whole: bool,
}

impl<'t> Pieces<'t> {
    fn of(text: &'t str, is_in_domain: fn(char) -> bool) -> Self {
        let mut pieces = Vec::new();
        let mut piece_start = None;
        let (mut before, mut is_rearranged) = ('\0', false);
        for (at, c) in text.char_indices() {
            if is_in_domain(c) {
                piece_start.get_or_insert(at);
            } else {
                is_rearranged |= is_rearranging(c);
                pieces.extend(piece_start.take().and_then(|start| text.get(start..at)));
                let may_end = !before.is_ascii_whitespace() && !u8::try_from(before).is_ok_and(is_closing);
                if !pieces.is_empty() && may_end && is_end_of_domain(text.as_bytes().get(at..).unwrap_or_default()) {
                    return Self { pieces, is_whole: !is_rearranged };
                }
            }
            before = c;
        }
        pieces.extend(piece_start.and_then(|start| text.get(start..)));
        Self { pieces, is_whole: !is_rearranged && !text.ends_with('\0') }
    }
}

/// The domain that the pieces come to, without empty labels.
fn joined(pieces: &[&str]) -> Option<Domain> {
    let mut text = String::new();
    for c in pieces.iter().flat_map(|piece| piece.chars()) {
        if c != '.' || !text.is_empty() && !text.ends_with('.') {
            text.push(c);
        }
    }
    // What cannot be a label costs no work.
    let fits = text.split(DOTS).all(|label| label.chars().count() <= MAX_LABEL_LEN);
    if fits { Domain::parse(&text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The possible domains, and `?` where nobody knows.
    fn read(field: &[u8]) -> String {
        let mut possible = PossibleDomains::default();
        possible.read(field);
        let domains = possible.domains.domains.iter().map(Domain::as_str);
        domains.chain(possible.is_incomplete.then_some("?")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_domain_is_read_at_the_start_at_the_end_and_without_odd_octets() {
        for (field, expected) in [
            ("<a@example.com>", "example.com"),
            ("<a@example.com\0>", "example.com"),
            ("<a@\0example.com>", "example.com"),
            ("<a@exam\0ple.com>", "exam example.com ple.com"),
            ("a@exam ple.com <b@example.net>", "exam example.com ple.com example.net"),
            ("<a@[example.com]>", "example.com"),
            ("<a@exam\\ple.com>", "exam example.com ple.com"),
            ("<a@exam(x)ple.com>", "exam examx examxple.com ple.com example.com"),
            ("<a@exam((x)\\))ple.com>", "exam examx examxple.com ple.com example.com"),
            ("<a@exam(x\\)ple.com)>", "exam examx examxple.com ple.com"),
            ("<a@example..com>", "example.com"),
            ("<a@.example.com.>", "example.com"),
            ("a@example\".com", "example example.com com"),
            ("a@exam>ple.com>, b", "exam example.com ple.com"),
            ("a@exam,ple.com", "exam example.com ple.com"),
            ("a@e\0x\0a\0m\0p\0l\0e\0.\0com", "e ex exa exam com example.com"),
            // Of other scripts.
            ("<a\u{ff20}example.com>", "example.com"),
            ("<a@exam\u{fe6b}ple.com>", "exam example.com ple.com"),
            ("<a@exam\u{2028}ple.com>", "exam example.com ple.com"),
            ("<a@exam\u{202e}ple.com>", "exam example.com ple.com ?"),
            ("<a@\u{202e}moc.elpmaxe>", "moc.elpmaxe ?"),
            ("<a@exan\u{8}mple.com>", "exan exanmple.com mple.com ?"),
            ("<a@\u{ff45}xam\u{2028}ple.com>", "exam example.com ple.com xam xample.com"),
            ("<a@b\u{fc}cher.test\0>", "xn--bcher-kva.test b bcher.test cher.test"),
            ("<a@\u{5d0}\u{5d1}\0.test>", "xn--4dbc xn--4dbc.test test"),
            ("a@\u{201c}example.com\u{201d} <b@example.net>", "xn--example-v36c.xn--com-9o0a example.com example.net"),
            // Encoded.
            ("a@=?x?q?example.com?=", "x xq xqexample.com example.com"),
            ("=?x?q?a=40example.com?=", "example.com"),
            // Behind another at sign.
            ("<a@example.com@example.net>", "example.com example.comexample.net example.net"),
            ("a@example.com\0<b@example.net>", "example.com example.net"),
            // Nothing at all.
            ("a@", "?"),
            ("a@\u{202e}>", "?"),
            ("a@example.com <a@>", "example.com ?"),
        ] {
            assert_eq!(read(field.as_bytes()), expected, "{field:?}");
        }
        assert_eq!(read(b"<a@example.com\xa0>"), "example.com");
        assert_eq!(read(b"<a@b\xfccher.test>"), "xn--bcher-kva.test b bcher.test cher.test");
    }

    #[test]
    fn what_is_too_long_to_be_read_is_not_passed_over() {
        let far = |count: usize| read(format!("a@ {}example.com", " ".repeat(count)).as_bytes());
        assert_eq!(far(1012), "example.com");
        assert_eq!(far(1100), "?");
        let apart = |count: usize| read(format!("<a@exam{}ple.com>", " ".repeat(count)).as_bytes());
        assert_eq!(apart(900), "exam example.com ple.com");
        assert_eq!(apart(1100), "exam ?");
        let label = "a".repeat(64);
        assert_eq!(read(format!("<a@{label}.test>").as_bytes()), "?");
    }

    #[test]
    fn so_many_at_signs_are_read_leniently_and_no_more() {
        let many = |count: usize| read("a@\0b,".repeat(count).as_bytes());
        assert_eq!(many(MAX_READ_LENIENTLY), "b");
        assert_eq!(many(MAX_READ_LENIENTLY + 1), "b ?");
        // Those behind which a domain stands plainly are all read.
        assert_eq!(read("a@b, ".repeat(1000).as_bytes()), "b");
    }

    #[test]
    fn malformed_fields_cost_no_square_of_time() {
        for piece in
            ["@", "<", "@\0", "@ ", "@a ", "@a <", "@a>", "\u{ff20}", "\u{e9}@", "@(", "=?x?q?=40", "@b aaaaaaaa"]
        {
            let field = piece.repeat(200_000 / piece.len());
            read(field.as_bytes());
            sole_domain(field.as_bytes());
        }
    }

    #[test]
    fn a_domain_ends_plainly_or_not() {
        for (text, is_plain) in [
            ("example.com", true),
            ("example.com>", true),
            ("example.com>>\r\n", true),
            ("example.com\" <b@example.com>", true),
            ("example.com\"<b@example.com>", true),
            ("example.com<b@example.com>", true),
            ("example.com, Doe", true),
            ("example.com,b@example.com", true),
            ("example.com; b@example.com", true),
            ("example.com b@example.com", true),
            ("example.com> Doe", true),
            ("example.com) b@example.com", true),
            ("example.com'", true),
            ("example.com<b.example>", false),
            ("example.com><b.example>", false),
            ("example.com<>", false),
            ("example.com,b", false),
            ("example.com;b", false),
            ("example.com>b", false),
            ("example.com\".b", false),
            ("example.com Doe <b@example.com>", false),
            ("example.com' Doe <b@example.com>", false),
            ("example.com\" .b", false),
            ("example.com\r\n b", false),
            ("example.com (b)", false),
            ("example.com .b", false),
            ("example.com.", false),
            ("example.com\0", false),
            ("example.com@b", false),
            ("example.com:b", false),
        ] {
            let expected = is_plain.then(|| ("example.com", Domain::parse("example.com").unwrap()));
            assert_eq!(plain_domain(text.as_bytes()), expected, "{text:?}");
        }
    }
}
