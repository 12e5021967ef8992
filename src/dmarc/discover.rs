//! Policy discovery, RFC 9989 §4.10 (and RFC 7489 §6.6.3), and what it found.

use super::{
    organization::{FoundBy, Organization},
    policy::Policy,
    public_suffix::organizational_domain,
    publication::{Found, find_record},
    record::Existence,
    report::DmarcReport,
    tree_walk::{Step, TreeWalk, targets, tree_walk},
};
use crate::{
    dns::Answer,
    known::{Known, Unknown, all},
    message::Authors,
    name::Domain,
};
use smallvec::SmallVec;

/// What one message's names were found to hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Discovered {
    walks: SmallVec<[TreeWalk; 1]>,
    /// What RFC 7489 asks for beside the walks.
    found: Vec<(Domain, Found)>,
    existence: Vec<(Domain, Existence)>,
}

impl Discovered {
    pub(super) fn record_at(&self, domain: &Domain) -> Option<&Found> {
        let found = self.found.iter().find(|(known, _)| known == domain).map(|(_, found)| found);
        let step = || self.walks.iter().flat_map(|walk| &walk.steps).find(|step| step.domain == *domain);
        found.or_else(|| step().map(|step| &step.found))
    }

    pub(super) fn existence_of(&self, domain: &Domain) -> Option<&Existence> {
        self.existence.iter().find(|(known, _)| known == domain).map(|(_, existence)| existence)
    }

    /// The walk from `start`, where it was made.
    pub(super) fn walk_from(&self, start: &Domain) -> Option<&TreeWalk> {
        self.walks.iter().find(|walk| walk.start == *start)
    }

    /// The organizational domain of a domain from which no walk was made, where what was found above it for others tells: its own record
    /// could only make it its own organizational domain (RFC 9989 §4.10.2), which it is without one.
    pub(super) fn organization_without_walk(&self, domain: &Domain) -> Option<Organization> {
        let above = targets(domain).skip(1);
        let above = above.map(|above| {
            let found = self.record_at(&above).filter(|found| !matches!(found, Found::Error(_)))?.clone();
            Some(Step { domain: above, found })
        });
        let itself = Step { domain: domain.clone(), found: Found::Nothing { unrelated: 0, nxdomain: false } };
        let steps: Option<Vec<Step>> = std::iter::once(Some(itself)).chain(above).collect();
        let organization = TreeWalk { start: domain.clone(), steps: steps? }.organization().ok()?;
        let found_by = match organization.found_by {
            FoundBy::NoRecord => FoundBy::NoRecordAbove,
            other => other,
        };
        (organization.domain == *domain).then_some(Organization { found_by, ..organization })
    }

    /// Adds the walks from all of `starts`, each made once.
    pub(super) fn walk(&mut self, known: &mut Known<'_>, starts: &[Domain]) -> Result<(), Unknown> {
        let new: SmallVec<[&Domain; 1]> = starts.iter().filter(|start| self.walk_from(start).is_none()).collect();
        self.walks.extend(all(new.into_iter().map(|start| tree_walk(known, start)))?);
        Ok(())
    }

    /// The steps of the walks from the author domains, which nothing looks at any more.
    pub(super) fn hand_steps_to(&mut self, report: &mut DmarcReport) {
        for author in &mut report.authors {
            let walk = author.author_domain.as_ref().and_then(|domain| self.walk_from(domain));
            author.steps = walk.map_or_else(Vec::new, |walk| walk.steps.clone());
        }
        let walk = self.walks.iter_mut().find(|walk| report.author_domain.as_ref() == Some(&walk.start));
        report.steps = walk.map_or_else(Vec::new, |walk| std::mem::take(&mut walk.steps));
    }

    fn ask(&mut self, known: &mut Known<'_>, domains: &[Domain]) -> Result<(), Unknown> {
        let new: SmallVec<[&Domain; 1]> = domains.iter().filter(|domain| self.record_at(domain).is_none()).collect();
        let found = all(new.into_iter().map(|domain| Ok((domain.clone(), find_record(known, domain)?))))?;
        self.found.extend(found);
        Ok(())
    }
}

/// The author domains that are evaluated, in the order of the message.
pub(super) fn evaluated<'a>(authors: &'a Authors, policy: &Policy) -> impl Iterator<Item = &'a Domain> {
    authors.domains().iter().chain(authors.possible()).take(policy.max_author_domains)
}

/// Policy discovery for the author domains; needs neither SPF nor DKIM.
pub(crate) fn discover(known: &mut Known<'_>, policy: &Policy, authors: &Authors) -> Result<Discovered, Unknown> {
    let mut discovered = Discovered::default();
    let domains: SmallVec<[Domain; 1]> = evaluated(authors, policy).cloned().collect();
    if policy.editions.use_tree_walk() {
        discovered.walk(known, &domains)?;
        let in_doubt = domains.iter().filter(|domain| existence_matters(&discovered, domain));
        let existence = all(in_doubt.map(|domain| Ok((domain.clone(), existence(known, domain)?))))?;
        discovered.existence.extend(existence);
    }
    if let Some(suffixes) = policy.editions.suffixes() {
        discovered.ask(known, &domains)?;
        // RFC 7489 §6.6.3, step 3: "If the set is now empty", the organizational domain is asked.
        let is_unserved = |found: &Found| matches!(found, Found::Nothing { .. } | Found::NotAName);
        let unserved = domains.iter().filter(|domain| discovered.record_at(domain).is_some_and(is_unserved));
        let above: Vec<Domain> = unserved.map(|domain| organizational_domain(suffixes, domain)).collect();
        discovered.ask(known, &above)?;
    }
    Ok(discovered)
}

/// Whether `np` would change the policy of an author domain, so that its existence has to be known.
fn existence_matters(discovered: &Discovered, author: &Domain) -> bool {
    let Some(walk) = discovered.walk_from(author) else { return false };
    let Ok(Some(published)) = walk.applicable_record() else { return false };
    let policy = |existence| published.record.policy_for(super::Edition::Rfc9989, Some(existence));
    // RFC 8020: where `_dmarc` below it exists, so does the domain.
    published.domain != *author
        && policy(&Existence::Exists) != policy(&Existence::NonExistent)
        && matches!(discovered.record_at(author), Some(Found::Nothing { nxdomain: true, .. } | Found::NotAName))
}

/// RFC 9989 §3.2.13 and A.4: NXDOMAIN for the domain itself says that it does not exist, whatever the type of the question. TXT is
/// the type asked for because SPF asks the same of most author domains.
fn existence(known: &mut Known<'_>, domain: &Domain) -> Result<Existence, Unknown> {
    known.read_txt(domain.as_name(), |answer| match answer {
        Ok(Answer::NxDomain(_)) => Existence::NonExistent,
        Ok(Answer::NoData(_) | Answer::Records(_)) => Existence::Exists,
        Err(error) => Existence::Unknown(error.clone()),
    })
}
