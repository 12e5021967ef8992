//! Ed25519, RFC 8463.

use super::{
    HashAlgorithm, InvalidKey, InvalidSignature, SignatureAlgorithm, VerifyingKey, ed25519_public::PreparedKey,
};
use std::sync::Arc;

/// ed25519-sha256 (RFC 8463 §3): PureEdDSA over the SHA-256 hash of the signed data.
///
/// The crate `ed25519-dalek` decodes and checks keys and verifies with those that are used once; others are made ready for the
/// arithmetic of this library, which takes 8 kB for each.
pub const ED25519_SHA256: &dyn SignatureAlgorithm = &Ed25519 { arithmetic: Arithmetic::Own };

/// [`ED25519_SHA256`] with the arithmetic of the crate `ed25519-dalek` alone: two or three times slower, for those who trust it more.
pub const ED25519_SHA256_REFERENCE: &dyn SignatureAlgorithm = &Ed25519 { arithmetic: Arithmetic::Crate };

/// A key's first use costs about 28 µs, its second 68, with the multiples that make later ones cost 16; the unit takes 17, and three
/// of them pay for the first two uses on average. The same whoever computes, so that no verdict depends on it.
pub(super) const WORK: usize = 3;

#[derive(Debug)]
struct Ed25519 {
    arithmetic: Arithmetic,
}

/// Who computes with the points.
#[derive(Clone, Copy, Debug)]
enum Arithmetic {
    Own,
    Crate,
}

impl SignatureAlgorithm for Ed25519 {
    fn name(&self) -> &'static str {
        "ed25519-sha256"
    }

    fn key_type(&self) -> &'static str {
        "ed25519"
    }

    fn hash(&self) -> HashAlgorithm {
        HashAlgorithm::Sha256
    }

    fn decode_key(&self, key: &[u8]) -> Result<Arc<dyn VerifyingKey>, InvalidKey> {
        let key = public_key(key)?;
        Ok(match self.arithmetic {
            Arithmetic::Own => Arc::new(Key(PreparedKey::new(key))),
            Arithmetic::Crate => Arc::new(ReferenceKey(key)),
        })
    }
}

/// A key that was decoded and found sane, whoever is to compute with it.
pub(super) fn public_key(key: &[u8]) -> Result<ed25519_dalek::VerifyingKey, InvalidKey> {
    // RFC 8463 §4.2: the bare key, without any ASN.1 around it.
    let octets = key.try_into().map_err(|_| InvalidKey::Ed25519Length { octets: key.len() })?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(octets).map_err(|_| InvalidKey::Ed25519Point)?;
    // A point of small order would let one signature verify over many messages.
    if key.is_weak() { Err(InvalidKey::Ed25519Point) } else { Ok(key) }
}

// RFC 8032 §5.1.7 leaves it open whether the equation is checked with the cofactor. Here it is checked without, and R of small order
// is refused: such an R comes from no honest signer, and all verifiers agree about what is left.

#[derive(Debug)]
struct Key(PreparedKey);

impl VerifyingKey for Key {
    fn bits(&self) -> usize {
        256
    }

    fn work(&self) -> usize {
        WORK
    }

    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        self.0.verify(digest, signature)
    }
}

#[derive(Debug)]
struct ReferenceKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey for ReferenceKey {
    fn bits(&self) -> usize {
        256
    }

    fn work(&self) -> usize {
        WORK
    }

    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| InvalidSignature)?;
        self.0.verify_strict(digest, &signature).map_err(|_| InvalidSignature)
    }
}

/// Whether these are the octets of one of the eight points whose order divides 8.
///
/// Their y-coordinates are 0 (twice, for both signs of x), 1, -1, and two more with both signs of x. The sign of x is the highest
/// bit of the last octet. With a sign at 1 and -1, where x is 0, the octets are no encoding at all (RFC 8032 §5.1.3, step 4), and an
/// equation whose result is encoded anew never yields them: to count them in changes nothing. So it is with coordinates that are
/// not reduced, which need not be counted in.
pub(super) fn has_small_order(encoded: &[u8; 32]) -> bool {
    let [y @ .., last] = encoded;
    SMALL_ORDER.iter().any(|[small @ .., end]| small == y && *end == last & 0x7f)
}

/// The y-coordinates of the points whose order divides 8, least significant octet first.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    *b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    *b"\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
       \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\
       \xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\
       \x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
];

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    #[test]
    fn keys_have_32_octets_and_are_points_of_large_order() {
        // RFC 8463 appendix A.2.
        let key = STANDARD.decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").unwrap();
        assert_eq!(ED25519_SHA256.decode_key(&key).unwrap().bits(), 256);
        for octets in [0, 31, 33, 44] {
            let error = ED25519_SHA256.decode_key(&vec![1; octets]).unwrap_err();
            assert_eq!(error, InvalidKey::Ed25519Length { octets });
        }
        // The neutral element, and an y for which there is no x.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut no_point = [0; 32];
        no_point[0] = 2;
        for octets in [neutral, [0; 32], no_point] {
            assert_eq!(ED25519_SHA256.decode_key(&octets).unwrap_err(), InvalidKey::Ed25519Point);
        }
    }

    #[test]
    fn a_signature_has_64_octets() {
        let signer = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let key = ED25519_SHA256.decode_key(signer.verifying_key().as_bytes()).unwrap();
        let digest = [9; 32];
        let signature = ed25519_dalek::Signer::sign(&signer, &digest).to_bytes();
        assert_eq!(key.verify(&digest, &signature), Ok(()));
        assert_eq!(key.verify(&[8; 32], &signature), Err(InvalidSignature));
        assert_eq!(key.verify(&digest, &signature[..63]), Err(InvalidSignature));
        assert_eq!(key.verify(&digest, &[&signature[..], &[0]].concat()), Err(InvalidSignature));
    }
    #[test]
    fn the_points_of_small_order_are_known_by_their_octets() {
        let mut points = std::collections::BTreeSet::new();
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut encoded = y;
                encoded[31] |= sign;
                assert!(has_small_order(&encoded));
                let point = ed25519_dalek::VerifyingKey::from_bytes(&encoded).unwrap();
                assert!(point.is_weak());
                points.insert(point.to_edwards().compress().to_bytes());
            }
        }
        assert_eq!(points.len(), 8, "there are eight of them, and no more");
        assert!(!has_small_order(ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().as_bytes()));
        assert!(!has_small_order(&[0x11; 32]));
    }
}
