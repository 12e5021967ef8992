//! The results of messages in a file, a line each, for reports to domain owners.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Older files that stay.
const OLDER: u32 = 9;

/// A file that grows to a size, and is then the first of the older ones.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
    most: u64,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    octets: u64,
}

impl History {
    /// A file of no more octets than that, unless one line is longer.
    ///
    /// # Errors
    /// Those of opening it.
    pub fn open(path: &Path, most: usize) -> io::Result<Self> {
        let history =
            Self { path: path.to_path_buf(), most: u64::try_from(most).unwrap_or(u64::MAX), open: Mutex::default() };
        *history.lock() = Some(open(path)?);
        Ok(history)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line, whole or not at all as far as the system allows.
    ///
    /// # Errors
    /// Those of the file; the next line opens it again.
    pub fn add(&self, line: &str) -> io::Result<()> {
        let mut held = self.lock();
        let octets = u64::try_from(line.len() + 1).unwrap_or(u64::MAX);
        let is_full =
            held.as_ref().is_some_and(|open| open.octets > 0 && open.octets.saturating_add(octets) > self.most);
        if is_full {
            *held = None;
            self.rotate()?;
        }
        let mut file = match held.take() {
            Some(open) => open,
            None => open(&self.path)?,
        };
        file.file.write_all(format!("{line}\n").as_bytes())?;
        file.octets = file.octets.saturating_add(octets);
        *held = Some(file);
        Ok(())
    }

    fn rotate(&self) -> io::Result<()> {
        let numbered = |number: u32| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..OLDER).rev() {
            match fs::rename(numbered(number), numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        match fs::rename(&self.path, numbered(1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Others may not read who writes to whom.
fn open(path: &Path) -> io::Result<Open> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = OpenOptions::new().create(true).append(true).mode(0o640).open(path)?;
    let octets = file.metadata()?.len();
    Ok(Open { file, octets })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_the_first_of_the_older_ones() {
        let folder = std::env::temp_dir().join(format!("mailverdict-history-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("results.jsonl");
        let history = History::open(&path, 12).unwrap();
        for number in 0..25 {
            history.add(&format!("line {number:02}")).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "line 24\n");
        assert_eq!(fs::read_to_string(folder.join("results.jsonl.1")).unwrap(), "line 23\n");
        assert_eq!(fs::read_to_string(folder.join("results.jsonl.9")).unwrap(), "line 15\n");
        assert!(!folder.join("results.jsonl.10").exists());
        // What stands there already counts.
        let history = History::open(&path, 16).unwrap();
        history.add("line 25").unwrap();
        history.add("line 26").unwrap();
        assert_eq!(fs::read_to_string(folder.join("results.jsonl.1")).unwrap(), "line 24\nline 25\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
