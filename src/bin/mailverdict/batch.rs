//! `mailverdict batch`: a request a line in, a result a line out, in the same order.

use crate::{
    args::Batch,
    batch_input::{Piece, Pieces},
    batch_run::{Part, Run},
    buffers::Buffers,
    failure::Failure,
    progress::{INTERVAL, Progress},
    request,
    source::Source,
};
use mailverdict::Authenticator;
use std::{
    collections::BTreeMap,
    io::{self, BufReader, BufWriter, Write},
    num::NonZeroUsize,
    pin::pin,
    process::ExitCode,
    sync::Arc,
    thread,
};
use tokio::{
    runtime::Handle,
    signal,
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::yield_now,
    time,
};

/// Lines that one thread takes at once where answers are in memory: enough that handing them over costs nothing beside them, few
/// enough that no processor is long without work at the end.
const LINES_AT_ONCE: usize = 64;
/// Octets that one read asks for: as many lines as go together, where each holds a message of common size.
const READ_OCTETS: usize = 1 << 18;
/// For each job, how many pieces may wait or be finished, so that a slow one does not hold up the others.
const WINDOW: usize = 4;
/// What the lines that were read and not yet answered may take up, in units of 1024 octets.
const HELD: usize = 256 << 10;
/// Requests evaluated at the same time for each processor, where answers come over the network.
const WAITING_FOR_NETWORK: usize = 16;
/// The most that are evaluated at the same time, whatever is asked for.
const MAX_JOBS: usize = 4096;
/// Exit status after SIGINT, as shells have it.
const EXIT_INTERRUPTED: u8 = 130;

/// A piece of the input on its way to the output.
struct Work {
    number: u64,
    piece: Piece,
    /// Given back when its results are written.
    place: OwnedSemaphorePermit,
}

/// Results of one piece, or of the first lines of it.
struct Done {
    number: u64,
    part: Part,
    /// There with the last part of a piece.
    place: Option<OwnedSemaphorePermit>,
}

/// Evaluates all requests on standard input.
pub(crate) fn run(args: &Batch) -> Result<ExitCode, Failure> {
    let authserv_id = request::authserv_id(args.authserv_id.as_deref(), args.receiver.as_ref())?;
    let source = Source::open(&args.source)?;
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let (jobs, lines_at_once) = match &source {
        Source::Zone(_) => (processors, LINES_AT_ONCE),
        // Each request waits by itself.
        Source::Network(_) => (processors.saturating_mul(WAITING_FOR_NETWORK), 1),
    };
    let jobs = args.jobs.map_or(jobs, NonZeroUsize::get).min(MAX_JOBS);
    let policy = request::message_policy(&args.source, &args.rules);
    let authenticator = Authenticator::new(source).with_policy(policy);
    let receiver = args.receiver.as_ref().map(ToString::to_string);
    let run = Arc::new(Run::new(authenticator, authserv_id, receiver, args.rules.at));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.min(jobs))
        // Between any two pieces, so that a signal is seen however busy the threads are.
        .event_interval(1)
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let mut progress = Progress::on_terminal();
    let outcome = runtime.block_on(answer_all(&run, jobs, lines_at_once, progress.as_mut()));
    if let Some(progress) = progress {
        progress.finish();
    }
    // A line that is still being read must not hold up the end.
    runtime.shutdown_background();
    outcome
}

/// Reads, evaluates and writes side by side, with bounded memory in between.
async fn answer_all(
    run: &Arc<Run>,
    jobs: usize,
    lines_at_once: usize,
    mut progress: Option<&mut Progress>,
) -> Result<ExitCode, Failure> {
    let (to_jobs, work) = mpsc::channel(1);
    let (to_here, mut done) = mpsc::unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let work = Arc::new(Mutex::new(work));
    for _ in 0..jobs {
        tokio::spawn(work_off(Arc::clone(run), Arc::clone(&work), to_here.clone(), stopped.clone()));
    }
    drop((work, to_here, stopped));
    let (handle, run_of_reader) = (Handle::current(), Arc::clone(run));
    let reader = thread::spawn(move || {
        let input = BufReader::with_capacity(READ_OCTETS, io::stdin().lock());
        hand_out(Pieces::new(input, lines_at_once), &run_of_reader.buffers, jobs, &to_jobs, &handle)
    });

    let out = BufWriter::new(io::stdout());
    let mut results = Results { out, buffers: &run.buffers, due: 0, early: BTreeMap::new() };
    let mut ticks = time::interval(INTERVAL);
    let mut interrupt = pin!(signal::ctrl_c());
    let mut listening = true;
    loop {
        if done.is_empty() {
            // Nothing to write at once: what has been written shall be seen.
            results.out.flush().map_err(Failure::Output)?;
        }
        tokio::select! {
            biased;
            heard = &mut interrupt, if listening => match heard {
                // The second time nothing is waited for.
                Ok(()) if *stop.borrow() => break,
                Ok(()) => {
                    // What was begun is finished and written; a time limit bounds that.
                    stop.send_replace(true);
                    interrupt.set(signal::ctrl_c());
                }
                Err(_) => listening = false,
            },
            next = done.recv() => match next {
                Some(next) => results.take(next, progress.as_deref_mut())?,
                // All jobs have ended.
                None => break,
            },
            _ = ticks.tick(), if progress.is_some() => progress.iter_mut().for_each(|progress| progress.show()),
        }
    }
    results.out.flush().map_err(Failure::Output)?;
    if *stop.borrow() {
        return Ok(ExitCode::from(EXIT_INTERRUPTED));
    }
    // The jobs ended because the reader did.
    match reader.join() {
        Ok(Err(error)) => Err(Failure::Unreadable { what: "the requests from", path: "standard input".into(), error }),
        Ok(Ok(())) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Reads pieces until the input ends, or nobody wants them any more; waits while too many are on their way.
fn hand_out(
    mut pieces: Pieces<impl io::BufRead>,
    buffers: &Buffers,
    jobs: usize,
    to_jobs: &mpsc::Sender<Work>,
    handle: &Handle,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(HELD));
    let least = HELD / jobs.saturating_mul(WINDOW);
    let mut number = 0;
    while let Some(piece) = pieces.read(buffers.take())? {
        let size = (piece.memory() / 1024).max(least).clamp(1, HELD);
        let place = Arc::clone(&places).acquire_many_owned(u32::try_from(size).unwrap_or(u32::MAX));
        let Ok(place) = handle.block_on(place) else { break };
        if to_jobs.blocking_send(Work { number, piece, place }).is_err() {
            break;
        }
        number += 1;
    }
    Ok(())
}

/// One job: takes the next piece and answers its lines, until there is none or all shall stop. Pieces are begun in their order.
async fn work_off(
    run: Arc<Run>,
    work: Arc<Mutex<mpsc::Receiver<Work>>>,
    to_writer: mpsc::UnboundedSender<Done>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let next = async { work.lock().await.recv().await };
        let next = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => None,
            next = next => next,
        };
        let Some(Work { number, piece, place }) = next else { return };
        // Where nobody receives any more, the run is over.
        let part = run.answer(piece, |part| drop(to_writer.send(Done { number, part, place: None }))).await;
        if to_writer.send(Done { number, part, place: Some(place) }).is_err() {
            return;
        }
        yield_now().await;
    }
}

/// Results on their way to the output.
struct Results<'r, W> {
    out: W,
    buffers: &'r Buffers,
    /// The piece whose results are due.
    due: u64,
    /// What came before it was due.
    early: BTreeMap<u64, Vec<Done>>,
}

impl<W: Write> Results<'_, W> {
    /// Writes all that is due now.
    fn take(&mut self, done: Done, mut progress: Option<&mut Progress>) -> Result<(), Failure> {
        self.early.entry(done.number).or_default().push(done);
        while let Some(parts) = self.early.remove(&self.due) {
            let mut whole = false;
            for Done { part, place, .. } in parts {
                self.out.write_all(&part.lines).map_err(Failure::Output)?;
                if let Some(progress) = &mut progress {
                    progress.add(part.octets, &part.tally);
                    progress.show();
                }
                self.buffers.give(part.lines);
                whole |= place.is_some();
            }
            if !whole {
                break;
            }
            self.due += 1;
        }
        Ok(())
    }
}
