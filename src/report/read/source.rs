//! Octets that are read from their beginning more than once, plain or packed by gzip, and no more of them than may be.

use super::{error::ReadError, limits::ReadLimits};
use flate2::bufread::GzDecoder;
use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, Chain, Cursor, ErrorKind, Read},
    mem,
    path::PathBuf,
    sync::Arc,
};

/// Octets that are asked for at once.
const BUFFER: usize = 32 * 1024;
/// Octets from which on the ratio counts.
const SMALL: u64 = 1_000_000;

/// Octets that can be read from their beginning as often as wanted: those of a file, or of memory.
pub trait Source: Send + Sync {
    /// Begins anew.
    ///
    /// # Errors
    /// Where that cannot be done.
    fn open(&self) -> io::Result<Box<dyn Read + '_>>;
}

impl Source for &[u8] {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(*self))
    }
}

impl Source for Vec<u8> {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.as_slice()))
    }
}

/// The file of this name. It is read twice and more: it must not change meanwhile.
impl Source for PathBuf {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(File::open(self)?))
    }
}

/// A source, or what was taken out of one.
#[derive(Clone)]
pub(super) enum Layer<'s> {
    Source(&'s dyn Source),
    Octets(Arc<[u8]>),
    Gzip(Arc<Layer<'s>>),
}

impl Layer<'_> {
    /// Reads from the beginning; what is read is counted.
    pub(super) fn open<'m>(&'m self, meter: &'m Meter) -> Result<Box<dyn Read + 'm>, ReadError> {
        let mut layers = 0_usize;
        let mut innermost = self;
        while let Self::Gzip(inner) = innermost {
            innermost = inner;
            layers += 1;
        }
        let opened = match innermost {
            Self::Source(source) => source.open(),
            Self::Octets(octets) => Ok(Box::new(Cursor::new(octets)) as Box<dyn Read>),
            Self::Gzip(_) => Ok(Box::new(io::empty()) as Box<dyn Read>),
        };
        let mut reader: Box<dyn Read + 'm> = opened.map_err(|error| ReadError::from(&error))?;
        for _ in 0..layers {
            let packed = Counted { inner: reader, count: Cell::new(0) };
            let member = Member::Between(BufReader::with_capacity(BUFFER, packed));
            reader = Box::new(Gunzip { member, unpacked: 0, packed: 0, meter });
        }
        if layers == 0 { Ok(Box::new(Metered { inner: reader, meter })) } else { Ok(reader) }
    }
}

/// What was read of a file, against what may be.
#[derive(Debug)]
pub(super) struct Meter {
    left: Cell<u64>,
    limits: ReadLimits,
    /// Octets that are no gzip stood behind what is.
    junk: Cell<bool>,
}

impl Meter {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { left: Cell::new(limits.unpacked), limits, junk: Cell::new(false) }
    }

    pub(super) fn limits(&self) -> &ReadLimits {
        &self.limits
    }

    /// Whether octets that are no gzip stood behind what is, since this was asked last.
    pub(super) fn take_junk(&self) -> bool {
        self.junk.take()
    }

    pub(super) fn spend(&self, octets: usize) -> Result<(), ReadError> {
        let octets = u64::try_from(octets).unwrap_or(u64::MAX);
        let left = self.left.get().checked_sub(octets);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(ReadError::TooLarge { limit: self.limits.unpacked })
    }

    /// All of it.
    pub(super) fn read_all(&self, layer: &Layer<'_>) -> Result<Vec<u8>, ReadError> {
        let mut octets = Vec::new();
        layer.open(self)?.read_to_end(&mut octets).map_err(|error| ReadError::from(&error))?;
        Ok(octets)
    }
}

/// Counts what is read.
struct Metered<'m> {
    inner: Box<dyn Read + 'm>,
    meter: &'m Meter,
}

impl Read for Metered<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(to)?;
        self.meter.spend(read).map_err(io::Error::other)?;
        Ok(read)
    }
}

/// How much of what is packed was taken.
struct Counted<'m> {
    inner: Box<dyn Read + 'm>,
    count: Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(to)?;
        self.count.set(self.count.get().saturating_add(u64::try_from(read).unwrap_or(u64::MAX)));
        Ok(read)
    }
}

type Packed<'m> = BufReader<Counted<'m>>;

/// Unpacks what gzip packed (RFC 1952), member by member; what stands behind and is none is passed over, and told.
struct Gunzip<'m> {
    member: Member<'m>,
    unpacked: u64,
    packed: u64,
    meter: &'m Meter,
}

enum Member<'m> {
    /// Before a member, or behind the last one.
    Between(Packed<'m>),
    Within(Box<GzDecoder<Chain<Cursor<Vec<u8>>, Packed<'m>>>>),
    Ended,
}

impl Read for Gunzip<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            self.member = match mem::replace(&mut self.member, Member::Ended) {
                Member::Ended => return Ok(0),
                Member::Between(mut packed) => {
                    let mut beginning = Vec::with_capacity(2);
                    packed.by_ref().take(2).read_to_end(&mut beginning)?;
                    if beginning != super::unwrap::GZIP {
                        if !beginning.is_empty() {
                            self.meter.junk.set(true);
                        }
                        return Ok(0);
                    }
                    Member::Within(Box::new(GzDecoder::new(Cursor::new(beginning).chain(packed))))
                }
                Member::Within(mut decoder) => {
                    let read = decoder.read(to).map_err(|error| damaged(&error))?;
                    let inner = decoder.get_ref().get_ref().1.get_ref();
                    self.packed = inner.count.get();
                    if read == 0 && !to.is_empty() {
                        let (rest, packed) = decoder.into_inner().into_inner();
                        debug_assert_eq!(rest.position(), 2, "the header was read");
                        Member::Between(packed)
                    } else {
                        self.unpacked = self.unpacked.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
                        let ratio = self.meter.limits.ratio;
                        if self.unpacked > SMALL && self.unpacked / ratio.max(1) > self.packed {
                            return Err(io::Error::other(ReadError::TooDense { limit: ratio }));
                        }
                        self.meter.spend(read).map_err(io::Error::other)?;
                        self.member = Member::Within(decoder);
                        return Ok(read);
                    }
                }
            };
        }
    }
}

/// One of ours stays what it is.
fn damaged(error: &io::Error) -> io::Error {
    if error.get_ref().is_some_and(|inner| inner.is::<ReadError>()) {
        return io::Error::other(ReadError::from(error));
    }
    let says = match error.kind() {
        ErrorKind::UnexpectedEof => "its end is missing".into(),
        _ => error.to_string().into(),
    };
    io::Error::other(ReadError::Packed(says))
}
