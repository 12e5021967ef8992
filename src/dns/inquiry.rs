//! The questions of one message: each asked once, counted, and limited in time.

mod book;
mod grounds;

use super::{Answer, Lookup, LookupError, Mx, Resolver, record::Record, reverse_name};
use crate::{budget::Budget, name::Name};
use book::{Book, Known, Party, Purpose, State};
pub(crate) use grounds::{Evaluation, Grounds};
use std::{
    future::{Future, poll_fn},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
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
            book: Mutex::new(Book::new(budget)),
        }
    }

    /// For those who gather evidence: SPF, DKIM, ARC.
    pub(crate) fn evidence(&self) -> Asker<'_, 'r, R> {
        self.asker(Purpose::Evidence)
    }

    /// For those who look for the domain owner's policy: DMARC. Its budget is its own, so that a message cannot use up the questions
    /// that would show it to be forged.
    pub(crate) fn policy(&self) -> Asker<'_, 'r, R> {
        self.asker(Purpose::Policy)
    }

    /// For those who know what will probably be wanted while they wait for something else. What this costs is paid when somebody
    /// takes the answer; until then it counts against an allowance of its own. So no result differs for it.
    pub(crate) fn ahead(&self) -> Asker<'_, 'r, R> {
        self.asker(Purpose::Ahead)
    }

    /// [`Reading::confirms_all`] on behalf of evidence, before anybody asks.
    #[inline]
    pub(crate) fn confirms_evidence(&mut self, grounds: Arc<Grounds>) -> bool {
        self.confirms_first(Purpose::Evidence, grounds)
    }

    /// [`Reading::confirms_all`] on behalf of policy, before anybody asks.
    #[inline]
    pub(crate) fn confirms_policy(&mut self, grounds: Arc<Grounds>) -> bool {
        self.confirms_first(Purpose::Policy, grounds)
    }

    #[inline]
    fn confirms_first(&mut self, purpose: Purpose, grounds: Arc<Grounds>) -> bool {
        // Whoever holds all of it needs no lock.
        let book = self.book.get_mut().unwrap_or_else(PoisonError::into_inner);
        grounds.is_confirmed_by(self.resolver) && book.confirm(purpose, grounds)
    }

    fn asker(&self, purpose: Purpose) -> Asker<'_, 'r, R> {
        Asker { inquiry: self, party: Party { purpose, evaluation: None } }
    }

    #[inline]
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer, as the book has it from then on.
    fn look_up<T: Record, F: Future<Output = Lookup<T>> + Send>(
        &self,
        party: Party,
        name: &Name,
        ask: impl Fn() -> F + Send + Sync,
    ) -> impl Future<Output = Lookup<T>> + Send {
        self.read(party, name, ask, |answer| answer.cloned().map_err(LookupError::clone))
    }

    /// What `read` makes of the answer, which stays in the book: to read it there spares a copy.
    async fn read<T: Record, F: Future<Output = Lookup<T>> + Send, U>(
        &self,
        party: Party,
        name: &Name,
        ask: impl Fn() -> F,
        read: impl Fn(Result<&Answer<T>, &LookupError>) -> U,
    ) -> U {
        let mut question = pin!(None);
        let first = poll_fn(|cx| {
            let mut book = self.book();
            let place = match book.known::<T, U>(party, name, cx.waker(), &read) {
                Known::Answer(answer) => return Poll::Ready(First::Answer(answer)),
                Known::Asked => return Poll::Pending,
                Known::Open(place) => place,
            };
            if let Err(error) = book.ask(party) {
                return Poll::Ready(First::Answer(read(Err(&error))));
            }
            // The book stays open, so that an answer at hand is entered at once: all that asks for one message is polled in turn, and
            // nobody waits for the book.
            question.set(Some(ask()));
            let polled = question.as_mut().as_pin_mut().map_or(Poll::Pending, |question| question.poll(cx));
            Poll::Ready(match polled {
                Poll::Ready(answer) => First::Answer(book.enter(party, place, name, answer, &read).0),
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
        let (value, waiting) = book.enter(party, Some(place), name, answer, &read);
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
    party: Party,
}

impl<R> Asker<'_, '_, R> {
    /// The same, whose questions are told apart from those of others.
    pub(crate) fn of(&self, evaluation: Evaluation) -> Self {
        Self { inquiry: self.inquiry, party: Party { evaluation: Some(evaluation), ..self.party } }
    }
}

/// A resolver whose answers can be read where they lie, and which knows what it was asked.
pub(crate) trait Reading: Resolver {
    /// Whether each of these questions, asked now, would be answered at once as it was then; if so, they count as asked.
    fn confirms_all(&self, grounds: Arc<Grounds>) -> bool {
        let _ = grounds;
        false
    }
    /// What was asked through this resolver for the sake of its evaluation; `None` where something failed, where it is too much to be
    /// remembered, or where it would not be confirmed.
    fn grounds(&self) -> Option<Grounds> {
        None
    }
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
    #[inline]
    fn confirms_all(&self, grounds: Arc<Grounds>) -> bool {
        let Self { inquiry, party } = self;
        grounds.is_confirmed_by(inquiry.resolver) && inquiry.book().confirm(party.purpose, grounds)
    }
    fn grounds(&self) -> Option<Grounds> {
        let Self { inquiry, party } = self;
        inquiry.book().grounds(party.evaluation?, |question, answer| inquiry.resolver.confirms(question, answer))
    }
    fn read_txt<U: Send>(
        &self,
        name: &Name,
        read: impl Fn(Result<&Answer<Box<[u8]>>, &LookupError>) -> U + Send + Sync,
    ) -> impl Future<Output = U> + Send {
        self.inquiry.read(self.party, name, || self.inquiry.resolver.txt(name), read)
    }
    fn read_a<U: Send>(
        &self,
        name: &Name,
        read: impl Fn(Result<&Answer<Ipv4Addr>, &LookupError>) -> U + Send + Sync,
    ) -> impl Future<Output = U> + Send {
        self.inquiry.read(self.party, name, || self.inquiry.resolver.a(name), read)
    }
}

impl<R: Resolver> Resolver for Asker<'_, '_, R> {
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
        self.inquiry.look_up(self.party, name, || self.inquiry.resolver.txt(name))
    }
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
        self.inquiry.look_up(self.party, name, || self.inquiry.resolver.a(name))
    }
    fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
        self.inquiry.look_up(self.party, name, || self.inquiry.resolver.aaaa(name))
    }
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
        self.inquiry.look_up(self.party, name, || self.inquiry.resolver.mx(name))
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.inquiry.look_up(self.party, &reverse_name(ip), || self.inquiry.resolver.ptr(ip)).await
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
