//! One connection of a mail server: what it says is answered, and its messages are evaluated as they come.

use crate::{
    changes::changes,
    client::Client,
    config::Action,
    decision::Decision,
    mail::{Mail, Outcome},
    protocol::{Answer, Command, CommandError, Frame, FrameError, Frames, Macros, Offer, OptionsError, Steps},
    running::Running,
    told,
};
use mailverdict::{
    dns::{AnyLookup, Question},
    session::MailFrom,
    time::UnixTime,
};
use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    task::JoinSet,
    time::{sleep_until, timeout},
};

/// How often a mail server that waits hears that it is not forgotten.
const PROGRESS: Duration = Duration::from_secs(10);
/// Octets that are asked of the system at once.
const PIECE: usize = 64 << 10;

/// What connections share.
pub trait Surroundings {
    /// By what the next message is evaluated.
    fn running(&self) -> Arc<Running>;
    /// Whether no new message is to begin.
    fn is_ending(&self) -> bool;
    /// Until that is so.
    fn ending(&self) -> impl Future<Output = ()> + Send;
    /// A message has come to its decision.
    fn decided(&self, told: told::Told<'_>);
    /// Something that those who look for a fault want to know.
    fn noticed(&self, what: &str);
}

/// Why a connection ended that should have gone on.
#[derive(Debug)]
pub enum Fault {
    /// The mail server is gone, or does not read.
    Io(io::Error),
    /// It has said nothing for too long.
    Idle,
    /// What it says is no packet.
    Frame(FrameError),
    /// What it says is no command.
    Command(CommandError),
    /// There is nothing to agree on.
    Options(OptionsError),
    /// A command came before the two agreed.
    NotAgreed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the connection broke: {error}"),
            Self::Idle => f.write_str("the mail server has said nothing for too long"),
            Self::Frame(error) => error.fmt(f),
            Self::Command(error) => error.fmt(f),
            Self::Options(error) => error.fmt(f),
            Self::NotAgreed => f.write_str("a command came before the options"),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A connection.
#[derive(Debug)]
pub struct Connection<'s, T, S> {
    stream: T,
    frames: Frames,
    surroundings: &'s S,
    agreed: Option<Offer>,
    client: Client,
    macros: Macros,
}

/// How a message ended.
enum Next {
    /// Others may follow.
    GoOn,
    /// The connection ends.
    Quit,
}

/// What is done next while a message is on its way.
enum Event {
    /// A packet is there.
    Packet,
    /// The mail server has closed.
    Closed,
    Answered(Question, AnyLookup),
    OutOfTime,
    StillWaiting,
}

impl<'s, T: AsyncRead + AsyncWrite + Unpin + Send, S: Surroundings + Sync> Connection<'s, T, S> {
    /// Of this stream.
    pub fn new(stream: T, surroundings: &'s S) -> Self {
        let client = Client { ip: None, helo: None };
        Self { stream, frames: Frames::default(), surroundings, agreed: None, client, macros: Macros::default() }
    }

    /// Serves it to its end.
    ///
    /// # Errors
    /// [`Fault`] where it ends otherwise than by the mail server's own will.
    pub async fn serve(mut self) -> Result<(), Fault> {
        loop {
            let surroundings = self.surroundings;
            let idle = surroundings.running().config.limits.idle;
            let is_quiet = self.has(Steps::NO_REPLY_TO_HEADER);
            let is_there = tokio::select! {
                packet = timeout(idle, self.has_packet()) => packet.map_err(|_| Fault::Idle)??,
                // Between messages nothing is lost.
                () = surroundings.ending() => false,
            };
            if !is_there {
                return Ok(());
            }
            let Some(frame) = self.frames.take().map_err(Fault::Frame)? else { continue };
            let answer = match Command::parse(frame).map_err(Fault::Command)? {
                Command::Offer(offer) => {
                    let taken = offer.taken().map_err(Fault::Options)?;
                    self.agreed = Some(taken);
                    Some(Answer::Taken(taken))
                }
                Command::Macros(of, pairs) => {
                    self.macros.set(of, &pairs);
                    None
                }
                _ if self.agreed.is_none() => return Err(Fault::NotAgreed),
                Command::Connect { peer, .. } => {
                    self.client = Client::of(peer);
                    Some(Answer::Continue)
                }
                Command::Helo(name) => {
                    self.client.helo = Some(String::from_utf8_lossy(name).into_owned());
                    Some(Answer::Continue)
                }
                Command::MailFrom(_) if self.surroundings.is_ending() => Some(Answer::TemporaryFailure),
                Command::MailFrom(path) => {
                    let path = MailFrom::parse(&String::from_utf8_lossy(path));
                    let running = self.surroundings.running();
                    let next = self.message(&running, path).await?;
                    self.macros.end_message();
                    match next {
                        Next::GoOn => None,
                        Next::Quit => return Ok(()),
                    }
                }
                Command::Quit => return Ok(()),
                Command::QuitAndNext => {
                    (self.client, self.macros) = (Client { ip: None, helo: None }, Macros::default());
                    None
                }
                Command::Abort => None,
                // Of a message that was put off at its start.
                Command::Header { .. } if is_quiet => None,
                Command::Recipient
                | Command::Data
                | Command::Header { .. }
                | Command::EndOfHeader
                | Command::Body(_)
                | Command::EndOfMessage(_)
                | Command::Unknown => Some(Answer::Continue),
            };
            self.send(answer.as_slice()).await?;
        }
    }

    fn has(&self, step: Steps) -> bool {
        self.agreed.is_some_and(|agreed| agreed.steps.has(step))
    }

    /// A message, from its MAIL FROM on.
    async fn message(&mut self, running: &Arc<Running>, path: MailFrom) -> Result<Next, Fault> {
        let started = Instant::now();
        let standing = self.client.standing(&running.config, &self.macros);
        let at = UnixTime::from(SystemTime::now());
        let is_authenticated = self.macros.get("auth_authen").is_some_and(|name| !name.is_empty());
        let mail = Mail::new(running, self.client.clone(), standing, path, at, self.has(Steps::LEADING_SPACE));
        let mut mail = mail.signed(self.client.ip, is_authenticated);
        let mut asked: JoinSet<(Question, AnyLookup)> = JoinSet::new();
        let mut deadline = None;
        let mut has_ended = false;
        let mut progress_at = Instant::now() + PROGRESS;
        // A fault of this program ends this message alone, and it is not lost.
        macro_rules! guarded {
            ($run:expr) => {
                match catch_unwind(AssertUnwindSafe(|| $run)) {
                    Ok(value) => value,
                    Err(_) => return self.broken().await,
                }
            };
        }
        let questions = guarded!(mail.advance());
        ask(&mut asked, running, questions, &mut deadline);
        self.send(&[Answer::Continue]).await?;
        loop {
            if has_ended {
                match guarded!(mail.outcome()) {
                    Some(outcome) => return self.decide(&mail, &outcome, started).await,
                    None if asked.is_empty() => {
                        guarded!(mail.time_is_up());
                        guarded!(mail.advance());
                        if guarded!(mail.outcome()).is_none() {
                            return self.broken().await;
                        }
                    }
                    None => {}
                }
            }
            let event = self.event(&mut asked, deadline, has_ended, progress_at).await?;
            match event {
                Event::Closed => return Ok(Next::Quit),
                Event::Answered(question, answer) => guarded!(mail.answer(&question, answer)),
                Event::OutOfTime => {
                    asked.abort_all();
                    asked = JoinSet::new();
                    deadline = None;
                    guarded!(mail.time_is_up());
                }
                Event::StillWaiting => {
                    progress_at = Instant::now() + PROGRESS;
                    self.send(&[Answer::Progress]).await?;
                    continue;
                }
                Event::Packet => {
                    let (is_quiet, can_skip) = (self.has(Steps::NO_REPLY_TO_HEADER), self.has(Steps::SKIP));
                    let Some(frame) = self.frames.take().map_err(Fault::Frame)? else { continue };
                    match part(&mut mail, &mut self.macros, frame, is_quiet, can_skip) {
                        Ok(Part::Quiet) => continue,
                        Ok(Part::Answer(answer)) => self.send(&[answer]).await?,
                        Ok(Part::End) => {
                            has_ended = true;
                            progress_at = Instant::now() + PROGRESS;
                        }
                        Ok(Part::Abort) => return Ok(Next::GoOn),
                        Ok(Part::Quit) => return Ok(Next::Quit),
                        Err(PartError::Command(error)) => return Err(Fault::Command(error)),
                        Err(PartError::Broken) => return self.broken().await,
                    }
                }
            }
            let questions = guarded!(mail.advance());
            ask(&mut asked, running, questions, &mut deadline);
        }
    }

    /// What happens next. Once the message has ended, the mail server waits and says nothing.
    async fn event(
        &mut self,
        asked: &mut JoinSet<(Question, AnyLookup)>,
        deadline: Option<Instant>,
        has_ended: bool,
        progress_at: Instant,
    ) -> Result<Event, Fault> {
        let idle = self.surroundings.running().config.limits.idle;
        let out_of_time = async {
            match deadline {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let has_questions = !asked.is_empty();
        Ok(tokio::select! {
            Some(answered) = asked.join_next(), if has_questions => match answered {
                Ok((question, answer)) => Event::Answered(question, answer),
                // A task that panicked answers nothing; the time does.
                Err(_) => Event::OutOfTime,
            },
            packet = timeout(idle, self.has_packet()), if !has_ended => match packet {
                Ok(is_there) => if is_there? { Event::Packet } else { Event::Closed },
                Err(_) => return Err(Fault::Idle),
            },
            () = out_of_time, if has_questions => Event::OutOfTime,
            () = sleep_until(progress_at.into()), if has_ended => Event::StillWaiting,
        })
    }

    /// What was decided is told to the mail server, and written down.
    async fn decide(&mut self, mail: &Mail<'_>, outcome: &Outcome, started: Instant) -> Result<Next, Fault> {
        let config = &mail.running().config;
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let decision = Decision::of(&config.actions, outcome);
            let mut answers = Vec::new();
            let goes_on = !matches!(decision.action, Action::Reject | Action::Tempfail);
            if goes_on && !config.dry_run {
                answers = changes(mail, outcome, &decision, self.has(Steps::LEADING_SPACE));
            }
            answers.push(last(&decision, config.dry_run));
            if decision.action == Action::Quarantine && !config.dry_run {
                let reason = format!("mailverdict: {}", line(&decision.reason));
                answers.insert(answers.len().saturating_sub(1), Answer::Quarantine(reason));
            }
            (decision, answers)
        }));
        let Ok((decision, answers)) = decided else { return self.broken().await };
        for fault in mail.signing_faults() {
            self.surroundings.noticed(&format!("not signed: {fault}"));
        }
        let queue_id = self.macros.get("i").map(|id| String::from_utf8_lossy(id).into_owned());
        let took = started.elapsed();
        self.surroundings.decided(told::Told { mail, outcome, decision: &decision, queue_id, took });
        self.send(&answers).await?;
        Ok(Next::GoOn)
    }

    /// The message is put off, because of a fault here.
    async fn broken(&mut self) -> Result<Next, Fault> {
        self.surroundings.noticed("a fault of this program: the message is put off");
        self.send(&[Answer::TemporaryFailure]).await?;
        Ok(Next::GoOn)
    }

    /// Reads until a packet is whole; false where the mail server has closed.
    async fn has_packet(&mut self) -> Result<bool, Fault> {
        while !self.frames.is_whole().map_err(Fault::Frame)? {
            let room = self.frames.room();
            room.reserve(PIECE);
            if self.stream.read_buf(room).await? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn send(&mut self, answers: &[Answer]) -> Result<(), Fault> {
        if answers.is_empty() {
            return Ok(());
        }
        let mut out = Vec::new();
        answers.iter().for_each(|answer| answer.write(&mut out));
        let idle = self.surroundings.running().config.limits.idle;
        let sent = timeout(idle, async {
            self.stream.write_all(&out).await?;
            self.stream.flush().await
        });
        sent.await.map_err(|_| Fault::Idle)?.map_err(Fault::Io)
    }
}

/// What a command comes to within a message.
enum Part {
    Quiet,
    Answer(Answer),
    End,
    Abort,
    Quit,
}

enum PartError {
    Command(CommandError),
    Broken,
}

fn part(
    mail: &mut Mail<'_>,
    macros: &mut Macros,
    frame: Frame<'_>,
    is_quiet: bool,
    can_skip: bool,
) -> Result<Part, PartError> {
    let command = Command::parse(frame).map_err(PartError::Command)?;
    let part = catch_unwind(AssertUnwindSafe(|| match command {
        Command::Macros(of, pairs) => {
            macros.set(of, &pairs);
            Part::Quiet
        }
        Command::Header { name, value } => {
            mail.field(name, value);
            if is_quiet { Part::Quiet } else { Part::Answer(Answer::Continue) }
        }
        Command::EndOfHeader => {
            mail.end_of_header();
            Part::Answer(Answer::Continue)
        }
        Command::Body(piece) => {
            mail.piece(piece);
            Part::Answer(if can_skip && mail.has_enough() { Answer::Skip } else { Answer::Continue })
        }
        Command::EndOfMessage(piece) => {
            mail.piece(piece);
            mail.end();
            Part::End
        }
        Command::Abort => Part::Abort,
        Command::Quit | Command::QuitAndNext => Part::Quit,
        Command::Offer(_)
        | Command::Connect { .. }
        | Command::Helo(_)
        | Command::MailFrom(_)
        | Command::Recipient
        | Command::Data
        | Command::Unknown => Part::Answer(Answer::Continue),
    }));
    part.map_err(|_| PartError::Broken)
}

/// What ends the message.
fn last(decision: &Decision, dry_run: bool) -> Answer {
    match (decision.action, &decision.reply) {
        _ if dry_run => Answer::Continue,
        (Action::Reject | Action::Tempfail, Some(reply)) => Answer::Reply(reply.to_string()),
        (Action::Reject, None) => Answer::Reject,
        (Action::Tempfail, None) => Answer::TemporaryFailure,
        (Action::None | Action::AddHeader | Action::Quarantine, _) => Answer::Continue,
    }
}

fn ask(
    asked: &mut JoinSet<(Question, AnyLookup)>,
    running: &Arc<Running>,
    questions: Vec<Question>,
    deadline: &mut Option<Instant>,
) {
    for question in questions {
        // From the first answer on that has to be waited for.
        deadline.get_or_insert_with(|| Instant::now() + running.policy.time_limit);
        let running = Arc::clone(running);
        asked.spawn(async move {
            let answer = running.ask(&question).await;
            (question, answer)
        });
    }
}

/// Printable ASCII, and no more than a line.
fn line(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).take(200).collect()
}
