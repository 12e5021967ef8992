//! The hashes of a body: every distinct one is computed once, in one pass.

use super::{
    block_buffer::BlockBuffer,
    canonical_body::{Body, first_difference},
    canonicalize::{Algorithm, is_wsp},
};
use crate::crypto::{Digest, HashAlgorithm, Hasher};
use smallvec::SmallVec;

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
    /// One for each canonicalization that is wanted.
    texts: SmallVec<[CanonicalText; 1]>,
    /// Where both are wanted: what is done for both at once, as long as they come to the same.
    shared: Option<Box<Shared>>,
    /// Hashes that were computed before, of a body that is not here.
    given: Vec<(Wanted, BodyHash)>,
}

/// One canonicalization, and what is hashed of it.
#[derive(Clone, Debug)]
struct CanonicalText {
    body: Body,
    prefixes: Prefixes,
}

/// The text on which both canonicalizations agree.
#[derive(Clone, Debug)]
struct Shared {
    canonical: CanonicalText,
    /// A SP at the end of the last chunk: what follows decides whether they agree on it.
    space: bool,
}

#[derive(Clone, Debug, Default)]
struct Prefixes {
    /// Octets of the canonicalized body so far.
    octets: u64,
    streams: SmallVec<[Stream; 1]>,
}

/// One hash function over one canonicalization.
#[derive(Clone, Debug)]
struct Stream {
    hash: HashAlgorithm,
    hasher: Hasher,
    whole: Whole,
    /// The lengths that are still wanted, the least one last.
    lengths: Vec<u64>,
    /// In ascending order.
    done: Vec<(u64, Digest)>,
}

/// The hash of the whole body.
#[derive(Clone, Debug, PartialEq)]
enum Whole {
    Unwanted,
    Wanted,
    Done(Digest),
}

impl BodyHasher {
    pub(crate) fn new(wanted: impl IntoIterator<Item = Wanted>) -> Self {
        let mut texts: SmallVec<[CanonicalText; 1]> = SmallVec::new();
        for Wanted { canonicalization, hash, length } in wanted {
            let at = texts.iter().position(|canonical| canonical.body.algorithm() == canonicalization).unwrap_or_else(
                || {
                    texts.push(CanonicalText::new(canonicalization));
                    texts.len() - 1
                },
            );
            if let Some(canonical) = texts.get_mut(at) {
                canonical.prefixes.want(hash, length);
            }
        }
        let shared = (texts.len() > 1).then(|| {
            let mut canonical = CanonicalText::new(Algorithm::Simple);
            for stream in texts.iter().flat_map(|canonical| &canonical.prefixes.streams) {
                let whole = (stream.whole == Whole::Wanted).then_some(None);
                let lengths = stream.lengths.iter().copied().map(Some);
                lengths.chain(whole).for_each(|length| canonical.prefixes.want(stream.hash, length));
            }
            canonical.prefixes.begin();
            Box::new(Shared { canonical, space: false })
        });
        texts.iter_mut().for_each(|canonical| canonical.prefixes.begin());
        Self { texts, shared, given: Vec::new() }
    }

    /// Of a body that is not here.
    #[cfg(feature = "serde")]
    pub(crate) fn of_hashes(given: Vec<(Wanted, BodyHash)>) -> Self {
        Self { given, ..Self::default() }
    }

    /// Takes the next chunk.
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        let rest = match &mut self.shared {
            None => chunk,
            Some(shared) => match shared.update(chunk) {
                None => return,
                Some(rest) => rest,
            },
        };
        self.part();
        self.texts.iter_mut().for_each(|canonical| canonical.update(rest));
    }

    /// From here on each goes its own way.
    fn part(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        let Shared { canonical, space } = *shared;
        for own in &mut self.texts {
            own.take_over(&canonical);
            if space {
                own.update(b" ");
            }
        }
    }

    /// Ends the body.
    pub(crate) fn finish(mut self) -> BodyHashes {
        self.part();
        self.texts.iter_mut().for_each(CanonicalText::finish);
        BodyHashes { texts: self.texts, given: self.given }
    }
}

impl Shared {
    /// Takes text as far as both canonicalizations agree on it; gives the rest where they do not.
    fn update<'c>(&mut self, chunk: &'c [u8]) -> Option<&'c [u8]> {
        let first = chunk.first()?;
        if self.space {
            if is_wsp(*first) || *first == b'\r' {
                return Some(chunk);
            }
            self.space = false;
            self.canonical.update(b" ");
        }
        let at = first_difference(chunk).unwrap_or(chunk.len());
        let (agreed, rest) = chunk.split_at_checked(at)?;
        self.canonical.update(agreed);
        match rest {
            [] => None,
            [b' '] => {
                self.space = true;
                None
            }
            _ => Some(rest),
        }
    }
}

impl CanonicalText {
    fn new(canonicalization: Algorithm) -> Self {
        Self { body: Body::new(canonicalization), prefixes: Prefixes::default() }
    }

    fn update(&mut self, chunk: &[u8]) {
        let Self { body, prefixes } = self;
        let mut buffer = BlockBuffer::new();
        body.update(chunk, &mut buffer.to(|text| prefixes.update(text)));
        buffer.flush(|text| prefixes.update(text));
    }

    /// Goes on where `shared` has come to.
    fn take_over(&mut self, shared: &Self) {
        self.body = shared.body.clone().turned_to(self.body.algorithm());
        self.prefixes.take_over(&shared.prefixes);
    }

    fn finish(&mut self) {
        let Self { body, prefixes } = self;
        body.clone().finish(&mut |text: &[u8]| prefixes.update(text));
        for stream in &mut prefixes.streams {
            if stream.whole == Whole::Wanted {
                stream.whole = Whole::Done(stream.hasher.clone().finish());
            }
        }
    }
}

impl Prefixes {
    /// Adds what is wanted; before the first text.
    fn want(&mut self, hash: HashAlgorithm, length: Option<u64>) {
        let at = self.streams.iter().position(|stream| stream.hash == hash).unwrap_or_else(|| {
            let hasher = hash.hasher();
            self.streams.push(Stream { hash, hasher, whole: Whole::Unwanted, lengths: Vec::new(), done: Vec::new() });
            self.streams.len() - 1
        });
        match (self.streams.get_mut(at), length) {
            (Some(stream), Some(length)) => stream.lengths.push(length),
            (Some(stream), None) => stream.whole = Whole::Wanted,
            (None, _) => {}
        }
    }

    /// All that is wanted is known.
    fn begin(&mut self) {
        for stream in &mut self.streams {
            stream.lengths.sort_unstable_by(|a, b| b.cmp(a));
            stream.lengths.dedup();
            stream.snapshot(0);
        }
    }

    fn take_over(&mut self, shared: &Self) {
        self.octets = shared.octets;
        for stream in &mut self.streams {
            if let Some(same) = shared.streams.iter().find(|other| other.hash == stream.hash) {
                stream.hasher = same.hasher.clone();
                stream.done.clone_from(&same.done);
                stream.lengths.retain(|length| *length > shared.octets);
            }
        }
    }

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
        if self.whole != Whole::Unwanted || !self.lengths.is_empty() {
            self.hasher.update(text);
        }
    }

    /// Keeps the hash so far, where it is that of the next wanted length.
    fn snapshot(&mut self, length: u64) {
        if self.lengths.last() == Some(&length) {
            self.lengths.pop();
            self.done.push((length, self.hasher.clone().finish()));
        }
    }
}

/// The hashes of a whole body.
#[derive(Clone, Debug)]
pub(crate) struct BodyHashes {
    texts: SmallVec<[CanonicalText; 1]>,
    given: Vec<(Wanted, BodyHash)>,
}

impl BodyHashes {
    fn prefixes(&self, canonicalization: Algorithm) -> Option<&Prefixes> {
        self.texts
            .iter()
            .find(|canonical| canonical.body.algorithm() == canonicalization)
            .map(|canonical| &canonical.prefixes)
    }

    /// All the hashes of prefixes, by their lengths.
    pub(crate) fn by_length(&self, canonicalization: Algorithm, hash: HashAlgorithm) -> Vec<(u64, Digest)> {
        let streams = self.prefixes(canonicalization).into_iter().flat_map(|prefixes| &prefixes.streams);
        streams.filter(|stream| stream.hash == hash).flat_map(|stream| &stream.done).copied().collect()
    }

    /// The hash that was wanted; `None` for one that was not.
    pub(crate) fn of(&self, wanted: &Wanted) -> Option<BodyHash> {
        if let Some((_, given)) = self.given.iter().find(|(given, _)| given == wanted) {
            return Some(*given);
        }
        let Prefixes { octets, streams } = self.prefixes(wanted.canonicalization)?;
        let Stream { whole, done, .. } = streams.iter().find(|stream| stream.hash == wanted.hash)?;
        let Some(length) = wanted.length else {
            return match whole {
                Whole::Done(digest) => Some(BodyHash::Computed { digest: *digest, unsigned_octets: 0 }),
                Whole::Unwanted | Whole::Wanted => None,
            };
        };
        if length > *octets {
            return Some(BodyHash::TooShort { octets: *octets });
        }
        let at = done.binary_search_by_key(&length, |(length, _)| *length).ok()?;
        let (_, digest) = done.get(at)?;
        Some(BodyHash::Computed { digest: *digest, unsigned_octets: octets - length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, option, prelude::*, sample::select};

    const PIECES: [&[u8]; 11] = [
        b"\r\n",
        b"\r\n\r\n",
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"a",
        b"some words",
        b" \r\n",
        b"\xff",
        b"long line of words\r\n",
    ];

    fn wanted() -> impl Strategy<Value = Wanted> {
        let canonicalization = select(vec![Algorithm::Simple, Algorithm::Relaxed]);
        let hash = select(vec![HashAlgorithm::Sha256, HashAlgorithm::Sha256, HashAlgorithm::Sha1]);
        (canonicalization, hash, option::of(0_u64..60)).prop_map(|(canonicalization, hash, length)| Wanted {
            canonicalization,
            hash,
            length,
        })
    }

    /// Each hash by itself, over the whole canonicalized body.
    fn plainly(wanted: &Wanted, body: &[u8]) -> BodyHash {
        let mut canonical = Vec::new();
        wanted.canonicalization.canonicalize_body(body, |text| canonical.extend_from_slice(text));
        let octets = canonical.len() as u64;
        let length = wanted.length.unwrap_or(octets);
        if length > octets {
            return BodyHash::TooShort { octets };
        }
        let mut hasher = wanted.hash.hasher();
        hasher.update(&canonical[..usize::try_from(length).unwrap()]);
        BodyHash::Computed { digest: hasher.finish(), unsigned_octets: octets - length }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn hashes_that_share_their_work_are_those_that_do_not(
            pieces in vec(select(&PIECES[..]), 0..40),
            cuts in vec(0_usize..200, 0..6),
            all in vec(wanted(), 1..8),
        ) {
            let body = pieces.concat();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).chain([0, body.len()]).collect();
            cuts.sort_unstable();
            let mut hasher = BodyHasher::new(all.iter().copied());
            cuts.windows(2).for_each(|cut| hasher.update(&body[cut[0]..cut[1]]));
            let hashes = hasher.finish();
            for wanted in &all {
                prop_assert_eq!(hashes.of(wanted), Some(plainly(wanted, &body)), "{:?}", wanted);
            }
        }
    }

    #[test]
    fn canonicalizations_share_their_work_until_they_differ() {
        let wanted = |canonicalization| Wanted { canonicalization, hash: HashAlgorithm::Sha256, length: None };
        let shares = |chunks: &[&[u8]]| {
            let mut hasher = BodyHasher::new([Algorithm::Simple, Algorithm::Relaxed].map(wanted));
            chunks.iter().for_each(|chunk| hasher.update(chunk));
            hasher.shared.is_some()
        };
        assert!(shares(&[b"Plain words\r", b"\nof", b" ", b"", b"no ", b"account.\r\n\r\n", b" - one\r\n"]));
        for differs in
            [&[&b"two  spaces"[..]][..], &[b"two ", b" spaces"], &[b"a\tb"], &[b"a ", b"\r\n"], &[b"a \r\nb"]]
        {
            assert!(!shares(differs), "{differs:?}");
        }
    }

    #[test]
    fn what_was_not_wanted_is_not_there() {
        let wanted = Wanted { canonicalization: Algorithm::Simple, hash: HashAlgorithm::Sha256, length: None };
        let hashes = BodyHasher::new([wanted]).finish();
        assert_eq!(hashes.of(&Wanted { length: Some(1), ..wanted }), None);
        assert_eq!(hashes.of(&Wanted { canonicalization: Algorithm::Relaxed, ..wanted }), None);
        assert_eq!(hashes.of(&Wanted { hash: HashAlgorithm::Sha1, ..wanted }), None);
    }
}
