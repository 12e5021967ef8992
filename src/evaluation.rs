//! The spine, without I/O: what is known goes in, what is open comes out, and in the end the verdict.

use crate::{
    arc::{self, ArcReport},
    budget::{OCTETS_AHEAD, Share},
    dkim::{self, SignatureReport},
    dmarc::{self, Discovered, Identifiers},
    dns::{AnyLookup, LookupError, Question},
    known::{Ahead, AtHand, Known, Log, Part, Unknown},
    message::{Authors, BodyLineEnds, Finding, Header, Message, return_path},
    policy::Policy,
    session::{MailFrom, Session},
    spf::{self, Identities, SpfReports},
    text::Text,
    verdict::Verdict,
};
/// The evaluation of one message, for programs that ask the DNS themselves, in whatever way.
///
/// Give it what there is, in this order: the session; the header ([`header`](Self::header)); the body, in pieces of any size
/// ([`body`](Self::body)); its end ([`end`](Self::end)); or header and body at once ([`message`](Self::message)). At any time
/// [`advance`](Self::advance) goes as far as is known and says what is missing. Questions are answered one by one, in any order
/// ([`answer`](Self::answer)). So a mail server can begin at MAIL FROM, and has nothing left to wait for at the end of DATA.
///
/// It reads no clock and asks nobody. No result depends on the order in which answers come.
///
/// A blocking program whose answers stand in a map:
///
/// ```
/// use mailverdict::{Evaluation, Message, Policy, Progress, Session, dns::{Answer, AnyAnswer, Details, Question, RecordType}, name::Name};
/// use std::{collections::HashMap, net::Ipv4Addr};
///
/// let question = |name, record_type| Question { name: Name::parse(name).unwrap(), record_type };
/// let text = |text: &[u8]| AnyAnswer::Txt(Answer::Records([Box::from(text)].into()));
/// let answers = HashMap::from([
///     (question("contoso.com", RecordType::Txt), text(b"v=spf1 ip4:192.0.2.1 -all")),
///     (question("_dmarc.contoso.com", RecordType::Txt), text(b"v=DMARC1; p=reject")),
/// ]);
///
/// let policy = Policy::default();
/// let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from("alice@contoso.com");
/// let mut evaluation = Evaluation::new(&policy, session);
/// evaluation.message(&Message::parse(b"From: alice@contoso.com\r\n\r\nHello\r\n")?);
/// let verdict = loop {
///     match evaluation.advance() {
///         Progress::Verdict(verdict) => break verdict,
///         Progress::Asks(questions) => for question in questions {
///             let answer = answers.get(&question).cloned().unwrap_or(AnyAnswer::Txt(Answer::NxDomain(Details::default())));
///             evaluation.answer(&question, Ok(answer));
///         },
///         Progress::WantsMessage => unreachable!("it has all of it"),
///     }
/// };
/// assert_eq!(verdict.dmarc.result.keyword(), "pass");
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
///
/// A loop over a UDP socket stands in `examples/udp_socket.rs`. The stages of a mail server:
///
/// ```
/// # use mailverdict::{Evaluation, Policy, Progress, Session, dns::{Resolver, Zone}, message::Header};
/// # use std::net::Ipv4Addr;
/// # let zone = Zone::parse("contoso.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"", "zone").unwrap();
/// # // Whatever asks the DNS here; a server would do so while the client goes on talking.
/// # let ask = |evaluation: &mut Evaluation<'_>| loop {
/// #     match evaluation.advance() {
/// #         Progress::Asks(questions) if questions.is_empty() => {}
/// #         Progress::Asks(questions) => questions.iter().for_each(|question| {
/// #             evaluation.answer(question, zone.at_hand(question).unwrap());
/// #         }),
/// #         Progress::Verdict(verdict) => break Some(verdict),
/// #         Progress::WantsMessage => break None,
/// #     }
/// # };
/// let policy = Policy::default();
/// // At MAIL FROM: SPF is on its way.
/// let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_helo("mail.contoso.com").with_mail_from("alice@contoso.com");
/// let mut evaluation = Evaluation::new(&policy, session);
/// ask(&mut evaluation);
/// assert_eq!(evaluation.spf().unwrap().mail_from.unwrap().result.keyword(), "pass");
/// // In DATA, once the header has ended: the keys and the policy are on their way.
/// evaluation.header(&Header::parse(b"From: alice@contoso.com\r\nSubject: Lunch\r\n\r\n")?);
/// ask(&mut evaluation);
/// // The body, as it comes.
/// evaluation.body(b"At noon, in the usual ");
/// evaluation.body(b"place?\r\n");
/// // At the end of DATA nothing is left to wait for.
/// evaluation.end();
/// let Progress::Verdict(verdict) = evaluation.advance() else { panic!("all of it is known") };
/// assert_eq!(verdict.dmarc.result.keyword(), "none");
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Evaluation<'p> {
    pub(crate) parts: Parts<'p>,
    pub(crate) log: Log,
}

/// How far an evaluation has come.
#[derive(Clone, Debug)]
pub enum Progress {
    /// To its end. The verdict is given once.
    Verdict(Box<Verdict>),
    /// Answers are missing. These questions are new; those that were given before and are not answered yet are open as well.
    Asks(Vec<Question>),
    /// All questions are answered, and what is missing is the rest of the message.
    WantsMessage,
}

/// What has been done of an evaluation: each part that has ended is not run again.
#[derive(Clone, Debug)]
pub(crate) struct Parts<'p> {
    policy: &'p Policy,
    session: Session,
    /// Of the session, or of the header's Return-Path; empty for the null one.
    reverse_path: Option<Text>,
    spf: SpfReports,
    message: Option<MessageParts>,
}

/// What begins with the header.
#[derive(Clone, Debug)]
struct MessageParts {
    header_findings: Vec<Finding>,
    body_line_ends: BodyLineEnds,
    authors: Authors,
    has_ended: bool,
    dkim: Signed<dkim::Verifier, Vec<SignatureReport>>,
    arc: Signed<arc::Validator, ArcReport>,
    dmarc: DmarcPart,
}

/// DKIM or ARC: what waits for keys and for the end of the body, and what it comes to then.
#[derive(Clone, Debug)]
struct Signed<W, R> {
    waiting: Option<W>,
    keys: Option<dkim::Keys>,
    report: Option<R>,
}

/// DMARC: discovery, once it has ended, and what it left of the share.
#[derive(Clone, Debug, Default)]
pub(crate) struct DmarcPart(Option<(Discovered, Share)>);

impl<'p> Evaluation<'p> {
    /// Of a message that is received in this session.
    pub fn new(policy: &'p Policy, session: impl Into<Session>) -> Self {
        Self { parts: Parts::new(policy, session.into()), log: Log::new(policy.budget.questions_ahead, OCTETS_AHEAD) }
    }

    /// The header has come. It is read now, and need not be kept. A second header is not looked at.
    ///
    /// Whether all its lines end in LF alone while those of the body end in CRLF, as no mail on its way has it, can be seen in a
    /// [`Message`] alone: who takes such lines from a client gives the [`message`](Self::message) whole, or refuses them.
    pub fn header(&mut self, header: &Header<'_>) {
        self.parts.header(header);
    }

    /// The next piece of the body has come, of any size. Without a header it is not looked at.
    pub fn body(&mut self, piece: &[u8]) {
        self.parts.body(piece);
    }

    /// The body has ended.
    pub fn end(&mut self) {
        self.parts.end();
    }

    /// A whole message has come.
    pub fn message(&mut self, message: &Message<'_>) {
        self.parts.header(message.header());
        self.parts.whole_body(message);
    }

    /// Goes as far as is known.
    pub fn advance(&mut self) -> Progress {
        self.advance_with(|_| None)
    }

    /// Goes as far as is known and as `at_hand` can answer without waiting.
    pub fn advance_with(&mut self, at_hand: impl Fn(&Question) -> Option<AnyLookup>) -> Progress {
        let Self { parts, log } = self;
        match parts.run(log, &at_hand) {
            Some(verdict) => Progress::Verdict(Box::new(verdict)),
            None if log.is_open() => Progress::Asks(log.hand_out()),
            None => Progress::WantsMessage,
        }
    }

    /// A question is answered; whether it was open. A second answer to the same question is not looked at, and one of another type than
    /// the question's is none.
    pub fn answer(&mut self, question: &Question, answer: AnyLookup) -> bool {
        self.log.answered(question, answer, None)
    }

    /// The time is up: every question that is open is answered by [`LookupError::OutOfTime`]. So are those that the next
    /// [`advance`](Self::advance) asks, if this is called again.
    pub fn time_is_up(&mut self) {
        self.log.give_up(&LookupError::OutOfTime);
    }

    /// What SPF came to, as soon as that is known: before the message, unless the reverse-path has to be taken from it.
    pub fn spf(&self) -> Option<SpfReports> {
        self.parts.spf_has_ended().then(|| self.parts.spf.clone())
    }

    /// Tells `observers` how SPF came to its results, as far as it has.
    pub fn explain<O: spf::Observe>(&mut self, observers: &mut spf::Observers<O>) {
        self.parts.explain(&mut self.log, observers);
    }

    /// All that was asked so far.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

impl<'p> Parts<'p> {
    pub(crate) fn new(policy: &'p Policy, session: Session) -> Self {
        let reverse_path = match &session.mail_from {
            MailFrom::FromReturnPath => None,
            MailFrom::Null => Some(Text::default()),
            MailFrom::Address(address) => Some(address.clone()),
        };
        Self { policy, session, reverse_path, spf: SpfReports::default(), message: None }
    }

    pub(crate) fn header(&mut self, header: &Header<'_>) {
        if self.message.is_some() {
            return;
        }
        let (policy, now) = (self.policy, self.session.received_at);
        if self.session.mail_from == MailFrom::FromReturnPath {
            self.reverse_path = return_path(header).map(|path| Text::from(&*path));
        }
        let authors = header.authors();
        self.message = Some(MessageParts {
            header_findings: header.findings_of_fields(),
            body_line_ends: BodyLineEnds::default(),
            has_ended: false,
            dkim: Signed::new(dkim::Verifier::new(&policy.dkim, header, authors.domains(), now)),
            arc: Signed::new(arc::Validator::new(&policy.dkim, header, now)),
            authors,
            dmarc: DmarcPart::default(),
        });
    }

    fn body(&mut self, piece: &[u8]) {
        if let Some(message) = self.message.as_mut().filter(|message| !message.has_ended) {
            message.body_line_ends.piece(piece);
            message.hash(piece);
        }
    }

    fn end(&mut self) {
        if let Some(message) = &mut self.message {
            message.has_ended = true;
        }
    }

    pub(crate) fn whole_body(&mut self, whole: &Message<'_>) {
        if let Some(message) = self.message.as_mut().filter(|message| !message.has_ended) {
            message.body_line_ends.whole(whole.body());
            message.hash(whole.body());
            message.has_ended = true;
        }
    }

    /// Runs each part that has not ended, and gives the verdict once all have.
    pub(crate) fn run(&mut self, log: &mut Log, at_hand: AtHand<'_>) -> Option<Verdict> {
        self.check_spf(log, at_hand);
        let spf_has_ended = self.spf_has_ended();
        let Self { policy, message, spf, .. } = self;
        if let Some(message) = message {
            message.run_signed(log, at_hand, policy);
            message.dmarc.discover(log, at_hand, policy, &message.authors);
            if spf_has_ended && let Some(verdict) = message.conclude(log, at_hand, policy, spf) {
                return Some(verdict);
            }
        }
        if log.is_open() {
            self.ask_ahead(log, at_hand);
        }
        None
    }

    /// SPF alone, where no message is to come.
    pub(crate) fn run_spf(&mut self, log: &mut Log, at_hand: AtHand<'_>) -> Option<SpfReports> {
        self.check_spf(log, at_hand);
        if self.known_identities_are_checked() {
            return Some(std::mem::take(&mut self.spf));
        }
        self.ask_ahead(log, at_hand);
        None
    }

    fn check_spf(&mut self, log: &mut Log, at_hand: AtHand<'_>) {
        let Self { policy, session, reverse_path, spf: SpfReports { helo, mail_from }, .. } = self;
        let identities = Identities::of(session, reverse_path.as_ref());
        let mut check = |part, share, arguments: &Option<_>, report: &mut Option<_>| {
            if let (Some(arguments), None) = (arguments, &report) {
                let known = &mut Known::new(log, at_hand, part, share);
                *report = spf::check(known, &policy.spf, arguments, &mut ()).ok();
            }
        };
        check(Part::Helo, policy.budget.helo, &identities.helo, helo);
        check(Part::MailFrom, policy.budget.mail_from, &identities.mail_from, mail_from);
        if let (Some(""), Some(helo), None) = (reverse_path.as_deref(), &helo, &mail_from) {
            *mail_from = Some(helo.as_mail_from());
        }
    }

    fn spf_has_ended(&self) -> bool {
        let may_come = self.session.mail_from == MailFrom::FromReturnPath && self.message.is_none();
        self.known_identities_are_checked() && !may_come
    }

    fn known_identities_are_checked(&self) -> bool {
        let identities = Identities::of(&self.session, self.reverse_path.as_ref());
        (identities.helo.is_none() || self.spf.helo.is_some())
            && (identities.mail_from.is_none() || self.spf.mail_from.is_some())
    }

    /// Once something has to be waited for: what SPF and DMARC will probably ask as well.
    fn ask_ahead(&self, log: &mut Log, at_hand: AtHand<'_>) {
        let Self { policy, session, reverse_path, spf, message } = self;
        let ahead = &mut Ahead::new(log, at_hand);
        let identities = Identities::of(session, reverse_path.as_ref());
        for (arguments, report) in [(&identities.helo, &spf.helo), (&identities.mail_from, &spf.mail_from)] {
            if let (Some(arguments), None) = (arguments, report) {
                spf::ask_ahead(ahead, &policy.spf, arguments);
            }
        }
        if let Some(message) = message.as_ref().filter(|_| policy.dmarc.asks_ahead) {
            let mail_from = identities.mail_from.or(identities.helo);
            let signers = message.dkim.waiting.iter().flat_map(dkim::Verifier::signing_domains).cloned();
            let identifiers = mail_from.and_then(|arguments| arguments.domain()).into_iter().chain(signers);
            dmarc::ask_ahead(ahead, &policy.dmarc, &message.authors, identifiers);
        }
    }

    fn explain<O: spf::Observe>(&self, log: &mut Log, observers: &mut spf::Observers<O>) {
        let Self { policy, session, reverse_path, .. } = self;
        let identities = Identities::of(session, reverse_path.as_ref());
        let mut check = |part, share, arguments: &Option<_>, observer| {
            if let Some(arguments) = arguments {
                // What is not known yet ends it here as well.
                let _ = spf::check(&mut Known::new(log, &|_| None, part, share), &policy.spf, arguments, observer);
            }
        };
        check(Part::Helo, policy.budget.helo, &identities.helo, &mut observers.helo);
        check(Part::MailFrom, policy.budget.mail_from, &identities.mail_from, &mut observers.mail_from);
    }
}

impl MessageParts {
    fn hash(&mut self, piece: &[u8]) {
        if let Some(verifier) = &mut self.dkim.waiting {
            verifier.body(piece);
        }
        if let Some(validator) = &mut self.arc.waiting {
            validator.body(piece);
        }
    }

    fn run_signed(&mut self, log: &mut Log, at_hand: AtHand<'_>, policy: &Policy) {
        let Policy { dkim, arc, budget, .. } = policy;
        self.dkim.run(
            || Known::new(log, at_hand, Part::Dkim, budget.dkim),
            dkim::Verifier::keys,
            self.has_ended,
            |verifier, known, keys| verifier.finish(known, dkim, keys),
        );
        self.arc.run(
            || Known::new(log, at_hand, Part::Arc, budget.arc),
            arc::Validator::keys,
            self.has_ended,
            |validator, known, keys| validator.finish(known, arc, dkim, keys),
        );
    }

    /// What DMARC makes of the others, once they are there.
    fn conclude(
        &mut self,
        log: &mut Log,
        at_hand: AtHand<'_>,
        policy: &Policy,
        spf: &mut SpfReports,
    ) -> Option<Verdict> {
        let Self { dkim, arc, dmarc, authors, .. } = self;
        let (Some(signatures), Some(_)) = (&dkim.report, &arc.report) else { return None };
        let identifiers = Identifiers::gather(spf, signatures);
        let reports = dmarc.evaluate(log, at_hand, policy, authors, &identifiers)?;
        let (spf, dkim, arc) = (std::mem::take(spf), dkim.report.take()?, arc.report.take()?);
        let mut verdict = Verdict::new(spf, dkim, arc, reports.report);
        verdict.dmarc_rfc7489 = reports.rfc7489;
        verdict.findings = std::mem::take(&mut self.header_findings);
        verdict.findings.extend(self.body_line_ends.finding());
        verdict.findings.extend(self.authors.findings());
        Some(verdict)
    }
}

impl<W, R> Signed<W, R> {
    fn new(waiting: W) -> Self {
        Self { waiting: Some(waiting), keys: None, report: None }
    }

    /// Asks for the keys, and finishes with them once the body has ended. What has finished asks nothing more, and begins no run.
    fn run<'k>(
        &mut self,
        known: impl FnOnce() -> Known<'k>,
        keys: impl FnOnce(&W, &mut Known<'k>) -> Result<dkim::Keys, Unknown>,
        has_ended: bool,
        finish: impl FnOnce(W, &mut Known<'k>, &dkim::Keys) -> R,
    ) {
        let Some(waiting) = &self.waiting else { return };
        let known = &mut known();
        if self.keys.is_none() {
            self.keys = keys(waiting, known).ok();
        }
        if let Some(keys) = self.keys.as_ref().filter(|_| has_ended) {
            self.report = self.waiting.take().map(|waiting| finish(waiting, known, keys));
        }
    }
}

impl DmarcPart {
    /// Finds the policy of the author domains, which needs neither SPF nor DKIM.
    pub(crate) fn discover(&mut self, log: &mut Log, at_hand: AtHand<'_>, policy: &Policy, authors: &Authors) {
        if self.0.is_none() {
            let known = &mut Known::new(log, at_hand, Part::Discovery, policy.budget.dmarc);
            let discovered = dmarc::discover(known, &policy.dmarc, authors).ok();
            self.0 = discovered.map(|discovered| (discovered, known.left()));
        }
    }

    /// What that comes to with what SPF and DKIM authenticated; `None` while an answer is missing.
    pub(crate) fn evaluate(
        &mut self,
        log: &mut Log,
        at_hand: AtHand<'_>,
        policy: &Policy,
        authors: &Authors,
        identifiers: &Identifiers,
    ) -> Option<dmarc::Reports> {
        let (discovered, left) = self.0.as_mut()?;
        let known = &mut Known::new(log, at_hand, Part::Alignment, *left);
        dmarc::evaluate(known, &policy.dmarc, authors, discovered, identifiers).ok()
    }
}
