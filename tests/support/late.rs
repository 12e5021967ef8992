//! Answers that have to be waited for, and arrive when the test says so.

use mailverdict::{
    dns::{Lookup, Mx, Resolver},
    name::Name,
};
use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake},
};

/// Whatever another resolver answers, but late.
pub(crate) struct Late<R> {
    resolver: R,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    count: usize,
    /// By number, those that wait, and whether their answers have arrived.
    open: BTreeMap<usize, bool>,
}

/// Which of the answers that are waited for arrives next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrival {
    /// All of them together; how often that happens is how many answers wait for one another.
    Together,
    First,
    Last,
    /// Any, as the number has it.
    Shuffled(usize),
}

/// Once woken, to be polled again.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<R> Late<R> {
    pub(crate) fn new(resolver: R) -> Self {
        Self { resolver, asked: Mutex::default() }
    }

    /// Runs to the end, and counts how often something arrived.
    pub(crate) fn run<F: Future>(&self, arrival: Arrival, future: F) -> (F::Output, usize) {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Arc::clone(&woken).into();
        let mut future = pin!(future);
        for arrived in 0..10_000 {
            while woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return (output, arrived);
                }
            }
            self.asked.lock().unwrap().arrive(arrival);
            woken.0.store(true, Ordering::Relaxed);
        }
        panic!("never ready");
    }

    async fn wait(&self) {
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.count += 1;
            let number = asked.count;
            asked.open.insert(number, false);
            number
        };
        let open = Open { late: self, number };
        poll_fn(|_| if self.asked.lock().unwrap().open[&number] { Poll::Ready(()) } else { Poll::Pending }).await;
        drop(open);
    }
}

impl Asked {
    fn arrive(&mut self, arrival: Arrival) {
        let mut waiting: Vec<&mut bool> = self.open.values_mut().filter(|arrived| !**arrived).collect();
        let len = waiting.len();
        assert!(len > 0, "waits for nothing");
        let place = match arrival {
            Arrival::Together => return waiting.into_iter().for_each(|arrived| *arrived = true),
            Arrival::First => 0,
            Arrival::Last => len - 1,
            Arrival::Shuffled(seed) => (seed + self.count).wrapping_mul(0x9e37_79b9) / 7 % len,
        };
        *waiting[place] = true;
    }
}

/// Waits until it is dropped.
struct Open<'l, R> {
    late: &'l Late<R>,
    number: usize,
}

impl<R> Drop for Open<'_, R> {
    fn drop(&mut self) {
        self.late.asked.lock().unwrap().open.remove(&self.number);
    }
}

impl<R: Resolver> Resolver for Late<R> {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        self.wait().await;
        self.resolver.txt(name).await
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.wait().await;
        self.resolver.a(name).await
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.wait().await;
        self.resolver.aaaa(name).await
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        self.wait().await;
        self.resolver.mx(name).await
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.wait().await;
        self.resolver.ptr(ip).await
    }
}
