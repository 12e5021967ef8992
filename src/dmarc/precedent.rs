//! Evaluations that were made before, and what they rested on.
//!
//! DMARC is a pure function of the author domain, of what SPF and DKIM offer, and of the answers of the DNS. So an evaluation that
//! rests on the same things comes to the same report. Nothing can go stale: every question is asked again, in the same order, and
//! the report is taken only where each answer is what it was. How long an answer is good for is the resolver's business alone.

use super::{
    identifier::{Mechanism, Offer},
    record::Existence,
    report::{Authentication, DmarcReport},
    tree_walk::{Found, TreeWalk},
};
use crate::{
    dns::{Answer, LookupError},
    memo::Memo,
    name::{Domain, Name},
};
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, PoisonError, RwLock},
};

/// Shelves of precedents; a power of two.
const SHELVES: usize = 256;
/// Places of a shelf.
const PLACES: usize = 4;
/// Octets of the answers that a discovery may rest on to be remembered.
const MAX_DISCOVERY_OCTETS: usize = 2048;
/// Octets of the further answers that a conclusion may rest on to be remembered.
const MAX_CONCLUSION_OCTETS: usize = 1024;
/// Identifiers that a conclusion may rest on to be remembered.
const MAX_OFFERS: usize = 16;

/// What is remembered from message to message, for any number of threads: what was read of the answers seen last, and at most 1024
/// author domains with at most four conclusions each. Readers do not wait for each other.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(super) records: Memo<Found>,
    precedents: Box<[Shelf<Precedent>]>,
    /// So that nobody outside can choose domains that share a shelf.
    seed: u64,
}

/// A question, and what it was answered.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: Name,
    pub(super) answer: Answer<Box<[u8]>>,
}

/// What was discovered for the sole author domain of a message, and what it came to.
#[derive(Debug)]
pub(super) struct Precedent {
    pub(super) author: Domain,
    /// In the order of asking.
    pub(super) asked: Box<[Asked]>,
    pub(super) found: Box<[(Domain, Found)]>,
    pub(super) existence: Box<[(Domain, Existence)]>,
    pub(super) walks: Box<[TreeWalk]>,
    conclusions: Shelf<Conclusion>,
}

/// The reports on a message, and what else they rest on.
#[derive(Debug)]
pub(super) struct Conclusion {
    offers: Box<[Remembered]>,
    /// In the order of asking.
    pub(super) asked: Box<[Asked]>,
    pub(super) report: Arc<DmarcReport>,
    pub(super) older: Option<Arc<DmarcReport>>,
}

/// An [`Offer`] that outlives its message.
#[derive(Debug)]
struct Remembered {
    mechanism: Mechanism,
    authentication: Authentication,
    domain: Box<str>,
}

/// A few entries, of which the oldest makes room for the next.
#[derive(Debug)]
struct Shelf<T>(RwLock<Places<T>>);

#[derive(Debug)]
struct Places<T> {
    entries: [Option<Arc<T>>; PLACES],
    oldest: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            records: Memo::default(),
            precedents: (0..SHELVES).map(|_| Shelf::default()).collect(),
            seed: RandomState::new().hash_one(SHELVES),
        }
    }
}

impl Memory {
    /// What was discovered for this author domain the last time.
    pub(super) fn precedent(&self, author: &Domain) -> Option<Arc<Precedent>> {
        self.shelf(author)?.find(|known| known.author == *author)
    }

    /// Remembers it, if it is not too large.
    pub(super) fn keep(&self, precedent: &Arc<Precedent>) {
        if let Some(shelf) = self.shelf(&precedent.author).filter(|_| octets(&precedent.asked) <= MAX_DISCOVERY_OCTETS)
        {
            shelf.keep(precedent, |known| known.author == precedent.author);
        }
    }

    fn shelf(&self, author: &Domain) -> Option<&Shelf<Precedent>> {
        let (words, rest) = author.as_str().as_bytes().as_chunks();
        let words =
            words.iter().map(|word| u64::from_le_bytes(*word)).chain(rest.iter().map(|octet| u64::from(*octet)));
        // Each step is a bijection that spreads what it is given over the upper half, which the next step folds back.
        let hash = words.fold(self.seed, |hash, word| {
            let spread = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            spread ^ (spread >> 32)
        });
        self.precedents.get(usize::try_from(hash % SHELVES as u64).unwrap_or_default())
    }
}

impl Asked {
    /// Whether the answer is what it was.
    pub(super) fn is_answered_by(&self, answer: Result<&Answer<Box<[u8]>>, &LookupError>) -> bool {
        match (&self.answer, answer) {
            // A resolver that keeps its answers hands out the same one again, and then no text is looked at.
            (Answer::Records(before), Ok(Answer::Records(now))) => Arc::ptr_eq(before, now) || before == now,
            (Answer::NoData, Ok(Answer::NoData)) | (Answer::NxDomain, Ok(Answer::NxDomain)) => true,
            (Answer::Records(_) | Answer::NoData | Answer::NxDomain, _) => false,
        }
    }
}

/// Octets of the answers, each text with what it takes to keep it.
fn octets(asked: &[Asked]) -> usize {
    let texts = asked.iter().flat_map(|asked| asked.answer.records());
    texts.map(|text| text.len() + size_of::<Box<[u8]>>()).sum()
}

impl Precedent {
    pub(super) fn new(
        author: Domain,
        asked: Vec<Asked>,
        found: Vec<(Domain, Found)>,
        existence: Vec<(Domain, Existence)>,
        walks: Vec<TreeWalk>,
    ) -> Self {
        let (asked, found, walks) = (asked.into(), found.into(), walks.into());
        Self { author, asked, found, existence: existence.into(), walks, conclusions: Shelf::default() }
    }

    /// What the discovery came to with these identifiers, if the further questions are answered as they were.
    pub(super) fn conclusion<'o>(&self, offers: impl Iterator<Item = Offer<'o>> + Clone) -> Option<Arc<Conclusion>> {
        self.conclusions.find(|known| known.rests_on(offers.clone()))
    }

    /// Remembers what it came to, if that is not too large.
    pub(super) fn keep<'o>(
        &self,
        offers: impl Iterator<Item = Offer<'o>> + Clone,
        asked: Vec<Asked>,
        report: &Arc<DmarcReport>,
        older: Option<&Arc<DmarcReport>>,
    ) {
        if octets(&asked) > MAX_CONCLUSION_OCTETS || offers.clone().nth(MAX_OFFERS).is_some() {
            return;
        }
        let remembered = offers.clone().map(|offer| Remembered {
            mechanism: offer.mechanism,
            authentication: offer.authentication,
            domain: offer.domain.into(),
        });
        let conclusion = Conclusion {
            offers: remembered.collect(),
            asked: asked.into(),
            report: Arc::clone(report),
            older: older.cloned(),
        };
        self.conclusions.keep(&Arc::new(conclusion), |known| known.rests_on(offers.clone()));
    }
}

impl Conclusion {
    fn rests_on<'o>(&self, mut offers: impl Iterator<Item = Offer<'o>>) -> bool {
        let all_known = self.offers.iter().all(|known| {
            offers.next().is_some_and(|offer| {
                offer.mechanism == known.mechanism
                    && offer.authentication == known.authentication
                    && *offer.domain == *known.domain
            })
        });
        all_known && offers.next().is_none()
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(RwLock::new(Places { entries: [const { None }; PLACES], oldest: 0 }))
    }
}

impl<T> Shelf<T> {
    fn find(&self, is_it: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        // A shelf is never left half changed, so a panic elsewhere does not spoil it.
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        places.entries.iter().flatten().find(|entry| is_it(entry)).cloned()
    }

    /// Puts an entry in the place of the one that it supersedes, or of the oldest.
    fn keep(&self, entry: &Arc<T>, supersedes: impl Fn(&T) -> bool) {
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let superseded = places.entries.iter().position(|place| place.as_deref().is_some_and(&supersedes));
        let place = superseded.unwrap_or(places.oldest);
        if superseded.is_none() {
            places.oldest = (place + 1) % PLACES;
        }
        // What goes is dropped after the lock is given back.
        let replaced = places.entries.get_mut(place).and_then(|place| place.replace(Arc::clone(entry)));
        drop(places);
        drop(replaced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dmarc::{Answers, Policy, discover, evaluate},
        dns::{RecordType, Zone, inquiry::Reading},
        message::Header,
    };

    impl Reading for Zone {}

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    /// The report on a message of this author domain, signed by this domain.
    fn report_on(memory: &Memory, zone: &Zone, from: &str, signer: &str) -> Arc<DmarcReport> {
        let header = format!("From: a@{from}\r\n");
        let authors = Header::parse(header.as_bytes()).unwrap().authors();
        let signer = domain(signer);
        let offers = std::iter::once(Offer::for_test(Mechanism::Dkim, Authentication::Passed, &signer));
        let policy = Policy::default();
        crate::dmarc::suite::now(async {
            let mut answers = Answers::new(memory);
            discover(zone, &policy, &authors, &mut answers).await;
            evaluate(zone, &policy, &authors, &mut answers, offers).await.0
        })
    }

    fn zone(record: &str) -> Zone {
        Zone::parse(format!("_dmarc.example.com. TXT \"{record}\""), "zone").unwrap()
    }

    #[test]
    fn the_same_evaluation_is_made_once_also_with_equal_answers() {
        let memory = Memory::default();
        let first = report_on(&memory, &zone("v=DMARC1; p=reject"), "a.example.com", "b.example.com");
        assert_eq!(first.result.keyword(), "pass");
        for record in ["v=DMARC1; p=reject", "v=DMARC1; p=reject"] {
            let again = report_on(&memory, &zone(record), "a.example.com", "b.example.com");
            assert!(Arc::ptr_eq(&first, &again));
        }
    }

    #[test]
    fn another_answer_signer_or_author_is_another_evaluation() {
        let memory = Memory::default();
        let result = |record, from, signer| {
            let report = report_on(&memory, &zone(record), from, signer);
            (report.result.keyword(), report.policy.map(|policy| policy.keyword()))
        };
        for _ in 0..2 {
            let (reject, strict) = ("v=DMARC1; p=reject", "v=DMARC1; p=quarantine; adkim=s");
            assert_eq!(result(reject, "a.example.com", "b.example.com"), ("pass", Some("reject")));
            assert_eq!(result(strict, "a.example.com", "b.example.com"), ("fail", Some("quarantine")));
            assert_eq!(result(strict, "b.example.com", "b.example.com"), ("pass", Some("quarantine")));
            assert_eq!(result(reject, "a.example.com", "b.example.net"), ("fail", Some("reject")));
            assert_eq!(result("none", "a.example.com", "b.example.com"), ("none", None));
        }
    }

    #[test]
    fn an_answer_that_differs_on_the_way_of_an_identifier_is_seen() {
        let memory = Memory::default();
        let plain = zone("v=DMARC1; p=reject");
        let mut parted = plain.clone();
        parted.add_txt(&Name::parse("_dmarc.b.example.com").unwrap(), *b"v=DMARC1; p=none; psd=n");
        let mut silent = plain.clone();
        silent.plant(&Name::parse("_dmarc.b.example.com").unwrap(), RecordType::Txt, LookupError::Timeout);
        for _ in 0..2 {
            for (zone, result) in [(&plain, "pass"), (&parted, "fail"), (&silent, "temperror")] {
                assert_eq!(report_on(&memory, zone, "a.example.com", "b.example.com").result.keyword(), result);
            }
        }
    }

    #[test]
    fn memory_is_bounded_in_entries_and_in_their_size() {
        let memory = Memory::default();
        let plain = zone("v=DMARC1; p=reject");
        for author in 0..1500 {
            report_on(&memory, &plain, &format!("a{author}.example.com"), "example.com");
        }
        let is_used = |shelf: &&Shelf<_>| shelf.0.read().unwrap().entries.iter().any(Option::is_some);
        assert!(memory.precedents.iter().filter(is_used).count() > SHELVES / 2);
        for signer in 0..20 {
            report_on(&memory, &plain, "example.com", &format!("b{signer}.example.com"));
        }
        let last = report_on(&memory, &plain, "example.com", "b19.example.com");
        assert!(Arc::ptr_eq(&last, &report_on(&memory, &plain, "example.com", "b19.example.com")));
        let long = zone(&format!("v=DMARC1; p=reject; x={}\" \"{}", "x".repeat(200), "x".repeat(200)));
        let mut longer = long.clone();
        longer.add_txt(&Name::parse("_dmarc.example.com").unwrap(), vec![b'x'; MAX_DISCOVERY_OCTETS]);
        for (zone, is_remembered) in [(&long, true), (&longer, false)] {
            let first = report_on(&memory, zone, "example.com", "example.com");
            assert_eq!(first.result.keyword(), "pass");
            let again = report_on(&memory, zone, "example.com", "example.com");
            assert_eq!((first == again, Arc::ptr_eq(&first, &again)), (true, is_remembered));
        }
    }
}
