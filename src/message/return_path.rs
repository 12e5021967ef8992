//! The Return-Path field, RFC 5322 §3.6.7.

use super::Header;
use std::borrow::Cow;

/// The reverse-path in the topmost Return-Path field, without angle brackets; empty for the null path. `None` where there is no
/// such field, or nothing that can be read in it.
pub(crate) fn return_path<'h>(header: &'h Header<'_>) -> Option<Cow<'h, str>> {
    let value = header.named("Return-Path").next()?.value();
    path(std::str::from_utf8(value).ok()?)
}

/// `path = angle-addr / ([CFWS] "<" [CFWS] ">" [CFWS])` (RFC 5322 §3.6.7), and an address without brackets, as some write it.
fn path(value: &str) -> Option<Cow<'_, str>> {
    let plain = value.trim();
    let inner = plain.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(plain);
    let special = |c: char| c.is_ascii_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '"' | '\\' | '\0');
    if !inner.contains(special) {
        return (inner.len() < plain.len() || !inner.is_empty()).then_some(Cow::Borrowed(inner));
    }
    let mut scan = Scan::default();
    for c in value.chars() {
        scan.step(c);
    }
    scan.finish().map(Cow::Owned)
}

/// Reads a path with comments, quoted strings and folds, a character at a time.
#[derive(Debug, Default)]
struct Scan {
    /// What counts so far: within the brackets, once one was seen.
    kept: String,
    /// Depth of nested comments; a counter, so that no depth is too deep.
    comments: usize,
    in_quotes: bool,
    escaped: bool,
    brackets: Brackets,
    malformed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Brackets {
    #[default]
    None,
    Open,
    Closed,
}

impl Scan {
    fn step(&mut self, c: char) {
        if self.comments > 0 {
            match c {
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                '(' => self.comments += 1,
                ')' => self.comments -= 1,
                _ => {}
            }
        } else if self.in_quotes {
            match c {
                '\r' | '\n' => return,
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                '"' => self.in_quotes = false,
                _ => {}
            }
            self.kept.push(c);
        } else {
            match c {
                ' ' | '\t' | '\r' | '\n' => {}
                '(' => self.comments = 1,
                _ if self.brackets == Brackets::Closed => self.malformed = true,
                '<' if self.brackets == Brackets::None && self.kept.is_empty() => self.brackets = Brackets::Open,
                '>' if self.brackets == Brackets::Open => self.brackets = Brackets::Closed,
                '<' | '>' | ')' | '\\' | '\0' => self.malformed = true,
                '"' => {
                    self.in_quotes = true;
                    self.kept.push(c);
                }
                _ => self.kept.push(c),
            }
        }
    }

    fn finish(self) -> Option<String> {
        let whole = self.comments == 0 && !self.in_quotes && !self.malformed;
        let bracketed = match self.brackets {
            Brackets::Closed => true,
            Brackets::Open => false,
            Brackets::None => !self.kept.is_empty(),
        };
        (whole && bracketed).then_some(self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_path_is_read_with_all_that_rfc_5322_allows_around_it() {
        for (value, expected) in [
            (" <a@example.com>\r\n", Some("a@example.com")),
            (" a@example.com\r\n", Some("a@example.com")),
            (" <>\r\n", Some("")),
            (" < >\r\n", Some("")),
            (" <(nobody)> (null)\r\n", Some("")),
            (" (x (y\\)) <z>) <a@example.com> (w)\r\n", Some("a@example.com")),
            ("\r\n\t<a@\r\n example.com>\r\n", Some("a@example.com")),
            (" <\"a b>\\\"\"@example.com>\r\n", Some("\"a b>\\\"\"@example.com")),
            (" <@b.example:a@example.com>\r\n", Some("@b.example:a@example.com")),
            (" \r\n", None),
            (" (only a comment)\r\n", None),
            (" <a@example.com\r\n", None),
            (" <a@example.com> b@example.net\r\n", None),
            (" a <b@example.com>\r\n", None),
            (" <\"a@example.com>\r\n", None),
        ] {
            assert_eq!(path(value).as_deref(), expected, "{value:?}");
        }
    }
}
