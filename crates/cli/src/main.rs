//! `mailverdict`: the library on the command line.

mod args;
mod batch;
mod changes;
mod check;
mod conclusion;
mod escape;
mod evidence;
mod examples;
mod explain;
mod failure;
mod file_kind;
mod findings;
mod gzip;
mod hops;
mod html;
mod input;
mod json;
mod lint;
mod manual;
mod mbox;
mod messages;
mod page;
mod preflight;
mod report;
mod reports;
mod request;
mod rows;
mod sign;
mod source;
mod spf;
mod standard;
mod style;
mod told;

use args::{Arguments, Command};
use clap::{Parser as _, error::ErrorKind};
use failure::Failure;
use std::{
    io::{self, Write as _},
    process::ExitCode,
};
use style::printable;
use tokio::runtime::Runtime;

/// Bad usage, unreadable input.
const EXIT_FAILURE: u8 = 2;

fn main() -> ExitCode {
    run().unwrap_or_else(|failure| {
        tell(&failure);
        ExitCode::from(EXIT_FAILURE)
    })
}

/// One line on standard error.
fn tell(failure: &Failure) {
    // Nothing more can be said where standard error is closed.
    let _ = writeln!(io::stderr(), "mailverdict: {}", printable(&failure.to_string()));
}

fn run() -> Result<ExitCode, Failure> {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            error.print().map_err(Failure::Output)?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Nothing more can be said where standard error is closed.
            let _ = io::stderr().write_all(examples::OVERVIEW.as_bytes());
            return Ok(ExitCode::from(EXIT_FAILURE));
        }
        Err(error) => return Err(error.into()),
    };
    match arguments.command {
        Command::Check(args) => check::run(&args),
        Command::Replay(args) => evidence::replay(&args),
        Command::Spf(args) => spf::run(&args),
        Command::Batch(args) => batch::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Preflight(args) => preflight::run(&args),
        Command::Report(args) => reports::run(&args),
        Command::Keygen(args) => sign::keygen(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Seal(args) => sign::seal(&args),
        Command::Completions { shell } => manual::completions(shell),
        Command::Schema { of } => manual::schema(of),
        Command::Man { command } => manual::page(&command),
    }
}

/// Drives an evaluation to its end on this thread.
fn block_on<F: Future>(evaluation: F) -> Result<F::Output, Failure> {
    Ok(runtime()?.block_on(evaluation))
}

/// What drives evaluations on this thread.
fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)
}

/// Writes what was found out to standard output.
fn print(text: &str) -> Result<(), Failure> {
    standard::output()
        .and_then(|mut out| out.write_all(text.as_bytes()).and_then(|()| out.flush()))
        .map_err(Failure::Output)
}
