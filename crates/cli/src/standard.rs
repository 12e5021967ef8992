//! Standard input and output as the system has them. What the standard library has for them takes one that cannot be read for empty,
//! and one that cannot be written for one that takes everything.

use std::io;
#[cfg(unix)]
use std::{fs::File, os::fd::AsFd as _};

#[cfg(unix)]
pub(crate) type Input = File;
#[cfg(not(unix))]
pub(crate) type Input = io::Stdin;

#[cfg(unix)]
pub(crate) type Output = File;
#[cfg(not(unix))]
pub(crate) type Output = io::Stdout;

#[cfg(unix)]
pub(crate) fn input() -> io::Result<Input> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(unix)]
pub(crate) fn output() -> io::Result<Output> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(not(unix))]
pub(crate) fn input() -> io::Result<Input> {
    Ok(io::stdin())
}

#[cfg(not(unix))]
pub(crate) fn output() -> io::Result<Output> {
    Ok(io::stdout())
}
