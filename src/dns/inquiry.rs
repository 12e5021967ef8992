//! The questions of one message: each asked once, counted, and limited in time.

use super::{
    Lookup, LookupError, Mx, Question, Resolver,
    record::{AnyAnswer, Record, octets},
    reverse_name,
};
use crate::{budget::Budget, name::Name};
use std::{
    future::{Future, poll_fn},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::pin,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Poll, Waker},
    time::{Duration, Instant},
};

/// Asks on behalf of one message.
///
/// A question is asked once, also when several want the answer at the same time: those who come later wait, and when the one who
/// asks is dropped, one of them takes over. What is remembered is the answer of the DNS, raw, by name and type.
///
/// Everything happens within the futures that it gives out. Nothing is spawned, and dropping them ends it all.
#[derive(Debug)]
pub(crate) struct Inquiry<'r, R> {
    resolver: &'r R,
    time_limit: Duration,
    question_time_limit: Duration,
    /// Set when somebody has to wait for the first time: until then no time was lost, and who never waits reads no clock. `None`
    /// where the limit is too far away for the clock.
    deadline: OnceLock<Option<Instant>>,
    book: Mutex<Book>,
}

/// Who asks, and so which budget pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Evidence,
    Policy,
}

#[derive(Debug)]
struct Book {
    /// In the order of asking. There are no more than the ceiling allows, and few in practice: a search is cheaper than a hash.
    entries: Vec<Entry>,
    evidence: Share,
    policy: Share,
}

#[derive(Debug)]
struct Share {
    questions: usize,
    octets: usize,
}

#[derive(Debug)]
struct Entry {
    question: Question,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody asks: who did was dropped, or could not afford the answer.
    Vacant,
    /// Somebody asks, and these wait.
    Asked(Vec<Waker>),
    Answered(Result<AnyAnswer, LookupError>),
}

/// What to do about a question.
enum Turn<T> {
    /// It is answered.
    Take(Lookup<T>),
    /// Ask it, and enter the answer at this place.
    Ask(usize),
    /// Somebody else does.
    Wait,
}

impl<'r, R: Resolver> Inquiry<'r, R> {
    /// The time runs from the first answer that is not at hand.
    pub(crate) fn new(resolver: &'r R, budget: &Budget, time_limit: Duration, question_time_limit: Duration) -> Self {
        let book = Book {
            entries: Vec::with_capacity(8),
            evidence: Share { questions: budget.questions, octets: budget.octets },
            policy: Share { questions: budget.policy_questions, octets: budget.policy_octets },
        };
        Self { resolver, time_limit, question_time_limit, deadline: OnceLock::new(), book: Mutex::new(book) }
    }

    /// For those who gather evidence: SPF, DKIM, ARC.
    pub(crate) fn evidence(&self) -> Asker<'_, 'r, R> {
        Asker { inquiry: self, purpose: Purpose::Evidence }
    }

    /// For those who look for the domain owner's policy: DMARC. Its budget is its own, so that a message cannot use up the questions
    /// that would show it to be forged.
    pub(crate) fn policy(&self) -> Asker<'_, 'r, R> {
        Asker { inquiry: self, purpose: Purpose::Policy }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_up<T: Record, F: Future<Output = Lookup<T>> + Send>(
        &self,
        purpose: Purpose,
        name: &Name,
        question: impl FnOnce() -> F,
    ) -> Lookup<T> {
        let turn = poll_fn(|cx| match self.book().turn::<T>(purpose, name, cx.waker()) {
            Turn::Wait => Poll::Pending,
            turn @ (Turn::Take(_) | Turn::Ask(_)) => Poll::Ready(turn),
        });
        let place = match turn.await {
            Turn::Take(answer) => return answer,
            Turn::Ask(place) => place,
            // The poll above does not end so.
            Turn::Wait => return Err(LookupError::Timeout),
        };
        // Until there is an answer, to be dropped is to hand over.
        let handover = Handover { inquiry: self, place };
        let answer = self.ask(question()).await;
        std::mem::forget(handover);
        let (answer, waiting) = self.book().enter(purpose, place, answer);
        waiting.into_iter().for_each(Waker::wake);
        answer
    }

    /// Within the limits of time; the clock is read for those answers alone that are not at hand.
    async fn ask<T: Record>(&self, question: impl Future<Output = Lookup<T>> + Send) -> Lookup<T> {
        let mut question = pin!(question);
        if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(question.as_mut().poll(cx))).await {
            return answer;
        }
        let now = Instant::now();
        let deadline = self.deadline.get_or_init(|| now.checked_add(self.time_limit));
        let remaining = deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(now));
        if remaining.is_zero() {
            return Err(LookupError::OutOfTime);
        }
        let limit = remaining.min(self.question_time_limit);
        match self.resolver.within(limit, question).await {
            Some(answer) => answer,
            None if limit == remaining => Err(LookupError::OutOfTime),
            None => Err(LookupError::Timeout),
        }
    }
}

impl Book {
    fn turn<T: Record>(&mut self, purpose: Purpose, name: &Name, waker: &Waker) -> Turn<T> {
        let is_this = |entry: &Entry| entry.question.record_type == T::TYPE && entry.question.name == *name;
        let place = match self.entries.iter_mut().enumerate().find(|(_, entry)| is_this(entry)) {
            Some((place, entry)) => match &mut entry.state {
                State::Answered(Ok(answer)) => match T::from_any(answer) {
                    Some(answer) => return Turn::Take(Ok(answer.clone())),
                    // An answer of another type than the question's is never entered.
                    None => return Turn::Take(Err(LookupError::Malformed)),
                },
                State::Answered(Err(error)) => return Turn::Take(Err(error.clone())),
                State::Asked(waiting) => {
                    if !waiting.iter().any(|present| present.will_wake(waker)) {
                        waiting.push(waker.clone());
                    }
                    return Turn::Wait;
                }
                State::Vacant => place,
            },
            None => self.entries.len(),
        };
        let budget = self.budget(purpose);
        if budget.octets == 0 {
            return Turn::Take(Err(LookupError::OutOfOctets));
        }
        let Some(left) = budget.questions.checked_sub(1) else {
            return Turn::Take(Err(LookupError::OutOfQuestions));
        };
        budget.questions = left;
        match self.entries.get_mut(place) {
            Some(entry) => entry.state = State::Asked(Vec::new()),
            None => {
                let question = Question { name: name.clone(), record_type: T::TYPE };
                self.entries.push(Entry { question, state: State::Asked(Vec::new()) });
            }
        }
        Turn::Ask(place)
    }

    /// Notes the answer, if it can be afforded, and tells who waited for it.
    fn enter<T: Record>(&mut self, purpose: Purpose, place: usize, answer: Lookup<T>) -> (Lookup<T>, Vec<Waker>) {
        let budget = self.budget(purpose);
        let (state, answer) = match answer {
            Ok(answer) => match budget.octets.checked_sub(octets(&answer)) {
                Some(left) => {
                    budget.octets = left;
                    (State::Answered(Ok(T::into_any(answer.clone()))), Ok(answer))
                }
                None => {
                    // It has been read all the same, and so nothing is left for others.
                    budget.octets = 0;
                    (State::Vacant, Err(LookupError::OutOfOctets))
                }
            },
            Err(error) => (State::Answered(Err(error.clone())), Err(error)),
        };
        (answer, self.replace(place, state))
    }

    fn replace(&mut self, place: usize, state: State) -> Vec<Waker> {
        let Some(entry) = self.entries.get_mut(place) else { return Vec::new() };
        match std::mem::replace(&mut entry.state, state) {
            State::Asked(waiting) => waiting,
            State::Vacant | State::Answered(_) => Vec::new(),
        }
    }

    fn budget(&mut self, purpose: Purpose) -> &mut Share {
        match purpose {
            Purpose::Evidence => &mut self.evidence,
            Purpose::Policy => &mut self.policy,
        }
    }
}

/// Held while a question is asked.
struct Handover<'i, 'r, R: Resolver> {
    inquiry: &'i Inquiry<'r, R>,
    place: usize,
}

impl<R: Resolver> Drop for Handover<'_, '_, R> {
    fn drop(&mut self) {
        let waiting = self.inquiry.book().replace(self.place, State::Vacant);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// The [`Resolver`] that the protocols are given.
#[derive(Debug)]
pub(crate) struct Asker<'i, 'r, R> {
    inquiry: &'i Inquiry<'r, R>,
    purpose: Purpose,
}

impl<R: Resolver> Resolver for Asker<'_, '_, R> {
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
        self.inquiry.look_up(self.purpose, name, || self.inquiry.resolver.txt(name))
    }
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
        self.inquiry.look_up(self.purpose, name, || self.inquiry.resolver.a(name))
    }
    fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
        self.inquiry.look_up(self.purpose, name, || self.inquiry.resolver.aaaa(name))
    }
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
        self.inquiry.look_up(self.purpose, name, || self.inquiry.resolver.mx(name))
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.inquiry.look_up(self.purpose, &reverse_name(ip), || self.inquiry.resolver.ptr(ip)).await
    }
    fn within<F: Future + Send>(&self, limit: Duration, question: F) -> impl Future<Output = Option<F::Output>> + Send
    where
        F::Output: Send,
    {
        self.inquiry.resolver.within(limit, question)
    }
}

#[cfg(test)]
mod tests;
