//! The organizational domain of a domain, and how it was found (RFC 9989 §4.10.2).

use crate::name::Domain;
use std::fmt;

/// An organizational domain, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Organization {
    /// The organizational domain.
    pub domain: Domain,
    /// How it was found.
    pub found_by: FoundBy,
}

/// How an organizational domain was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum FoundBy {
    /// Neither the domain nor one above it has a record, so it is its own.
    NoRecord,
    /// No domain above it has a record, so it is its own; whether it has one itself does not matter and was not asked.
    NoRecordAbove,
    /// It has the record with the fewest labels.
    Record,
    /// Its record says `psd=n`.
    NoSuffix,
    /// It is one label below a domain whose record says `psd=y`.
    BelowSuffix {
        /// That domain.
        suffix: Domain,
    },
    /// Its own record says `psd=y`, and the walk started there.
    Suffix,
    /// A list of public suffixes (RFC 7489 §3.2).
    List,
}

impl Organization {
    pub(super) fn new(domain: Domain, found_by: FoundBy) -> Self {
        Self { domain, found_by }
    }
}

/// The domain, and how it was found, as in "c.example, which has a DMARC record".
impl fmt::Display for Organization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, found_by } = self;
        match found_by {
            FoundBy::NoRecord => {
                write!(f, "{domain} itself, because neither it nor a domain above it has a DMARC record")
            }
            FoundBy::NoRecordAbove => write!(f, "{domain} itself, because no domain above it has a DMARC record"),
            FoundBy::Record => write!(f, "{domain}, which has a DMARC record, and no domain above it has one"),
            FoundBy::NoSuffix => write!(f, "{domain}, whose DMARC record says psd=n"),
            FoundBy::BelowSuffix { suffix } => {
                write!(f, "{domain}, because the DMARC record of {suffix} says psd=y")
            }
            FoundBy::Suffix => write!(f, "{domain} itself, whose DMARC record says psd=y"),
            FoundBy::List => write!(f, "{domain} by the list of public suffixes"),
        }
    }
}
