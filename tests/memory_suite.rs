//! What is remembered from message to message never shows: an authenticator that has seen much says of a message what a new one says,
//! whatever the zone, the session, the budget, and the answers that are late or have changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/changing.rs"]
mod changing;
mod support;

use changing::{Changing, DOMAINS, Random};
use mailverdict::{
    Authenticator, Message, Policy, Session,
    dmarc::{self, Editions, SuffixList},
    dns::{AnyAnswer, Lookup, Mx, Question, Resolver, Zone},
    name::Name,
    spf::{Observers, SpfReports},
    time::UnixTime,
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, Weak, mpsc},
    time::Duration,
};
use support::ready::drive;

fn check<R: Resolver>(authenticator: &Authenticator<R>, session: &Session) -> SpfReports {
    drive(authenticator.check_spf(session, &mut Observers { helo: (), mail_from: () }))
}

/// Budgets that often end in the midst of an evaluation.
fn tight(random: &mut Random) -> Policy {
    let mut policy = Policy::default();
    policy.budget.questions = random.below(9);
    policy.budget.policy_questions = random.below(7);
    policy.budget.questions_ahead = random.below(5);
    if random.below(2) == 0 {
        policy.budget.octets = random.below(150);
        policy.budget.policy_octets = random.below(100);
    }
    policy
}

fn session(random: &mut Random) -> Session {
    let ip: IpAddr = random.pick(&["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8::1"]).parse().unwrap();
    let mut session = Session::new(ip).received_at(UnixTime(random.below(3) as u64));
    if random.below(3) > 0 {
        let helo = ["a.test", "c.test", "A.test", "b.test.", "x.a.test", "local", "[192.0.2.1]"];
        session = session.with_helo(random.pick(&helo));
    }
    if random.below(3) == 0 {
        session = session.with_receiver("receiver.test");
    }
    let local_part = random.pick(&["u", "u", "v", "ü", "postmaster", "", "q\"x"]);
    let domain = random.pick(&["a.test", "b.test", "x.a.test", "y.x.a.test", "A.TEST", "alias.test", "test"]);
    match random.below(6) {
        0 => session.with_mail_from(""),
        1 => session.with_mail_from(domain),
        2 => session.with_mail_from(&format!("@c.test:{local_part}@{domain}")),
        3 => session,
        _ => session.with_mail_from(&format!("{local_part}@{domain}")),
    }
}

fn message(random: &mut Random) -> String {
    let (path, domain) = (random.pick(&["u", "w"]), random.pick(&["a.test", "z.b.test"]));
    let author = random.pick(&["a.test", "x.a.test", "y.x.a.test", "no.b.test", "A.test"]);
    let second = if random.below(8) == 0 { "From: y@c.test\r\n" } else { "" };
    format!("Return-Path: <{path}@{domain}>\r\nFrom: x@{author}\r\n{second}\r\nbody\r\n")
}

/// How many messages were compared, how many answers confirmed, and what differed.
fn differences(seed: u64, is_tight: bool) -> (usize, usize, Vec<String>) {
    const MESSAGES: usize = 60;
    let mut random = Random::new(seed);
    let dns = Changing::new(&mut random);
    let mut policy = if is_tight { tight(&mut random) } else { Policy::default() };
    let list = Arc::new(SuffixList::parse("test\n"));
    policy.dmarc = dmarc::Policy::by(match random.below(3) {
        0 => Editions::Rfc9989,
        1 => Editions::Rfc7489(list),
        _ => Editions::Both(list),
    });
    let old = Authenticator::new(&dns).with_policy(policy.clone());
    let mut different = Vec::new();
    for step in 0..MESSAGES {
        dns.change(&mut random);
        let (session, text) = (session(&mut random), message(&mut random));
        let message = Message::parse(text.as_bytes()).unwrap();
        let from_memory = drive(old.authenticate(&message, session.clone()));
        let fresh = Authenticator::new(&dns).with_policy(policy.clone());
        let evaluated = drive(fresh.authenticate(&message, session.clone()));
        if from_memory != evaluated {
            different
                .push(format!("seed {seed}, step {step}: {session:?}\n{from_memory:?}\ninstead of\n{evaluated:?}"));
        }
        // DMARC by itself, which has what SPF came to from the start.
        let authors = message.header().authors();
        let alone = |by: &Authenticator<_>| drive(by.check_dmarc(&authors, &evaluated.spf, &evaluated.dkim));
        let (from_memory, fresh) = (alone(&old), Authenticator::new(&dns).with_policy(policy.clone()));
        let evaluated = alone(&fresh);
        if from_memory != evaluated {
            different.push(format!("seed {seed}, step {step}, DMARC: {from_memory:?}\ninstead of\n{evaluated:?}"));
        }
    }
    (MESSAGES, dns.confirmed(), different)
}

#[test]
fn a_verdict_from_memory_is_that_of_a_fresh_evaluation() {
    for is_tight in [false, true] {
        let (mut messages, mut confirmed, mut different) = (0, 0, Vec::new());
        for seed in 1..=40 {
            let (compared, confirmations, differences) = differences(seed, is_tight);
            messages += compared;
            confirmed += confirmations;
            different.extend(differences);
        }
        println!("{messages} messages, {confirmed} answers confirmed");
        assert!(different.is_empty(), "{} of {messages} differ; the first: {}", different.len(), different[0]);
        assert!(confirmed > messages / 2, "{confirmed} answers confirmed for {messages} messages");
    }
}

#[test]
fn helo_draws_on_the_budget_before_a_mail_from_that_is_remembered() {
    let zone = "helo.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"\nfrom.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n";
    let zone = Zone::parse(zone, "a.zone").unwrap();
    let mut policy = Policy::default();
    policy.budget.questions = 1;
    let authenticator = || Authenticator::new(&zone).with_policy(policy.clone());
    let old = authenticator();
    let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from("a@from.example");
    for _ in 0..3 {
        assert_eq!(check(&old, &session).mail_from.unwrap().result.keyword(), "pass");
    }
    let session = session.with_helo("helo.example");
    let reports = check(&old, &session);
    assert_eq!(reports, check(&authenticator(), &session));
    assert_eq!(reports.mail_from.unwrap().result.keyword(), "temperror");
}

#[test]
fn senders_of_320_octets_are_remembered() {
    let domain = format!("{}.from.example", "x".repeat(63));
    let zone = Zone::parse(format!("{domain}. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"), "a.zone").unwrap();
    for (octets, is_remembered) in [(320, true), (321, false)] {
        let authenticator = Authenticator::new(&zone);
        // No longer than a local part may be to be evaluated.
        let sender = format!("{}@{domain}", "x".repeat(octets - 1 - domain.len()));
        let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from(&sender);
        let [_, second, third] = [(); 3].map(|()| check(&authenticator, &session).mail_from.unwrap());
        assert_eq!((&*third.sender, &second), (&*sender, &third));
        assert_eq!(Arc::ptr_eq(&second, &third), is_remembered, "{octets}");
    }
}

#[test]
fn threads_share_what_is_remembered() {
    for seed in 1..=4 {
        let zone = changing::zone(&mut Random::new(seed));
        let old = Authenticator::new(&zone);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (old, zone) = (&old, &zone);
                scope.spawn(move || {
                    let mut random = Random::new(thread + 100);
                    for _ in 0..100 {
                        let text = format!("From: x@{}\r\n\r\nbody\r\n", random.pick(&DOMAINS));
                        let (message, session) = (Message::parse(text.as_bytes()).unwrap(), session(&mut random));
                        let from_memory = drive(old.authenticate(&message, session.clone()));
                        assert_eq!(from_memory, drive(Authenticator::new(zone).authenticate(&message, session)));
                    }
                });
            }
        });
    }
}

/// A resolver that evaluates by the authenticator it serves, while that has something confirmed.
struct Nested {
    zone: Zone,
    outer: Arc<Mutex<Weak<Authenticator<Nested>>>>,
}

impl Resolver for Nested {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        self.zone.txt(name).await
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.zone.a(name).await
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.zone.aaaa(name).await
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        self.zone.mx(name).await
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.zone.ptr(ip).await
    }
    fn confirms(&self, question: &Question, answer: &AnyAnswer) -> bool {
        let Some(outer) = std::mem::take(&mut *self.outer.lock().unwrap()).upgrade() else { return false };
        let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from("a@from.example");
        (0..3).for_each(|_| drop(check(&outer, &session)));
        *self.outer.lock().unwrap() = Arc::downgrade(&outer);
        self.zone.confirms(question, answer)
    }
}

#[test]
fn a_resolver_may_use_what_it_serves() {
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let zone = Zone::parse("from.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n", "a.zone").unwrap();
        let outer = Arc::default();
        let authenticator = Arc::new(Authenticator::new(Nested { zone, outer: Arc::clone(&outer) }));
        *outer.lock().unwrap() = Arc::downgrade(&authenticator);
        let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from("a@from.example");
        for _ in 0..4 {
            assert_eq!(check(&authenticator, &session).mail_from.unwrap().result.keyword(), "pass");
        }
        done.send(()).unwrap();
    });
    finished.recv_timeout(Duration::from_secs(60)).expect("it waits for itself, or has failed");
}
