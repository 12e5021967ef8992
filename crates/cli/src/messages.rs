//! The messages of a file, or of standard input: one, or each of an mbox file; unpacked where gzip packed them.

use crate::{
    failure::{Failure, FirstLine},
    file_kind::FileKind,
    gzip::{Reader, unpacked},
    input::{Input, MAX_MESSAGE_LEN},
    mbox::{Entry, Mbox, Opened, unquoted},
    standard,
};
use mailverdict::message::MessageError;
use std::{
    fs::File,
    io::{self, BufReader, Read as _},
    mem,
    path::{Path, PathBuf},
};

/// Octets that are asked for at once.
const BUFFER: usize = 64 * 1024;

/// The messages of a file, one after the other; only one of them is in memory.
pub(crate) struct Messages {
    path: PathBuf,
    raw: bool,
    rest: Rest,
}

/// What is still to be read.
enum Rest {
    All(Reader),
    /// More messages, behind so many.
    Mbox(Mbox<Reader>, u64),
    Nothing,
}

/// A message of a file.
#[derive(Debug)]
pub(crate) struct Numbered {
    path: PathBuf,
    /// Counted from 1, where the file has several.
    number: Option<u64>,
    pub(crate) input: Input,
}

impl Numbered {
    /// `FILE!n`, where the file has several.
    pub(crate) fn name(&self) -> String {
        name(&self.path, self.number)
    }

    /// The same, as people are told of it.
    pub(crate) fn title(&self) -> String {
        shown(&self.path, self.number).to_string_lossy().into_owned()
    }

    /// Whether it is one of several.
    pub(crate) fn is_of_several(&self) -> bool {
        self.number.is_some()
    }

    /// The failure of what could be read and is none.
    pub(crate) fn no_message(&self, error: MessageError) -> Failure {
        let line = FirstLine::of(&self.input.octets);
        Failure::NoMessage { path: shown(&self.path, self.number), error, line }
    }
}

impl Messages {
    /// `-` is standard input. Unless `raw`, what saving put into a message is mended.
    pub(crate) fn open(path: &Path, raw: bool) -> Result<Self, Failure> {
        let file: io::Result<Reader> = if is_standard_input(path) {
            standard::input().map(|input| Box::new(BufReader::with_capacity(BUFFER, input)) as Reader)
        } else {
            open(path).map(|file| Box::new(BufReader::with_capacity(BUFFER, file)) as Reader)
        };
        let rest = Rest::All(file.map_err(|error| unreadable(path, error))?);
        Ok(Self { path: path.to_path_buf(), raw, rest })
    }

    /// A file of one message is that message, whatever stands before it; of several, each stands by itself.
    fn first(&mut self, file: Reader) -> Result<Numbered, Failure> {
        let failed = |error| unreadable(&self.path, error);
        let file = unpacked(file, MAX_MESSAGE_LEN).map_err(failed)?;
        let octets = match Mbox::open(file).map_err(failed)? {
            Opened::Other { mut beginning, rest } => {
                let left = (MAX_MESSAGE_LEN + 1).saturating_sub(len(&beginning));
                rest.take(left).read_to_end(&mut beginning).map_err(failed)?;
                Some(beginning)
            }
            Opened::Mbox { mut separator, mut mbox } => {
                let entry = mbox.entry(most()).map_err(failed)?;
                if !mbox.is_at_end() {
                    return self.numbered(entry, mbox, 1);
                }
                entry.octets.map(|mut octets| {
                    separator.append(&mut octets);
                    separator
                })
            }
        };
        let octets = octets.filter(|octets| len(octets) <= MAX_MESSAGE_LEN).ok_or_else(|| self.too_large(None))?;
        match FileKind::of(&octets) {
            Some(kind) => Err(Failure::OtherFile { path: shown(&self.path, None), kind }),
            None => Ok(Numbered { path: self.path.clone(), number: None, input: Input::new(octets, self.raw) }),
        }
    }

    fn next_of(&mut self, mut mbox: Mbox<Reader>, number: u64) -> Result<Numbered, Failure> {
        let entry = mbox.entry(most()).map_err(|error| unreadable(&self.path, error))?;
        self.numbered(entry, mbox, number)
    }

    fn numbered(&mut self, entry: Entry, mbox: Mbox<Reader>, number: u64) -> Result<Numbered, Failure> {
        if !mbox.is_at_end() {
            self.rest = Rest::Mbox(mbox, number);
        }
        let octets = entry.into_message().ok_or_else(|| self.too_large(Some(number)))?;
        let octets = if self.raw { octets } else { unquoted(octets) };
        Ok(Numbered { path: self.path.clone(), number: Some(number), input: Input::new(octets, self.raw) })
    }

    fn too_large(&self, number: Option<u64>) -> Failure {
        Failure::TooLarge { path: shown(&self.path, number), limit: MAX_MESSAGE_LEN }
    }
}

impl Iterator for Messages {
    type Item = Result<Numbered, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        match mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::All(file) => Some(self.first(file)),
            Rest::Mbox(mbox, number) => Some(self.next_of(mbox, number.saturating_add(1))),
            Rest::Nothing => None,
        }
    }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a directory; name the files in it, as in `mailverdict check FOLDER/*`",
        ));
    }
    Ok(file)
}

fn name(path: &Path, number: Option<u64>) -> String {
    match number {
        None => path.to_string_lossy().into_owned(),
        Some(number) => format!("{}!{number}", path.to_string_lossy()),
    }
}

/// The name as errors have it.
fn shown(path: &Path, number: Option<u64>) -> PathBuf {
    let path = if is_standard_input(path) { Path::new("standard input") } else { path };
    name(path, number).into()
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    let what = if is_standard_input(path) { "the message from" } else { "the message" };
    Failure::Unreadable { what, path: shown(path, None), error }
}

fn len(octets: &[u8]) -> u64 {
    u64::try_from(octets.len()).unwrap_or(u64::MAX)
}

/// [`MAX_MESSAGE_LEN`] as a length.
fn most() -> usize {
    usize::try_from(MAX_MESSAGE_LEN).unwrap_or(usize::MAX)
}
