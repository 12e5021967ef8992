//! One `Authenticator` shared by threads: `cargo bench --bench threads`.
//!
//! Every thread evaluates the same message of 2 kB, so that all want the same remembered records and keys at the same time. Where a
//! memory makes threads wait for each other, messages a second stay behind the number of threads; where they only disturb each
//! other's caches, a message costs more time of the processor. The second figure means something on a busy machine as well.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code)]
#[path = "../tests/support/signer.rs"]
mod signer;

use mailverdict::{Authenticator, Message, Session, dns::Zone};
use signer::{Key, SignOptions, signed};
use std::{
    net::Ipv4Addr,
    pin::pin,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

const ROUNDS: usize = 21;
const TURN: Duration = Duration::from_millis(100);

const ZONE: &str = r#"
contoso.com.                 TXT  "v=spf1 include:spf.protection.outlook.com -all"
spf.protection.outlook.com.  TXT  "v=spf1 ip4:192.0.2.0/28 ip4:198.51.100.32/28 ip6:2001:db8:f400::/48 -all"
_dmarc.contoso.com.          TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@contoso.com"
"#;

/// About 2 kB, one signature.
fn message() -> Vec<u8> {
    let header = "From: Alice <alice@contoso.com>\r\nTo: Bob <bob@example.net>\r\nSubject: Lunch\r\n\
        Date: Mon, 2 Mar 2026 09:00:00 +0000\r\n\r\n";
    let body = "The meeting of the customer is between Monday and the quarter,  as ever.\r\n".repeat(18);
    let template =
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d=contoso.com; s=rsa2048; h=From:To:Subject:Date; bh={bh}; b={b}";
    signed((header.to_owned() + &body).as_bytes(), &SignOptions::dkim(template), &Key::named("rsa2048"))
}

fn evaluate(authenticator: &Authenticator<Zone>, raw: &[u8], session: &Session) {
    let message = Message::parse(raw).unwrap();
    let verdict = pin!(authenticator.authenticate(&message, session.clone()));
    match verdict.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => assert_eq!(verdict.dmarc.result.keyword(), "pass"),
        Poll::Pending => panic!("a zone in memory made someone wait"),
    }
}

/// Messages, and the time that they took: of the clock, or of the processor.
#[derive(Clone, Copy, Default)]
struct Turn {
    messages: f64,
    seconds: f64,
    processor_seconds: f64,
}

impl Turn {
    fn messages_a_second(&self) -> f64 {
        self.messages / self.seconds
    }
    fn processor_microseconds(&self) -> f64 {
        self.processor_seconds * 1e6 / self.messages
    }
}

/// How long this thread has been on a processor.
fn processor_time() -> Option<Duration> {
    // The kernel brings the count up to date when the thread gives way.
    thread::yield_now();
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    counts.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn turn(threads: usize, evaluate: &(impl Fn() + Sync)) -> Turn {
    let (start, stop) = (Barrier::new(threads + 1), AtomicBool::new(false));
    thread::scope(|scope| {
        let work = || {
            evaluate();
            start.wait();
            let (clock, before) = (Instant::now(), processor_time());
            let mut messages = 0.0;
            while !stop.load(Ordering::Relaxed) {
                (0..16).for_each(|_| evaluate());
                messages += 16.0;
            }
            let seconds = clock.elapsed().as_secs_f64();
            let processor = processor_time().zip(before).map(|(after, before)| (after - before).as_secs_f64());
            Turn { messages, seconds, processor_seconds: processor.unwrap_or(seconds) }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        start.wait();
        thread::sleep(TURN);
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().map(|worker| worker.join().unwrap()).fold(Turn::default(), |sum, one| Turn {
            messages: sum.messages + one.messages,
            seconds: sum.seconds.max(one.seconds),
            processor_seconds: sum.processor_seconds + one.processor_seconds,
        })
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let mut zone = Zone::parse(ZONE, "threads.zone").unwrap();
    zone.add_txt(&"rsa2048._domainkey.contoso.com".parse().unwrap(), Key::named("rsa2048").record().into_bytes());
    let authenticator = Authenticator::new(zone);
    let session = Session::new(Ipv4Addr::new(198, 51, 100, 40)).with_mail_from("alice@contoso.com");
    let raw = message();
    let shared = || evaluate(&authenticator, &raw, &session);

    let counts: Vec<usize> = (1..=thread::available_parallelism().map_or(2, usize::from).max(2)).collect();
    let mut turns = vec![Vec::new(); counts.len()];
    for _ in 0..ROUNDS {
        for (threads, turns) in counts.iter().zip(&mut turns) {
            turns.push(turn(*threads, &shared));
        }
    }
    println!("| threads | messages a second | of one thread's | processor time a message | of one thread's |");
    println!("|--:|--:|--:|--:|--:|");
    let of = |turns: &[Turn], figure: fn(&Turn) -> f64| median(turns.iter().map(figure).collect());
    // Round by round, so that what slows a whole round falls out.
    let ratio = |turns: &[Turn], single: &[Turn], figure: fn(&Turn) -> f64| {
        median(turns.iter().zip(single).map(|(turn, single)| figure(turn) / figure(single)).collect())
    };
    for (threads, of_count) in counts.iter().zip(&turns) {
        println!(
            "| {threads} | {:.0} | {:.2} | {:.1} µs | {:.2} |",
            of(of_count, Turn::messages_a_second),
            ratio(of_count, &turns[0], Turn::messages_a_second),
            of(of_count, Turn::processor_microseconds),
            ratio(of_count, &turns[0], Turn::processor_microseconds),
        );
    }
}
