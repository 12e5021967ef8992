//! The spine, without I/O: what is known goes in, what is open comes out, and in the end the verdict.

mod message_parts;
mod spf_part;

pub(crate) use message_parts::DmarcPart;
pub(crate) use spf_part::SpfPart;

#[cfg(feature = "serde")]
use crate::dkim;
use crate::{
    budget::OCTETS_AHEAD,
    dmarc,
    dns::{AnyLookup, LookupError, Question},
    known::{Ahead, AtHand, Log},
    message::{Header, Message},
    policy::Policy,
    session::Session,
    spf::{self, SpfReports},
    verdict::Verdict,
};
use message_parts::MessageParts;
use std::borrow::Cow;

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
    spf: SpfPart<'p>,
    message: Option<MessageParts>,
}

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

    /// What was hashed of the message, which is here as a whole.
    #[cfg(feature = "serde")]
    pub(crate) fn hashes(&self) -> dkim::Hashes {
        self.parts.message.as_ref().map(MessageParts::hashes).unwrap_or_default()
    }

    /// The header of a message whose signatures are judged by these hashes, because its text was changed since or is not here.
    #[cfg(feature = "serde")]
    pub(crate) fn hashed(&mut self, header: &Header<'_>, hashes: &dkim::Hashes) {
        self.parts.header(header);
        self.parts.message.iter_mut().for_each(|message| message.set_hashes(hashes));
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
        self.parts.spf.reports()
    }

    /// Tells `observers` how SPF came to its results, as far as it has.
    pub fn explain<O: spf::Observe>(&mut self, observers: &mut spf::Observers<O>) {
        self.parts.spf.explain(&mut self.log, observers);
    }

    /// All that was asked so far.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

impl<'p> Parts<'p> {
    pub(crate) fn new(policy: &'p Policy, session: Session) -> Self {
        Self { policy, spf: SpfPart::new(policy, Cow::Owned(session)), message: None }
    }

    pub(crate) fn header(&mut self, header: &Header<'_>) {
        if self.message.is_none() {
            self.message = Some(MessageParts::new(self.policy, header, self.spf.received_at()));
            self.spf.header(header);
        }
    }

    fn body(&mut self, piece: &[u8]) {
        if let Some(message) = &mut self.message {
            message.body(piece);
        }
    }

    fn end(&mut self) {
        if let Some(message) = &mut self.message {
            message.end();
        }
    }

    pub(crate) fn whole_body(&mut self, whole: &Message<'_>) {
        if let Some(message) = &mut self.message {
            message.whole_body(whole);
        }
    }

    /// Runs each part that has not ended, and gives the verdict once all have.
    pub(crate) fn run(&mut self, log: &mut Log, at_hand: AtHand<'_>) -> Option<Verdict> {
        self.spf.check(log, at_hand);
        let Self { policy, message, spf } = self;
        if let Some(message) = message {
            message.run_signed(log, at_hand, policy);
            message.discover(log, at_hand, policy);
            if let Some(reports) = spf.ended()
                && let Some(verdict) = message.conclude(log, at_hand, policy, reports)
            {
                return Some(verdict);
            }
        }
        if log.is_open() {
            self.ask_ahead(log, at_hand);
        }
        None
    }

    /// Once something has to be waited for: what SPF and DMARC will probably ask as well.
    fn ask_ahead(&self, log: &mut Log, at_hand: AtHand<'_>) {
        let Self { policy, spf, message } = self;
        spf.ask_ahead(log, at_hand);
        if let Some(message) = message.as_ref().filter(|_| policy.dmarc.asks_ahead) {
            let identifiers = spf.domain().into_iter().chain(message.signing_domains());
            dmarc::ask_ahead(&mut Ahead::new(log, at_hand), &policy.dmarc, message.authors(), identifiers);
        }
    }
}
