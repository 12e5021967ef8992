//! Results of DMARC, each with its reason.

use super::{
    alignment::{Alignment, IdentifierReport, Mechanism},
    identifier::AuthenticatedIdentifier,
    ignored::{Ignored, IgnoredBecause},
    organization::Organization,
    publication::PublishedRecord,
    record::PolicyTag,
    replaced::{Replaced, cut},
};
use crate::{
    dns::LookupError,
    message::{FromError, Malformation},
    name::{Domain, Name},
};
use std::fmt;

/// The results of RFC 9989 (keywords of RFC 8601 §2.7 and the registry).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "result", content = "cause", rename_all = "lowercase")
)]
pub enum DmarcResult {
    /// No policy applies.
    None(NoneReason),
    /// At least one authenticated identifier aligns.
    Pass(PassReason),
    /// No authenticated identifier aligns.
    Fail(FailReason),
    /// The DNS did not answer a question on which the result depends.
    TempError(TempErrorReason),
    /// There is no single author domain.
    PermError(PermReason),
}

/// Which identifier made it pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PassReason {
    /// The author domain.
    pub author_domain: Domain,
    /// The first identifier that aligns; [`DmarcReport::identifiers`](super::DmarcReport::identifiers) has them all.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "AuthenticatedIdentifier::of_verdict"))]
    pub identifier: AuthenticatedIdentifier,
    /// How it aligns.
    pub alignment: Alignment,
}

/// Why no policy applies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NoneReason {
    /// No record was found.
    NoRecord {
        /// The author domain.
        author_domain: Domain,
    },
    /// The record that was found lacks a valid policy and a `rua` (RFC 9989 §4.10.1).
    NoValidPolicy {
        /// The name of the record.
        name: Name,
        /// The tag that is missing or malformed.
        tag: PolicyTag,
        /// Its value as written, printable and cut where it is long; `None` where there is no such tag.
        written: Option<Box<str>>,
        /// The first member of a `rua` that is no URI.
        report_uri: Option<Ignored>,
    },
    /// Several records at one name end the search (RFC 7489 §6.6.3).
    ManyRecords {
        /// Whose records.
        domain: Domain,
        /// How many.
        count: usize,
    },
}

/// Why no identifier aligns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum FailReason {
    /// Neither SPF nor DKIM authenticated any domain.
    NothingAuthenticated {
        /// The author domain.
        author_domain: Domain,
        /// Why `none` is taken instead of the policy as it was written.
        replaced: Option<Box<Replaced>>,
    },
    /// What they authenticated does not align.
    NotAligned {
        /// The author domain.
        author_domain: Domain,
        /// Its organizational domain; `None` where the DNS did not answer.
        organization: Option<Organization>,
        /// The identifiers, and why they do not align.
        identifiers: Box<[IdentifierReport]>,
        /// Why `none` is taken instead of the policy as it was written.
        replaced: Option<Box<Replaced>>,
    },
}

/// Which question was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TempErrorReason {
    /// Policy discovery: a DMARC record.
    Record {
        /// The domain whose record was looked for.
        domain: Domain,
        /// What went wrong.
        error: LookupError,
    },
    /// SPF or DKIM ended in `temperror` for a domain that aligns.
    Identifier {
        /// Which of the two.
        mechanism: Mechanism,
        /// The domain.
        domain: Domain,
    },
    /// An identifier might align, and the walk to an organizational domain ended without an answer.
    Alignment {
        /// The identifier's mechanism.
        mechanism: Mechanism,
        /// The identifier.
        identifier: Domain,
        /// The domain whose record was looked for.
        domain: Domain,
        /// What went wrong.
        error: LookupError,
    },
}

/// Why there is no single author domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum PermReason {
    /// There is no From field (RFC 5322 §3.6).
    NoFrom,
    /// The From fields hold no address with a domain.
    NoAuthorDomain,
    /// The header is malformed, so that readers may see other From fields (RFC 9989 §11.5).
    DisputedFrom(Malformation),
    /// A From field does not follow RFC 5322 §3.4, and readers may disagree on its addresses.
    MalformedFrom {
        /// What is wrong with it.
        error: Box<FromError>,
    },
    /// A From field does not follow RFC 5322 §3.4, and behind one of its at signs no domain can be read: readers may find any there,
    /// so that the strictest disposition is not known; it is taken to be `reject` by default, as above (RFC 9989 §11.5).
    UnreadableAuthorDomain {
        /// What is wrong with it.
        error: Box<FromError>,
    },
    /// There is more than one From field (RFC 5322 §3.6, RFC 9989 §4.4).
    ManyFromFields {
        /// How many.
        count: usize,
    },
    /// There is more than one author domain (RFC 9989 §5.3.1).
    ManyAuthorDomains {
        /// How many.
        count: usize,
    },
    /// There are more author domains than are evaluated, so that the strictest disposition is not known; it is taken to be
    /// `reject` by default ([`Policy::unevaluated`](super::Policy::unevaluated), RFC 9989 §11.5).
    TooManyAuthorDomains {
        /// How many.
        count: usize,
        /// How many are evaluated.
        limit: usize,
    },
    /// Evaluating the author domains took more of the DNS than a message may cost, so that the strictest disposition is not known;
    /// it is taken to be `reject` by default, as above (RFC 9989 §11.5).
    IncompleteEvaluation {
        /// How many there are.
        count: usize,
    },
    /// There is no single author domain, and the DNS did not answer what one of them asks for; it is taken to be `reject`, so that
    /// the others do not have a message accepted which would be deferred without them (RFC 9989 §11.5).
    UnansweredPolicy {
        /// The author domain.
        author_domain: Domain,
        /// What went wrong.
        error: LookupError,
    },
}

impl NoneReason {
    /// The record lacks a valid `tag`, and a `rua` that could be used.
    pub(super) fn no_valid_policy(published: &PublishedRecord, tag: PolicyTag) -> Self {
        let is_report_uri = |ignored: &&Ignored| {
            ignored.tag.as_deref() == Some("rua") && matches!(ignored.why, IgnoredBecause::MalformedUri(_))
        };
        Self::NoValidPolicy {
            name: published.name.clone(),
            tag,
            written: published.record.written(tag),
            report_uri: published.record.ignored.iter().find(is_report_uri).cloned(),
        }
    }
}

impl DmarcResult {
    /// The result's word in header fields and reports.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::None(_) => "none",
            Self::Pass(_) => "pass",
            Self::Fail(_) => "fail",
            Self::TempError(_) => "temperror",
            Self::PermError(_) => "permerror",
        }
    }
}

/// The reason in words.
impl fmt::Display for DmarcResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None(reason) => reason.fmt(f),
            Self::Pass(reason) => reason.fmt(f),
            Self::Fail(reason) => reason.fmt(f),
            Self::TempError(reason) => reason.fmt(f),
            Self::PermError(reason) => reason.fmt(f),
        }
    }
}

impl fmt::Display for PassReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (domain, author) = (self.identifier.domain(), &self.author_domain);
        write!(f, "{} authenticated {domain}, ", self.identifier.mechanism().name())?;
        match &self.alignment {
            Alignment::SameOrganization { organizational_domain } => {
                write!(f, "which has the organizational domain {organizational_domain} in common with {author}")
            }
            Alignment::Identical
            | Alignment::NotIdentical
            | Alignment::OtherOrganization { .. }
            | Alignment::Undetermined { .. }
            | Alignment::NotEvaluated => f.write_str("the author domain itself"),
        }
    }
}

impl fmt::Display for NoneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord { author_domain } => write!(f, "no DMARC record applies to {author_domain}"),
            Self::NoValidPolicy { name, tag, written, report_uri } => {
                let tag = tag.keyword();
                write!(f, "the record at {name} has no valid {tag} tag")?;
                if let Some(value) = written {
                    write!(f, " ({tag}={value} cannot be read)")?;
                }
                match report_uri {
                    Some(Ignored { text, why: IgnoredBecause::MalformedUri(error), .. }) => {
                        write!(f, " and no rua that could be used (rua={} {error})", cut(text))?;
                    }
                    _ => f.write_str(" and no rua to report that to")?,
                }
                f.write_str(", so DMARC does not apply")
            }
            Self::ManyRecords { domain, count } => {
                write!(f, "{domain} publishes {count} DMARC records, so none of them applies (RFC 7489)")
            }
        }
    }
}

impl fmt::Display for FailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replaced = match self {
            Self::NothingAuthenticated { author_domain, replaced } => {
                write!(f, "neither SPF nor DKIM authenticated a domain that could align with {author_domain}")?;
                replaced
            }
            Self::NotAligned { author_domain, organization, identifiers, replaced } => {
                write!(f, "no authenticated domain aligns with {author_domain}: ")?;
                for (place, identifier) in identifiers.iter().enumerate() {
                    write!(f, "{}{identifier}", if place == 0 { "" } else { "; " })?;
                }
                let is_other =
                    |report: &IdentifierReport| matches!(report.alignment, Alignment::OtherOrganization { .. });
                if let Some(organization) = organization.as_ref().filter(|_| identifiers.iter().any(is_other)) {
                    write!(f, "; the organizational domain of {author_domain} is {organization}")?;
                }
                replaced
            }
        };
        replaced.iter().try_for_each(|replaced| write!(f, "; {replaced}"))
    }
}

impl fmt::Display for TempErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { domain, error } => write!(f, "the DMARC record of {domain} could not be asked for: {error}"),
            Self::Identifier { mechanism, domain } => {
                write!(f, "{} ended in temperror for {domain}, which would align", mechanism.name())
            }
            Self::Alignment { mechanism, identifier, domain, error } => write!(
                f,
                "whether {}'s {identifier} aligns is not known: the DMARC record of {domain} could not be asked for: {error}",
                mechanism.name()
            ),
        }
    }
}

impl fmt::Display for PermReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFrom => f.write_str("the message has no From field"),
            Self::NoAuthorDomain => f.write_str("no author domain could be read from the From field"),
            Self::DisputedFrom(malformation) => write!(f, "readers may see other From fields: {malformation}"),
            Self::MalformedFrom { error } => write!(f, "the From field is malformed: {error}"),
            Self::UnreadableAuthorDomain { error } => {
                write!(f, "the From field is malformed, and holds an address whose domain cannot be read: {error}")
            }
            Self::ManyFromFields { count } => write!(f, "there are {count} From fields; one is allowed"),
            Self::ManyAuthorDomains { count } => {
                write!(f, "the message names {count} author domains; the strictest disposition of them stands")
            }
            Self::TooManyAuthorDomains { count, limit } => {
                write!(f, "the message names {count} author domains, and no more than {limit} are evaluated")
            }
            Self::IncompleteEvaluation { count } => write!(
                f,
                "the message names {count} author domains, and evaluating them takes more of the DNS than a message may cost"
            ),
            Self::UnansweredPolicy { author_domain, error } => write!(
                f,
                "the From field does not name a single author domain, and the policy of {author_domain} could not be asked for: {error}"
            ),
        }
    }
}
