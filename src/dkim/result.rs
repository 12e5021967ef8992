//! Results of DKIM, each with its reason.

use super::{field_names::FieldNames, tag_error::TagError};
use crate::{
    budget::Exhausted,
    crypto::{Digest, InvalidKey},
    dns::LookupError,
    lex::Printable,
    message::{Malformation, SingularFields},
    name::{Domain, Name},
    text::Text,
    time::UnixTime,
};
use std::{borrow::Cow, fmt, sync::Arc};

/// What was found out about one DKIM-Signature field.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Fields that must stand once, that the signature covers, and that the message has more often than it covers: those on top are not
    /// what was signed, and readers may show them (RFC 6376 §8.15). Empty where the signature was not evaluated.
    pub not_covered: SingularFields,
}

/// What a DKIM-Signature field says, as far as it could be read; owned, for reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureSummary {
    /// `d=`, the signing domain, with A-labels.
    pub domain: Option<Domain>,
    /// `s=`, the selector, with A-labels.
    pub selector: Option<Name>,
    /// `a=`, as written.
    pub algorithm: Option<Text>,
    /// `i=`, decoded; without `i=`, `@` and the signing domain.
    pub identity: Option<Text>,
    /// `c=` for header and body, such as `relaxed/simple`.
    pub canonicalization: Option<Text>,
    /// `h=`, as written, in its order.
    pub signed_fields: FieldNames,
    /// `l=`, octets of the canonicalized body.
    pub body_length: Option<u64>,
    /// `t=`.
    pub timestamp: Option<UnixTime>,
    /// `x=`.
    pub expiration: Option<UnixTime>,
    /// `b=`, base64 without white space; for `header.b` of RFC 8601.
    pub signature_data: Text,
}

/// The key record behind a result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct KeySummary {
    /// The name that was asked for.
    pub name: Name,
    /// The record's text as answered, octets outside printable ASCII escaped.
    pub text: Arc<str>,
    /// Size of the key in bits.
    pub bits: Option<usize>,
    /// `t=y`: the domain is testing DKIM.
    pub testing: bool,
    /// How many records stood at the name.
    pub records: usize,
}

/// The results of RFC 8601 §2.7.1 (without `none`: a message without signatures has an empty list).
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum FailReason {
    /// `bh=` differs from the hash of the body (RFC 6376 §6.1.3).
    BodyHashMismatch,
    /// `b=` does not verify (RFC 6376 §6.1.3).
    InvalidSignature,
}

/// Why the result is `policy`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
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
    /// rsa-sha1, which must not be used any more (RFC 8301 §3.1).
    HistoricAlgorithm,
    /// The algorithm is known and not in the receiver's list.
    AlgorithmNotAccepted,
    /// The header is malformed, so that readers disagree on what was signed (RFC 6376 §3.8, §8.15).
    MalformedHeader(Malformation),
}

/// Why the result is `neutral`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NeutralReason {
    /// The message has more signatures than the receiver verifies; this one was not evaluated.
    NotEvaluated,
    /// The message used up its budget before the signature was verified, or one of its keys tried.
    OutOfBudget(Exhausted),
}

/// Why the result is `permerror`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
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
    /// No key record at the name can be used; the reason is that of the record that came closest.
    KeyRecord(KeyRecordError),
    /// The key does not allow this use: `k=`, `h=`, `s=` or `t=s` (RFC 6376 §3.6.1).
    KeyNotAllowed(KeyRestriction),
    /// `l=` is longer than the body (RFC 6376 §3.5).
    BodyShorterThanLength {
        /// Octets of the canonicalized body.
        octets: u64,
    },
}

/// The restriction of a key record that a signature breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SignatureError {
    /// It does not follow the grammar.
    Syntax(Box<TagError>),
    /// A tag stands in it twice (RFC 6376 §3.2).
    DuplicateTag(Box<str>),
    /// A required tag is missing.
    MissingTag(Cow<'static, str>),
    /// `v=` is not `1`.
    Version,
    /// `c=` names a canonicalization that is not known (RFC 6376 §3.4).
    UnknownCanonicalization,
    /// `q=` lists no query method that is known: `dns/txt`.
    UnknownQueryMethod,
    /// `h=` does not name From (RFC 6376 §6.1.1).
    FromNotSigned,
    /// The domain of `i=` is not at or below `d=` (RFC 6376 §6.1.1).
    DomainMismatch,
    /// `x=` is not later than `t=` (RFC 6376 §3.5).
    ExpirationNotAfterTimestamp,
    /// `s=` and `d=` together are longer than a name of the DNS can be.
    KeyNameTooLong,
}

/// What is wrong with a key record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum KeyRecordError {
    /// It does not follow the grammar.
    Syntax(Box<TagError>),
    /// A tag stands in it twice (RFC 6376 §3.2).
    DuplicateTag(Box<str>),
    /// `v=` is not `DKIM1`.
    Version,
    /// `v=` is there, and not the first tag.
    VersionNotFirst,
    /// There is no `p=`.
    MissingKey,
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

/// The reason in words, for a mail administrator.
impl fmt::Display for DkimResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("the signature verifies"),
            Self::Fail(reason) => reason.fmt(f),
            Self::Policy(reason) => reason.fmt(f),
            Self::Neutral(reason) => reason.fmt(f),
            Self::TempError(error) => write!(f, "the key could not be asked for: {error}"),
            Self::PermError(reason) => reason.fmt(f),
        }
    }
}

impl fmt::Display for FailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BodyHashMismatch => "the body was changed after signing: its hash is not the one in bh=",
            Self::InvalidSignature => "the signature does not fit the signed header fields and the key",
        })
    }
}

impl fmt::Display for PolicyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PartialBody { unsigned_octets } => {
                write!(f, "l= leaves the last {unsigned_octets} octets of the body unsigned")
            }
            Self::KeyTooShort { bits } => write!(f, "the key has {bits} bits, fewer than are accepted here"),
            Self::HistoricAlgorithm => f.write_str("rsa-sha1 must not be used any more (RFC 8301)"),
            Self::AlgorithmNotAccepted => f.write_str("the algorithm in a= is not accepted here"),
            Self::MalformedHeader(malformation) => malformation.fmt(f),
        }
    }
}

impl fmt::Display for NeutralReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEvaluated => f.write_str("not evaluated: the message has too many signatures"),
            Self::OutOfBudget(exhausted) => write!(f, "not verified: {exhausted}"),
        }
    }
}

impl fmt::Display for PermReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(error) => error.fmt(f),
            Self::Expired { expiration } => write!(f, "the signature expired at {expiration} (x={})", expiration.0),
            Self::FutureTimestamp { timestamp } => {
                write!(f, "the signature was made in the future, at {timestamp} (t={})", timestamp.0)
            }
            Self::UnknownAlgorithm => f.write_str("the algorithm in a= is not known"),
            Self::NoKey => f.write_str("there is no key record"),
            Self::Revoked => f.write_str("the key has been revoked (p= is empty)"),
            Self::KeyRecord(error) => error.fmt(f),
            Self::KeyNotAllowed(restriction) => restriction.fmt(f),
            Self::BodyShorterThanLength { octets } => {
                write!(f, "the body has {octets} octets, fewer than l= says were signed")
            }
        }
    }
}

impl fmt::Display for KeyRestriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyType => "the key record is for another key type (k=) than the signature's algorithm",
            Self::HashAlgorithm => "the key record does not allow the signature's hash algorithm (h=)",
            Self::ServiceType => "the key record is not for mail (s=)",
            Self::StrictIdentity => "the key record wants the domain of i= to be that of d= (t=s)",
        })
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => write!(f, "the signature field is malformed: {error}"),
            Self::DuplicateTag(name) => {
                write!(f, "the tag {}= stands in the signature field twice", Printable(name))
            }
            Self::MissingTag(name) => write!(f, "the signature field has no {name}= tag"),
            Self::Version => f.write_str("the version of the signature (v=) is not 1"),
            Self::UnknownCanonicalization => f.write_str("the canonicalization in c= is not known"),
            Self::UnknownQueryMethod => f.write_str("q= lists no known way to ask for the key"),
            Self::FromNotSigned => f.write_str("the From field is not signed (h=)"),
            Self::DomainMismatch => f.write_str("the domain of i= is neither that of d= nor below it"),
            Self::ExpirationNotAfterTimestamp => f.write_str("the signature expires (x=) before it was made (t=)"),
            Self::KeyNameTooLong => f.write_str("s= and d= together are too long for a name of the DNS"),
        }
    }
}

impl std::error::Error for SignatureError {}

impl fmt::Display for KeyRecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => write!(f, "the key record is malformed: {error}"),
            Self::DuplicateTag(name) => {
                write!(f, "the tag {}= stands in the key record twice", Printable(name))
            }
            Self::Version => f.write_str("the version of the key record (v=) is not DKIM1"),
            Self::VersionNotFirst => f.write_str("v= is not the first tag of the key record"),
            Self::MissingKey => f.write_str("the key record has no p= tag"),
            Self::InvalidKey(error) => write!(f, "the key record holds no usable key: {error}"),
        }
    }
}

impl std::error::Error for KeyRecordError {}
