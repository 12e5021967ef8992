//! What an evaluation rested on: its questions, and how they were answered.

use super::super::{Question, RecordType, Resolver, record::AnyAnswer};
use crate::name::Name;
use std::sync::atomic::{AtomicU64, Ordering};

/// Questions that are still remembered as the grounds of one evaluation.
const MAX_QUESTIONS: usize = 32;
/// Octets of answers that are still remembered as such, with those that each record takes beside its data.
const MAX_OCTETS: usize = 2048;
const RECORD_OVERHEAD: usize = 32;

/// The evaluations of one message whose questions are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evaluation {
    /// SPF for the HELO identity.
    Helo,
    /// SPF for the MAIL FROM identity.
    MailFrom,
    /// The search for the author domain's policy.
    Discovery,
    /// What else DMARC asks when it knows the identifiers.
    Conclusion,
}

impl Evaluation {
    #[inline]
    pub(super) fn bit(self) -> u8 {
        match self {
            Self::Helo => 1,
            Self::MailFrom => 2,
            Self::Discovery => 4,
            Self::Conclusion => 8,
        }
    }
}

/// All questions that an evaluation was given answers to, each with its answer; no error is among them.
///
/// An evaluation is a pure function of what it is called with and of these answers. So where each of them is what it was, it would ask
/// the same questions again and come to the same result.
#[derive(Debug, Default)]
pub(crate) struct Grounds {
    asked: Box<[(Question, AnyAnswer)]>,
    octets: usize,
    /// One more than the resolver's revision ahead of the last time that all were confirmed; 0 where there was none.
    confirmed_in: AtomicU64,
}

impl Grounds {
    /// `None` where one of them is none or is not what `confirms` says, or where they are too many or too long.
    pub(super) fn of<'a>(
        asked: impl Iterator<Item = Option<(&'a Question, &'a AnyAnswer)>> + Clone,
        confirms: impl Fn(&Question, &AnyAnswer) -> bool,
    ) -> Option<Self> {
        let (mut questions, mut records, mut octets) = (0, 0, 0);
        for asked in asked.clone() {
            let (question, answer) = asked?;
            questions += 1;
            records += answer.count();
            octets += answer.octets();
            let is_too_much = questions > MAX_QUESTIONS || octets + RECORD_OVERHEAD * records > MAX_OCTETS;
            if is_too_much || !confirms(question, answer) {
                return None;
            }
        }
        let asked = asked.flatten().map(|(question, answer)| (question.clone(), answer.clone())).collect();
        Some(Self { asked, octets, confirmed_in: AtomicU64::new(0) })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Whether each question, asked now, would be answered at once as it was then.
    #[inline]
    pub(super) fn is_confirmed_by<R: Resolver>(&self, resolver: &R) -> bool {
        let revision = resolver.revision().and_then(|revision| revision.checked_add(1));
        if revision.is_some_and(|revision| revision == self.confirmed_in.load(Ordering::Relaxed)) {
            return true;
        }
        let all = self.asked.iter().all(|(question, answer)| resolver.confirms(question, answer));
        if let Some(revision) = revision.filter(|_| all) {
            self.confirmed_in.store(revision, Ordering::Relaxed);
        }
        all
    }

    #[inline]
    pub(super) fn asked(&self) -> &[(Question, AnyAnswer)] {
        &self.asked
    }

    /// About as many octets as the answers take on the wire.
    #[inline]
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    #[inline]
    pub(super) fn answer(&self, name: &Name, record_type: RecordType) -> Option<&AnyAnswer> {
        let is_it = |question: &Question| question.record_type == record_type && question.name == *name;
        self.asked.iter().find(|(question, _)| is_it(question)).map(|(_, answer)| answer)
    }
}
