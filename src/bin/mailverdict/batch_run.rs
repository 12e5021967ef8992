//! The answers to requests: a line of results for each line of the input.

use crate::{
    batch_input::{MAX_LINE_LEN, Piece},
    batch_request::Request,
    buffers::Buffers,
    json,
    json_text::Object,
    progress::Count,
    report::{Report, received_spf},
    source::Source,
    style::printable,
};
use mailverdict::{Authenticator, Message, Session, message::to_crlf, spf::Observers, time::UnixTime};
use memchr::memchr;
use std::{
    future::poll_fn,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::Poll,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::yield_now};

/// Results are not kept back longer than this for the sake of those that follow.
const KEPT_BACK: Duration = Duration::from_millis(50);
/// What message files may take up at the same time, in units of 1024 octets; each is in memory twice where its line ends are changed.
const MESSAGES: usize = 512 << 10;
/// Files below this size, in the same units, are not counted: a job holds one of them at a time.
const SMALL: u32 = 1024;

/// Octets of memory that are used again for the next message.
const MAX_SCRATCH: usize = 1 << 20;

/// All that the requests of one run have in common.
#[derive(Debug)]
pub(crate) struct Run {
    authenticator: Authenticator<Source>,
    authserv_id: String,
    receiver: Option<String>,
    at: Option<UnixTime>,
    memory: Semaphore,
}

/// Results of some lines.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) lines: Vec<u8>,
    pub(crate) count: Count,
}

impl Run {
    pub(crate) fn new(
        authenticator: Authenticator<Source>,
        authserv_id: String,
        receiver: Option<String>,
        at: Option<UnixTime>,
    ) -> Self {
        Self { authenticator, authserv_id, receiver, at, memory: Semaphore::new(MESSAGES) }
    }

    /// Answers the lines of a piece; where that takes a while, what is finished goes to `finished` in between.
    pub(crate) async fn answer(&self, piece: Piece, buffers: &Buffers, mut finished: impl FnMut(Part)) -> Part {
        let mut part = Part::new(buffers);
        let lines = match piece {
            Piece::Lines(lines) => lines,
            Piece::TooLong(octets) => {
                part.count.octets = octets;
                part.refuse(None, &format!("the line is longer than {MAX_LINE_LEN} octets"));
                return part;
            }
        };
        let mut scratch = buffers.take();
        let mut begun = Instant::now();
        let mut rest = lines.as_slice();
        while let Some((line, after)) = split_line(rest) {
            rest = after;
            part.count.octets += u64::try_from(line.len()).unwrap_or(u64::MAX);
            if line.trim_ascii().is_empty() {
                continue;
            }
            if scratch.capacity() > MAX_SCRATCH {
                scratch = Vec::new();
            }
            if begun.elapsed() > KEPT_BACK {
                begun = Instant::now();
                finished(mem::replace(&mut part, Part::new(buffers)));
                // Signals are seen by a thread that has nothing else to do.
                yield_now().await;
            }
            let len = part.lines.len();
            let is_answered = {
                // Polled where it is: it is large, and not moved for nothing.
                let answering = pin!(self.answer_line(line, &mut scratch, &mut part));
                unless_it_panics(answering).await
            };
            if is_answered.is_none() {
                // A panic is a fault of this program, and no reason to lose the other results.
                part.lines.truncate(len);
                part.refuse(None, "the evaluation was broken off");
            }
        }
        buffers.give(scratch);
        buffers.give(lines);
        part
    }

    async fn answer_line(&self, line: &[u8], scratch: &mut Vec<u8>, part: &mut Part) {
        let request = match Request::read(line) {
            Ok(request) => request,
            Err(error) => return part.refuse(None, &error),
        };
        let session = match self.session(&request) {
            Ok(session) => session,
            Err(error) => return part.refuse(Some(&request), &error),
        };
        let message = match request.message() {
            Ok(Some(message)) => message,
            Ok(None) => return self.spf_alone(&request, &session, part).await,
            Err(error) => return part.refuse(Some(&request), &error),
        };
        let units = message.memory() / 1024;
        // The semaphore is never closed.
        let _memory = match u32::try_from(units.min(MESSAGES)) {
            Ok(units) if units >= SMALL => self.memory.acquire_many(units).await.ok(),
            Ok(_) | Err(_) => None,
        };
        if let Err(error) = message.read(scratch) {
            return part.refuse(Some(&request), &error);
        }
        let octets = to_crlf(scratch);
        let message = match Message::parse(&octets) {
            Ok(message) => message,
            Err(error) => return part.refuse(Some(&request), &error.to_string()),
        };
        let mut unobserved = Observers { helo: (), mail_from: () };
        let verdict = self.authenticator.explain(&message, &session, &mut unobserved).await;
        let report = Report::new(&message, &verdict, &session, &self.authserv_id);
        part.write(Some(&request), |to| json::message(to, &report));
        part.count.tally.count(&verdict.dmarc.result);
    }

    async fn spf_alone(&self, request: &Request<'_>, session: &Session, part: &mut Part) {
        if session.peer_ip.is_none() {
            return part.refuse(Some(request), "without a message, \"ip\" is needed");
        }
        let reports = self.authenticator.check_spf(session, &mut Observers { helo: (), mail_from: () }).await;
        if reports.helo.is_none() && reports.mail_from.is_none() {
            let error = "without a message, \"helo\", or a \"mail_from\" that is not null, is needed";
            return part.refuse(Some(request), error);
        }
        let field = received_spf(&reports, session);
        part.write(Some(request), |to| json::spf_alone(to, &reports, field.as_deref()));
        part.count.tally.spf_alone += 1;
    }

    fn session(&self, request: &Request<'_>) -> Result<Session, String> {
        let mut session = request.session()?;
        if let Some(receiver) = &self.receiver {
            session = session.with_receiver(receiver);
        }
        Ok(match self.at {
            Some(at) => session.received_at(at),
            None => session,
        })
    }
}

impl Part {
    fn new(buffers: &Buffers) -> Self {
        Self { lines: buffers.take(), ..Self::default() }
    }

    /// Adds the line that says why there is no result.
    fn refuse(&mut self, request: Option<&Request<'_>>, error: &str) {
        // A log in which it ends up is read on terminals as well.
        self.write(request, |to| to.text("error", &printable(error)));
        self.count.tally.errors += 1;
    }

    /// Adds a line: the id of the request, and the fields of its results.
    fn write(&mut self, request: Option<&Request<'_>>, results: impl FnOnce(&mut Object<'_>)) {
        json::push_line(&mut self.lines, |to| {
            to.json("id", request.and_then(Request::id).unwrap_or("null"));
            results(to);
        });
        self.count.tally.requests += 1;
    }
}

/// The first line with its line end, and the rest; nothing where there is none.
fn split_line(lines: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b'\n', lines).map_or(lines.len(), |at| at + 1);
    lines.split_at_checked(end).filter(|(line, _)| !line.is_empty())
}

/// What `future` comes to; nothing where it panics.
async fn unless_it_panics<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}
