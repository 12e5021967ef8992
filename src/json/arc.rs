//! The ARC chain.

use super::shown::Shown;
use crate::{
    arc::{ArcReport, ArcResult, FailReason, SetReport, Trusted},
    budget::Exhausted,
    name::Domain,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// As it is written and read. The words between are made of the rest.
#[derive(Serialize, Deserialize)]
struct Shape<'r> {
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
    sets: Cow<'r, [SetReport]>,
}

/// `result` and `cause`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "result", content = "cause", rename_all = "lowercase")]
enum Outcome<'r> {
    None(()),
    Pass { oldest_pass: u8, cut_off: Option<Exhausted> },
    Fail(Cow<'r, FailReason>),
}

impl Serialize for ArcReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { result, instances, sealers, sets, trusted } = self;
        let outcome = match result {
            ArcResult::None => Outcome::None(()),
            ArcResult::Pass { oldest_pass, cut_off } => Outcome::Pass { oldest_pass: *oldest_pass, cut_off: *cut_off },
            ArcResult::Fail(reason) => Outcome::Fail(Cow::Borrowed(reason)),
        };
        let shape = Shape {
            outcome,
            instances: *instances,
            sealers: Cow::Borrowed(sealers),
            trusted: trusted.is_some(),
            reported: trusted.as_ref().map(Cow::Borrowed),
            reason: Some(Shown(result)),
            sets: Cow::Borrowed(sets),
        };
        shape.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ArcReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Shape { outcome, instances, sealers, reported, sets, .. } = Shape::deserialize(deserializer)?;
        let result = match outcome {
            Outcome::None(()) => ArcResult::None,
            Outcome::Pass { oldest_pass, cut_off } => ArcResult::Pass { oldest_pass, cut_off },
            Outcome::Fail(reason) => ArcResult::Fail(reason.into_owned()),
        };
        let (sealers, sets) = (sealers.into_owned(), sets.into_owned());
        Ok(Self { result, instances, sealers, sets, trusted: reported.map(Cow::into_owned) })
    }
}
