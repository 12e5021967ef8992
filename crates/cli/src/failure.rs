//! What ends a run without a verdict: one line on standard error that says what, where, and what to do.

use crate::file_kind::FileKind;
use clap::error::ErrorKind;
use mailverdict::{
    dns::{HickoryError, ZoneError},
    message::MessageError,
};
use std::{fmt, io, path::PathBuf};

/// Why there is no verdict.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is not understood.
    Usage(String),
    /// A file cannot be read.
    Unreadable { what: &'static str, path: PathBuf, error: io::Error },
    /// A message is larger than is read into memory.
    TooLarge { path: PathBuf, limit: u64 },
    /// What was read is another kind of file.
    OtherFile { path: PathBuf, kind: FileKind },
    /// What was read is no message.
    NoMessage { path: PathBuf, error: MessageError },
    /// A zone file cannot be used.
    Zone(ZoneError),
    /// The system's resolver configuration cannot be used.
    Resolver(HickoryError),
    /// The operating system gives no threads or timers.
    Runtime(io::Error),
    /// Results cannot be written.
    Output(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(reason) => f.write_str(reason),
            Self::Unreadable { what, path, error } => {
                write!(f, "cannot read {what} {}: {}", path.display(), plain(error))
            }
            Self::TooLarge { path, limit } => {
                write!(f, "{}: the message is larger than {limit} octets; is it a message?", path.display())
            }
            Self::OtherFile { path, kind } => write!(f, "{}: {kind}", path.display()),
            Self::NoMessage { path, error } => {
                write!(f, "{}: {error}; give one message in the format of RFC 5322", path.display())
            }
            Self::Zone(error) => write!(f, "{error}"),
            Self::Resolver(error) => write!(f, "{error}; name a server with --dns, or a file with --zone"),
            Self::Runtime(error) => write!(f, "cannot start: {}", plain(error)),
            Self::Output(error) => write!(f, "cannot write the result: {}", plain(error)),
        }
    }
}

/// The operating system's words without Rust's number behind them.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text.get(..end).unwrap_or_default().to_lowercase(),
        None => text,
    }
}

/// The first paragraph of clap's message as one line.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Self::Usage("a command is missing: check, spf or batch; see mailverdict --help".to_owned());
        }
        let text = error.render().to_string();
        let paragraph = text.strip_prefix("error: ").unwrap_or(&text).split("\n\n").next().unwrap_or_default();
        let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        Self::Usage(format!("{line}; see mailverdict --help"))
    }
}

impl From<ZoneError> for Failure {
    fn from(error: ZoneError) -> Self {
        Self::Zone(error)
    }
}
