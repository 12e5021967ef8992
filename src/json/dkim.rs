//! DKIM for one signature.

use super::shown::Shown;
use crate::{
    change::{HashedBody, diagnosis},
    crypto::Digest,
    dkim::{
        Change, DkimResult, FailReason, FieldNames, KeySummary, NeutralReason, PermReason, PolicyReason,
        SignatureReport, SignatureSummary,
    },
    dns::LookupError,
    message::{Message, SingularFields},
    name::{Domain, Name},
    text::Text,
    time::UnixTime,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::borrow::Cow;

/// What could not be read.
const UNREAD: &str = "";

/// As it is written and read. The words between are made of the rest.
#[derive(Serialize, Deserialize)]
pub(super) struct Shape<'r> {
    #[serde(flatten)]
    result: Cow<'r, DkimResult>,
    domain: Cow<'r, str>,
    selector: Cow<'r, str>,
    algorithm: Cow<'r, str>,
    identity: Cow<'r, str>,
    #[serde(skip_deserializing)]
    key_bits: Option<usize>,
    #[serde(skip_deserializing)]
    reason: Option<Shown<'r>>,
    /// Where the message is at hand.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Vec<String>>,
    /// Where it was asked for.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    changes: Option<&'r [Change]>,
    not_covered: SingularFields,
    field_index: usize,
    canonicalization: Option<Cow<'r, Text>>,
    signed_fields: Cow<'r, FieldNames>,
    body_length: Option<u64>,
    timestamp: Option<UnixTime>,
    expiration: Option<UnixTime>,
    signature_data: Cow<'r, Text>,
    key: Option<Cow<'r, KeySummary>>,
    body_hash: Option<Digest>,
    /// `bh=`, and how much was hashed, where the changes were asked for.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    published_body_hash: Option<Text>,
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    body_octets: Option<u64>,
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    body_lines: Option<u64>,
    header_hash: Option<Digest>,
    unsigned_octets: u64,
}

/// `result` and `cause`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "result", content = "cause", rename_all = "lowercase")]
enum Outcome<'r> {
    Pass(()),
    Fail(FailReason),
    Policy(Cow<'r, PolicyReason>),
    Neutral(NeutralReason),
    TempError(Cow<'r, LookupError>),
    PermError(Cow<'r, PermReason>),
}

impl<'r> Shape<'r> {
    /// With a diagnosis, where the message is given that the report is about, and with the changes where they were asked for.
    pub(super) fn of(
        report: &'r SignatureReport,
        message: Option<&Message<'_>>,
        changes: Option<&'r [Change]>,
    ) -> Self {
        let SignatureReport {
            field_index,
            signature,
            result,
            key,
            body_hash,
            header_hash,
            unsigned_octets,
            not_covered,
        } = report;
        let hashed = message.zip(changes).and_then(|(message, _)| HashedBody::of(report, message));
        Self {
            result: Cow::Borrowed(result),
            domain: signature.domain.as_ref().map_or(UNREAD, Domain::as_str).into(),
            selector: signature.selector.as_ref().map_or(UNREAD, Name::as_str).into(),
            algorithm: signature.algorithm.as_deref().unwrap_or(UNREAD).into(),
            identity: signature.identity.as_deref().unwrap_or(UNREAD).into(),
            key_bits: key.as_ref().and_then(|key| key.bits),
            reason: Some(Shown(result)),
            diagnosis: message.map(|message| match changes {
                Some(changes) => diagnosis(report, message, changes),
                None => report.diagnosis(message),
            }),
            changes,
            not_covered: *not_covered,
            field_index: *field_index,
            canonicalization: signature.canonicalization.as_ref().map(Cow::Borrowed),
            signed_fields: Cow::Borrowed(&signature.signed_fields),
            body_length: signature.body_length,
            timestamp: signature.timestamp,
            expiration: signature.expiration,
            signature_data: Cow::Borrowed(&signature.signature_data),
            key: key.as_ref().map(Cow::Borrowed),
            body_hash: *body_hash,
            published_body_hash: hashed.as_ref().map(|hashed| hashed.published.clone()),
            body_octets: hashed.as_ref().map(|hashed| hashed.octets),
            body_lines: hashed.as_ref().map(|hashed| hashed.lines),
            header_hash: *header_hash,
            unsigned_octets: *unsigned_octets,
        }
    }
}

impl Serialize for SignatureReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shape::of(self, None, None).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SignatureReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shape = Shape::deserialize(deserializer)?;
        let signature = SignatureSummary {
            domain: read(&shape.domain).map(Domain::parse).transpose().map_err(D::Error::custom)?,
            selector: read(&shape.selector).map(Name::parse).transpose().map_err(D::Error::custom)?,
            algorithm: read(&shape.algorithm).map(Text::from),
            identity: read(&shape.identity).map(Text::from),
            canonicalization: shape.canonicalization.map(Cow::into_owned),
            signed_fields: shape.signed_fields.into_owned(),
            body_length: shape.body_length,
            timestamp: shape.timestamp,
            expiration: shape.expiration,
            signature_data: shape.signature_data.into_owned(),
        };
        Ok(Self {
            field_index: shape.field_index,
            signature,
            result: shape.result.into_owned(),
            key: shape.key.map(Cow::into_owned),
            body_hash: shape.body_hash,
            header_hash: shape.header_hash,
            unsigned_octets: shape.unsigned_octets,
            not_covered: shape.not_covered,
        })
    }
}

/// What was read, if anything was.
fn read(text: &str) -> Option<&str> {
    (text != UNREAD).then_some(text)
}

impl Serialize for DkimResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outcome = match self {
            Self::Pass => Outcome::Pass(()),
            Self::Fail(reason) => Outcome::Fail(*reason),
            Self::Policy(reason) => Outcome::Policy(Cow::Borrowed(reason)),
            Self::Neutral(reason) => Outcome::Neutral(*reason),
            Self::TempError(error) => Outcome::TempError(Cow::Borrowed(error)),
            Self::PermError(reason) => Outcome::PermError(Cow::Borrowed(reason)),
        };
        outcome.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DkimResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Outcome::deserialize(deserializer)? {
            Outcome::Pass(()) => Self::Pass,
            Outcome::Fail(reason) => Self::Fail(reason),
            Outcome::Policy(reason) => Self::Policy(reason.into_owned()),
            Outcome::Neutral(reason) => Self::Neutral(reason),
            Outcome::TempError(error) => Self::TempError(error.into_owned()),
            Outcome::PermError(reason) => Self::PermError(reason.into_owned()),
        })
    }
}
