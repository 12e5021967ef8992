//! Has questions asked, side by side, until what they were asked for has come to its end.

use crate::{
    dns::{AnyLookup, LookupError, Question, Resolver},
    known::{AtHand, Log},
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::OnceLock,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// What came of a run over what is known.
pub(crate) enum Run<T> {
    Done(T),
    /// Answers are missing.
    Waits,
    /// Answers may be missing, but there is other work to be done while they are on their way.
    HasWork,
}

/// Until when answers are waited for.
#[derive(Debug)]
pub(crate) struct Clock {
    time_limit: Duration,
    question_time_limit: Duration,
    /// Set when an answer has to be waited for the first time: until then no time was lost, and no clock is read. `None` where the
    /// limit is too far away for the clock.
    deadline: OnceLock<Option<Instant>>,
}

impl Clock {
    pub(crate) fn new(time_limit: Duration, question_time_limit: Duration) -> Self {
        Self { time_limit, question_time_limit, deadline: OnceLock::new() }
    }
}

/// A question, what became of it, and how long that took where it was not at hand.
struct Answered {
    question: Question,
    answer: AnyLookup,
    took: Option<Duration>,
}

/// Runs `run` over what is known, has `resolver` answer what it asks, and runs it again, until it is done.
///
/// All happens within the future: nothing is spawned, and to drop it ends it all.
pub(crate) async fn drive<R: Resolver, T>(
    resolver: &R,
    clock: &Clock,
    log: &mut Log,
    mut run: impl FnMut(&mut Log, AtHand<'_>) -> Run<T>,
) -> T {
    let mut open = Vec::new();
    loop {
        let waits = match run(log, &|question| resolver.at_hand(question)) {
            Run::Done(result) => return result,
            Run::Waits => true,
            Run::HasWork => false,
        };
        open.extend(log.hand_out().into_iter().map(|question| Box::pin(ask(resolver, clock, question))));
        if waits && open.is_empty() {
            // Nobody is left who could answer what is waited for.
            log.give_up(&LookupError::OutOfTime);
        }
        for Answered { question, answer, took } in some(&mut open, waits).await {
            log.answered(&question, answer, took);
        }
    }
}

/// The same for a resolver that answers at once: what has to be waited for is answered by [`LookupError::OutOfTime`].
pub(crate) fn drive_at_once<R: Resolver, T>(
    resolver: &R,
    log: &mut Log,
    mut run: impl FnMut(&mut Log, AtHand<'_>) -> Run<T>,
) -> T {
    loop {
        if let Run::Done(result) = run(log, &|question| resolver.at_hand(question)) {
            return result;
        }
        for question in log.hand_out() {
            let answer = match pin!(question.ask(resolver)).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => answer,
                Poll::Pending => Err(LookupError::OutOfTime),
            };
            log.answered(&question, answer, None);
        }
    }
}

/// What has been answered, of which there is something at least, unless it is not waited for.
async fn some<F: Future<Output = Answered>>(open: &mut Vec<Pin<Box<F>>>, waits: bool) -> Vec<Answered> {
    poll_fn(|cx| {
        let mut answered = Vec::new();
        open.retain_mut(|question| match question.as_mut().poll(cx) {
            Poll::Ready(answer) => {
                answered.push(answer);
                false
            }
            Poll::Pending => true,
        });
        if answered.is_empty() && waits && !open.is_empty() { Poll::Pending } else { Poll::Ready(answered) }
    })
    .await
}

async fn ask<R: Resolver>(resolver: &R, clock: &Clock, question: Question) -> Answered {
    let (answer, took) = {
        let mut answer = pin!(question.ask(resolver));
        match poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await {
            Poll::Ready(answer) => (answer, None),
            Poll::Pending => wait(resolver, clock, answer).await,
        }
    };
    Answered { question, answer, took }
}

/// Within the limits of time.
async fn wait<R: Resolver>(
    resolver: &R,
    clock: &Clock,
    answer: impl Future<Output = AnyLookup> + Send,
) -> (AnyLookup, Option<Duration>) {
    // Where there is no clock, the resolver alone keeps time.
    let Some(start) = now() else { return (answer.await, None) };
    let deadline = clock.deadline.get_or_init(|| start.checked_add(clock.time_limit));
    let remaining = deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(start));
    if remaining.is_zero() {
        return (Err(LookupError::OutOfTime), None);
    }
    let limit = remaining.min(clock.question_time_limit);
    let answer = match resolver.within(limit, answer).await {
        Some(answer) => answer,
        None if limit == remaining => Err(LookupError::OutOfTime),
        None => Err(LookupError::Timeout),
    };
    (answer, now().map(|end| end.saturating_duration_since(start)))
}

/// The time, where there is an operating system that has a clock.
fn now() -> Option<Instant> {
    if cfg!(all(target_family = "wasm", target_os = "unknown")) { None } else { Some(Instant::now()) }
}
