//! What a demand of a receiver comes to.

use std::borrow::Cow;

/// What a demand comes to.
pub(super) struct Judgement {
    pub(super) is_met: Option<bool>,
    pub(super) says: String,
    pub(super) advice: Option<Cow<'static, str>>,
}

impl Judgement {
    pub(super) fn met(says: impl Into<String>) -> Self {
        Self { is_met: Some(true), says: says.into(), advice: None }
    }

    pub(super) fn not_met(says: impl Into<String>, advice: impl Into<Cow<'static, str>>) -> Self {
        Self { is_met: Some(false), says: says.into(), advice: Some(advice.into()) }
    }

    /// Cannot be seen from here.
    pub(super) fn not_seen(says: impl Into<String>) -> Self {
        Self { is_met: None, says: says.into(), advice: None }
    }

    pub(super) fn advising(self, advice: impl Into<Cow<'static, str>>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}
