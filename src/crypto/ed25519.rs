//! Ed25519, RFC 8463.

use super::{HashAlgorithm, InvalidKey, InvalidSignature, SignatureAlgorithm, VerifyingKey};
use std::sync::Arc;

/// ed25519-sha256 (RFC 8463 §3): PureEdDSA over the SHA-256 hash of the signed data.
pub const ED25519_SHA256: &dyn SignatureAlgorithm = &Ed25519;

#[derive(Debug)]
struct Ed25519;

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
        // RFC 8463 §4.2: the bare key, without any ASN.1 around it.
        let octets = key.try_into().map_err(|_| InvalidKey::Ed25519Length { octets: key.len() })?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(octets).map_err(|_| InvalidKey::Ed25519Point)?;
        // A point of small order would let one signature verify over many messages.
        if key.is_weak() {
            return Err(InvalidKey::Ed25519Point);
        }
        Ok(Arc::new(Key(key)))
    }
}

#[derive(Debug)]
struct Key(ed25519_dalek::VerifyingKey);

impl VerifyingKey for Key {
    fn bits(&self) -> usize {
        256
    }

    /// RFC 8032 §5.1.7 leaves it open whether the equation is checked with the cofactor. Here it is checked without, and R of small
    /// order is refused: such an R comes from no honest signer, and all verifiers agree about what is left.
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
