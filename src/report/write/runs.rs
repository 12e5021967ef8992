//! Sorted rows in files, and all of them merged.

use super::{super::row::Row, topic::Topic};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    process,
};

/// Files that are merged at once; more are merged among each other first.
const MAX_RUNS: usize = 32;

/// A row with its report, and how often it was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) topic: Topic,
    pub(super) row: Row,
    pub(super) count: u64,
}

/// The files, which are removed with it.
#[derive(Debug)]
pub(super) struct Runs {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl Runs {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, files: Vec::new() }
    }

    /// Writes entries that are sorted.
    pub(super) fn write(&mut self, entries: impl Iterator<Item = Entry>) -> io::Result<()> {
        let path = self.write_file(entries.map(Ok))?;
        self.files.push(path);
        if self.files.len() >= MAX_RUNS {
            let files = std::mem::take(&mut self.files);
            let mut merged = Entries::of(&files, std::iter::empty())?;
            let path = self.write_file(std::iter::from_fn(|| merged.next()));
            files.iter().for_each(|file| remove(file));
            self.files.push(path?);
        }
        Ok(())
    }

    fn write_file(&self, entries: impl Iterator<Item = io::Result<Entry>>) -> io::Result<PathBuf> {
        let (path, file) = self.new_file()?;
        let written = (|| {
            let mut out = BufWriter::new(file);
            for entry in entries {
                serde_json::to_writer(&mut out, &entry?)?;
                out.write_all(b"\n")?;
            }
            out.flush()
        })();
        if written.is_err() {
            remove(&path);
        }
        written.map(|()| path)
    }

    /// A file that was not there: never one of others, nor through a link that somebody put there.
    fn new_file(&self) -> io::Result<(PathBuf, File)> {
        let mut number = self.files.len();
        loop {
            let path = self.folder.join(format!(".mailverdict-{}-{number}.rows", process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// All entries, of files and of memory, in their order.
    pub(super) fn merged(&self, in_memory: impl Iterator<Item = Entry> + 'static) -> io::Result<Entries> {
        Entries::of(&self.files, in_memory)
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        self.files.iter().for_each(|file| remove(file));
    }
}

fn remove(file: &Path) {
    // Nothing can be done about a file that stays.
    let _ = fs::remove_file(file);
}

/// Sorted entries of several sources as one; what is equal but for its count is one entry.
pub(super) struct Entries {
    sources: Vec<Box<dyn Iterator<Item = io::Result<Entry>>>>,
    /// The next entry of each source, with the source's place.
    next: BinaryHeap<Reverse<(Entry, usize)>>,
}

impl Entries {
    fn of(files: &[PathBuf], in_memory: impl Iterator<Item = Entry> + 'static) -> io::Result<Self> {
        let mut sources: Vec<Box<dyn Iterator<Item = io::Result<Entry>>>> = vec![Box::new(in_memory.map(Ok))];
        for file in files {
            let lines = BufReader::new(File::open(file)?).lines();
            sources.push(Box::new(lines.map(|line| serde_json::from_str(&line?).map_err(io::Error::from))));
        }
        let mut entries = Self { sources, next: BinaryHeap::new() };
        for place in 0..entries.sources.len() {
            entries.refill(place)?;
        }
        Ok(entries)
    }

    fn refill(&mut self, place: usize) -> io::Result<()> {
        if let Some(entry) = self.sources.get_mut(place).and_then(Iterator::next) {
            self.next.push(Reverse((entry?, place)));
        }
        Ok(())
    }

    /// What the next entry is about.
    pub(super) fn topic(&self) -> Option<Topic> {
        self.next.peek().map(|Reverse((entry, _))| entry.topic.clone())
    }

    /// The next entry, where it is of that report.
    pub(super) fn next_of(&mut self, topic: &Topic) -> Option<io::Result<Entry>> {
        let Reverse((entry, _)) = self.next.peek()?;
        if entry.topic == *topic { self.next() } else { None }
    }

    fn next(&mut self) -> Option<io::Result<Entry>> {
        let Reverse((mut entry, place)) = self.next.pop()?;
        if let Err(error) = self.refill(place) {
            return Some(Err(error));
        }
        while let Some(Reverse((same, place))) = self.next.peek() {
            if same.row != entry.row || same.topic != entry.topic {
                break;
            }
            let place = *place;
            if let Some(Reverse((same, _))) = self.next.pop() {
                entry.count = entry.count.saturating_add(same.count);
            }
            if let Err(error) = self.refill(place) {
                return Some(Err(error));
            }
        }
        Some(Ok(entry))
    }
}
