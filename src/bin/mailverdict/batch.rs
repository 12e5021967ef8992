//! `mailverdict batch`: a request a line in, a result a line out, in the same order.

use crate::{
    args::Batch,
    batch_flow::{End, Flow},
    batch_input::Pieces,
    batch_queue::{Done, Queue, Work},
    batch_run::Run,
    failure::Failure,
    open_files,
    progress::{INTERVAL, Progress},
    request,
    source::Source,
};
use mailverdict::Authenticator;
use std::{
    future,
    io::{self, BufReader, Stdin, Stdout},
    num::NonZeroUsize,
    pin::pin,
    process::ExitCode,
    sync::{Arc, mpsc},
    thread,
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    signal,
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
/// Exit status after SIGINT, as shells have it.
const EXIT_INTERRUPTED: u8 = 130;

type Lines = Queue<BufReader<Stdin>, Stdout>;

/// Evaluates all requests on standard input.
pub(crate) fn run(args: &Batch) -> Result<ExitCode, Failure> {
    let authserv_id = request::authserv_id(args.authserv_id.as_deref(), args.receiver.as_ref())?;
    let source = Source::open(&args.source)?;
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let asked = args.jobs.map(NonZeroUsize::get);
    let (jobs, lines_at_once, runtime) = match &source {
        Source::Zone(_) => (
            asked.unwrap_or(processors).min(processors),
            LINES_AT_ONCE,
            Builder::new_current_thread().enable_all().build(),
        ),
        Source::Network(_) => {
            let jobs = asked.unwrap_or(processors.saturating_mul(WAITING_FOR_NETWORK)).min(MAX_JOBS);
            // A file that is refused for too many others would be told of as if the message could not be had.
            let jobs = open_files::affordable_requests().map_or(jobs, |affordable| jobs.min(affordable));
            // Each request waits by itself.
            (jobs, 1, Builder::new_multi_thread().worker_threads(processors.min(jobs)).enable_all().build())
        }
    };
    let runtime = runtime.map_err(Failure::Runtime)?;
    // Before anything is begun: no result is seen of a run that does not end as it should.
    let interrupts = listen(&runtime);
    let progress = Progress::on_terminal();
    let input = BufReader::with_capacity(READ_OCTETS, io::stdin());
    let queue = Arc::new(Queue::new(Pieces::new(input, lines_at_once), io::stdout(), jobs));
    let start = match &source {
        Source::Zone(_) => answer_from_memory,
        Source::Network(_) => answer_over_network,
    };
    let policy = request::message_policy(&args.source, &args.rules);
    let authenticator = Authenticator::new(source).with_policy(policy);
    let receiver = args.receiver.as_ref().map(ToString::to_string);
    start(&Arc::new(Run::new(authenticator, authserv_id, receiver, args.rules.at)), &queue, jobs, runtime.handle())?;

    let end = runtime.block_on(attend(&queue.flow, interrupts, progress.as_ref()));
    if let Some(progress) = progress {
        progress.finish(&queue.flow.count());
    }
    // A line that is still being read must not hold up the end.
    runtime.shutdown_background();
    match end {
        End::Answered => Ok(ExitCode::SUCCESS),
        End::Stopped => Ok(ExitCode::from(EXIT_INTERRUPTED)),
        End::Unreadable(error) => {
            Err(Failure::Unreadable { what: "the requests from", path: "standard input".into(), error })
        }
        End::Unwritable(error) => Err(Failure::Output(error)),
    }
}

/// Starts a thread for each job, which reads, evaluates and writes by itself: what it has in its processor's memory stays there.
fn answer_from_memory(run: &Arc<Run>, queue: &Arc<Lines>, jobs: usize, handle: &Handle) -> Result<(), Failure> {
    for _ in 0..jobs {
        let (run, queue, handle) = (Arc::clone(run), Arc::clone(queue), handle.clone());
        spawn(move || {
            while let Some(work) = queue.read_and_begin() {
                handle.block_on(run.answer(work, &queue.flow, &queue.buffers, |done| queue.write(done)));
            }
        })?;
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
    spawn(move || while reading.read().is_some_and(|work| to_jobs.blocking_send(work).is_ok()) {})?;
    spawn(move || done.iter().for_each(|done| writing.write(done)))
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
async fn attend(flow: &Flow, mut interrupts: Option<Interrupts>, progress: Option<&Progress>) -> End {
    let mut ticks = time::interval(INTERVAL);
    // A process that was stopped for a while has nothing to make up for.
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let mut end = pin!(flow.end());
    loop {
        tokio::select! {
            biased;
            () = heard(&mut interrupts) => {
                // What was begun is finished and written; a time limit bounds that. The second time nothing is waited for.
                if !flow.stop() {
                    return End::Stopped;
                }
            }
            end = &mut end => return end,
            _ = ticks.tick(), if progress.is_some() => progress.iter().for_each(|progress| progress.show(&flow.count())),
        }
    }
}

#[cfg(unix)]
type Interrupts = signal::unix::Signal;
#[cfg(windows)]
type Interrupts = signal::windows::CtrlC;

/// Hears of SIGINT from now on; where the system does not allow that, never.
fn listen(runtime: &Runtime) -> Option<Interrupts> {
    let _inside = runtime.enter();
    #[cfg(unix)]
    let interrupts = signal::unix::signal(signal::unix::SignalKind::interrupt());
    #[cfg(windows)]
    let interrupts = signal::windows::ctrl_c();
    interrupts.ok()
}

/// Waits for the next SIGINT.
async fn heard(interrupts: &mut Option<Interrupts>) {
    let heard = match interrupts {
        Some(interrupts) => interrupts.recv().await,
        None => None,
    };
    if heard.is_none() {
        future::pending().await
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new().spawn(work).map(drop).map_err(Failure::Runtime)
}
