//! Asking for records: the only functions of this module that ask the DNS, and what they were told.

use super::{
    decide::sole_author,
    edition::{Editions, Policy},
    precedent::{Memory, Precedent},
    public_suffix::organizational_domain,
    record::{Existence, Record, printable},
    tree_walk::{Found, PublishedRecord, TreeWalk, targets, tree_walk},
};
use crate::{
    dns::{
        Answer, Lookup, Resolver,
        inquiry::{Grounds, Reading},
    },
    join::join_all,
    message::Authors,
    name::{Domain, Name},
    precedents::Spot,
};
use smallvec::SmallVec;
use std::sync::Arc;

/// What one message's names were found to hold; each is asked once.
#[derive(Debug, Default)]
pub(crate) struct Answers<'m> {
    memory: Option<&'m Memory>,
    /// What stands here was answered as it was before, and is not repeated below.
    pub(super) precedent: Option<Arc<Precedent>>,
    /// What was not asked by the walk of a single domain, whose steps hold what that found.
    found: Vec<(Domain, Found)>,
    existence: Vec<(Domain, Existence)>,
    walks: SmallVec<[TreeWalk; 1]>,
}

impl<'m> Answers<'m> {
    /// Nothing is found yet.
    pub(crate) fn new(memory: &'m Memory) -> Self {
        Self { memory: Some(memory), ..Self::default() }
    }

    /// What was discovered before for the sole author domain, if `confirms` confirms all that it rests on.
    #[inline]
    pub(crate) fn recall(&mut self, policy: &Policy, authors: &Authors, confirms: impl FnOnce(Arc<Grounds>) -> bool) {
        if let Some((author, memory)) = sole_author(authors, policy).zip(self.memory) {
            self.precedent = memory.precedent(author, confirms);
        }
    }

    pub(super) fn record_at(&self, domain: &Domain) -> Option<&Found> {
        let before = self.precedent.iter().flat_map(|precedent| &precedent.found);
        let found = self.found.iter().chain(before).find(|(known, _)| known == domain).map(|(_, found)| found);
        let step = || self.walks().flat_map(|walk| &walk.steps).find(|step| step.domain == *domain);
        found.or_else(|| step().map(|step| &step.found))
    }

    pub(super) fn existence_of(&self, domain: &Domain) -> Option<&Existence> {
        let before = self.precedent.iter().flat_map(|precedent| &precedent.existence);
        self.existence.iter().chain(before).find(|(known, _)| known == domain).map(|(_, existence)| existence)
    }

    /// The walk from `start`, where it was made.
    pub(super) fn walk_from(&self, start: &Domain) -> Option<&TreeWalk> {
        self.walks().find(|walk| walk.start == *start)
    }

    fn walks(&self) -> impl Iterator<Item = &TreeWalk> {
        self.walks.iter().chain(self.precedent.iter().flat_map(|precedent| &precedent.walks))
    }

    /// Walks from all of `starts` side by side, as far as RFC 9989 goes.
    pub(super) async fn complete_walks<R: Resolver>(&mut self, resolver: &R, starts: &[Domain]) {
        if let [start] = starts {
            return self.complete_walk(resolver, start).await;
        }
        let mut missing = Vec::new();
        loop {
            for start in starts {
                match self.walk_from(start).is_none().then(|| tree_walk(self, start)) {
                    Some(Ok(walk)) => self.walks.push(walk),
                    Some(Err(domain)) => missing.push(domain),
                    None => {}
                }
            }
            if missing.is_empty() {
                return;
            }
            self.ask(resolver, &std::mem::take(&mut missing)).await;
        }
    }

    /// The walk of most messages, a step at a time.
    async fn complete_walk<R: Resolver>(&mut self, resolver: &R, start: &Domain) {
        if self.walk_from(start).is_some() {
            return;
        }
        let mut walk = TreeWalk::from(start);
        for domain in targets(start) {
            let found = match self.record_at(&domain) {
                Some(found) => found.clone(),
                None => find_record(resolver, self.memory, &domain).await,
            };
            if walk.step(domain, found).is_break() {
                break;
            }
        }
        self.walks.push(walk);
    }

    async fn ask<R: Resolver>(&mut self, resolver: &R, domains: &[Domain]) {
        if let [domain] = domains {
            // Without the blocks of memory that many questions side by side take.
            if self.record_at(domain).is_none() {
                let found = find_record(resolver, self.memory, domain).await;
                self.found.push((domain.clone(), found));
            }
            return;
        }
        let mut missing: Vec<&Domain> = Vec::with_capacity(domains.len());
        for domain in domains {
            if self.record_at(domain).is_none() && !missing.contains(&domain) {
                missing.push(domain);
            }
        }
        let found = join_all(missing.iter().map(|domain| find_record(resolver, self.memory, domain))).await;
        self.found.extend(missing.into_iter().cloned().zip(found));
    }

    async fn ask_existence<R: Resolver>(&mut self, resolver: &R, domains: &[&Domain]) {
        let found = join_all(domains.iter().map(|domain| resolver.txt(domain.as_name()))).await;
        let domains = domains.iter().map(|domain| (*domain).clone());
        self.existence.extend(domains.zip(found.iter().map(existence)));
    }

    /// Makes a precedent of what was discovered for the sole author domain.
    fn remember<R: Reading>(&mut self, resolver: &R, author: &Domain) {
        let spot = self.memory.and_then(|memory| memory.spot(author)).filter(Spot::is_met_again);
        let Some(spot) = spot else { return };
        let Some(grounds) = resolver.grounds() else { return };
        let (found, existence) = (std::mem::take(&mut self.found), std::mem::take(&mut self.existence));
        let walks = std::mem::take(&mut self.walks).into_boxed_slice();
        let precedent = Arc::new(Precedent::new(author.clone(), grounds, found, existence, walks));
        spot.keep(Arc::clone(&precedent), |known| known.author == *author);
        self.precedent = Some(precedent);
    }
}

/// The author domains that are evaluated, in the order of the message.
pub(super) fn evaluated<'a>(authors: &'a Authors, policy: &Policy) -> impl Iterator<Item = &'a Domain> {
    authors.domains().iter().chain(authors.possible()).take(policy.max_author_domains)
}

/// Policy discovery for the author domains, where it is not recalled; needs neither SPF nor DKIM. What is found is added to `answers`.
pub(crate) async fn discover<R: Reading>(resolver: &R, policy: &Policy, authors: &Authors, answers: &mut Answers<'_>) {
    if answers.precedent.is_some() {
        return;
    }
    answers.search(resolver, policy, authors).await;
    if let Some(author) = sole_author(authors, policy) {
        answers.remember(resolver, author);
    }
}

impl Answers<'_> {
    async fn search<R: Resolver>(&mut self, resolver: &R, policy: &Policy, authors: &Authors) {
        let domains: SmallVec<[Domain; 1]> = evaluated(authors, policy).cloned().collect();
        let suffixes = match &policy.editions {
            Editions::Rfc9989 => None,
            Editions::Rfc7489(suffixes) | Editions::Both(suffixes) => Some(suffixes),
        };
        if !matches!(policy.editions, Editions::Rfc7489(_)) {
            self.complete_walks(resolver, &domains).await;
            let in_doubt: Vec<&Domain> = domains.iter().filter(|domain| existence_matters(self, domain)).collect();
            self.ask_existence(resolver, &in_doubt).await;
        }
        if let Some(suffixes) = suffixes {
            self.ask(resolver, &domains).await;
            // RFC 7489 §6.6.3, step 3: "If the set is now empty", the organizational domain is asked.
            let is_unserved = |found: &Found| matches!(found, Found::Nothing { .. } | Found::NotAName);
            let unserved = domains.iter().filter(|domain| self.record_at(domain).is_some_and(is_unserved));
            let above: Vec<Domain> = unserved.map(|domain| organizational_domain(&**suffixes, domain)).collect();
            self.ask(resolver, &above).await;
        }
    }
}

/// Whether `np` would change the policy of an author domain, so that its existence has to be known.
fn existence_matters(answers: &Answers<'_>, author: &Domain) -> bool {
    let Some(walk) = answers.walk_from(author) else { return false };
    let Ok(Some(published)) = walk.applicable_record() else { return false };
    let policy = |existence| published.record.policy_for(super::Edition::Rfc9989, Some(existence));
    // RFC 8020: where `_dmarc` below it exists, so does the domain.
    published.domain != *author
        && policy(&Existence::Exists) != policy(&Existence::NonExistent)
        && matches!(answers.record_at(author), Some(Found::Nothing { nxdomain: true, .. } | Found::NotAName))
}

/// RFC 9989 §3.2.13 and A.4: NXDOMAIN for the domain itself says that it does not exist, whatever the type of the question. TXT is
/// the type asked for because SPF asks the same of most author domains.
fn existence(answer: &Lookup<Box<[u8]>>) -> Existence {
    match answer {
        Ok(Answer::NxDomain) => Existence::NonExistent,
        Ok(Answer::NoData | Answer::Records(_)) => Existence::Exists,
        Err(error) => Existence::Unknown(error.clone()),
    }
}

async fn find_record<R: Resolver>(resolver: &R, memory: Option<&Memory>, domain: &Domain) -> Found {
    let Ok(name) = domain.as_name().prepend("_dmarc") else { return Found::NotAName };
    match resolver.txt(&name).await {
        Err(error) => Found::Error(error),
        Ok(answer) => read(memory, domain, &name, &answer),
    }
}

fn read(memory: Option<&Memory>, domain: &Domain, name: &Name, answer: &Answer<Box<[u8]>>) -> Found {
    let texts = match answer {
        Answer::Records(texts) => texts,
        Answer::NoData => return Found::Nothing { unrelated: 0, nxdomain: false },
        Answer::NxDomain => return Found::Nothing { unrelated: 0, nxdomain: true },
    };
    let read = |texts: &[Box<[u8]>]| read_records(domain, name, texts);
    let Some(memory) = memory else { return read(texts) };
    match &*memory.records.recall(texts, read) {
        // Another domain publishes the same text.
        Found::Record(published) if published.domain != *domain => {
            let PublishedRecord { text, record, .. } = &**published;
            let (domain, name, text, record) = (domain.clone(), name.clone(), text.clone(), record.clone());
            Found::Record(Arc::new(PublishedRecord { domain, name, text, record }))
        }
        found => found.clone(),
    }
}

/// RFC 9989 §4.10, steps 2 and 6.
fn read_records(domain: &Domain, name: &Name, texts: &[Box<[u8]>]) -> Found {
    let mut records = texts.iter().filter_map(|text| Some((text, Record::parse(text).ok()?)));
    match (records.next(), records.count()) {
        (None, _) => Found::Nothing { unrelated: texts.len(), nxdomain: false },
        (Some((text, record)), 0) => {
            let (domain, name, text) = (domain.clone(), name.clone(), printable(text));
            Found::Record(Arc::new(PublishedRecord { domain, name, text, record }))
        }
        (Some(_), more) => Found::ManyRecords { count: more + 1 },
    }
}
