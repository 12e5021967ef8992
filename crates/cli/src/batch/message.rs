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
    if len > 0 {
        return read_told(&mut file, len, octets);
    }
    read_untold(&mut file, octets)?;
    // What the system makes up goes on to tell no length.
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) { Ok(()) } else { Err(longer()) }
}

fn read_untold(file: &mut impl io::Read, octets: &mut Vec<u8>) -> Result<(), String> {
    octets.clear();
    let most = u64::try_from(MAX_UNTOLD).unwrap_or(u64::MAX);
    match file.take(most.saturating_add(1)).read_to_end(octets) {
        Ok(read) if read <= MAX_UNTOLD => Ok(()),
        Ok(_) => Err(format!("it tells no length, and is larger than {MAX_UNTOLD} octets")),
        Err(error) => Err(plain(&error)),
    }
}

/// There is room for an octet more, and a file that fills it has become longer; one that ends before is not asked for its end again.
fn read_told(file: &mut impl io::Read, len: usize, octets: &mut Vec<u8>) -> Result<(), String> {
    if octets.capacity() <= len {
        *octets = Vec::with_capacity(len + 1);
    }
    octets.resize(len + 1, 0);
    let mut read = 0;
    while let Some(room) = octets.get_mut(read..).filter(|_| read < len) {
        match file.read(room) {
            Ok(0) => return Err("it became shorter while it was read".to_owned()),
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(plain(&error)),
        }
    }
    octets.truncate(len);
    if read > len { Err(longer()) } else { Ok(()) }
}

fn longer() -> String {
    "it became longer while it was read".to_owned()
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
        // Nothing was told, for there was nothing.
        assert_eq!(found(b"", 0), Ok(Vec::new()));
        assert_eq!(found(b"12345", 0), Err("it became longer while it was read".to_owned()));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_tells_no_length_is_bounded() {
        let mut octets = b"of the message before".to_vec();
        let most = vec![b'x'; MAX_UNTOLD];
        assert_eq!(read_untold(&mut most.as_slice(), &mut octets), Ok(()));
        assert_eq!(octets, most);
        let more = [most, vec![b'x']].concat();
        let error = "it tells no length, and is larger than 1048576 octets";
        assert_eq!(read_untold(&mut more.as_slice(), &mut octets), Err(error.to_owned()));
    }

    /// However much of it comes at once, and whatever interrupts.
    #[test]
    fn a_file_is_read_in_as_many_pieces_as_it_comes_in() {
        struct Piecewise(Vec<&'static [u8]>);
        impl io::Read for Piecewise {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                match self.0.pop() {
                    Some(b"interrupted") => Err(io::ErrorKind::Interrupted.into()),
                    Some(mut piece) => piece.read(to),
                    None => Ok(0),
                }
            }
        }
        let found = |pieces: &[&'static [u8]], len| {
            let mut octets = b"of the message before".to_vec();
            let mut file = Piecewise(pieces.iter().rev().copied().collect());
            read_told(&mut file, len, &mut octets).map(|()| octets)
        };
        for len in [2, 100] {
            let whole = [b'a', b'b'].repeat(len / 2);
            let whole: &'static [u8] = whole.leak();
            let pieces: Vec<&[u8]> = whole.chunks(1).flat_map(|octet| [b"interrupted", octet]).collect();
            assert_eq!(found(&pieces, len), Ok(whole.to_vec()));
            assert_eq!(found(&pieces, len + 1), Err("it became shorter while it was read".to_owned()));
            assert_eq!(found(&[whole], len - 1), Err(longer()));
        }
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
