//! An aggregate report but for its rows: who reports, on what time, and the policy that was seen.

use super::{
    row::Extension,
    words::{AlignmentMode, DiscoveryMethod, Testing},
};
use crate::{dmarc::Disposition, time::UnixTime};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The text by which a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ReportEdition {
    /// Aggregate reports of RFC 7489.
    Rfc7489,
    /// Aggregate reports of RFC 9990.
    Rfc9990,
    /// Failure reports of RFC 9991.
    Rfc9991,
    /// TLS reports.
    Rfc8460,
    /// Another, or none that could be told.
    #[default]
    Other,
}

/// An aggregate report but for its rows.
///
/// What is missing, empty, or cannot be read is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Aggregate {
    /// The text by which it is written: by its namespace, or else by the elements that it has.
    pub edition: ReportEdition,
    /// `version`.
    pub version: Option<Box<str>>,
    /// Who reports.
    pub org_name: Option<Box<str>>,
    /// Their address.
    pub email: Option<Box<str>>,
    /// More of how to reach them.
    pub extra_contact_info: Option<Box<str>>,
    /// What tells the report from others for the same domain.
    pub report_id: Option<Box<str>>,
    /// Where the period begins.
    pub begin: Option<UnixTime>,
    /// Where it ends.
    pub end: Option<UnixTime>,
    /// What the reporter met when it read the DMARC record.
    pub errors: Vec<Box<str>>,
    /// The program that made the report.
    pub generator: Option<Box<str>>,
    /// The policy domain.
    pub domain: Option<Box<str>>,
    /// The policy that was seen.
    pub policy: PublishedPolicy,
    /// What else stands in the report.
    pub extensions: Vec<Extension>,
}

/// The policy that a reporter saw (`PolicyPublishedType`); RFC 9990 writes defaults out, others leave them away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PublishedPolicy {
    /// For the domain.
    pub p: Option<Disposition>,
    /// For subdomains.
    pub sp: Option<Disposition>,
    /// For subdomains that do not exist.
    pub np: Option<Disposition>,
    /// The alignment mode of DKIM.
    pub adkim: Option<AlignmentMode>,
    /// The alignment mode of SPF.
    pub aspf: Option<AlignmentMode>,
    /// Which failure reports are asked for.
    pub fo: Option<Box<str>>,
    /// Whether the domain owner is testing.
    pub testing: Option<Testing>,
    /// How the record was found.
    pub discovery_method: Option<DiscoveryMethod>,
    /// To how many of 100 messages the policy applies (RFC 7489).
    pub pct: Option<u8>,
}

impl fmt::Display for ReportEdition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfc7489 => "RFC 7489",
            Self::Rfc9990 => "RFC 9990",
            Self::Rfc9991 => "RFC 9991",
            Self::Rfc8460 => "RFC 8460",
            Self::Other => "no edition that could be told",
        })
    }
}
