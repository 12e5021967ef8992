//! Hashes in the place of a message whose text is not here.

use super::body_hash::{BodyHash, BodyHashes, Wanted};
use crate::crypto::Digest;

/// What was hashed of a message for its signatures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hashes {
    /// The place of a signature's or a seal's field among those of the header, and the hash of what it signs there.
    pub(crate) header: Vec<(usize, Digest)>,
    /// Each body hash that one of them wants.
    pub(crate) body: Vec<(Wanted, BodyHash)>,
}

impl Hashes {
    /// Adds what a signature signs in the header.
    pub(crate) fn add_header(&mut self, field_index: usize, digest: Digest) {
        self.header.push((field_index, digest));
    }

    /// Adds those that are wanted of a body.
    pub(crate) fn add_body(&mut self, hashes: &BodyHashes, wanted: impl Iterator<Item = Wanted>) {
        for wanted in wanted {
            if let Some(hash) = hashes.of(&wanted)
                && !self.body.iter().any(|(known, _)| *known == wanted)
            {
                self.body.push((wanted, hash));
            }
        }
    }

    /// The hash of what the signature in this field signs in the header.
    pub(crate) fn of_header(&self, field_index: usize) -> Option<Digest> {
        self.header.iter().find(|(at, _)| *at == field_index).map(|(_, digest)| *digest)
    }
}
