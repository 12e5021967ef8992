//! One message on its way through the filter, without I/O.

use crate::{
    client::{Client, Standing},
    config::Size,
    keys::{Begun, SigningEntry},
    running::Running,
};
use mailverdict::{
    Evaluation, Progress, Session, Verdict,
    dns::{AnyLookup, Question},
    message::{Header, HeaderPairs},
    session::MailFrom,
    time::UnixTime,
};
use std::{fmt, net::IpAddr};

/// A message that has begun with MAIL FROM.
#[derive(Debug)]
pub struct Mail<'r> {
    running: &'r Running,
    standing: Standing,
    client: Client,
    mail_from: MailFrom,
    at: UnixTime,
    header: HeaderPairs,
    body: usize,
    evaluation: Option<Evaluation<'r>>,
    verdict: Option<Box<Verdict>>,
    over: Option<OverLimit>,
    signatures: Signatures<'r>,
}

/// What is signed of a message.
#[derive(Debug, Default)]
struct Signatures<'r> {
    /// The keys whose client it is.
    entries: Vec<&'r SigningEntry>,
    begun: Vec<Begun<'r>>,
    /// Those that are made.
    fields: Vec<String>,
    /// Why others are not.
    faults: Vec<String>,
}

/// What of a message is more than is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverLimit {
    /// Its header.
    Header(Size),
    /// Its body.
    Body(Size),
}

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(most) => write!(f, "the header has more than {most}"),
            Self::Body(most) => write!(f, "the body has more than {most}"),
        }
    }
}

/// What is known of a message once it has ended.
#[derive(Debug)]
pub enum Outcome {
    /// It comes from inside.
    Own,
    /// It is larger than is taken.
    OverLimit(OverLimit),
    /// It was evaluated.
    Verdict(Box<Verdict>),
}

impl<'r> Mail<'r> {
    /// Of a client, at this time. `has_space` says whether values of fields have the white space behind the colon.
    pub fn new(
        running: &'r Running,
        client: Client,
        standing: Standing,
        mail_from: MailFrom,
        at: UnixTime,
        has_space: bool,
    ) -> Self {
        let header = if has_space { HeaderPairs::with_leading_space() } else { HeaderPairs::new() };
        let (evaluation, verdict, over, signatures) = (None, None, None, Signatures::default());
        let mut mail =
            Self { running, standing, client, mail_from, at, header, body: 0, evaluation, verdict, over, signatures };
        if standing == Standing::Stranger {
            mail.begin();
        }
        mail
    }

    /// Signed with the keys that sign for this client.
    #[must_use]
    pub fn signed(mut self, ip: Option<IpAddr>, is_authenticated: bool) -> Self {
        let entries = self.running.keys.iter().filter(|entry| entry.is_for(ip, is_authenticated));
        self.signatures.entries = entries.collect();
        self
    }

    fn begin(&mut self) {
        self.evaluation = Some(Evaluation::new(&self.running.policy, self.session()));
    }

    /// The session that is evaluated.
    pub fn session(&self) -> Session {
        self.client.session(&self.running.config, &self.mail_from, self.at)
    }

    /// Who is evaluated.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// MAIL FROM.
    pub fn mail_from(&self) -> &MailFrom {
        &self.mail_from
    }

    /// When it began, or when the host received it that handed it on.
    pub fn at(&self) -> UnixTime {
        self.at
    }

    /// A header field. One without a name is kept by the mail server and is none to readers.
    pub fn field(&mut self, name: &[u8], value: &[u8]) {
        let most = self.running.config.limits.headers;
        if self.header.len().saturating_add(name.len() + value.len()) > most.0 {
            self.over.get_or_insert(OverLimit::Header(most));
        }
        // What is over the limit is not kept.
        if self.over.is_none() {
            self.header.push(name, value);
        }
    }

    /// The header has ended.
    pub fn end_of_header(&mut self) {
        if self.over.is_some() {
            return;
        }
        let raw = self.raw_header();
        let Ok(header) = Header::parse(&raw) else { return };
        self.signatures.begin(&header, self.at);
        if self.standing == Standing::Relay {
            let (client, at) = Client::behind(&self.running.config, &header, self.at);
            (self.client, self.at) = (client, at);
            self.begin();
        }
        if let Some(evaluation) = &mut self.evaluation {
            evaluation.header(&header);
        }
    }

    /// The header, with the empty line that ends it.
    pub fn raw_header(&self) -> Vec<u8> {
        [self.header.octets(), b"\r\n"].concat()
    }

    /// A piece of the body.
    pub fn piece(&mut self, piece: &[u8]) {
        let most = self.running.config.limits.body;
        self.body = self.body.saturating_add(piece.len());
        if self.body > most.0 {
            self.over.get_or_insert(OverLimit::Body(most));
        }
        if self.over.is_some() {
            return;
        }
        if let Some(evaluation) = &mut self.evaluation {
            evaluation.body(piece);
        }
        self.signatures.begun.iter_mut().for_each(|begun| begun.body(piece));
    }

    /// Whether more of the body is of no use.
    pub fn has_enough(&self) -> bool {
        self.over.is_some()
    }

    /// The message has ended.
    pub fn end(&mut self) {
        // What was not seen whole is not signed.
        if self.over.is_none() {
            self.signatures.end();
        }
        if let Some(evaluation) = &mut self.evaluation {
            evaluation.end();
        }
    }

    /// Goes as far as is known, and gives the questions that are new.
    pub fn advance(&mut self) -> Vec<Question> {
        if self.over.is_some() {
            return Vec::new();
        }
        let Some(evaluation) = &mut self.evaluation else { return Vec::new() };
        match evaluation.advance_with(|question| self.running.at_hand(question)) {
            Progress::Asks(questions) => questions,
            Progress::WantsMessage => Vec::new(),
            Progress::Verdict(verdict) => {
                self.verdict = Some(verdict);
                Vec::new()
            }
        }
    }

    /// A question is answered.
    pub fn answer(&mut self, question: &Question, answer: AnyLookup) {
        if let Some(evaluation) = &mut self.evaluation {
            evaluation.answer(question, answer);
        }
    }

    /// No answer is waited for any more.
    pub fn time_is_up(&mut self) {
        if let Some(evaluation) = &mut self.evaluation {
            evaluation.time_is_up();
        }
    }

    /// What became of it; `None` while an answer is missing. It is told once.
    pub fn outcome(&mut self) -> Option<Outcome> {
        match (self.over, &self.evaluation) {
            (Some(over), _) => Some(Outcome::OverLimit(over)),
            (None, None) => Some(Outcome::Own),
            (None, Some(_)) => self.verdict.take().map(Outcome::Verdict),
        }
    }

    /// The signatures, those that all receivers verify last.
    pub fn signatures(&self) -> &[String] {
        &self.signatures.fields
    }

    /// Why it is not signed with keys that would sign it.
    pub fn signing_faults(&self) -> &[String] {
        &self.signatures.faults
    }

    /// The log of what was asked for it.
    pub fn log(&self) -> Option<&mailverdict::known::Log> {
        self.evaluation.as_ref().map(Evaluation::log)
    }

    /// What it is evaluated by.
    pub fn running(&self) -> &'r Running {
        self.running
    }
}

impl Signatures<'_> {
    /// A message whose author is not one and clear is not signed.
    fn begin(&mut self, header: &Header<'_>, at: UnixTime) {
        let authors = header.authors();
        let [author] = authors.domains() else { return };
        if self.entries.is_empty() || authors.from_fields() != 1 || authors.is_ambiguous() {
            return;
        }
        for entry in &self.entries {
            match entry.begin(author, header, at) {
                None => {}
                Some(Ok(begun)) => self.begun.push(begun),
                Some(Err(error)) => self.faults.push(error.to_string()),
            }
        }
        // What is inserted last stands on top.
        self.begun.sort_by_key(|begun| !begun.is_new());
    }

    fn end(&mut self) {
        for begun in self.begun.drain(..) {
            match begun.end() {
                Ok(field) => self.fields.push(field),
                Err(fault) => self.faults.push(fault),
            }
        }
    }
}
