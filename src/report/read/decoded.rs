//! The text of a report, whatever encoding it has and whatever it says of that.

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::{
    io::{self, ErrorKind, Read},
    str,
};

/// Octets that are read at once.
const PIECE: usize = 32 * 1024;
/// Octets in which the XML declaration stands.
const DECLARATION: usize = 256;

/// How the text departs from what it says of its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miscoded {
    /// Octets that are no UTF-8, where that was promised.
    NotUtf8,
    /// UTF-8, where another encoding was promised.
    Utf8,
    /// Another than the declaration names.
    Declared,
    /// The declaration names none that is known.
    Unknown,
}

impl Miscoded {
    /// What people are told.
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::NotUtf8 => "the text is not UTF-8 throughout; the rest is taken for windows-1252",
            Self::Utf8 => "the text is UTF-8, and declares another encoding",
            Self::Declared => "the text is not in the encoding that it declares",
            Self::Unknown => "the text declares an encoding that is not known",
        }
    }
}

/// Decodes piece by piece.
///
/// What is UTF-8 is taken for that, whatever the declaration says, because no text of another encoding looks like it by chance; other
/// octets are those of the encoding declared, or else of windows-1252.
pub(super) struct Decoded<R> {
    source: R,
    coding: Coding,
    /// Octets that are not decoded yet.
    octets: Vec<u8>,
    is_at_end: bool,
    line: u64,
    miscoded: Vec<(Miscoded, u64)>,
}

enum Coding {
    /// The beginning was not looked at yet.
    Unknown,
    /// ASCII, UTF-8, and octets of the encoding declared where they are neither; of windows-1252 where UTF-8 was promised.
    Octets(Option<&'static Encoding>),
    /// Another, in which ASCII may be something else.
    Other(Decoder),
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(source: R) -> Self {
        let octets = Vec::with_capacity(PIECE + DECLARATION);
        Self { source, coding: Coding::Unknown, octets, is_at_end: false, line: 1, miscoded: Vec::new() }
    }

    /// What was odd, each kind once, with its line.
    pub(super) fn miscoded(&mut self) -> Vec<(Miscoded, u64)> {
        std::mem::take(&mut self.miscoded)
    }

    /// Adds the next piece; `false` at the end.
    pub(super) fn read(&mut self, out: &mut String) -> io::Result<bool> {
        self.fill(PIECE)?;
        if matches!(self.coding, Coding::Unknown) {
            self.fill(DECLARATION)?;
            self.look();
        }
        if self.octets.is_empty() && self.is_at_end {
            return Ok(false);
        }
        let start = out.len();
        match &mut self.coding {
            Coding::Unknown => {}
            Coding::Octets(declared) => {
                let declared = *declared;
                self.mixed(declared, out);
            }
            Coding::Other(decoder) => {
                let mut read = 0;
                loop {
                    out.reserve(4 * PIECE);
                    let rest = self.octets.get(read..).unwrap_or_default();
                    let (result, taken, _) = decoder.decode_to_string(rest, out, self.is_at_end);
                    read += taken;
                    if result == CoderResult::InputEmpty {
                        break;
                    }
                }
                self.octets.clear();
            }
        }
        let decoded = out.as_bytes().get(start..).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', decoded).count();
        self.line = self.line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        Ok(true)
    }

    /// Reads on until there are so many octets, or the end.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while !self.is_at_end && self.octets.len() < wanted {
            let len = self.octets.len();
            self.octets.resize(len + PIECE, 0);
            let read = self.source.read(self.octets.get_mut(len..).unwrap_or_default());
            self.octets.truncate(len + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) => self.is_at_end = true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Finds the encoding: by the byte order mark, by the zeros of UTF-16, by the declaration.
    fn look(&mut self) {
        if let Some((encoding, mark)) = Encoding::for_bom(&self.octets) {
            self.octets.drain(..mark);
            self.coding = if encoding == UTF_8 { Coding::Octets(None) } else { other(encoding) };
            return;
        }
        let zeros = match self.octets.as_slice() {
            [b'<', 0, ..] => Some(UTF_16LE),
            [0, b'<', ..] => Some(UTF_16BE),
            _ => None,
        };
        if let Some(encoding) = zeros {
            self.coding = other(encoding);
            return;
        }
        let declared = declared(self.octets.get(..DECLARATION).unwrap_or(&self.octets));
        self.coding = match declared.map(Encoding::for_label) {
            None => Coding::Octets(None),
            Some(None) => {
                self.note(Miscoded::Unknown, None);
                Coding::Octets(None)
            }
            Some(Some(encoding)) if encoding == UTF_8 => Coding::Octets(None),
            Some(Some(encoding)) if encoding == UTF_16LE || encoding == UTF_16BE => {
                self.note(Miscoded::Declared, None);
                Coding::Octets(None)
            }
            Some(Some(encoding)) if encoding.is_single_byte() => Coding::Octets(Some(encoding)),
            Some(Some(encoding)) => other(encoding),
        };
    }

    /// UTF-8, with octets of another encoding in between.
    fn mixed(&mut self, declared: Option<&'static Encoding>, out: &mut String) {
        let start = out.len();
        let octets = std::mem::take(&mut self.octets);
        let mut rest = octets.as_slice();
        loop {
            let (valid, after) = match str::from_utf8(rest) {
                Ok(text) => (text, None),
                Err(error) => {
                    let (valid, after) = rest.split_at_checked(error.valid_up_to()).unwrap_or_default();
                    (str::from_utf8(valid).unwrap_or_default(), Some((after, error.error_len())))
                }
            };
            let (plain, other) = valid.split_at(valid.bytes().take_while(u8::is_ascii).count());
            out.push_str(plain);
            if declared.is_some() && !other.is_empty() {
                self.note(Miscoded::Utf8, out.get(start..));
            }
            out.push_str(other);
            let Some((after, len)) = after else {
                rest = &[];
                break;
            };
            rest = after;
            // A sequence that may go on in the next piece.
            if len.is_none() && !self.is_at_end {
                break;
            }
            let (wrong, after) = rest.split_at_checked(len.unwrap_or(rest.len())).unwrap_or((rest, &[]));
            if declared.is_none() {
                self.note(Miscoded::NotUtf8, out.get(start..));
            }
            out.push_str(&declared.unwrap_or(WINDOWS_1252).decode_without_bom_handling(wrong).0);
            rest = after;
        }
        let kept = rest.len();
        self.octets = octets;
        let done = self.octets.len() - kept;
        self.octets.drain(..done);
    }

    /// Behind this text of the piece.
    fn note(&mut self, miscoded: Miscoded, before: Option<&str>) {
        if !self.miscoded.iter().any(|(seen, _)| *seen == miscoded) {
            let lines = memchr::memchr_iter(b'\n', before.unwrap_or_default().as_bytes()).count();
            self.miscoded.push((miscoded, self.line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX))));
        }
    }
}

fn other(encoding: &'static Encoding) -> Coding {
    Coding::Other(encoding.new_decoder_without_bom_handling())
}

/// The encoding that the XML declaration names.
fn declared(beginning: &[u8]) -> Option<&[u8]> {
    let declaration = beginning.trim_ascii_start().strip_prefix(b"<?xml")?;
    let declaration = declaration.get(..memchr::memmem::find(declaration, b"?>")?)?;
    let at = memchr::memmem::find(declaration, b"encoding")?;
    let value = declaration.get(at + b"encoding".len()..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    value.get(..memchr::memchr(*quote, value)?)
}
