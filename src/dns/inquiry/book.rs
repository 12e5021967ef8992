//! What is known of the questions of one message, and what they may still cost.

use super::{
    super::{
        Answer, Lookup, LookupError, Question, RecordType,
        record::{AnyAnswer, Record, octets},
    },
    grounds::{Evaluation, Grounds},
};
use crate::{budget::Budget, name::Name};
use smallvec::SmallVec;
use std::{sync::Arc, task::Waker};

/// Who asks, and so which budget pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Evidence,
    Policy,
    /// Nobody yet: the answer is paid for by the first one who wants it.
    Ahead,
}

/// On whose behalf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Party {
    pub(super) purpose: Purpose,
    /// `None` where nobody will want to know what was asked.
    pub(super) evaluation: Option<Evaluation>,
}

#[derive(Debug)]
pub(super) struct Book {
    pub(super) entries: Entries,
    /// What was confirmed as a whole, and paid for.
    confirmed: SmallVec<[Arc<Grounds>; 4]>,
    /// A bit for each evaluation that was told of an error.
    failed: u8,
    evidence: Share,
    policy: Share,
    ahead: Share,
}

/// Entries in the order of asking. There are no more than the budget allows, and few in practice: a search is cheaper than a hash,
/// and the first ones cost no allocation. Of a message like others before it, most is confirmed and not entered.
#[derive(Debug, Default)]
pub(super) struct Entries(SmallVec<[Entry; FIRST_ENTRIES]>);

const FIRST_ENTRIES: usize = 2;
const MORE_ENTRIES: usize = 12;

#[derive(Debug)]
pub(super) struct Share {
    questions: usize,
    octets: usize,
}

#[derive(Debug)]
struct Entry {
    question: Question,
    state: State,
    /// A bit for each evaluation that was given the answer.
    readers: u8,
}

#[derive(Debug)]
pub(super) enum State {
    /// Nobody asks: who did was dropped, or could not afford the answer.
    Vacant,
    /// Somebody asks, and these wait.
    Asked(Vec<Waker>),
    Answered(Result<AnyAnswer, LookupError>),
    /// Answered ahead of the need for it, and not paid for.
    Ahead(Result<AnyAnswer, LookupError>),
}

/// What the book says of a question.
pub(super) enum Known<U> {
    /// What was read of the answer.
    Answer(U),
    /// Somebody asks it.
    Asked,
    /// Nobody has asked it, or nobody does any more; then there is a place for it.
    Open(Option<usize>),
}

impl Book {
    #[inline]
    pub(super) fn new(budget: &Budget) -> Self {
        Self {
            entries: Entries::default(),
            confirmed: SmallVec::new(),
            failed: 0,
            evidence: Share { questions: budget.questions, octets: budget.octets },
            policy: Share { questions: budget.policy_questions, octets: budget.policy_octets },
            ahead: Share { questions: budget.questions_ahead, octets: budget.octets / 8 },
        }
    }

    /// Where somebody asks already, `waker` is woken by the answer.
    #[inline]
    pub(super) fn known<T: Record, U>(
        &mut self,
        party: Party,
        name: &Name,
        waker: &Waker,
        read: &impl Fn(Result<&Answer<T>, &LookupError>) -> U,
    ) -> Known<U> {
        let Some((place, entry)) = self.entries.find(name, T::TYPE) else {
            let Some(answer) = self.confirmed_answer::<T>(name) else { return Known::Open(None) };
            let value = read(Ok(&answer));
            let place = self.entries.set(None, name, T::TYPE, State::Answered(Ok(T::into_any(answer))));
            self.given(party, place, false);
            return Known::Answer(value);
        };
        match &mut entry.state {
            State::Answered(answer) => {
                let (value, failed) = (read_any(answer, read), answer.is_err());
                self.given(party, place, failed);
                Known::Answer(value)
            }
            State::Asked(waiting) => {
                if !waiting.iter().any(|present| present.will_wake(waker)) {
                    waiting.push(waker.clone());
                }
                Known::Asked
            }
            State::Vacant => Known::Open(Some(place)),
            State::Ahead(answer) => {
                if party.purpose == Purpose::Ahead {
                    return Known::Answer(read_any(answer, read));
                }
                let answer = read_any(answer, |answer: Result<&Answer<T>, &LookupError>| {
                    answer.cloned().map_err(LookupError::clone)
                });
                // As if it were asked now.
                if let Err(error) = self.ask(party) {
                    return Known::Answer(read(Err(&error)));
                }
                Known::Answer(self.enter(party, Some(place), name, answer, read).0)
            }
        }
    }

    /// One question more.
    #[inline]
    pub(super) fn ask(&mut self, party: Party) -> Result<(), LookupError> {
        let asked = self.share(party.purpose).ask();
        if asked.is_err() {
            self.failed |= party.bit();
        }
        asked
    }

    /// Enters an answer, as far as it can be paid for; what is read of it, and who waited for it.
    #[inline]
    pub(super) fn enter<T: Record, U>(
        &mut self,
        party: Party,
        place: Option<usize>,
        name: &Name,
        answer: Lookup<T>,
        read: &impl Fn(Result<&Answer<T>, &LookupError>) -> U,
    ) -> (U, Vec<Waker>) {
        let paid = self.share(party.purpose).pay_for(&answer);
        let failed = paid.is_err() || answer.is_err();
        let value = read(paid.as_ref().map_or_else(Err, |()| answer.as_ref()));
        let state = State::of(party.purpose, paid, answer);
        let (place, waiting) = match place {
            Some(place) => (place, self.entries.replace(place, state)),
            None => (self.entries.set(None, name, T::TYPE, state), Vec::new()),
        };
        self.given(party, place, failed);
        (value, waiting)
    }

    /// Notes that an evaluation was given what stands there.
    #[inline]
    fn given(&mut self, party: Party, place: usize, failed: bool) {
        let bit = party.bit();
        if let Some(entry) = self.entries.0.get_mut(place) {
            entry.readers |= bit;
        }
        if failed {
            self.failed |= bit;
        }
    }

    #[inline]
    fn confirmed_answer<T: Record>(&self, name: &Name) -> Option<Answer<T>> {
        self.confirmed.iter().find_map(|grounds| grounds.answer(name, T::TYPE)).and_then(T::from_any).cloned()
    }

    /// Takes over questions and answers as if all of them had been asked now; whether they agree with what is known already and can
    /// be paid for. If not, nothing has happened.
    pub(super) fn confirm(&mut self, purpose: Purpose, grounds: Arc<Grounds>) -> bool {
        if grounds.is_empty() {
            return true;
        }
        let (mut questions, mut octets) = (grounds.asked().len(), grounds.octets());
        if !self.entries.0.is_empty() || !self.confirmed.is_empty() {
            for (question, answer) in grounds.asked() {
                let known = match self.entries.find(&question.name, question.record_type) {
                    Some((_, Entry { state: State::Answered(Ok(known)), .. })) => Some(&*known),
                    Some(_) => return false,
                    None => self.confirmed.iter().find_map(|held| held.answer(&question.name, question.record_type)),
                };
                if known.is_some_and(|known| known != answer) {
                    return false;
                }
                if known.is_some() {
                    questions -= 1;
                    octets -= answer.octets();
                }
            }
        }
        let share = self.share(purpose);
        // Below the ceiling even before the last answer, or asking one by one could end otherwise.
        if questions > share.questions || octets >= share.octets {
            return false;
        }
        share.questions -= questions;
        share.octets -= octets;
        self.confirmed.push(grounds);
        true
    }

    /// What an evaluation was given; `None` where it was given an error, or more than is worth to be remembered, or what nobody
    /// `confirms`.
    pub(super) fn grounds(
        &self,
        evaluation: Evaluation,
        confirms: impl Fn(&Question, &AnyAnswer) -> bool,
    ) -> Option<Grounds> {
        if self.failed & evaluation.bit() != 0 {
            return None;
        }
        let given = self.entries.0.iter().filter(|entry| entry.readers & evaluation.bit() != 0);
        let given = given.map(|entry| match &entry.state {
            State::Answered(Ok(answer)) => Some((&entry.question, answer)),
            State::Answered(Err(_)) | State::Vacant | State::Asked(_) | State::Ahead(_) => None,
        });
        Grounds::of(given, confirms)
    }

    #[inline]
    fn share(&mut self, purpose: Purpose) -> &mut Share {
        match purpose {
            Purpose::Evidence => &mut self.evidence,
            Purpose::Policy => &mut self.policy,
            Purpose::Ahead => &mut self.ahead,
        }
    }
}

#[inline]
fn read_any<T: Record, U>(
    answer: &Result<AnyAnswer, LookupError>,
    read: impl Fn(Result<&Answer<T>, &LookupError>) -> U,
) -> U {
    match answer {
        // An answer of another type than the question's is never entered.
        Ok(answer) => read(T::from_any(answer).ok_or(&LookupError::Malformed)),
        Err(error) => read(Err(error)),
    }
}

impl Party {
    #[inline]
    fn bit(self) -> u8 {
        self.evaluation.map_or(0, Evaluation::bit)
    }
}

impl State {
    /// What the book says of an answer from now on, which was paid for or not.
    #[inline]
    fn of<T: Record>(purpose: Purpose, paid: Result<(), LookupError>, answer: Lookup<T>) -> Self {
        match (paid, purpose) {
            // It may be affordable for others.
            (Err(_), _) => Self::Vacant,
            (Ok(()), Purpose::Ahead) => Self::Ahead(answer.map(T::into_any)),
            (Ok(()), Purpose::Evidence | Purpose::Policy) => Self::Answered(answer.map(T::into_any)),
        }
    }
}

impl Share {
    /// One question more.
    #[inline]
    fn ask(&mut self) -> Result<(), LookupError> {
        if self.octets == 0 {
            return Err(LookupError::OutOfOctets);
        }
        self.questions = self.questions.checked_sub(1).ok_or(LookupError::OutOfQuestions)?;
        Ok(())
    }

    /// An answer; one that failed costs nothing.
    #[inline]
    fn pay_for<T: Record>(&mut self, answer: &Lookup<T>) -> Result<(), LookupError> {
        let left = self.octets.checked_sub(answer.as_ref().map_or(0, octets));
        // What cannot be afforded has been read all the same, and so nothing is left for others.
        self.octets = left.unwrap_or_default();
        left.map(|_| ()).ok_or(LookupError::OutOfOctets)
    }
}

impl Entries {
    #[inline]
    fn find(&mut self, name: &Name, record_type: RecordType) -> Option<(usize, &mut Entry)> {
        let is_this = |entry: &Entry| entry.question.record_type == record_type && entry.question.name == *name;
        self.0.iter_mut().enumerate().find(|(_, entry)| is_this(entry))
    }

    /// Enters what is known of a question at its place, or at a new one; the place is returned.
    #[inline]
    pub(super) fn set(&mut self, place: Option<usize>, name: &Name, record_type: RecordType, state: State) -> usize {
        if let Some(place) = place {
            self.replace(place, state);
            return place;
        }
        if self.0.len() == FIRST_ENTRIES {
            self.0.reserve(MORE_ENTRIES);
        }
        self.0.push(Entry { question: Question { name: name.clone(), record_type }, state, readers: 0 });
        self.0.len() - 1
    }

    /// Enters what is known of a question, and tells who waited for it.
    pub(super) fn replace(&mut self, place: usize, state: State) -> Vec<Waker> {
        match self.0.get_mut(place).map(|entry| std::mem::replace(&mut entry.state, state)) {
            Some(State::Asked(waiting)) => waiting,
            Some(State::Vacant | State::Answered(_) | State::Ahead(_)) | None => Vec::new(),
        }
    }
}
