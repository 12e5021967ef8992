//! What is known of the questions of one message, and what they may still cost.

use super::super::{
    Answer, Lookup, LookupError, Question, RecordType,
    record::{AnyAnswer, Record, octets},
};
use crate::{budget::Budget, name::Name};
use smallvec::SmallVec;
use std::task::Waker;

/// Who asks, and so which budget pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Evidence,
    Policy,
    /// Nobody yet: the answer is paid for by the first one who wants it.
    Ahead,
}

#[derive(Debug)]
pub(super) struct Book {
    pub(super) entries: Entries,
    evidence: Share,
    policy: Share,
    ahead: Share,
}

/// Entries in the order of asking. There are no more than the budget allows, and few in practice: a search is cheaper than a hash,
/// and the first ones cost no allocation.
#[derive(Debug, Default)]
pub(super) struct Entries(SmallVec<[Entry; FIRST_ENTRIES]>);

const FIRST_ENTRIES: usize = 6;

#[derive(Debug)]
pub(super) struct Share {
    questions: usize,
    octets: usize,
}

#[derive(Debug)]
struct Entry {
    question: Question,
    state: State,
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
            evidence: Share { questions: budget.questions, octets: budget.octets },
            policy: Share { questions: budget.policy_questions, octets: budget.policy_octets },
            ahead: Share { questions: budget.questions_ahead, octets: budget.octets / 8 },
        }
    }

    /// Where somebody asks already, `waker` is woken by the answer.
    #[inline]
    pub(super) fn known<T: Record, U>(
        &mut self,
        purpose: Purpose,
        name: &Name,
        waker: &Waker,
        read: &impl Fn(Result<&Answer<T>, &LookupError>) -> U,
    ) -> Known<U> {
        let Some((place, state)) = self.entries.find(name, T::TYPE) else { return Known::Open(None) };
        match state {
            State::Answered(answer) => Known::Answer(read_any(answer, read)),
            State::Asked(waiting) => {
                if !waiting.iter().any(|present| present.will_wake(waker)) {
                    waiting.push(waker.clone());
                }
                Known::Asked
            }
            State::Vacant => Known::Open(Some(place)),
            State::Ahead(answer) => {
                if purpose == Purpose::Ahead {
                    return Known::Answer(read_any(answer, read));
                }
                let answer = read_any(answer, |answer: Result<&Answer<T>, &LookupError>| {
                    answer.cloned().map_err(LookupError::clone)
                });
                // As if it were asked now.
                if let Err(error) = self.share(purpose).ask() {
                    return Known::Answer(read(Err(&error)));
                }
                let paid = self.share(purpose).pay_for(&answer);
                let value = read(afforded(&paid, &answer));
                self.entries.replace(place, State::of(purpose, paid, answer));
                Known::Answer(value)
            }
        }
    }

    #[inline]
    pub(super) fn share(&mut self, purpose: Purpose) -> &mut Share {
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

/// The answer as far as it was paid for.
#[inline]
pub(super) fn afforded<'a, T>(
    paid: &'a Result<(), LookupError>,
    answer: &'a Lookup<T>,
) -> Result<&'a Answer<T>, &'a LookupError> {
    paid.as_ref().map_or_else(Err, |()| answer.as_ref())
}

impl State {
    /// What the book says of an answer from now on, which was paid for or not.
    #[inline]
    pub(super) fn of<T: Record>(purpose: Purpose, paid: Result<(), LookupError>, answer: Lookup<T>) -> Self {
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
    pub(super) fn ask(&mut self) -> Result<(), LookupError> {
        if self.octets == 0 {
            return Err(LookupError::OutOfOctets);
        }
        self.questions = self.questions.checked_sub(1).ok_or(LookupError::OutOfQuestions)?;
        Ok(())
    }

    /// An answer; one that failed costs nothing.
    #[inline]
    pub(super) fn pay_for<T: Record>(&mut self, answer: &Lookup<T>) -> Result<(), LookupError> {
        let left = self.octets.checked_sub(answer.as_ref().map_or(0, octets));
        // What cannot be afforded has been read all the same, and so nothing is left for others.
        self.octets = left.unwrap_or_default();
        left.map(|_| ()).ok_or(LookupError::OutOfOctets)
    }
}

impl Entries {
    #[inline]
    fn find(&mut self, name: &Name, record_type: RecordType) -> Option<(usize, &mut State)> {
        let is_this = |entry: &Entry| entry.question.record_type == record_type && entry.question.name == *name;
        let mut places = self.0.iter_mut().enumerate();
        places.find(|(_, entry)| is_this(entry)).map(|(place, entry)| (place, &mut entry.state))
    }

    /// Enters what is known of a question at its place, or at a new one; the place is returned.
    #[inline]
    pub(super) fn set(&mut self, place: Option<usize>, name: &Name, record_type: RecordType, state: State) -> usize {
        if let Some(place) = place {
            self.replace(place, state);
            return place;
        }
        self.0.push(Entry { question: Question { name: name.clone(), record_type }, state });
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
