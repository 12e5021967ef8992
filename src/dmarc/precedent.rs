//! Evaluations that were made before, and what they rested on.
//!
//! DMARC is a pure function of the author domain, of what SPF and DKIM offer, and of the answers of the DNS. So an evaluation that
//! rests on the same things comes to the same report. Nothing can go stale: the report is taken only where the resolver confirms that
//! each question would be answered as it was. How long an answer is good for is the resolver's business alone.

use super::{
    identifier::{Mechanism, Offer},
    record::Existence,
    report::{Authentication, DmarcReport},
    tree_walk::{Found, TreeWalk},
};
use crate::{
    dns::inquiry::{Grounds, Reading},
    memo::Memo,
    name::Domain,
    precedents::{Precedents, Spot},
    shelf::Shelf,
};
use std::sync::{Arc, OnceLock};

/// Identifiers that a conclusion may rest on to be remembered.
const MAX_OFFERS: usize = 16;

/// Conclusions are few and compared in full.
const NO_TAG: u32 = 0;

/// What is remembered from message to message, for any number of threads: what was read of the answers seen last, and at most 1024
/// author domains with at most five conclusions each. Readers do not wait for each other.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(super) records: Memo<Found>,
    precedents: Precedents<Arc<Precedent>>,
}

/// What was discovered for the sole author domain of a message, and what it came to.
#[derive(Debug)]
pub(super) struct Precedent {
    pub(super) author: Domain,
    grounds: Arc<Grounds>,
    pub(super) found: Box<[(Domain, Found)]>,
    pub(super) existence: Box<[(Domain, Existence)]>,
    pub(super) walks: Box<[TreeWalk]>,
    /// The first of those for which nothing more was asked: it lasts as long as the precedent, and is read without a lock.
    lasting: OnceLock<Conclusion>,
    conclusions: Shelf<Box<Conclusion>>,
}

/// The report that counts, and that of RFC 7489 beside it.
type Reports = (Arc<DmarcReport>, Option<Arc<DmarcReport>>);

/// The reports on a message, and what else they rest on.
#[derive(Debug)]
struct Conclusion {
    offers: Box<[Remembered]>,
    /// `None` where nothing was asked.
    grounds: Option<Arc<Grounds>>,
    reports: Reports,
}

/// An [`Offer`] that outlives its message.
#[derive(Debug, PartialEq, Eq)]
struct Remembered {
    mechanism: Mechanism,
    authentication: Authentication,
    domain: Box<str>,
}

impl Memory {
    /// What was discovered for this author domain the last time, if each answer is what it was.
    #[inline]
    pub(super) fn precedent(
        &self,
        author: &Domain,
        confirms: impl FnOnce(Arc<Grounds>) -> bool,
    ) -> Option<Arc<Precedent>> {
        let known = self.spot(author)?.find(|known| known.author == *author, Arc::clone)?;
        confirms(Arc::clone(&known.grounds)).then_some(known)
    }

    /// The reports on this author domain and these identifiers, if each answer is what it was.
    #[inline]
    pub(super) fn reports<'o>(
        &self,
        author: &Domain,
        offers: impl Iterator<Item = Offer<'o>> + Clone,
        mut confirms: impl FnMut(Arc<Grounds>) -> bool,
    ) -> Option<Reports> {
        let known = |known: &Arc<Precedent>| Some((Arc::clone(&known.grounds), known.known(offers)?));
        let (grounds, (more, reports)) = self.spot(author)?.find(|known| known.author == *author, known)??;
        (confirms(grounds) && more.is_none_or(confirms)).then_some(reports)
    }

    /// Where a precedent for this author domain stands.
    pub(super) fn spot(&self, author: &Domain) -> Option<Spot<'_, Arc<Precedent>>> {
        self.precedents.spot(author.as_str(), 0)
    }
}

impl Precedent {
    pub(super) fn new(
        author: Domain,
        grounds: Grounds,
        found: Vec<(Domain, Found)>,
        existence: Vec<(Domain, Existence)>,
        walks: Box<[TreeWalk]>,
    ) -> Self {
        let (grounds, found) = (Arc::new(grounds), found.into());
        let (existence, lasting, conclusions) = (existence.into(), OnceLock::new(), Shelf::default());
        Self { author, grounds, found, existence, walks, lasting, conclusions }
    }

    /// What the discovery came to with these identifiers, if each answer to the further questions is what it was.
    pub(super) fn conclusion<'o, R: Reading>(
        &self,
        resolver: &R,
        offers: impl Iterator<Item = Offer<'o>> + Clone,
    ) -> Option<Reports> {
        let (grounds, reports) = self.known(offers)?;
        grounds.is_none_or(|grounds| resolver.confirms_all(grounds)).then_some(reports)
    }

    /// What was concluded from these identifiers, with the further grounds.
    #[inline]
    fn known<'o>(&self, offers: impl Iterator<Item = Offer<'o>> + Clone) -> Option<(Option<Arc<Grounds>>, Reports)> {
        if let Some(known) = self.lasting.get().filter(|known| known.rests_on(offers.clone())) {
            return Some((None, known.reports.clone()));
        }
        self.conclusions.find(
            NO_TAG,
            |known| known.rests_on(offers.clone()),
            |known| (known.grounds.clone(), known.reports.clone()),
        )
    }

    /// Remembers what it came to, if that is not too large.
    pub(super) fn keep<'o>(
        &self,
        offers: impl Iterator<Item = Offer<'o>> + Clone,
        grounds: Grounds,
        report: &Arc<DmarcReport>,
        older: Option<&Arc<DmarcReport>>,
    ) {
        if offers.clone().nth(MAX_OFFERS).is_some() {
            return;
        }
        let remembered = offers.clone().map(|offer| Remembered {
            mechanism: offer.mechanism,
            authentication: offer.authentication,
            domain: offer.domain.into(),
        });
        let conclusion = Conclusion {
            offers: remembered.collect(),
            grounds: (!grounds.is_empty()).then(|| Arc::new(grounds)),
            reports: (Arc::clone(report), older.cloned()),
        };
        let conclusion =
            if conclusion.grounds.is_none() { self.lasting.set(conclusion).err() } else { Some(conclusion) };
        if let Some(conclusion) = conclusion {
            self.conclusions.keep(NO_TAG, Box::new(conclusion), |known| known.rests_on(offers.clone()));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        budget::Budget,
        dmarc::{Answers, Policy, discover, evaluate, recall},
        dns::{
            LookupError, RecordType, Zone,
            inquiry::{Evaluation, Inquiry},
        },
        message::{Authors, Header},
        name::Name,
        shelf::SHELVES,
    };
    use std::time::Duration;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    fn authors(domain: &str) -> Authors {
        Header::parse(format!("From: a@{domain}\r\n").as_bytes()).unwrap().authors()
    }

    fn passed(signer: &Domain) -> impl Iterator<Item = Offer<'_>> + Clone {
        std::iter::once(Offer::for_test(Mechanism::Dkim, Authentication::Passed, signer))
    }

    /// The report on a message of this author domain, signed by this domain.
    fn report_on(memory: &Memory, zone: &Zone, from: &str, signer: &str) -> Arc<DmarcReport> {
        let (authors, signer, policy) = (authors(from), domain(signer), Policy::default());
        let inquiry = Inquiry::new(zone, &Budget::default(), Duration::MAX, Duration::MAX);
        let by = |evaluation| inquiry.policy().of(evaluation);
        let recalled = recalled(memory, zone, from, signer.as_str());
        let report = crate::ready::now(async {
            let mut answers = Answers::new(memory);
            answers.recall(&policy, &authors, |grounds| by(Evaluation::Discovery).confirms_all(grounds));
            discover(&by(Evaluation::Discovery), &policy, &authors, &mut answers).await;
            evaluate(&by(Evaluation::Conclusion), &policy, &authors, &mut answers, passed(&signer)).await.0
        });
        assert!(recalled.is_none_or(|recalled| Arc::ptr_eq(&recalled, &report)));
        report
    }

    /// The report that is recalled without any question.
    fn recalled(memory: &Memory, zone: &Zone, from: &str, signer: &str) -> Option<Arc<DmarcReport>> {
        let signer = domain(signer);
        let inquiry = Inquiry::new(zone, &Budget::default(), Duration::MAX, Duration::MAX);
        let confirms = |grounds| inquiry.policy().confirms_all(grounds);
        recall(memory, &Policy::default(), &authors(from), passed(&signer), confirms)
    }

    /// The report on the second such message, which is the first that is remembered.
    fn met(memory: &Memory, zone: &Zone, from: &str, signer: &str) -> Arc<DmarcReport> {
        let first = report_on(memory, zone, from, signer);
        let second = report_on(memory, zone, from, signer);
        assert_eq!(first, second);
        second
    }

    fn zone(record: &str) -> Zone {
        Zone::parse(format!("_dmarc.example.com. TXT \"{record}\""), "zone").unwrap()
    }

    #[test]
    fn the_same_evaluation_is_made_once_also_with_equal_answers() {
        let memory = Memory::default();
        let first = met(&memory, &zone("v=DMARC1; p=reject"), "a.example.com", "b.example.com");
        assert_eq!(first.result.keyword(), "pass");
        for record in ["v=DMARC1; p=reject", "v=DMARC1; p=reject"] {
            let again = report_on(&memory, &zone(record), "a.example.com", "b.example.com");
            assert!(Arc::ptr_eq(&first, &again));
        }
    }

    /// Also where nothing more was asked for several signers, of which one alone is found without a lock.
    #[test]
    fn what_is_remembered_is_recalled_in_one_step() {
        let (memory, zone) = (Memory::default(), zone("v=DMARC1; p=reject"));
        let signers = ["a.example.net", "b.example.net", "b.example.com", "a.example.com", "c.example.com"];
        for signer in signers {
            let report = met(&memory, &zone, "a.example.com", signer);
            let recalled = recalled(&memory, &zone, "a.example.com", signer);
            assert!(recalled.is_some_and(|recalled| Arc::ptr_eq(&recalled, &report)), "{signer}");
        }
        let are_known = signers.map(|signer| recalled(&memory, &zone, "a.example.com", signer).is_some());
        assert_eq!(are_known, [true; 5]);
        met(&memory, &zone, "a.example.com", "d.example.com");
        let known = signers.iter().filter(|signer| recalled(&memory, &zone, "a.example.com", signer).is_some());
        assert_eq!(known.count(), 4);
    }

    #[test]
    fn another_answer_signer_or_author_is_another_evaluation() {
        let memory = Memory::default();
        let result = |record, from, signer| {
            let report = report_on(&memory, &zone(record), from, signer);
            (report.result.keyword(), report.policy.map(|policy| policy.keyword()))
        };
        for _ in 0..4 {
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
        for _ in 0..4 {
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
            met(&memory, &plain, &format!("a{author}.example.com"), "example.com");
        }
        assert!(memory.precedents.used() > SHELVES / 2);
        for signer in 0..20 {
            met(&memory, &plain, "example.com", &format!("b{signer}.example.com"));
        }
        let last = report_on(&memory, &plain, "example.com", "b19.example.com");
        assert!(Arc::ptr_eq(&last, &report_on(&memory, &plain, "example.com", "b19.example.com")));
        let long = zone(&format!("v=DMARC1; p=reject; x={}\" \"{}", "x".repeat(200), "x".repeat(200)));
        let mut longer = long.clone();
        longer.add_txt(&Name::parse("_dmarc.example.com").unwrap(), vec![b'x'; 2048]);
        for (zone, is_remembered) in [(&long, true), (&longer, false)] {
            let first = met(&memory, zone, "example.com", "example.com");
            assert_eq!(first.result.keyword(), "pass");
            let again = report_on(&memory, zone, "example.com", "example.com");
            assert_eq!((first == again, Arc::ptr_eq(&first, &again)), (true, is_remembered));
        }
    }
}
