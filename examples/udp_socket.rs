//! A verdict over a UDP socket, without a runtime: one loop sends what is asked, and puts in what comes back.
//!
//! `cargo run --example udp_socket -- 127.0.0.1:53 192.0.2.1 alice@contoso.com message.eml`
//!
//! The octets of the DNS are hickory's business here; any other crate for them will do. What is left out is what a resolver has beside:
//! a cache, TCP where an answer is truncated, several servers, asking again, and telling aliases and TTLs for the log.

use hickory_server::proto::{
    op::{Edns, Message as DnsMessage, MessageType, OpCode, Query, ResponseCode},
    rr::{self, RData},
};
use mailverdict::{
    Evaluation, Message, Policy, Progress, Session, Verdict,
    dns::{Answer, AnyAnswer, AnyLookup, Details, LookupError, Mx, Question, RecordType},
    name::Name,
};
use std::{
    collections::HashMap,
    error::Error,
    hash::{BuildHasher as _, RandomState},
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr, UdpSocket},
    time::Instant,
};

/// The verdict on a message, with the answers of one server that follows aliases and asks others itself.
///
/// # Errors
/// Where the socket cannot be used.
pub fn evaluate(
    server: SocketAddr,
    policy: &Policy,
    session: Session,
    message: &Message<'_>,
) -> Result<Verdict, Box<dyn Error>> {
    let any_port: SocketAddr = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse()?;
    let socket = UdpSocket::bind(any_port)?;
    // From now on nobody else's datagrams arrive.
    socket.connect(server)?;
    let deadline = Instant::now() + policy.time_limit;
    let mut evaluation = Evaluation::new(policy, session);
    evaluation.message(message);
    let mut open: HashMap<u16, Question> = HashMap::new();
    let mut buffer = [0; 65_535];
    loop {
        match evaluation.advance() {
            Progress::Verdict(verdict) => return Ok(*verdict),
            Progress::WantsMessage => return Err("it has all of the message".into()),
            // All that can be asked by now goes out at once.
            Progress::Asks(questions) => {
                for question in questions {
                    let id = unused_id(&open);
                    socket.send(&query(id, &question)?)?;
                    open.insert(id, question);
                }
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            evaluation.time_is_up();
            continue;
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut buffer) {
            Ok(octets) => {
                // What is no answer to an open question is passed over.
                let response = buffer.get(..octets).map(DnsMessage::from_vec);
                let Some(Ok(response)) = response else { continue };
                if let Some(question) = open.remove(&response.metadata.id) {
                    evaluation.answer(&question, answer(&question, &response));
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                evaluation.time_is_up()
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// One that nobody can guess.
fn unused_id(open: &HashMap<u16, Question>) -> u16 {
    loop {
        let [low, high, ..] = RandomState::new().hash_one(open.len()).to_le_bytes();
        let id = u16::from_le_bytes([low, high]);
        if !open.contains_key(&id) {
            return id;
        }
    }
}

fn wire_type(record_type: RecordType) -> rr::RecordType {
    match record_type {
        RecordType::Txt => rr::RecordType::TXT,
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
        RecordType::Mx => rr::RecordType::MX,
        RecordType::Ptr => rr::RecordType::PTR,
    }
}

fn query(id: u16, question: &Question) -> Result<Vec<u8>, Box<dyn Error>> {
    // By labels, so that nothing in them is an escape.
    let mut name = rr::Name::from_labels(question.name.labels().map(str::as_bytes))?;
    name.set_fqdn(true);
    let mut message = DnsMessage::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    // RFC 6891: keys are longer than the 512 octets of a plain answer.
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    message.set_edns(edns);
    message.add_query(Query::query(name, wire_type(question.record_type)));
    Ok(message.to_vec()?)
}

fn answer(question: &Question, response: &DnsMessage) -> AnyLookup {
    match response.metadata.response_code {
        _ if response.metadata.truncation => Err(LookupError::Other("the answer was truncated".into())),
        ResponseCode::NoError => Ok(match question.record_type {
            RecordType::Txt => AnyAnswer::Txt(records(response, |data| match data {
                RData::TXT(txt) => Some(txt.txt_data.concat().into()),
                _ => None,
            })),
            RecordType::A => AnyAnswer::A(records(response, |data| match data {
                RData::A(ip) => Some(ip.0),
                _ => None,
            })),
            RecordType::Aaaa => AnyAnswer::Aaaa(records(response, |data| match data {
                RData::AAAA(ip) => Some(ip.0),
                _ => None,
            })),
            RecordType::Mx => AnyAnswer::Mx(records(response, |data| match data {
                RData::MX(mx) => Some(Mx { preference: mx.preference, exchange: name(&mx.exchange)? }),
                _ => None,
            })),
            RecordType::Ptr => AnyAnswer::Ptr(records(response, |data| match data {
                RData::PTR(target) => name(&target.0),
                _ => None,
            })),
        }),
        ResponseCode::NXDomain => Ok(match question.record_type {
            RecordType::Txt => AnyAnswer::Txt(Answer::NxDomain(Details::default())),
            RecordType::A => AnyAnswer::A(Answer::NxDomain(Details::default())),
            RecordType::Aaaa => AnyAnswer::Aaaa(Answer::NxDomain(Details::default())),
            RecordType::Mx => AnyAnswer::Mx(Answer::NxDomain(Details::default())),
            RecordType::Ptr => AnyAnswer::Ptr(Answer::NxDomain(Details::default())),
        }),
        ResponseCode::ServFail => Err(LookupError::ServerFailure),
        ResponseCode::Refused => Err(LookupError::Refused),
        code => Err(LookupError::Other(format!("the server answered with code {}", u16::from(code)).into())),
    }
}

fn records<T>(response: &DnsMessage, read: impl Fn(&RData) -> Option<T>) -> Answer<T> {
    let records: Vec<T> = response.answers.iter().filter_map(|record| read(&record.data)).collect();
    if records.is_empty() { Answer::NoData(Details::default()) } else { Answer::Records(records.into()) }
}

fn name(name: &rr::Name) -> Option<Name> {
    Name::parse(&name.to_ascii()).ok()
}

#[allow(dead_code, reason = "a test calls the function above")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, ip, mail_from, file] = &arguments[..] else {
        return Err("udp_socket SERVER:PORT CLIENT_IP MAIL_FROM MESSAGE".into());
    };
    let octets = std::fs::read(file).map_err(|error| io::Error::new(error.kind(), format!("{file}: {error}")))?;
    let session = Session::new(ip.parse::<IpAddr>()?).with_mail_from(mail_from);
    let verdict = evaluate(server.parse()?, &Policy::default(), session, &Message::parse(&octets)?)?;
    println!("{}", verdict.to_header_field("localhost").trim_end());
    Ok(())
}
