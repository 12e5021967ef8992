//! Futures polled side by side, without an executor.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

/// Polls both to the end.
///
/// They are pinned by whoever joins them: taken by value, each would stand in the joined future twice, and a join of joins would grow
/// to many times what it joins, all of it copied.
pub(crate) async fn join<A: Future, B: Future>(mut a: Pin<&mut A>, mut b: Pin<&mut B>) -> (A::Output, B::Output) {
    let (mut a_done, mut b_done) = (None, None);
    poll_fn(move |cx| {
        if a_done.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(cx)
        {
            a_done = Some(value);
        }
        if b_done.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(cx)
        {
            b_done = Some(value);
        }
        match (a_done.take(), b_done.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (a_done, b_done) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

/// Polls all to the end; the outputs keep the order of the futures.
///
/// Each wake-up polls all that are still pending: meant for the few questions of one message, not for thousands.
pub(crate) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    enum Slot<F: Future> {
        Pending(Pin<Box<F>>),
        Done(F::Output),
    }
    let mut slots: Vec<Slot<F>> = futures.into_iter().map(|future| Slot::Pending(Box::pin(future))).collect();
    poll_fn(move |cx| {
        let mut all_done = true;
        for slot in &mut slots {
            if let Slot::Pending(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Ready(value) => *slot = Slot::Done(value),
                    Poll::Pending => all_done = false,
                }
            }
        }
        if !all_done {
            return Poll::Pending;
        }
        let outputs = slots.drain(..).filter_map(|slot| match slot {
            Slot::Done(value) => Some(value),
            Slot::Pending(_) => None,
        });
        Poll::Ready(outputs.collect())
    })
    .await
}

/// Polls `main` to its end, and beside it, from the first time that it has to wait, what `ahead` makes. What of that is not done when
/// `main` is, is dropped.
pub(crate) async fn beside<M: Future + Unpin, A: Future>(mut main: M, ahead: impl FnOnce() -> A) -> M::Output {
    let mut ahead = Some(ahead);
    let mut running = pin!(None);
    poll_fn(move |cx| {
        // First what is ahead, so that `main` finds its answers there.
        poll_and_drop(running.as_mut(), cx);
        let polled = Pin::new(&mut main).poll(cx);
        if polled.is_pending()
            && let Some(make) = ahead.take()
        {
            running.set(Some(make()));
            poll_and_drop(running.as_mut(), cx);
        }
        polled
    })
    .await
}

/// A future that has come to its end is polled no more.
fn poll_and_drop<A: Future>(mut running: Pin<&mut Option<A>>, cx: &mut Context<'_>) {
    if running.as_mut().as_pin_mut().is_some_and(|future| future.poll(cx).is_ready()) {
        running.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Waker,
    };

    /// Ready at the `n`th poll.
    fn after<T: Clone + 'static>(mut polls: usize, value: T, polled: &AtomicUsize) -> impl Future<Output = T> + '_ {
        poll_fn(move |_| {
            polled.fetch_add(1, Ordering::Relaxed);
            polls -= 1;
            if polls == 0 { Poll::Ready(value.clone()) } else { Poll::Pending }
        })
    }

    fn drive<F: Future>(future: F) -> (F::Output, usize) {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(Waker::noop());
        for polls in 1..100 {
            if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
                return (value, polls);
            }
        }
        panic!("never ready");
    }

    #[test]
    fn join_polls_side_by_side_and_no_future_after_its_end() {
        let polled = AtomicUsize::new(0);
        let (values, polls) = drive(join(pin!(after(3, 'a', &polled)), pin!(after(1, 'b', &polled))));
        assert_eq!((values, polls, polled.into_inner()), (('a', 'b'), 3, 4));
    }

    #[test]
    fn what_is_ahead_begins_when_the_main_future_waits_and_ends_with_it() {
        let (main, ahead) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let nothing_to_wait_for = beside(std::future::ready('a'), || after(1, (), &ahead));
        assert_eq!((drive(nothing_to_wait_for), ahead.load(Ordering::Relaxed)), (('a', 1), 0));
        let dropped_at_the_end = beside(Box::pin(after(3, 'b', &main)), || after(9, (), &ahead));
        // Made at the end of the first poll, polled before the second and the third.
        assert_eq!((drive(dropped_at_the_end), ahead.swap(0, Ordering::Relaxed)), (('b', 3), 3));
        let done_before = beside(Box::pin(after(9, 'c', &main)), || after(2, (), &ahead));
        assert_eq!((drive(done_before), ahead.into_inner()), (('c', 9), 2));
    }

    #[test]
    fn join_all_keeps_the_order() {
        let polled = AtomicUsize::new(0);
        let futures = [(3, 'a'), (1, 'b'), (2, 'c')].map(|(polls, value)| after(polls, value, &polled));
        let (values, polls) = drive(join_all(futures));
        assert_eq!((values, polls, polled.into_inner()), (vec!['a', 'b', 'c'], 3, 6));
        assert_eq!(drive(join_all(Vec::<std::future::Ready<()>>::new())).0, []);
    }
}
