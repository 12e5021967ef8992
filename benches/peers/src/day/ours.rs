//! mailverdict on the day of mail. All that touches its programming interface here is in this file.

use super::{
    cache::{Cache, Clock, Count},
    records::{Node, Records, Type, octets_and_ttl},
    side::{Part, Results, Side, Spent},
    stream::Mail,
};
use crate::{contender::at_once, ours::now};
use mailverdict::{
    Authenticator, Message, Policy, Session, Verdict,
    dns::{Answer, AnyAnswer, AnyLookup, Details, Lookup, Mx, Question, RecordType, Resolver},
    name::Name,
    spf::Observers,
};
use std::{
    collections::HashMap,
    future::{Future, ready},
    hint::black_box,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

const RECEIVER: &str = "mx.example.org";

/// A cache ahead of the records; what is not in it is made anew, as if it came from the network.
struct Answers<'d> {
    nodes: Arc<HashMap<Name, &'d Node>>,
    txt: Cache<Name, Answer<Box<[u8]>>>,
    a: Cache<Name, Answer<Ipv4Addr>>,
    aaaa: Cache<Name, Answer<Ipv6Addr>>,
    mx: Cache<Name, Answer<Mx>>,
}

impl<'d> Answers<'d> {
    fn new(nodes: &Arc<HashMap<Name, &'d Node>>, octets: usize, clock: &Arc<Clock>) -> Self {
        Self {
            nodes: Arc::clone(nodes),
            txt: Cache::new(octets, clock),
            a: Cache::new(octets / 4, clock),
            aaaa: Cache::new(octets / 4, clock),
            mx: Cache::new(octets / 4, clock),
        }
    }

    fn look_up<T: Clone>(
        &self,
        cache: &Cache<Name, Answer<T>>,
        name: &Name,
        of: Type,
        read: impl FnOnce(&Node) -> Vec<T>,
    ) -> Lookup<T> {
        if let Some(answer) = cache.get(name) {
            return Ok(answer);
        }
        let node = self.nodes.get(name).copied();
        let answer = match node.map(read) {
            None => Answer::NxDomain(Details::default()),
            Some(records) if records.is_empty() => Answer::NoData(Details::default()),
            Some(records) => Answer::Records(records.into()),
        };
        let (octets, ttl) = octets_and_ttl(name.as_str().len(), node, of);
        cache.insert(name.clone(), answer.clone(), octets, ttl);
        Ok(answer)
    }

    fn txt_now(&self, name: &Name) -> Lookup<Box<[u8]>> {
        let read = |node: &Node| node.txt.iter().map(|(_, text)| text.as_bytes().into()).collect();
        self.look_up(&self.txt, name, Type::Txt, read)
    }
    fn a_now(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.look_up(&self.a, name, Type::A, |node| node.a.clone())
    }
    fn aaaa_now(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.look_up(&self.aaaa, name, Type::Aaaa, |node| node.aaaa.clone())
    }
    fn mx_now(&self, name: &Name) -> Lookup<Mx> {
        let exchange = |host: &String| Mx { preference: 10, exchange: Name::parse(host).expect("a name") };
        self.look_up(&self.mx, name, Type::Mx, |node| node.mx.iter().map(exchange).collect())
    }

    fn count(&self) -> Count {
        let mut count = self.txt.count();
        for other in [self.a.count(), self.aaaa.count(), self.mx.count()] {
            count.add(other);
        }
        count
    }
}

impl Resolver for Answers<'_> {
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
        ready(self.txt_now(name))
    }
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
        ready(self.a_now(name))
    }
    fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
        ready(self.aaaa_now(name))
    }
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
        ready(self.mx_now(name))
    }
    fn ptr(&self, _: IpAddr) -> impl Future<Output = Lookup<Name>> + Send {
        ready(Ok(Answer::NxDomain(Details::default())))
    }
    /// What is not in the cache is made as quickly as for the other side.
    fn at_hand(&self, Question { name, record_type }: &Question) -> Option<AnyLookup> {
        Some(match record_type {
            RecordType::Txt => self.txt_now(name).map(AnyAnswer::Txt),
            RecordType::A => self.a_now(name).map(AnyAnswer::A),
            RecordType::Aaaa => self.aaaa_now(name).map(AnyAnswer::Aaaa),
            RecordType::Mx => self.mx_now(name).map(AnyAnswer::Mx),
            RecordType::Ptr => Ok(AnyAnswer::Ptr(Answer::NxDomain(Details::default()))),
        })
    }
}

pub struct Ours<'d> {
    name: &'static str,
    whole: Authenticator<Arc<Answers<'d>>>,
    parts: Authenticator<Arc<Answers<'d>>>,
    answers_of_whole: Arc<Answers<'d>>,
}

impl<'d> Ours<'d> {
    /// As everybody gets it.
    pub fn new(records: &'d Records, octets: usize, clock: &Arc<Clock>) -> Self {
        Self::with_policy("mailverdict", &Policy::default(), records, octets, clock)
    }

    /// With its signatures verified by AWS-LC.
    #[cfg(feature = "aws-lc")]
    pub fn with_aws_lc(records: &'d Records, octets: usize, clock: &Arc<Clock>) -> Self {
        let mut policy = Policy::default();
        policy.dkim = policy.dkim.with_aws_lc();
        Self::with_policy("mailverdict (aws-lc-rs)", &policy, records, octets, clock)
    }

    fn with_policy(
        name: &'static str,
        policy: &Policy,
        records: &'d Records,
        octets: usize,
        clock: &Arc<Clock>,
    ) -> Self {
        let nodes = records.nodes.iter().map(|(name, node)| (Name::parse(name).expect("a name"), node));
        let nodes = Arc::new(nodes.collect());
        let [whole, parts] = [(); 2].map(|()| Arc::new(Answers::new(&nodes, octets, clock)));
        let over = |answers: &Arc<_>| Authenticator::new(Arc::clone(answers)).with_policy(policy.clone());
        Self { name, whole: over(&whole), parts: over(&parts), answers_of_whole: whole }
    }
}

fn message(raw: &str) -> Message<'_> {
    Message::parse(raw.as_bytes()).expect("a message")
}

fn session(mail: &Mail) -> Session {
    Session::new(mail.ip).with_mail_from(&mail.mail_from).with_helo(&mail.helo).with_receiver(RECEIVER)
}

impl Side for Ours<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn everything(&self, mail: &Mail, raw: &str) -> usize {
        let message = message(raw);
        at_once(self.whole.authenticate(&message, session(mail))).to_header_field(RECEIVER).len()
    }

    fn parts(&self, mails: &[Mail], day: &Clock, spent: &mut Spent) -> Vec<Results> {
        let parts = &self.parts;
        let spf = |mail: &Mail| at_once(parts.check_spf(&session(mail), &mut Observers { helo: (), mail_from: () }));
        spent.on_messages(Part::Dkim, mails, day, |raw| {
            black_box(at_once(parts.check_dkim(&message(raw), now())));
        });
        spent.on_messages(Part::Arc, mails, day, |raw| {
            black_box(at_once(parts.check_arc(&message(raw), now())));
        });
        spent.on(Part::Spf, mails, day, |_, mail| {
            black_box(spf(mail));
        });
        let prepare = |mail: &Mail| {
            let message = message(&mail.raw);
            let dkim = at_once(parts.check_dkim(&message, now()));
            (message.header().authors(), spf(mail), dkim)
        };
        let prepared: Vec<_> = mails.iter().map(prepare).collect();
        spent.on(Part::Dmarc, mails, day, |number, _| {
            let (authors, spf, dkim) = &prepared[number];
            black_box(at_once(parts.check_dmarc(authors, spf, dkim)));
        });
        let verdict = |mail: &Mail| at_once(parts.authenticate(&message(&mail.raw), session(mail)));
        let verdicts: Vec<Verdict> = mails.iter().map(verdict).collect();
        spent.on(Part::Field, mails, day, |number, _| {
            black_box(verdicts[number].to_header_field(RECEIVER));
        });
        verdicts.iter().map(results).collect()
    }

    fn count(&self) -> Count {
        self.answers_of_whole.count()
    }
}

fn results(verdict: &Verdict) -> Results {
    Results {
        helo: verdict.spf.helo.as_ref().expect("it was checked").result.keyword(),
        mail_from: verdict.spf.mail_from.as_ref().expect("it was checked").result.keyword(),
        dkim: verdict.dkim.iter().map(|report| report.result.keyword()).collect(),
        arc: verdict.arc.result.keyword(),
        dmarc: verdict.dmarc.result.keyword(),
    }
}
