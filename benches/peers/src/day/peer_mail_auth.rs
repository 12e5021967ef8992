//! mail-auth on the day of mail.

use super::{
    cache::{Cache, Clock, Count},
    records::{Node, Reader, Records, Type, octets_and_ttl},
    side::{Part, Results, Side, Spent},
    stream::Mail,
};
use crate::{
    contender::at_once,
    peer_mail_auth::{Answer, dmarc, set, signature, spf},
};
use mail_auth::{
    ArcOutput, ArcResult, AuthenticatedMessage, AuthenticationResults, DkimOutput, DmarcOutput, DnsCache, DnsError,
    Error, MessageAuthenticator, Mx, Negative, Parameters, ResolverCache, SpfOutput, TxtRecord,
    dkim::DomainKey,
    dmarc::{DmarcRecord, verify::DmarcParameters},
    dns::TxtRecordParser as _,
    headers::HeaderWriter as _,
    hickory_resolver::{
        config::{ResolverConfig, ResolverOpts},
        proto::op::ResponseCode,
    },
    spf::{SpfRecord, verify::SpfParameters},
};
use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{Hash, Hasher},
    hint::black_box,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Instant,
};

const RECEIVER: &str = "mx.example.org";

type Nodes<'d> = Arc<HashMap<Box<str>, &'d Node>>;

/// A cache ahead of the records; what is not in it is made anew, as mail-auth makes it of what came from the network.
struct Answers<'d, V> {
    nodes: Nodes<'d>,
    cache: Cache<Box<str>, V>,
    of: Type,
    /// What is kept for a name, or for one that does not exist.
    make: fn(Option<&Node>) -> V,
}

impl<V: Clone> ResolverCache<Box<str>, V> for Answers<'_, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(value) = self.cache.get(name) {
            return Some(value);
        }
        let (key, node) = match self.nodes.get_key_value(name) {
            Some((key, node)) => (key.clone(), Some(*node)),
            None => (text_of(name), None),
        };
        let value = (self.make)(node);
        let (octets, ttl) = octets_and_ttl(key.len() - 1, node, self.of);
        self.cache.insert(key, value.clone(), octets, ttl);
        Some(value)
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: V, _: Instant) {
        panic!("a question had no answer in memory");
    }
}

/// The name that is asked for: all that is known of its type is that it gives what a text gives to a hasher.
fn text_of<Q: Hash + ?Sized>(name: &Q) -> Box<str> {
    #[derive(Default)]
    struct Octets(Vec<u8>);
    impl Hasher for Octets {
        fn write(&mut self, octets: &[u8]) {
            self.0.extend_from_slice(octets);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut octets = Octets::default();
    name.hash(&mut octets);
    // A text ends in an octet that no text holds.
    assert_eq!(octets.0.pop(), Some(0xff));
    String::from_utf8(octets.0).expect("a text").into()
}

/// No record of the day looks at names of addresses.
struct NoNames;

impl ResolverCache<IpAddr, Answer<Box<str>>> for NoNames {
    fn get<Q>(&self, _: &Q) -> Option<Answer<Box<str>>>
    where
        IpAddr: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(Err(Negative { code: ResponseCode::NXDomain }))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Answer<Box<str>>>
    where
        IpAddr: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: IpAddr, _: Answer<Box<str>>, _: Instant) {}
}

struct Caches<'d> {
    txt: Answers<'d, TxtRecord>,
    mx: Answers<'d, Answer<Mx>>,
    ipv4: Answers<'d, Answer<Ipv4Addr>>,
    ipv6: Answers<'d, Answer<Ipv6Addr>>,
}

impl<'d> DnsCache for Caches<'d> {
    type Txt = Answers<'d, TxtRecord>;
    type Mx = Answers<'d, Answer<Mx>>;
    type Ipv4 = Answers<'d, Answer<Ipv4Addr>>;
    type Ipv6 = Answers<'d, Answer<Ipv6Addr>>;
    type Ptr = NoNames;

    fn txt(&self) -> Option<&Self::Txt> {
        Some(&self.txt)
    }
    fn mx(&self) -> Option<&Self::Mx> {
        Some(&self.mx)
    }
    fn ipv4(&self) -> Option<&Self::Ipv4> {
        Some(&self.ipv4)
    }
    fn ipv6(&self) -> Option<&Self::Ipv6> {
        Some(&self.ipv6)
    }
    fn ptr(&self) -> Option<&Self::Ptr> {
        Some(&NoNames)
    }
}

fn none_for(node: Option<&Node>) -> Negative {
    Negative { code: if node.is_some() { ResponseCode::NoError } else { ResponseCode::NXDomain } }
}

fn text(node: Option<&Node>) -> TxtRecord {
    let Some((reader, text)) = node.and_then(|node| node.txt.as_ref()) else {
        return TxtRecord::Error(Error::Dns(DnsError::RecordNotFound(none_for(node).code)));
    };
    let texts = [text.as_bytes().to_vec()];
    match reader {
        Reader::Spf => SpfRecord::parse_records(&texts).into(),
        Reader::Dmarc => DmarcRecord::parse_records(&texts).into(),
        Reader::DomainKey => DomainKey::parse_records(&texts).into(),
    }
}

fn exchanges(node: Option<&Node>) -> Answer<Mx> {
    let hosts = node.map(|node| &node.mx).filter(|hosts| !hosts.is_empty()).ok_or_else(|| none_for(node))?;
    let exchanges = hosts.iter().map(|host| format!("{host}.").into()).collect();
    Ok(set(vec![Mx { exchanges, preference: 10 }]))
}

fn ipv4(node: Option<&Node>) -> Answer<Ipv4Addr> {
    node.filter(|node| !node.a.is_empty()).map(|node| set(node.a.clone())).ok_or_else(|| none_for(node))
}

fn ipv6(node: Option<&Node>) -> Answer<Ipv6Addr> {
    node.filter(|node| !node.aaaa.is_empty()).map(|node| set(node.aaaa.clone())).ok_or_else(|| none_for(node))
}

impl<'d> Caches<'d> {
    fn new(nodes: &Nodes<'d>, octets: usize, clock: &Arc<Clock>) -> Self {
        fn answers<'d, V: Clone>(
            nodes: &Nodes<'d>,
            octets: usize,
            clock: &Arc<Clock>,
            of: Type,
            make: fn(Option<&Node>) -> V,
        ) -> Answers<'d, V> {
            Answers { nodes: Arc::clone(nodes), cache: Cache::new(octets, clock), of, make }
        }
        Self {
            txt: answers(nodes, octets, clock, Type::Txt, text),
            mx: answers(nodes, octets / 4, clock, Type::Mx, exchanges),
            ipv4: answers(nodes, octets / 4, clock, Type::A, ipv4),
            ipv6: answers(nodes, octets / 4, clock, Type::Aaaa, ipv6),
        }
    }

    fn with<T>(&self, input: T) -> Parameters<'_, T, Self> {
        Parameters::new(input).with_cache(self)
    }
}

pub struct MailAuth<'d> {
    authenticator: MessageAuthenticator,
    whole: Caches<'d>,
    parts: Caches<'d>,
}

impl<'d> MailAuth<'d> {
    pub fn new(records: &'d Records, octets: usize, clock: &Arc<Clock>) -> Self {
        let authenticator = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default());
        let nodes = records.nodes.iter().map(|(name, node)| (format!("{name}.").into(), node));
        let nodes = Arc::new(nodes.collect());
        let [whole, parts] = [(); 2].map(|()| Caches::new(&nodes, octets, clock));
        Self { authenticator: authenticator.expect("a resolver that is never asked"), whole, parts }
    }

    fn dkim<'m>(&'m self, caches: &'m Caches<'d>, message: &'m AuthenticatedMessage<'m>) -> Vec<DkimOutput<'m>> {
        at_once(self.authenticator.verify_dkim(caches.with(message)))
    }

    fn arc<'m>(&'m self, caches: &'m Caches<'d>, message: &'m AuthenticatedMessage<'m>) -> ArcOutput<'m> {
        at_once(self.authenticator.verify_arc(caches.with(message)))
    }

    /// For HELO and MAIL FROM.
    fn spf(&self, caches: &Caches<'d>, mail: &Mail) -> [SpfOutput; 2] {
        [helo(mail), mail_from(mail)].map(|parameters| at_once(self.authenticator.verify_spf(caches.with(parameters))))
    }

    fn dmarc(
        &self,
        caches: &Caches<'d>,
        message: &AuthenticatedMessage<'_>,
        dkim: &[DkimOutput<'_>],
        mail: &Mail,
        spf: &SpfOutput,
    ) -> DmarcOutput {
        let domain = mail.mail_from.rsplit_once('@').map_or(&*mail.helo, |(_, domain)| domain);
        let parameters = DmarcParameters::new(message, dkim, domain, spf);
        at_once(self.authenticator.verify_dmarc(caches.with(parameters)))
    }
}

fn helo(mail: &Mail) -> SpfParameters<'_> {
    SpfParameters::helo(mail.ip, &mail.helo, RECEIVER)
}

fn mail_from(mail: &Mail) -> SpfParameters<'_> {
    SpfParameters::mail_from(mail.ip, &mail.helo, RECEIVER, &mail.mail_from)
}

fn message(raw: &str) -> AuthenticatedMessage<'_> {
    AuthenticatedMessage::parse(raw.as_bytes()).expect("a message")
}

fn field(
    mail: &Mail,
    message: &AuthenticatedMessage<'_>,
    [for_helo, for_mail_from]: &[SpfOutput; 2],
    for_dkim: &[DkimOutput<'_>],
    for_arc: &ArcOutput<'_>,
    for_dmarc: &DmarcOutput,
) -> String {
    let mut field = AuthenticationResults::new(RECEIVER)
        .with_spf_result(for_helo, &helo(mail))
        .with_spf_result(for_mail_from, &mail_from(mail))
        .with_dkim_results(for_dkim, message.first_from_address());
    if *for_arc.result() != ArcResult::None {
        field = field.with_arc_result(for_arc, mail.ip);
    }
    field.with_dmarc_result(for_dmarc).to_header()
}

impl Side for MailAuth<'_> {
    fn name(&self) -> &'static str {
        if cfg!(feature = "aws-lc") { "mail-auth (AWS-LC)" } else { "mail-auth (RustCrypto)" }
    }

    fn everything(&self, mail: &Mail, raw: &str) -> usize {
        let (caches, message) = (&self.whole, message(raw));
        let spf = self.spf(caches, mail);
        let dkim = self.dkim(caches, &message);
        let arc = self.arc(caches, &message);
        let dmarc = self.dmarc(caches, &message, &dkim, mail, &spf[1]);
        field(mail, &message, &spf, &dkim, &arc, &dmarc).len()
    }

    fn parts(&self, mails: &[Mail], day: &Clock, spent: &mut Spent) -> Vec<Results> {
        let caches = &self.parts;
        spent.on_messages(Part::Dkim, mails, day, |raw| {
            black_box(self.dkim(caches, &message(raw)));
        });
        spent.on_messages(Part::Arc, mails, day, |raw| {
            black_box(self.arc(caches, &message(raw)));
        });
        spent.on(Part::Spf, mails, day, |_, mail| {
            black_box(self.spf(caches, mail));
        });
        let messages: Vec<_> = mails.iter().map(|mail| message(&mail.raw)).collect();
        let prepare = |(mail, message)| (self.spf(caches, mail), self.dkim(caches, message));
        let prepared: Vec<_> = mails.iter().zip(&messages).map(prepare).collect();
        let dmarc = |number: usize, mail: &Mail| {
            let (spf, dkim) = &prepared[number];
            self.dmarc(caches, &messages[number], dkim, mail, &spf[1])
        };
        spent.on(Part::Dmarc, mails, day, |number, mail| {
            black_box(dmarc(number, mail));
        });
        let rest = |(number, mail)| (self.arc(caches, &messages[number]), dmarc(number, mail));
        let rest: Vec<_> = mails.iter().enumerate().map(rest).collect();
        spent.on(Part::Field, mails, day, |number, mail| {
            let ((spf, dkim), (arc, dmarc)) = (&prepared[number], &rest[number]);
            black_box(field(mail, &messages[number], spf, dkim, arc, dmarc));
        });
        prepared.iter().zip(&rest).map(|((spf, dkim), (arc, dmarc))| results(spf, dkim, arc, dmarc)).collect()
    }

    fn count(&self) -> Count {
        let Caches { txt, mx, ipv4, ipv6 } = &self.whole;
        let mut count = txt.cache.count();
        for other in [mx.cache.count(), ipv4.cache.count(), ipv6.cache.count()] {
            count.add(other);
        }
        count
    }
}

fn results(
    [helo, mail_from]: &[SpfOutput; 2],
    dkim: &[DkimOutput<'_>],
    arc: &ArcOutput<'_>,
    of_dmarc: &DmarcOutput,
) -> Results {
    Results {
        helo: spf(helo),
        mail_from: spf(mail_from),
        dkim: dkim.iter().map(|output| signature(output.result())).collect(),
        arc: signature(arc.result()),
        dmarc: dmarc(of_dmarc),
    }
}
