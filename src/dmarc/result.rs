//! Results of DMARC, each with its reason.

use crate::{
    dns::LookupError,
    name::{Domain, Name},
};

/// What a domain owner asks receivers to do with mail that fails (RFC 9989 §4.7, `p`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Disposition {
    /// Nothing.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Disposition {
    /// The word of the record's tags.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

/// What DMARC says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DmarcReport {
    /// The author domain, where there is exactly one.
    pub author_domain: Option<Domain>,
    /// The organizational domain of the author domain, where it was needed or found on the way.
    pub organizational_domain: Option<Domain>,
    /// The domain whose record applies.
    pub policy_domain: Option<Domain>,
    /// The published policy that applies (`p`, `sp` or `np`), before test mode lowers it.
    pub policy: Option<Disposition>,
    /// What the policy comes to for this message: `none` on pass, lowered by test mode.
    pub disposition: Disposition,
    /// The result and its reason.
    pub result: DmarcResult,
    /// Each identifier that was considered, and whether and how it aligned.
    pub identifiers: Vec<IdentifierReport>,
}

/// One identifier that SPF or DKIM offered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct IdentifierReport {
    /// The domain.
    pub domain: Domain,
    /// Who authenticated it.
    pub mechanism: Mechanism,
    /// Whether it aligns with the author domain.
    pub aligned: bool,
}

/// The mechanisms underlying DMARC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Mechanism {
    /// SPF's MAIL FROM identity.
    Spf,
    /// The `d=` of a DKIM signature.
    Dkim,
}

/// The results of RFC 9989 (keywords of RFC 8601 §2.7 and the registry).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum DmarcResult {
    /// No policy applies.
    None(NoneReason),
    /// At least one authenticated identifier aligns.
    Pass,
    /// No authenticated identifier aligns.
    Fail,
    /// The DNS did not answer a question on which the result depends.
    TempError(TempErrorReason),
    /// There is no single author domain.
    PermError(PermReason),
}

/// Why no policy applies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum NoneReason {
    /// No record was found.
    NoRecord,
}

/// Which question was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum TempErrorReason {
    /// A DMARC record.
    Record {
        /// The name that was asked for.
        name: Name,
        /// What went wrong.
        error: LookupError,
    },
}

/// Why there is no single author domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum PermReason {
    /// There is no From field.
    NoFrom,
}

impl DmarcResult {
    /// The result's word in header fields and reports.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::None(_) => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError(_) => "temperror",
            Self::PermError(_) => "permerror",
        }
    }
}
