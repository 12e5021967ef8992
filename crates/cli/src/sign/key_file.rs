//! Files that hold private keys.

use crate::{failure::Failure, tell};
use mailverdict::sign::PrivateKey;
use std::{fs, path::Path};

/// A key that was read from a file.
pub(super) struct KeyFile {
    pub(super) key: PrivateKey,
}

impl KeyFile {
    /// Reads it, and warns of one that others may read.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |error| Failure::Unreadable { what: "the key", path: path.to_owned(), error };
        let octets = fs::read(path).map(zeroize::Zeroizing::new).map_err(failed)?;
        if is_open_to_others(path) {
            tell(&Failure::Usage(format!(
                "{}: others may read this private key; chmod 600 forbids it",
                path.display()
            )));
        }
        let key = PrivateKey::read(&octets).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        Ok(Self { key })
    }
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}
