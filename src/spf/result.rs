//! Results of SPF, each with its reason.

use super::{
    fault::Fault,
    identity::Identity,
    limits::{Limit, MAX_LOCAL_PART, MAX_RECORDS_SIZE},
    matched::Matched,
};
use crate::{
    dns::LookupError,
    lex::{DottedQuad, Printable},
    name::{Domain, Name, NameError},
    text::Text,
};
use std::{fmt, net::IpAddr};

/// SPF for both identities of a session, evaluated and reported apart (RFC 7208 §2.3, §2.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SpfReports {
    /// HELO; `None` where the session does not know it, or not the client's address.
    pub helo: Option<SpfReport>,
    /// MAIL FROM, which is `postmaster@<helo>` for the null reverse-path (RFC 7208 §2.4); `None` where it is not known.
    pub mail_from: Option<SpfReport>,
}

/// What SPF says of one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpfReport {
    /// Which identity was checked.
    pub identity: Identity,
    /// The client's address; one that is IPv4 mapped into IPv6 is IPv4 here (RFC 7208 §5).
    pub ip: IpAddr,
    /// `<sender>` of RFC 7208 §4.1, as the client wrote it (with `postmaster` where it had no local part).
    pub sender: Text,
    /// The domain that was checked; where the client gave none that can be, how many octets of `sender` stand for it.
    pub(crate) domain: Result<Domain, usize>,
    /// The result and its reason.
    pub result: SpfResult,
    /// Terms that count against the limit of RFC 7208 §4.6.4 and were evaluated.
    pub dns_lookups: usize,
    /// Terms for which an answer without records came (RFC 7208 §4.6.4).
    pub void_lookups: usize,
}

impl SpfReport {
    /// The domain that was checked, as the client wrote it where it is no domain name.
    pub fn domain(&self) -> &str {
        match &self.domain {
            Ok(domain) => domain.as_str(),
            Err(octets) => self.sender.get(self.sender.len().saturating_sub(*octets)..).unwrap_or_default(),
        }
    }
}

/// `domain` stands beside `sender`.
/// The result with the client's address, in words.
impl fmt::Display for SpfReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            SpfResult::Pass(_)
            | SpfResult::Fail(..)
            | SpfResult::SoftFail(_)
            | SpfResult::Neutral(NeutralReason::Matched(_)) => {
                match self.ip {
                    IpAddr::V4(ip) => DottedQuad(ip).fmt(f)?,
                    IpAddr::V6(ip) => ip.fmt(f)?,
                }
                f.write_str(" is ")?;
                self.result.fmt(f)
            }
            SpfResult::None(_) | SpfResult::Neutral(_) | SpfResult::TempError(_) | SpfResult::PermError(_) => {
                self.result.fmt(f)
            }
        }
    }
}

/// The results of RFC 7208 §2.6; each says why it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpfResult {
    /// There is nothing to evaluate.
    None(NoneReason),
    /// The domain owner makes no statement.
    Neutral(NeutralReason),
    /// The client may use the domain.
    Pass(Matched),
    /// The client may not use the domain.
    Fail(Matched, Explanation),
    /// The client probably may not use the domain.
    SoftFail(Matched),
    /// Something went wrong that may pass.
    TempError(TempError),
    /// The domain's records cannot be evaluated.
    PermError(PermError),
}

/// Why the result is `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NoneReason {
    /// The identity's local part is longer than four times what RFC 5321 §4.5.3.1.1 allows: it is no sender that could be authorized
    /// (RFC 7208 §2.6.1).
    LocalPartTooLong {
        /// How long it is.
        octets: usize,
    },
    /// The identity's domain is no name, as that of an address literal (RFC 7208 §4.3).
    NotAName(NameError),
    /// The identity's domain has only one label (RFC 7208 §4.3).
    NotFullyQualified,
    /// The domain does not exist (RFC 7208 §4.3).
    NxDomain,
    /// The domain publishes no SPF record (RFC 7208 §4.5).
    NoRecord,
}

/// Why the result is `neutral`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeutralReason {
    /// A directive with `?` matched.
    Matched(Matched),
    /// No directive matched, and there is no `redirect` (RFC 7208 §4.7).
    NoMatch {
        /// Whose record was the last to be evaluated.
        domain: Name,
    },
}

/// The explanation that goes with a `fail` (RFC 7208 §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// The domain offers none, or none that could be used.
    Default,
    /// Text written by a stranger: printable ASCII, but nobody vouches for what it says.
    Published(Box<str>),
}

/// Why the result is `temperror`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TempError {
    /// A question to the DNS was not answered (RFC 7208 §2.6.6).
    Lookup {
        /// The name that was asked for.
        name: Name,
        /// What went wrong.
        error: LookupError,
    },
}

/// Why the result is `permerror`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum PermError {
    /// A record does not follow the grammar (RFC 7208 §4.6).
    Syntax {
        /// Whose record.
        domain: Name,
        /// The first term that cannot be read, and what is wrong with it.
        fault: Box<Fault>,
    },
    /// More than one SPF record at one domain (RFC 7208 §4.5).
    ManyRecords {
        /// Which domain.
        domain: Name,
        /// How many records.
        count: usize,
    },
    /// The records of the check are larger than 131072 octets, each of their terms counted as 16 octets more than it has. The RFC has no such
    /// limit.
    RecordsTooLarge {
        /// Whose record was the first that was not read for it.
        domain: Name,
    },
    /// The target of `include` or `redirect` has no SPF record (RFC 7208 §5.2, §6.1).
    NoRecordAtTarget {
        /// Whose record names the target.
        domain: Name,
        /// The term that names it, as it stands in the record.
        term: Box<str>,
        /// The target, as it came out of the macros.
        target: Box<str>,
        /// What was found instead.
        reason: NoneReason,
    },
    /// A limit of RFC 7208 §4.6.4 was exceeded.
    LimitExceeded {
        /// Which one, and its number.
        limit: Limit,
        /// Whose record was being evaluated.
        domain: Name,
        /// The term at which it broke, as it stands in the record.
        term: Box<str>,
    },
}

impl SpfResult {
    /// The result's word in header fields and reports (RFC 7208 §2.6, RFC 8601 §2.7.2).
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::None(_) => "none",
            Self::Neutral(_) => "neutral",
            Self::Pass(_) => "pass",
            Self::Fail(..) => "fail",
            Self::SoftFail(_) => "softfail",
            Self::TempError(_) => "temperror",
            Self::PermError(_) => "permerror",
        }
    }

    /// The explanation that the domain publishes with its `fail`: words of a stranger, in printable ASCII.
    pub fn published_explanation(&self) -> Option<&str> {
        match self {
            Self::Fail(_, Explanation::Published(text)) => Some(text),
            Self::Fail(_, Explanation::Default)
            | Self::None(_)
            | Self::Neutral(_)
            | Self::Pass(_)
            | Self::SoftFail(_)
            | Self::TempError(_)
            | Self::PermError(_) => None,
        }
    }

    /// The directive that decided, if one did.
    pub fn matched(&self) -> Option<&Matched> {
        match self {
            Self::Pass(matched)
            | Self::Fail(matched, _)
            | Self::SoftFail(matched)
            | Self::Neutral(NeutralReason::Matched(matched)) => Some(matched),
            Self::None(_) | Self::Neutral(NeutralReason::NoMatch { .. }) | Self::TempError(_) | Self::PermError(_) => {
                None
            }
        }
    }
}

/// The reason in words. Where a directive decided, the words go on after "the client is": [`SpfReport`]'s own text has the
/// address as well.
impl fmt::Display for SpfResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None(reason) => reason.fmt(f),
            Self::Neutral(NeutralReason::Matched(matched)) => write!(f, "neither allowed nor refused by {matched}"),
            Self::Neutral(NeutralReason::NoMatch { domain }) => {
                write!(f, "no directive of {} matched", Printable(domain.as_str()))
            }
            Self::Pass(matched) => {
                f.write_str("allowed by ")?;
                matched.fmt(f)
            }
            Self::Fail(matched, _) => write!(f, "not allowed by {matched}"),
            Self::SoftFail(matched) => write!(f, "probably not allowed by {matched}"),
            Self::TempError(error) => error.fmt(f),
            Self::PermError(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for NoneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalPartTooLong { octets } => {
                write!(f, "the local part is longer than {MAX_LOCAL_PART} octets, where RFC 5321 allows 64: {octets}")
            }
            Self::NotAName(error) => error.fmt(f),
            Self::NotFullyQualified => f.write_str("the domain has only one label"),
            Self::NxDomain => f.write_str("the domain does not exist"),
            Self::NoRecord => f.write_str("the domain has no SPF record"),
        }
    }
}

impl fmt::Display for TempError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup { name, error } => write!(f, "no answer for {}: {error}", Printable(name.as_str())),
        }
    }
}

impl fmt::Display for PermError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { domain, fault } => {
                write!(f, "the SPF record of {} has an error: {fault}", Printable(domain.as_str()))
            }
            Self::ManyRecords { domain, count } => {
                write!(f, "{} has {count} SPF records; one is allowed", Printable(domain.as_str()))
            }
            Self::RecordsTooLarge { domain } => {
                let domain = Printable(domain.as_str());
                write!(
                    f,
                    "with the record of {domain}, the SPF records of the check come to more than {MAX_RECORDS_SIZE}"
                )?;
                f.write_str(" octets, each of their terms counted as 16 more")
            }
            Self::NoRecordAtTarget { domain, term, target, reason } => {
                let (domain, term, target) = (Printable(domain.as_str()), Printable(term), Printable(target));
                write!(f, "{term} of {domain} leads to {target}, which is no domain with an SPF record: {reason}")
            }
            Self::LimitExceeded { limit, domain, term } => {
                write!(f, "{limit} (at {} of {})", Printable(term), Printable(domain.as_str()))
            }
        }
    }
}
