//! RSA with PKCS #1 version 1.5, RFC 6376 §3.3 and RFC 8301.

use super::{HashAlgorithm, InvalidKey, InvalidSignature, SignatureAlgorithm, VerifyingKey, rsa_public::PreparedKey};
use rsa::{
    BigUint, Pkcs1v15Sign, RsaPublicKey,
    pkcs1::{ObjectIdentifier, der::Decode as _},
    pkcs8::SubjectPublicKeyInfoRef,
    traits::PublicKeyParts as _,
};
use std::sync::Arc;

/// rsa-sha256 (RFC 6376 §3.3.2).
///
/// The crate `rsa` decodes and checks keys; signatures are verified with arithmetic of this library for the exponents 2^n + 1 up to
/// 65537, which is all that is met in practice, and with the crate's for any other.
pub const RSA_SHA256: &dyn SignatureAlgorithm = &Rsa { hash: HashAlgorithm::Sha256, arithmetic: Arithmetic::Own };

/// [`RSA_SHA256`] with the arithmetic of the crate `rsa` alone: several times slower, for those who trust it more.
///
/// ```
/// use mailverdict::crypto::{ED25519_SHA256, RSA_SHA256_REFERENCE};
/// let mut policy = mailverdict::dkim::Policy::default();
/// policy.algorithms = vec![RSA_SHA256_REFERENCE, ED25519_SHA256];
/// ```
pub const RSA_SHA256_REFERENCE: &dyn SignatureAlgorithm =
    &Rsa { hash: HashAlgorithm::Sha256, arithmetic: Arithmetic::Crate };

/// rsa-sha1 (RFC 6376 §3.3.1), which RFC 8301 §3.1 forbids: no policy accepts it unless it is put there by hand.
pub const RSA_SHA1: &dyn SignatureAlgorithm = &Rsa { hash: HashAlgorithm::Sha1, arithmetic: Arithmetic::Own };

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
        let prepared = match self.arithmetic {
            Arithmetic::Own => PreparedKey::new(modulus, exponent),
            Arithmetic::Crate => None,
        };
        Ok(Arc::new(Key { key, prepared, hash: self.hash }))
    }
}

#[derive(Debug)]
struct Key {
    key: RsaPublicKey,
    /// `None` where the crate `rsa` verifies.
    prepared: Option<PreparedKey>,
    hash: HashAlgorithm,
}

impl VerifyingKey for Key {
    fn bits(&self) -> usize {
        self.key.n().bits()
    }

    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if let Some(prepared) = &self.prepared {
            return prepared.verify(digest_prefix(self.hash), digest, signature);
        }
        let scheme = Pkcs1v15Sign { hash_len: Some(self.hash.output_len()), prefix: digest_prefix(self.hash).into() };
        self.key.verify(scheme, digest, signature).map_err(|_| InvalidSignature)
    }
}

/// The DER of DigestInfo up to the digest (RFC 8017 §9.2, note 1).
fn digest_prefix(hash: HashAlgorithm) -> &'static [u8] {
    match hash {
        HashAlgorithm::Sha256 => b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
        HashAlgorithm::Sha1 => b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::rsa::{RsaPrivateKey, pkcs1::DecodeRsaPrivateKey as _, pkcs8::EncodePublicKey as _};

    fn key(name: &str) -> RsaPrivateKey {
        let file = format!("{}/tests/data/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        RsaPrivateKey::from_pkcs1_pem(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    /// What a signature of `digest` becomes, and whether it is one.
    fn variants(key: &RsaPrivateKey, digest: &[u8], prefix: &[u8]) -> Vec<(Vec<u8>, bool)> {
        let scheme = Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: prefix.into() };
        let good = key.sign(scheme, digest).unwrap();
        let k = good.len();
        let plus_modulus = (BigUint::from_bytes_be(&good) + key.n()).to_bytes_be();
        let mut variants = vec![
            ([&[0], &good[..]].concat(), false),
            (good[1..].to_vec(), false),
            (plus_modulus, false),
            (key.n().to_bytes_be(), false),
            (vec![0; k], false),
            (vec![0xff; k], false),
            (vec![], false),
            ([vec![0; k - 1], vec![1]].concat(), false),
        ];
        for bit in (0..8 * k).step_by(37) {
            let mut flipped = good.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            variants.push((flipped, false));
        }
        variants.push((good, true));
        variants
    }

    #[test]
    fn both_arithmetics_accept_what_was_signed_and_nothing_else() {
        for name in ["rsa512", "rsa1016", "rsa1024", "rsa2048", "rsa2048-e3", "rsa4096"] {
            let key = key(name);
            let public = key.to_public_key().to_public_key_der().unwrap().into_vec();
            for (hash, digest) in [(HashAlgorithm::Sha256, [0x5a; 32].as_slice()), (HashAlgorithm::Sha1, &[0xa5; 20])] {
                let own = Rsa { hash, arithmetic: Arithmetic::Own }.decode_key(&public).unwrap();
                let by_crate = Rsa { hash, arithmetic: Arithmetic::Crate }.decode_key(&public).unwrap();
                for (signature, valid) in variants(&key, digest, digest_prefix(hash)) {
                    assert_eq!(own.verify(digest, &signature).is_ok(), valid, "{name} {hash:?} {signature:02x?}");
                    assert_eq!(by_crate.verify(digest, &signature).is_ok(), valid, "{name} {hash:?} {signature:02x?}");
                }
                let other = digest.iter().map(|octet| octet ^ 1).collect::<Vec<_>>();
                let (signature, _) = variants(&key, digest, digest_prefix(hash)).pop().unwrap();
                assert_eq!(own.verify(&other, &signature), Err(InvalidSignature), "another digest");
            }
        }
    }

    #[test]
    fn a_signature_whose_padding_or_digest_info_differs_is_refused_though_its_digest_is_right() {
        let key = key("rsa2048");
        let public = key.to_public_key().to_public_key_der().unwrap().into_vec();
        let own = RSA_SHA256.decode_key(&public).unwrap();
        let digest = [0x5a; 32];
        let info = digest_prefix(HashAlgorithm::Sha256);
        let encode = |lead: &[u8], padding: u8, info: &[u8], tail: &[u8]| {
            let filled = 256 - lead.len() - 1 - info.len() - digest.len() - tail.len();
            [lead, &vec![padding; filled], &[0], info, &digest, tail].concat()
        };
        let sign = |message: &[u8]| {
            use ::rsa::traits::PrivateKeyParts as _;
            let signature = BigUint::from_bytes_be(message).modpow(key.d(), key.n()).to_bytes_be();
            [vec![0; 256 - signature.len()], signature].concat()
        };
        assert_eq!(own.verify(&digest, &sign(&encode(&[0, 1], 0xff, info, &[]))), Ok(()));
        let forged = [
            encode(&[0, 2], 0xff, info, &[]),
            encode(&[0, 1], 0xfe, info, &[]),
            // Octets after the digest: what let signatures be forged for small exponents.
            encode(&[0, 1], 0xff, info, &[0; 16]),
            // DigestInfo without the NULL parameters.
            encode(&[0, 1], 0xff, b"\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20", &[]),
            encode(&[0, 1], 0xff, &[], &[]),
        ];
        for message in forged {
            assert_eq!(own.verify(&digest, &sign(&message)), Err(InvalidSignature), "{message:02x?}");
        }
    }
}
