//! The words of a master file: tokens, quotes, escapes, parentheses, comments (RFC 1035 §5.1).

use super::zone_error::{Fault, fault};
use std::fmt;

/// A word or a quoted string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    /// Counted from 1.
    pub(super) line: usize,
    /// Whether it stands in the first column of an entry: an owner name does.
    pub(super) starts_line: bool,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
    /// The octets as they stand in the file, without the quotes, escapes not yet resolved.
    pub(super) raw: &'t [u8],
}

impl Token<'_> {
    /// Whether it is this keyword, in whatever case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.raw.eq_ignore_ascii_case(keyword.as_bytes())
    }

    pub(super) fn instead_of(&self, expected: &'static str) -> Fault {
        fault(self.line, expected, self)
    }

    /// The octets, with `\X` and `\DDD` resolved; `escaped` has a say about each octet that was escaped.
    pub(super) fn octets(&self, escaped: impl Fn(u8) -> Result<u8, &'static str>) -> Result<Vec<u8>, Fault> {
        let mut octets = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(backslash) = memchr::memchr(b'\\', rest) {
            let (plain, escape) = rest.split_at(backslash);
            octets.extend_from_slice(plain);
            let (octet, after) = match escape {
                [_, a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', after @ ..] => {
                    let number = [a, b, c].iter().fold(0_u16, |number, digit| number * 10 + u16::from(**digit - b'0'));
                    (u8::try_from(number).ok(), after)
                }
                [_, b'0'..=b'9', ..] => (None, escape),
                [_, octet, after @ ..] => (Some(*octet), after),
                [..] => (None, escape),
            };
            let octet = octet.ok_or_else(|| self.instead_of("\\ and three digits up to 255, or another character"))?;
            octets.push(escaped(octet).map_err(|expected| self.instead_of(expected))?);
            rest = after;
        }
        octets.extend_from_slice(rest);
        Ok(octets)
    }
}

/// In quotes, shortened, in printable ASCII.
impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        let shown = self.raw.get(..SHOWN).unwrap_or(self.raw);
        // Backslashes stay as they stand in the file.
        f.write_str("\"")?;
        for octet in shown {
            match octet {
                b' '..=b'~' => write!(f, "{}", char::from(*octet))?,
                _ => write!(f, "{}", octet.escape_ascii())?,
            }
        }
        f.write_str(if shown.len() < self.raw.len() { "…\"" } else { "\"" })
    }
}

/// The tokens of a file, entry by entry.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    rest: &'t [u8],
    line: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The line of the last octet that was read (of the line end, where that was one).
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Puts the tokens of the next entry, which are none on an empty line, in place of those in `entry`; false at the end.
    ///
    /// An entry ends with its line, unless parentheses carry it on.
    pub(super) fn next_entry(&mut self, entry: &mut Vec<Token<'t>>) -> Result<bool, Fault> {
        entry.clear();
        if self.rest.is_empty() {
            return Ok(false);
        }
        // The line end of the entry before counts from here on only, so that `line` still names it at the end of that entry.
        if let Some(rest) = self.rest.strip_prefix(b"\n") {
            self.rest = rest;
            self.line += 1;
        }
        // The lines of parentheses that are still open.
        let mut open = Vec::new();
        let mut starts_line = true;
        while let Some((&octet, rest)) = self.rest.split_first() {
            match octet {
                b'\n' if open.is_empty() => break,
                b'\n' => {
                    self.line += 1;
                    self.rest = rest;
                }
                b' ' | b'\t' | b'\r' => self.rest = rest,
                b';' => self.rest = memchr::memchr(b'\n', rest).and_then(|end| rest.get(end..)).unwrap_or_default(),
                b'(' => {
                    open.push(self.line);
                    self.rest = rest;
                }
                b')' => {
                    open.pop().ok_or_else(|| fault(self.line, "a \"(\" before this", "\")\""))?;
                    self.rest = rest;
                }
                b'"' => {
                    let raw = self.quoted(rest)?;
                    entry.push(Token { line: self.line, starts_line, quoted: true, raw });
                }
                _ => {
                    let raw = self.word();
                    entry.push(Token { line: self.line, starts_line, quoted: false, raw });
                }
            }
            starts_line = false;
        }
        match open.first() {
            Some(line) => Err(fault(*line, "a \")\" for the \"(\" of this line", "the end of the file")),
            None => Ok(true),
        }
    }

    /// From behind the opening quote to behind the closing one, which has to stand on the same line.
    fn quoted(&mut self, text: &'t [u8]) -> Result<&'t [u8], Fault> {
        let mut len = 0;
        loop {
            match text.get(len) {
                Some(b'"') => break,
                None | Some(b'\n') => return Err(fault(self.line, "a closing quote", "the end of the line")),
                Some(b'\\') if text.get(len + 1).is_some_and(|octet| *octet != b'\n') => len += 2,
                Some(_) => len += 1,
            }
        }
        self.rest = text.get(len + 1..).unwrap_or_default();
        Ok(text.get(..len).unwrap_or_default())
    }

    fn word(&mut self) -> &'t [u8] {
        let text = self.rest;
        let mut len = 0;
        loop {
            match text.get(len) {
                None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"') => break,
                Some(b'\\') if text.get(len + 1).is_some_and(|octet| !matches!(octet, b'\r' | b'\n')) => len += 2,
                Some(_) => len += 1,
            }
        }
        let (word, rest) = text.split_at_checked(len).unwrap_or((text, &[]));
        self.rest = rest;
        word
    }
}
