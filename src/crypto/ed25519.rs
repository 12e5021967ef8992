//! Ed25519, RFC 8463.

use super::{HashAlgorithm, InvalidKey, InvalidSignature, SignatureAlgorithm, VerifyingKey};
use mailverdict_crypto::Ed25519PublicKey;
use std::sync::Arc;

/// ed25519-sha256 (RFC 8463 §3): PureEdDSA over the SHA-256 hash of the signed data.
///
/// The crate `mailverdict-crypto` verifies; a key that is used more than once takes 8 kB there.
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
        Ok(match self.arithmetic {
            Arithmetic::Own => {
                let key = Ed25519PublicKey::from_bytes(bare_key(key)?).map_err(|_| InvalidKey::Ed25519Point)?;
                Arc::new(Key(key))
            }
            Arithmetic::Crate => Arc::new(ReferenceKey(public_key(key)?)),
        })
    }
}

/// A key that was decoded and found sane, whoever is to compute with it.
pub(super) fn public_key(key: &[u8]) -> Result<ed25519_dalek::VerifyingKey, InvalidKey> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(bare_key(key)?).map_err(|_| InvalidKey::Ed25519Point)?;
    // A point of small order would let one signature verify over many messages.
    if key.is_weak() { Err(InvalidKey::Ed25519Point) } else { Ok(key) }
}

/// RFC 8463 §4.2: the bare key, without any ASN.1 around it.
fn bare_key(key: &[u8]) -> Result<&[u8; 32], InvalidKey> {
    key.try_into().map_err(|_| InvalidKey::Ed25519Length { octets: key.len() })
}

// RFC 8032 §5.1.7 leaves it open whether the equation is checked with the cofactor. Here it is checked without, and R of small order
// is refused: such an R comes from no honest signer, and all verifiers agree about what is left.

#[derive(Debug)]
struct Key(Ed25519PublicKey);

impl VerifyingKey for Key {
    fn bits(&self) -> usize {
        256
    }

    fn work(&self) -> usize {
        WORK
    }

    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        self.0.verify(digest, signature).map_err(|_| InvalidSignature)
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
}
