//! Why what was given is no private key. Nothing of what was given is told.

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Neither PEM, nor DER of PKCS#1 or PKCS#8, nor 32 octets of an Ed25519 seed in base64.
    #[error("this is no private key: expected PEM (PKCS#1 or PKCS#8), or 32 octets of an Ed25519 seed in base64")]
    NotAKey,
    /// It is encrypted.
    #[error("the private key is encrypted, and there is nobody to ask for its password")]
    Encrypted,
    /// It is of a kind with which nobody signs mail, or damaged.
    #[error("the private key is damaged, or neither of RSA (2048 to 8192 bits) nor of Ed25519")]
    Unusable,
    /// It is a public key.
    #[error("this is a public key, and the private one is needed")]
    Public,
    /// No key could be made.
    #[error("the system gave no random numbers")]
    NoRandomness,
    /// An RSA key has less than 2048 bits: signers must not use less than 1024, and should not use less than 2048 (RFC 8301 §3.2).
    #[error("the private key has {bits} bits, and 2048 are the least that is signed with")]
    TooShort {
        /// Its size.
        bits: usize,
    },
}
