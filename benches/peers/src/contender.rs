//! What every contender can be asked.

use crate::cases::Task;
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A library under measurement.
pub trait Contender {
    fn name(&self) -> &'static str;

    /// Gets ready what is not timed. `None` where this library has no such function.
    fn prepare<'t>(&'t self, task: &'t Task) -> Option<Box<dyn Prepared + 't>>;
}

/// A task that is ready to run.
pub trait Prepared {
    /// The verdict in words that are the same for all contenders.
    fn verdict(&mut self) -> String;

    /// The timed part: makes the result, and drops it. Returns how much of it passed, so that nothing is optimised away.
    fn run(&mut self) -> usize;
}

/// Several tasks, a run of one after a run of another.
pub struct InTurn<'t> {
    prepared: Vec<Box<dyn Prepared + 't>>,
    next: usize,
}

impl<'t> InTurn<'t> {
    pub fn new(prepared: Vec<Box<dyn Prepared + 't>>) -> Self {
        Self { prepared, next: 0 }
    }
}

impl Prepared for InTurn<'_> {
    fn verdict(&mut self) -> String {
        self.prepared.iter_mut().map(|prepared| prepared.verdict()).collect::<Vec<_>>().join("; ")
    }

    fn run(&mut self) -> usize {
        let passed = self.prepared[self.next].run();
        self.next = if self.next + 1 < self.prepared.len() { self.next + 1 } else { 0 };
        passed
    }
}

/// Polls a future that has all its answers at hand; no runtime is in anybody's way.
pub fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a question had no answer in memory"),
    }
}
