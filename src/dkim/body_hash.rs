//! The hashes of a body: every distinct one is computed once, in one pass.

use super::{canonical_body::Body, canonicalize::Algorithm};
use crate::crypto::{Digest, HashAlgorithm, Hasher};

/// Which hash of the body a signature is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) canonicalization: Algorithm,
    pub(crate) hash: HashAlgorithm,
    /// `l=`; the whole body where there is none.
    pub(crate) length: Option<u64>,
}

/// The hash of a body, or of the first octets of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyHash {
    /// The hash, and how many octets of the canonicalized body it leaves out.
    Computed { digest: Digest, unsigned_octets: u64 },
    /// `l=` is longer than the canonicalized body, which has this many octets.
    TooShort { octets: u64 },
}

/// Hashes a body that comes in chunks.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyHasher {
    lanes: Vec<Lane>,
}

/// One canonicalization, and what is hashed of it.
#[derive(Clone, Debug)]
struct Lane {
    canonicalization: Algorithm,
    body: Body,
    prefixes: Prefixes,
}

#[derive(Clone, Debug, Default)]
struct Prefixes {
    /// Octets of the canonicalized body so far.
    octets: u64,
    streams: Vec<Stream>,
}

/// One hash function over one canonicalization.
#[derive(Clone, Debug)]
struct Stream {
    hash: HashAlgorithm,
    hasher: Hasher,
    /// Whether the hash of the whole body is wanted.
    whole: bool,
    /// The lengths that are still wanted, the least one last.
    lengths: Vec<u64>,
    done: Vec<(Option<u64>, Digest)>,
}

impl BodyHasher {
    pub(crate) fn new(wanted: impl IntoIterator<Item = Wanted>) -> Self {
        let mut lanes: Vec<Lane> = Vec::new();
        for Wanted { canonicalization, hash, length } in wanted {
            let at = lanes.iter().position(|lane| lane.canonicalization == canonicalization).unwrap_or_else(|| {
                lanes.push(Lane { canonicalization, body: Body::new(canonicalization), prefixes: Prefixes::default() });
                lanes.len() - 1
            });
            let Some(lane) = lanes.get_mut(at) else { continue };
            let streams = &mut lane.prefixes.streams;
            let at = streams.iter().position(|stream| stream.hash == hash).unwrap_or_else(|| {
                let hasher = hash.hasher();
                streams.push(Stream { hash, hasher, whole: false, lengths: Vec::new(), done: Vec::new() });
                streams.len() - 1
            });
            match (streams.get_mut(at), length) {
                (Some(stream), Some(length)) => stream.lengths.push(length),
                (Some(stream), None) => stream.whole = true,
                (None, _) => {}
            }
        }
        for stream in lanes.iter_mut().flat_map(|lane| &mut lane.prefixes.streams) {
            stream.lengths.sort_unstable_by(|a, b| b.cmp(a));
            stream.lengths.dedup();
            stream.snapshot(0);
        }
        Self { lanes }
    }

    /// Takes the next chunk.
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        for Lane { body, prefixes, .. } in &mut self.lanes {
            body.update(chunk, &mut |text| prefixes.update(text));
        }
    }

    /// Ends the body.
    pub(crate) fn finish(self) -> BodyHashes {
        let lanes = self.lanes.into_iter().map(|Lane { canonicalization, body, mut prefixes }| {
            body.finish(&mut |text| prefixes.update(text));
            for stream in &mut prefixes.streams {
                if stream.whole {
                    stream.done.push((None, stream.hasher.clone().finish()));
                }
            }
            (canonicalization, prefixes)
        });
        BodyHashes { lanes: lanes.collect() }
    }
}

impl Prefixes {
    fn update(&mut self, text: &[u8]) {
        for stream in &mut self.streams {
            stream.update(text, self.octets);
        }
        self.octets += text.len() as u64;
    }
}

impl Stream {
    /// Takes text that begins `start` octets into the canonicalized body.
    fn update(&mut self, mut text: &[u8], mut start: u64) {
        while let Some(&length) = self.lengths.last() {
            let Some((signed, rest)) =
                usize::try_from(length.saturating_sub(start)).ok().and_then(|len| text.split_at_checked(len))
            else {
                break;
            };
            self.hasher.update(signed);
            self.snapshot(length);
            (text, start) = (rest, length);
        }
        // Past the last length nobody wants to know more.
        if self.whole || !self.lengths.is_empty() {
            self.hasher.update(text);
        }
    }

    /// Keeps the hash so far, where it is that of the next wanted length.
    fn snapshot(&mut self, length: u64) {
        if self.lengths.last() == Some(&length) {
            self.lengths.pop();
            self.done.push((Some(length), self.hasher.clone().finish()));
        }
    }
}

/// The hashes of a whole body.
#[derive(Clone, Debug)]
pub(crate) struct BodyHashes {
    lanes: Vec<(Algorithm, Prefixes)>,
}

impl BodyHashes {
    /// All the hashes of prefixes, by their lengths.
    pub(crate) fn by_length(&self, canonicalization: Algorithm, hash: HashAlgorithm) -> Vec<(u64, Digest)> {
        let lanes = self.lanes.iter().filter(|(algorithm, _)| *algorithm == canonicalization);
        let streams = lanes.flat_map(|(_, prefixes)| &prefixes.streams).filter(|stream| stream.hash == hash);
        streams.flat_map(|stream| &stream.done).filter_map(|(length, digest)| Some(((*length)?, *digest))).collect()
    }

    /// The hash that was wanted; `None` for one that was not.
    pub(crate) fn of(&self, wanted: &Wanted) -> Option<BodyHash> {
        let (_, prefixes) = self.lanes.iter().find(|(algorithm, _)| *algorithm == wanted.canonicalization)?;
        let stream = prefixes.streams.iter().find(|stream| stream.hash == wanted.hash)?;
        // Lengths were done in ascending order, and the whole body last.
        let order = |length: Option<u64>| (length.is_none(), length);
        let found = stream.done.binary_search_by_key(&order(wanted.length), |(length, _)| order(*length));
        if let Some((length, digest)) = found.ok().and_then(|at| stream.done.get(at)) {
            let unsigned_octets = length.map_or(0, |length| prefixes.octets.saturating_sub(length));
            return Some(BodyHash::Computed { digest: *digest, unsigned_octets });
        }
        let too_short = wanted.length.is_some_and(|length| length > prefixes.octets);
        too_short.then_some(BodyHash::TooShort { octets: prefixes.octets })
    }
}
