//! The DNS, asked through hickory at servers on the loopback interface.
#![cfg(feature = "hickory")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    dns::{Answer, Hickory, Lookup, LookupError, Resolver, Zone},
    name::Name,
};
use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};
use support::dns_server::DnsServer;

/// An answer in words, the records in an order of their own.
fn show<T>(lookup: Lookup<T>, record: impl Fn(&T) -> String) -> String {
    match lookup {
        Ok(Answer::NoData) => "nodata".into(),
        Ok(Answer::NxDomain) => "nxdomain".into(),
        Ok(Answer::Records(records)) => {
            let mut records: Vec<_> = records.iter().map(record).collect();
            records.sort();
            records.join(" | ")
        }
        Err(error) => error.to_string(),
    }
}

/// Asks `name TYPE`.
async fn ask<R: Resolver>(resolver: &R, question: &str) -> String {
    let (name, record_type) = question.rsplit_once(' ').unwrap();
    if record_type == "PTR" {
        return show(resolver.ptr(name.parse().unwrap()).await, ToString::to_string);
    }
    let name = Name::parse(name).unwrap();
    match record_type {
        "TXT" => show(resolver.txt(&name).await, |text| text.escape_ascii().to_string()),
        "A" => show(resolver.a(&name).await, ToString::to_string),
        "AAAA" => show(resolver.aaaa(&name).await, ToString::to_string),
        "MX" => show(resolver.mx(&name).await, |mx| format!("{} {}", mx.preference, mx.exchange)),
        other => panic!("unknown type {other}"),
    }
}

/// A zone with all that mail authentication asks for, and texts that do not fit a datagram.
fn zone() -> String {
    let mut zone = String::from(include_str!("data/dns/server.db"));
    for (owner, strings) in [("kb4", 16), ("kb64", 255)] {
        writeln!(zone, "{owner}.example.com. TXT (").unwrap();
        for string in 0..strings {
            writeln!(zone, "  \"{}\"", format!("{string:03}.").repeat(63)).unwrap();
        }
        zone.push_str(")\n");
    }
    zone
}

/// Each with its answer, which has to be the same from memory and over the wire.
const QUESTIONS: [(&str, &str); 20] = [
    ("example.com TXT", "other text | v=spf1 mx -all"),
    ("example.com MX", "10 mail.example.com | 20 mail.example.net"),
    ("example.com A", "nodata"),
    ("mail.example.com A", "192.0.2.1 | 192.0.2.2"),
    ("MAIL.example.com A", "192.0.2.1 | 192.0.2.2"),
    ("mail.example.com AAAA", "2001:db8::1"),
    ("mail.example.com TXT", "nodata"),
    ("gone.example.com A", "nxdomain"),
    ("null.example.com MX", "0 ."),
    ("192.0.2.1 PTR", "mail.example.com"),
    ("192.0.2.9 PTR", "nxdomain"),
    ("2001:db8::1 PTR", "mail.example.com"),
    ("anything.wild.example.com TXT", "v=spf1 -all"),
    ("a.b.wild.example.com TXT", "v=spf1 -all"),
    ("s1._domainkey.example.com TXT", "v=DKIM1; p=AAAABBBB"),
    ("c1.example.com A", "192.0.2.3"),
    ("c1.example.com TXT", "nodata"),
    ("dangling.example.com A", "nxdomain"),
    // Twelve aliases: more than the server gives at once, and more than hickory's own resolver follows.
    ("l1.example.com A", "192.0.2.4"),
    ("circle.example.com A", "the answer is malformed"),
];

#[tokio::test]
async fn a_server_gives_the_answers_of_the_zone_in_memory() {
    let text = zone();
    let memory = Zone::parse(&text, "server.db").unwrap();
    let server = DnsServer::start(&text).await;
    let hickory = Hickory::server(server.address).unwrap();
    let mut failed = String::new();
    // The second round is answered from what was kept.
    for round in 1..=2 {
        for (question, wanted) in QUESTIONS {
            for (source, answer) in
                [("memory", ask(&memory, question).await), ("hickory", ask(&hickory, question).await)]
            {
                if answer != wanted {
                    writeln!(failed, "  {question} from {source}, round {round}: {answer}\n    wanted: {wanted}")
                        .unwrap();
                }
            }
        }
    }
    println!("{} questions", QUESTIONS.len());
    assert!(failed.is_empty(), "\n{failed}");
}

#[tokio::test]
async fn a_text_that_fits_no_datagram_comes_over_tcp() {
    let text = zone();
    let memory = Zone::parse(&text, "server.db").unwrap();
    let server = DnsServer::start(&text).await;
    let hickory = Hickory::server(server.address).unwrap();
    for (question, octets) in [("kb4.example.com TXT", 16 * 252), ("kb64.example.com TXT", 255 * 252)] {
        let answer = ask(&hickory, question).await;
        assert_eq!(answer.len(), octets);
        assert!(answer == ask(&memory, question).await, "{question} differs");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_soon() {
    // Bound and dropped: nobody listens there.
    let address = support::dns_server::sockets().await.0.local_addr().unwrap();
    let hickory = Hickory::server_with_attempt(address, Duration::from_millis(100)).unwrap();
    let started = Instant::now();
    let answer = hickory.txt(&Name::parse("example.com").unwrap()).await;
    println!("{answer:?} after {:?}", started.elapsed());
    assert!(matches!(answer, Err(LookupError::Other(_) | LookupError::Timeout)), "{answer:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
}
