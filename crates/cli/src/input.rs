//! Messages from files and from standard input.

use crate::{failure::Failure, file_kind::FileKind, standard};
use mailverdict::{
    finding::{Finding, Rule},
    message::{LineEndings, Message, MessageError, to_crlf},
};
use std::{
    borrow::Cow,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

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
    const OCTETS: [u8; 3] = *b"\xef\xbb\xbf";
}

impl fmt::Display for ByteOrderMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a byte order mark before the header was passed over, as an editor may have put it there; as it stands (--raw), the \
             message may have another verdict",
        )
    }
}

/// Reads a message; `-` is standard input.
///
/// Unless `raw`, a message whose lines end in bare LF is taken for a file saved on Unix and brought to CRLF, and a byte order mark before
/// the header is passed over.
pub(crate) fn read_message(path: &Path, raw: bool) -> Result<Input, Failure> {
    let standard_input = path == Path::new("-");
    let read = if standard_input {
        standard::input().and_then(bounded)
    } else {
        File::open(path).and_then(|file| if file.metadata()?.is_dir() { Err(directory()) } else { bounded(file) })
    };
    let name = || if standard_input { PathBuf::from("standard input") } else { path.to_path_buf() };
    let what = if standard_input { "the message from" } else { "the message" };
    let octets = read.map_err(|error| Failure::Unreadable { what, path: name(), error })?;
    match octets {
        None => Err(Failure::TooLarge { path: name(), limit: MAX_MESSAGE_LEN }),
        Some(mut octets) => {
            if let Some(kind) = FileKind::of(&octets) {
                return Err(Failure::OtherFile { path: name(), kind });
            }
            if raw {
                return Ok(Input { octets, mixed_line_ends: None, byte_order_mark: None });
            }
            let has_mark = octets.starts_with(&ByteOrderMark::OCTETS);
            if has_mark {
                octets.drain(..ByteOrderMark::OCTETS.len());
            }
            let mixed_line_ends = bring_to_crlf(&mut octets);
            Ok(Input { octets, mixed_line_ends, byte_order_mark: has_mark.then_some(ByteOrderMark) })
        }
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

/// The failure of a message that could be read and is none; `path` as the command line has it.
pub(crate) fn no_message(path: &Path, error: MessageError) -> Failure {
    let path = if path == Path::new("-") { PathBuf::from("standard input") } else { path.to_path_buf() };
    Failure::NoMessage { path, error }
}

fn directory() -> io::Error {
    io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")
}

/// All of `reader`, or nothing where that is more than [`MAX_MESSAGE_LEN`].
fn bounded(reader: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut octets = Vec::new();
    reader.take(MAX_MESSAGE_LEN + 1).read_to_end(&mut octets)?;
    let len = u64::try_from(octets.len()).unwrap_or(u64::MAX);
    Ok((len <= MAX_MESSAGE_LEN).then_some(octets))
}
