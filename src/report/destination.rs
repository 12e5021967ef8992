//! Which report addresses may be used: RFC 9990 §4 (and RFC 9991, which has the same for failure reports).

use crate::{
    dmarc::{PublicSuffix, PublishedRecord, Record, ReportUri, tree_walk},
    dns::LookupError,
    known::{Known, Unknown, all},
    name::{Domain, Name},
};
use std::fmt;

/// How many URIs of one record are looked at: asking for permission costs the receiver up to nine questions for each.
pub const MAX_DESTINATIONS: usize = 10;

/// The two kinds of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum ReportKind {
    /// `rua` (RFC 9990).
    Aggregate,
    /// `ruf` (RFC 9991).
    Failure,
}

/// One URI of `rua` or `ruf`, and whether reports may be sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Destination {
    /// The URI as the record has it.
    pub uri: ReportUri,
    /// Whether it may be used.
    pub permission: Permission,
}

/// Whether reports may be sent to a URI.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Permission {
    /// The destination belongs to the organization that published the record: nothing to ask.
    Internal,
    /// The destination host agrees.
    Granted {
        /// The name of the record that says so.
        name: Name,
        /// Where it wants the reports instead, if it says that.
        instead: Vec<ReportUri>,
    },
    /// Not to be used.
    Refused(Refusal),
    /// The DNS did not answer.
    Unknown {
        /// The name that was asked for.
        name: Name,
        /// What went wrong.
        error: LookupError,
    },
    /// The record has more URIs than are looked at.
    NotEvaluated,
}

/// Why a URI is not to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Refusal {
    /// There is no host that could agree.
    NoHost,
    /// The name of the permission would be longer than the DNS allows (RFC 9990 §4, step 4).
    NameTooLong,
    /// The destination host has not agreed (step 7).
    NoRecord {
        /// The name where it would.
        name: Name,
    },
    /// The permission names another host, which spoils both URIs (step 9).
    OverriddenToAnotherHost {
        /// The name of the permission.
        name: Name,
    },
    /// The record is that of a public suffix domain, for which no failure reports are made (RFC 9991 §2).
    PublicSuffixDomain,
}

impl Destination {
    /// The URIs to which a report may be sent: none, the published one, or what the destination host wants instead.
    pub fn usable(&self) -> &[ReportUri] {
        match &self.permission {
            Permission::Internal => std::slice::from_ref(&self.uri),
            Permission::Granted { instead, .. } if instead.is_empty() => std::slice::from_ref(&self.uri),
            Permission::Granted { instead, .. } => instead,
            Permission::Refused(_) | Permission::Unknown { .. } | Permission::NotEvaluated => &[],
        }
    }
}

/// Where the reports that a record asks for may be sent; asks the destination hosts for their permission where it is needed, all of
/// them side by side and each once. Organizational domains are found by the tree walk.
pub(crate) fn destinations(
    known: &mut Known<'_>,
    published: &PublishedRecord,
    kind: ReportKind,
) -> Result<Vec<Destination>, Unknown> {
    let uris = match kind {
        ReportKind::Aggregate => &published.record.aggregate_reports,
        ReportKind::Failure => &published.record.failure_reports,
    };
    if kind == ReportKind::Failure && published.record.public_suffix == PublicSuffix::Yes {
        // RFC 9991 §2: "Report generators MUST NOT consider "ruf" tags in DMARC Policy Records having a "psd=y" tag".
        let permission = Permission::Refused(Refusal::PublicSuffixDomain);
        let refused = |uri: &ReportUri| Destination { uri: uri.clone(), permission: permission.clone() };
        return Ok(uris.iter().map(refused).collect());
    }
    let mut others: Vec<&Domain> = Vec::new();
    for host in uris.iter().take(MAX_DESTINATIONS).filter_map(ReportUri::host) {
        if *host != published.domain && !others.contains(&host) {
            others.push(host);
        }
    }
    let publisher = (!others.is_empty()).then_some(&published.domain);
    let walks = all(others.iter().copied().chain(publisher).map(|domain| tree_walk(known, domain)))?;
    let organization = |domain: &Domain| walks.iter().find(|walk| walk.start == *domain)?.organizational_domain().ok();
    let publisher = organization(&published.domain);
    let permissions = others.iter().map(|host| {
        // Where the DNS left that open, the destination is asked as an external one: asking too much does no harm.
        let is_internal = publisher.is_some() && publisher == organization(host);
        if is_internal { Ok(Permission::Internal) } else { permission(known, &published.domain, host, kind) }
    });
    let permissions = all(permissions)?;
    let permission_of = |place: usize, uri: &ReportUri| match uri.host() {
        _ if place >= MAX_DESTINATIONS => Permission::NotEvaluated,
        None => Permission::Refused(Refusal::NoHost),
        Some(host) => {
            let asked = others.iter().zip(&permissions).find(|(other, _)| **other == host);
            asked.map_or(Permission::Internal, |(_, permission)| permission.clone())
        }
    };
    let destinations = uris.iter().enumerate();
    let destination =
        |(place, uri): (usize, &ReportUri)| Destination { uri: uri.clone(), permission: permission_of(place, uri) };
    Ok(destinations.map(destination).collect())
}

/// RFC 9990 §4, for one destination host of another organization than the publisher's.
fn permission(
    known: &mut Known<'_>,
    publisher: &Domain,
    host: &Domain,
    kind: ReportKind,
) -> Result<Permission, Unknown> {
    // Steps 2 to 4.
    let Ok(name) = host.as_name().prepend(&format!("{publisher}._report._dmarc")) else {
        return Ok(Permission::Refused(Refusal::NameTooLong));
    };
    let answer = match known.txt(&name)? {
        Ok(answer) => answer,
        Err(error) => return Ok(Permission::Unknown { name, error }),
    };
    // Steps 6 to 8.
    let records: Vec<Record> = answer.records().iter().filter_map(|text| Record::parse(text).ok()).collect();
    if records.is_empty() {
        return Ok(Permission::Refused(Refusal::NoRecord { name }));
    }
    // Step 9; the first record that names an address counts.
    let instead = records.into_iter().map(|record| match kind {
        ReportKind::Aggregate => record.aggregate_reports,
        ReportKind::Failure => record.failure_reports,
    });
    let instead = instead.into_iter().find(|uris| !uris.is_empty()).unwrap_or_default();
    if instead.iter().any(|uri| uri.host() != Some(host)) {
        return Ok(Permission::Refused(Refusal::OverriddenToAnotherHost { name }));
    }
    Ok(Permission::Granted { name, instead })
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal => f.write_str("the destination belongs to the same organization"),
            Self::Granted { name, instead } if instead.is_empty() => write!(f, "granted at {name}"),
            Self::Granted { name, instead } => {
                write!(f, "granted at {name}, which wants reports to go to")?;
                instead.iter().try_for_each(|uri| write!(f, " {uri}"))
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unknown { name, error } => write!(f, "{name} could not be asked for: {error}"),
            Self::NotEvaluated => write!(f, "no more than {MAX_DESTINATIONS} destinations are looked at"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("the URI has no host that could agree to receive reports"),
            Self::NameTooLong => f.write_str("the name of the permission would be too long for the DNS"),
            Self::NoRecord { name } => write!(f, "the destination has not agreed: there is no record at {name}"),
            Self::OverriddenToAnotherHost { name } => {
                write!(f, "the record at {name} names another host, so neither address may be used")
            }
            Self::PublicSuffixDomain => f.write_str("no failure reports are made for a public suffix domain"),
        }
    }
}
