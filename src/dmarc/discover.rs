//! Asking for records: the only functions of this module that ask the DNS, and what they were told.

use super::{
    edition::{Editions, Policy},
    public_suffix::organizational_domain,
    record::{Existence, Record, printable},
    tree_walk::{Found, PublishedRecord, tree_walk},
};
use crate::{
    dns::{Answer, Resolver},
    join::join_all,
    memo::Memo,
    message::Authors,
    name::{Domain, Name},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What was read of the answers seen last.
pub(crate) type RecordMemory = Memo<Found>;

/// What one message's names were found to hold; each is asked once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    memory: Option<Arc<RecordMemory>>,
    records: BTreeMap<Domain, Found>,
    existence: BTreeMap<Domain, Existence>,
}

impl Answers {
    pub(super) fn record_at(&self, domain: &Domain) -> Option<&Found> {
        self.records.get(domain)
    }

    pub(super) fn existence_of(&self, domain: &Domain) -> Option<&Existence> {
        self.existence.get(domain)
    }

    /// Walks from all of `starts` side by side, as far as RFC 9989 goes.
    pub(super) async fn complete_walks<R: Resolver>(&mut self, resolver: &R, starts: &[Domain]) {
        loop {
            let missing: BTreeSet<Domain> = starts.iter().filter_map(|start| tree_walk(self, start).err()).collect();
            if missing.is_empty() {
                return;
            }
            self.ask(resolver, missing).await;
        }
    }

    async fn ask<R: Resolver>(&mut self, resolver: &R, domains: BTreeSet<Domain>) {
        let missing: Vec<Domain> = domains.into_iter().filter(|domain| !self.records.contains_key(domain)).collect();
        let found = join_all(missing.iter().map(|domain| find_record(resolver, self.memory.as_deref(), domain))).await;
        self.records.extend(missing.into_iter().zip(found));
    }

    async fn ask_existence<R: Resolver>(&mut self, resolver: &R, domains: Vec<Domain>) {
        let found = join_all(domains.iter().map(|domain| existence(resolver, domain))).await;
        self.existence.extend(domains.into_iter().zip(found));
    }
}

/// The author domains that are evaluated, in the order of the message.
pub(super) fn evaluated<'a>(authors: &'a Authors, policy: &Policy) -> impl Iterator<Item = &'a Domain> {
    authors.domains().iter().chain(authors.possible()).take(policy.max_author_domains)
}

/// Policy discovery for the author domains; needs neither SPF nor DKIM.
pub(crate) async fn discover<R: Resolver>(
    resolver: &R,
    memory: &Arc<RecordMemory>,
    policy: &Policy,
    authors: &Authors,
) -> Answers {
    let mut answers = Answers { memory: Some(Arc::clone(memory)), ..Answers::default() };
    let domains: Vec<Domain> = evaluated(authors, policy).cloned().collect();
    let suffixes = match &policy.editions {
        Editions::Rfc9989 => None,
        Editions::Rfc7489(suffixes) | Editions::Both(suffixes) => Some(suffixes),
    };
    if !matches!(policy.editions, Editions::Rfc7489(_)) {
        answers.complete_walks(resolver, &domains).await;
        let in_doubt = domains.iter().filter(|domain| existence_matters(&answers, domain));
        let in_doubt: Vec<Domain> = in_doubt.cloned().collect();
        answers.ask_existence(resolver, in_doubt).await;
    }
    if let Some(suffixes) = suffixes {
        answers.ask(resolver, domains.iter().cloned().collect()).await;
        // RFC 7489 §6.6.3, step 3: "If the set is now empty", the organizational domain is asked.
        let unserved = domains
            .iter()
            .filter(|domain| matches!(answers.record_at(domain), Some(Found::Nothing { .. } | Found::NotAName)));
        let above = unserved.map(|domain| organizational_domain(&**suffixes, domain)).collect();
        answers.ask(resolver, above).await;
    }
    answers
}

/// Whether `np` would change the policy of an author domain, so that its existence has to be known.
fn existence_matters(answers: &Answers, author: &Domain) -> bool {
    let Ok(walk) = tree_walk(answers, author) else { return false };
    let Ok(Some(published)) = walk.applicable_record() else { return false };
    let policy = |existence| published.record.policy_for(super::Edition::Rfc9989, Some(existence));
    // RFC 8020: where `_dmarc` below it exists, so does the domain.
    published.domain != *author
        && policy(&Existence::Exists) != policy(&Existence::NonExistent)
        && matches!(answers.record_at(author), Some(Found::Nothing { nxdomain: true, .. } | Found::NotAName))
}

/// RFC 9989 §3.2.13 and A.4: NXDOMAIN for the domain itself says that it does not exist, whatever the type of the question. TXT is
/// the type asked for because SPF asks the same of most author domains.
async fn existence<R: Resolver>(resolver: &R, domain: &Domain) -> Existence {
    match resolver.txt(domain.as_name()).await {
        Ok(Answer::NxDomain) => Existence::NonExistent,
        Ok(Answer::NoData | Answer::Records(_)) => Existence::Exists,
        Err(error) => Existence::Unknown(error),
    }
}

async fn find_record<R: Resolver>(resolver: &R, memory: Option<&RecordMemory>, domain: &Domain) -> Found {
    let Ok(name) = domain.as_name().prepend("_dmarc") else { return Found::NotAName };
    let texts = match resolver.txt(&name).await {
        Ok(Answer::Records(texts)) => texts,
        Ok(Answer::NoData) => return Found::Nothing { unrelated: 0, nxdomain: false },
        Ok(Answer::NxDomain) => return Found::Nothing { unrelated: 0, nxdomain: true },
        Err(error) => return Found::Error(error),
    };
    let read = |texts: &[Box<[u8]>]| read_records(domain, &name, texts);
    let Some(memory) = memory else { return read(&texts) };
    match &*memory.recall(&texts, read) {
        // Another domain publishes the same text.
        Found::Record(published) if published.domain != *domain => {
            let PublishedRecord { text, record, .. } = &**published;
            let (domain, text, record) = (domain.clone(), text.clone(), record.clone());
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
