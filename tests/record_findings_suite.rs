//! What findings say of SPF and DMARC records, of keys and signatures, and of the DNS: for each kind a case in which it is found, and
//! one near it in which it is not, which names it under `near`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::{
    Authenticator, Message, Policy, Session,
    dmarc::{self, Editions, SuffixList},
    dns::{LookupError, RecordType, Zone},
    finding::{Finding, findings, findings_of_header},
    name::Name,
    spf::Observers,
};
use saphyr::{LoadableYamlNode, Yaml};
use std::{net::IpAddr, sync::Arc};
use support::{
    case::{list, text},
    near,
    ready::now,
    signer::Key,
};

const KEYS: [&str; 13] = [
    "name",
    "zone",
    "keys",
    "signature",
    "from",
    "raw",
    "mail_from",
    "both",
    "fail",
    "found",
    "near",
    "says",
    "reason",
];

/// A signature that asks for the key of k at a.example, and has nothing else to find.
const DEFAULT: &str = "v=1; a=rsa-sha256; d=a.example; s=k; h=from:from; bh=AAAA; b=AAAA";

fn zone(case: &Yaml<'_>) -> Zone {
    let mut zone = Zone::parse(text(case, "zone").unwrap_or_default(), text(case, "name").unwrap()).unwrap();
    for record in list(case, "keys") {
        let (name, record) = record.split_once(' ').unwrap();
        zone.add_txt(&Name::parse(name).unwrap(), filled(record).into_bytes());
    }
    for planted in text(case, "fail").unwrap_or_default().lines() {
        let [name, record_type, error] = planted.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
        let record_type = match record_type {
            "TXT" => RecordType::Txt,
            "A" => RecordType::A,
            "MX" => RecordType::Mx,
            other => panic!("{other}"),
        };
        let error = match error {
            "timeout" => LookupError::Timeout,
            "servfail" => LookupError::ServerFailure,
            "refused" => LookupError::Refused,
            "unreachable" => LookupError::Other("the server cannot be reached: connection refused".into()),
            other => panic!("{other}"),
        };
        zone.plant(&Name::parse(name).unwrap(), record_type, error);
    }
    zone
}

/// With the public keys in place of their names.
fn filled(text: &str) -> String {
    let Some((before, rest)) = text.split_once('{') else { return text.to_owned() };
    let (name, after) = rest.split_once('}').unwrap();
    let public = |name: &str| STANDARD.encode(Key::named(name).public());
    match name.strip_prefix("cut:") {
        Some(length) => format!("{before}{}{after}", &public("rsa2048")[..length.parse::<usize>().unwrap()]),
        None => format!("{before}{}{after}", public(name)),
    }
}

/// All findings, and DMARC's reason.
fn evaluate(case: &Yaml<'_>) -> (Vec<Finding>, String) {
    let signature = match text(case, "signature") {
        Some("default") => format!("DKIM-Signature: {DEFAULT}\r\n"),
        Some(signature) => format!("DKIM-Signature: {signature}\r\n"),
        None => String::new(),
    };
    let message = match text(case, "raw") {
        Some(raw) => raw.to_owned(),
        None => format!("{signature}From: {}\r\n\r\nx\r\n", text(case, "from").unwrap_or("a@a.example")),
    };
    let message = Message::parse(message.as_bytes()).unwrap();
    let mut session = Session::new("203.0.113.9".parse::<IpAddr>().unwrap());
    if let Some(mail_from) = text(case, "mail_from") {
        session = session.with_mail_from(mail_from);
    }
    let mut policy = Policy::default();
    if text(case, "both").is_some() {
        let suffixes = SuffixList::parse("com\nnet\norg\nexample");
        policy.dmarc = dmarc::Policy::by(Editions::Both(Arc::new(suffixes)));
    }
    let mut observers = Observers { helo: (), mail_from: () };
    let authenticator = Authenticator::new(zone(case)).with_policy(policy);
    let (verdict, log) = now(authenticator.explain(&message, session.clone(), &mut observers));
    let mut found = findings(&verdict, &session, &log);
    found.extend(findings_of_header(&verdict, &session, &log, message.header(), None));
    found.sort_by_key(|finding| finding.severity);
    (found, verdict.dmarc.result.to_string())
}

fn shown(finding: &Finding) -> String {
    let text = finding.quote.as_ref().map_or("-", |quote| quote.text());
    let name = finding.name.as_deref().unwrap_or("-");
    format!("{} {} {name} {text}", finding.rule.id(), finding.severity.keyword())
}

/// What holds for each finding, whatever it says.
fn check(finding: &Finding) {
    for sentence in [&finding.says].into_iter().chain(&finding.advice) {
        assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
        assert!(sentence.chars().count() <= 1003, "{sentence:?}");
    }
    assert!(finding.quote.iter().all(|quote| quote.text().is_ascii()), "{finding:?}");
    let is_sentence = |advice: &str| advice.starts_with(|c: char| c.is_ascii_uppercase()) && advice.ends_with('.');
    assert!(finding.advice.iter().all(|advice| is_sentence(advice)), "{finding:?}");
}

fn failures(case: &Yaml<'_>, about: &[&str]) -> Vec<String> {
    let mut failures = Vec::new();
    for (key, _) in case.as_mapping().unwrap() {
        if !KEYS.contains(&key.as_str().unwrap()) {
            failures.push(format!("unknown key {key:?}"));
        }
    }
    let (mut found, reason) = evaluate(case);
    found.iter().for_each(check);
    failures.extend(near::failures(case, &found));
    found.retain(|finding| about.contains(&finding.rule.about().keyword()));
    let (got, wanted) = (found.iter().map(shown).collect::<Vec<_>>(), list(case, "found"));
    let wanted: Vec<String> = wanted.iter().map(|wanted| filled(wanted)).collect();
    if got != wanted {
        failures.push(format!("found: {}\n      wanted: {}", got.join("\n        "), wanted.join("\n        ")));
    }
    let said = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for wanted in list(case, "says").iter().filter(|wanted| !said.contains(*wanted)) {
        failures.push(format!("says: {said}\n      wanted: {wanted}"));
    }
    if let Some(wanted) = text(case, "reason").filter(|wanted| !reason.contains(*wanted)) {
        failures.push(format!("reason: {reason}\n      wanted: {wanted}"));
    }
    failures
}

fn run(file: &str, cases: &str, about: &[&str]) {
    let cases = Yaml::load_from_str(cases).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut failed = Vec::new();
    for case in &cases {
        let name = text(case, "name").unwrap_or_else(|| panic!("a case of {file} has no name"));
        assert!(case.as_mapping_get("found").is_some(), "{file}: {name} says nothing of what is found");
        failed.extend(failures(case, about).into_iter().map(|failure| format!("{name}: {failure}")));
    }
    assert!(cases.len() > 5, "{file}: {} cases", cases.len());
    assert!(failed.is_empty(), "{file}, {} failures:\n  {}", failed.len(), failed.join("\n  "));
}

#[test]
fn of_dmarc_records() {
    run("dmarc.yml", include_str!("data/finding/dmarc.yml"), &["dmarc"]);
}

#[test]
fn of_keys_and_signatures() {
    run("dkim.yml", include_str!("data/finding/dkim.yml"), &["dkim"]);
}

#[test]
fn of_spf_records() {
    run("spf.yml", include_str!("data/finding/spf.yml"), &["spf"]);
}

#[test]
fn of_messages() {
    run("message.yml", include_str!("data/finding/message.yml"), &["message"]);
}

#[test]
fn of_from() {
    run("from.yml", include_str!("data/finding/from.yml"), &["message"]);
}

#[test]
fn of_the_dns() {
    run("dns.yml", include_str!("data/finding/dns.yml"), &["dns"]);
}

/// Whatever strangers write, what is said is bounded and printable.
#[test]
fn hostile_records_are_quoted_in_bounds() {
    let octets: String = (0_u8..=255).map(|octet| format!("\\{octet:03}")).collect();
    let many = |part: &str, count: usize| part.repeat(count);
    let records = [
        format!("v=DMARC1; p={octets}; rua={octets}"),
        format!("{octets}; v=DMARC1"),
        format!("v=DMARC1; p=none; {}", many("rua=x; ", 40)),
        format!("v=DMARC1; p=none; rua={}", many("x,", 100)),
        format!("v=dmarc1{octets}"),
    ];
    for record in records {
        let strings: Vec<String> = pieces(&record).map(|piece| format!("\"{piece}\"")).collect();
        let zone = format!("_dmarc.a.example. TXT {}", strings.join(" "));
        let mut parsed = Zone::parse(&zone, "hostile").unwrap();
        parsed.plant(&Name::parse("a.example").unwrap(), RecordType::Txt, LookupError::Other("\u{1b}[31m\r\n".into()));
        let message = Message::parse(b"From: x@a.example\r\n\r\n").unwrap();
        let session = Session::new("203.0.113.9".parse::<IpAddr>().unwrap()).with_mail_from("x@a.example");
        let mut observers = Observers { helo: (), mail_from: () };
        let (verdict, log) = now(Authenticator::new(parsed).explain(&message, session.clone(), &mut observers));
        let found = findings(&verdict, &session, &log);
        assert!((1..40).contains(&found.len()), "{}: {zone}", found.len());
        found.iter().for_each(check);
        assert!(!verdict.dmarc.result.to_string().chars().any(char::is_control));
    }
}

/// Character-strings of a master file: no more than 255 octets, an escape left whole.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let mut rest = text.to_owned().replace("\\034", "\\\"");
    std::iter::from_fn(move || {
        let mut end = rest.len().min(200);
        while end < rest.len() && rest[end.saturating_sub(3)..end].contains('\\') {
            end -= 1;
        }
        let piece = rest.drain(..end).collect::<String>();
        (!piece.is_empty()).then_some(piece)
    })
}
