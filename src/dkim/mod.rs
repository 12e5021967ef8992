//! DomainKeys Identified Mail, RFC 6376 with RFC 8301, 8463 and 8616.
//!
//! [`StreamingVerifier`] verifies the signatures of a message whose body comes in pieces;
//! [`Authenticator`](crate::Authenticator) those of a whole message.
//!
#![doc = include_str!("../../docs/dkim.md")]

mod block;
pub(crate) mod body_hash;
pub(crate) mod canonical_body;
pub(crate) mod canonicalize;
mod diagnose;
mod gather;
pub(crate) mod header_hash;
mod key_record;
pub(crate) mod keys;
mod kinship;
pub(crate) mod parse;
mod policy;
mod result;
pub(crate) mod signature;
mod streaming;
pub(crate) mod verify;

pub use canonicalize::{Algorithm, Canonicalization};
pub use key_record::KeyRecord;
pub use keys::Keys;
pub use policy::Policy;
pub use result::{
    DkimResult, FailReason, KeyRecordError, KeyRestriction, KeySummary, NeutralReason, PermReason, PolicyReason,
    SignatureError, SignatureReport, SignatureSummary,
};
pub use signature::{FieldNames, Signature};
pub use streaming::StreamingVerifier;

pub(crate) use keys::KeyMemory;

use crate::{budget::Purse, dns::Resolver, join::join, message::Message, name::Domain, time::UnixTime};
use std::pin::pin;

/// Evaluates every DKIM-Signature field, in the order of the message; the only function of this module that asks the DNS.
///
/// `author_domains` say which signatures can align, and so come first where there are more than are verified.
pub(crate) async fn verify_all<R: Resolver>(
    resolver: &R,
    memory: &KeyMemory,
    policy: &Policy,
    message: &Message<'_>,
    author_domains: &[Domain],
    now: UnixTime,
    purse: &mut Purse,
) -> Vec<SignatureReport> {
    let mut verifier = StreamingVerifier::new(policy, message.header(), author_domains, now);
    // The questions are on their way while the body is hashed.
    let keys = pin!(verifier.recall_keys(resolver, Some(memory)));
    let (keys, ()) = join(keys, pin!(async { verifier.body(message.body()) })).await;
    verifier.finish_within(&keys, purse)
}
