//! Whoever has a private key.

use std::{fmt, future::Future};

/// What a key signs with: the `a=` tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// `rsa-sha256` (RFC 6376 §3.3.2), which every verifier knows.
    RsaSha256,
    /// `ed25519-sha256` (RFC 8463), which some do.
    Ed25519Sha256,
}

impl SigningAlgorithm {
    /// The value of `a=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }

    /// The value of `k=` in the key record.
    pub fn key_type(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa",
            Self::Ed25519Sha256 => "ed25519",
        }
    }
}

/// A private key, wherever it is: in memory, in a module of hardware, in a service or with an agent.
///
/// ```
/// use mailverdict::sign::{KeyFault, SigningAlgorithm, SigningKey};
/// struct Agent;
/// impl SigningKey for Agent {
///     fn algorithm(&self) -> SigningAlgorithm {
///         SigningAlgorithm::RsaSha256
///     }
///     async fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, KeyFault> {
///         assert_eq!(digest.len(), 32);
///         Err(KeyFault::new("the agent is not there"))
///     }
/// }
/// ```
pub trait SigningKey: Send + Sync {
    /// What it signs with.
    fn algorithm(&self) -> SigningAlgorithm;

    /// The signature over these 32 octets, the SHA-256 of what is signed: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2) over the digest,
    /// or PureEd25519 of the digest itself (RFC 8463 §3).
    ///
    /// # Errors
    /// [`KeyFault`] where there is no signature to be had.
    fn sign(&self, digest: &[u8]) -> impl Future<Output = Result<Vec<u8>, KeyFault>> + Send;
}

/// Why a key did not sign; says nothing of the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFault(Box<str>);

impl KeyFault {
    /// In words.
    pub fn new(why: &str) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key did not sign: {}", crate::lex::Printable(&self.0))
    }
}

impl std::error::Error for KeyFault {}
