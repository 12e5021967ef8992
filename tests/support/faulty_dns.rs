//! A DNS server of our own on the loopback interface, which answers from a zone, but goes wrong in a chosen way when it is asked a
//! chosen question. It writes its packets octet by octet, so that it can write those that no library would.

use super::dns_server::sockets;
use mailverdict::{
    dns::{Answer, Details, LookupError, Resolver, Zone},
    name::Name,
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};

/// What goes wrong. The words are those of docs/dns-faults.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    NxDomain,
    NoData,
    EmptyAnswer,
    Code(u8),
    FailsOnce,
    NoAnswer,
    Late(Duration),
    TruncatedThenTcp,
    TcpRefused,
    TruncatedOverTcp,
    TcpBreaksOff,
    TcpSilent,
    Dies,
    WrongId,
    WrongQuestion,
    WrongIdFirst,
    Garbage,
    OtherRecords,
    Referral,
    CnameChain(usize),
    CnameCircle,
    CnameNowhere,
    CnameUnfinished,
    Big,
    TtlZero,
    TtlHighBit,
    /// The largest that there is.
    TtlLargest,
    /// The name is not there, and the TTL of the SOA record has its highest bit set.
    NegativeTtlHighBit,
    /// The same with the field MINIMUM of the SOA record.
    MinimumHighBit,
    /// An alias whose TTL has its highest bit set.
    AliasTtlHighBit,
    /// The answer lives a second, and the name is gone when it is asked for again.
    Brief,
    /// MX records for a label with a dot, one with an octet outside ASCII, and one without fault.
    OddNames,
    /// An alias to a label with a dot, which is an alias to the records.
    OddAlias,
    /// Whatever the question.
    Silent,
}

impl Fault {
    pub fn named(words: &str) -> Option<Self> {
        Some(match words {
            "none" => Self::None,
            "NXDOMAIN" => Self::NxDomain,
            "NODATA" => Self::NoData,
            "empty answer, without an SOA record" => Self::EmptyAnswer,
            "SERVFAIL" => Self::Code(2),
            "SERVFAIL once" => Self::FailsOnce,
            "REFUSED" => Self::Code(5),
            "FORMERR" => Self::Code(1),
            "NOTIMP" => Self::Code(4),
            "an unknown code" => Self::Code(11),
            "no answer" => Self::NoAnswer,
            "late answer, within the limit" => Self::Late(Duration::from_millis(200)),
            "late answer, after the limit" => Self::Late(Duration::from_secs(10)),
            "truncated, then TCP" => Self::TruncatedThenTcp,
            "truncated, TCP refused" => Self::TcpRefused,
            "truncated, over TCP as well" => Self::TruncatedOverTcp,
            "truncated, TCP breaks off half way" => Self::TcpBreaksOff,
            "truncated, TCP silent" => Self::TcpSilent,
            "the server dies at this question" => Self::Dies,
            "wrong id" => Self::WrongId,
            "wrong id first, then the answer" => Self::WrongIdFirst,
            "answer to another question" => Self::WrongQuestion,
            "octets that are no message" => Self::Garbage,
            "records of another name" => Self::OtherRecords,
            "referral to other servers" => Self::Referral,
            "chain of 16 CNAMEs" => Self::CnameChain(16),
            "chain of 17 CNAMEs" => Self::CnameChain(17),
            "CNAMEs in a circle" => Self::CnameCircle,
            "CNAME to a name that does not exist" => Self::CnameNowhere,
            "CNAME alone, its target has to be asked for" => Self::CnameUnfinished,
            "TXT of 60 kB" => Self::Big,
            "TTL 0" => Self::TtlZero,
            "TTL with its highest bit set (RFC 2181 §8: as 0)" => Self::TtlHighBit,
            _ => return None,
        })
    }
}

/// Answers until it is dropped.
pub struct FaultyDns {
    pub address: SocketAddr,
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

struct State {
    zone: Zone,
    fault: Fault,
    /// `name TYPE`.
    at: String,
    asked: Mutex<Vec<String>>,
}

impl FaultyDns {
    /// Never answers.
    pub async fn silent() -> Self {
        Self::start(Zone::new(), Fault::Silent, "").await
    }

    pub async fn start(zone: Zone, fault: Fault, at: &str) -> Self {
        let (udp, tcp) = sockets().await;
        let address = udp.local_addr().unwrap();
        let state = Arc::new(State { zone, fault, at: at.to_owned(), asked: Mutex::default() });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, Arc::clone(&state)));
        if fault != Fault::TcpRefused {
            tasks.spawn(serve_tcp(tcp, Arc::clone(&state)));
        }
        Self { address, state, _tasks: tasks }
    }

    /// The questions that came, in their order, with `(TCP)` where they came over TCP.
    pub fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().clone()
    }
}

async fn serve_udp(socket: UdpSocket, state: Arc<State>) {
    let socket = Arc::new(socket);
    let mut tasks = JoinSet::new();
    let mut buffer = [0; 4096];
    while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
        let (query, state, socket) = (buffer[..len].to_vec(), Arc::clone(&state), Arc::clone(&socket));
        tasks.spawn(async move {
            for answer in state.respond(&query, false).await {
                let _ = socket.send_to(&answer, from).await;
            }
        });
    }
}

async fn serve_tcp(listener: TcpListener, state: Arc<State>) {
    let mut tasks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tasks.spawn(async move {
            let _ = serve_stream(stream, &state).await;
        });
    }
}

async fn serve_stream(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    loop {
        let mut query = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut query).await?;
        for answer in state.respond(&query, true).await {
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await?;
            if state.fault == Fault::TcpBreaksOff && state.at == Query::read(&query).question() {
                stream.write_all(&answer[..answer.len() / 2]).await?;
                return Ok(());
            }
            stream.write_all(&answer).await?;
        }
    }
}

/// A query, as far as it is needed.
struct Query<'q> {
    id: [u8; 2],
    name: String,
    kind: u16,
    /// The question section.
    section: &'q [u8],
}

impl<'q> Query<'q> {
    fn read(octets: &'q [u8]) -> Self {
        let (mut at, mut name) = (12, String::new());
        while octets[at] > 0 {
            let end = at + 1 + usize::from(octets[at]);
            name += std::str::from_utf8(&octets[at + 1..end]).unwrap();
            name.push('.');
            at = end;
        }
        Self {
            id: [octets[0], octets[1]],
            name: name.trim_end_matches('.').to_ascii_lowercase(),
            kind: u16::from_be_bytes([octets[at + 1], octets[at + 2]]),
            section: &octets[12..at + 5],
        }
    }

    fn question(&self) -> String {
        let kind = match self.kind {
            1 => "A",
            12 => "PTR",
            15 => "MX",
            16 => "TXT",
            28 => "AAAA",
            other => panic!("type {other}"),
        };
        format!("{} {kind}", self.name)
    }
}

/// What goes into a response.
#[derive(Default)]
struct Response {
    truncated: bool,
    code: u8,
    answers: Vec<Vec<u8>>,
    authorities: Vec<Vec<u8>>,
}

impl Response {
    fn write(&self, id: [u8; 2], section: &[u8]) -> Vec<u8> {
        let count = |records: &[Vec<u8>]| u16::try_from(records.len()).unwrap().to_be_bytes();
        let mut out = id.to_vec();
        out.extend([0x84 | if self.truncated { 2 } else { 0 }, 0x80 | self.code]);
        out.extend([[0, 1], count(&self.answers), count(&self.authorities), [0, 0]].concat());
        out.extend(section);
        self.answers.iter().chain(&self.authorities).for_each(|record| out.extend(record));
        out
    }
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len()).unwrap());
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}

fn record(owner: &str, kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut out = wire_name(owner);
    out.extend(kind.to_be_bytes());
    out.extend(1_u16.to_be_bytes());
    out.extend(ttl.to_be_bytes());
    out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    out.extend(data);
    out
}

fn txt_data(text: &[u8]) -> Vec<u8> {
    text.chunks(255).flat_map(|string| [&[u8::try_from(string.len()).unwrap()], string].concat()).collect()
}

/// Emptiness has an SOA record (RFC 2308 §2), here that of the root.
fn soa() -> Vec<u8> {
    soa_with(60, 60)
}

fn soa_with(ttl: u32, minimum: u32) -> Vec<u8> {
    let numbers = [1_u32, 60, 60, 60, minimum].map(u32::to_be_bytes).concat();
    record("", 6, ttl, &[vec![0, 0], numbers].concat())
}

/// RFC 2181 §8: treated as zero.
const HIGHEST_BIT: u32 = 0x8000_003c;

/// The same text, made long without a change of its meaning.
fn blown_up(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(text.to_vec()).unwrap();
    let long = match text.split_once(' ') {
        Some(("v=spf1", terms)) => format!("v=spf1 {}{terms}", "ip4:198.51.100.1 ".repeat(3500)),
        _ => format!("{text}; note={}", "x".repeat(60_000)),
    };
    long.into_bytes()
}

impl State {
    /// The packets that answer a query, when it is time to send them.
    async fn respond(&self, octets: &[u8], over_tcp: bool) -> Vec<Vec<u8>> {
        let query = Query::read(octets);
        let question = query.question();
        let times = {
            let mut asked = self.asked.lock().unwrap();
            let died = self.fault == Fault::Dies && asked.contains(&self.at);
            asked.push(if over_tcp { format!("{question} (TCP)") } else { question.clone() });
            if died || self.fault == Fault::Silent {
                return Vec::new();
            }
            asked.iter().filter(|asked| **asked == question).count()
        };
        let owner = &query.name;
        let fault = if question == self.at { self.fault } else { Fault::None };
        let ttl = match fault {
            Fault::TtlZero => 0,
            Fault::TtlHighBit => HIGHEST_BIT,
            Fault::TtlLargest => i32::MAX.cast_unsigned(),
            Fault::Brief => 1,
            _ => 60,
        };
        let mut response = self.honest(owner, &query, ttl).await;
        let (mut id, mut section) = (query.id, query.section.to_vec());
        let first_only = |fault| if times == 1 { fault } else { Fault::None };
        match if fault == Fault::FailsOnce { first_only(Fault::Code(2)) } else { fault } {
            Fault::None
            | Fault::TtlZero
            | Fault::TtlHighBit
            | Fault::TtlLargest
            | Fault::FailsOnce
            | Fault::WrongIdFirst => {}
            Fault::Brief if times == 1 => {}
            Fault::NxDomain | Fault::Brief => {
                response = Response { code: 3, authorities: vec![soa()], ..Response::default() }
            }
            Fault::NegativeTtlHighBit | Fault::MinimumHighBit => {
                let (ttl, minimum) = if fault == Fault::MinimumHighBit { (60, HIGHEST_BIT) } else { (HIGHEST_BIT, 60) };
                response = Response { code: 3, authorities: vec![soa_with(ttl, minimum)], ..Response::default() };
            }
            Fault::AliasTtlHighBit => {
                let answers = vec![record(owner, 5, HIGHEST_BIT, &wire_name("target.example"))];
                response.answers =
                    answers.into_iter().chain(self.honest("target.example", &query, 60).await.answers).collect();
            }
            Fault::NoData => response = Response { authorities: vec![soa()], ..Response::default() },
            Fault::EmptyAnswer => response = Response::default(),
            Fault::Code(code) => response = Response { code, ..Response::default() },
            Fault::NoAnswer | Fault::Dies | Fault::Silent => return Vec::new(),
            Fault::OddNames => {
                let odd =
                    [&b"\x03a.b\x07example\x00"[..], b"\x02\xc3\xa4\x07example\x00", &wire_name("mail.example.com")];
                let data = odd.map(|exchange| [&[0, 10], exchange].concat());
                response.answers = data.iter().map(|data| record(owner, 15, 60, data)).collect();
            }
            Fault::OddAlias => {
                let odd = b"\x03a.b\x07example\x00";
                let second = [odd, &record("", 5, 60, &wire_name("target.example"))[1..]].concat();
                response.answers = vec![record(owner, 5, 60, odd), second];
                response.answers.extend(self.honest("target.example", &query, 60).await.answers);
            }
            Fault::Late(delay) => tokio::time::sleep(delay).await,
            Fault::TruncatedThenTcp | Fault::TcpRefused | Fault::TcpBreaksOff if over_tcp => {}
            Fault::TcpSilent if over_tcp => return Vec::new(),
            Fault::TruncatedThenTcp | Fault::TcpRefused | Fault::TcpBreaksOff | Fault::TcpSilent => {
                response = Response { truncated: true, ..Response::default() };
            }
            Fault::TruncatedOverTcp => response = Response { truncated: true, ..Response::default() },
            Fault::WrongId => id[0] ^= 0x55,
            Fault::WrongQuestion => section = [wire_name("other.example"), vec![0, 16, 0, 1]].concat(),
            // Says that a record follows, and ends.
            Fault::Garbage => return vec![[&id[..], &[0x84, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], &section].concat()],
            Fault::OtherRecords => response.answers = vec![record("other.example", 16, 60, &txt_data(b"v=spf1 +all"))],
            Fault::Referral => {
                let authorities = vec![record("example.com", 2, 60, &wire_name("ns.example.net"))];
                response = Response { authorities, ..Response::default() };
            }
            Fault::CnameChain(len) => self.alias(&mut response, owner, &query, len).await,
            Fault::CnameCircle => {
                response.answers =
                    vec![record(owner, 5, 60, &wire_name("c.example")), record("c.example", 5, 60, &wire_name(owner))];
            }
            Fault::CnameNowhere => {
                let answers = vec![record(owner, 5, 60, &wire_name("nowhere.example"))];
                response = Response { code: 3, answers, authorities: vec![soa()], ..Response::default() };
            }
            // The chain stops at a name for which the honest answer is asked for by itself.
            Fault::CnameUnfinished => {
                let answers = vec![record(owner, 5, 60, &wire_name(&format!("target.{owner}")))];
                response = Response { answers, ..Response::default() };
            }
            Fault::Big => {
                let texts = self.zone.txt(&Name::parse(owner).unwrap()).await.unwrap();
                let long = texts.records().iter().map(|text| record(owner, 16, 60, &txt_data(&blown_up(text))));
                response.answers = long.collect();
            }
        }
        let packet = response.write(id, &section);
        if !over_tcp && packet.len() > 1232 {
            return vec![Response { truncated: true, ..Response::default() }.write(id, &section)];
        }
        if fault == Fault::WrongIdFirst {
            return vec![response.write([id[0] ^ 0x55, id[1]], &section), packet];
        }
        vec![packet]
    }

    /// The records move to the end of a chain of aliases.
    async fn alias(&self, response: &mut Response, owner: &str, query: &Query<'_>, len: usize) {
        let name = |place: usize| if place == 0 { owner.to_owned() } else { format!("c{place}.example") };
        let chain = (0..len).map(|place| record(&name(place), 5, 60, &wire_name(&name(place + 1))));
        response.answers = chain.chain(self.honest(&name(len), query, 60).await.answers).collect();
    }

    /// What the zone says about a query, under this owner name.
    async fn honest(&self, owner: &str, query: &Query<'_>, ttl: u32) -> Response {
        let name = Name::parse(query.name.strip_prefix("target.").unwrap_or(&query.name)).unwrap();
        let data = match query.kind {
            16 => wire(self.zone.txt(&name).await, |text| txt_data(text)),
            1 => wire(self.zone.a(&name).await, |ip| ip.octets().to_vec()),
            28 => wire(self.zone.aaaa(&name).await, |ip| ip.octets().to_vec()),
            15 => wire(self.zone.mx(&name).await, |mx| {
                [mx.preference.to_be_bytes().to_vec(), wire_name(mx.exchange.as_str())].concat()
            }),
            _ => Ok(Answer::NxDomain(Details::default())),
        };
        match data {
            Ok(Answer::Records(data)) => {
                let answers = data.iter().map(|data| record(owner, query.kind, ttl, data)).collect();
                Response { answers, ..Response::default() }
            }
            Ok(Answer::NoData(_)) => Response { authorities: vec![soa()], ..Response::default() },
            Ok(Answer::NxDomain(_)) => Response { code: 3, authorities: vec![soa()], ..Response::default() },
            Err(_) => Response { code: 2, ..Response::default() },
        }
    }
}

fn wire<T>(
    answer: Result<Answer<T>, LookupError>,
    data: impl Fn(&T) -> Vec<u8>,
) -> Result<Answer<Vec<u8>>, LookupError> {
    Ok(match answer? {
        Answer::Records(records) => Answer::Records(records.iter().map(data).collect()),
        Answer::NoData(details) => Answer::NoData(details),
        Answer::NxDomain(details) => Answer::NxDomain(details),
    })
}
