//! The DNS Tree Walk, RFC 9989 §4.10.

use super::{
    organization::{FoundBy, Organization},
    publication::{Found, PublishedRecord, find_record},
    record::PublicSuffix,
};
use crate::{
    dns::LookupError,
    known::{Known, Unknown},
    name::Domain,
};
use std::sync::Arc;

/// RFC 9989 §4.10, step 4: from longer names the walk jumps to this many labels.
const LABELS_AFTER_JUMP: usize = 7;

/// One step of a walk: a name that was asked for TXT records, and what was found there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Step {
    /// The domain whose record was looked for, at `_dmarc` below it.
    pub domain: Domain,
    /// What was found.
    pub found: Found,
}

/// A walk from one domain up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TreeWalk {
    /// The domain where it started.
    pub start: Domain,
    /// What was asked, in order; ends with the step that stopped the walk.
    pub steps: Vec<Step>,
}

/// The domains whose records a walk from `start` asks for, in order: at most eight (RFC 9989 §4.10, steps 3 to 7).
///
/// ```
/// use mailverdict::{dmarc::targets, name::Domain};
/// let domain = Domain::parse("a.b.c.d.e.f.g.h.i.j.mail.example.com")?;
/// assert_eq!(targets(&domain).nth(1), Some(Domain::parse("g.h.i.j.mail.example.com")?));
/// assert_eq!(targets(&domain).count(), 8);
/// # Ok::<(), mailverdict::name::NameError>(())
/// ```
pub fn targets(start: &Domain) -> impl Iterator<Item = Domain> {
    let mut next = Some(start.clone());
    let mut at_start = true;
    std::iter::from_fn(move || {
        let target = next.take()?;
        let jump = std::mem::take(&mut at_start) && target.label_count() > LABELS_AFTER_JUMP;
        next = if jump { Some(target.rightmost(LABELS_AFTER_JUMP)) } else { target.parent() };
        Some(target)
    })
}

/// The DNS Tree Walk from `start` (RFC 9989 §4.10): steps 2 and 6 in [`find_record`], the targets of steps 3 to 5 and 7 in [`targets`].
pub(crate) fn tree_walk(known: &mut Known<'_>, start: &Domain) -> Result<TreeWalk, Unknown> {
    let mut walk = TreeWalk { start: start.clone(), steps: Vec::new() };
    for domain in targets(start) {
        let found = find_record(known, &domain)?;
        let is_last = found.ends_walk();
        walk.steps.push(Step { domain, found });
        if is_last {
            break;
        }
    }
    Ok(walk)
}

impl Found {
    /// Whether nothing is asked for above.
    fn ends_walk(&self) -> bool {
        match self {
            // RFC 9989 §4.10, steps 2 and 6.
            Self::Record(published) => published.record.public_suffix != PublicSuffix::Unstated,
            // What stands above cannot decide without this answer.
            Self::Error(_) => true,
            Self::Nothing { .. } | Self::ManyRecords { .. } | Self::NotAName => false,
        }
    }
}

impl TreeWalk {
    /// The Organizational Domain of the start (RFC 9989 §4.10.2).
    ///
    /// # Errors
    /// The step at which the DNS did not answer.
    pub fn organizational_domain(&self) -> Result<Domain, (&Domain, &LookupError)> {
        Ok(self.organization()?.domain)
    }

    /// The same, and how it was found.
    ///
    /// # Errors
    /// As above.
    pub fn organization(&self) -> Result<Organization, (&Domain, &LookupError)> {
        if let Some(Step { domain, found: Found::Error(error) }) = self.steps.last() {
            return Err((domain, error));
        }
        let Some(top) = self.records().last() else {
            // "If this process does not determine the Organizational Domain, then the initial target domain is" it.
            return Ok(Organization::new(self.start.clone(), FoundBy::NoRecord));
        };
        let of = |found_by| Organization::new(top.domain.clone(), found_by);
        Ok(match top.record.public_suffix {
            // "one label below this one", unless the walk started there.
            PublicSuffix::Yes if top.domain != self.start => {
                let below = self.start.rightmost(top.domain.label_count() + 1);
                Organization::new(below, FoundBy::BelowSuffix { suffix: top.domain.clone() })
            }
            // The fewest labels, `psd=n` and `psd=y` at the start are all the last record of the walk.
            PublicSuffix::Yes => of(FoundBy::Suffix),
            PublicSuffix::No => of(FoundBy::NoSuffix),
            PublicSuffix::Unstated => of(FoundBy::Record),
        })
    }

    /// The records that were found, from the longest domain to the shortest.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Arc<PublishedRecord>> {
        self.steps.iter().filter_map(|step| match &step.found {
            Found::Record(published) => Some(published),
            Found::Nothing { .. } | Found::ManyRecords { .. } | Found::NotAName | Found::Error(_) => None,
        })
    }

    /// The record that applies to the start as an author domain, in the order of preference of RFC 9989 §4.10.1: its own, that of
    /// the organizational domain, that of the public suffix domain.
    ///
    /// # Errors
    /// The step at which the DNS did not answer, where the record depends on it.
    pub fn applicable_record(&self) -> Result<Option<&Arc<PublishedRecord>>, (&Domain, &LookupError)> {
        if let Some(own) = self.records().next().filter(|published| published.domain == self.start) {
            return Ok(Some(own));
        }
        let organizational = self.organizational_domain()?;
        let of_organization = self.records().find(|published| published.domain == organizational);
        let of_suffix = || self.records().last().filter(|top| top.record.public_suffix == PublicSuffix::Yes);
        Ok(of_organization.or_else(of_suffix))
    }
}
