//! The questions of one message: each asked once, counted, and limited in time.

use super::{
    Answer, Lookup, LookupError, Mx, Question, RecordType, Resolver,
    record::{AnyAnswer, Record, octets},
    reverse_name,
};
use crate::{budget::Budget, name::Name};
use smallvec::SmallVec;
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
    /// Nobody yet: the answer is paid for by the first one who wants it.
    Ahead,
}

#[derive(Debug)]
struct Book {
    entries: Entries,
    evidence: Share,
    policy: Share,
    ahead: Share,
}

/// Entries in the order of asking. There are no more than the budget allows, and few in practice: a search is cheaper than a hash,
/// and the first ones cost no allocation.
#[derive(Debug, Default)]
struct Entries(SmallVec<[Entry; FIRST_ENTRIES]>);

const FIRST_ENTRIES: usize = 6;

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
    /// Answered ahead of the need for it, and not paid for.
    Ahead(Result<AnyAnswer, LookupError>),
}

/// What the book says of a question.
enum Known<U> {
    /// What was read of the answer.
    Answer(U),
    /// Somebody asks it.
    Asked,
    /// Nobody has asked it, or nobody does any more; then there is a place for it.
    Open(Option<usize>),
}

/// What came of the first poll of a question.
enum First<U> {
    /// What was read of the answer.
    Answer(U),
    /// It has to be waited for, and will be entered here.
    Late(usize),
}

impl<'r, R: Resolver> Inquiry<'r, R> {
    /// The time runs from the first answer that is not at hand.
    #[inline]
    pub(crate) fn new(resolver: &'r R, budget: &Budget, time_limit: Duration, question_time_limit: Duration) -> Self {
        Self {
            resolver,
            time_limit,
            question_time_limit,
            deadline: OnceLock::new(),
            book: Mutex::new(Book {
                entries: Entries::default(),
                evidence: Share { questions: budget.questions, octets: budget.octets },
                policy: Share { questions: budget.policy_questions, octets: budget.policy_octets },
                ahead: Share { questions: budget.questions_ahead, octets: budget.octets / 8 },
            }),
        }
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

    /// For those who know what will probably be wanted while they wait for something else. What this costs is paid when somebody
    /// takes the answer; until then it counts against an allowance of its own. So no result differs for it.
    pub(crate) fn ahead(&self) -> Asker<'_, 'r, R> {
        Asker { inquiry: self, purpose: Purpose::Ahead }
    }

    #[inline]
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer, as the book has it from then on.
    fn look_up<T: Record, F: Future<Output = Lookup<T>> + Send>(
        &self,
        purpose: Purpose,
        name: &Name,
        ask: impl Fn() -> F + Send + Sync,
    ) -> impl Future<Output = Lookup<T>> + Send {
        self.read(purpose, name, ask, |answer| answer.cloned().map_err(LookupError::clone))
    }

    /// What `read` makes of the answer, which stays in the book: to read it there spares a copy.
    async fn read<T: Record, F: Future<Output = Lookup<T>> + Send, U>(
        &self,
        purpose: Purpose,
        name: &Name,
        ask: impl Fn() -> F,
        read: impl Fn(Result<&Answer<T>, &LookupError>) -> U,
    ) -> U {
        let mut question = pin!(None);
        let first = poll_fn(|cx| {
            let mut book = self.book();
            let place = match book.known::<T, U>(purpose, name, cx.waker(), &read) {
                Known::Answer(answer) => return Poll::Ready(First::Answer(answer)),
                Known::Asked => return Poll::Pending,
                Known::Open(place) => place,
            };
            if let Err(error) = book.share(purpose).ask() {
                return Poll::Ready(First::Answer(read(Err(&error))));
            }
            // The book stays open, so that an answer at hand is entered at once: all that asks for one message is polled in turn, and
            // nobody waits for the book.
            question.set(Some(ask()));
            let polled = question.as_mut().as_pin_mut().map_or(Poll::Pending, |question| question.poll(cx));
            Poll::Ready(match polled {
                Poll::Ready(answer) => {
                    let paid = book.share(purpose).pay_for(&answer);
                    let value = read(afforded(&paid, &answer));
                    book.entries.set(place, name, T::TYPE, State::of(purpose, paid, answer));
                    First::Answer(value)
                }
                Poll::Pending => First::Late(book.entries.set(place, name, T::TYPE, State::Asked(Vec::new()))),
            })
        });
        let place = match first.await {
            First::Answer(answer) => return answer,
            First::Late(place) => place,
        };
        // Until there is an answer, to be dropped is to hand over.
        let handover = Handover { inquiry: self, place };
        let answer =
            self.wait(poll_fn(|cx| question.as_mut().as_pin_mut().map_or(Poll::Pending, |it| it.poll(cx)))).await;
        std::mem::forget(handover);
        let mut book = self.book();
        let paid = book.share(purpose).pay_for(&answer);
        let value = read(afforded(&paid, &answer));
        let waiting = book.entries.replace(place, State::of(purpose, paid, answer));
        drop(book);
        waiting.into_iter().for_each(Waker::wake);
        value
    }

    /// Within the limits of time; the clock is read for those answers alone that are not at hand.
    async fn wait<T: Record>(&self, question: impl Future<Output = Lookup<T>> + Send) -> Lookup<T> {
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
    /// Where somebody asks already, `waker` is woken by the answer.
    #[inline]
    fn known<T: Record, U>(
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

/// The answer as far as it was paid for.
#[inline]
fn afforded<'a, T>(paid: &'a Result<(), LookupError>, answer: &'a Lookup<T>) -> Result<&'a Answer<T>, &'a LookupError> {
    paid.as_ref().map_or_else(Err, |()| answer.as_ref())
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
    fn find(&mut self, name: &Name, record_type: RecordType) -> Option<(usize, &mut State)> {
        let is_this = |entry: &Entry| entry.question.record_type == record_type && entry.question.name == *name;
        let mut places = self.0.iter_mut().enumerate();
        places.find(|(_, entry)| is_this(entry)).map(|(place, entry)| (place, &mut entry.state))
    }

    /// Enters what is known of a question at its place, or at a new one; the place is returned.
    #[inline]
    fn set(&mut self, place: Option<usize>, name: &Name, record_type: RecordType, state: State) -> usize {
        if let Some(place) = place {
            self.replace(place, state);
            return place;
        }
        self.0.push(Entry { question: Question { name: name.clone(), record_type }, state });
        self.0.len() - 1
    }

    /// Enters what is known of a question, and tells who waited for it.
    fn replace(&mut self, place: usize, state: State) -> Vec<Waker> {
        match self.0.get_mut(place).map(|entry| std::mem::replace(&mut entry.state, state)) {
            Some(State::Asked(waiting)) => waiting,
            Some(State::Vacant | State::Answered(_) | State::Ahead(_)) | None => Vec::new(),
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
        let waiting = self.inquiry.book().entries.replace(self.place, State::Vacant);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// The [`Resolver`] that the protocols are given.
#[derive(Debug)]
pub(crate) struct Asker<'i, 'r, R> {
    inquiry: &'i Inquiry<'r, R>,
    purpose: Purpose,
}

/// A resolver whose answers can be read where they lie.
pub(crate) trait Reading: Resolver {
    /// What `read` makes of the TXT records of a name.
    fn read_txt<U: Send>(
        &self,
        name: &Name,
        read: impl Fn(Result<&Answer<Box<[u8]>>, &LookupError>) -> U + Send + Sync,
    ) -> impl Future<Output = U> + Send {
        async move { read(self.txt(name).await.as_ref()) }
    }
    /// What `read` makes of the A records of a name.
    fn read_a<U: Send>(
        &self,
        name: &Name,
        read: impl Fn(Result<&Answer<Ipv4Addr>, &LookupError>) -> U + Send + Sync,
    ) -> impl Future<Output = U> + Send {
        async move { read(self.a(name).await.as_ref()) }
    }
}

impl<R: Resolver> Reading for Asker<'_, '_, R> {
    fn read_txt<U: Send>(
        &self,
        name: &Name,
        read: impl Fn(Result<&Answer<Box<[u8]>>, &LookupError>) -> U + Send + Sync,
    ) -> impl Future<Output = U> + Send {
        self.inquiry.read(self.purpose, name, || self.inquiry.resolver.txt(name), read)
    }
    fn read_a<U: Send>(
        &self,
        name: &Name,
        read: impl Fn(Result<&Answer<Ipv4Addr>, &LookupError>) -> U + Send + Sync,
    ) -> impl Future<Output = U> + Send {
        self.inquiry.read(self.purpose, name, || self.inquiry.resolver.a(name), read)
    }
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
