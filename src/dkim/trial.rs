//! The hash of a body that is tried: what was signed may have been another than what is there.

use super::{block_buffer::BlockBuffer, canonical_body::Body, canonicalize::Algorithm};
use crate::crypto::{Digest, HashAlgorithm, Hasher};

/// A hash of a canonicalized body that comes in pieces; a clone goes on from where it stands.
#[derive(Clone, Debug)]
pub(crate) struct BodyTrial {
    body: Body,
    hasher: Hasher,
    /// Octets of `l=` that are still to come.
    left: Option<u64>,
}

impl BodyTrial {
    pub(crate) fn new(canonicalization: Algorithm, hash: HashAlgorithm, length: Option<u64>) -> Self {
        Self { body: Body::new(canonicalization), hasher: hash.hasher(), left: length }
    }

    /// Takes the next piece of the body.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        if piece.is_empty() || self.left == Some(0) {
            return;
        }
        let Self { body, hasher, left } = self;
        let mut buffer = BlockBuffer::new();
        body.update(piece, &mut buffer.to(|text| feed(hasher, left, text)));
        buffer.flush(|text| feed(hasher, left, text));
    }

    /// Ends the body; `None` where it is shorter than `l=`.
    pub(crate) fn finish(self) -> Option<Digest> {
        let Self { body, mut hasher, mut left } = self;
        body.finish(&mut |text: &[u8]| feed(&mut hasher, &mut left, text));
        left.is_none_or(|left| left == 0).then(|| hasher.finish())
    }
}

/// Hashes text, and no more of it than `l=` says.
fn feed(hasher: &mut Hasher, left: &mut Option<u64>, text: &[u8]) {
    let Some(left) = left else { return hasher.update(text) };
    let octets = usize::try_from(*left).unwrap_or(usize::MAX).min(text.len());
    hasher.update(text.get(..octets).unwrap_or_default());
    *left -= octets as u64;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::body_hash::{BodyHash, BodyHasher, Wanted};

    #[test]
    fn a_trial_comes_to_what_the_verification_does() {
        let bodies: [&[u8]; 6] = [b"", b"\r\n", b"a \r\n\r\n", b"a\r\nb  c\r\n", b"x", b" \r\n \r\n"];
        for body in bodies {
            for canonicalization in [Algorithm::Simple, Algorithm::Relaxed] {
                for length in [None, Some(0), Some(2), Some(5)] {
                    let wanted = Wanted { canonicalization, hash: HashAlgorithm::Sha256, length };
                    let mut hasher = BodyHasher::new([wanted]);
                    hasher.update(body);
                    let expected = match hasher.finish().of(&wanted) {
                        Some(BodyHash::Computed { digest, .. }) => Some(digest),
                        Some(BodyHash::TooShort { .. }) | None => None,
                    };
                    let mut trial = BodyTrial::new(canonicalization, HashAlgorithm::Sha256, length);
                    let (before, after) = body.split_at(body.len() / 2);
                    trial.update(before);
                    let mut fork = trial.clone();
                    fork.update(b"something else");
                    trial.update(after);
                    assert_eq!(trial.finish(), expected, "{body:?} {wanted:?}");
                }
            }
        }
    }
}
