//! DomainKeys Identified Mail, RFC 6376 with RFC 8301, 8463 and 8616.
//!
#![doc = include_str!("../../docs/dkim.md")]

mod block;
mod block_buffer;
pub(crate) mod body_hash;
pub(crate) mod canonical_body;
pub(crate) mod canonicalize;
mod change;
mod diagnose;
mod field_names;
#[cfg(feature = "serde")]
mod hashes;
pub(crate) mod header_hash;
mod key_record;
pub(crate) mod keys;
pub(crate) mod parse;
mod policy;
mod prospect;
mod result;
pub(crate) mod signature;
mod tag_error;
pub(crate) mod trial;
mod verifier;
pub(crate) mod verify;

pub use canonicalize::{Algorithm, Canonicalization};
pub use change::{Change, ChangeKind, ChangePart, Undo};
pub use field_names::FieldNames;
pub use key_record::KeyRecord;
pub use policy::Policy;
pub use result::{
    DkimResult, FailReason, KeyRecordError, KeyRestriction, KeySummary, NeutralReason, PermReason, PolicyReason,
    SignatureError, SignatureReport, SignatureSummary,
};
pub use signature::Signature;
pub use tag_error::TagError;

#[cfg(feature = "serde")]
pub(crate) use hashes::Hashes;
pub(crate) use keys::Keys;
pub(crate) use verifier::Verifier;
