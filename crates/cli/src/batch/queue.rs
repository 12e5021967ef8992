//! Between input and output: pieces are read in their order, and their results written in the same order, whoever works on them.

use super::{
    buffers::Buffers,
    flow::{Flow, Place, Written},
    input::{Piece, Pieces},
    part::Part,
};
use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A piece of the input on its way to the output.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) place: Place,
    pub(crate) piece: Piece,
}

/// Results of a piece.
#[derive(Debug)]
pub(crate) enum Done {
    /// Those of the first lines, or of those that follow; more are to come.
    Some(Place, Part),
    /// All, or all that were left.
    Rest(Place, Part),
}

/// Shared by all who read, work or write.
#[derive(Debug)]
pub(crate) struct Queue<R, W> {
    /// Locked while it is read.
    input: Mutex<Pieces<R>>,
    /// Locked while it is written.
    output: Mutex<Results<W>>,
    pub(crate) flow: Flow,
    pub(crate) buffers: Buffers,
}

impl<R: BufRead, W: Write> Queue<R, W> {
    /// For so many jobs at the same time.
    pub(crate) fn new(input: Pieces<R>, output: W, jobs: usize) -> Self {
        Self {
            input: Mutex::new(input),
            output: Mutex::new(Results { out: Some(output), due: 0, early: BTreeMap::new() }),
            flow: Flow::new(jobs),
            buffers: Buffers::default(),
        }
    }

    /// Reads the next piece and begins it, unless there is none or all shall stop; waits while too many are on their way.
    pub(crate) fn read_and_begin(&self) -> Option<Work> {
        // Locked until it is begun: what is begun has no holes.
        let mut input = lock(&self.input);
        self.read_from(&mut input).filter(|work| self.flow.begin(work.place))
    }

    /// The same for somebody else who begins it.
    pub(crate) fn read(&self) -> Option<Work> {
        self.read_from(&mut lock(&self.input))
    }

    fn read_from(&self, input: &mut Pieces<R>) -> Option<Work> {
        if self.flow.has_no_more_input() {
            return None;
        }
        match input.read(self.buffers.take()) {
            Ok(Some(piece)) => Some(Work { place: self.flow.enter(piece.memory()), piece }),
            end => {
                self.flow.end_input(end.map(drop));
                None
            }
        }
    }

    /// Writes results as soon as those before them are written.
    pub(crate) fn write(&self, done: Done) {
        let mut written = Written::default();
        // Locked until it is counted, so that what is counted is written.
        let mut output = lock(&self.output);
        let outcome = output.take(done, &self.buffers, &mut written);
        self.flow.written(&written, outcome);
    }
}

impl Done {
    fn number(&self) -> u64 {
        match self {
            Self::Some(place, _) | Self::Rest(place, _) => place.number,
        }
    }
}

/// Results on their way to the output.
#[derive(Debug)]
struct Results<W> {
    /// Not there any more after an error: what came after it would stand in a wrong place.
    out: Option<W>,
    /// The piece whose results are due.
    due: u64,
    /// What came before it was due.
    early: BTreeMap<u64, Vec<Done>>,
}

impl<W: Write> Results<W> {
    /// Writes all that is due now.
    fn take(&mut self, done: Done, buffers: &Buffers, written: &mut Written) -> io::Result<()> {
        let Some(mut out) = self.out.take() else { return Ok(()) };
        if done.number() == self.due {
            self.write(&mut out, done, buffers, written)?;
            while let Some(parts) = self.early.remove(&self.due) {
                parts.into_iter().try_for_each(|done| self.write(&mut out, done, buffers, written))?;
            }
            // What has been written shall be seen.
            out.flush()?;
        } else {
            self.early.entry(done.number()).or_default().push(done);
        }
        self.out = Some(out);
        Ok(())
    }

    fn write(&mut self, out: &mut W, done: Done, buffers: &Buffers, written: &mut Written) -> io::Result<()> {
        let (Done::Some(_, part) | Done::Rest(_, part)) = &done;
        out.write_all(&part.lines)?;
        written.add(part);
        match done {
            Done::Some(_, part) => buffers.give(part.lines),
            Done::Rest(place, part) => {
                buffers.give(part.lines);
                written.complete(place);
                self.due += 1;
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{flow::End, progress::Count};

    fn queue(input: &str, jobs: usize) -> Queue<&[u8], Vec<u8>> {
        Queue::new(Pieces::new(input.as_bytes(), 1), Vec::new(), jobs)
    }

    fn part(text: &str) -> Part {
        Part { lines: text.into(), count: Count { octets: 1, ..Count::default() } }
    }

    fn text(queue: &Queue<&[u8], Vec<u8>>) -> String {
        String::from_utf8(lock(&queue.output).out.clone().unwrap()).unwrap()
    }

    #[test]
    fn results_are_written_in_the_order_of_the_pieces() {
        let queue = queue("a\nb\nc\n", 3);
        let [a, b, c] = [(); 3].map(|()| queue.read_and_begin().unwrap().place);
        assert!(queue.read_and_begin().is_none());
        queue.write(Done::Some(b, part("b1")));
        queue.write(Done::Rest(c, part("c")));
        queue.write(Done::Some(a, part("a1")));
        assert_eq!(text(&queue), "a1");
        queue.write(Done::Rest(a, part("a2")));
        assert_eq!(text(&queue), "a1a2b1");
        assert!(queue.flow.try_end().is_none());
        queue.write(Done::Some(b, part("b2")));
        queue.write(Done::Rest(b, part("b3")));
        assert_eq!(text(&queue), "a1a2b1b2b3c");
        assert_eq!(queue.flow.count().octets, 6);
        assert!(matches!(queue.flow.try_end(), Some(End::Answered)));
    }

    /// Who stops waits for what was begun, and not for what was only read.
    #[test]
    fn what_was_begun_is_waited_for_after_a_stop() {
        let queue = queue("a\nb\nc\n", 3);
        let a = queue.read_and_begin().unwrap();
        let b = queue.read().unwrap();
        assert!(queue.flow.stop());
        assert!(!queue.flow.stop());
        assert!(!queue.flow.begin(b.place));
        assert!(queue.read_and_begin().is_none());
        assert!(queue.flow.try_end().is_none());
        queue.write(Done::Rest(a.place, part("a")));
        assert!(matches!(queue.flow.try_end(), Some(End::Stopped)));
    }

    #[test]
    fn no_more_is_read_than_there_is_room_for() {
        let input = "x\n".repeat(20);
        let queue = queue(&input, 2);
        std::thread::scope(|scope| {
            let mut begun: Vec<Work> = (0..8).map(|_| queue.read_and_begin().unwrap()).collect();
            let waiting = scope.spawn(|| queue.read_and_begin().map(|work| work.place.number));
            std::thread::sleep(std::time::Duration::from_millis(100));
            assert!(!waiting.is_finished());
            queue.write(Done::Rest(begun.remove(0).place, part("x")));
            assert_eq!(waiting.join().unwrap(), Some(8));
            // Who waits for room hears of a stop.
            let waiting = scope.spawn(|| queue.read_and_begin().map(|work| work.place.number));
            queue.flow.stop();
            assert_eq!(waiting.join().unwrap(), None);
        });
    }

    #[test]
    fn nothing_is_written_after_an_error() {
        struct Full(Vec<u8>);
        impl Write for Full {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                if octets == b"b" { Err(io::ErrorKind::StorageFull.into()) } else { self.0.write(octets) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let input: &[u8] = b"a\nb\nc\n";
        let queue = Queue::new(Pieces::new(input, 1), Full(Vec::new()), 3);
        let [a, b, c] = [(); 3].map(|()| queue.read_and_begin().unwrap().place);
        queue.write(Done::Rest(a, part("a")));
        queue.write(Done::Some(b, part("b")));
        queue.write(Done::Rest(b, part("rest")));
        queue.write(Done::Rest(c, part("c")));
        assert!(lock(&queue.output).out.is_none());
        assert!(
            matches!(queue.flow.try_end(), Some(End::Unwritable(error)) if error.kind() == io::ErrorKind::StorageFull)
        );
        assert!(queue.read_and_begin().is_none());
    }
}
