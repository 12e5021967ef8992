//! The message of a request: a file, or base64 in the request itself.

use crate::{failure::plain, input::MAX_MESSAGE_LEN, style::shortened};
use base64::{Engine as _, engine::general_purpose::PAD};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    sync::LazyLock,
};

/// The engine that decodes with vector instructions, where it knows those of the processor.
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon")))]
type Engine = base64::engine::Simd;
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
type Engine = base64::engine::GeneralPurpose;

/// RFC 4648 §4, with the padding that belongs to it.
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon")))]
static BASE64: LazyLock<Engine> = LazyLock::new(|| Engine::standard(PAD));
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
static BASE64: LazyLock<Engine> = LazyLock::new(|| Engine::new(&base64::alphabet::STANDARD, PAD));

/// Octets of the largest file that is read though it tells no length, for what was not told is not counted.
const MAX_UNTOLD: usize = 1 << 20;

/// Where a message is to be had from.
#[derive(Debug)]
pub(crate) enum Octets<'r> {
    File { path: &'r str, len: usize },
    Base64(&'r [u8]),
}

impl<'r> Octets<'r> {
    /// The file is looked up, and not opened before it is read: to open a pipe or a device does something to it, and to who waits at
    /// its other end.
    pub(crate) fn of_file(path: &'r str) -> Result<Self, String> {
        let len = fs::metadata(path).map_err(|error| plain(&error)).and_then(|metadata| length(&metadata));
        len.map(|len| Self::File { path, len }).map_err(|reason| unreadable(path, &reason))
    }

    /// What reading it takes up beside the request.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::File { len, .. } => *len,
            Self::Base64(encoded) => encoded.len() / 4 * 3,
        }
    }

    /// Puts the message in place of what `octets` holds.
    pub(crate) fn read(self, octets: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::File { path, len } => {
                let file = open_at_once(path).map_err(|error| plain(&error));
                file.and_then(|file| read(file, len, octets)).map_err(|reason| unreadable(path, &reason))
            }
            Self::Base64(encoded) => {
                octets.clear();
                BASE64.decode_vec(encoded, octets).map_err(|error| format!("\"message_base64\" is no base64: {error}"))
            }
        }
    }
}

fn unreadable(path: &str, reason: &str) -> String {
    format!("cannot read {}: {reason}", shortened(path))
}

/// Opens it without waiting for anybody, whatever it may have become since it was looked up.
#[cfg(unix)]
fn open_at_once(path: &str) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(not(unix))]
fn open_at_once(path: &str) -> io::Result<File> {
    File::open(path)
}

/// Of regular files only: a pipe or a terminal would hold up all that comes after.
fn length(metadata: &fs::Metadata) -> Result<usize, String> {
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    usize::try_from(metadata.len()).ok().filter(|_| metadata.len() <= MAX_MESSAGE_LEN).ok_or_else(too_large)
}

/// Reads what was a file of `len` octets when it was looked up. Where it is none any more, there is no message: a part of one, or parts
/// of two, would be judged.
fn read(mut file: File, len: usize, octets: &mut Vec<u8>) -> Result<(), String> {
    if len == 0 {
        return read_untold(file, octets);
    }
    // What comes at once is all there is, unless it fills the room for one more.
    octets.resize(len.saturating_add(1), 0);
    let mut read = 0;
    while let Some(room) = octets.get_mut(read..).filter(|_| read < len) {
        match file.read(room) {
            Ok(0) => return Err("it became shorter while it was read".to_owned()),
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(plain(&error)),
        }
    }
    if read > len {
        return Err("it became longer while it was read".to_owned());
    }
    octets.truncate(len);
    Ok(())
}

/// Files that the system makes up tell no length.
fn read_untold(file: File, octets: &mut Vec<u8>) -> Result<(), String> {
    octets.clear();
    match file.take(MAX_UNTOLD as u64 + 1).read_to_end(octets) {
        Ok(read) if read <= MAX_UNTOLD => Ok(()),
        Ok(_) => Err(format!("it tells no length, and is larger than {MAX_UNTOLD} octets")),
        Err(error) => Err(plain(&error)),
    }
}

fn too_large() -> String {
    format!("it is larger than {MAX_MESSAGE_LEN} octets")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_refused() {
        let path = std::env::temp_dir().join(format!("mailverdict-changes-{}", std::process::id()));
        let found = |content: &[u8], len| {
            fs::write(&path, content).unwrap();
            let mut octets = Vec::new();
            read(File::open(&path).unwrap(), len, &mut octets).map(|()| octets)
        };
        assert_eq!(found(b"12345", 5), Ok(b"12345".to_vec()));
        assert_eq!(found(b"1234", 5), Err("it became shorter while it was read".to_owned()));
        assert_eq!(found(b"", 5), Err("it became shorter while it was read".to_owned()));
        assert_eq!(found(b"1234567", 5), Err("it became longer while it was read".to_owned()));
        assert_eq!(found(b"123456", 5), Err("it became longer while it was read".to_owned()));
        // Nothing is left of the message before.
        let mut octets = b"of the message before".to_vec();
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(File::open(&path).unwrap(), 5, &mut octets).map(|()| octets), Ok(b"12345".to_vec()));
        // Nothing was told.
        let mut octets = vec![b'x'; MAX_UNTOLD];
        assert_eq!(found(&octets, 0).as_ref(), Ok(&octets));
        octets.push(b'x');
        assert_eq!(found(&octets, 0), Err("it tells no length, and is larger than 1048576 octets".to_owned()));
        fs::remove_file(path).unwrap();
    }

    /// Whatever decodes, it finds what the plain decoder finds, and the same faults at the same places.
    #[test]
    fn base64_is_decoded_as_octet_by_octet() {
        let message: Vec<u8> =
            (0..200_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let decoded = |encoded: &str| {
            let mut octets = b"of the message before".to_vec();
            Octets::Base64(encoded.as_bytes()).read(&mut octets).map(|()| octets)
        };
        for len in 0..message.len() {
            let encoded = STANDARD.encode(&message[..len]);
            assert_eq!(decoded(&encoded).unwrap(), message[..len]);
        }
        let encoded = STANDARD.encode(&message[..121]);
        for at in 0..encoded.len() {
            for wrong in ["!", "-", "_", "=", "\u{7f}", "\0", " "] {
                let mut encoded = encoded.clone();
                encoded.replace_range(at..=at, wrong);
                let expected = STANDARD.decode(&encoded).map_err(|error| error.to_string());
                let found = decoded(&encoded);
                assert_eq!(found.is_ok(), expected.is_ok(), "{encoded}");
                if let (Err(found), Err(expected)) = (found, expected) {
                    assert!(found.ends_with(&expected), "{found}");
                }
            }
        }
    }
}
