//! What is on its way from input to output: how much of it there may be at the same time, and when it has come to an end.

use super::{part::Part, progress::Count};
use std::{
    io, mem,
    pin::pin,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// For each job, how many pieces may wait or be finished, so that a slow one does not hold up the others.
const WINDOW: usize = 4;
/// What the lines that were read and not yet answered may take up, in octets.
const REQUESTS: usize = 256 << 20;
/// What they, their evaluations and the results that wait for earlier ones may take up together, in octets. What is due goes on
/// nevertheless, for it alone makes room.
const MEMORY: usize = 512 << 20;
/// What takes up less is not counted: a job has one of that size at a time.
const SMALL: usize = 1 << 20;

/// Where the results of a piece belong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) number: u64,
    /// Octets of the piece.
    len: usize,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum End {
    /// All lines were answered.
    Answered,
    /// What was begun when all should stop was answered.
    Stopped,
    Unreadable(io::Error),
    Unwritable(io::Error),
}

/// What was written at once.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pieces: u64,
    requests: usize,
    results: usize,
    count: Count,
}

impl Written {
    pub(crate) fn add(&mut self, part: &Part) {
        self.results += part.lines.len();
        self.count.add(&part.count);
    }

    /// All that belongs to the piece.
    pub(crate) fn complete(&mut self, place: Place) {
        self.pieces += 1;
        self.requests += place.len;
    }
}

/// Shared by all who read, work or write.
#[derive(Debug)]
pub(crate) struct Flow {
    /// Never locked for long.
    state: Mutex<State>,
    /// Something was written, so that more may be read.
    room: Condvar,
    /// Something was written or given back, so that more may be evaluated.
    freed: Notify,
    /// The end may be there.
    end: Notify,
    /// How many pieces may be on their way.
    window: u64,
}

#[derive(Debug, Default)]
struct State {
    /// How many pieces were read, begun, and answered in full.
    read: u64,
    begun: u64,
    answered: u64,
    /// What the pieces take up that were read and are not answered.
    requests: usize,
    /// What was set aside for evaluations.
    evaluations: usize,
    /// What results take up that were not written yet.
    results: usize,
    /// No more is read.
    input_end: Option<io::Result<()>>,
    output_error: Option<io::Error>,
    /// No more is begun.
    is_stopped: bool,
    count: Count,
}

impl State {
    fn has_room_for(&self, octets: usize) -> bool {
        self.requests + self.evaluations + self.results + octets <= MEMORY
    }
}

impl Flow {
    /// For so many jobs at the same time.
    pub(crate) fn new(jobs: usize) -> Self {
        Self {
            state: Mutex::default(),
            room: Condvar::new(),
            freed: Notify::new(),
            end: Notify::new(),
            window: u64::try_from(jobs.saturating_mul(WINDOW)).unwrap_or(u64::MAX),
        }
    }

    /// Whether there is no more to read.
    pub(crate) fn has_no_more_input(&self) -> bool {
        self.lock().input_end.is_some()
    }

    pub(crate) fn end_input(&self, end: io::Result<()>) {
        self.lock().input_end = Some(end);
        self.end.notify_one();
    }

    /// Takes a piece of so many octets, which is the next one; waits while too many are on their way.
    pub(crate) fn enter(&self, len: usize) -> Place {
        let mut state = self.lock();
        let has_room = |state: &State| {
            let pieces = state.read - state.answered;
            pieces == 0 || pieces < self.window && state.requests + len <= REQUESTS && state.has_room_for(len)
        };
        while !has_room(&state) && !state.is_stopped {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let number = state.read;
        state.read += 1;
        state.requests += len;
        Place { number, len }
    }

    /// Whether the piece shall be worked on. Pieces are begun in their order.
    pub(crate) fn begin(&self, place: Place) -> bool {
        let mut state = self.lock();
        if state.is_stopped {
            return false;
        }
        state.begun = place.number + 1;
        true
    }

    /// Waits until so many octets more may be taken up for the sake of this piece.
    async fn wait_for_room(&self, place: Place, octets: usize) {
        loop {
            let mut freed = pin!(self.freed.notified());
            // What is freed from here on is heard of.
            freed.as_mut().enable();
            {
                let mut state = self.lock();
                // Nobody but who is due makes room for the others, and so waits for none of them.
                if state.answered == place.number || state.has_room_for(octets) {
                    state.evaluations += octets;
                    return;
                }
            }
            freed.await;
        }
    }

    /// Counts results that wait from now on.
    pub(crate) fn add_results(&self, octets: usize) {
        self.lock().results += octets;
    }

    /// Counts what was written, and the error that ended it.
    pub(crate) fn written(&self, written: &Written, outcome: io::Result<()>) {
        let mut state = self.lock();
        state.answered += written.pieces;
        state.requests = state.requests.saturating_sub(written.requests);
        state.results = state.results.saturating_sub(written.results);
        state.count.add(&written.count);
        if let Err(error) = outcome {
            state.output_error = Some(error);
            state.is_stopped = true;
        }
        if state.is_stopped || state.input_end.is_some() {
            self.end.notify_one();
        }
        self.room.notify_all();
        self.freed.notify_waiters();
    }

    /// Begins nothing more. Whether that is new.
    pub(crate) fn stop(&self) -> bool {
        let mut state = self.lock();
        self.room.notify_all();
        self.end.notify_one();
        !mem::replace(&mut state.is_stopped, true)
    }

    /// What was written so far.
    pub(crate) fn count(&self) -> Count {
        self.lock().count
    }

    /// Waits for the end.
    pub(crate) async fn end(&self) -> End {
        loop {
            if let Some(end) = self.try_end() {
                return end;
            }
            self.end.notified().await;
        }
    }

    pub(crate) fn try_end(&self) -> Option<End> {
        let mut state = self.lock();
        if let Some(error) = state.output_error.take() {
            return Some(End::Unwritable(error));
        }
        if state.is_stopped {
            return (state.answered == state.begun).then_some(End::Stopped);
        }
        if state.answered < state.read {
            return None;
        }
        Some(match state.input_end.take()? {
            Ok(()) => End::Answered,
            Err(error) => End::Unreadable(error),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory that is set aside for what is done with a piece.
#[derive(Debug)]
pub(crate) struct Aside<'f> {
    flow: &'f Flow,
    place: Place,
    octets: usize,
}

impl<'f> Aside<'f> {
    pub(crate) fn nothing(flow: &'f Flow, place: Place) -> Self {
        Self { flow, place, octets: 0 }
    }

    /// Sets so many octets aside in addition; waits while there is no room for them.
    pub(crate) async fn add(&mut self, octets: usize) {
        if octets >= SMALL {
            self.flow.wait_for_room(self.place, octets).await;
            self.octets += octets;
        }
    }

    /// Gives all of it back, and waits while the others take up too much.
    pub(crate) async fn renew(&mut self) {
        self.give_back();
        self.flow.wait_for_room(self.place, 0).await;
    }

    /// Gives all of it back.
    pub(crate) fn give_back(&mut self) {
        if self.octets > 0 {
            self.flow.lock().evaluations -= mem::take(&mut self.octets);
            self.flow.room.notify_all();
            self.flow.freed.notify_waiters();
        }
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    fn is_ready(future: impl Future) -> bool {
        matches!(pin!(future).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(_))
    }

    fn written(place: Place, results: usize) -> Written {
        Written { pieces: 1, requests: place.len, results, ..Written::default() }
    }

    /// Results that wait for an earlier one hold up all but that one.
    #[test]
    fn who_is_due_makes_room_for_the_others() {
        let flow = Flow::new(4);
        let [a, b, c] = [(); 3].map(|()| flow.enter(10));
        flow.add_results(MEMORY - 30 - SMALL);
        assert!(is_ready(Aside::nothing(&flow, b).add(SMALL)));
        flow.add_results(1);
        assert!(!is_ready(Aside::nothing(&flow, b).add(SMALL)));
        assert!(is_ready(Aside::nothing(&flow, b).add(SMALL - 1)), "small ones are not counted");
        assert!(is_ready(Aside::nothing(&flow, b).renew()));
        assert!(is_ready(Aside::nothing(&flow, a).add(MEMORY)));
        flow.add_results(SMALL + 20);
        assert!(!is_ready(Aside::nothing(&flow, b).renew()));
        assert!(is_ready(Aside::nothing(&flow, a).renew()));
        // What is not written yet still counts; the next one is due now.
        flow.written(&written(a, 0), Ok(()));
        assert!(is_ready(Aside::nothing(&flow, b).renew()) && !is_ready(Aside::nothing(&flow, c).renew()));
        flow.written(&written(b, MEMORY), Ok(()));
        let mut aside = Aside::nothing(&flow, c);
        assert!(is_ready(aside.add(MEMORY)));
        drop(aside);
        assert_eq!(flow.lock().evaluations, 0);
    }

    /// Who waits hears of what is given back.
    #[test]
    fn what_is_given_back_goes_to_who_waits() {
        let flow = Flow::new(4);
        let [_, b, c] = [(); 3].map(|()| flow.enter(10));
        let mut aside = Aside::nothing(&flow, b);
        assert!(is_ready(aside.add(MEMORY - 30)));
        let mut other = Aside::nothing(&flow, c);
        let mut waiting = pin!(other.add(SMALL));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        aside.give_back();
        assert!(waiting.as_mut().poll(&mut cx).is_ready());
    }

    /// One that is larger than all that may be read ahead is read where nothing else is on its way.
    #[test]
    fn a_piece_of_any_size_is_taken_alone() {
        let flow = Flow::new(4);
        std::thread::scope(|scope| {
            let a = flow.enter(1);
            let waiting = scope.spawn(|| flow.enter(REQUESTS).number);
            std::thread::sleep(std::time::Duration::from_millis(100));
            assert!(!waiting.is_finished());
            flow.written(&written(a, 0), Ok(()));
            assert_eq!(waiting.join().unwrap(), 1);
        });
    }
}
