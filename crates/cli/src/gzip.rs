//! What gzip packed (RFC 1952), unpacked while it is read, and no more of it than a message may have.

use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Cursor, Read};

/// Octets that are asked for at once.
const BUFFER: usize = 64 * 1024;
/// RFC 1952 §2.3.1: ID1 and ID2.
const BEGINNING: [u8; 2] = *b"\x1f\x8b";

/// What can be read line by line.
pub(crate) type Reader = Box<dyn BufRead>;

/// The content, where it begins as gzip's files do, whatever their name is; else the octets as they are. At most `most` octets are
/// unpacked.
pub(crate) fn unpacked(mut reader: Reader, most: u64) -> io::Result<Reader> {
    let mut beginning = Vec::new();
    reader.by_ref().take(2).read_to_end(&mut beginning)?;
    let is_packed = is_packed(&beginning);
    let whole = Cursor::new(beginning).chain(reader);
    if !is_packed {
        return Ok(Box::new(whole));
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER, Unpacked::of(whole, most))))
}

/// Whether gzip packed it.
pub(crate) fn is_packed(octets: &[u8]) -> bool {
    octets.starts_with(&BEGINNING)
}

/// How many octets it comes to, `most` at most, without keeping them.
pub(crate) fn unpacked_len(packed: &[u8], most: u64) -> io::Result<usize> {
    let len = io::copy(&mut Unpacked::of(packed, most), &mut io::sink())?;
    usize::try_from(len).map_err(|_| too_much(most))
}

/// The content, of as many octets as were counted.
pub(crate) fn unpack(packed: &[u8], len: usize) -> io::Result<Vec<u8>> {
    let mut octets = vec![0; len];
    Unpacked::of(packed, u64::MAX).read_exact(&mut octets)?;
    Ok(octets)
}

/// Unpacks, and fails where that comes to too much.
struct Unpacked<R> {
    decoder: MultiGzDecoder<R>,
    left: u64,
    most: u64,
}

impl<R: BufRead> Unpacked<R> {
    fn of(packed: R, most: u64) -> Self {
        Self { decoder: MultiGzDecoder::new(packed), left: most, most }
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(to).map_err(|error| described(&error))?;
        match self.left.checked_sub(u64::try_from(read).unwrap_or(u64::MAX)) {
            Some(left) => self.left = left,
            None => return Err(too_much(self.most)),
        }
        Ok(read)
    }
}

fn too_much(most: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!(
            "unpacked by gzip, it has more than {most} octets; of a large mbox file, `check` reads what `gzip -dc FILE` gives"
        ),
    )
}

/// The decoder's error, or that of what it reads.
fn described(error: &io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "it is packed by gzip, and its end is missing"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            io::Error::new(error.kind(), format!("it is packed by gzip, and damaged: {error}"))
        }
        kind => io::Error::new(kind, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;

    fn packed(octets: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    }

    fn read(octets: &[u8], most: u64) -> Result<Vec<u8>, String> {
        let mut content = Vec::new();
        let mut reader = unpacked(Box::new(Cursor::new(octets.to_vec())), most).unwrap();
        reader.read_to_end(&mut content).map(|_| content).map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_gzip_packed_is_unpacked() {
        assert_eq!(read(&packed(b"A: 1\n"), 5), Ok(b"A: 1\n".to_vec()));
        // RFC 1952 §2.2: members stand one behind the other.
        assert_eq!(
            read(&[packed(b"A: 1\n"), packed(b""), packed(b"B: 2\n")].concat(), 10),
            Ok(b"A: 1\nB: 2\n".to_vec())
        );
        for plain in [&b""[..], b"\x1f", b"\x1fA: 1\n", b"A: 1\n"] {
            assert_eq!(read(plain, 0), Ok(plain.to_vec()));
        }
    }

    #[test]
    fn no_more_is_unpacked_than_may_be() {
        let bomb = packed(&vec![b'x'; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert_eq!(read(&bomb, 10_000_000).unwrap().len(), 10_000_000);
        assert!(read(&bomb, 9_999_999).unwrap_err().starts_with("unpacked by gzip, it has more than 9999999 octets; "));
        // Members count together.
        let members = packed(&[b'x'; 100]).repeat(10);
        assert!(read(&members, 1000).is_ok());
        assert!(read(&members, 999).is_err());
        assert_eq!(unpacked_len(&members, 1000).unwrap(), 1000);
        assert!(unpacked_len(&members, 999).is_err());
        assert_eq!(unpack(&members, 1000).unwrap(), [b'x'; 1000]);
    }

    #[test]
    fn damage_is_told() {
        let whole = packed(b"A: 1\n\nhello\n");
        for len in 2..whole.len() {
            assert_eq!(
                read(&whole[..len], 100),
                Err("it is packed by gzip, and its end is missing".to_owned()),
                "{len}"
            );
        }
        let mut damaged = whole.clone();
        damaged[12] ^= 0xff;
        let error = read(&damaged, 100).unwrap_err();
        assert!(error.starts_with("it is packed by gzip, and "), "{error}");
        // Its checksum.
        let mut damaged = whole.clone();
        let at = whole.len() - 8;
        damaged[at] ^= 1;
        let error = read(&damaged, 100).unwrap_err();
        assert!(error.starts_with("it is packed by gzip, and damaged: "), "{error}");
        assert!(
            read(b"\x1f\x8bjunk and more of it", 100).unwrap_err().starts_with("it is packed by gzip, and damaged: ")
        );
    }
}
