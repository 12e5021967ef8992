//! Domain-based Message Authentication, Reporting, and Conformance, RFC 9989 (and RFC 7489 for those who ask).
//!
#![doc = include_str!("../../docs/dmarc.md")]
// `discover` asks for the author domain's records while SPF and DKIM are at work; `evaluate` takes what they authenticated
// and asks only where an identifier needs a tree walk of its own; `ahead` asks early what these may come to. Each name is asked once
// for a message. All else is pure.

mod ahead;
mod comparison;
mod decide;
mod destination;
mod discover;
mod edition;
mod failure_report;
mod identifier;
mod precedent;
mod public_suffix;
mod record;
mod report;
mod result;
mod suite;
mod tree_walk;
mod uri;

pub use comparison::{Cause, Comparison, Difference};
pub use destination::{Destination, MAX_DESTINATIONS, Permission, Refusal, ReportKind, destinations};
pub use edition::{Edition, Editions, Policy};
pub use failure_report::FailureReports;
pub use identifier::{AuthenticatedIdentifier, Mechanism};
#[cfg(feature = "psl")]
pub use public_suffix::BuiltInSuffixes;
pub use public_suffix::{PublicSuffixes, SuffixList};
pub use record::{
    Existence, FailureOptions, Ignored, IgnoredBecause, Mode, PolicyTag, PublicSuffix, Record, Request, Usability,
};
pub use report::{Alignment, Authentication, DmarcReport, IdentifierReport, Lowered};
pub use result::{Disposition, DmarcResult, FailReason, NoneReason, PassReason, PermReason, TempErrorReason};
pub use tree_walk::{Found, PublishedRecord, Step, TreeWalk, targets};
pub use uri::{ReportTarget, ReportUri};

pub(crate) use ahead::{ask_ahead, ask_for};
pub(crate) use discover::{Answers, discover};
pub(crate) use identifier::{Offer, offers};
pub(crate) use precedent::Memory;

use crate::{
    dns::inquiry::{Grounds, Reading},
    message::Authors,
};
use decide::{Method, decide, identifiers_to_walk, sole_author};
use identifier::Identifiers;
use std::sync::Arc;

/// The report that was made before on the same author domain and identifiers, if `confirms` confirms all that it rests on.
#[inline]
pub(crate) fn recall<'o>(
    memory: &Memory,
    policy: &Policy,
    authors: &Authors,
    offers: impl Iterator<Item = Offer<'o>> + Clone,
    confirms: impl FnMut(Arc<Grounds>) -> bool,
) -> Option<Arc<DmarcReport>> {
    memory.reports(sole_author(authors, policy)?, offers, confirms).map(|(report, _)| report)
}

/// The reports under the editions that the policy names: the one that counts, and that of RFC 7489 beside it.
pub(crate) async fn evaluate<'o, R: Reading>(
    resolver: &R,
    policy: &Policy,
    authors: &Authors,
    answers: &mut Answers<'_>,
    offers: impl Iterator<Item = Offer<'o>> + Clone,
) -> (Arc<DmarcReport>, Option<Arc<DmarcReport>>) {
    let before = answers.precedent.as_ref().and_then(|precedent| precedent.conclusion(resolver, offers.clone()));
    if let Some(reports) = before {
        return reports;
    }
    let identifiers = Identifiers::gather(offers.clone());
    if !matches!(policy.editions, Editions::Rfc7489(_)) {
        let starts = identifiers_to_walk(answers, authors, policy, &identifiers);
        answers.complete_walks(resolver, &starts).await;
    }
    let by_tree_walk = || Arc::new(decide(Method::TreeWalk(answers), authors, policy, &identifiers));
    let by_suffixes =
        |suffixes| Arc::new(decide(Method::PublicSuffixes(answers, suffixes), authors, policy, &identifiers));
    let (report, older) = match &policy.editions {
        Editions::Rfc9989 => (by_tree_walk(), None),
        Editions::Rfc7489(suffixes) => (by_suffixes(&**suffixes), None),
        Editions::Both(suffixes) => (by_tree_walk(), Some(by_suffixes(&**suffixes))),
    };
    if let Some(precedent) = &answers.precedent
        && let Some(grounds) = resolver.grounds()
    {
        precedent.keep(offers, grounds, &report, older.as_ref());
    }
    (report, older)
}
