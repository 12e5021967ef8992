//! The DNS, asked through hickory at servers on the loopback interface.
#![cfg(feature = "hickory")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Policy, Session,
    dns::{Answer, AnyLookup, Details, Hickory, Lookup, LookupError, Question, RecordType, Resolver, Zone},
    name::Name,
    spf::Observers,
    time::UnixTime,
};
use std::{
    fmt::Write as _,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use support::{
    dns_server::DnsServer,
    faulty_dns::{Fault, FaultyDns},
};

/// An answer in words, behind the aliases that led to it; the records in an order of their own.
fn show<T>(lookup: Lookup<T>, record: impl Fn(&T) -> String) -> String {
    let answer = match lookup {
        Ok(answer) => answer,
        Err(error) => return error.to_string(),
    };
    let aliases: String = answer.details().aliases().iter().map(|alias| format!("{alias}: ")).collect();
    aliases
        + &match answer {
            Answer::NoData(_) => "nodata".into(),
            Answer::NxDomain(_) => "nxdomain".into(),
            Answer::Records(records) => {
                let mut records: Vec<_> = records.iter().map(record).collect();
                records.sort();
                records.join(" | ")
            }
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
const QUESTIONS: [(&str, &str); 21] = [
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
    ("s1._domainkey.example.com TXT", "s1.key.example.com: v=DKIM1; p=AAAABBBB"),
    ("c1.example.com A", "c2.example.com: c3.example.net: 192.0.2.3"),
    ("c1.example.com TXT", "c2.example.com: c3.example.net: nodata"),
    ("dangling.example.com A", "nowhere.example.net: nxdomain"),
    ("d1.example.com TXT", "dangling.example.com: nowhere.example.net: nxdomain"),
    // Twelve aliases: more than the server gives at once, and more than hickory's own resolver follows.
    (
        "l1.example.com A",
        "l2.example.com: l3.example.com: l4.example.com: l5.example.com: l6.example.com: l7.example.com: l8.example.com: \
         l9.example.com: l10.example.com: l11.example.com: l12.example.com: l13.example.com: 192.0.2.4",
    ),
    ("circle.example.com A", "CNAME records lead on without end: elcric.example.com, circle.example.com"),
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

/// A message's log tells what the servers said: aliases, and the TTL before it is cut to what is kept.
#[tokio::test]
async fn aliases_and_the_shortest_ttl_are_told() {
    let of = |details: &Details| (details.aliases().iter().map(ToString::to_string).collect::<Vec<_>>(), details.ttl());
    let server = DnsServer::start(&zone()).await;
    let hickory = Hickory::server(server.address).unwrap();
    for (at, aliases, ttl) in [
        ("example.com", &[][..], 60),
        // Emptiness lives for five minutes, an alias for one.
        ("gone.example.com", &[], 300),
        ("c1.example.com", &["c2.example.com", "c3.example.net"], 60),
        ("d1.example.com", &["dangling.example.com", "nowhere.example.net"], 60),
        ("s1._domainkey.example.com", &["s1.key.example.com"], 30),
    ] {
        let name = Name::parse(at).unwrap();
        // The second time from what was kept.
        for _ in 0..2 {
            let answer = hickory.txt(&name).await.unwrap();
            let wanted = aliases.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(of(answer.details()), (wanted, Some(ttl)), "{at}");
        }
    }
    let [owner, text] = ["football.example.com", "target.football.example.com"];
    for (fault, aliases, ttl) in [
        (Fault::None, &[][..], Some(60)),
        (Fault::TtlZero, &[], Some(0)),
        // RFC 2181 §8.
        (Fault::TtlHighBit, &[], Some(0)),
        (Fault::TtlLargest, &[], Some(i32::MAX.cast_unsigned())),
        (Fault::CnameChain(2), &["c1.example", "c2.example"], Some(60)),
        (Fault::CnameUnfinished, &[text], Some(60)),
        (Fault::AliasTtlHighBit, &["target.example"], Some(0)),
        (Fault::CnameNowhere, &["nowhere.example"], Some(60)),
        (Fault::NoData, &[], Some(60)),
        // Without an SOA record.
        (Fault::EmptyAnswer, &[], None),
        // The first alias leads to a name that `Name` cannot hold.
        (Fault::OddAlias, &["target.example"], Some(60)),
    ] {
        let server = FaultyDns::start(football(), fault, PLACES[0]).await;
        let hickory = Hickory::server_with_attempt(server.address, ATTEMPT).unwrap();
        let answer = hickory.txt(&Name::parse(owner).unwrap()).await.unwrap();
        let wanted = aliases.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of(answer.details()), (wanted, ttl), "{fault:?}");
    }
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

/// The names of the message of RFC 8463 appendix A: where its SPF record, its first key and its DMARC record are.
const PLACES: [&str; 3] =
    ["football.example.com TXT", "brisbane._domainkey.football.example.com TXT", "_dmarc.football.example.com TXT"];

/// A zone with which the message of RFC 8463 appendix A passes everything.
fn football() -> Zone {
    let more = "football.example.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
                _dmarc.football.example.com. TXT \"v=DMARC1; p=reject\"\n";
    Zone::parse(include_str!("data/dkim/rfc-appendices.db"), "rfc-appendices.db")
        .unwrap()
        .with(more, "more.db")
        .unwrap()
}

fn session() -> Session {
    Session::new([192, 0, 2, 1]).with_mail_from("joe@football.example.com").received_at(UnixTime(1_600_000_000))
}

/// The time of an attempt; there are two for each question.
const ATTEMPT: Duration = Duration::from_millis(800);

/// What the library makes of an answer, and what the protocol whose question it was.
async fn play(words: &str, place: usize) -> [String; 2] {
    let fault = Fault::named(words).unwrap_or_else(|| panic!("no such fault: {words}"));
    let server = FaultyDns::start(football(), fault, PLACES[place]).await;
    let hickory = Hickory::server_with_attempt(server.address, ATTEMPT).unwrap();
    let message = Message::parse(include_bytes!("data/dkim/rfc8463-appendix-a.eml")).unwrap();
    let verdict = Authenticator::new(&hickory).authenticate(&message, session()).await;
    let result = match place {
        0 => verdict.spf.mail_from.unwrap().result.keyword(),
        1 => verdict.dkim[0].result.keyword(),
        _ => verdict.dmarc.result.keyword(),
    };
    // A server of its own: one that fails once, or dies, would be another by now.
    let server = FaultyDns::start(football(), fault, PLACES[place]).await;
    let hickory = Hickory::server_with_attempt(server.address, ATTEMPT).unwrap();
    let name = Name::parse(PLACES[place].strip_suffix(" TXT").unwrap()).unwrap();
    let answer = match hickory.txt(&name).await {
        Ok(Answer::Records(_)) => "records".to_owned(),
        // By whatever names.
        Err(LookupError::EndlessAliases(_)) => "CNAME records lead on without end".to_owned(),
        answer => show(answer.map(|answer| answer.with_details(Details::default())), |_| String::new()),
    };
    [answer, result.to_owned()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_come_to_what_the_documentation_says() {
    let mut rows = Vec::new();
    for line in include_str!("../docs/dns-faults.md").lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<String> = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        assert_eq!(cells.len(), 5, "{line}");
        // All at once: most of the time they wait.
        let words = cells[0].clone();
        let plays = [0, 1, 2].map(|place| {
            tokio::spawn({
                let words = words.clone();
                async move { play(&words, place).await }
            })
        });
        rows.push((cells, plays));
    }
    let mut failed = String::new();
    let count = rows.len();
    for (cells, plays) in rows {
        for (place, play) in plays.into_iter().enumerate() {
            let [answer, result] = play.await.unwrap();
            if [&answer, &result] != [&cells[1], &cells[2 + place]] {
                let protocol = ["SPF", "DKIM", "DMARC"][place];
                writeln!(
                    failed,
                    "  {}, {protocol}: {result}, {answer}\n    wanted: {}, {}",
                    cells[0],
                    cells[2 + place],
                    cells[1]
                )
                .unwrap();
            }
        }
    }
    println!("{count} faults, each for three protocols");
    assert!(count >= 30 && failed.is_empty(), "\n{failed}");
}

#[tokio::test]
async fn what_lives_no_time_is_asked_again() {
    for (fault, times) in [
        (Fault::None, 1),
        (Fault::TtlZero, 2),
        // RFC 2181 §8.
        (Fault::TtlLargest, 1),
        (Fault::TtlHighBit, 2),
        (Fault::AliasTtlHighBit, 2),
        (Fault::EmptyAnswer, 2),
        (Fault::NxDomain, 1),
        (Fault::NegativeTtlHighBit, 2),
        (Fault::MinimumHighBit, 2),
    ] {
        let server = FaultyDns::start(football(), fault, PLACES[0]).await;
        let hickory = Hickory::server_with_attempt(server.address, ATTEMPT).unwrap();
        for _ in 0..2 {
            ask(&hickory, PLACES[0]).await;
        }
        assert_eq!(server.asked().len(), times, "{fault:?}");
    }
}

/// An executor that knows nothing of tokio.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        std::thread::yield_now();
    }
}

const OUTSIDE: &str = "the question could not be asked outside of a tokio runtime";

#[test]
fn outside_of_a_runtime_there_is_no_answer_and_no_panic() {
    let hickory = Hickory::server("127.0.0.1:9".parse().unwrap()).unwrap();
    for (question, _) in QUESTIONS {
        assert_eq!(block_on(ask(&hickory, question)), OUTSIDE, "{question}");
    }
    let text = async { hickory.txt(&Name::parse("example.com").unwrap()).await };
    assert_eq!(block_on(hickory.within(Duration::from_secs(5), text)), Some(Err(LookupError::NoRuntime)));
    // The system's configuration may be missing; to read it needs no runtime.
    drop(Hickory::system());
    let authenticator = Authenticator::new(hickory);
    let raw = b"DKIM-Signature: v=1; a=ed25519-sha256; d=example.com; s=s1; h=from; bh=AAAA; b=BBBB\r\n\
                From: a@example.com\r\n\r\nHello\r\n";
    let message = Message::parse(raw).unwrap();
    let verdict = block_on(authenticator.authenticate(&message, session()));
    assert_eq!(verdict.spf.mail_from.unwrap().result.keyword(), "temperror");
    assert_eq!(verdict.dkim[0].result.keyword(), "temperror");
    assert_eq!(verdict.dmarc.result.keyword(), "temperror");
}

/// It is the poll that has to be made within a runtime, each of them.
#[test]
fn a_question_may_leave_its_runtime_and_what_is_kept_is_answered_anywhere() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(FaultyDns::start(football(), Fault::None, PLACES[0]));
    let hickory = Hickory::server_with_attempt(server.address, ATTEMPT).unwrap();
    assert_eq!(block_on(ask(&hickory, PLACES[0])), OUTSIDE);
    let answer = runtime.block_on(ask(&hickory, PLACES[0]));
    assert!(answer.contains("v=spf1"), "{answer}");
    assert_eq!(block_on(ask(&hickory, PLACES[0])), answer);
    let silent = runtime.block_on(FaultyDns::silent());
    let hickory = Hickory::server_with_attempt(silent.address, ATTEMPT).unwrap();
    let mut question = Box::pin(ask(&hickory, PLACES[0]));
    let begun = runtime.block_on(std::future::poll_fn(|context| Poll::Ready(question.as_mut().poll(context))));
    assert!(begun.is_pending());
    assert_eq!(block_on(question), OUTSIDE);
}

#[tokio::test]
async fn what_is_at_hand_ends_with_its_ttl() {
    let server = FaultyDns::start(football(), Fault::Brief, PLACES[0]).await;
    let authenticator = Authenticator::new(Hickory::server_with_attempt(server.address, ATTEMPT).unwrap());
    let (started, session) = (Instant::now(), session());
    let check = async || {
        let reports = authenticator.check_spf(&session, &mut Observers { helo: (), mail_from: () }).await;
        reports.mail_from.unwrap().result.keyword()
    };
    // Asked once, and then at hand.
    for _ in 0..5 {
        let result = check().await;
        // A machine under load may take too long.
        assert!(result == "pass" || started.elapsed() > Duration::from_millis(700), "{result}");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(check().await, "none");
}

/// The zones that NSD serves.
const NSD_ZONES: [(&str, &str); 3] = [
    ("example", include_str!("data/dns/nsd/example.zone")),
    ("example.com", include_str!("data/dns/nsd/example.com.zone")),
    ("example.net", include_str!("data/dns/nsd/example.net.zone")),
];

/// Names in and about these zones.
const NSD_NAMES: &str = "example|host1.example|host2.example|host3.example|foo.bar.example|sub.*.example|*.example|ghost.*.example|\
    _tcp.host1.example|_ssh._tcp.host1.example|_telnet._tcp.host1.example|_tcp.host2.example|\
    example.com|ns.example.com|mail.example.com|MAIL.EXAMPLE.COM|b.c.d.example.com|d.example.com|c.d.example.com|a.b.c.d.example.com|\
    null.example.com|odd label.example.com|ab.example.com|@.example.com|octets.example.com|empty.example.com|joined.example.com|\
    many.example.com|hinfo.example.com|other.example.com|s1._domainkey.example.com|_domainkey.example.com|s1.key.example.com|\
    key.example.com|l1.example.com|l9.example.com|out.example.com|lost.example.com|circle.example.com|alias.example.com|\
    *.alias.example.com|wild.example.com|x.wild.example.com|y.wild.example.com|two.example.com|*.two.example.com|*.*.two.example.com|\
    sub.example.com|gone.example.com|example.net|in.example.net|deeper.example.net|mail.example.net|nowhere.example.net";

#[tokio::test]
async fn nsd_gives_the_answers_of_the_zone_in_memory() {
    let Some(program) = support::nsd::program() else {
        support::skip::skipped("no nsd in PATH, and MAILVERDICT_NSD does not name one");
        return;
    };
    let read = |zone: Zone, (apex, text): (&str, &str)| zone.with(text, apex).unwrap();
    let memory = NSD_ZONES.into_iter().fold(Zone::new(), read);
    let nsd = support::nsd::Nsd::start(&program, &NSD_ZONES).await;
    let hickory = Hickory::server_with_attempt(nsd.address, ATTEMPT).unwrap();
    let started = Instant::now();
    while ask(&hickory, "mail.example.net A").await != "192.0.2.10" {
        assert!(started.elapsed() < Duration::from_secs(20), "NSD does not answer:\n{}", nsd.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let ttl = |answer: Option<AnyLookup>| answer?.ok()?.details().ttl();
    let (mut failed, mut count, mut ttls) = (String::new(), 0, 0);
    for name in NSD_NAMES.split('|') {
        for name in [name.to_owned(), format!("x.{name}"), format!("x.y.{name}")] {
            for kind in [RecordType::Txt, RecordType::A, RecordType::Aaaa, RecordType::Mx] {
                let question = format!("{name} {kind}");
                let (ours, theirs) = (ask(&memory, &question).await, ask(&hickory, &question).await);
                count += 1;
                if ours != theirs {
                    writeln!(failed, "  {question}: {ours}\n    NSD: {theirs}").unwrap();
                }
                let asked = Question { name: Name::parse(&name).unwrap(), record_type: kind };
                let [ours, theirs] = [memory.at_hand(&asked), hickory.at_hand(&asked)].map(ttl);
                // Emptiness in memory has none.
                if ours.is_some() && ours != theirs {
                    writeln!(failed, "  {question}: TTL {ours:?}\n    NSD: {theirs:?}").unwrap();
                }
                ttls += usize::from(ours.is_some());
            }
        }
    }
    println!("{count} questions to NSD, {ttls} TTLs");
    assert!(ttls > 50, "only {ttls} TTLs");
    assert!(failed.is_empty(), "\n{failed}{}", nsd.log());
}

/// Nobody answers: the verdict is there when the time is over, and says so.
#[tokio::test]
async fn a_silent_server_costs_no_more_than_the_time_allowed() {
    let (question, message) = (Duration::from_millis(150), Duration::from_millis(300));
    for (time_limit, question_time_limit, reason) in [
        (message, Duration::from_secs(60), "the time for the evaluation ran out"),
        (Duration::from_secs(60), question, "no answer in time"),
    ] {
        let server = FaultyDns::silent().await;
        let mut policy = Policy::default();
        (policy.time_limit, policy.question_time_limit) = (time_limit, question_time_limit);
        let authenticator = Authenticator::new(Hickory::server(server.address).unwrap()).with_policy(policy);
        let message = Message::parse(include_bytes!("data/dkim/rfc8463-appendix-a.eml")).unwrap();
        let started = Instant::now();
        let verdict = authenticator.authenticate(&message, session()).await;
        let took = started.elapsed();
        let spf = &verdict.spf.mail_from.as_ref().unwrap().result;
        let results = [
            (spf.keyword(), spf.to_string()),
            (verdict.dkim[0].result.keyword(), verdict.dkim[0].result.to_string()),
            (verdict.dkim[1].result.keyword(), verdict.dkim[1].result.to_string()),
            (verdict.dmarc.result.keyword(), verdict.dmarc.result.to_string()),
        ];
        for (keyword, words) in results {
            assert!(keyword == "temperror" && words.contains(reason), "{keyword}: {words}");
        }
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
}

/// Whoever drops the evaluation ends it: no datagram is sent again, no question follows.
#[tokio::test]
async fn an_evaluation_that_is_dropped_asks_no_more() {
    let server = FaultyDns::silent().await;
    let authenticator = Authenticator::new(Hickory::server(server.address).unwrap());
    let message = Message::parse(include_bytes!("data/dkim/rfc8463-appendix-a.eml")).unwrap();
    let evaluation = authenticator.authenticate(&message, session());
    assert!(tokio::time::timeout(Duration::from_millis(150), evaluation).await.is_err());
    let asked = server.asked();
    // A third of a second is when hickory sends again what was not answered.
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(server.asked(), asked);
    // The SPF record, two keys, and the three names of the tree walk.
    assert_eq!(asked.len(), 6, "{asked:?}");
}

/// What DNS allows in a label and a `Name` does not is left out.
#[tokio::test]
async fn names_that_no_name_can_hold_are_left_out() {
    let server = FaultyDns::start(football(), Fault::OddNames, "football.example.com MX").await;
    let hickory = Hickory::server_with_attempt(server.address, ATTEMPT).unwrap();
    assert_eq!(ask(&hickory, "football.example.com MX").await, "10 mail.example.com");
}
