//! A message as it was read: its octets, and what was mended.

use mailverdict::{
    finding::{Finding, Rule},
    message::{LineEndings, Message, MessageError, to_crlf},
};
use std::{borrow::Cow, fmt};

/// Octets of the largest message that is read; far above what any mail service takes (RFC 1870 knows none that large).
pub(crate) const MAX_MESSAGE_LEN: u64 = 256 * 1024 * 1024;

/// The line ends of a message that had CRLF as well as bare LF, which no file saved on Unix has: it is not sure that it arrived so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MixedLineEnds(LineEndings);

impl MixedLineEnds {
    /// Those of a message that has bare LFs.
    fn of(octets: &[u8]) -> Option<Self> {
        // Files saved on Unix are found out at once, and they are most.
        memchr::memmem::find(octets, b"\r\n").map(|_| Self(LineEndings::of(octets)))
    }
}

impl MixedLineEnds {
    /// That they were mended.
    pub(crate) fn finding(self) -> Finding {
        Finding::new(Rule::BodyBareLineEnd, &self)
    }
}

impl fmt::Display for MixedLineEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LineEndings { crlf, bare_lf, .. } = self.0;
        write!(
            f,
            "{bare_lf} bare LF beside {crlf} CRLF were taken for CRLF; as it stands, the message may have another verdict"
        )
    }
}

/// A message as it was read, and what was mended on the way.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) octets: Vec<u8>,
    pub(crate) mixed_line_ends: Option<MixedLineEnds>,
    pub(crate) byte_order_mark: Option<ByteOrderMark>,
}

impl Input {
    /// Unless `raw`, a message whose lines end in bare LF is taken for a file saved on Unix and brought to CRLF, and a byte order mark
    /// before the header is passed over.
    pub(crate) fn new(mut octets: Vec<u8>, raw: bool) -> Self {
        if raw {
            return Self { octets, mixed_line_ends: None, byte_order_mark: None };
        }
        let has_mark = octets.starts_with(&ByteOrderMark::OCTETS);
        if has_mark {
            octets.drain(..ByteOrderMark::OCTETS.len());
        }
        let mixed_line_ends = bring_to_crlf(&mut octets);
        Self { octets, mixed_line_ends, byte_order_mark: has_mark.then_some(ByteOrderMark) }
    }

    /// What was mended.
    pub(crate) fn findings(&self) -> impl Iterator<Item = Finding> {
        let mark = self.byte_order_mark.map(|mark| Finding::new(Rule::Header8bit, &mark));
        mark.into_iter().chain(self.mixed_line_ends.map(MixedLineEnds::finding))
    }
}

/// U+FEFF in UTF-8 before the header, as some editors put it: it was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteOrderMark;

impl ByteOrderMark {
    pub(crate) const OCTETS: [u8; 3] = *b"\xef\xbb\xbf";
}

impl fmt::Display for ByteOrderMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a byte order mark before the header was passed over, as an editor may have put it there; as it stands (--raw), the \
             message may have another verdict",
        )
    }
}

/// Brings the line ends of a message to CRLF, and tells of those that it had where that is doubtful.
pub(crate) fn bring_to_crlf(octets: &mut Vec<u8>) -> Option<MixedLineEnds> {
    let Cow::Owned(converted) = to_crlf(octets) else { return None };
    let mixed = MixedLineEnds::of(octets);
    *octets = converted;
    mixed
}

/// Takes a message apart. What has no header field is none: a mail server may be handed such a thing, and who names a file has named the wrong one.
pub(crate) fn parse(octets: &[u8]) -> Result<Message<'_>, MessageError> {
    let message = Message::parse(octets)?;
    if message.header().fields().is_empty() { Err(MessageError::NoHeader) } else { Ok(message) }
}
