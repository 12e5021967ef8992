//! Domain-based Message Authentication, Reporting, and Conformance, RFC 9989 (and RFC 7489 for those who ask).
//!
#![doc = include_str!("../../docs/dmarc.md")]
// `discover` finds the policy of the author domain, for which neither SPF nor DKIM is needed; `evaluate` takes what they
// authenticated; `ahead` names early what these may come to ask.

mod ahead;
mod alignment;
mod comparison;
mod decide;
mod discover;
mod disposition;
mod edition;
mod identifier;
mod ignored;
mod near_miss;
mod octets;
mod organization;
mod policy;
mod public_suffix;
mod publication;
mod record;
mod replaced;
mod report;
mod result;
mod suite;
mod tree_walk;
mod uri;

pub use alignment::{Alignment, Authentication, IdentifierReport, Mechanism};
pub use comparison::{Cause, Comparison, Difference};
pub use disposition::Disposition;
pub use edition::{Edition, Editions};
pub use identifier::AuthenticatedIdentifier;
pub use ignored::{Ignored, IgnoredBecause};
pub use organization::{FoundBy, Organization};
pub use policy::Policy;
#[cfg(feature = "psl")]
pub use public_suffix::BuiltInSuffixes;
pub use public_suffix::{PublicSuffixes, SuffixList};
pub use publication::{Found, PublishedRecord, RecordError};

pub(crate) use publication::kept_record;
pub use record::{Existence, FailureOptions, Mode, PolicyTag, PublicSuffix, Record, Request, Usability};
pub use replaced::Replaced;
pub use report::{DmarcReport, Lowered};
pub use result::{DmarcResult, FailReason, NoneReason, PassReason, PermReason, TempErrorReason};
pub use tree_walk::{Step, TreeWalk, targets};
pub use uri::{ReportTarget, ReportUri, UriError};

pub(crate) use ahead::ask_ahead;
pub(crate) use discover::{Discovered, discover};
pub(crate) use identifier::Identifiers;
pub(crate) use near_miss::{NearMiss, near_miss};
#[cfg(feature = "serde")]
pub(crate) use octets::unprinted;
pub(crate) use tree_walk::tree_walk;

use crate::{
    known::{Known, Unknown},
    message::Authors,
};
use decide::{Method, decide, identifiers_to_walk};

/// The reports under the editions that the policy names.
pub(crate) struct Reports {
    /// The one that counts.
    pub(crate) report: DmarcReport,
    /// That of RFC 7489 beside it.
    pub(crate) rfc7489: Option<DmarcReport>,
}

/// What was discovered for the author domains comes to, with these identifiers. Asks only where an identifier needs a tree walk of its
/// own.
pub(crate) fn evaluate(
    known: &mut Known<'_>,
    policy: &Policy,
    authors: &Authors,
    discovered: &mut Discovered,
    identifiers: &Identifiers,
) -> Result<Reports, Unknown> {
    if policy.editions.use_tree_walk() {
        let starts = identifiers_to_walk(discovered, authors, policy, identifiers);
        discovered.walk(known, &starts)?;
    }
    let by = |method| decide(method, authors, policy, identifiers);
    let by_suffixes = policy.editions.suffixes().map(|suffixes| by(Method::PublicSuffixes(discovered, suffixes)));
    Ok(match by_suffixes {
        Some(report) if !policy.editions.use_tree_walk() => Reports { report, rfc7489: None },
        rfc7489 => {
            let mut report = by(Method::TreeWalk(discovered));
            discovered.hand_steps_to(&mut report);
            Reports { report, rfc7489 }
        }
    })
}
