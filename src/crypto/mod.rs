//! Signature algorithms: what is allowed, and who computes it.

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
mod ed25519;
mod key_length;
mod rsa;
mod weak_key;

pub use ed25519::{ED25519_SHA256, ED25519_SHA256_REFERENCE};
pub(crate) use key_length::wanted_octets;
pub(crate) use rsa::numbers;
pub use rsa::{RSA_SHA1, RSA_SHA1_REFERENCE, RSA_SHA256, RSA_SHA256_REFERENCE};
pub(crate) use weak_key::{is_published, small_factor};

use sha2::Digest as _;
use std::{fmt, sync::Arc};

/// One signature algorithm of the `a=` tag, and who computes it.
pub trait SignatureAlgorithm: fmt::Debug + Send + Sync {
    /// The `a=` value, such as `rsa-sha256`.
    fn name(&self) -> &'static str;
    /// The `k=` value of the keys it takes, such as `rsa`.
    fn key_type(&self) -> &'static str;
    /// The hash of the signed data, and of the body.
    fn hash(&self) -> HashAlgorithm;
    /// Makes a key of the `p=` octets of a key record (base64 already decoded).
    ///
    /// # Errors
    /// [`InvalidKey`] says what is wrong with it; nothing costly is computed before the key's size is known to be sane.
    fn decode_key(&self, key: &[u8]) -> Result<Arc<dyn VerifyingKey>, InvalidKey>;
}

/// A public key, ready for use.
pub trait VerifyingKey: fmt::Debug + Send + Sync {
    /// The size of the key: of the modulus for RSA, 256 for Ed25519.
    fn bits(&self) -> usize;
    /// What a verification costs, in units of [`Share::work`](crate::Share::work); never less than one.
    ///
    /// By default that of RSA with a usual exponent: one unit up to 2048 bits, and more by the square of the size.
    fn work(&self) -> usize {
        rsa_work(self.bits())
    }
    /// Verifies a signature over data that hashes to `digest`.
    ///
    /// # Errors
    /// [`InvalidSignature`], which tells no more than that.
    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature>;
    /// The block that was signed, for RSA (RFC 8017 §8.2.2, step 2): with the key that signed it is padding, a DigestInfo and the digest,
    /// with another one it is as good as random. `None` where the algorithm has none to show, or the signature is not of the key's size.
    ///
    /// It says what a signature was made of that does not verify, and decides nothing.
    fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let _ = signature;
        None
    }
}

/// The square of the size, with 2048 bits for the unit.
fn rsa_work(bits: usize) -> usize {
    const UNIT: usize = 2048;
    bits.saturating_mul(bits).div_ceil(UNIT * UNIT).max(1)
}

/// The signature does not belong to the data and the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct InvalidSignature;

/// Why octets are no usable public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum InvalidKey {
    /// Neither a SubjectPublicKeyInfo nor an RSAPublicKey (RFC 6376 §3.6.1), or trailing octets.
    #[error("the key is neither a SubjectPublicKeyInfo nor an RSAPublicKey")]
    Encoding,
    /// The modulus is too long to be worth any work.
    #[error("the modulus has {bits} bits; at most 4096 are verified")]
    TooLong {
        /// The size of the modulus.
        bits: usize,
    },
    /// The modulus is even or zero.
    #[error("the modulus is not an odd number")]
    Modulus,
    /// The public exponent is even, too small or too large.
    #[error("the public exponent is not acceptable")]
    Exponent,
    /// An Ed25519 key has 32 octets (RFC 8463 §4.2).
    #[error("an Ed25519 key has 32 octets, not {octets}")]
    Ed25519Length {
        /// How many there were.
        octets: usize,
    },
    /// The octets are no point of the curve, or one of small order.
    #[error("the octets are no usable point of the curve")]
    Ed25519Point,
}

/// Every algorithm that is known here, accepted by default or not.
pub(crate) const KNOWN: [&dyn SignatureAlgorithm; 3] = [RSA_SHA256, ED25519_SHA256, RSA_SHA1];

/// A hash function of RFC 6376 §3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-1, historic (RFC 8301 §3.1).
    Sha1,
}

/// A hash that is being computed; cloning it keeps what was computed so far.
#[derive(Clone, Debug)]
pub(crate) enum Hasher {
    Sha256(sha2::Sha256),
    Sha1(sha1::Sha1),
}

impl HashAlgorithm {
    pub(crate) fn hasher(self) -> Hasher {
        match self {
            Self::Sha256 => Hasher::Sha256(sha2::Sha256::new()),
            Self::Sha1 => Hasher::Sha1(sha1::Sha1::new()),
        }
    }

    /// The name in `a=` and in `h=` of key records, such as `sha256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
        }
    }

    /// Octets of the hash.
    pub fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha1 => 20,
        }
    }
}

impl Hasher {
    pub(crate) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(data),
            Self::Sha1(hasher) => hasher.update(data),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::of(&hasher.finalize()),
            Self::Sha1(hasher) => Digest::of(&hasher.finalize()),
        }
    }
}

/// A computed hash, kept without an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    octets: [u8; 32],
    len: u8,
}

impl Digest {
    /// Of no more than 32 octets.
    pub(crate) fn of(output: &[u8]) -> Self {
        let mut digest = Self { octets: [0; 32], len: 0 };
        for (to, from) in digest.octets.iter_mut().zip(output) {
            *to = *from;
        }
        digest.len = u8::try_from(output.len()).unwrap_or_default();
        digest
    }

    /// The octets of the hash: 32 of SHA-256, 20 of SHA-1.
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.len.into()).unwrap_or_default()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use base64::Engine as _;
        serializer.serialize_str(&base64::engine::general_purpose::STANDARD.encode(self.as_bytes()))
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use base64::Engine as _;
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let read = base64::engine::general_purpose::STANDARD.decode(text).map_err(D::Error::custom)?;
        match read.len() {
            20 | 32 => Ok(Self::of(&read)),
            octets => Err(D::Error::custom(format_args!("a hash has 20 or 32 octets, not {octets}"))),
        }
    }
}
