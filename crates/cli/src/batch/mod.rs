//! `mailverdict batch`: a request a line in, a result a line out, in the same order.

mod buffers;
mod flow;
mod input;
mod interrupts;
mod message;
mod open_files;
mod part;
mod plain;
mod progress;
mod queue;
mod request;
mod run;

use crate::{
    args::Batch,
    failure::Failure,
    request::{authserv_id, change_settings, message_policy},
    source::Source,
    standard,
};
use flow::{End, Flow};
use input::Pieces;
use interrupts::Interrupts;
use mailverdict::Authenticator;
use progress::{INTERVAL, Progress};
use queue::{Done, Queue, Work};
use run::Run;
use std::{
    io::{self, BufReader},
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    pin::pin,
    process::ExitCode,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::{Mutex, mpsc as tokio_mpsc},
    task::yield_now,
    time,
};

/// Lines that one thread takes at once where answers are in memory: enough that handing them over costs nothing beside them, few
/// enough that no processor is long without work at the end.
const LINES_AT_ONCE: usize = 64;
/// Octets that one read asks for: as many lines as go together, where each holds a message of common size.
const READ_OCTETS: usize = 1 << 18;
/// Requests evaluated at the same time for each processor, where answers come over the network.
const WAITING_FOR_NETWORK: usize = 16;
/// The most that are evaluated at the same time, whatever is asked for.
const MAX_JOBS: usize = 4096;
/// SIGINT goes to all commands of a pipeline. Who reads the results may be gone this much before it is heard of here.
const SIGINT_ON_ITS_WAY: Duration = Duration::from_millis(100);
/// Exit status after SIGINT, as shells have it.
const EXIT_INTERRUPTED: u8 = 130;

type Lines = Queue<BufReader<standard::Input>, standard::Output>;

/// Evaluates all requests on standard input.
pub(crate) fn run(args: &Batch) -> Result<ExitCode, Failure> {
    let authserv_id = authserv_id(args.authserv_id.as_deref(), args.receiver.as_ref())?;
    let source = Source::open(&args.source)?;
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let asked = args.jobs.map(NonZeroUsize::get);
    let (jobs, lines_at_once, runtime) = match &source {
        Source::Zone(_) => {
            (asked.unwrap_or(processors).min(processors), LINES_AT_ONCE, build(Builder::new_current_thread()))
        }
        Source::Network(_) => {
            let jobs = asked.unwrap_or(processors.saturating_mul(WAITING_FOR_NETWORK)).min(MAX_JOBS);
            // A file that is refused for too many others would be told of as if the message could not be had.
            let jobs = open_files::affordable_requests().map_or(jobs, |affordable| jobs.min(affordable));
            // Each request waits by itself.
            let mut threads = Builder::new_multi_thread();
            threads.worker_threads(processors.min(jobs));
            (jobs, 1, build(threads))
        }
    };
    let runtime = runtime.map_err(Failure::Runtime)?;
    // Before anything is begun: no result is seen of a run that does not end as it should.
    let interrupts = Interrupts::listen(&runtime);
    let progress = Progress::on_terminal();
    let input = standard::input().map_err(unreadable)?;
    let pieces = Pieces::new(BufReader::with_capacity(READ_OCTETS, input), lines_at_once);
    let queue = Arc::new(Queue::new(pieces, standard::output().map_err(Failure::Output)?, jobs));
    let start = match &source {
        Source::Zone(_) => answer_from_memory,
        Source::Network(_) => answer_over_network,
    };
    let policy = message_policy(&args.source, &args.rules);
    let authenticator = Authenticator::new(source).with_policy(policy);
    let receiver = args.receiver.as_ref().map(ToString::to_string);
    let changes = args.changes.then(|| change_settings(&authserv_id));
    start(
        &Arc::new(Run::new(authenticator, authserv_id, receiver, args.rules.at, changes)),
        &queue,
        jobs,
        runtime.handle(),
    )?;

    let end = runtime.block_on(attend(&queue.flow, interrupts, progress.as_ref()));
    if let Some(progress) = progress {
        progress.finish(&queue.flow.count());
    }
    // A line that is still being read must not hold up the end.
    runtime.shutdown_background();
    match end {
        End::Answered => Ok(ExitCode::SUCCESS),
        End::Stopped => Ok(ExitCode::from(EXIT_INTERRUPTED)),
        End::Unreadable(error) => Err(unreadable(error)),
        End::Unwritable(error) => Err(Failure::Output(error)),
    }
}

fn unreadable(error: io::Error) -> Failure {
    Failure::Unreadable { what: "the requests from", path: "standard input".into(), error }
}

fn build(mut runtime: Builder) -> io::Result<Runtime> {
    // Where the system gives no threads, tokio panics; that shall be told in one line as well.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let built = panic::catch_unwind(AssertUnwindSafe(|| runtime.enable_all().build()));
    panic::set_hook(hook);
    built.unwrap_or_else(|_| Err(io::Error::other("the system gives no threads")))
}

/// Starts a thread for each job, which reads, evaluates and writes by itself: what it has in its processor's memory stays there.
fn answer_from_memory(run: &Arc<Run>, queue: &Arc<Lines>, jobs: usize, handle: &Handle) -> Result<(), Failure> {
    for started in 0..jobs {
        let (run, queue, handle) = (Arc::clone(run), Arc::clone(queue), handle.clone());
        let thread = spawn(move || {
            while let Some(work) = queue.read_and_begin() {
                handle.block_on(run.answer(work, &queue.flow, &queue.buffers, |done| queue.write(done)));
            }
        });
        match thread {
            // Those that there are do the work of the others.
            Err(_) if started > 0 => break,
            thread => thread?,
        }
    }
    Ok(())
}

/// Starts a task for each job. A thread of its own reads, and another one writes: neither may hold up a question to the DNS.
fn answer_over_network(run: &Arc<Run>, queue: &Arc<Lines>, jobs: usize, handle: &Handle) -> Result<(), Failure> {
    let (to_jobs, work) = tokio_mpsc::channel(1);
    let (to_writer, done) = mpsc::channel();
    let work = Arc::new(Mutex::new(work));
    for _ in 0..jobs {
        handle.spawn(work_off(Arc::clone(run), Arc::clone(queue), Arc::clone(&work), to_writer.clone()));
    }
    let (reading, writing) = (Arc::clone(queue), Arc::clone(queue));
    spawn(move || done.iter().for_each(|done| writing.write(done)))?;
    // Nothing is read unless all else is there.
    spawn(move || while reading.read().is_some_and(|work| to_jobs.blocking_send(work).is_ok()) {})
}

/// One job: takes the next piece and answers its lines, until there is none or all shall stop.
async fn work_off(
    run: Arc<Run>,
    queue: Arc<Lines>,
    work: Arc<Mutex<tokio_mpsc::Receiver<Work>>>,
    to_writer: mpsc::Sender<Done>,
) {
    loop {
        let begun = {
            // Locked until it is begun: what is begun has no holes.
            let mut work = work.lock().await;
            work.recv().await.filter(|work| queue.flow.begin(work.place))
        };
        let Some(work) = begun else { return };
        // Where nobody receives any more, the run is over.
        run.answer(work, &queue.flow, &queue.buffers, |done| drop(to_writer.send(done))).await;
        yield_now().await;
    }
}

/// Waits for the end; SIGINT brings it nearer.
async fn attend(flow: &Flow, mut interrupts: Interrupts, progress: Option<&Progress>) -> End {
    let mut ticks = time::interval(INTERVAL);
    // A process that was stopped for a while has nothing to make up for.
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let mut end = pin!(flow.end());
    let mut is_interrupted = false;
    loop {
        tokio::select! {
            biased;
            () = interrupts.next() => {
                is_interrupted = true;
                // What was begun is finished and written; a time limit bounds that. The second time nothing is waited for.
                if !flow.stop() {
                    return End::Stopped;
                }
            }
            end = &mut end => return match end {
                End::Unwritable(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    let comes = time::timeout(SIGINT_ON_ITS_WAY, interrupts.next());
                    if is_interrupted || comes.await.is_ok() { End::Stopped } else { End::Unwritable(error) }
                }
                end => end,
            },
            _ = ticks.tick(), if progress.is_some() => progress.iter().for_each(|progress| progress.show(&flow.count())),
        }
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new().spawn(work).map(drop).map_err(Failure::Runtime)
}
