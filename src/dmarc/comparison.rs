//! Where RFC 9989 and RFC 7489 part on one message, and why.

use super::{
    alignment::Mechanism,
    disposition::Disposition,
    publication::{Found, PublishedRecord},
    record::{PolicyTag, Usability},
    report::{DmarcReport, Lowered},
    result::{DmarcResult, NoneReason},
};
use crate::name::Domain;
use std::fmt;

/// The differences between the reports of both editions on one message.
///
/// ```
/// # use mailverdict::Verdict;
/// # fn show(verdict: &Verdict) {
/// if let Some(older) = &verdict.dmarc_rfc7489 {
///     let comparison = mailverdict::dmarc::Comparison::of(&verdict.dmarc, older);
///     for difference in &comparison.differences {
///         println!("{difference}");
///     }
///     for cause in &comparison.causes {
///         println!("because {cause}");
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Comparison {
    /// What differs, the weightiest first; empty where both editions come to the same.
    pub differences: Vec<Difference>,
    /// Why; empty where nothing differs.
    pub causes: Vec<Cause>,
}

/// Something that the editions do not agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Difference {
    /// The result, as its keyword.
    Result {
        /// By RFC 9989.
        rfc9989: &'static str,
        /// By RFC 7489.
        rfc7489: &'static str,
    },
    /// The disposition.
    Disposition {
        /// By RFC 9989.
        rfc9989: Disposition,
        /// By RFC 7489.
        rfc7489: Disposition,
    },
    /// The published policy that applies.
    Policy {
        /// By RFC 9989.
        rfc9989: Option<Disposition>,
        /// By RFC 7489.
        rfc7489: Option<Disposition>,
    },
    /// The domain whose record applies.
    PolicyDomain {
        /// By RFC 9989.
        rfc9989: Option<Domain>,
        /// By RFC 7489.
        rfc7489: Option<Domain>,
    },
    /// Whether an authenticated identifier aligns.
    Alignment {
        /// Who authenticated it.
        mechanism: Mechanism,
        /// The identifier.
        domain: Domain,
        /// By RFC 9989.
        rfc9989: bool,
        /// By RFC 7489.
        rfc7489: bool,
    },
    /// The organizational domain of the author domain.
    OrganizationalDomain {
        /// By RFC 9989.
        rfc9989: Option<Domain>,
        /// By RFC 7489.
        rfc7489: Option<Domain>,
    },
}

/// A rule that makes the editions differ on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Cause {
    /// Organizational domains are found by the tree walk, and were found by a public suffix list (RFC 9989 §4.10, C.3).
    TreeWalk,
    /// A public suffix domain or another parent publishes a record, which RFC 7489 does not look for.
    RecordAbove {
        /// Whose record.
        domain: Domain,
    },
    /// Several records at one name are passed over, and ended the search (RFC 9989 §4.10, step 6).
    ManyRecords {
        /// Whose records.
        domain: Domain,
    },
    /// `np` has come (RFC 9989 C.5.1).
    NonexistentPolicy,
    /// A malformed `np` decides over the whole record (RFC 9989 §4.10.1).
    MalformedNonexistentPolicy,
    /// `t` has come (RFC 9989 C.5.1).
    TestMode,
    /// `pct` is gone (RFC 9989 C.5.2).
    Percent {
        /// Its value.
        percent: u8,
    },
    /// The DNS did not answer a question that only RFC 9989 asks.
    Unanswered,
}

impl Comparison {
    /// Compares the report by RFC 9989 with that by RFC 7489.
    pub fn of(rfc9989: &DmarcReport, rfc7489: &DmarcReport) -> Self {
        let differences = differences(rfc9989, rfc7489);
        let causes = if differences.is_empty() { Vec::new() } else { causes(rfc9989, rfc7489) };
        Self { differences, causes }
    }

    /// Whether both editions come to the same in everything that is compared.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }
}

fn differences(new: &DmarcReport, old: &DmarcReport) -> Vec<Difference> {
    let mut differences = Vec::new();
    let (rfc9989, rfc7489) = (new.result.keyword(), old.result.keyword());
    if rfc9989 != rfc7489 {
        differences.push(Difference::Result { rfc9989, rfc7489 });
    }
    if new.disposition != old.disposition {
        differences.push(Difference::Disposition { rfc9989: new.disposition, rfc7489: old.disposition });
    }
    if new.policy != old.policy {
        differences.push(Difference::Policy { rfc9989: new.policy, rfc7489: old.policy });
    }
    if new.policy_domain != old.policy_domain {
        let (rfc9989, rfc7489) = (new.policy_domain.clone(), old.policy_domain.clone());
        differences.push(Difference::PolicyDomain { rfc9989, rfc7489 });
    }
    // Where only one edition finds a record, only one looks at identifiers; that is no difference of alignment.
    for identifier in &new.identifiers {
        let same = |other: &&super::IdentifierReport| {
            other.domain == identifier.domain
                && other.mechanism == identifier.mechanism
                && other.authentication == identifier.authentication
        };
        let (rfc9989, other) = (identifier.is_aligned(), old.identifiers.iter().find(same));
        if let Some(rfc7489) = other.map(|other| other.is_aligned()).filter(|rfc7489| *rfc7489 != rfc9989) {
            let (mechanism, domain) = (identifier.mechanism, identifier.domain.clone());
            differences.push(Difference::Alignment { mechanism, domain, rfc9989, rfc7489 });
        }
    }
    if new.organizational_domain != old.organizational_domain {
        let (rfc9989, rfc7489) = (new.organizational_domain.clone(), old.organizational_domain.clone());
        differences.push(Difference::OrganizationalDomain { rfc9989, rfc7489 });
    }
    differences
}

fn causes(new: &DmarcReport, old: &DmarcReport) -> Vec<Cause> {
    let mut causes = Vec::new();
    let unanswered = |report: &DmarcReport| report.steps.iter().any(|step| matches!(step.found, Found::Error(_)));
    if new.organizational_domain.is_none() && new.author_domain.is_some() && unanswered(new) && !unanswered(old) {
        causes.push(Cause::Unanswered);
    } else if new.organizational_domain != old.organizational_domain || alignment_differs(new, old) {
        causes.push(Cause::TreeWalk);
    }
    let asked_by_old = |domain: &Domain| old.steps.iter().any(|step| step.domain == *domain);
    if let Some(domain) = new.policy_domain.as_ref().filter(|domain| Some(*domain) != old.policy_domain.as_ref()) {
        if let DmarcResult::None(NoneReason::ManyRecords { domain, .. }) = &old.result {
            causes.push(Cause::ManyRecords { domain: domain.clone() });
        } else if !asked_by_old(domain) {
            causes.push(Cause::RecordAbove { domain: domain.clone() });
        }
    }
    if new.policy != old.policy && new.policy_tag == Some(PolicyTag::Np) {
        causes.push(Cause::NonexistentPolicy);
    }
    let spoiled = |published: &std::sync::Arc<PublishedRecord>| {
        let usability = published.record.usability(new.edition);
        matches!(usability, Usability::AsNone(PolicyTag::Np) | Usability::NotAtAll(PolicyTag::Np))
    };
    if new.record.as_ref().is_some_and(spoiled) {
        causes.push(Cause::MalformedNonexistentPolicy);
    }
    if new.lowered == Some(Lowered::TestMode) {
        causes.push(Cause::TestMode);
    }
    if let Some(Lowered::NotSampled { percent, .. }) = old.lowered {
        causes.push(Cause::Percent { percent });
    }
    causes
}

fn alignment_differs(new: &DmarcReport, old: &DmarcReport) -> bool {
    differences(new, old).iter().any(|difference| matches!(difference, Difference::Alignment { .. }))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = |policy: &Option<Disposition>| policy.map_or("no policy", |policy| policy.keyword());
        let domain = |domain: &Option<Domain>| domain.as_ref().map_or("none".to_owned(), Domain::to_string);
        let (what, new, old) = match self {
            Self::Result { rfc9989, rfc7489 } => ("the result", (*rfc9989).to_owned(), (*rfc7489).to_owned()),
            Self::Disposition { rfc9989, rfc7489 } => {
                ("the disposition", rfc9989.keyword().to_owned(), rfc7489.keyword().to_owned())
            }
            Self::Policy { rfc9989, rfc7489 } => ("the policy", policy(rfc9989).to_owned(), policy(rfc7489).to_owned()),
            Self::PolicyDomain { rfc9989, rfc7489 } => ("the policy domain", domain(rfc9989), domain(rfc7489)),
            Self::OrganizationalDomain { rfc9989, rfc7489 } => {
                ("the organizational domain", domain(rfc9989), domain(rfc7489))
            }
            Self::Alignment { mechanism, domain, rfc9989, rfc7489 } => {
                let word = |aligned: bool| if aligned { "aligned" } else { "not aligned" };
                let (new, old) = (word(*rfc9989), word(*rfc7489));
                return write!(f, "{}'s {domain} is {new} by RFC 9989, and {old} by RFC 7489", mechanism.name());
            }
        };
        write!(f, "{what} is {new} by RFC 9989, and {old} by RFC 7489")
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TreeWalk => f.write_str(
                "RFC 9989 finds organizational domains by walking up the DNS, RFC 7489 by a list of public suffixes",
            ),
            Self::RecordAbove { domain } => {
                write!(f, "{domain} publishes a record, which RFC 7489 does not look for")
            }
            Self::ManyRecords { domain } => write!(
                f,
                "{domain} publishes several records: RFC 9989 passes them over and walks on, RFC 7489 ends there"
            ),
            Self::NonexistentPolicy => {
                f.write_str("the author domain does not exist and the record has np, which RFC 7489 does not know")
            }
            Self::MalformedNonexistentPolicy => {
                f.write_str("the record's np is malformed, which under RFC 9989 spoils the whole policy")
            }
            Self::TestMode => f.write_str("the record has t=y, which RFC 7489 does not know"),
            Self::Percent { percent } => write!(f, "the record has pct={percent}, which RFC 9989 has removed"),
            Self::Unanswered => f.write_str("the DNS did not answer a question that only RFC 9989 asks"),
        }
    }
}
