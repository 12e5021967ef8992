//! Futures without a runtime: those that are ready at their first poll, as all are whose answers stand in a zone in memory, and those
//! that are late.
#![allow(dead_code, unreachable_pub, clippy::panic)]

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// The output of a future that waits for nobody.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a zone in memory made someone wait"),
    }
}

/// The output of a future that is polled until it is ready, whoever wakes.
pub fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..100_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("never ready");
}
