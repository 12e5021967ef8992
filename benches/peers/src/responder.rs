//! A DNS server on the loopback interface that takes its time.

use crate::zone::Zone;
use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// What each answer takes.
pub const ANSWER: Duration = Duration::from_millis(20);

/// Answers as long as the process lives.
pub struct Responder {
    pub address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Responder {
    /// Answers each question from the zone, 20 ms after it came.
    pub fn start(zone: Zone) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = socket.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let (put, take) = mpsc::channel::<(Instant, SocketAddr, Vec<u8>)>();
        let (out, count) = (socket.try_clone().expect("the same socket"), Arc::clone(&asked));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((len, from)) = socket.recv_from(&mut buffer) {
                count.fetch_add(1, Ordering::Relaxed);
                let due = Instant::now() + ANSWER;
                if put.send((due, from, respond(&zone, &buffer[..len]))).is_err() {
                    return;
                }
            }
        });
        // All wait equally long, so that who came first is due first.
        thread::spawn(move || {
            for (due, to, answer) in take {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                out.send_to(&answer, to).expect("a datagram is sent");
            }
        });
        Self { address, asked }
    }

    /// How many questions there were since the last call.
    pub fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

const A: u16 = 1;
const SOA: u16 = 6;
const MX: u16 = 15;
const TXT: u16 = 16;

/// The response to a query (RFC 1035 §4.1).
fn respond(zone: &Zone, query: &[u8]) -> Vec<u8> {
    let (mut at, mut name) = (12, String::new());
    while query[at] > 0 {
        let end = at + 1 + usize::from(query[at]);
        name += std::str::from_utf8(&query[at + 1..end]).expect("ASCII");
        name.push('.');
        at = end;
    }
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let data: Vec<Vec<u8>> = match kind {
        A => zone.a.get(&name).into_iter().flatten().map(|address| address.octets().to_vec()).collect(),
        MX => zone.mx.get(&name).into_iter().flatten().map(|host| [vec![0, 10], wire_name(host)].concat()).collect(),
        TXT => zone.txt.get(&name).into_iter().map(|text| strings(text)).collect(),
        _ => Vec::new(),
    };
    let below = format!(".{name}");
    let mut names = zone.txt.keys().chain(zone.a.keys()).chain(zone.mx.keys());
    let exists = names.any(|known| *known == name || known.ends_with(&below));
    let mut out = query[..2].to_vec();
    // An authoritative response, recursion available; NXDOMAIN where there is no such name.
    out.extend([0x84, if exists { 0x80 } else { 0x83 }, 0, 1]);
    out.extend(u16::try_from(data.len()).expect("few records").to_be_bytes());
    out.extend([0, u8::from(data.is_empty()), 0, 0]);
    out.extend(&query[12..at + 5]);
    for data in &data {
        out.extend(record([0xc0, 12].into(), kind, data));
    }
    if data.is_empty() {
        // RFC 2308 §2: emptiness has an SOA record, here that of the root.
        out.extend(record(
            vec![0],
            SOA,
            &[vec![0, 0], [1_u32, 60, 60, 60, 60].map(u32::to_be_bytes).concat()].concat(),
        ));
    }
    out
}

fn record(owner: Vec<u8>, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut out = owner;
    out.extend(kind.to_be_bytes());
    out.extend([0, 1, 0, 0, 0, 60]);
    out.extend(u16::try_from(data.len()).expect("a short record").to_be_bytes());
    out.extend(data);
    out
}

fn strings(text: &str) -> Vec<u8> {
    let string = |part: &[u8]| [&[u8::try_from(part.len()).expect("at most 255")], part].concat();
    text.as_bytes().chunks(255).flat_map(string).collect()
}

fn wire_name(name: &str) -> Vec<u8> {
    let label = |label: &str| [&[u8::try_from(label.len()).expect("at most 63")], label.as_bytes()].concat();
    name.split('.').flat_map(label).chain([0]).collect()
}
