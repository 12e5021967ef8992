//! What was asked, what was answered, and in which order.

use mailverdict::{
    dns::{Answer, AnyAnswer, AnyLookup, Lookup, LookupError, Mx, Question, RecordType, Resolver, reverse_name},
    name::Name,
};
use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A resolver that writes down what another one is asked and what it answers.
#[derive(Debug, Default)]
pub struct Recording<R> {
    resolver: R,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    exchanges: Vec<Exchange>,
    /// Questions and answers so far.
    events: usize,
}

/// A question and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What was asked.
    pub question: Question,
    /// What was answered; `None` where the one who asked did not wait for it, or still waits.
    pub answer: Option<Result<AnyAnswer, LookupError>>,
    /// Which event of the recording the question was, counted from 0 over questions and answers.
    pub asked: usize,
    /// Which event of the recording the answer was.
    pub answered: Option<usize>,
}

impl Exchange {
    /// Whether both questions were open at the same time.
    pub fn overlaps(&self, other: &Self) -> bool {
        let before_end_of = |asked: usize, of: &Self| of.answered.is_none_or(|answered| asked < answered);
        before_end_of(self.asked, other) && before_end_of(other.asked, self)
    }
}

impl<R> Recording<R> {
    /// Around this resolver.
    pub fn new(resolver: R) -> Self {
        Self { resolver, log: Mutex::default() }
    }

    /// What was asked so far, in the order of asking.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.log().exchanges.clone()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn record<T: Clone>(
        &self,
        (name, record_type): (&Name, RecordType),
        question: impl Future<Output = Lookup<T>> + Send,
        into_any: fn(Answer<T>) -> AnyAnswer,
    ) -> Lookup<T> {
        let asked = self.log().asked(Question { name: name.clone(), record_type });
        let answer = question.await;
        let any = match &answer {
            Ok(answer) => Ok(into_any(answer.clone())),
            Err(error) => Err(error.clone()),
        };
        self.log().answered(asked, any);
        answer
    }
}

impl Log {
    /// Which event it was.
    fn event(&mut self) -> usize {
        self.events += 1;
        self.events - 1
    }

    fn asked(&mut self, question: Question) -> usize {
        let asked = self.event();
        self.exchanges.push(Exchange { question, answer: None, asked, answered: None });
        asked
    }

    fn answered(&mut self, asked: usize, answer: Result<AnyAnswer, LookupError>) {
        let answered = self.event();
        if let Ok(place) = self.exchanges.binary_search_by_key(&asked, |exchange| exchange.asked)
            && let Some(exchange) = self.exchanges.get_mut(place)
        {
            (exchange.answer, exchange.answered) = (Some(answer), Some(answered));
        }
    }
}

impl<R: Resolver> Resolver for Recording<R> {
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
        self.record((name, RecordType::Txt), self.resolver.txt(name), AnyAnswer::Txt)
    }
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
        self.record((name, RecordType::A), self.resolver.a(name), AnyAnswer::A)
    }
    fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
        self.record((name, RecordType::Aaaa), self.resolver.aaaa(name), AnyAnswer::Aaaa)
    }
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
        self.record((name, RecordType::Mx), self.resolver.mx(name), AnyAnswer::Mx)
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.record((&reverse_name(ip), RecordType::Ptr), self.resolver.ptr(ip), AnyAnswer::Ptr).await
    }
    fn within<F: Future + Send>(&self, limit: Duration, question: F) -> impl Future<Output = Option<F::Output>> + Send
    where
        F::Output: Send,
    {
        self.resolver.within(limit, question)
    }
    fn at_hand(&self, question: &Question) -> Option<AnyLookup> {
        let answer = self.resolver.at_hand(question)?;
        let mut log = self.log();
        let asked = log.asked(question.clone());
        log.answered(asked, answer.clone());
        Some(answer)
    }
}
