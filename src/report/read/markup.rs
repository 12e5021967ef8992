//! XML whose stray signs are escaped, so that a parser gets along with it: `<` in a text, as in `<email><a@b.example></email>`.
//!
//! What is a tag is left as it is, octet for octet; no sign is taken away and no line moved. Document type declarations are refused,
//! and with them all entities of strangers. What stands between two tags is bounded, so that a parser need not keep much.

use super::{
    decoded::{Decoded, Miscoded},
    error::ReadError,
};
use memchr::{memchr, memchr_iter, memmem};
use std::io::{self, BufRead, Read};

/// Octets of a tag with its attributes.
const MAX_TAG: usize = 16 * 1024;
/// Octets of a text, a comment, or whatever else stands between two tags.
const MAX_STRETCH: usize = 1024 * 1024;
/// Octets of text that are at hand, where there are so many.
const WINDOW: usize = 2 * MAX_TAG;

/// Reads a text, and gives it out mended.
pub(super) struct Markup<R> {
    source: Decoded<R>,
    text: String,
    /// Octets of `text` that were looked at.
    at: usize,
    is_at_end: bool,
    mended: Vec<u8>,
    /// Octets of `mended` that were taken.
    taken: usize,
    state: State,
    /// Octets since the last tag.
    stretch: usize,
    /// The line of the first octet of `text`.
    line: u64,
    /// The lines of signs that were escaped: the first one, and how many there are.
    stray: Option<(u64, u64)>,
}

#[derive(Clone, Copy)]
enum State {
    Text,
    /// Passed on up to this end.
    Until(&'static [u8]),
}

/// What a `<` begins.
enum Opening {
    /// A tag of so many octets.
    Tag(usize),
    /// Something of so many octets that lasts up to this end.
    Until(usize, &'static [u8]),
    /// Nothing: it belongs to the text.
    Stray,
    DocumentType,
    /// What follows has to tell.
    Open,
}

impl<R: Read> Markup<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source: Decoded::new(source),
            text: String::new(),
            at: 0,
            is_at_end: false,
            mended: Vec::new(),
            taken: 0,
            state: State::Text,
            stretch: 0,
            line: 1,
            stray: None,
        }
    }

    pub(super) fn miscoded(&mut self) -> Vec<(Miscoded, u64)> {
        self.source.miscoded()
    }

    /// The line of the first sign that was escaped, and how many there are.
    pub(super) fn stray(&self) -> Option<(u64, u64)> {
        self.stray
    }

    fn more(&mut self) -> io::Result<()> {
        let done = self.text.as_bytes().get(..self.at).unwrap_or_default();
        self.line += lines(done);
        self.text.drain(..self.at);
        self.at = 0;
        while !self.is_at_end && self.text.len() < WINDOW {
            self.is_at_end = !self.source.read(&mut self.text)?;
        }
        Ok(())
    }

    /// Mends what is at hand, as far as it can be told.
    fn mend(&mut self) -> Result<(), ReadError> {
        let text = self.text.as_bytes();
        loop {
            let rest = text.get(self.at..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            match self.state {
                State::Text => {
                    let plain = memchr(b'<', rest).unwrap_or(rest.len());
                    let (before, rest) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
                    self.mended.extend_from_slice(before);
                    self.at += before.len();
                    self.stretch += before.len();
                    match opening(rest, self.is_at_end) {
                        None | Some(Opening::Open) => {}
                        Some(Opening::Tag(len)) => {
                            self.mended.extend_from_slice(rest.get(..len).unwrap_or_default());
                            self.at += len;
                            self.stretch = 0;
                            continue;
                        }
                        Some(Opening::Until(len, end)) => {
                            self.mended.extend_from_slice(rest.get(..len).unwrap_or_default());
                            self.at += len;
                            self.state = State::Until(end);
                            continue;
                        }
                        Some(Opening::Stray) => {
                            self.stray = Some(match self.stray {
                                Some((first, count)) => (first, count + 1),
                                None => (self.line + lines(text.get(..self.at).unwrap_or_default()), 1),
                            });
                            self.mended.extend_from_slice(b"&lt;");
                            self.at += 1;
                            self.stretch += 1;
                            if self.stretch <= MAX_STRETCH {
                                continue;
                            }
                        }
                        Some(Opening::DocumentType) => {
                            let line = self.line + lines(text.get(..self.at).unwrap_or_default());
                            return Err(ReadError::DocumentType { line });
                        }
                    }
                }
                State::Until(end) => {
                    let found = memmem::find(rest, end).map(|at| at + end.len());
                    // The end may be cut in two by the end of what is at hand.
                    let kept = if self.is_at_end { 0 } else { end.len() - 1 };
                    let passed = found.unwrap_or(rest.len().saturating_sub(kept));
                    self.mended.extend_from_slice(rest.get(..passed).unwrap_or_default());
                    self.at += passed;
                    self.stretch += passed;
                    if found.is_some() {
                        self.state = State::Text;
                        if self.stretch <= MAX_STRETCH {
                            continue;
                        }
                    }
                }
            }
            if self.stretch > MAX_STRETCH {
                let line = self.line + lines(text.get(..self.at).unwrap_or_default());
                return Err(ReadError::LongText { line, limit: MAX_STRETCH });
            }
            return Ok(());
        }
    }
}

impl<R: Read> BufRead for Markup<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken >= self.mended.len() {
            self.mended.clear();
            self.taken = 0;
            while self.mended.is_empty() && !(self.is_at_end && self.at >= self.text.len()) {
                self.more()?;
                self.mend().map_err(io::Error::other)?;
            }
        }
        Ok(self.mended.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken = self.taken.saturating_add(amount).min(self.mended.len());
    }
}

impl<R: Read> Read for Markup<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(to)?;
        self.consume(read);
        Ok(read)
    }
}

fn lines(text: &[u8]) -> u64 {
    u64::try_from(memchr_iter(b'\n', text).count()).unwrap_or(u64::MAX)
}

/// What a text begins that begins with `<`; nothing for the empty text.
fn opening(text: &[u8], is_at_end: bool) -> Option<Opening> {
    const COMMENT: &[u8] = b"<!--";
    const CHARACTER_DATA: &[u8] = b"<![CDATA[";
    const LONGEST: usize = 9;
    let rest = text.strip_prefix(b"<")?;
    Some(match rest.first() {
        _ if text.len() < LONGEST && !is_at_end => Opening::Open,
        Some(b'!') if text.starts_with(COMMENT) => Opening::Until(COMMENT.len(), b"-->"),
        Some(b'!') if text.starts_with(CHARACTER_DATA) => Opening::Until(CHARACTER_DATA.len(), b"]]>"),
        // DOCTYPE, ENTITY and the like.
        Some(b'!') if rest.get(1).is_some_and(u8::is_ascii_alphabetic) => Opening::DocumentType,
        Some(b'?') => Opening::Until(2, b"?>"),
        Some(b'/') => tag(text, 2, is_at_end),
        _ => tag(text, 1, is_at_end),
    })
}

/// A tag whose name begins there.
fn tag(text: &[u8], name: usize, is_at_end: bool) -> Opening {
    let octets = text.iter().enumerate().take(MAX_TAG);
    let mut names = octets.skip(name);
    let mut attributes = None;
    for (at, octet) in names.by_ref() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => {}
            b'0'..=b'9' | b'-' | b'.' | b':' if at > name => {}
            b'>' if at > name => return Opening::Tag(at + 1),
            b' ' | b'\t' | b'\r' | b'\n' | b'/' if at > name => {
                attributes = Some(());
                break;
            }
            _ => return Opening::Stray,
        }
    }
    if attributes.is_some() {
        let mut quote = None;
        for (at, octet) in names {
            match (octet, quote) {
                // Not even within an attribute.
                (b'<', _) => return Opening::Stray,
                (b'>', None) => return Opening::Tag(at + 1),
                (b'"' | b'\'', None) => quote = Some(*octet),
                (octet, Some(open)) if *octet == open => quote = None,
                _ => {}
            }
        }
    }
    if text.len() >= MAX_TAG || is_at_end { Opening::Stray } else { Opening::Open }
}
