//! Answers from the DNS itself, through hickory-resolver.

use super::{
    Answer, AnyLookup, Details, EndlessAliases, Lookup, LookupError, MAX_CNAME_CHAIN, Mx, Question, RecordType,
    Resolver, cache::Cache, record::Record, reverse_name,
};
use crate::name::Name;
use hickory_resolver::{
    NameServerPool, PoolContext, TlsConfig,
    config::{ConnectionConfig, NameServerConfig, ResolverOpts},
    net::{
        DnsError, NetError, NoRecords,
        runtime::TokioRuntimeProvider,
        xfer::{DnsHandle as _, FirstAnswer as _, RetryDnsHandle},
    },
    proto::{
        op::{DnsRequestOptions, DnsResponse, Query, ResponseCode},
        rr::{self, RData, rdata::SOA},
    },
    system_conf,
};
use std::{
    future::{self, Future},
    mem,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

/// The longest that an answer is kept, whatever its TTL says.
const MAX_TTL: Duration = Duration::from_secs(86_400);
/// The longest that emptiness is kept (RFC 2308 §5: "one to three hours have been found to work well").
const MAX_NEGATIVE_TTL: Duration = Duration::from_secs(3 * 3600);
/// Octets of answers that are kept.
const CACHE_OCTETS: usize = 64 << 20;
/// The time of one attempt; lost datagrams are sent again within it. Two attempts make the five seconds of
/// [`Policy::question_time_limit`](crate::Policy::question_time_limit).
const ATTEMPT: Duration = Duration::from_millis(2500);

/// The DNS, asked through hickory-resolver: UDP, and TCP after truncation.
///
/// - Names are absolute; search domains and the hosts file play no part.
/// - CNAME records are followed as a [`Zone`](super::Zone) does: at most [`MAX_CNAME_CHAIN`] of them, and a circle is an error. (The
///   resolver of hickory gives up after eight and then says that there are no records, which a temporary error must not become;
///   so its connections, retransmission and choice of servers are used here, and its resolver is not.)
/// - A server that fails is asked once more; a question takes no more than about five seconds.
/// - Answers are kept for their TTL, a day at most, emptiness three hours, within 64 MiB with all that is read of them. Errors are not
///   kept. Questions that are asked at the same time go out once.
/// - A referral, which a server gives that does not resolve recursively, is an error and no emptiness.
/// - PTR and MX records whose name holds a dot within a label or an octet outside ASCII are left out: no address is found there. Aliases
///   to such a name are followed, and left out of what is told.
/// - Answers tell the aliases that were followed, and the TTL as the servers gave it, the shortest on the way: before it is cut to what is
///   kept, and not what is left of it later. Emptiness without an SOA record has none.
///
/// It is made anywhere, and asks within a tokio runtime that has I/O and time enabled; connections to servers live in the background of
/// that runtime. Outside of a runtime, what is kept is answered, and all else is [`LookupError::NoRuntime`], without a limit of time; in
/// a runtime whose I/O or time is not enabled tokio panics, for nobody can ask it before.
///
/// ```no_run
/// use mailverdict::{Authenticator, dns::Hickory};
/// let authenticator = Authenticator::new(Hickory::system()?);
/// # Ok::<(), mailverdict::dns::HickoryError>(())
/// ```
#[derive(Clone)]
pub struct Hickory {
    servers: RetryDnsHandle<NameServerPool<TokioRuntimeProvider>>,
    options: DnsRequestOptions,
    cache: Arc<Cache>,
}

impl std::fmt::Debug for Hickory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hickory").finish_non_exhaustive()
    }
}

/// Why there is no resolver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HickoryError {
    /// The system's configuration (`/etc/resolv.conf`) cannot be read, or names no server.
    #[error("the system's DNS configuration cannot be used: {0}")]
    SystemConfig(Box<str>),
    /// hickory could not be set up.
    #[error("the DNS client cannot be set up: {0}")]
    Setup(Box<str>),
}

impl Hickory {
    /// Asks the servers of the system's configuration; its other settings are not used.
    ///
    /// # Errors
    /// [`HickoryError::SystemConfig`] where there is no usable configuration.
    pub fn system() -> Result<Self, HickoryError> {
        let (config, _) =
            system_conf::read_system_conf().map_err(|error| HickoryError::SystemConfig(error.to_string().into()))?;
        Self::with_servers(config.name_servers().to_vec(), ATTEMPT)
    }

    /// Asks this server, by UDP and TCP. Whether it is there shows with the first question.
    ///
    /// # Errors
    /// [`HickoryError::Setup`].
    pub fn server(address: SocketAddr) -> Result<Self, HickoryError> {
        Self::with_servers(vec![server_config(address)], ATTEMPT)
    }

    /// Asks these servers, the first of them first, by UDP and TCP.
    ///
    /// # Errors
    /// [`HickoryError::Setup`].
    pub fn servers(addresses: impl IntoIterator<Item = SocketAddr>) -> Result<Self, HickoryError> {
        Self::with_servers(addresses.into_iter().map(server_config).collect(), ATTEMPT)
    }

    /// [`server`](Self::server) with another time for one attempt than 2.5 seconds; there are two.
    ///
    /// # Errors
    /// [`HickoryError::Setup`].
    pub fn server_with_attempt(address: SocketAddr, attempt: Duration) -> Result<Self, HickoryError> {
        Self::with_servers(vec![server_config(address)], attempt)
    }

    fn with_servers(servers: Vec<NameServerConfig>, attempt: Duration) -> Result<Self, HickoryError> {
        let mut options = ResolverOpts::default();
        options.timeout = attempt;
        // Over one TCP connection; more than that and hickory says "busy".
        options.max_active_requests = 1024;
        let mut request_options = DnsRequestOptions::default();
        request_options.use_edns = true;
        request_options.edns_payload_len = options.edns_payload_len;
        request_options.recursion_desired = true;
        let tls = TlsConfig::new().map_err(|error| HickoryError::Setup(error.to_string().into()))?;
        let pool = NameServerPool::from_config(
            servers,
            Arc::new(PoolContext::new(options, tls)),
            TokioRuntimeProvider::default(),
        );
        Ok(Self {
            servers: RetryDnsHandle::new(pool, 1),
            options: request_options,
            cache: Arc::new(Cache::new(CACHE_OCTETS)),
        })
    }

    async fn look_up<T: Record>(&self, name: &Name, read: fn(&RData) -> Option<T>) -> Lookup<T> {
        let question = Question { name: name.clone(), record_type: T::TYPE };
        if let Some(answer) = self.cache.recall(&question, Instant::now()).as_ref().and_then(T::from_any) {
            return Ok(answer.clone());
        }
        let mut answer = pin!(self.ask(name, read));
        // hickory takes it that there is a runtime, whoever polls.
        let asked = future::poll_fn(|context| match Handle::try_current() {
            Ok(_) => answer.as_mut().poll(context),
            Err(_) => Poll::Ready(Err(LookupError::NoRuntime)),
        });
        let answer = asked.await?;
        let life = life(&answer);
        Ok(self.cache.keep(name, answer, Instant::now(), life))
    }

    async fn ask<T: Record>(&self, name: &Name, read: fn(&RData) -> Option<T>) -> Lookup<T> {
        let record_type = match T::TYPE {
            RecordType::Txt => rr::RecordType::TXT,
            RecordType::A => rr::RecordType::A,
            RecordType::Aaaa => rr::RecordType::AAAA,
            RecordType::Mx => rr::RecordType::MX,
            RecordType::Ptr => rr::RecordType::PTR,
        };
        let mut chain = Chain { asked: name, name: to_hickory(name)?, followed: 0, aliases: Vec::new(), ttl: u32::MAX };
        loop {
            let query = Query::query(chain.name.clone(), record_type);
            let response = match self.servers.lookup(query, self.options).first_answer().await {
                Ok(response) => response,
                Err(error) => {
                    let (answer, ttl) = emptiness(error)?;
                    return Ok(chain.told(answer, ttl));
                }
            };
            // The codes that hickory does not know reach us as answers.
            if !matches!(response.response_code, ResponseCode::NoError | ResponseCode::NXDomain) {
                return Err(response_code(response.response_code));
            }
            if let Some(found) = chain.follow(&response, record_type, read)? {
                return Ok(found);
            }
        }
    }
}

/// A name on its way through CNAME records.
struct Chain<'n> {
    asked: &'n Name,
    name: rr::Name,
    followed: usize,
    /// The names that the records led to, as far as they are names to us.
    aliases: Vec<Name>,
    /// The shortest TTL so far, in seconds.
    ttl: u32,
}

impl Chain<'_> {
    /// Follows the aliases of one response; `None` where its end has to be asked for by itself.
    fn follow<T: Record>(
        &mut self,
        response: &DnsResponse,
        record_type: rr::RecordType,
        read: fn(&RData) -> Option<T>,
    ) -> Result<Option<Answer<T>>, LookupError> {
        let answers = &response.answers;
        let mut moved = false;
        loop {
            let mut records =
                answers.iter().filter(|r| r.record_type() == record_type && r.name == self.name).peekable();
            if records.peek().is_some() {
                let mut ttl = u32::MAX;
                let records = records.inspect(|record| ttl = ttl.min(seconds(record.ttl)));
                let read: Vec<T> = records.filter_map(|record| read(&record.data)).collect();
                let answer =
                    if read.is_empty() { Answer::NoData(Details::default()) } else { Answer::Records(read.into()) };
                return Ok(Some(self.told(answer, Some(ttl))));
            }
            let alias = answers.iter().find_map(|record| match &record.data {
                RData::CNAME(target) if record.name == self.name => Some((&target.0, seconds(record.ttl))),
                _ => None,
            });
            let Some((target, ttl)) = alias else { break };
            self.followed += 1;
            if self.followed > MAX_CNAME_CHAIN {
                let names = mem::take(&mut self.aliases);
                return Err(LookupError::EndlessAliases(EndlessAliases::new(self.asked, names)));
            }
            self.aliases.extend(from_hickory(target));
            (self.name, self.ttl, moved) = (target.clone(), self.ttl.min(ttl), true);
        }
        let negative = response.soa().map(|soa| soa_ttl(soa.ttl(), soa.data()));
        if response.response_code == ResponseCode::NXDomain {
            // RFC 6604 §2.1: the code speaks of the last name of the chain.
            return Ok(Some(self.told(Answer::NxDomain(Details::default()), negative)));
        }
        let soa = response.authorities.iter().find(|record| record.record_type() == rr::RecordType::SOA);
        if soa.is_some_and(|soa| soa.name.zone_of(&self.name)) {
            // RFC 2308 §2.2: the SOA record tells NODATA from a chain that goes on elsewhere.
            return Ok(Some(self.told(Answer::NoData(Details::default()), negative)));
        }
        // An answer that holds neither what was asked for nor an alias is about something else.
        if moved { Ok(None) } else { Err(LookupError::Malformed) }
    }

    /// The answer at the end, whose own TTL is `ttl` seconds where it has one, with what there is to tell of it.
    fn told<T>(&mut self, answer: Answer<T>, ttl: Option<u32>) -> Answer<T> {
        let ttl = ttl.map(|ttl| ttl.min(self.ttl));
        answer.with_details(Details::default().with_ttl(ttl).with_aliases(mem::take(&mut self.aliases)))
    }
}

/// How long an answer is kept.
fn life<T>(answer: &Answer<T>) -> Duration {
    let most = match answer {
        Answer::Records(_) => MAX_TTL,
        Answer::NoData(_) | Answer::NxDomain(_) => MAX_NEGATIVE_TTL,
    };
    // RFC 2308 §5: without an SOA record emptiness is not kept.
    answer.details().ttl().map_or(Duration::ZERO, |ttl| Duration::from_secs(ttl.into()).min(most))
}

/// RFC 2181 §8: a TTL with its highest bit set is treated as zero.
fn seconds(ttl: u32) -> u32 {
    if ttl > u32::MAX >> 1 { 0 } else { ttl }
}

/// RFC 2308 §5: how long emptiness lives, by the TTL of the SOA record and its field MINIMUM, which is a TTL as well (§4).
fn soa_ttl(ttl: u32, soa: &SOA) -> u32 {
    seconds(ttl).min(seconds(soa.minimum))
}

/// The two kinds of emptiness, which hickory takes for errors, and their TTL in seconds; all others are errors.
fn emptiness<T>(error: NetError) -> Result<(Answer<T>, Option<u32>), LookupError> {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, soa, ns, .. })) => {
            let negative_ttl = soa.as_ref().map(|soa| soa_ttl(soa.ttl, &soa.data));
            match response_code {
                ResponseCode::NXDomain => Ok((Answer::NxDomain(Details::default()), negative_ttl)),
                // RFC 2308 §2.2: NS records without an SOA record are a referral, not NODATA.
                ResponseCode::NoError if soa.is_none() && ns.is_some() => {
                    Err(LookupError::Other("the server refers to other servers and does not ask them itself".into()))
                }
                ResponseCode::NoError => Ok((Answer::NoData(Details::default()), negative_ttl)),
                code => Err(self::response_code(code)),
            }
        }
        NetError::Dns(DnsError::ResponseCode(code)) => Err(response_code(code)),
        NetError::Timeout => Err(LookupError::Timeout),
        NetError::Proto(_) | NetError::ForeignClassRecord { .. } | NetError::QueryCaseMismatch => {
            Err(LookupError::Malformed)
        }
        NetError::Truncated => {
            Err(LookupError::Other("the answer was truncated, and could not be had over TCP".into()))
        }
        NetError::Io(error) => Err(LookupError::Other(format!("the server cannot be reached: {error}").into())),
        NetError::NoConnections => Err(LookupError::Other("no server could be reached".into())),
        error => Err(LookupError::Other(error.to_string().into())),
    }
}

fn response_code(code: ResponseCode) -> LookupError {
    match code {
        ResponseCode::ServFail => LookupError::ServerFailure,
        ResponseCode::Refused => LookupError::Refused,
        ResponseCode::FormErr => LookupError::Other("the server did not understand the question (FORMERR)".into()),
        ResponseCode::NotImp => LookupError::Other("the server does not answer such questions (NOTIMP)".into()),
        code => LookupError::Other(format!("the server answered with code {}", u16::from(code)).into()),
    }
}

fn server_config(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

/// By labels, so that nothing in them is an escape.
fn to_hickory(name: &Name) -> Result<rr::Name, LookupError> {
    let mut labels = rr::Name::from_labels(name.labels().map(str::as_bytes))
        .map_err(|error| LookupError::Other(error.to_string().into()))?;
    labels.set_fqdn(true);
    Ok(labels)
}

/// `None` where a label holds a dot or an octet outside ASCII.
fn from_hickory(name: &rr::Name) -> Option<Name> {
    let mut text = String::with_capacity(name.len());
    for label in name.iter() {
        if !label.is_ascii() || label.contains(&b'.') {
            return None;
        }
        text.push_str(std::str::from_utf8(label).ok()?);
        text.push('.');
    }
    if text.is_empty() { Some(Name::root()) } else { Name::parse(&text).ok() }
}

impl Resolver for Hickory {
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
        self.look_up(name, |data| match data {
            RData::TXT(txt) => Some(txt.txt_data.concat().into()),
            _ => None,
        })
    }
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
        self.look_up(name, |data| match data {
            RData::A(ip) => Some(ip.0),
            _ => None,
        })
    }
    fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
        self.look_up(name, |data| match data {
            RData::AAAA(ip) => Some(ip.0),
            _ => None,
        })
    }
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
        self.look_up(name, |data| match data {
            RData::MX(mx) => Some(Mx { preference: mx.preference, exchange: from_hickory(&mx.exchange)? }),
            _ => None,
        })
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        let read = |data: &RData| match data {
            RData::PTR(name) => from_hickory(&name.0),
            _ => None,
        };
        self.look_up(&reverse_name(ip), read).await
    }
    async fn within<F: Future + Send>(&self, limit: Duration, question: F) -> Option<F::Output>
    where
        F::Output: Send,
    {
        match Handle::try_current() {
            Ok(_) => tokio::time::timeout(limit, question).await.ok(),
            // Nothing is waited for where nothing can be asked.
            Err(_) => Some(question.await),
        }
    }
    fn at_hand(&self, question: &Question) -> Option<AnyLookup> {
        self.cache.recall(question, Instant::now()).map(Ok)
    }
}
