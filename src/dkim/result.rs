//! Results of DKIM, each with its reason.

use crate::{
    crypto::{Digest, InvalidKey},
    dns::LookupError,
    lex::SyntaxError,
    name::{Domain, Name},
    time::UnixTime,
};

/// What was found out about one DKIM-Signature field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SignatureReport {
    /// The place of the field among all fields of the header, from 0 at the top.
    pub field_index: usize,
    /// What the field says; what could not be read is empty.
    pub signature: SignatureSummary,
    /// The result and its reason.
    pub result: DkimResult,
    /// The key record that decided, where one was found.
    pub key: Option<KeySummary>,
    /// The hash of the canonicalized body (its first `l=` octets, where there is `l=`), where it was computed.
    pub body_hash: Option<Digest>,
    /// The hash of the canonicalized header fields, where it was computed.
    pub header_hash: Option<Digest>,
    /// Octets of the canonicalized body that the signature does not cover, because `l=` is shorter.
    pub unsigned_octets: u64,
}

/// What a DKIM-Signature field says, as far as it could be read; owned, for reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SignatureSummary {
    /// `d=`, the signing domain, with A-labels.
    pub domain: Option<Domain>,
    /// `s=`, the selector, with A-labels.
    pub selector: Option<Name>,
    /// `a=`, as written.
    pub algorithm: Option<Box<str>>,
    /// `i=`, decoded; without `i=`, `@` and the signing domain.
    pub identity: Option<Box<str>>,
    /// `c=` for header and body, such as `relaxed/simple`.
    pub canonicalization: Option<Box<str>>,
    /// `h=`, as written, in its order.
    pub signed_fields: Box<[Box<str>]>,
    /// `l=`, octets of the canonicalized body.
    pub body_length: Option<u64>,
    /// `t=`.
    pub timestamp: Option<UnixTime>,
    /// `x=`.
    pub expiration: Option<UnixTime>,
    /// `b=`, base64 without white space; for `header.b` of RFC 8601.
    pub signature_data: Box<str>,
}

/// The key record behind a result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct KeySummary {
    /// The name that was asked for.
    pub name: Name,
    /// The record's text as answered, octets outside printable ASCII escaped.
    pub text: Box<str>,
    /// Size of the key in bits.
    pub bits: Option<usize>,
    /// `t=y`: the domain is testing DKIM.
    pub testing: bool,
    /// How many records stood at the name.
    pub records: usize,
}

/// The results of RFC 8601 §2.7.1 (without `none`: a message without signatures has an empty list).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum DkimResult {
    /// The signature verifies.
    Pass,
    /// The message is not what was signed.
    Fail(FailReason),
    /// The signature verifies or might, but this receiver does not accept it.
    Policy(PolicyReason),
    /// The field is no signature that could be evaluated.
    Neutral(NeutralReason),
    /// The key could not be asked for.
    TempError(LookupError),
    /// The signature cannot verify, now or later.
    PermError(PermReason),
}

/// Why the result is `fail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum FailReason {
    /// `bh=` differs from the hash of the body (RFC 6376 §6.1.3).
    BodyHashMismatch,
    /// `b=` does not verify (RFC 6376 §6.1.3).
    InvalidSignature,
}

/// Why the result is `policy`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum PolicyReason {
    /// `l=` leaves a part of the body unsigned, and the receiver does not accept that.
    PartialBody {
        /// Octets of the canonicalized body that are not covered.
        unsigned_octets: u64,
    },
    /// The key is shorter than the receiver accepts (RFC 8301 §3.2).
    KeyTooShort {
        /// Size of the key.
        bits: usize,
    },
    /// The algorithm is known and not accepted, as rsa-sha1 (RFC 8301 §3.1).
    AlgorithmNotAccepted,
}

/// Why the result is `neutral`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum NeutralReason {
    /// The message has more signatures than the receiver verifies; this one was not evaluated.
    NotEvaluated,
}

/// Why the result is `permerror`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum PermReason {
    /// The field breaks a rule of RFC 6376 §3.5.
    Signature(SignatureError),
    /// The signature has expired (`x=`).
    Expired {
        /// `x=`.
        expiration: UnixTime,
    },
    /// The signature was made in the future (`t=`).
    FutureTimestamp {
        /// `t=`.
        timestamp: UnixTime,
    },
    /// The algorithm is not known.
    UnknownAlgorithm,
    /// There is no key record (RFC 6376 §6.1.2).
    NoKey,
    /// The key has been revoked (`p=` empty).
    Revoked,
    /// No key record at the name can be used; the reason is that of the first one.
    KeyRecord(KeyRecordError),
    /// The key does not allow this use: `k=`, `h=`, `s=` or `t=s` (RFC 6376 §3.6.1).
    KeyNotAllowed(KeyRestriction),
    /// `l=` is longer than the body (RFC 6376 §3.5).
    BodyShorterThanLength,
}

/// The restriction of a key record that a signature breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum KeyRestriction {
    /// `k=` names another key type than `a=`.
    KeyType,
    /// `h=` does not list the hash of `a=`.
    HashAlgorithm,
    /// `s=` lists neither `*` nor `email`.
    ServiceType,
    /// `t=s` and the domain of `i=` is not that of `d=`.
    StrictIdentity,
}

/// What is wrong with a DKIM-Signature field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum SignatureError {
    /// It does not follow the grammar.
    Syntax(SyntaxError),
    /// A required tag is missing.
    MissingTag(&'static str),
}

/// What is wrong with a key record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum KeyRecordError {
    /// It does not follow the grammar.
    Syntax(SyntaxError),
    /// The key itself is not usable.
    InvalidKey(InvalidKey),
}

impl DkimResult {
    /// The result's word in header fields and reports (RFC 8601 §2.7.1).
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Policy(_) => "policy",
            Self::Neutral(_) => "neutral",
            Self::TempError(_) => "temperror",
            Self::PermError(_) => "permerror",
        }
    }
}
