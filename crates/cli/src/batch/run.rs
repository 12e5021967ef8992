//! The answers to requests: a line of results for each line of the input.

use super::{
    buffers::Buffers,
    flow::{Aside, Flow},
    input::{MAX_LINE_LEN, Piece},
    part::Part,
    plain,
    queue::{Done, Work},
    request::Request,
};
use crate::{
    failure::plain,
    file_kind::FileKind,
    gzip::{is_packed, unpack, unpacked_len},
    input::{MAX_MESSAGE_LEN, MixedLineEnds, bring_to_crlf, parse},
    source::Source,
};
use mailverdict::{
    Authenticator, Session,
    change::{Settings, changes},
    json::{Evaluated, EvaluatedSpf, Reported},
    spf::Observers,
    time::UnixTime,
};
use memchr::{memchr, memchr_iter};
use std::{
    future::poll_fn,
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::Poll,
    time::{Duration, Instant},
};
use tokio::task::yield_now;

/// Results are not kept back longer than this for the sake of those that follow.
const KEPT_BACK: Duration = Duration::from_millis(50);
/// Nor are more octets of them than this, by much.
const MAX_PART: usize = 256 << 10;
/// Octets that a message takes at most for each of its own: its line ends may make it twice as large, and its canonicalized body, by
/// which a failure is explained, is as large again.
const FOR_MESSAGE: usize = 4;
/// The same where it is said what changed: some bodies that may have been signed are there at the same time.
const FOR_CHANGES: usize = 20;
/// Octets that evaluating a message and writing its results take at most for each octet of its header; tests measure both.
const FOR_HEADER: usize = 72;
/// Messages of fewer octets need not be looked at for that.
const SHORT: usize = 16 << 10;
/// Octets of the longest header that is evaluated.
const MAX_HEADER_LEN: usize = 8 << 20;

/// Octets of memory that are used again for the next message.
const MAX_SCRATCH: usize = 1 << 20;

/// All that the requests of one run have in common.
#[derive(Debug)]
pub(crate) struct Run {
    authenticator: Authenticator<Source>,
    authserv_id: String,
    receiver: Option<String>,
    at: Option<UnixTime>,
    /// What may be done to say what changed; for `--changes`.
    changes: Option<Settings>,
}

impl Run {
    pub(crate) fn new(
        authenticator: Authenticator<Source>,
        authserv_id: String,
        receiver: Option<String>,
        at: Option<UnixTime>,
        changes: Option<Settings>,
    ) -> Self {
        Self { authenticator, authserv_id, receiver, at, changes }
    }

    /// Answers the lines of a piece; where that takes a while, what is finished goes to `write` in between.
    pub(crate) async fn answer(&self, work: Work, flow: &Flow, buffers: &Buffers, mut write: impl FnMut(Done)) {
        let Work { place, piece } = work;
        let mut part = Part::new(buffers);
        let lines = match piece {
            Piece::Lines(lines) => lines,
            Piece::TooLong(octets) => {
                part.count.octets = octets;
                part.refuse(None, &format!("the line is longer than {MAX_LINE_LEN} octets"));
                return write(Done::Rest(place, counted(part, flow)));
            }
        };
        let mut aside = Aside::nothing(flow, place);
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
            if part.lines.len() > MAX_PART || begun.elapsed() > KEPT_BACK {
                begun = Instant::now();
                write(Done::Some(place, counted(mem::replace(&mut part, Part::new(buffers)), flow)));
                aside.renew().await;
                // Signals are seen by a thread that has nothing else to do.
                yield_now().await;
            }
            aside.give_back();
            let len = part.lines.len();
            let is_answered = {
                // Polled where it is: it is large, and not moved for nothing.
                let answering = pin!(self.answer_line(line, &mut scratch, &mut part, &mut aside));
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
        write(Done::Rest(place, counted(part, flow)));
    }

    async fn answer_line(&self, line: &[u8], scratch: &mut Vec<u8>, part: &mut Part, aside: &mut Aside<'_>) {
        // The id comes back, and texts with escapes are written anew.
        aside.add(line.len().saturating_mul(2)).await;
        let request = match plain::read(line).map_or_else(|| Request::read(line), Ok) {
            Ok(request) => request,
            Err(error) => return part.refuse(None, &error),
        };
        if let Err(error) = request.has_known_members() {
            return part.refuse(request.id, &error);
        }
        let session = match self.session(&request) {
            Ok(session) => session,
            Err(error) => return part.refuse(request.id, &error),
        };
        let message = match request.message() {
            Ok(Some(message)) => message,
            Ok(None) => return self.spf_alone(&request, &session, part).await,
            Err(error) => return part.refuse(request.id, &error),
        };
        let for_message = if self.changes.is_some() { FOR_CHANGES } else { FOR_MESSAGE };
        aside.add(message.memory().saturating_mul(for_message)).await;
        if let Err(error) = message.read(scratch) {
            return part.refuse(request.id, &error);
        }
        if is_packed(scratch)
            && let Err(error) = unpack_aside(scratch, aside).await
        {
            return part.refuse(request.id, &format!("cannot read the message: {}", plain(&error)));
        }
        if let Some(kind) = FileKind::of(scratch) {
            return part.refuse(request.id, &kind.to_string());
        }
        // The header of a short message is short.
        let header = if scratch.len() < SHORT { scratch.len() } else { header_len(scratch) };
        if header > MAX_HEADER_LEN {
            return part.refuse(request.id, &format!("the header is longer than {MAX_HEADER_LEN} octets"));
        }
        aside.add(header.saturating_mul(FOR_HEADER)).await;
        let mixed_line_ends = bring_to_crlf(scratch);
        let message = match parse(scratch) {
            Ok(message) => message,
            Err(error) => return part.refuse(request.id, &error.to_string()),
        };
        let mut nobody = Observers { helo: (), mail_from: () };
        let (verdict, log) = self.authenticator.explain(&message, session.clone(), &mut nobody).await;
        let mut evaluated = Evaluated::new(&message, &verdict, &session, &log, &self.authserv_id);
        // They are those of thousands of other lines.
        evaluated.tells_records = false;
        evaluated.reported = Reported::AsJudged;
        evaluated.add_findings(mixed_line_ends.map(MixedLineEnds::finding));
        evaluated.changes = self.changes.as_ref().map(|settings| changes(&verdict, &message, &session, &log, settings));
        part.write(request.id, &evaluated);
        part.count.tally.count(&verdict.dmarc.result);
    }

    async fn spf_alone(&self, request: &Request<'_>, session: &Session, part: &mut Part) {
        if session.peer_ip.is_none() {
            return part.refuse(request.id, "without a message, \"ip\" is needed");
        }
        let mut nobody = Observers { helo: (), mail_from: () };
        let (reports, log) = self.authenticator.explain_spf(session, &mut nobody).await;
        if reports.helo.is_none() && reports.mail_from.is_none() {
            let error = "without a message, \"helo\", or a \"mail_from\" that is not null, is needed";
            return part.refuse(request.id, error);
        }
        let mut evaluated = EvaluatedSpf::new(&reports, session, &log);
        evaluated.tells_records = false;
        part.write(request.id, &evaluated);
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

/// The same, which waits to be written from now on.
fn counted(mut part: Part, flow: &Flow) -> Part {
    if part.lines.len() > MAX_PART {
        part.lines.shrink_to_fit();
    }
    flow.add_results(part.lines.len());
    part
}

/// Puts what was packed in its place. It is counted before it is kept.
async fn unpack_aside(message: &mut Vec<u8>, aside: &mut Aside<'_>) -> io::Result<()> {
    let len = unpacked_len(message, MAX_MESSAGE_LEN)?;
    aside.add(len.saturating_mul(FOR_MESSAGE)).await;
    *message = unpack(message, len)?;
    Ok(())
}

/// The first line with its line end, and the rest; nothing where there is none.
fn split_line(lines: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b'\n', lines).map_or(lines.len(), |at| at + 1);
    lines.split_at_checked(end).filter(|(line, _)| !line.is_empty())
}

/// Octets before the first empty line, or all.
fn header_len(message: &[u8]) -> usize {
    let is_end =
        |at: &usize| message.get(*at..).is_some_and(|rest| rest.starts_with(b"\n") || rest.starts_with(b"\r\n"));
    memchr_iter(b'\n', message).map(|at| at + 1).find(is_end).unwrap_or(message.len())
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
