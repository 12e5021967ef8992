//! Signatures are made: DKIM (RFC 6376, RFC 8301, RFC 8463), and the sets of ARC (RFC 8617 §5.1).
//!
#![doc = include_str!("../../docs/sign.md")]

mod check_error;
mod draft;
mod fields;
mod folding;
#[cfg(feature = "sign")]
mod key_error;
mod message;
#[cfg(feature = "sign")]
mod private_key;
mod seal_error;
mod sealer;
mod sign_error;
mod signer;
mod signing;
mod signing_key;

pub use check_error::CheckError;
pub use fields::{DEFAULT_FIELDS, DEFAULT_OVERSIGNED};
#[cfg(feature = "sign")]
pub use key_error::KeyError;
pub use message::sign_with_keys;
#[cfg(feature = "sign")]
pub use private_key::{NewKey, PrivateKey};
pub use seal_error::SealError;
pub use sealer::Sealer;
pub use sign_error::SignError;
pub use signer::{Signer, SignerError};
pub use signing::{Signing, Unsigned};
pub use signing_key::{KeyFault, SigningAlgorithm, SigningKey};
