//! `mailverdict batch`: a request a line in, a result a line out, in the same order.

use crate::{
    args::Batch,
    batch_request::{Run, refuse},
    failure::Failure,
    request,
    source::Source,
};
use mailverdict::Authenticator;
use serde_json::Value;
use std::{
    collections::VecDeque,
    io::{self, BufRead, BufWriter, Read as _, Write},
    num::NonZeroUsize,
    process::ExitCode,
    sync::Arc,
    thread,
};
use tokio::{
    signal,
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

/// Octets of the longest line that is taken as a request.
const MAX_LINE_LEN: u64 = 128 * 1024 * 1024;
/// How many requests may wait or be finished beyond those that are evaluated, so that a slow one does not hold up the others.
const WINDOW: usize = 4;
/// Requests evaluated at the same time for each processor, where answers come over the network.
const WAITING_FOR_NETWORK: usize = 16;
/// Exit status after SIGINT, as shells have it.
const EXIT_INTERRUPTED: u8 = 130;

/// A line of the input.
enum Line {
    Request(Vec<u8>),
    TooLong,
    Unreadable(io::Error),
}

/// Evaluates all requests on standard input.
pub(crate) fn run(args: &Batch) -> Result<ExitCode, Failure> {
    let authserv_id = request::authserv_id(args.authserv_id.as_deref(), args.receiver.as_ref())?;
    let source = Source::open(&args.source)?;
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = args.jobs.map_or_else(
        || match &source {
            Source::Zone(_) => processors,
            Source::Network(_) => processors.saturating_mul(WAITING_FOR_NETWORK),
        },
        NonZeroUsize::get,
    );
    let policy = request::message_policy(&args.source, &args.rules);
    let authenticator = Authenticator::new(source).with_policy(policy);
    let receiver = args.receiver.as_ref().map(ToString::to_string);
    let run = Arc::new(Run { authenticator, authserv_id, receiver, at: args.rules.at });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.min(jobs))
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let outcome = runtime.block_on(answer_all(&run, jobs));
    // A line that is still being read must not hold up the end.
    runtime.shutdown_background();
    outcome
}

/// Reads, evaluates and writes side by side, with a bounded number of requests in between.
async fn answer_all(run: &Arc<Run>, jobs: usize) -> Result<ExitCode, Failure> {
    let (to_here, mut lines) = mpsc::channel(1);
    thread::spawn(move || read_lines(io::stdin().lock(), &to_here));
    let permits = Arc::new(Semaphore::new(jobs.min(Semaphore::MAX_PERMITS)));
    let window = jobs.saturating_mul(WINDOW);
    let mut answers: VecDeque<JoinHandle<Result<String, Failure>>> = VecDeque::new();
    let mut out = BufWriter::new(io::stdout());
    let (mut reading, mut status) = (true, ExitCode::SUCCESS);
    let mut failure = None;
    let interrupt = signal::ctrl_c();
    let mut interrupt = std::pin::pin!(interrupt);
    while reading || !answers.is_empty() {
        if !answers.front().is_some_and(JoinHandle::is_finished) {
            // Nothing to write at once: what has been written shall be seen.
            out.flush().map_err(Failure::Output)?;
        }
        tokio::select! {
            biased;
            _ = &mut interrupt, if reading => {
                // What was read before is finished and written; a time limit bounds that.
                (reading, status) = (false, ExitCode::from(EXIT_INTERRUPTED));
            }
            Some(answer) = next(&mut answers) => {
                answers.pop_front();
                out.write_all(answer?.as_bytes()).map_err(Failure::Output)?;
            }
            line = lines.recv(), if reading && answers.len() < window => match line {
                Some(Line::Request(line)) => answers.push_back(tokio::spawn(answer(Arc::clone(run), Arc::clone(&permits), line))),
                Some(Line::TooLong) => answers.push_back(tokio::spawn(async {
                    refuse(Value::Null, format!("the line is longer than {MAX_LINE_LEN} octets"))
                })),
                Some(Line::Unreadable(error)) => {
                    failure = Some(Failure::Unreadable { what: "the requests from", path: "standard input".into(), error });
                    reading = false;
                }
                None => reading = false,
            },
        }
    }
    out.flush().map_err(Failure::Output)?;
    failure.map_or(Ok(status), Err)
}

/// The answer that is due next; nothing where none is awaited.
async fn next(answers: &mut VecDeque<JoinHandle<Result<String, Failure>>>) -> Option<Result<String, Failure>> {
    match answers.front_mut()?.await {
        Ok(answer) => Some(answer),
        Err(error) => Some(refuse(Value::Null, format!("the evaluation was broken off: {error}"))),
    }
}

async fn answer(run: Arc<Run>, permits: Arc<Semaphore>, line: Vec<u8>) -> Result<String, Failure> {
    // The semaphore is never closed; without a permit there would merely be more side by side.
    let _permit = permits.acquire().await;
    run.answer(&line).await
}

/// Hands over lines that are not blank until the input ends, or nobody wants them any more.
fn read_lines(mut input: impl BufRead, lines: &mpsc::Sender<Line>) {
    loop {
        let mut line = Vec::new();
        let next = match input.by_ref().take(MAX_LINE_LEN).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) if line.ends_with(b"\n") || line.len() < usize::try_from(MAX_LINE_LEN).unwrap_or(usize::MAX) => {
                Line::Request(line)
            }
            Ok(_) => match input.skip_until(b'\n') {
                Ok(_) => Line::TooLong,
                Err(error) => Line::Unreadable(error),
            },
            Err(error) => Line::Unreadable(error),
        };
        let last = matches!(next, Line::Unreadable(_));
        let blank = matches!(&next, Line::Request(line) if line.trim_ascii().is_empty());
        if !blank && lines.blocking_send(next).is_err() || last {
            return;
        }
    }
}
