//! mail-auth, with whichever backend this build has.

use crate::{
    cases::{Client, Task},
    contender::{Contender, Prepared, at_once},
    zone::Zone,
};
use mail_auth::{
    ArcOutput, ArcResult, AuthenticatedMessage, AuthenticationResults, DkimOutput, DkimResult, DmarcOutput,
    DmarcResult, DnsCache, DnsError, DnssecStatus, Error, MessageAuthenticator, Mx, Negative, Parameters, RecordSet,
    ResolverCache, SpfOutput, SpfResult, TxtRecord,
    dkim::DomainKey,
    dmarc::{DmarcRecord, verify::DmarcParameters},
    dns::TxtRecordParser as _,
    headers::HeaderWriter as _,
    hickory_resolver::{
        config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
        proto::op::ResponseCode,
    },
    spf::{SpfRecord, verify::SpfParameters},
};
use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Instant,
};

/// A map without a lock: nothing is inserted while the clock runs, and each answer is a clone of an `Arc`.
struct Map<K, V>(HashMap<K, V>);

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Map<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {
        panic!("a question had no answer in memory");
    }
}

pub(crate) type Answer<T> = Result<RecordSet<T>, Negative>;

struct Caches {
    txt: Map<Box<str>, TxtRecord>,
    mx: Map<Box<str>, Answer<Mx>>,
    ipv4: Map<Box<str>, Answer<Ipv4Addr>>,
    ipv6: Map<Box<str>, Answer<Ipv6Addr>>,
    ptr: Map<IpAddr, Answer<Box<str>>>,
}

impl DnsCache for Caches {
    type Txt = Map<Box<str>, TxtRecord>;
    type Mx = Map<Box<str>, Answer<Mx>>;
    type Ipv4 = Map<Box<str>, Answer<Ipv4Addr>>;
    type Ipv6 = Map<Box<str>, Answer<Ipv6Addr>>;
    type Ptr = Map<IpAddr, Answer<Box<str>>>;

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
        Some(&self.ptr)
    }
}

impl Caches {
    /// Records are kept parsed, as mail-auth's own lookups would leave them.
    fn of(zone: &Zone) -> Self {
        let key = |name: &str| format!("{name}.").into_boxed_str();
        let txt = zone.txt.iter().map(|(name, text)| {
            let text = text.as_bytes();
            let record: TxtRecord = if name.contains("._domainkey.") {
                DomainKey::parse(text).into()
            } else if name.starts_with("_dmarc.") {
                DmarcRecord::parse(text).into()
            } else {
                SpfRecord::parse(text).into()
            };
            (key(name), record)
        });
        let no_name = || TxtRecord::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain)));
        let negative = || zone.absent.iter().map(|name| (key(name), Negative { code: ResponseCode::NXDomain }));
        let a = zone.a.iter().map(|(name, addresses)| (key(name), Ok(set(addresses.clone()))));
        let mx = zone.mx.iter().map(|(name, hosts)| {
            let exchanges = hosts.iter().map(|host| host.as_str().into()).collect();
            (key(name), Ok(set(vec![Mx { exchanges, preference: 10 }])))
        });
        Self {
            txt: Map(txt.chain(zone.absent.iter().map(|name| (key(name), no_name()))).collect()),
            mx: Map(mx.collect()),
            ipv4: Map(a.chain(negative().map(|(name, code)| (name, Err(code)))).collect()),
            ipv6: Map(negative().map(|(name, code)| (name, Err(code))).collect()),
            ptr: Map(HashMap::new()),
        }
    }

    fn with<T>(&self, input: T) -> Parameters<'_, T, Self> {
        Parameters::new(input).with_cache(self)
    }
}

pub(crate) fn set<T>(records: Vec<T>) -> RecordSet<T> {
    RecordSet { records: records.into(), dnssec_status: DnssecStatus::Indeterminate }
}

pub struct MailAuth {
    authenticator: MessageAuthenticator,
    caches: Caches,
}

impl MailAuth {
    pub fn new(zone: &Zone) -> Self {
        let authenticator = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default());
        Self { authenticator: authenticator.expect("a resolver that is never asked"), caches: Caches::of(zone) }
    }

    fn dkim<'m>(&'m self, message: &'m AuthenticatedMessage<'m>) -> Vec<DkimOutput<'m>> {
        at_once(self.authenticator.verify_dkim(self.caches.with(message)))
    }

    fn arc<'m>(&'m self, message: &'m AuthenticatedMessage<'m>) -> ArcOutput<'m> {
        at_once(self.authenticator.verify_arc(self.caches.with(message)))
    }

    fn spf(&self, parameters: SpfParameters<'_>) -> SpfOutput {
        at_once(self.authenticator.verify_spf(self.caches.with(parameters)))
    }

    fn dmarc(
        &self,
        message: &AuthenticatedMessage<'_>,
        dkim: &[DkimOutput<'_>],
        client: &Client,
        spf: &SpfOutput,
    ) -> DmarcOutput {
        let domain = client.mail_from.rsplit_once('@').map_or(client.helo, |(_, domain)| domain);
        let parameters = DmarcParameters::new(message, dkim, domain, spf);
        at_once(self.authenticator.verify_dmarc(self.caches.with(parameters)))
    }
}

const RECEIVER: &str = "mx.example.org";

fn helo(client: &Client) -> SpfParameters<'_> {
    SpfParameters::helo(client.ip, client.helo, RECEIVER)
}

fn mail_from(client: &Client) -> SpfParameters<'_> {
    SpfParameters::mail_from(client.ip, client.helo, RECEIVER, client.mail_from)
}

impl Contender for MailAuth {
    fn name(&self) -> &'static str {
        if cfg!(feature = "aws-lc") { "mail-auth (AWS-LC)" } else { "mail-auth (RustCrypto)" }
    }

    fn prepare<'t>(&'t self, task: &'t Task) -> Option<Box<dyn Prepared + 't>> {
        Some(match task {
            Task::Dkim(raw) => Box::new(Dkim { mail_auth: self, raw }),
            Task::Arc(raw) => Box::new(Arc { mail_auth: self, raw }),
            Task::Spf(client) => Box::new(Spf { mail_auth: self, client }),
            Task::Dmarc(raw, client) => {
                // Made once for each case and never given back, as the results borrow from it.
                let message = Box::leak(Box::new(AuthenticatedMessage::parse(raw.as_bytes()).expect("a message")));
                let (dkim, spf) = (self.dkim(message), self.spf(mail_from(client)));
                Box::new(Dmarc { mail_auth: self, message, dkim, spf, client })
            }
            Task::All(raw, client) => Box::new(All { mail_auth: self, raw, client }),
        })
    }
}

struct Dkim<'t> {
    mail_auth: &'t MailAuth,
    raw: &'t str,
}

impl Prepared for Dkim<'_> {
    fn verdict(&mut self) -> String {
        let message = AuthenticatedMessage::parse(self.raw.as_bytes()).expect("a message");
        format!(
            "{:?}",
            self.mail_auth.dkim(&message).iter().map(|output| signature(output.result())).collect::<Vec<_>>()
        )
    }

    fn run(&mut self) -> usize {
        let message = AuthenticatedMessage::parse(self.raw.as_bytes()).expect("a message");
        let results = self.mail_auth.dkim(&message);
        results.iter().filter(|output| *output.result() == DkimResult::Pass).count()
    }
}

struct Arc<'t> {
    mail_auth: &'t MailAuth,
    raw: &'t str,
}

impl Prepared for Arc<'_> {
    fn verdict(&mut self) -> String {
        let message = AuthenticatedMessage::parse(self.raw.as_bytes()).expect("a message");
        signature(self.mail_auth.arc(&message).result()).into()
    }

    fn run(&mut self) -> usize {
        let message = AuthenticatedMessage::parse(self.raw.as_bytes()).expect("a message");
        usize::from(*self.mail_auth.arc(&message).result() == ArcResult::Pass)
    }
}

struct Spf<'t> {
    mail_auth: &'t MailAuth,
    client: &'t Client,
}

impl Prepared for Spf<'_> {
    fn verdict(&mut self) -> String {
        spf(&self.mail_auth.spf(mail_from(self.client))).into()
    }

    fn run(&mut self) -> usize {
        usize::from(self.mail_auth.spf(mail_from(self.client)).result() == SpfResult::Pass)
    }
}

struct Dmarc<'t> {
    mail_auth: &'t MailAuth,
    message: &'t AuthenticatedMessage<'t>,
    dkim: Vec<DkimOutput<'t>>,
    spf: SpfOutput,
    client: &'t Client,
}

impl Prepared for Dmarc<'_> {
    fn verdict(&mut self) -> String {
        dmarc(&self.mail_auth.dmarc(self.message, &self.dkim, self.client, &self.spf)).into()
    }

    fn run(&mut self) -> usize {
        let output = self.mail_auth.dmarc(self.message, &self.dkim, self.client, &self.spf);
        usize::from(output.result() == DmarcResult::Pass)
    }
}

struct All<'t> {
    mail_auth: &'t MailAuth,
    raw: &'t str,
    client: &'t Client,
}

impl All<'_> {
    fn verdict_and_field(&self, say: bool) -> (String, String) {
        let Self { mail_auth, client, .. } = self;
        let message = AuthenticatedMessage::parse(self.raw.as_bytes()).expect("a message");
        let (for_helo, for_mail_from) = (mail_auth.spf(helo(client)), mail_auth.spf(mail_from(client)));
        let for_dkim = mail_auth.dkim(&message);
        let for_arc = mail_auth.arc(&message);
        let for_dmarc = mail_auth.dmarc(&message, &for_dkim, client, &for_mail_from);
        let mut field = AuthenticationResults::new(RECEIVER)
            .with_spf_result(&for_helo, &helo(client))
            .with_spf_result(&for_mail_from, &mail_from(client))
            .with_dkim_results(&for_dkim, message.first_from_address());
        if *for_arc.result() != ArcResult::None {
            field = field.with_arc_result(&for_arc, client.ip);
        }
        let field = field.with_dmarc_result(&for_dmarc).to_header();
        let words = if say { words(&for_helo, &for_mail_from, &for_dkim, &for_arc, &for_dmarc) } else { String::new() };
        (words, field)
    }
}

impl Prepared for All<'_> {
    fn verdict(&mut self) -> String {
        self.verdict_and_field(true).0
    }

    fn run(&mut self) -> usize {
        self.verdict_and_field(false).1.len()
    }
}

/// All results in words that are the same for all contenders.
fn words(
    helo: &SpfOutput,
    mail_from: &SpfOutput,
    dkim: &[DkimOutput<'_>],
    arc: &ArcOutput<'_>,
    of_dmarc: &DmarcOutput,
) -> String {
    let signatures: Vec<_> = dkim.iter().map(|output| signature(output.result())).collect();
    format!(
        "helo={} mailfrom={} dkim={signatures:?} arc={} dmarc={}",
        spf(helo),
        spf(mail_from),
        signature(arc.result()),
        dmarc(of_dmarc)
    )
}

/// How its calls are made where each waits for the DNS.
#[derive(Clone, Copy)]
pub enum Calls {
    /// As its documentation shows them.
    OneAfterAnother,
    /// SPF for both identities, DKIM and ARC at the same time, and DMARC, which needs their results, behind them.
    SideBySide,
}

/// What asks `server`, and knows nothing yet.
pub fn asking(server: SocketAddr) -> MessageAuthenticator {
    let mut connection = ConnectionConfig::udp();
    connection.port = server.port();
    let servers = vec![NameServerConfig::new(server.ip(), true, vec![connection])];
    let config = ResolverConfig::from_parts(None, vec![], servers);
    MessageAuthenticator::new(config, ResolverOpts::default()).expect("a resolver")
}

/// The verdict, with all its questions asked of the DNS.
pub async fn cold(authenticator: &MessageAuthenticator, raw: &str, client: &Client, calls: Calls) -> String {
    let message = AuthenticatedMessage::parse(raw.as_bytes()).expect("a message");
    let (for_helo, for_mail_from) =
        (authenticator.verify_spf(helo(client)), authenticator.verify_spf(mail_from(client)));
    let (for_dkim, for_arc) = (authenticator.verify_dkim(&message), authenticator.verify_arc(&message));
    let (for_helo, for_mail_from, for_dkim, for_arc) = match calls {
        Calls::OneAfterAnother => (for_helo.await, for_mail_from.await, for_dkim.await, for_arc.await),
        Calls::SideBySide => tokio::join!(for_helo, for_mail_from, for_dkim, for_arc),
    };
    let domain = client.mail_from.rsplit_once('@').map_or(client.helo, |(_, domain)| domain);
    let parameters = DmarcParameters::new(&message, &for_dkim, domain, &for_mail_from);
    let for_dmarc = authenticator.verify_dmarc(parameters).await;
    words(&for_helo, &for_mail_from, &for_dkim, &for_arc, &for_dmarc)
}

pub(crate) fn signature(result: &DkimResult) -> &'static str {
    match result {
        DkimResult::Pass => "pass",
        DkimResult::Neutral(_) => "neutral",
        DkimResult::Fail(_) => "fail",
        DkimResult::PermError(_) => "permerror",
        DkimResult::TempError(_) => "temperror",
        DkimResult::None => "none",
    }
}

pub(crate) fn spf(output: &SpfOutput) -> &'static str {
    match output.result() {
        SpfResult::Pass => "pass",
        SpfResult::Fail => "fail",
        SpfResult::SoftFail => "softfail",
        SpfResult::Neutral => "neutral",
        SpfResult::TempError => "temperror",
        SpfResult::PermError => "permerror",
        SpfResult::None => "none",
    }
}

pub(crate) fn dmarc(output: &DmarcOutput) -> &'static str {
    match output.result() {
        DmarcResult::Pass => "pass",
        DmarcResult::Fail(_) => "fail",
        DmarcResult::TempError(_) => "temperror",
        DmarcResult::PermError(_) => "permerror",
        DmarcResult::None => "none",
    }
}
