//! The spine without I/O: whatever comes when, and whatever others cost, a verdict is the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/random_zone.rs"]
mod random_zone;
mod support;

use mailverdict::{
    Authenticator, Evaluation, Message, Policy, Progress, Session, Share, Verdict,
    dmarc::{self, Editions, SuffixList},
    dns::{LookupError, Question, Resolver as _, Zone},
    message::{Header, Oddity},
    spf::{Observers, Tree},
    time::UnixTime,
};
use random_zone::{DOMAINS, Random};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};
use support::{
    pieces::in_pieces,
    ready::now,
    sealer::{SetOptions, sealed},
    signer::{Key, SignOptions, signed},
};

/// Shares that often end in the midst of an evaluation.
fn tight(random: &mut Random) -> Policy {
    let mut policy = Policy::default();
    let budget = &mut policy.budget;
    for share in [&mut budget.helo, &mut budget.mail_from, &mut budget.dkim, &mut budget.arc, &mut budget.dmarc] {
        share.questions = random.below(9);
        if random.below(2) == 0 {
            share.octets = random.below(150);
        }
    }
    budget.questions_ahead = random.below(5);
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

/// Evaluates with answers that come in an order of chance, some before the header, some before the end of the body.
fn by_and_by(random: &mut Random, zone: &Zone, policy: &Policy, raw: &str, session: Session) -> Verdict {
    let mut evaluation = Evaluation::new(policy, session);
    let (header, body) = raw.split_at(raw.find("\r\n\r\n").unwrap() + 4);
    let mut open: Vec<Question> = Vec::new();
    let (mut has_header, mut rest) = (false, body.as_bytes());
    let mut has_ended = false;
    for _ in 0..10_000 {
        match evaluation.advance() {
            Progress::Verdict(verdict) => return *verdict,
            Progress::Asks(questions) => open.extend(questions),
            Progress::WantsMessage => assert!(open.is_empty() && !has_ended),
        }
        let comes = if open.is_empty() { 0 } else { random.below(3) };
        if comes == 0 && !has_ended {
            if !has_header {
                evaluation.header(&Header::parse(header.as_bytes()).unwrap());
                has_header = true;
            } else if rest.is_empty() {
                evaluation.end();
                has_ended = true;
            } else {
                let (piece, after) = rest.split_at(1 + random.below(rest.len()));
                evaluation.body(piece);
                rest = after;
            }
        } else if !open.is_empty() {
            let question = open.swap_remove(random.below(open.len()));
            assert!(evaluation.answer(&question, zone.at_hand(&question).unwrap()));
        }
    }
    panic!("never done")
}

#[test]
fn a_verdict_does_not_depend_on_what_comes_when() {
    let (mut asked_ahead, mut cut_off) = (0, 0);
    for seed in 1..=1500 {
        let mut random = Random::new(seed);
        let zone = random_zone::zone(&mut random);
        let mut policy = if seed % 2 == 0 { tight(&mut random) } else { Policy::default() };
        let list = Arc::new(SuffixList::parse("test\n"));
        policy.dmarc = dmarc::Policy::by(match random.below(3) {
            0 => Editions::Rfc9989,
            1 => Editions::Rfc7489(list),
            _ => Editions::Both(list),
        });
        let (session, raw) = (session(&mut random), message(&mut random));
        let message = Message::parse(raw.as_bytes()).unwrap();
        let at_once =
            Authenticator::new(&zone).with_policy(policy.clone()).authenticate_at_once(&message, session.clone());
        for _ in 0..3 {
            assert_eq!(by_and_by(&mut random, &zone, &policy, &raw, session.clone()), at_once, "seed {seed}: {raw}");
        }
        policy.budget.questions_ahead = 0;
        assert_eq!(by_and_by(&mut random, &zone, &policy, &raw, session), at_once, "seed {seed}, nothing ahead: {raw}");
        asked_ahead += usize::from(policy.dmarc.asks_ahead);
        cut_off += usize::from(format!("{at_once:?}").contains("OutOf"));
    }
    println!("{asked_ahead} verdicts, {cut_off} with something that a share cut off");
    assert!(cut_off > 300, "{cut_off}");
}

/// What one part costs takes nothing from the others.
#[test]
fn no_part_pays_for_another() {
    for seed in 1..=300 {
        let mut random = Random::new(seed);
        let (zone, session, raw) = (random_zone::zone(&mut random), session(&mut random), message(&mut random));
        let message = Message::parse(raw.as_bytes()).unwrap();
        let by = |policy: &Policy| {
            Authenticator::new(&zone).with_policy(policy.clone()).authenticate_at_once(&message, session.clone())
        };
        let (plain, mut policy) = (by(&Policy::default()), Policy::default());
        policy.budget.helo = Share { questions: 0, octets: 0, signatures: 0, work: 0 };
        let poor = by(&policy);
        if plain.spf.helo.is_some()
            && plain.spf.mail_from.as_ref().is_some_and(|report| !report.sender.starts_with("postmaster@"))
        {
            assert_eq!((&poor.spf.mail_from, &poor.dmarc), (&plain.spf.mail_from, &plain.dmarc), "{seed}");
        }
        policy = Policy::default();
        policy.budget.dmarc.questions = 0;
        let poor = by(&policy);
        assert_eq!((&poor.spf, &poor.dkim, &poor.arc), (&plain.spf, &plain.dkim, &plain.arc), "{seed}");
    }
}

#[test]
fn when_the_time_is_up_what_is_open_is_a_temporary_error() {
    let policy = Policy::default();
    let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from("a@contoso.com");
    let mut evaluation = Evaluation::new(&policy, session);
    evaluation.message(&Message::parse(b"From: a@contoso.com\r\n\r\nHello\r\n").unwrap());
    let mut rounds = 0;
    let verdict = loop {
        match evaluation.advance() {
            Progress::Verdict(verdict) => break verdict,
            Progress::Asks(_) => evaluation.time_is_up(),
            Progress::WantsMessage => panic!("it has all of it"),
        }
        rounds += 1;
        assert!(rounds < 10);
    };
    assert_eq!(verdict.spf.mail_from.unwrap().result.keyword(), "temperror");
    assert_eq!(verdict.dmarc.result.keyword(), "temperror");
    assert!(evaluation.log().entries().iter().all(|entry| entry.answer() == Some(&Err(LookupError::OutOfTime))));
}

/// A chain and a signature, whole and in pieces.
#[test]
fn a_message_in_pieces_has_the_verdict_of_the_whole() {
    let key = Key::named("ed25519");
    let raw =
        b"Return-Path: <a@contoso.com>\r\nFrom: a@contoso.com\r\nSubject: Lunch\r\n\r\nAt noon?\r\n\n\r\nYes.\r\n\r\n";
    let template = "v=1; a=ed25519-sha256; c=relaxed/simple; d=contoso.com; s=k; h=from:subject; bh={bh}; b={b}";
    let raw = signed(raw, &SignOptions::dkim(template), &key);
    let raw = sealed(
        &raw,
        &SetOptions {
            instance: 1,
            results: "fwd.example; dkim=pass header.d=contoso.com",
            message_signature: "i={i}; a=ed25519-sha256; c=relaxed/relaxed; d=fwd.example; s=k; h=from:subject; bh={bh}; b={b}",
            seal: "i={i}; a=ed25519-sha256; cv=none; d=fwd.example; s=k; b={b}",
            message_signature_key: &key,
            seal_key: &key,
        },
    );
    let mut zone = Zone::parse("contoso.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"", "zone").unwrap();
    for domain in ["contoso.com", "fwd.example"] {
        zone.add_txt(&format!("k._domainkey.{domain}").parse().unwrap(), key.record().into_bytes());
    }
    let (policy, message) = (Policy::default(), Message::parse(&raw).unwrap());
    let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).received_at(UnixTime(1_800_000_000));
    let whole = now(Authenticator::new(&zone).authenticate(&message, session.clone()));
    assert_eq!((whole.dkim[0].result.keyword(), whole.arc.result.keyword()), ("pass", "pass"));
    assert_eq!(whole.spf.mail_from.as_ref().unwrap().result.keyword(), "pass");
    assert_eq!(whole.oddities.len(), 1, "{:?}", whole.oddities);
    for chunk in [1, 2, 7, 1000] {
        assert_eq!(in_pieces(&zone, &policy, &message, session.clone(), chunk), whole, "{chunk}");
    }
}

/// Mail servers do get such messages.
#[test]
fn a_message_without_a_field_has_a_verdict() {
    let zone = Zone::read(["tests/data/microsoft365/zone.db"]).unwrap();
    let authenticator = Authenticator::new(&zone);
    for octets in [&b"\r\n"[..], b"\r\nbody\r\n", b"body\r\n", b"From a@b Thu\r\n\r\nbody\r\n"] {
        let message = Message::parse(octets).unwrap();
        let session = Session::new(Ipv4Addr::new(198, 51, 100, 40)).with_mail_from("alice@contoso.com");
        let verdict = authenticator.authenticate_at_once(&message, session);
        assert!(verdict.oddities.contains(&Oddity::NoField), "{:?}", verdict.oddities);
        assert_eq!(verdict.spf.mail_from.unwrap().result.keyword(), "pass");
        let dmarc::DmarcReport { result, author_domain, disposition, .. } = verdict.dmarc;
        assert_eq!((result.keyword(), author_domain, disposition), ("permerror", None, dmarc::Disposition::None));
    }
}

/// Also what was answered before all else, whose part has ended long ago.
#[test]
fn the_log_says_what_a_verdict_rests_on() {
    let zone = Zone::read(["tests/data/microsoft365/zone.db"]).unwrap();
    let octets = std::fs::read("tests/data/microsoft365/01-sent-by-the-service.eml").unwrap();
    let mut policy = Policy::default();
    policy.budget.questions_ahead = 0;
    let session = Session::new(Ipv4Addr::new(198, 51, 100, 40)).with_mail_from("alice@contoso.com");
    let mut evaluation = Evaluation::new(&policy, session);
    evaluation.message(&Message::parse(&octets).unwrap());
    let mut open = Vec::new();
    loop {
        match evaluation.advance() {
            Progress::Asks(new) => open.extend(new),
            Progress::Verdict(_) => break,
            Progress::WantsMessage => unreachable!("it was given"),
        }
        open.sort_by_key(|question: &Question| question.name.labels().any(|label| label == "_domainkey"));
        let question = open.pop().unwrap();
        evaluation.answer(&question, zone.at_hand(&question).unwrap());
    }
    let not_needed: Vec<_> = evaluation.log().entries().iter().filter(|entry| !entry.is_needed()).collect();
    assert!(evaluation.log().entries().len() > 3 && not_needed.is_empty(), "{not_needed:?}");
}

#[test]
fn spf_is_explained_from_what_was_answered() {
    let zone = Zone::parse(
        "contoso.com. TXT \"v=spf1 include:a.example -all\"\na.example. TXT \"v=spf1 ip4:192.0.2.1\"",
        "zone",
    )
    .unwrap();
    let policy = Policy::default();
    let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from("a@contoso.com");
    let mut evaluation = Evaluation::new(&policy, session);
    assert!(matches!(evaluation.advance_with(|question| zone.at_hand(question)), Progress::WantsMessage));
    let mut trees = Observers::<Tree>::default();
    evaluation.explain(&mut trees);
    assert_eq!(
        trees.mail_from.root().unwrap().result.as_ref(),
        Some(&evaluation.spf().unwrap().mail_from.unwrap().result)
    );
    assert!(trees.helo.root().is_none());
}

/// Without a message nothing tells the reverse-path, and nothing is waited for.
#[test]
fn spf_alone_does_without_a_reverse_path_that_nobody_knows() {
    let zone = Zone::parse("helo.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"", "zone").unwrap();
    let authenticator = Authenticator::new(&zone);
    let check = |session| now(authenticator.check_spf(&session, &mut Observers { helo: (), mail_from: () }));
    let session = Session::new(Ipv4Addr::new(192, 0, 2, 1));
    let reports = check(session.clone());
    assert_eq!((reports.helo, reports.mail_from), (None, None));
    let reports = check(session.with_helo("helo.example"));
    assert_eq!((reports.helo.unwrap().result.keyword(), reports.mail_from), ("pass", None));
}

#[test]
fn threads_share_what_was_read_of_answers() {
    let zone = random_zone::zone(&mut Random::new(7));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let zone = &zone;
            scope.spawn(move || {
                let mut random = Random::new(thread + 100);
                for _ in 0..100 {
                    let text = format!("From: x@{}\r\n\r\nbody\r\n", random.pick(&DOMAINS));
                    let (message, session) = (Message::parse(text.as_bytes()).unwrap(), session(&mut random));
                    let verdict = Authenticator::new(zone).authenticate_at_once(&message, session.clone());
                    assert_eq!(verdict, Authenticator::new(zone.clone()).authenticate_at_once(&message, session));
                }
            });
        }
    });
}
