//! The lines of a header, put together: a field, or what stands where one should.

use super::LineEndings;

/// A line with those that continue it (RFC 5322 §2.2.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'m> {
    /// Octets from the start of the message.
    pub(super) offset: usize,
    pub(super) raw: &'m [u8],
    /// Where its first continuation of white space alone begins, in octets from the start of the message (RFC 5322 §4.2).
    pub(super) blank_line: Option<usize>,
}

/// The blocks of a header, down to the first empty line or the end.
///
/// Lines end at LF, with or without a CR before it.
#[derive(Clone, Debug)]
pub(super) struct Blocks<'m> {
    raw: &'m [u8],
    at: usize,
    end: Option<usize>,
    line_ends: LineEndings,
}

impl<'m> Blocks<'m> {
    /// Those of `raw` from `start` on.
    pub(super) fn starting_at(raw: &'m [u8], start: usize) -> Self {
        Self { raw, at: start, end: None, line_ends: LineEndings::default() }
    }

    /// Once all blocks are taken: octets up to and without the empty line, or the end of all.
    pub(super) fn end_of_fields(&self) -> usize {
        self.end.unwrap_or(self.at)
    }

    /// Once all blocks are taken: octets up to the body; `None` where no empty line ends the header.
    pub(super) fn start_of_body(&self) -> Option<usize> {
        self.end.map(|_| self.at)
    }

    /// Once all blocks are taken: the LFs, with and without CR. Bare CRs are not counted.
    pub(super) fn line_ends(&self) -> LineEndings {
        self.line_ends
    }

    /// Goes on to the next line, and gives this one.
    fn line(&mut self) -> Option<&'m [u8]> {
        let rest = self.raw.get(self.at..).filter(|rest| !rest.is_empty())?;
        let Some(lf) = memchr::memchr(b'\n', rest) else {
            self.at = self.raw.len();
            return Some(rest);
        };
        let line = rest.get(..=lf)?;
        if line.ends_with(b"\r\n") {
            self.line_ends.crlf += 1;
        } else {
            self.line_ends.bare_lf += 1;
        }
        self.at += line.len();
        Some(line)
    }
}

impl<'m> Iterator for Blocks<'m> {
    type Item = Block<'m>;

    #[inline]
    fn next(&mut self) -> Option<Block<'m>> {
        if self.end.is_some() {
            return None;
        }
        let offset = self.at;
        let line = self.line()?;
        if matches!(line, b"\r\n" | b"\n") {
            self.end = Some(offset);
            return None;
        }
        let mut blank_line = None;
        while let Some(b' ' | b'\t') = self.raw.get(self.at) {
            let start = self.at;
            let line = self.line().unwrap_or_default();
            // Few lines begin with more than one.
            let text = line.iter().position(|octet| !matches!(octet, b' ' | b'\t')).unwrap_or(line.len());
            if matches!(line.get(text..), Some(b"\r\n" | b"\n" | b"")) && blank_line.is_none() {
                blank_line = Some(start);
            }
        }
        Some(Block { offset, raw: self.raw.get(offset..self.at).unwrap_or_default(), blank_line })
    }
}

/// Octets of the separator line that an mbox file has before a message; 0 where there is none. `From : …` is a field
/// (RFC 5322 §4.5), and no separator.
pub(super) fn mbox_separator(raw: &[u8]) -> usize {
    if !raw.starts_with(b"From ") {
        return 0;
    }
    let len = memchr::memchr(b'\n', raw).map_or(raw.len(), |lf| lf + 1);
    if raw.get(..len).and_then(super::HeaderField::parse).is_some() { 0 } else { len }
}
