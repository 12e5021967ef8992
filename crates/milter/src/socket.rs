//! Places at which mail servers connect are opened, before privileges are given up.

use crate::{
    cannot_run::CannotRun,
    config::{Config, Listen},
};
use nix::unistd::Group;
use std::{
    fs, io,
    net::TcpListener,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _, chown},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

/// A place that is open.
#[derive(Debug)]
pub enum Socket {
    /// Of the network.
    Inet(TcpListener),
    /// In the file system; the file goes when this does.
    Unix(UnixListener, File),
}

/// A socket's file.
#[derive(Debug)]
pub struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        // Whoever removed it before has done what was to be done.
        let _ = fs::remove_file(&self.0);
    }
}

impl Socket {
    /// Opens a place. A file that a program left behind is replaced; one at which somebody listens is not.
    ///
    /// # Errors
    /// [`CannotRun`], in a sentence.
    pub fn open(place: &Listen, config: &Config) -> Result<Self, CannotRun> {
        let cannot = |error: io::Error| CannotRun::of(format!("cannot listen at {place}: {error}"));
        match place {
            Listen::Inet(address) => {
                let listener = TcpListener::bind(address).map_err(cannot)?;
                listener.set_nonblocking(true).map_err(cannot)?;
                Ok(Self::Inet(listener))
            }
            Listen::Unix(path) => {
                let group = config.socket_group.as_deref().map(group).transpose()?;
                clear(path).map_err(cannot)?;
                let listener = UnixListener::bind(path).map_err(cannot)?;
                let file = File(path.clone());
                fs::set_permissions(path, fs::Permissions::from_mode(config.socket_mode)).map_err(cannot)?;
                if let Some(group) = group {
                    chown(path, None, Some(group)).map_err(cannot)?;
                }
                listener.set_nonblocking(true).map_err(cannot)?;
                Ok(Self::Unix(listener, file))
            }
        }
    }

    /// Where it is.
    pub fn place(&self) -> String {
        match self {
            Self::Inet(listener) => {
                listener.local_addr().map_or_else(|_| "inet".to_owned(), |address| format!("inet:{address}"))
            }
            Self::Unix(_, File(path)) => format!("unix:{}", path.display()),
        }
    }
}

fn group(name: &str) -> Result<u32, CannotRun> {
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(CannotRun::of(format!("socket_group: there is no group \"{}\"", name.escape_debug()))),
        Err(error) => Err(CannotRun::of(format!("socket_group: {error}"))),
    }
}

/// Removes what a program left behind.
fn clear(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file is there that is no socket"));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another program listens there")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}
