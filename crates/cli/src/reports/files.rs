//! The files that hold reports: those that are named, those of folders, and each message of an mbox file.

use crate::{failure::plain, gzip, messages::Messages};
use mailverdict::report::{Found, ReadLimits, read};
use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _},
    path::{Path, PathBuf},
};

/// Folders within each other.
const MAX_DEPTH: usize = 32;
/// How mbox files begin (RFC 4155).
const SEPARATOR: &[u8] = b"From ";

/// What is done with what a file holds, or with the error, by its name.
type Take<'t, E> = dyn FnMut(&str, Result<Found<'_>, String>) -> Result<(), E> + 't;

/// Hands out what each file holds, in the order of names; an error is told by the name of its file.
pub(super) fn each<E>(paths: &[PathBuf], limits: ReadLimits, take: &mut Take<'_, E>) -> Result<(), E> {
    // The next one is the last.
    let mut waiting: Vec<(PathBuf, usize)> = paths.iter().rev().map(|path| (path.clone(), 0)).collect();
    while let Some((path, depth)) = waiting.pop() {
        let name = path.to_string_lossy().into_owned();
        if path == Path::new("-") {
            standard_input(limits, take)?;
            continue;
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => match entries(&path) {
                Ok(entries) if depth < MAX_DEPTH => {
                    waiting.extend(entries.into_iter().rev().map(|entry| (entry, depth + 1)));
                }
                Ok(_) => take(&name, Err(format!("more than {MAX_DEPTH} folders stand within each other")))?,
                Err(error) => take(&name, Err(plain(&error)))?,
            },
            Ok(_) if is_mbox(&path) => mailbox(&path, limits, take)?,
            Ok(_) => found(&name, read(&path, limits), take)?,
            Err(error) => take(&name, Err(plain(&error)))?,
        }
    }
    Ok(())
}

/// The name of what stands in a file.
fn joined(file: &str, inner: &str) -> String {
    if inner.is_empty() { file.to_owned() } else { format!("{file}!{inner}") }
}

fn found<E>(file: &str, found: Vec<Found<'_>>, take: &mut Take<'_, E>) -> Result<(), E> {
    found.into_iter().try_for_each(|found| take(&joined(file, &found.name), Ok(found)))
}

fn standard_input<E>(limits: ReadLimits, take: &mut Take<'_, E>) -> Result<(), E> {
    let mut octets = Vec::new();
    let most = limits.unpacked.saturating_add(1);
    let input = crate::standard::input().and_then(|input| input.take(most).read_to_end(&mut octets));
    match input {
        Err(error) => take("-", Err(plain(&error))),
        Ok(_) => found("-", read(&octets, limits), take),
    }
}

/// Plain files and folders, by name: links may lead anywhere, and others may never end.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_file() || kind.is_dir() {
            entries.push(entry.path());
        }
    }
    entries.sort();
    Ok(entries)
}

/// Whether it begins as mbox files do, packed or not; what cannot be read is told where it is read.
fn is_mbox(path: &Path) -> bool {
    let beginning = || {
        let mut beginning = Vec::new();
        let file = BufReader::new(File::open(path)?);
        let most = 1 << 16;
        gzip::unpacked(Box::new(file), most)?.take(5).read_to_end(&mut beginning)?;
        io::Result::Ok(beginning)
    };
    beginning().is_ok_and(|beginning| beginning == SEPARATOR)
}

fn mailbox<E>(path: &Path, limits: ReadLimits, take: &mut Take<'_, E>) -> Result<(), E> {
    let name = path.to_string_lossy();
    let messages = match Messages::open(path, false) {
        Ok(messages) => messages,
        Err(failure) => return take(&name, Err(failure.to_string())),
    };
    for message in messages {
        match message {
            Ok(message) => found(&message.name(), read(&message.input.octets, limits), take)?,
            Err(failure) => take(&name, Err(failure.to_string()))?,
        }
    }
    Ok(())
}
