//! How the identifiers that SPF and DKIM authenticated stand to the author domain (RFC 9989 §4.4).

use super::{organization::Organization, record::Mode};
use crate::{dns::LookupError, name::Domain};
use std::fmt;

/// The mechanisms underlying DMARC (RFC 9989 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Mechanism {
    /// SPF's MAIL FROM identity.
    Spf,
    /// The `d=` of a DKIM signature.
    Dkim,
}

impl Mechanism {
    /// Its name in text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spf => "SPF",
            Self::Dkim => "DKIM",
        }
    }
}

/// One identifier that SPF or DKIM offered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct IdentifierReport {
    /// The domain.
    pub domain: Domain,
    /// Who authenticated it, or could not tell.
    pub mechanism: Mechanism,
    /// Whether it was authenticated.
    pub authentication: Authentication,
    /// What the record asks for (`aspf`, `adkim`).
    pub mode: Mode,
    /// How it stands to the author domain.
    pub alignment: Alignment,
}

impl IdentifierReport {
    /// Whether it is authenticated and aligned, which makes DMARC pass.
    pub fn is_aligned(&self) -> bool {
        self.authentication == Authentication::Passed && self.alignment.is_aligned()
    }
}

/// What SPF or DKIM says of an identifier. Others than these are not considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Authentication {
    /// It passed.
    Passed,
    /// It ended in `temperror`: trying again may make it pass.
    TempError,
}

/// How an identifier stands to the author domain (RFC 9989 §3.2.10, §4.10.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Alignment {
    /// It is the same domain: aligned in either mode.
    Identical,
    /// Both have this organizational domain: aligned, for the mode is relaxed.
    SameOrganization {
        /// Their organizational domain.
        organizational_domain: Domain,
    },
    /// Not aligned: it is another domain, and the mode is strict.
    NotIdentical,
    /// Not aligned: the organizational domains differ.
    OtherOrganization {
        /// That of the identifier; `None` where nothing tells it and there was no need to ask, because the identifier is not at or below
        /// that of the author domain.
        organization: Option<Organization>,
    },
    /// Not known: the DNS did not answer on the walk to an organizational domain.
    Undetermined {
        /// The domain whose record was looked for.
        domain: Domain,
        /// What went wrong.
        error: LookupError,
    },
    /// Nothing depended on it.
    NotEvaluated,
}

impl Alignment {
    /// Whether it is aligned for certain.
    pub fn is_aligned(&self) -> bool {
        match self {
            Self::Identical | Self::SameOrganization { .. } => true,
            Self::NotIdentical | Self::OtherOrganization { .. } | Self::Undetermined { .. } | Self::NotEvaluated => {
                false
            }
        }
    }
}

/// The identifier and how it stands to the author domain, in words.
impl fmt::Display for IdentifierReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'s {}", self.mechanism.name(), self.domain)?;
        if self.authentication == Authentication::TempError {
            f.write_str(", for which there is only a temperror,")?;
        }
        match &self.alignment {
            Alignment::Identical => f.write_str(" is the author domain itself"),
            Alignment::SameOrganization { organizational_domain } => {
                write!(f, " shares the organizational domain {organizational_domain}")
            }
            Alignment::NotIdentical => f.write_str(" is another domain, and alignment is strict"),
            Alignment::OtherOrganization { organization: Some(organization) } => {
                write!(f, " belongs to another organizational domain, {organization}")
            }
            Alignment::OtherOrganization { organization: None } => {
                f.write_str(" belongs to another organizational domain")
            }
            Alignment::Undetermined { domain, error } => {
                write!(f, " may or may not align: the record of {domain} could not be asked for ({error})")
            }
            Alignment::NotEvaluated => f.write_str(" was not looked at"),
        }
    }
}
