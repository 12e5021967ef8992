//! Private keys in memory. AWS-LC computes with them.

use super::{
    key_error::KeyError,
    signing_key::{KeyFault, SigningAlgorithm, SigningKey},
};
use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der},
    rsa::KeySize,
    signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt;
use zeroize::Zeroizing;

/// Octets of a file that may hold a key.
const MAX_FILE: usize = 64 << 10;

/// A private key, ready to sign. It is never shown.
pub struct PrivateKey(Pair);

enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Kinds of keys that are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NewKey {
    /// RSA of 2048 bits, which all verifiers know.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits, the most that verifiers need to know (RFC 8301 §3.2).
    Rsa4096,
    /// Ed25519 (RFC 8463).
    Ed25519,
}

/// The size and the kind alone.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, {} bits)", self.algorithm().name(), self.bits())
    }
}

impl PrivateKey {
    /// Reads a file: PEM of PKCS#1 or PKCS#8, DER of the same, or 32 octets of an Ed25519 seed in base64.
    ///
    /// # Errors
    /// [`KeyError`], which tells nothing of the file.
    pub fn read(file: &[u8]) -> Result<Self, KeyError> {
        if file.len() > MAX_FILE {
            return Err(KeyError::NotAKey);
        }
        let text = std::str::from_utf8(file).ok().map(str::trim);
        if let Some(text) = text {
            if text.contains("-----BEGIN ") {
                return Self::of_pem(text);
            }
            if let Ok(octets) = STANDARD.decode(text).map(Zeroizing::new) {
                return if octets.len() == 32 { Self::of_seed(&octets) } else { Self::of_der(&octets) };
            }
        }
        Self::of_der(file)
    }

    fn of_pem(text: &str) -> Result<Self, KeyError> {
        let (_, rest) = text.split_once("-----BEGIN ").ok_or(KeyError::NotAKey)?;
        let (label, rest) = rest.split_once("-----").ok_or(KeyError::NotAKey)?;
        let (body, _) = rest.split_once("-----END ").ok_or(KeyError::NotAKey)?;
        if label.contains("ENCRYPTED") || body.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        if label.contains("PUBLIC") {
            return Err(KeyError::Public);
        }
        let base64: Zeroizing<String> = Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
        let der = STANDARD.decode(&*base64).map(Zeroizing::new).map_err(|_| KeyError::NotAKey)?;
        Self::of_der(&der)
    }

    fn of_der(der: &[u8]) -> Result<Self, KeyError> {
        // A sequence, whatever the key is.
        if der.first() != Some(&0x30) {
            return Err(KeyError::NotAKey);
        }
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)) {
            let bits = 8 * pair.public_modulus_len();
            return if bits < 2048 { Err(KeyError::TooShort { bits }) } else { Ok(Self(Pair::Rsa(pair))) };
        }
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| KeyError::Unusable)?;
        Ok(Self(Pair::Ed25519(pair)))
    }

    /// Of the 32 octets of an Ed25519 seed (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] where they are not 32.
    pub fn of_seed(seed: &[u8]) -> Result<Self, KeyError> {
        if seed.len() != 32 {
            return Err(KeyError::NotAKey);
        }
        Ed25519KeyPair::from_seed_unchecked(seed).map(|pair| Self(Pair::Ed25519(pair))).map_err(|_| KeyError::Unusable)
    }

    /// A new key.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn new(kind: NewKey) -> Result<Self, KeyError> {
        let rsa = |size| RsaKeyPair::generate(size).map(Pair::Rsa);
        let pair = match kind {
            NewKey::Rsa2048 => rsa(KeySize::Rsa2048),
            NewKey::Rsa3072 => rsa(KeySize::Rsa3072),
            NewKey::Rsa4096 => rsa(KeySize::Rsa4096),
            NewKey::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
        };
        pair.map(Self).map_err(|_| KeyError::NoRandomness)
    }

    /// PEM of PKCS#8, to be kept where nobody else reads it.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] where the key cannot be written.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let der: Pkcs8V1Der<'_> = match &self.0 {
            Pair::Rsa(pair) => pair.as_der(),
            Pair::Ed25519(pair) => pair.as_der(),
        }
        .map_err(|_| KeyError::Unusable)?;
        let base64 = Zeroizing::new(STANDARD.encode(der.as_ref()));
        let mut pem = Zeroizing::new(String::with_capacity(base64.len() * 2 + 64));
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        for line in base64.as_bytes().chunks(64) {
            pem.push_str(std::str::from_utf8(line).unwrap_or_default());
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// The size: of the modulus for RSA, 256 for Ed25519.
    pub fn bits(&self) -> usize {
        match &self.0 {
            Pair::Rsa(pair) => 8 * pair.public_modulus_len(),
            Pair::Ed25519(_) => 256,
        }
    }

    /// The key record that belongs to it (RFC 6376 §3.6.1, RFC 8463 §4).
    ///
    /// # Errors
    /// [`KeyError::Unusable`] where the public key cannot be written.
    pub fn record(&self) -> Result<String, KeyError> {
        let key = match &self.0 {
            Pair::Rsa(pair) => {
                let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyError::Unusable)?;
                STANDARD.encode(der.as_ref())
            }
            Pair::Ed25519(pair) => STANDARD.encode(pair.public_key().as_ref()),
        };
        Ok(format!("v=DKIM1; k={}; p={key}", self.algorithm().key_type()))
    }

    /// The signature over a SHA-256 digest, at once; see [`SigningKey::sign`].
    ///
    /// # Errors
    /// [`KeyFault`] where there is none.
    pub fn sign_digest(&self, digest: &[u8]) -> Result<Vec<u8>, KeyFault> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let bad = |_| KeyFault::new("AWS-LC refused");
                let digest = digest::Digest::import_less_safe(digest, &digest::SHA256).map_err(bad)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature).map_err(bad)?;
                Ok(signature)
            }
            // RFC 8463 §3: the digest is what is signed.
            Pair::Ed25519(pair) => Ok(pair.sign(digest).as_ref().to_vec()),
        }
    }
}

impl SigningKey for PrivateKey {
    fn algorithm(&self) -> SigningAlgorithm {
        match &self.0 {
            Pair::Rsa(_) => SigningAlgorithm::RsaSha256,
            Pair::Ed25519(_) => SigningAlgorithm::Ed25519Sha256,
        }
    }

    async fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, KeyFault> {
        self.sign_digest(digest)
    }
}
