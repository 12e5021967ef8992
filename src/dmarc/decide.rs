//! From records and identifiers to a result: pure functions.

use super::{
    alignment::{Alignment, Authentication, IdentifierReport, Mechanism},
    discover::{Discovered, evaluated},
    disposition::Disposition,
    edition::Edition,
    identifier::{Identifiers, is_exhaustion},
    organization::{FoundBy, Organization},
    policy::Policy,
    public_suffix::{PublicSuffixes, organizational_domain},
    publication::{Found, PublishedRecord},
    record::{Existence, Mode, Usability},
    replaced::Replaced,
    report::{DmarcReport, Lowered},
    result::{DmarcResult, FailReason, NoneReason, PassReason, PermReason, TempErrorReason},
    tree_walk::{Step, TreeWalk},
};
use crate::{dns::LookupError, message::Authors, name::Domain};
use std::{borrow::Cow, sync::Arc};

/// How organizational domains are found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Method<'a> {
    /// RFC 9989.
    TreeWalk(&'a Discovered),
    /// RFC 7489.
    PublicSuffixes(&'a Discovered, &'a dyn PublicSuffixes),
}

/// What was discovered for one author domain.
struct Discovery {
    steps: Vec<Step>,
    organization: Result<Organization, (Domain, LookupError)>,
    record: Result<Arc<PublishedRecord>, DmarcResult>,
}

impl Method<'_> {
    fn edition(self) -> Edition {
        match self {
            Self::TreeWalk(_) => Edition::Rfc9989,
            Self::PublicSuffixes(..) => Edition::Rfc7489,
        }
    }

    fn discovered(&self) -> &Discovered {
        match self {
            Self::TreeWalk(discovered) | Self::PublicSuffixes(discovered, _) => discovered,
        }
    }

    fn discover(self, author: &Domain) -> Discovery {
        match self {
            Self::TreeWalk(discovered) => discover_by_tree_walk(&walk(discovered, author)),
            Self::PublicSuffixes(discovered, suffixes) => discover_by_suffixes(discovered, suffixes, author),
        }
    }

    fn organization(self, domain: &Domain) -> Result<Organization, (Domain, LookupError)> {
        match self {
            Self::TreeWalk(discovered) => owned(walk(discovered, domain).organization()),
            Self::PublicSuffixes(_, suffixes) => Ok(by_list(suffixes, domain)),
        }
    }

    /// The same of a domain from which no walk was made, where it is known all the same.
    fn organization_without_walk(self, domain: &Domain) -> Option<Organization> {
        match self {
            Self::TreeWalk(discovered) => discovered.organization_without_walk(domain),
            Self::PublicSuffixes(_, suffixes) => Some(by_list(suffixes, domain)),
        }
    }
}

fn by_list(suffixes: &dyn PublicSuffixes, domain: &Domain) -> Organization {
    Organization::new(organizational_domain(suffixes, domain), FoundBy::List)
}

/// The walk from `start`; where it was not made, it ends without an answer.
fn walk<'a>(discovered: &'a Discovered, start: &Domain) -> Cow<'a, TreeWalk> {
    discovered.walk_from(start).map(Cow::Borrowed).unwrap_or_else(|| {
        let (start, found) = (start.clone(), Found::Error(LookupError::OutOfQuestions));
        Cow::Owned(TreeWalk { steps: vec![Step { domain: start.clone(), found }], start })
    })
}

fn owned<T>(result: Result<T, (&Domain, &LookupError)>) -> Result<T, (Domain, LookupError)> {
    result.map_err(|(domain, error)| (domain.clone(), error.clone()))
}

fn temp_error((domain, error): (Domain, LookupError)) -> DmarcResult {
    DmarcResult::TempError(TempErrorReason::Record { domain, error })
}

fn discover_by_tree_walk(walk: &TreeWalk) -> Discovery {
    let no_record = || DmarcResult::None(NoneReason::NoRecord { author_domain: walk.start.clone() });
    let record = owned(walk.applicable_record()).map_err(temp_error);
    Discovery {
        organization: owned(walk.organization()),
        record: record.and_then(|record| record.cloned().ok_or_else(no_record)),
        // They are handed to the report when all is decided.
        steps: Vec::new(),
    }
}

/// RFC 7489 §6.6.3: the author domain, then its organizational domain; several records end the search.
fn discover_by_suffixes(discovered: &Discovered, suffixes: &dyn PublicSuffixes, author: &Domain) -> Discovery {
    let organizational = organizational_domain(suffixes, author);
    let mut steps = Vec::new();
    let mut record = Err(DmarcResult::None(NoneReason::NoRecord { author_domain: author.clone() }));
    for domain in [author, &organizational] {
        if steps.iter().any(|step: &Step| step.domain == *domain) {
            break;
        }
        let found = discovered.record_at(domain).cloned().unwrap_or(Found::Error(LookupError::OutOfQuestions));
        let next = match &found {
            Found::Nothing { .. } | Found::NotAName => None,
            Found::Record(published) => Some(Ok(published.clone())),
            Found::ManyRecords { count } => {
                Some(Err(DmarcResult::None(NoneReason::ManyRecords { domain: domain.clone(), count: *count })))
            }
            Found::Error(error) => Some(Err(temp_error((domain.clone(), error.clone())))),
        };
        steps.push(Step { domain: domain.clone(), found });
        if let Some(next) = next {
            record = next;
            break;
        }
    }
    Discovery { steps, organization: Ok(Organization::new(organizational, FoundBy::List)), record }
}

/// The identifiers whose own organizational domain decides over their alignment with one of the author domains.
///
/// RFC 9989 §4.10.2: none where the domains are the same, or the mode is strict; and none where the identifier is not at or below
/// the author's organizational domain, because then it has another one whatever its walk finds.
pub(super) fn identifiers_to_walk(
    discovered: &Discovered,
    authors: &Authors,
    policy: &Policy,
    identifiers: &Identifiers,
) -> Vec<Domain> {
    let mut wanted = Vec::new();
    for author in evaluated(authors, policy) {
        let walk = walk(discovered, author);
        let (Ok(Some(published)), Ok(organizational)) = (walk.applicable_record(), walk.organizational_domain()) else {
            continue;
        };
        let authenticated = identifiers.authenticated.iter().map(|known| (known.domain(), known.mechanism()));
        let undetermined = identifiers.undetermined.iter().map(|open| (&open.domain, open.mechanism));
        for (domain, mechanism) in authenticated.chain(undetermined) {
            let relaxed = mode(published, mechanism) == Mode::Relaxed;
            if relaxed && domain != author && domain.is_at_or_below(&organizational) && !wanted.contains(domain) {
                wanted.push(domain.clone());
            }
        }
    }
    wanted
}

fn mode(published: &PublishedRecord, mechanism: Mechanism) -> Mode {
    match mechanism {
        Mechanism::Spf => published.record.spf_alignment,
        Mechanism::Dkim => published.record.dkim_alignment,
    }
}

/// The report on a message, whatever its From fields hold.
pub(super) fn decide(method: Method<'_>, authors: &Authors, policy: &Policy, identifiers: &Identifiers) -> DmarcReport {
    let Some(mut reason) = obstacle(authors, policy) else {
        return match evaluated(authors, policy).next() {
            Some(author) => decide_for(method, author, policy, identifiers),
            None => DmarcReport::without_author(method.edition(), PermReason::NoAuthorDomain),
        };
    };
    let reports = evaluated(authors, policy).map(|author| decide_for(method, author, policy, identifiers));
    let reports: Vec<_> = reports.collect();
    // RFC 9989 §11.5: "apply the most strict policy selected among the checks that fail". The first of the strictest stands, and
    // one that is known before one that is not.
    let strictest =
        reports.iter().rev().max_by_key(|report| (at_worst(report, policy).0, unanswered_policy(report).is_none()));
    let mut report =
        strictest.cloned().unwrap_or_else(|| DmarcReport::without_author(method.edition(), reason.clone()));
    (report.disposition, report.lowered) = at_worst(&report, policy);
    let is_unevaluated = matches!(reason, PermReason::TooManyAuthorDomains { .. }) || authors.is_incomplete();
    let is_cut_off = reports.iter().any(ran_out);
    if is_cut_off {
        reason = PermReason::IncompleteEvaluation { count: reports.len() };
    } else if let Some(unanswered) = unanswered_policy(&report) {
        reason = unanswered;
    }
    // What was not evaluated may ask for anything.
    if (is_unevaluated || is_cut_off) && report.disposition < policy.unevaluated {
        report.disposition = policy.unevaluated;
        report.lowered = None;
    }
    report.result = DmarcResult::PermError(reason);
    report.authors = reports;
    report
}

/// What the policy comes to where nothing shows that the message comes from the author domain.
fn enforced(
    published: &PublishedRecord,
    edition: Edition,
    policy: &Policy,
    requested: Disposition,
) -> (Disposition, Option<Lowered>) {
    let lowered = match edition {
        // RFC 9989 §4.7, t: "no effect on any policy that is none".
        Edition::Rfc9989 => published.record.testing.then_some(Lowered::TestMode),
        // RFC 7489 §6.6.4.
        Edition::Rfc7489 => {
            let (percent, sample) = (published.record.percent, policy.sample);
            (sample >= percent).then_some(Lowered::NotSampled { percent, sample })
        }
    };
    let lowered = lowered.filter(|_| requested != Disposition::None);
    (if lowered.is_some() { requested.lowered() } else { requested }, lowered)
}

/// What one of several author domains may ask for. Where the DNS left the result open, the message is refused the benefit of the
/// doubt: a single author domain would have it deferred, and the others must not have it accepted instead.
fn at_worst(report: &DmarcReport, policy: &Policy) -> (Disposition, Option<Lowered>) {
    match (&report.result, &report.record, report.policy) {
        (DmarcResult::TempError(_), Some(published), Some(requested)) => {
            enforced(published, report.edition, policy, requested)
        }
        (DmarcResult::TempError(_), ..) => (Disposition::Reject, None),
        (DmarcResult::None(_) | DmarcResult::Pass(_) | DmarcResult::Fail(_) | DmarcResult::PermError(_), ..) => {
            (report.disposition, report.lowered)
        }
    }
}

/// The reason where the DNS did not tell the policy of an author domain.
fn unanswered_policy(report: &DmarcReport) -> Option<PermReason> {
    match &report.result {
        DmarcResult::TempError(TempErrorReason::Record { error, .. }) => {
            let author_domain = report.author_domain.clone()?;
            Some(PermReason::UnansweredPolicy { author_domain, error: error.clone() })
        }
        DmarcResult::TempError(TempErrorReason::Identifier { .. } | TempErrorReason::Alignment { .. })
        | DmarcResult::None(_)
        | DmarcResult::Pass(_)
        | DmarcResult::Fail(_)
        | DmarcResult::PermError(_) => None,
    }
}

/// Whether the message cost too much, or took too long, before the policy of an author domain was known: a forger may have named
/// other author domains for that very purpose.
fn ran_out(report: &DmarcReport) -> bool {
    let cut_off = |error: &LookupError| is_exhaustion(error) || *error == LookupError::OutOfTime;
    match &report.result {
        DmarcResult::TempError(TempErrorReason::Record { error, .. } | TempErrorReason::Alignment { error, .. }) => {
            cut_off(error)
        }
        // Whether `np` applies was never asked.
        DmarcResult::TempError(TempErrorReason::Identifier { .. }) | DmarcResult::Fail(_) => {
            matches!(&report.existence, Some(Existence::Unknown(error)) if cut_off(error))
        }
        DmarcResult::None(_) | DmarcResult::Pass(_) | DmarcResult::PermError(_) => false,
    }
}

/// Why there is no single author domain (RFC 9989 §4.4, §5.3.1).
fn obstacle(authors: &Authors, policy: &Policy) -> Option<PermReason> {
    let count = authors.domains().len() + authors.possible().len();
    if count > policy.max_author_domains {
        return Some(PermReason::TooManyAuthorDomains { count, limit: policy.max_author_domains });
    }
    if let Some(malformation) = authors.disputed() {
        return Some(PermReason::DisputedFrom(malformation.clone()));
    }
    if authors.from_fields() == 0 {
        return Some(PermReason::NoFrom);
    }
    if let Some(error) = authors.error().filter(|_| authors.is_ambiguous()) {
        let error = Box::new(error.clone());
        return Some(match authors.is_incomplete() {
            true => PermReason::UnreadableAuthorDomain { error },
            false => PermReason::MalformedFrom { error },
        });
    }
    if count > 1 {
        return Some(PermReason::ManyAuthorDomains { count });
    }
    if authors.from_fields() > 1 {
        return Some(PermReason::ManyFromFields { count: authors.from_fields() });
    }
    (count == 0).then_some(PermReason::NoAuthorDomain)
}

/// The report on one author domain.
fn decide_for(method: Method<'_>, author: &Domain, policy: &Policy, identifiers: &Identifiers) -> DmarcReport {
    let edition = method.edition();
    let Discovery { steps, organization, record } = method.discover(author);
    let mut report = DmarcReport {
        author_domain: Some(author.clone()),
        organizational_domain: organization.as_ref().ok().map(|organization| organization.domain.clone()),
        steps,
        ..DmarcReport::without_author(method.edition(), PermReason::NoAuthorDomain)
    };
    let published = match record {
        Ok(published) => published,
        Err(result) => {
            report.result = result;
            return report;
        }
    };
    report.policy_domain = Some(published.domain.clone());
    report.record = Some(published.clone());
    if let Usability::NotAtAll(tag) = published.record.usability(edition) {
        report.result = DmarcResult::None(NoneReason::no_valid_policy(&published, tag));
        return report;
    }
    report.existence = match edition {
        Edition::Rfc9989 => method.discovered().existence_of(author).cloned(),
        Edition::Rfc7489 => None,
    };
    let existence = report.existence.clone().unwrap_or(Existence::Exists);
    let subdomain = (published.domain != *author).then_some(&existence);
    let (requested, tag) = published.record.policy_for(edition, subdomain);
    report.policy = Some(requested);
    report.policy_tag = Some(tag);

    report.identifiers = align(method, author, &published, &organization, identifiers);
    report.result = conclude(author, identifiers, &report.identifiers, || FailGrounds {
        organization: organization.ok(),
        replaced: published.replaced(edition).map(Box::new),
    });
    if matches!(report.result, DmarcResult::Fail(_)) {
        (report.disposition, report.lowered) = enforced(&published, edition, policy, requested);
    }
    report
}

/// RFC 9989 §4.10.2, for each identifier.
fn align(
    method: Method<'_>,
    author: &Domain,
    published: &PublishedRecord,
    organization: &Result<Organization, (Domain, LookupError)>,
    identifiers: &Identifiers,
) -> Vec<IdentifierReport> {
    let authenticated = identifiers.authenticated.iter();
    let authenticated = authenticated.map(|known| (known.domain(), known.mechanism(), Authentication::Passed));
    let undetermined = identifiers.undetermined.iter();
    let undetermined = undetermined.map(|open| (&open.domain, open.mechanism, Authentication::TempError));
    authenticated
        .chain(undetermined)
        .map(|(domain, mechanism, authentication)| {
            let mode = mode(published, mechanism);
            let alignment = alignment(method, author, organization, domain, mode);
            IdentifierReport { domain: domain.clone(), mechanism, authentication, mode, alignment }
        })
        .collect()
}

fn alignment(
    method: Method<'_>,
    author: &Domain,
    organization: &Result<Organization, (Domain, LookupError)>,
    domain: &Domain,
    mode: Mode,
) -> Alignment {
    if domain == author {
        return Alignment::Identical;
    }
    match mode {
        Mode::Strict => return Alignment::NotIdentical,
        Mode::Relaxed => {}
    }
    let organization = match organization {
        Ok(organization) => &organization.domain,
        // Every domain the walk may still have come to lies above both, or there is none.
        Err(_) if domain.rightmost(1) != author.rightmost(1) => {
            return Alignment::OtherOrganization { organization: None };
        }
        Err((domain, error)) => return Alignment::Undetermined { domain: domain.clone(), error: error.clone() },
    };
    if !domain.is_at_or_below(organization) {
        return Alignment::OtherOrganization { organization: method.organization_without_walk(domain) };
    }
    match method.organization(domain) {
        Ok(other) if other.domain == *organization => {
            Alignment::SameOrganization { organizational_domain: other.domain }
        }
        Ok(other) => Alignment::OtherOrganization { organization: Some(other) },
        Err((domain, error)) => Alignment::Undetermined { domain, error },
    }
}

/// RFC 9989 §5.3.5 and §5.3.6.
fn conclude(
    author: &Domain,
    identifiers: &Identifiers,
    reports: &[IdentifierReport],
    grounds: impl FnOnce() -> FailGrounds,
) -> DmarcResult {
    // The reports begin with the authenticated identifiers, in their order.
    let aligned = identifiers.authenticated.iter().zip(reports).find(|(_, report)| report.is_aligned());
    if let Some((identifier, report)) = aligned {
        return DmarcResult::Pass(PassReason {
            author_domain: author.clone(),
            identifier: identifier.clone(),
            alignment: report.alignment.clone(),
        });
    }
    for report in reports {
        let mechanism = report.mechanism;
        match &report.alignment {
            // Not authenticated, or it would have passed.
            Alignment::Identical | Alignment::SameOrganization { .. } => {
                let domain = report.domain.clone();
                return DmarcResult::TempError(TempErrorReason::Identifier { mechanism, domain });
            }
            Alignment::Undetermined { domain, error } => {
                return DmarcResult::TempError(TempErrorReason::Alignment {
                    mechanism,
                    identifier: report.domain.clone(),
                    domain: domain.clone(),
                    error: error.clone(),
                });
            }
            Alignment::NotIdentical | Alignment::OtherOrganization { .. } | Alignment::NotEvaluated => {}
        }
    }
    let author_domain = author.clone();
    let FailGrounds { organization, replaced } = grounds();
    DmarcResult::Fail(if reports.is_empty() {
        FailReason::NothingAuthenticated { author_domain, replaced }
    } else {
        FailReason::NotAligned { author_domain, organization, identifiers: reports.into(), replaced }
    })
}

/// What a failure rests on beside the identifiers.
struct FailGrounds {
    organization: Option<Organization>,
    replaced: Option<Box<Replaced>>,
}
