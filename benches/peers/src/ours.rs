//! mailverdict itself.

use crate::{
    cases::{Client, Task},
    contender::{Contender, Prepared, at_once},
    zone::Zone,
};
use mailverdict::{
    Authenticator, Message, Policy, Session, Verdict,
    arc::ArcResult,
    dkim::{DkimResult, SignatureReport},
    dmarc::{DmarcReport, DmarcResult},
    dns::{Answer, AnyAnswer, AnyLookup, Details, Lookup, Mx, Question, RecordType, Resolver},
    message::Authors,
    name::Name,
    spf::{Observers, SpfReport, SpfReports, SpfResult},
    time::UnixTime,
};
use std::{
    collections::HashMap,
    future::{Future, ready},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Maps without a lock: nothing is inserted while the clock runs, and each answer is a clone of an `Arc`.
struct Answers {
    txt: HashMap<Name, Answer<Box<[u8]>>>,
    a: HashMap<Name, Answer<Ipv4Addr>>,
    mx: HashMap<Name, Answer<Mx>>,
}

fn found<T>(records: &HashMap<Name, Answer<T>>, name: &Name) -> Answer<T>
where
    Answer<T>: Clone,
{
    records.get(name).cloned().unwrap_or(Answer::NxDomain(Details::default()))
}

impl Resolver for Answers {
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
        ready(Ok(found(&self.txt, name)))
    }
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
        ready(Ok(found(&self.a, name)))
    }
    fn aaaa(&self, _: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
        ready(Ok(Answer::NoData(Details::default())))
    }
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
        ready(Ok(found(&self.mx, name)))
    }
    fn ptr(&self, _: IpAddr) -> impl Future<Output = Lookup<Name>> + Send {
        ready(Ok(Answer::NxDomain(Details::default())))
    }
    fn at_hand(&self, Question { name, record_type }: &Question) -> Option<AnyLookup> {
        Some(Ok(match record_type {
            RecordType::Txt => AnyAnswer::Txt(found(&self.txt, name)),
            RecordType::A => AnyAnswer::A(found(&self.a, name)),
            RecordType::Aaaa => AnyAnswer::Aaaa(Answer::NoData(Details::default())),
            RecordType::Mx => AnyAnswer::Mx(found(&self.mx, name)),
            RecordType::Ptr => AnyAnswer::Ptr(Answer::NxDomain(Details::default())),
        }))
    }
}

impl Answers {
    fn of(zone: &Zone) -> Self {
        let text = |text: &String| Answer::Records([text.as_bytes().into()].into());
        let hosts = |hosts: &Vec<String>| {
            Answer::Records(hosts.iter().map(|host| Mx { preference: 10, exchange: name(host) }).collect())
        };
        let absent = |name_text: &String| (name(name_text), Answer::NxDomain(Details::default()));
        let txt = zone.txt.iter().map(|(at, record)| (name(at), text(record)));
        Self {
            txt: txt.chain(zone.absent.iter().map(absent)).collect(),
            a: zone.a.iter().map(|(at, found)| (name(at), Answer::Records(found.iter().copied().collect()))).collect(),
            mx: zone.mx.iter().map(|(at, found)| (name(at), hosts(found))).collect(),
        }
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

pub struct Ours {
    name: &'static str,
    authenticator: Authenticator<Answers>,
}

impl Ours {
    /// As everybody gets it.
    pub fn new(zone: &Zone) -> Self {
        Self::with_policy("mailverdict", Policy::default(), zone)
    }

    /// With its signatures verified by AWS-LC.
    #[cfg(feature = "aws-lc")]
    pub fn with_aws_lc(zone: &Zone) -> Self {
        let mut policy = Policy::default();
        policy.dkim = policy.dkim.with_aws_lc();
        Self::with_policy("mailverdict (aws-lc-rs)", policy, zone)
    }

    fn with_policy(name: &'static str, policy: Policy, zone: &Zone) -> Self {
        Self { name, authenticator: Authenticator::new(Answers::of(zone)).with_policy(policy) }
    }

    fn dkim(&self, raw: &str) -> Vec<SignatureReport> {
        let message = Message::parse(raw.as_bytes()).expect("a message");
        at_once(self.authenticator.check_dkim(&message, now()))
    }

    fn arc(&self, raw: &str) -> ArcResult {
        let message = Message::parse(raw.as_bytes()).expect("a message");
        at_once(self.authenticator.check_arc(&message, now())).result
    }

    fn spf(&self, session: &Session) -> SpfReports {
        at_once(self.authenticator.check_spf(session, &mut Observers { helo: (), mail_from: () }))
    }

    fn dmarc(&self, authors: &Authors, spf: &SpfReports, dkim: &[SignatureReport]) -> DmarcReport {
        at_once(self.authenticator.check_dmarc(authors, spf, dkim))
    }
}

const RECEIVER: &str = "mx.example.org";

fn mail_from(client: &Client) -> Session {
    Session::new(client.ip).with_mail_from(client.mail_from).with_receiver(RECEIVER)
}

/// With both identities.
pub fn session(client: &Client) -> Session {
    mail_from(client).with_helo(client.helo)
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare<'t>(&'t self, task: &'t Task) -> Option<Box<dyn Prepared + 't>> {
        Some(match task {
            Task::Dkim(raw) => Box::new(Dkim { ours: self, raw }),
            Task::Arc(raw) => Box::new(Arc { ours: self, raw }),
            Task::Spf(client) => Box::new(Spf { ours: self, session: mail_from(client) }),
            Task::Dmarc(raw, client) => {
                let message = Message::parse(raw.as_bytes()).expect("a message");
                let (spf, dkim) = (self.spf(&mail_from(client)), self.dkim(raw));
                Box::new(Dmarc { ours: self, authors: message.header().authors(), spf, dkim })
            }
            Task::All(raw, client) => Box::new(All { ours: self, raw, client }),
        })
    }
}

struct Dkim<'t> {
    ours: &'t Ours,
    raw: &'t str,
}

impl Prepared for Dkim<'_> {
    fn verdict(&mut self) -> String {
        format!("{:?}", self.ours.dkim(self.raw).iter().map(|report| report.result.keyword()).collect::<Vec<_>>())
    }

    fn run(&mut self) -> usize {
        self.ours.dkim(self.raw).iter().filter(|report| report.result == DkimResult::Pass).count()
    }
}

struct Arc<'t> {
    ours: &'t Ours,
    raw: &'t str,
}

impl Prepared for Arc<'_> {
    fn verdict(&mut self) -> String {
        self.ours.arc(self.raw).keyword().into()
    }

    fn run(&mut self) -> usize {
        usize::from(matches!(self.ours.arc(self.raw), ArcResult::Pass { .. }))
    }
}

struct Spf<'t> {
    ours: &'t Ours,
    session: Session,
}

impl Prepared for Spf<'_> {
    fn verdict(&mut self) -> String {
        self.ours.spf(&self.session).mail_from.expect("it was checked").result.keyword().into()
    }

    fn run(&mut self) -> usize {
        let reports = self.ours.spf(&self.session);
        usize::from(reports.mail_from.is_some_and(|report| matches!(report.result, SpfResult::Pass(_))))
    }
}

struct Dmarc<'t> {
    ours: &'t Ours,
    authors: Authors,
    spf: SpfReports,
    dkim: Vec<SignatureReport>,
}

impl Prepared for Dmarc<'_> {
    fn verdict(&mut self) -> String {
        self.ours.dmarc(&self.authors, &self.spf, &self.dkim).result.keyword().into()
    }

    fn run(&mut self) -> usize {
        let report = self.ours.dmarc(&self.authors, &self.spf, &self.dkim);
        usize::from(matches!(report.result, DmarcResult::Pass(_)))
    }
}

struct All<'t> {
    ours: &'t Ours,
    raw: &'t str,
    client: &'t Client,
}

impl All<'_> {
    fn session(&self) -> Session {
        session(self.client)
    }
}

impl Prepared for All<'_> {
    fn verdict(&mut self) -> String {
        let message = Message::parse(self.raw.as_bytes()).expect("a message");
        let verdict = at_once(self.ours.authenticator.authenticate(&message, self.session()));
        words(&verdict)
    }

    fn run(&mut self) -> usize {
        let message = Message::parse(self.raw.as_bytes()).expect("a message");
        let verdict = at_once(self.ours.authenticator.authenticate(&message, self.session()));
        verdict.to_header_field(RECEIVER).len()
    }
}

/// All results in words that are the same for all contenders.
pub fn words(verdict: &Verdict) -> String {
    let spf = |report: &Option<SpfReport>| report.as_ref().expect("it was checked").result.keyword();
    format!(
        "helo={} mailfrom={} dkim={:?} arc={} dmarc={}",
        spf(&verdict.spf.helo),
        spf(&verdict.spf.mail_from),
        verdict.dkim.iter().map(|report| report.result.keyword()).collect::<Vec<_>>(),
        verdict.arc.result.keyword(),
        verdict.dmarc.result.keyword(),
    )
}

/// The clock is read once for each message, as mail-auth does.
pub fn now() -> UnixTime {
    Session::without_peer().received_at
}
