#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod check;
mod ed25519;
mod edwards;
mod field25519;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod limb;
mod montgomery;
mod power;
mod rsa;
mod small_order;

pub use ed25519::{Ed25519PublicKey, InvalidEd25519Key};
pub use rsa::{Hash, InvalidRsaKey, RsaPublicKey};
pub use small_order::has_small_order;

/// Whether RSA is computed by vectors on this processor (AVX-512 with its 52-bit products), in about a third of the time.
#[cfg(target_arch = "x86_64")]
pub fn has_vectors() -> bool {
    ifma::level().is_some()
}

/// Whether RSA is computed by vectors on this processor; never on this architecture.
#[cfg(not(target_arch = "x86_64"))]
pub fn has_vectors() -> bool {
    false
}

/// The signature does not belong to the data and the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct InvalidSignature;
