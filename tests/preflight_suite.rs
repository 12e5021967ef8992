//! What becomes of mail that is planned: each way, and what receivers ask for, with a case on each side of its line.
//!
//! Cases are the file `tests/data/preflight.yml`. A case has a `zone`, and may say:
//!
//! - `from`, where it is not `alice@a.example`; `ip`, where it is not 192.0.2.1; `mail_from`, `helo`, and the keys that `sign`;
//! - `keys`: records with public keys in place of their names in braces; `fail`: names that have no answer for TXT;
//! - `message`, and the key that has signed it (`signed`: `d/s key`, and the names of `h` where they are not the usual ones);
//! - `ways`: for each of direct, forwarded, rewritten and list, what SPF, DKIM and DMARC come to, with a `+` where it is aligned;
//! - `met`, `not_met`, `not_seen`: ids of what receivers ask for, with `=reply` where that is looked at; those that no list names may be anything;
//! - `says`: what the requirement or way says or advises, as `id: text`; `found`: findings that are there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/random_zone.rs"]
mod random_zone;
mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::{
    Authenticator, Message, Session,
    dns::{LookupError, RecordType, Zone},
    name::Name,
    preflight::{Outcome, Plan, PlanError, Preflight, Receiver, Report, Requirement},
    time::UnixTime,
};
use random_zone::{DOMAINS, Random};
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::{BTreeMap, BTreeSet};
use support::{
    case::{list, text},
    ready::now,
    signer::{Key, SignOptions, signed},
};

const KEYS: [&str; 17] = [
    "name",
    "zone",
    "keys",
    "fail",
    "from",
    "ip",
    "mail_from",
    "helo",
    "sign",
    "message",
    "signed",
    "ways",
    "met",
    "not_met",
    "not_seen",
    "says",
    "found",
];
const NOW: UnixTime = UnixTime(1_759_738_505);

fn zone(case: &Yaml<'_>) -> Zone {
    let mut zone = Zone::parse(text(case, "zone").unwrap_or_default(), text(case, "name").unwrap()).unwrap();
    for record in list(case, "keys") {
        let (name, record) = record.split_once(' ').unwrap();
        zone.add_txt(&Name::parse(name).unwrap(), filled(record).into_bytes());
    }
    for planted in text(case, "fail").unwrap_or_default().split_whitespace() {
        for record_type in [RecordType::Txt, RecordType::A, RecordType::Mx, RecordType::Ptr] {
            zone.plant(&Name::parse(planted).unwrap(), record_type, LookupError::ServerFailure);
        }
    }
    zone
}

/// With the public key in place of its name.
fn filled(text: &str) -> String {
    let Some((before, rest)) = text.split_once('{') else { return text.to_owned() };
    let (name, after) = rest.split_once('}').unwrap();
    format!("{before}{}{after}", STANDARD.encode(Key::named(name).public()))
}

fn plan(case: &Yaml<'_>) -> Plan {
    let ip: std::net::IpAddr = text(case, "ip").unwrap_or("192.0.2.1").parse().unwrap();
    let mut plan = Plan::new(text(case, "from").unwrap_or("alice@a.example"), ip).unwrap().at(NOW);
    if let Some(mail_from) = text(case, "mail_from") {
        plan = plan.with_mail_from(mail_from);
    }
    if let Some(helo) = text(case, "helo") {
        plan = plan.with_helo(helo);
    }
    for key in list(case, "sign") {
        let (domain, selector) = key.split_once('/').unwrap();
        plan = plan.with_signature(domain, selector).unwrap();
    }
    if let Some(message) = text(case, "message") {
        let mut octets = message.replace('\n', "\r\n").into_bytes();
        for signature in list(case, "signed") {
            let mut words = signature.split(' ');
            let (domain, selector) = words.next().unwrap().split_once('/').unwrap();
            let key = Key::named(words.next().unwrap());
            let h = words.next().unwrap_or("From:To:Subject:Date:Message-ID");
            let template =
                format!("v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector}; h={h}; bh={{bh}}; b={{b}}");
            octets = signed(&octets, &SignOptions::dkim(&template), &key);
        }
        plan = plan.with_message(&octets).unwrap();
    }
    plan
}

fn line(outcome: &Outcome) -> String {
    let aligned = |is: bool| if is { "+" } else { "" };
    let (spf, dkim) = (aligned(outcome.spf_aligned()), aligned(outcome.dkim_aligned()));
    format!("{}{spf} {}{dkim} {}", outcome.spf(), outcome.dkim(), outcome.dmarc())
}

fn ways(report: &Report) -> [(&'static str, &Outcome); 4] {
    let Report { direct, forwarded, rewritten, list, .. } = report;
    [("direct", direct), ("forwarded", forwarded), ("rewritten", rewritten), ("list", list)]
}

/// What holds for each report, whatever it says.
fn check(report: &Report) {
    let sentences = report.requirements.iter().flat_map(|one| [Some(&one.says), one.advice.as_ref()]).flatten();
    for sentence in sentences.chain(ways(report).map(|(_, outcome)| &outcome.says)) {
        assert!(sentence.is_ascii() && !sentence.chars().any(char::is_control), "{sentence:?}");
        assert!(sentence.len() <= 1003, "{sentence:?}");
    }
    for advice in report.requirements.iter().filter_map(|one| one.advice.as_ref()) {
        assert!(advice.ends_with('.') && advice.starts_with(|c: char| c.is_ascii_uppercase()), "{advice:?}");
    }
    let told = |one: &Requirement| one.is_met != Some(false) || one.advice.is_some();
    assert!(report.requirements.iter().all(told), "what is not met comes with advice");
    assert!(report.findings.is_sorted_by_key(|finding| finding.severity));
}

fn failures(case: &Yaml<'_>, seen: &mut BTreeMap<&'static str, BTreeSet<Option<bool>>>) -> Vec<String> {
    let mut failures = Vec::new();
    for (key, _) in case.as_mapping().unwrap() {
        if !KEYS.contains(&key.as_str().unwrap()) {
            failures.push(format!("unknown key {key:?}"));
        }
    }
    let report = now(Preflight::new(zone(case)).look(&plan(case)));
    check(&report);
    if let Some(expected) = case.as_mapping_get("ways") {
        for (way, outcome) in ways(&report) {
            let (expected, is) = (text(expected, way).unwrap(), line(outcome));
            if is != expected {
                failures.push(format!("{way}: {is} instead of {expected}: {}", outcome.says));
            }
        }
    }
    for (key, is_met) in [("met", Some(true)), ("not_met", Some(false)), ("not_seen", None)] {
        for expected in list(case, key) {
            let (id, reply) = expected.split_once('=').map_or((&*expected, None), |(id, reply)| (id, Some(reply)));
            let requirement = report.requirements.iter().find(|requirement| requirement.id == id);
            let requirement = requirement.unwrap_or_else(|| panic!("there is no {id}"));
            seen.entry(requirement.id).or_default().insert(is_met);
            if requirement.is_met != is_met {
                failures.push(format!("{id} is {:?}: {}", requirement.is_met, requirement.says));
            }
            if reply.is_some_and(|reply| requirement.reply != Some(reply)) {
                failures.push(format!("{id} has the reply {:?}", requirement.reply));
            }
        }
    }
    for expected in list(case, "says") {
        let (id, told) = expected.split_once(": ").unwrap();
        let way = ways(&report).into_iter().find(|(way, _)| *way == id).map(|(_, outcome)| outcome.says.to_string());
        let requirement = report.requirements.iter().find(|requirement| requirement.id == id);
        let says = requirement.map(|one| format!("{} -> {}", one.says, one.advice.as_deref().unwrap_or_default()));
        let says = way.or(says).unwrap_or_else(|| panic!("there is no {id}"));
        if !says.contains(told) {
            failures.push(format!("{id} says {says:?}"));
        }
    }
    let ids: Vec<&str> = report.findings.iter().map(|finding| finding.rule.id()).collect();
    for expected in list(case, "found") {
        if !ids.contains(&&*expected) {
            failures.push(format!("{expected} is not found, but {ids:?}"));
        }
    }
    failures
}

#[test]
fn the_cases() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/preflight.yml");
    let source = std::fs::read_to_string(path).unwrap();
    let documents = Yaml::load_from_str(&source).unwrap();
    let cases = documents[0].as_mapping_get("cases").unwrap().as_vec().unwrap();
    let mut seen = BTreeMap::new();
    let mut failed = Vec::new();
    for case in cases {
        let name = text(case, "name").expect("a case has a name");
        failed.extend(failures(case, &mut seen).into_iter().map(|failure| format!("{name}: {failure}")));
    }
    assert!(cases.len() >= 25, "only {} cases", cases.len());
    assert!(failed.is_empty(), "{} failures:\n{}", failed.len(), failed.join("\n"));
    // On each side of its line, but for what nobody can see from here.
    let report = now(Preflight::new(Zone::default()).look(&Plan::new("a@b.example", [192, 0, 2, 1]).unwrap()));
    let unseen = ["google-tls", "google-spam-rate", "yahoo-spam-rate", "outlook-complaints"];
    for Requirement { id, .. } in &report.requirements {
        let met = seen.get(id).cloned().unwrap_or_default();
        match unseen.contains(id) {
            true => assert_eq!(met, BTreeSet::from([None]), "{id}"),
            false => {
                assert!(met.contains(&Some(true)) && met.contains(&Some(false)), "{id} has cases for {met:?} alone")
            }
        }
    }
}

#[test]
fn requirements_are_data_with_a_date() {
    let report = now(Preflight::new(Zone::default()).look(&Plan::new("a@b.example", [192, 0, 2, 1]).unwrap()));
    let mut ids = BTreeSet::new();
    for Requirement { id, receiver, source, as_of, reply, .. } in &report.requirements {
        assert!(ids.insert(*id), "{id} stands twice");
        let start = match receiver {
            Receiver::Gmail => "google-",
            Receiver::Yahoo => "yahoo-",
            Receiver::Outlook => "outlook-",
            Receiver::Apple => "apple-",
            _ => panic!("{receiver:?}"),
        };
        assert!(id.starts_with(start) && source.contains(", "), "{id}");
        let (year, month) = as_of.split_once('-').unwrap();
        assert!(year.parse::<u16>().unwrap() >= 2025 && (1..=12).contains(&month.parse::<u8>().unwrap()), "{as_of}");
        assert!(reply.is_none_or(|reply| reply.chars().all(|c| c.is_ascii_digit() || ".- ".contains(c))), "{reply:?}");
    }
    assert!(Receiver::ALL.iter().all(|receiver| report.requirements.iter().any(|one| one.receiver == *receiver)));
}

#[test]
fn what_is_no_plan_is_told() {
    let ip = [192, 0, 2, 1];
    for (from, told) in [
        ("alice", "\"alice\" is no address with a domain, such as alice@example.com"),
        ("", "\"\" is no address"),
        ("alice@", "is no address"),
        ("a@b.example, c@d.example", "is no address"),
        ("a@b.example\r\nBcc: c@d.example", "\"a@b.example\\r\\nBcc: c@d.example\" is no address"),
        ("a@b.example\0", "is no address"),
    ] {
        let error = Plan::new(from, ip).unwrap_err().to_string();
        assert!(error.contains(told) && !error.chars().any(char::is_control), "{error}");
    }
    let plan = || Plan::new("Alice <alice@a.example>", ip).unwrap();
    assert_eq!(plan().mail_from(), &mailverdict::session::MailFrom::Address("alice@a.example".into()));
    let error = plan().with_signature("a.example", "s..1").unwrap_err().to_string();
    assert_eq!(error, "\"a.example/s..1\" is no key's name: the name has an empty label");
    assert!(matches!(plan().with_signature("a b", "s"), Err(PlanError::Key { .. })));
    let many = (0..11).try_fold(plan(), |plan, at| plan.with_signature("a.example", &format!("s{at}")));
    assert_eq!(many.unwrap_err(), PlanError::TooManySignatures);
    assert!(matches!(plan().with_message(b""), Err(PlanError::Message(_))));
    let error = plan().with_message(b"From: a@b.example\r\n\r\n").unwrap_err();
    assert_eq!(error.to_string(), "the From field of the message names b.example, and mail from a.example is planned");
}

/// Lines of which messages are made; what stands in them, strangers may have written.
const LINES: [&[u8]; 14] = [
    b"From: a@a.test\r\n",
    b"From: \xff\x1b[31m@a.test\r\n",
    b"Subject: one\r\n two\r\n",
    b"Subject:\r\n",
    b"Content-Type: text/plain; charset=x\r\n",
    b"Content-Type: multipart/mixed; boundary=\"\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"List-Unsubscribe: <https:<mailto:\r\n",
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    b"DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=from; bh=AAAA; b=AAAA\r\n",
    b"Message-ID: =?\0\r\n",
    b"no field\r\n",
    b"\r\n",
    b"\xe2\x80\xa8 --\n\r",
];

/// Whatever is planned, and whatever the DNS says: a direct way is what an evaluation comes to, and what is said is fit to be shown.
#[test]
fn any_plan_comes_to_an_end() {
    let mut planned = 0;
    for seed in 0..600 {
        let mut random = Random::new(seed);
        let zone = random_zone::zone(&mut random);
        let ip = *[[192, 0, 2, 1], [198, 51, 100, 7], [198, 18, 0, 25]].get(random.below(3)).unwrap();
        let mut plan = Plan::new(&format!("a@{}", random.pick(&DOMAINS)), ip).unwrap().at(NOW);
        let mail_from = format!("b@{}", random.pick(&DOMAINS));
        plan = plan.with_mail_from(random.pick(&["", "x", "a@\u{1b}[1m", &mail_from]));
        plan = plan.with_helo(random.pick(&["\r\nX: y", "[192.0.2.1]", "a.test"]));
        for _ in 0..random.below(3) {
            plan = plan.with_signature(random.pick(&DOMAINS), random.pick(&["s", "t"])).unwrap();
        }
        let message: Vec<u8> = (0..random.below(12)).flat_map(|_| LINES[random.below(LINES.len())]).copied().collect();
        let mut is_given = false;
        if let Ok(with_message) = plan.clone().with_message(&message) {
            (plan, is_given) = (with_message, true);
        }
        let report = now(Preflight::new(&zone).look(&plan));
        check(&report);
        planned += usize::from(is_given);
        // Without signatures that are planned, the direct way is any evaluation's.
        if plan.signatures().is_empty() && is_given {
            let mut session = Session::at(NOW).with_peer(ip).with_helo(plan.helo().unwrap());
            session.mail_from = plan.mail_from().clone();
            let message = Message::parse(plan.message().unwrap()).unwrap();
            assert_eq!(report.direct.verdict, now(Authenticator::new(&zone).authenticate(&message, session)));
        }
    }
    assert!(planned > 100, "only {planned} messages");
}
