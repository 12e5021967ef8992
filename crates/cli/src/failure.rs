//! What ends a run without a verdict: one line on standard error that says what, where, and what to do.

use crate::{args::Arguments, file_kind::FileKind};
use clap::{
    CommandFactory as _,
    error::{ContextKind, ContextValue},
};
use mailverdict::{
    dns::{HickoryError, ZoneError},
    message::MessageError,
};
use std::{env, fmt, io, path::PathBuf};

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
    NoMessage { path: PathBuf, error: MessageError, line: FirstLine },
    /// What was read is no evidence.
    Evidence { path: PathBuf, error: String },
    /// A file cannot be written.
    Unwritable { path: PathBuf, error: io::Error },
    /// A zone file cannot be used.
    Zone(ZoneError),
    /// The system's resolver configuration cannot be used.
    Resolver(HickoryError),
    /// The operating system gives no threads or timers.
    Runtime(io::Error),
    /// Results cannot be written.
    Output(io::Error),
}

impl Failure {
    /// With the name of the message, where there are several, if what is wrong is how the command line fits it.
    pub(crate) fn about(self, name: Option<&str>) -> Self {
        match (self, name) {
            (Self::Usage(reason), Some(name)) => Self::Usage(format!("{name}: {reason}")),
            (failure, _) => failure,
        }
    }
}

/// How something begins that has no header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirstLine(String);

impl FirstLine {
    pub(crate) fn of(octets: &[u8]) -> Self {
        const MOST: usize = 40;
        let line = octets.split(|octet| *octet == b'\n').next().unwrap_or_default().trim_ascii_end();
        let shown = line.get(..MOST).unwrap_or(line).escape_ascii();
        let rest = if line.len() > MOST { "..." } else { "" };
        Self(format!("{shown}{rest}"))
    }
}

/// Why there is no header, and what to do.
impl fmt::Display for FirstLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(", because an empty line begins it; where fields follow, take that line away");
        }
        let field = "no header field (\"Name: value\")";
        write!(f, ": its first line, \"{}\", is {field}; give one message in the format of RFC 5322", self.0)
    }
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
            Self::NoMessage { path, error: MessageError::NoHeader, line } => {
                write!(f, "{}: the message has no header{line}", path.display())
            }
            Self::NoMessage { path, error, .. } => {
                write!(f, "{}: {error}; give one message in the format of RFC 5322", path.display())
            }
            Self::Evidence { path, error } => write!(f, "{}: no evidence that can be used: {error}", path.display()),
            Self::Unwritable { path, error } => write!(f, "cannot write {}: {}", path.display(), plain(error)),
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

/// The first paragraph of clap's message as one line, what was probably meant, and where to read on.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let paragraph = text.strip_prefix("error: ").unwrap_or(&text).split("\n\n").next().unwrap_or_default();
        let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let help = help();
        Self::Usage(match meant(&error) {
            Some(words) => format!("{line}; did you mean {words}? See {help}"),
            None => format!("{line}; see {help}"),
        })
    }
}

/// What is like what was written (a command, an option or a value), the most like first.
fn meant(error: &clap::Error) -> Option<String> {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) if !words.is_empty() => {
            Some(words.iter().rev().map(String::as_str).collect::<Vec<_>>().join(" or "))
        }
        _ => None,
    })
}

/// The call that tells more: of the command, where there is one.
fn help() -> String {
    let program = Arguments::command();
    let command = env::args_os().nth(1).and_then(|word| program.find_subcommand(word));
    match command {
        Some(command) => format!("mailverdict {} --help", command.get_name()),
        None => "mailverdict --help".to_owned(),
    }
}

impl From<ZoneError> for Failure {
    fn from(error: ZoneError) -> Self {
        Self::Zone(error)
    }
}
