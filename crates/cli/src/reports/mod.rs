//! `mailverdict report`: what receivers say, read; and what was seen here, written.

mod csv;
mod files;
mod hosts;
mod keys;
mod line;
mod read;
mod readings;
mod text;
pub(crate) mod words;
mod write;

pub(crate) use hosts::Hosts;
pub(crate) use keys::keys;
pub(crate) use readings::Readings;

use crate::{args::Report as Args, failure::Failure};
use std::process::ExitCode;

/// Reads or writes.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    match args {
        Args::Read(args) => read::run(args),
        Args::Write(args) => write::run(args),
    }
}
