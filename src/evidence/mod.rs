//! The evidence of a verdict: all that went in, what the DNS answered, and what was concluded. From it the verdict can be reached again
//! without any network.

mod content;
mod policy;
mod rdata;
mod recorded;
mod redact;

pub use content::{Content, Redacted};
pub use recorded::{Overlaid, Recorded};
pub use redact::RedactError;

use crate::{
    dns::{Question, Resolver},
    evaluation::{Evaluation, Progress},
    finding,
    known::Log,
    message::{Message, MessageError},
    policy::Policy,
    session::{MailFrom, Session},
    spf::{Observe, Observers},
    time::UnixTime,
    verdict::Verdict,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{borrow::Cow, net::IpAddr};

/// The version of the form. Evidence of this version will always be read.
pub const VERSION: u32 = 1;

/// What a verdict rests on, to be kept, sent to somebody, and evaluated again. Equal evidence is written as equal octets.
///
/// `V` is the verdict as it was told: any type that serde writes and reads.
///
/// ```
/// use mailverdict::{Authenticator, Message, Policy, Session, Verdict, dns::Zone, evidence::Evidence, spf::Observers};
/// use std::net::Ipv4Addr;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let zone = Zone::parse("example.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"", "example.zone")?;
/// let raw = b"From: a@example.com\r\n\r\nbody\r\n";
/// let (message, session) = (Message::parse(raw)?, Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from("a@example.com"));
/// let (verdict, log) = Authenticator::new(zone).explain_all(&message, session.clone()).await;
/// let evidence = Evidence::new(raw, session, Policy::default(), &log, verdict);
/// let kept = serde_json::to_string(&evidence)?;
///
/// let evidence: Evidence<Verdict> = serde_json::from_str(&kept)?;
/// let (again, _) = evidence.replay(&evidence.answers, &mut Observers { helo: (), mail_from: () })?;
/// assert_eq!(again, evidence.verdict);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evidence<V> {
    /// What wrote it, and in which version.
    pub creator: Box<str>,
    /// What the SMTP session showed.
    pub session: Session,
    /// The settings. What only other software may decide (an algorithm or a list of suffixes that is not built in) is not written.
    pub policy: Policy,
    /// The name by which the receiver reports, where it has one.
    pub authserv_id: Option<Box<str>>,
    /// The message that was evaluated.
    pub message: Content,
    /// What the DNS answered.
    pub answers: Recorded,
    /// The verdict as it was told.
    pub verdict: V,
}

impl<V> Evidence<V> {
    /// Of an evaluation: the octets of the message, the session, the settings, the log, and the verdict.
    pub fn new(message: impl Into<Vec<u8>>, session: Session, policy: Policy, log: &Log, verdict: V) -> Self {
        Self {
            creator: concat!("mailverdict ", env!("CARGO_PKG_VERSION")).into(),
            session,
            policy,
            authserv_id: None,
            message: Content::Whole(message.into()),
            answers: Recorded::of(log),
            verdict,
        }
    }

    /// The same with another verdict.
    pub fn with_verdict<W>(self, verdict: W) -> Evidence<W> {
        let Self { creator, session, policy, authserv_id, message, answers, verdict: _ } = self;
        Evidence { creator, session, policy, authserv_id, message, answers, verdict }
    }

    /// Evaluates the message again over `answers`: those that were [recorded](Self::answers), or these with a zone laid over them. What
    /// is not answered at once is a temporary error.
    ///
    /// # Errors
    /// Where the message has no octet.
    pub fn replay<R: Resolver, O: Observe>(
        &self,
        answers: &R,
        observers: &mut Observers<O>,
    ) -> Result<(Verdict, Log), MessageError> {
        let message = Message::parse(self.message.octets())?;
        let mut evaluation = Evaluation::new(&self.policy, self.session.clone());
        match &self.message {
            Content::Whole(_) => evaluation.message(&message),
            Content::Redacted(redacted) => evaluation.hashed(message.header(), &redacted.hashes),
        }
        loop {
            match evaluation.advance_with(|question| answers.at_hand(question)) {
                Progress::Verdict(verdict) => {
                    evaluation.explain(observers);
                    let mut log = evaluation.log;
                    let at_hand = |question: &Question| answers.at_hand(question).filter(Result::is_ok);
                    finding::read_for(&verdict, &mut log, &at_hand);
                    return Ok((*verdict, log));
                }
                Progress::Asks(_) | Progress::WantsMessage => evaluation.time_is_up(),
            }
        }
    }
}

/// As it is written and read.
#[derive(Serialize, Deserialize)]
struct Shape<'e, V> {
    mailverdict_evidence: u32,
    creator: Cow<'e, str>,
    session: SessionShape<'e>,
    policy: Cow<'e, Policy>,
    #[serde(default)]
    authserv_id: Option<Cow<'e, str>>,
    message: Cow<'e, Content>,
    dns: Cow<'e, Recorded>,
    verdict: V,
}

#[derive(Serialize, Deserialize)]
struct SessionShape<'e> {
    ip: Option<IpAddr>,
    helo: Option<Cow<'e, str>>,
    /// Empty for the null reverse-path; null where the message tells it.
    mail_from: Option<Cow<'e, str>>,
    receiver: Option<Cow<'e, str>>,
    received_at: UnixTime,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_of_saved_mail: bool,
}

impl<'e> SessionShape<'e> {
    fn of(session: &'e Session) -> Self {
        Self {
            ip: session.peer_ip,
            helo: session.helo.as_deref().map(Cow::Borrowed),
            mail_from: match &session.mail_from {
                MailFrom::FromReturnPath => None,
                MailFrom::Null => Some("".into()),
                MailFrom::Address(address) => Some(Cow::Borrowed(address)),
            },
            receiver: session.receiver.as_deref().map(Cow::Borrowed),
            received_at: session.received_at,
            is_of_saved_mail: session.is_of_saved_mail,
        }
    }

    fn read(self) -> Session {
        Session {
            peer_ip: self.ip,
            helo: self.helo.map(|helo| (*helo).into()),
            mail_from: match self.mail_from.as_deref() {
                None => MailFrom::FromReturnPath,
                Some("") => MailFrom::Null,
                Some(address) => MailFrom::Address(address.into()),
            },
            receiver: self.receiver.map(|receiver| (*receiver).into()),
            received_at: self.received_at,
            is_of_saved_mail: self.is_of_saved_mail,
        }
    }
}

impl<V: Serialize> Serialize for Evidence<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shape = Shape {
            mailverdict_evidence: VERSION,
            creator: Cow::Borrowed(&self.creator),
            session: SessionShape::of(&self.session),
            policy: Cow::Borrowed(&self.policy),
            authserv_id: self.authserv_id.as_deref().map(Cow::Borrowed),
            message: Cow::Borrowed(&self.message),
            dns: Cow::Borrowed(&self.answers),
            verdict: &self.verdict,
        };
        shape.serialize(serializer)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Evidence<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shape = Shape::deserialize(deserializer)?;
        if shape.mailverdict_evidence != VERSION {
            let version = shape.mailverdict_evidence;
            return Err(D::Error::custom(format_args!("this is evidence of version {version}; {VERSION} is read")));
        }
        Ok(Self {
            creator: (*shape.creator).into(),
            session: shape.session.read(),
            policy: shape.policy.into_owned(),
            authserv_id: shape.authserv_id.map(|id| (*id).into()),
            message: shape.message.into_owned(),
            answers: shape.dns.into_owned(),
            verdict: shape.verdict,
        })
    }
}
