//! What a message costs of the DNS: what is asked side by side, what is asked once, what the ceilings cut off, and what is left of an
//! evaluation that is dropped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/story.rs"]
mod story;
mod support;

use mailverdict::{
    Authenticator, Message, Policy, Session,
    dmarc::Disposition,
    dns::{Lookup, Mx, Resolver, Zone},
    name::Name,
};
use std::{
    collections::HashSet,
    fmt::Write as _,
    future::{Future, poll_fn},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
};
use support::{
    ready::now,
    recording::Recording,
    signer::{Key, SignOptions, signed},
};

/// A zone whose answers all take exactly one round. Rounds are counted, not timed: if a round took 20 ms, an evaluation would take
/// as many times 20 ms as it takes rounds.
struct Rounds {
    zone: Zone,
    round: AtomicUsize,
}

impl Rounds {
    fn new(zone: Zone) -> Self {
        Self { zone, round: AtomicUsize::new(0) }
    }

    async fn next(&self) {
        let asked = self.round.load(Ordering::Relaxed);
        poll_fn(|_| if self.round.load(Ordering::Relaxed) > asked { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Runs to the end and counts the rounds.
    fn run<F: Future>(&self, future: F) -> (F::Output, usize) {
        let start = self.round.load(Ordering::Relaxed);
        let mut future = pin!(future);
        for _ in 0..1000 {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return (output, self.round.load(Ordering::Relaxed) - start);
            }
            self.round.fetch_add(1, Ordering::Relaxed);
        }
        panic!("never ready");
    }
}

impl Resolver for Rounds {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        self.next().await;
        self.zone.txt(name).await
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.next().await;
        self.zone.a(name).await
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.next().await;
        self.zone.aaaa(name).await
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        self.next().await;
        self.zone.mx(name).await
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.next().await;
        self.zone.ptr(ip).await
    }
}

/// No branch waits for another: a verdict takes as many rounds as its longest chain of answers that wait for answers.
#[test]
fn stories_ask_once_and_side_by_side() {
    let rounds = Rounds::new(story::zone());
    let stories = story::stories();
    for story in &stories {
        let octets = story.octets();
        let message = Message::parse(&octets).unwrap();
        let recording = Recording::new(&rounds);
        let authenticator = Authenticator::new(&recording);
        let (verdict, taken) = rounds.run(authenticator.authenticate(&message, story.session()));
        let exchanges = recording.exchanges();
        // The record, and a round for each term. (A key takes one round, and so does a tree walk.)
        let spf = [&verdict.spf.helo, &verdict.spf.mail_from].map(|report| 1 + report.as_ref().unwrap().dns_lookups);
        let longest = spf.into_iter().max().unwrap();
        println!("{}: {} questions in {taken} rounds, the longest chain is {longest}", story.title, exchanges.len());
        assert!(taken <= longest, "{}: {exchanges:#?}", story.title);
        let distinct: HashSet<_> = exchanges.iter().map(|exchange| &exchange.question).collect();
        assert_eq!(distinct.len(), exchanges.len(), "{}: {exchanges:#?}", story.title);
        // What is asked ahead changes no result.
        assert_eq!(verdict, now(Authenticator::new(&rounds.zone).authenticate(&message, story.session())));
        if story.title.starts_with("1,") {
            // The records of both identities, the key and both steps of the walk at once; then the include.
            assert_eq!((exchanges.len(), taken), (6, 2));
            assert!(exchanges[..5].iter().all(|one| exchanges[..5].iter().all(|other| one.overlaps(other))));
        }
    }
    println!("{} stories", stories.len());
}

/// The records of an identity that costs as much as SPF allows: nine `mx` of ten hosts, a `ptr`, an explanation.
fn costly_identity(zone: &mut String, domain: &str) {
    let mx: String = (0..9).map(|mx| format!(" mx:m{mx}.{domain}")).collect();
    writeln!(
        zone,
        "{domain}. TXT \"v=spf1{mx} ptr:elsewhere.example exp=exp.{domain} -all\"\nexp.{domain}. TXT \"no\""
    )
    .unwrap();
    for mx in 0..9 {
        for host in 0..10 {
            writeln!(
                zone,
                "m{mx}.{domain}. MX {host} h{host}.m{mx}.{domain}.\nh{host}.m{mx}.{domain}. A 203.0.113.{host}"
            )
            .unwrap();
        }
    }
}

/// The most expensive message that the protocols' own limits allow stays below the ceilings, which cut nothing off then.
#[test]
fn the_most_expensive_message() {
    let key = Key::named("ed25519");
    let mut zone = String::new();
    costly_identity(&mut zone, "helo.evil.example");
    costly_identity(&mut zone, "from.evil.example");
    for name in 0..10 {
        writeln!(zone, "1.2.0.192.in-addr.arpa. PTR p{name}.evil.example.\np{name}.evil.example. A 203.0.113.1")
            .unwrap();
    }
    // Author and signers have walks of eight steps each; the signers' meet the author's at the organizational domain.
    let deep = |leaf: &str| format!("{leaf}.8{leaf}.7{leaf}.6{leaf}.5{leaf}.4{leaf}.3{leaf}.evil.example");
    writeln!(zone, "_dmarc.evil.example. TXT \"v=DMARC1; p=reject; np=none\"").unwrap();
    let mut message = format!("From: a@{}\r\nSubject: x\r\n\r\nHello\r\n", deep("author")).into_bytes();
    for signer in 0..10 {
        let domain = deep(&format!("s{signer}"));
        writeln!(zone, "k._domainkey.{domain}. TXT \"{}\"", key.record()).unwrap();
        let template = format!("v=1; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s=k; h=from; bh={{bh}}; b={{b}}");
        message = signed(&message, &SignOptions::dkim(&template), &key);
    }
    let mut sets = String::new();
    for i in 1..=50 {
        let validation = if i == 1 { "none" } else { "pass" };
        write!(
            sets,
            "ARC-Seal: i={i}; a=rsa-sha256; cv={validation}; d=evil.example; s=seal{i}; b=AAAA\r\n\
             ARC-Message-Signature: i={i}; a=rsa-sha256; c=relaxed/relaxed; d=evil.example; s=ams{i}; h=from; bh=AAAA; b=AAAA\r\n\
             ARC-Authentication-Results: i={i}; evil.example; none\r\n"
        )
        .unwrap();
    }
    let message = [sets.into_bytes(), message].concat();
    let message = Message::parse(&message).unwrap();
    let session = Session::new([192, 0, 2, 1]).with_helo("helo.evil.example").with_mail_from("a@from.evil.example");

    let recording = Recording::new(Zone::parse(&zone, "evil").unwrap());
    let verdict = now(Authenticator::new(&recording).authenticate(&message, session.clone()));
    let exchanges = recording.exchanges();
    let dmarc = exchanges.iter().filter(|exchange| exchange.question.name.as_str().starts_with("_dmarc.")).count();
    println!("{} questions, {dmarc} of them for DMARC records", exchanges.len());
    // It is what it claims to be: everything was evaluated to its end.
    assert!(verdict.dkim.iter().all(|report| report.result.keyword() == "pass"), "{:#?}", verdict.dkim);
    assert_eq!(verdict.spf.mail_from.as_ref().unwrap().result.keyword(), "fail");
    assert_eq!(verdict.dmarc.result.keyword(), "pass");
    assert!(!format!("{verdict:?}").contains("OutOf"), "{verdict:#?}");
    assert!((350..=500).contains(&exchanges.len()), "{}", exchanges.len());

    // When answers come late, questions are asked ahead, and leave enough for all others.
    let rounds = Rounds::new(Zone::parse(&zone, "evil").unwrap());
    let recording = Recording::new(&rounds);
    let (late, taken) = rounds.run(Authenticator::new(&recording).authenticate(&message, session));
    println!("{} questions in {taken} rounds", recording.exchanges().len());
    assert_eq!(late, verdict);
    assert!(recording.exchanges().len() <= 560);
}

/// A walk takes one round, whatever it finds, and so do those of identifiers, and the question whether the author domain exists.
#[test]
fn tree_walks_take_one_round() {
    let zone = "_dmarc.contoso.com. TXT \"v=DMARC1; p=reject; np=quarantine\"\n\
        8.7.6.5.4.3.contoso.com. TXT \"\"\n\
        bounce.mail.contoso.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n";
    let with = |more: &str| Rounds::new(Zone::parse(format!("{zone}{more}"), "contoso").unwrap());
    let session = Session::new([192, 0, 2, 1]).with_mail_from("b@bounce.mail.contoso.com");
    let parted = "_dmarc.mail.contoso.com. TXT \"v=DMARC1; p=none; psd=n\"\n";
    let near = "_dmarc.6.5.4.3.contoso.com. TXT \"v=DMARC1; p=none; psd=n\"\n";
    for (from, more, wanted) in [
        ("x.y.8.7.6.5.4.3.contoso.com", "", "pass quarantine"),
        ("8.7.6.5.4.3.contoso.com", "", "pass reject"),
        ("nowhere.contoso.com", "", "pass quarantine"),
        ("nowhere.contoso.com", parted, "fail quarantine"),
        ("x.y.8.7.6.5.4.3.contoso.com", near, "fail none"),
        ("bounce.mail.contoso.com", "", "pass reject"),
    ] {
        let message = format!("From: a@{from}\r\nSubject: x\r\n\r\nHello\r\n");
        let message = Message::parse(message.as_bytes()).unwrap();
        let rounds = with(more);
        let recording = Recording::new(&rounds);
        let (verdict, taken) = rounds.run(Authenticator::new(&recording).authenticate(&message, session.clone()));
        let got = format!("{} {}", verdict.dmarc.result.keyword(), verdict.dmarc.policy.unwrap().keyword());
        assert_eq!((&*got, taken), (wanted, 1), "{from}: {:#?}", recording.exchanges());
        // DMARC alone has nothing else to wait for.
        let (authors, authenticator) = (message.header().authors(), Authenticator::new(&rounds));
        let (alone, taken) = rounds.run(authenticator.check_dmarc(&authors, &verdict.spf, &verdict.dkim));
        assert_eq!((alone, taken), (verdict.dmarc.clone(), 1));
        // Asked one after another, the names come to the same, and take longer.
        let mut policy = Policy::default();
        policy.dmarc.asks_ahead = false;
        let authenticator = Authenticator::new(&rounds).with_policy(policy);
        let (patient, taken) = rounds.run(authenticator.authenticate(&message, session.clone()));
        assert_eq!(patient, verdict);
        assert!(taken > 1, "{from}: {taken}");
    }
}

/// What may be asked ahead has an allowance of its own, and uses up nothing else.
#[test]
fn what_is_asked_ahead_has_an_allowance() {
    let rounds = Rounds::new(story::zone());
    let message = Message::parse(b"From: a@x.y.z.contoso.com\r\nSubject: x\r\n\r\nHello\r\n").unwrap();
    let mut policy = Policy::default();
    // The walk has five steps; DMARC's own budget has no question more.
    policy.budget.dmarc.questions = 5;
    let mut asked = |ahead: usize| {
        policy.budget.questions_ahead = ahead;
        let recording = Recording::new(&rounds);
        let authenticator = Authenticator::new(&recording).with_policy(policy.clone());
        let (verdict, taken) = rounds.run(authenticator.authenticate(&message, Session::without_peer()));
        assert_eq!(verdict.dmarc.result.keyword(), "fail");
        (recording.exchanges().len(), taken)
    };
    // The five names of the walk, one after another, or with the author domain itself, at once.
    assert_eq!((asked(0), asked(60)), ((5, 5), (6, 1)));
}

/// What a forger publishes cannot use up the question for the policy that says to reject his message.
#[test]
fn a_forger_cannot_use_up_what_shows_the_forgery() {
    let mut zone = story::zone();
    let evil = Name::parse("evil.example").unwrap();
    // Three megabytes of texts beside an SPF record with an include of as much again.
    for name in [evil.clone(), evil.prepend("more").unwrap()] {
        zone.add_txt(&name, *b"v=spf1 include:more.evil.example -all");
        for filler in 0..50_u8 {
            zone.add_txt(&name, vec![filler; 60_000]);
        }
    }
    let message = Message::parse(b"From: Accounts <accounts@contoso.com>\r\nSubject: Pay\r\n\r\nNow\r\n").unwrap();
    let session = Session::new([192, 0, 2, 1]).with_helo("evil.example").with_mail_from("a@evil.example");
    let verdict = now(Authenticator::new(&zone).authenticate(&message, session));
    let spf = &verdict.spf.mail_from.as_ref().unwrap().result;
    assert_eq!(spf.keyword(), "temperror");
    assert!(spf.to_string().contains("the message used up the octets of its DNS answers"), "{spf}");
    assert_eq!((verdict.dmarc.result.keyword(), verdict.dmarc.disposition), ("fail", Disposition::Reject));
}

/// What a share cuts off is a temporary error of SPF and DKIM that says so, and never a pass.
#[test]
fn shares_cut_off_with_a_reason() {
    let story = story::stories().into_iter().find(|story| story.title.starts_with("1,")).unwrap();
    let octets = story.octets();
    let message = Message::parse(&octets).unwrap();
    // SPF needs two questions, DKIM one.
    for (spf_questions, dkim_questions, wanted) in [
        (0, 0, "temperror temperror fail"),
        (1, 0, "temperror temperror fail"),
        (2, 0, "pass temperror pass"),
        (1, 1, "temperror pass pass"),
        (2, 1, "pass pass pass"),
    ] {
        let mut policy = Policy::default();
        policy.budget.mail_from.questions = spf_questions;
        policy.budget.helo.questions = spf_questions;
        policy.budget.dkim.questions = dkim_questions;
        let authenticator = Authenticator::new(story::zone()).with_policy(policy);
        let verdict = now(authenticator.authenticate(&message, story.session()));
        let (spf, dkim) = (&verdict.spf.mail_from.as_ref().unwrap().result, &verdict.dkim[0].result);
        for (keyword, reason) in [(spf.keyword(), spf.to_string()), (dkim.keyword(), dkim.to_string())] {
            let cut_off = reason.contains("the message used up its DNS questions");
            assert_eq!(keyword == "temperror", cut_off, "{spf_questions}, {dkim_questions}: {reason}");
        }
        // DMARC takes an identifier that the message itself made too expensive for one that does not authenticate: docs/dmarc.md.
        assert_eq!(format!("{} {} {}", spf.keyword(), dkim.keyword(), verdict.dmarc.result.keyword()), wanted);
    }
}
