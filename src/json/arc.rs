//! The ARC chain.

use super::shown::Shown;
use crate::{
    arc::{ArcReport, ArcResult, FailReason, SetReport, Trusted},
    budget::Exhausted,
    change::{Changes, OfMessageSignature},
    dkim::Change,
    name::Domain,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// As it is written and read. The words between are made of the rest.
#[derive(Serialize, Deserialize)]
pub(super) struct Shape<'r, S> {
    #[serde(flatten)]
    outcome: Outcome<'r>,
    instances: usize,
    sealers: Cow<'r, [Domain]>,
    #[serde(skip_deserializing)]
    trusted: bool,
    /// What the oldest trusted sealer reported of the message as it received it.
    reported: Option<Cow<'r, Trusted>>,
    #[serde(skip_deserializing)]
    reason: Option<Shown<'r>>,
    sets: Vec<S>,
    /// What changed since they were made, where that was asked for.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    message_signatures: Option<&'r [OfMessageSignature]>,
}

/// A set, and what changed since its message signature was made.
#[derive(Serialize)]
pub(super) struct Set<'r> {
    #[serde(flatten)]
    report: &'r SetReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_signature: Option<MessageSignature<'r>>,
}

#[derive(Serialize)]
struct MessageSignature<'r> {
    changes: &'r [Change],
}

/// `result` and `cause`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "result", content = "cause", rename_all = "lowercase")]
enum Outcome<'r> {
    None(()),
    Pass { oldest_pass: u8, cut_off: Option<Exhausted> },
    Fail(Cow<'r, FailReason>),
}

impl<'r> Shape<'r, Set<'r>> {
    /// With the changes, where they were asked for.
    pub(super) fn of(report: &'r ArcReport, changes: Option<&'r Changes>) -> Self {
        let ArcReport { result, instances, sealers, sets, trusted } = report;
        let outcome = match result {
            ArcResult::None => Outcome::None(()),
            ArcResult::Pass { oldest_pass, cut_off } => Outcome::Pass { oldest_pass: *oldest_pass, cut_off: *cut_off },
            ArcResult::Fail(reason) => Outcome::Fail(Cow::Borrowed(reason)),
        };
        let message_signatures = changes.map(|changes| &*changes.message_signatures);
        let set = |report: &'r SetReport| {
            let of_set = |all: &'r [OfMessageSignature]| all.iter().find(|own| own.instance == report.instance);
            let message_signature = message_signatures.map(|all| {
                let changes = of_set(all).map_or(&[][..], |own| &own.changes);
                MessageSignature { changes }
            });
            Set { report, message_signature }
        };
        Self {
            outcome,
            instances: *instances,
            sealers: Cow::Borrowed(sealers),
            trusted: trusted.is_some(),
            reported: trusted.as_ref().map(Cow::Borrowed),
            reason: Some(Shown(result)),
            sets: sets.iter().map(set).collect(),
            message_signatures,
        }
    }
}

impl Serialize for ArcReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shape::of(self, None).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ArcReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Shape { outcome, instances, sealers, reported, sets, .. } = Shape::<SetReport>::deserialize(deserializer)?;
        let result = match outcome {
            Outcome::None(()) => ArcResult::None,
            Outcome::Pass { oldest_pass, cut_off } => ArcResult::Pass { oldest_pass, cut_off },
            Outcome::Fail(reason) => ArcResult::Fail(reason.into_owned()),
        };
        let sealers = sealers.into_owned();
        Ok(Self { result, instances, sealers, sets, trusted: reported.map(Cow::into_owned) })
    }
}
