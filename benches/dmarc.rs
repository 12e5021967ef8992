//! DMARC with its answers in memory: `cargo bench --bench dmarc`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../tests/support/ready.rs"]
mod ready;

use criterion::{Criterion, criterion_group, criterion_main};
use mailverdict::{
    Authenticator, Message, Policy, Session,
    dmarc::{self, Editions, Record, SuffixList},
    dns::Zone,
    message::Header,
    time::UnixTime,
};
use ready::now;
use std::{hint::black_box, net::Ipv4Addr, sync::Arc};

const ZONE: &str = r#"
$ORIGIN example.com.
@       TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc  TXT "v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@example.com!10m; ruf=mailto:f@example.com; fo=1:d:s"
a.b.c.d.e.f.g.h.i.j.k TXT "v=spf1 ip4:192.0.2.1 -all"
"#;

const RECORD: &[u8] =
    b"v=DMARC1; p=reject; sp=reject; pct=100; ruf=mailto:ruf@adatum.com; rua=mailto:rua@adatum.com; fo=0:1:d:s; \
    rf=afrf; ri=604800; aspf=s; adkim=s";

fn session(mail_from: &str) -> Session {
    Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from(mail_from).received_at(UnixTime(1_780_000_000))
}

fn benchmarks(c: &mut Criterion) {
    c.bench_function("dmarc/record", |b| b.iter(|| Record::parse(black_box(RECORD)).unwrap()));

    let from = b"From: \"Doe, John (x@example.net)\" (a (nested) comment) <john.doe@mail.example.com>\r\n\r\n";
    let header = Header::parse(from).unwrap();
    c.bench_function("dmarc/author domain", |b| b.iter(|| black_box(&header).authors()));

    let many = format!("From: {}\r\n\r\n", "\"a\" <a@example.com>, ".repeat(10_000));
    let header = Header::parse(many.as_bytes()).unwrap();
    c.bench_function("dmarc/author domain of 10,000 mailboxes", |b| b.iter(|| black_box(&header).authors()));

    // All of a message: SPF, no signature, the tree walk, the decision.
    let zone = Zone::parse(ZONE, "bench.db").unwrap();
    let rfc9989 = Authenticator::new(&zone);
    let mut both = Policy::default();
    both.dmarc = dmarc::Policy::by(Editions::Both(Arc::new(SuffixList::parse("com"))));
    let both = Authenticator::new(&zone).with_policy(both);
    let shallow = Message::parse(b"From: a@example.com\r\nSubject: x\r\n\r\nx\r\n").unwrap();
    let deep = Message::parse(b"From: a@a.b.c.d.e.f.g.h.i.j.k.example.com\r\nSubject: x\r\n\r\nx\r\n").unwrap();
    c.bench_function("dmarc/message, two labels", |b| {
        b.iter(|| now(rfc9989.authenticate(black_box(&shallow), session("a@example.com"))))
    });
    c.bench_function("dmarc/message, two labels, both editions", |b| {
        b.iter(|| now(both.authenticate(black_box(&shallow), session("a@example.com"))))
    });
    c.bench_function("dmarc/message, thirteen labels", |b| {
        b.iter(|| now(rfc9989.authenticate(black_box(&deep), session("a@example.com"))))
    });
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
