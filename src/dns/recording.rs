//! What was asked, what was answered, and in which order.

use super::{
    Lookup, LookupError, Mx, Question, Resolver,
    record::{AnyAnswer, Record},
    reverse_name,
};
use crate::name::Name;
use std::{
    fmt,
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A resolver that writes down what another one is asked and what it answers.
///
/// Lend it to an authenticator for one message and read it afterwards; what was refused before it was asked (a ceiling, the end of
/// the time) is not in it.
///
/// ```
/// use mailverdict::{Authenticator, Message, dns::{Recording, Zone}};
/// let zone = Zone::parse("example.com. TXT \"v=spf1 -all\"", "example.zone").unwrap();
/// let recording = Recording::new(zone);
/// let message = Message::parse(b"From: a@example.com\r\n\r\n").unwrap();
/// let ip: std::net::IpAddr = [192, 0, 2, 1].into();
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let authenticator = Authenticator::new(&recording);
/// let verdict = authenticator.authenticate(&message, ip).await;
/// # });
/// for exchange in recording.exchanges() {
///     println!("{exchange}");
/// }
/// # assert!(!recording.exchanges().is_empty());
/// ```
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
#[non_exhaustive]
pub struct Exchange {
    /// What was asked.
    pub question: Question,
    /// What was answered; `None` where the one who asked did not wait for it, or still waits.
    pub answer: Option<Result<AnyAnswer, LookupError>>,
    /// From the question to the answer, by the clock.
    pub took: Duration,
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

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.question)?;
        match &self.answer {
            Some(Ok(answer)) => answer.fmt(f),
            Some(Err(error)) => error.fmt(f),
            None => f.write_str("not waited for"),
        }
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

    /// The same, and forgets it. The count of events goes on, and what is answered later is not written down any more.
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.log().exchanges)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn record<T: Record>(&self, name: &Name, question: impl Future<Output = Lookup<T>> + Send) -> Lookup<T> {
        let asked = self.log().asked(Question { name: name.clone(), record_type: T::TYPE });
        let started = Instant::now();
        let answer = question.await;
        let any = match &answer {
            Ok(answer) => Ok(T::into_any(answer.clone())),
            Err(error) => Err(error.clone()),
        };
        self.log().answered(asked, any, started.elapsed());
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
        self.exchanges.push(Exchange { question, answer: None, took: Duration::ZERO, asked, answered: None });
        asked
    }

    fn answered(&mut self, asked: usize, answer: Result<AnyAnswer, LookupError>, took: Duration) {
        let answered = self.event();
        // Not found where the log was taken in between.
        if let Ok(place) = self.exchanges.binary_search_by_key(&asked, |exchange| exchange.asked)
            && let Some(exchange) = self.exchanges.get_mut(place)
        {
            (exchange.answer, exchange.took, exchange.answered) = (Some(answer), took, Some(answered));
        }
    }
}

impl<R: Resolver> Resolver for Recording<R> {
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
        self.record(name, self.resolver.txt(name))
    }
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
        self.record(name, self.resolver.a(name))
    }
    fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
        self.record(name, self.resolver.aaaa(name))
    }
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
        self.record(name, self.resolver.mx(name))
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.record(&reverse_name(ip), self.resolver.ptr(ip)).await
    }
    fn within<F: Future + Send>(&self, limit: Duration, question: F) -> impl Future<Output = Option<F::Output>> + Send
    where
        F::Output: Send,
    {
        self.resolver.within(limit, question)
    }
    // What is confirmed is not asked, and would be missing here: so nothing is.
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dns::{RecordType, Zone},
        join::join,
        ready::drive,
    };
    use std::{
        future::poll_fn,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn questions_and_answers_are_written_down_in_order_and_in_words() {
        let mut zone = Zone::parse(
            "a.example. TXT \"one\" \"\\007\"\n TXT two\n MX 10 m.example.\n A 192.0.2.1\n AAAA 2001:db8::1\n\
             1.2.0.192.in-addr.arpa. PTR a.example.",
            "zone",
        )
        .unwrap();
        zone.plant(&name("b.example"), RecordType::Txt, LookupError::ServerFailure);
        let recording = Recording::new(zone);
        let (a, b) = (name("a.example"), name("b.example"));
        let _ = drive(recording.txt(&a));
        let _ = drive(recording.mx(&a));
        let _ = drive(recording.a(&a));
        let _ = drive(recording.aaaa(&a));
        let _ = drive(recording.ptr([192, 0, 2, 1].into()));
        let _ = drive(recording.txt(&b));
        let _ = drive(recording.a(&b));
        let _ = drive(recording.a(&name("c.example")));
        let words: Vec<_> = recording.exchanges().iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "a.example TXT: \"one\\x07\", \"two\"",
                "a.example MX: 10 m.example",
                "a.example A: 192.0.2.1",
                "a.example AAAA: 2001:db8::1",
                "1.2.0.192.in-addr.arpa PTR: a.example",
                "b.example TXT: the server failed (SERVFAIL)",
                "b.example A: no such record",
                "c.example A: no such name",
            ]
        );
        let exchanges = recording.take();
        assert!(exchanges.windows(2).all(|pair| !pair[0].overlaps(&pair[1])));
        assert!(recording.exchanges().is_empty());
    }

    #[test]
    fn questions_that_are_open_at_the_same_time_overlap() {
        let recording = Recording::new(());
        let slow = |polls: usize| {
            let mut left = polls;
            poll_fn(move |_| {
                left -= 1;
                if left == 0 { Poll::Ready(Ok(super::super::Answer::<Ipv4Addr>::NoData)) } else { Poll::Pending }
            })
        };
        let (a, b, c) = (name("a"), name("b"), name("c"));
        let _ = drive(join(pin!(recording.record(&a, slow(3))), pin!(recording.record(&b, slow(2)))));
        // Asked, and dropped.
        let _ = pin!(recording.record(&c, slow(2))).poll(&mut Context::from_waker(Waker::noop()));
        let exchanges = recording.exchanges();
        let [a, b, c] = &exchanges[..] else { panic!("{exchanges:?}") };
        assert!(a.overlaps(b) && b.overlaps(a));
        assert!(!a.overlaps(c) && !c.overlaps(b));
        assert_eq!((a.asked, b.asked, b.answered, a.answered), (0, 1, Some(2), Some(3)));
        assert_eq!((&c.answer, c.to_string().as_str()), (&None, "c A: not waited for"));
    }

    #[test]
    fn an_answer_after_the_log_was_taken_is_no_answer_to_what_was_asked_since() {
        let recording = Recording::new(());
        let (slow, quick) = (name("slow"), name("quick"));
        let mut is_due = false;
        let answer = poll_fn(move |_| {
            let now = std::mem::replace(&mut is_due, true);
            if now { Poll::Ready(Ok(super::super::Answer::<Ipv4Addr>::NoData)) } else { Poll::Pending }
        });
        let mut open = pin!(recording.record(&slow, answer));
        assert!(open.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(recording.take().len(), 1);
        let never = std::future::pending::<Lookup<Ipv4Addr>>();
        let _ = pin!(recording.record(&quick, never)).poll(&mut Context::from_waker(Waker::noop()));
        drive(open).unwrap();
        let exchanges = recording.exchanges();
        assert_eq!(exchanges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["quick A: not waited for"]);
    }
}
