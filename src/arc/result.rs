//! Results of ARC, each with its reason.

use crate::{dns::LookupError, name::Domain};

/// What was found out about the ARC chain of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ArcReport {
    /// The chain validation status and its reason.
    pub result: ArcResult,
    /// Number of ARC sets in the message, whole or not.
    pub instances: usize,
    /// The sealing domains, from instance 1 up, as far as they could be read.
    pub sealers: Vec<Domain>,
}

/// The chain validation status of RFC 8617 §4.4.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum ArcResult {
    /// The message has no ARC set.
    None,
    /// There is a chain, and it was not evaluated.
    NotEvaluated,
    /// The chain is valid.
    Pass {
        /// The lowest instance whose ARC-Message-Signature still verifies (RFC 8617 §5.2); 0 where all do.
        oldest_pass: u8,
    },
    /// The chain is broken.
    Fail(FailReason),
}

/// Why the chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum FailReason {
    /// A key could not be asked for; trying again may help.
    Lookup(LookupError),
}

impl ArcResult {
    /// The result's word in header fields and reports (RFC 8617 §10.1); `none` where the chain was not evaluated.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::None | Self::NotEvaluated => "none",
            Self::Pass { .. } => "pass",
            Self::Fail(_) => "fail",
        }
    }
}
