//! A message that is given new fields.

use crate::{
    failure::{Failure, FirstLine},
    messages::Messages,
    standard,
};
use mailverdict::{
    Message,
    message::{LineEndings, MessageError, to_crlf},
};
use std::{
    borrow::Cow,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The one message of a file, octet for octet.
pub(super) struct Outgoing {
    path: PathBuf,
    octets: Vec<u8>,
    /// Whether each line ends in LF, as in a file saved on Unix; what mixes them is left as it is.
    is_of_unix: bool,
}

impl Outgoing {
    /// The message of this file, or of standard input.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let mut messages = Messages::open(path, true)?;
        let message = messages.next().transpose()?;
        if messages.next().is_some() {
            let usage = format!("{}: expected one message, and there are several", path.display());
            return Err(Failure::Usage(usage));
        }
        let octets = message.map(|message| message.input.octets).unwrap_or_default();
        let ends = LineEndings::of(&octets);
        Ok(Self { path: path.to_owned(), is_of_unix: ends.crlf == 0 && ends.bare_lf > 0, octets })
    }

    /// As it is handed over: what is hashed.
    pub(super) fn crlf(&self) -> Cow<'_, [u8]> {
        if self.is_of_unix { to_crlf(&self.octets) } else { Cow::Borrowed(&self.octets) }
    }

    /// Reads what is handed over.
    pub(super) fn parse<'m>(&self, crlf: &'m [u8]) -> Result<Message<'m>, Failure> {
        let no_message =
            |error: MessageError| Failure::NoMessage { path: self.path.clone(), error, line: FirstLine::of(crlf) };
        Message::parse(crlf).map_err(no_message)
    }

    /// What is said of it, behind its name.
    pub(super) fn usage(&self, told: impl std::fmt::Display) -> Failure {
        Failure::Usage(format!("{}: {told}", self.path.display()))
    }

    /// Prints it below these fields, which take its line ends.
    pub(super) fn print_below(&self, fields: &str) -> Result<(), Failure> {
        let fields = if self.is_of_unix { Cow::Owned(fields.replace("\r\n", "\n")) } else { Cow::Borrowed(fields) };
        let written = standard::output().and_then(|mut out| {
            out.write_all(fields.as_bytes())?;
            out.write_all(&self.octets)?;
            out.flush()
        });
        written.map_err(Failure::Output)
    }
}
