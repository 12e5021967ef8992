//! RSA with PKCS #1 version 1.5, RFC 6376 §3.3 and RFC 8301.

use super::{HashAlgorithm, InvalidKey, InvalidSignature, SignatureAlgorithm, VerifyingKey, rsa_work};
use mailverdict_crypto as own;
use rsa::{
    BigUint, Pkcs1v15Sign, RsaPublicKey,
    pkcs1::{ObjectIdentifier, der::Decode as _},
    pkcs8::SubjectPublicKeyInfoRef,
    traits::PublicKeyParts as _,
};
use std::sync::Arc;

/// rsa-sha256 (RFC 6376 §3.3.2).
///
/// The crate `rsa` decodes and checks keys; the crate `mailverdict-crypto` verifies signatures for the exponents 2^n + 1
/// up to 65537, which is all that is met in practice, and `rsa` for any other.
pub const RSA_SHA256: &dyn SignatureAlgorithm = &Rsa { hash: HashAlgorithm::Sha256, arithmetic: Arithmetic::Own };

/// [`RSA_SHA256`] with the arithmetic of the crate `rsa` alone: several times slower, for those who trust it more
/// ([`dkim::Policy::conservative`](crate::dkim::Policy::conservative)).
pub const RSA_SHA256_REFERENCE: &dyn SignatureAlgorithm =
    &Rsa { hash: HashAlgorithm::Sha256, arithmetic: Arithmetic::Crate };

/// rsa-sha1 (RFC 6376 §3.3.1), which RFC 8301 §3.1 forbids: no policy accepts it unless it is put there by hand.
pub const RSA_SHA1: &dyn SignatureAlgorithm = &Rsa { hash: HashAlgorithm::Sha1, arithmetic: Arithmetic::Own };

/// [`RSA_SHA1`] with the arithmetic of the crate `rsa` alone.
pub const RSA_SHA1_REFERENCE: &dyn SignatureAlgorithm =
    &Rsa { hash: HashAlgorithm::Sha1, arithmetic: Arithmetic::Crate };

#[derive(Debug)]
struct Rsa {
    hash: HashAlgorithm,
    arithmetic: Arithmetic,
}

/// Who computes with the numbers.
#[derive(Clone, Copy, Debug)]
enum Arithmetic {
    Own,
    Crate,
}

/// RFC 8301 §3.2: verifiers must take up to 4096 bits and may take more. Each doubling costs four times the work.
const MAX_BITS: usize = 4096;

/// Octets of the longest exponent: the crate `rsa` takes exponents below 2^33.
const MAX_EXPONENT: u64 = RsaPublicKey::MAX_PUB_EXPONENT;

/// How many times longer the crate `rsa` takes for a key of 4096 bits than our own arithmetic does by limbs of 64 bits: 915 µs instead
/// of about 60. With vectors it is more, and the whole all the same less.
const UNUSUAL_EXPONENT: usize = 14;

/// rsaEncryption of RFC 8017 appendix A.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

impl SignatureAlgorithm for Rsa {
    fn name(&self) -> &'static str {
        match self.hash {
            HashAlgorithm::Sha256 => "rsa-sha256",
            HashAlgorithm::Sha1 => "rsa-sha1",
        }
    }

    fn key_type(&self) -> &'static str {
        "rsa"
    }

    fn hash(&self) -> HashAlgorithm {
        self.hash
    }

    fn decode_key(&self, key: &[u8]) -> Result<Arc<dyn VerifyingKey>, InvalidKey> {
        let public = PublicKey::decode(key)?;
        let work = public.work();
        let PublicKey { key, exponent } = public;
        let prepared = match self.arithmetic {
            Arithmetic::Own => own::RsaPublicKey::from_components(&key.n().to_bytes_be(), exponent).ok(),
            Arithmetic::Crate => None,
        };
        Ok(Arc::new(Key { key, prepared, work, hash: self.hash }))
    }
}

/// A key that was decoded and found sane, whoever is to compute with it.
pub(super) struct PublicKey {
    pub(super) key: RsaPublicKey,
    pub(super) exponent: u64,
}

impl PublicKey {
    pub(super) fn decode(key: &[u8]) -> Result<Self, InvalidKey> {
        // RFC 6376 §3.6.1 says RSAPublicKey, its examples and all the world publish SubjectPublicKeyInfo (erratum 3017).
        let rsa_public_key = match SubjectPublicKeyInfoRef::from_der(key) {
            Ok(outer) if outer.algorithm.oid == RSA_ENCRYPTION => {
                outer.subject_public_key.as_bytes().ok_or(InvalidKey::Encoding)?
            }
            Ok(_) => return Err(InvalidKey::Encoding),
            Err(_) => key,
        };
        let parts = rsa::pkcs1::RsaPublicKey::from_der(rsa_public_key).map_err(|_| InvalidKey::Encoding)?;
        let (modulus, exponent) = (parts.modulus.as_bytes(), parts.public_exponent.as_bytes());
        // All that follows looks at a few octets; no number is computed with before it is known to be sane.
        let leading_zeros = modulus.first().map_or(0, |octet| octet.leading_zeros() as usize);
        let bits = modulus.len().saturating_mul(8).saturating_sub(leading_zeros);
        if bits > MAX_BITS {
            return Err(InvalidKey::TooLong { bits });
        }
        if modulus.last().is_none_or(|octet| octet % 2 == 0) {
            return Err(InvalidKey::Modulus);
        }
        let value = exponent.iter().try_fold(0_u64, |value, octet| Some(value.checked_mul(256)? + u64::from(*octet)));
        let exponent = value.filter(|value| (3..=MAX_EXPONENT).contains(value) && value % 2 == 1);
        let exponent = exponent.ok_or(InvalidKey::Exponent)?;
        let key = RsaPublicKey::new(BigUint::from_bytes_be(modulus), BigUint::from(exponent))
            .map_err(|_| InvalidKey::Modulus)?;
        Ok(Self { key, exponent })
    }

    /// The same whoever computes, so that no verdict depends on it.
    pub(super) fn work(&self) -> usize {
        let factor = if own::RsaPublicKey::takes_exponent(self.exponent) { 1 } else { UNUSUAL_EXPONENT };
        rsa_work(self.key.n().bits()).saturating_mul(factor)
    }
}

/// The numbers of a key.
pub(crate) struct Numbers {
    /// Most significant octet first.
    pub(crate) modulus: Vec<u8>,
    pub(crate) exponent: u64,
}

/// Those of the octets of `p=`, where they are a key that would be accepted.
pub(crate) fn numbers(key: &[u8]) -> Option<Numbers> {
    let PublicKey { key, exponent } = PublicKey::decode(key).ok()?;
    Some(Numbers { modulus: key.n().to_bytes_be(), exponent })
}

#[derive(Debug)]
struct Key {
    key: RsaPublicKey,
    /// `None` where the crate `rsa` verifies.
    prepared: Option<own::RsaPublicKey>,
    work: usize,
    hash: HashAlgorithm,
}

impl VerifyingKey for Key {
    fn bits(&self) -> usize {
        self.key.n().bits()
    }

    fn work(&self) -> usize {
        self.work
    }

    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let hash = match self.hash {
            HashAlgorithm::Sha256 => own::Hash::Sha256,
            HashAlgorithm::Sha1 => own::Hash::Sha1,
        };
        if let Some(prepared) = &self.prepared {
            return prepared.verify_pkcs1v15(hash, digest, signature).map_err(|_| InvalidSignature);
        }
        let prefix = hash.digest_info().into();
        let scheme = Pkcs1v15Sign { hash_len: Some(self.hash.output_len()), prefix };
        self.key.verify(scheme, digest, signature).map_err(|_| InvalidSignature)
    }

    fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        if let Some(prepared) = &self.prepared {
            return prepared.open(signature).ok();
        }
        let octets = self.key.size();
        let number = BigUint::from_bytes_be(signature);
        if signature.len() != octets || number >= *self.key.n() {
            return None;
        }
        let opened = number.modpow(self.key.e(), self.key.n()).to_bytes_be();
        let zeros = octets.checked_sub(opened.len())?;
        Some(std::iter::repeat_n(0, zeros).chain(opened).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RSAPublicKey of 2^16 - 15 and this exponent.
    fn small(exponent: u8) -> Vec<u8> {
        vec![0x30, 0x08, 0x02, 0x03, 0x00, 0xff, 0xf1, 0x02, 0x01, exponent]
    }

    #[test]
    fn both_ways_of_computing_open_a_signature_alike() {
        // 3^3, 3^5 and 3^7; the last exponent is left to the crate by both.
        for (exponent, cube) in [(3, 27_u16), (5, 243), (7, 2187)] {
            for algorithm in [RSA_SHA256, RSA_SHA256_REFERENCE] {
                let key = algorithm.decode_key(&small(exponent)).unwrap();
                assert_eq!(key.open(&[0, 3]), Some(cube.to_be_bytes().to_vec()), "{exponent} {algorithm:?}");
                for wrong in [&[][..], &[3], &[0, 0, 3], &[0xff, 0xf1], &[0xff, 0xff]] {
                    assert_eq!(key.open(wrong), None, "{wrong:?}");
                }
            }
        }
    }
}
