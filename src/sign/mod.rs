//! Signatures are made: DKIM (RFC 6376, RFC 8301, RFC 8463).
//!
#![doc = include_str!("../../docs/sign.md")]

mod fields;
mod folding;
#[cfg(feature = "sign")]
mod key_error;
mod message;
#[cfg(feature = "sign")]
mod private_key;
mod sign_error;
mod signer;
mod signing;
mod signing_key;

pub use fields::{DEFAULT_FIELDS, DEFAULT_OVERSIGNED};
#[cfg(feature = "sign")]
pub use key_error::KeyError;
#[cfg(feature = "sign")]
pub use private_key::{NewKey, PrivateKey};
pub use sign_error::SignError;
pub use signer::{Signer, SignerError};
pub use signing::{Signing, Unsigned};
pub use signing_key::{KeyFault, SigningAlgorithm, SigningKey};
