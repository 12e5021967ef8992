//! What a signature was made of: for RSA it can be opened with the key, and holds the digest that was signed.

use super::work::Work;
use crate::{
    crypto::{Digest, HashAlgorithm, SignatureAlgorithm, VerifyingKey},
    dkim::KeyRecord,
};
use std::sync::Arc;

/// Key records that are tried for a signature.
const MAX_KEYS: usize = 4;

/// What one verification by Ed25519 costs, as so many octets hashed.
const VERIFICATION: usize = 30_000;

/// What can be said of a signature by its key.
#[derive(Debug)]
pub(super) enum Signer {
    /// No key is at hand, or none of the right type.
    NoKey,
    /// The digest that was signed.
    Digest(Vec<u8>),
    /// The digest that was signed, by another hash than `a=` names, or without saying which.
    OtherForm {
        /// What stands in place of the digest.
        what: &'static str,
    },
    /// Another key, or a damaged signature: it opens to nothing.
    Garbage,
    /// The signature is not as long as the key.
    OtherLength {
        /// Of the signature.
        octets: usize,
        /// Of the key.
        key_octets: usize,
    },
    /// It cannot be opened, and verifies or does not.
    Closed(Closed),
}

/// A signature that can be verified alone.
#[derive(Debug)]
pub(super) struct Closed {
    key: Arc<dyn VerifyingKey>,
    signature: Vec<u8>,
}

impl Signer {
    /// By the first of the records that shows most.
    pub(super) fn of(algorithm: &dyn SignatureAlgorithm, records: &[impl AsRef<[u8]>], signature: &[u8]) -> Self {
        let keys = records.iter().filter_map(|text| KeyRecord::parse(text.as_ref()).ok());
        let keys = keys.filter(|record| *record.key_type == *algorithm.key_type() && !record.is_revoked());
        let keys = keys.take(MAX_KEYS).filter_map(|record| algorithm.decode_key(&record.key).ok());
        let mut best = Self::NoKey;
        for key in keys {
            let found = Self::of_key(algorithm, key, signature);
            if found.rank() > best.rank() {
                best = found;
            }
        }
        best
    }

    fn of_key(algorithm: &dyn SignatureAlgorithm, key: Arc<dyn VerifyingKey>, signature: &[u8]) -> Self {
        if algorithm.key_type() != "rsa" {
            // RFC 8032 §5.1.6: a signature has 64 octets.
            return match signature.len() {
                64 => Self::Closed(Closed { key, signature: signature.to_vec() }),
                octets => Self::OtherLength { octets, key_octets: 64 },
            };
        }
        let key_octets = key.bits().div_ceil(8);
        if signature.len() != key_octets {
            return Self::OtherLength { octets: signature.len(), key_octets };
        }
        let Some(block) = key.open(signature) else { return Self::Garbage };
        opened(&block, algorithm.hash())
    }

    /// How much it says.
    fn rank(&self) -> u8 {
        match self {
            Self::NoKey => 0,
            Self::OtherLength { .. } => 1,
            Self::Garbage => 2,
            Self::Closed(_) => 3,
            Self::OtherForm { .. } => 4,
            Self::Digest(_) => 5,
        }
    }

    /// Whether the signature is one over this digest; `None` where that cannot be told, or afforded. `octets` were hashed for it.
    pub(super) fn signed(&self, digest: &Digest, octets: usize, work: &mut Work) -> Option<bool> {
        match self {
            Self::Digest(signed) => work.pay(octets).then(|| *signed == digest.as_bytes()),
            Self::Closed(closed) => work
                .pay(octets.saturating_add(VERIFICATION))
                .then(|| closed.key.verify(digest.as_bytes(), &closed.signature).is_ok()),
            Self::NoKey | Self::OtherForm { .. } | Self::Garbage | Self::OtherLength { .. } => None,
        }
    }
}

/// EMSA-PKCS1-v1_5, read from the left (RFC 8017 §9.2).
fn opened(block: &[u8], hash: HashAlgorithm) -> Signer {
    let info = |hash: HashAlgorithm| match hash {
        HashAlgorithm::Sha256 => mailverdict_crypto::Hash::Sha256.digest_info(),
        HashAlgorithm::Sha1 => mailverdict_crypto::Hash::Sha1.digest_info(),
    };
    let Some(padded) = block.strip_prefix(b"\x00\x01") else { return Signer::Garbage };
    let padding = padded.iter().take_while(|octet| **octet == 0xff).count();
    let content = padded.get(padding..).and_then(|rest| rest.strip_prefix(b"\x00"));
    // Eight octets of padding are required; by chance they stand in one of 2^80 blocks.
    let Some(content) = content.filter(|_| padding >= 8) else { return Signer::Garbage };
    if let Some(digest) = content.strip_prefix(info(hash)).filter(|digest| digest.len() == hash.output_len()) {
        return Signer::Digest(digest.to_vec());
    }
    for other in [HashAlgorithm::Sha256, HashAlgorithm::Sha1] {
        if content.strip_prefix(info(other)).is_some_and(|digest| digest.len() == other.output_len()) {
            let what = match other {
                HashAlgorithm::Sha256 => "a digest by SHA-256, and a= names another hash",
                HashAlgorithm::Sha1 => "a digest by SHA-1, and a= names another hash",
            };
            return Signer::OtherForm { what };
        }
    }
    let what = if content.len() == hash.output_len() {
        "a digest without the DigestInfo that says by which hash it was made"
    } else {
        "something that is no digest with its DigestInfo"
    };
    Signer::OtherForm { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(content: &[u8]) -> Vec<u8> {
        [b"\x00\x01", &[0xff; 9][..], b"\x00", content].concat()
    }

    #[test]
    fn what_an_opened_block_holds_is_told() {
        let info = mailverdict_crypto::Hash::Sha256.digest_info();
        let sha1 = mailverdict_crypto::Hash::Sha1.digest_info();
        let digest = [7; 32];
        let is = |block: &[u8]| opened(block, HashAlgorithm::Sha256);
        assert!(matches!(is(&block(&[info, &digest].concat())), Signer::Digest(found) if found == digest));
        assert!(matches!(is(&block(&[sha1, &digest[..20]].concat())),
            Signer::OtherForm { what, .. } if what.contains("SHA-1")));
        assert!(matches!(is(&block(&digest)), Signer::OtherForm { what, .. } if what.contains("without")));
        assert!(matches!(is(&block(b"")), Signer::OtherForm { what, .. } if what.contains("no digest")));
        for garbage in [&[][..], &[0; 64], &[0xff; 64], b"\x00\x01\xff\xff\x00", &block(&digest)[1..]] {
            assert!(matches!(is(garbage), Signer::Garbage), "{garbage:?}");
        }
    }
}
