//! The same algorithms, computed by AWS-LC (feature `aws-lc-rs`) in C and assembler, with keys made ready once.
//!
//! Nothing uses them unless a policy names them. What is a key and what is a signature does not depend on who computes: keys are
//! decoded and checked as they are by default, and the few that AWS-LC would take another view of are left to the default.
//!
//! ```
//! let policy = mailverdict::dkim::Policy::default().with_aws_lc();
//! ```

use super::{HashAlgorithm, InvalidKey, InvalidSignature, SignatureAlgorithm, VerifyingKey, ed25519, rsa};
use ::rsa::traits::PublicKeyParts as _;
use aws_lc_rs::{
    digest::{self, Digest},
    signature::{
        self, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents,
    },
};
use std::sync::Arc;

/// [`super::RSA_SHA256`], computed by AWS-LC for keys of at least 1024 bits.
pub const RSA_SHA256: &dyn SignatureAlgorithm = &Rsa { default: super::RSA_SHA256 };

/// [`super::ED25519_SHA256`], computed by AWS-LC.
pub const ED25519_SHA256: &dyn SignatureAlgorithm = &Ed25519;

/// [`super::RSA_SHA1`], computed by AWS-LC for keys of at least 1024 bits.
pub const RSA_SHA1: &dyn SignatureAlgorithm = &Rsa { default: super::RSA_SHA1 };

/// What AWS-LC computes sooner than the default on this processor.
pub(crate) fn sooner() -> &'static [&'static dyn SignatureAlgorithm] {
    if mailverdict_crypto::has_vectors() { &[] } else { &[RSA_SHA256, RSA_SHA1] }
}

#[derive(Debug)]
struct Rsa {
    default: &'static dyn SignatureAlgorithm,
}

impl SignatureAlgorithm for Rsa {
    fn name(&self) -> &'static str {
        self.default.name()
    }

    fn key_type(&self) -> &'static str {
        self.default.key_type()
    }

    fn hash(&self) -> HashAlgorithm {
        self.default.hash()
    }

    fn decode_key(&self, octets: &[u8]) -> Result<Arc<dyn VerifyingKey>, InvalidKey> {
        let public = rsa::PublicKey::decode(octets)?;
        let (work, key) = (public.work(), public.key);
        let scheme = match self.hash() {
            HashAlgorithm::Sha256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            HashAlgorithm::Sha1 => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        };
        let components = RsaPublicKeyComponents { n: key.n().to_bytes_be(), e: key.e().to_bytes_be() };
        match components.to_parsed_public_key(scheme) {
            Ok(parsed) if key.n().bits() >= MIN_BITS => {
                Ok(Arc::new(RsaKey { key: parsed, bits: key.n().bits(), work, hash: self.hash() }))
            }
            _ => self.default.decode_key(octets),
        }
    }
}

/// AWS-LC verifies with no shorter key.
const MIN_BITS: usize = 1024;

#[derive(Debug)]
struct RsaKey {
    key: ParsedPublicKey,
    bits: usize,
    work: usize,
    hash: HashAlgorithm,
}

impl VerifyingKey for RsaKey {
    fn bits(&self) -> usize {
        self.bits
    }

    fn work(&self) -> usize {
        self.work
    }

    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let algorithm = match self.hash {
            HashAlgorithm::Sha256 => &digest::SHA256,
            HashAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        };
        let digest = Digest::import_less_safe(digest, algorithm).map_err(|_| InvalidSignature)?;
        self.key.verify_digest_sig(&digest, signature).map_err(|_| InvalidSignature)
    }
}

#[derive(Debug)]
struct Ed25519;

impl SignatureAlgorithm for Ed25519 {
    fn name(&self) -> &'static str {
        super::ED25519_SHA256.name()
    }

    fn key_type(&self) -> &'static str {
        super::ED25519_SHA256.key_type()
    }

    fn hash(&self) -> HashAlgorithm {
        super::ED25519_SHA256.hash()
    }

    fn decode_key(&self, octets: &[u8]) -> Result<Arc<dyn VerifyingKey>, InvalidKey> {
        let key = ed25519::public_key(octets)?;
        // AWS-LC knows no point whose coordinate is not reduced; by default such a key is one (RFC 8032 §5.1.3 would refuse it, RFC
        // 8463 says nothing).
        let canonical = key.to_edwards().compress().as_bytes() == key.as_bytes();
        match ParsedPublicKey::new(&signature::ED25519, octets) {
            Ok(parsed) if canonical => Ok(Arc::new(Ed25519Key(parsed))),
            _ => super::ED25519_SHA256.decode_key(octets),
        }
    }
}

#[derive(Debug)]
struct Ed25519Key(ParsedPublicKey);

impl VerifyingKey for Ed25519Key {
    fn bits(&self) -> usize {
        256
    }

    fn work(&self) -> usize {
        ed25519::WORK
    }

    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        // AWS-LC checks the equation without the cofactor and that S is reduced, as is done by default, but takes any R.
        if mailverdict_crypto::has_small_order(signature.first_chunk().ok_or(InvalidSignature)?) {
            return Err(InvalidSignature);
        }
        self.0.verify_sig(digest, signature).map_err(|_| InvalidSignature)
    }
}
