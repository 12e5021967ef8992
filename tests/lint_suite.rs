//! What a look at a domain finds, for each kind of finding a zone in which it is found, and one near it in which it is not.
//!
//! Cases are files of `tests/data/lint`. A case has a `zone`, and may say:
//!
//! - `domain`, where it is not `a.example`; `selectors`, `senders`, a `message` or several `messages`, and `at` which time,
//! - `keys`: records with public keys in place of their names in braces; `fail`: names that have no answer for TXT,
//! - `repeat`: a `part` of the zone and how many `times` it stands in the place of `<>`, `#` being the count,
//! - `needs`: a feature without which the case is passed over,
//! - `found`: all findings about what the file is `about`, each as `severity id name offset+length "text"`; `says`: what each of them says
//!   or advises, in their order, as far as the case goes,
//! - `dkim`: each key; `senders_found`: what each sender meets; `dmarc`: the organizational domain, and the policies; `corrected`: the record that is offered; `mended`: that of DMARC; `spf`: lookups, the least lookups, void lookups, IPv4 addresses and IPv6 prefixes; `tree`: its terms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code, reason = "answers come in one order here")]
#[path = "support/late.rs"]
mod late;
mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use late::{Arrival, Late};
use mailverdict::{
    Authenticator, Message, Session,
    dns::{Answer, Lookup, LookupError, Mx, RecordType, Resolver, Zone},
    finding::{Finding, Severity},
    lint::{DmarcPublished, KeyPublished, Lint, Report, Scope, Sender},
    name::{Domain, Name},
    spf::Observers,
};
use proptest::{collection::vec, prelude::*};
use saphyr::{LoadableYamlNode, Yaml};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use support::{
    case::{list, text},
    ready::now,
    signer::Key,
};

const KEYS: [&str; 21] = [
    "name",
    "zone",
    "keys",
    "domain",
    "selectors",
    "senders",
    "message",
    "messages",
    "at",
    "fail",
    "repeat",
    "found",
    "says",
    "spf",
    "tree",
    "dmarc",
    "dkim",
    "senders_found",
    "corrected",
    "mended",
    "needs",
];

fn zone(case: &Yaml<'_>) -> Zone {
    let mut source = text(case, "zone").unwrap_or_default().to_owned();
    if let Some(repeat) = case.as_mapping_get("repeat") {
        let (part, times) =
            (text(repeat, "part").unwrap(), repeat.as_mapping_get("times").unwrap().as_integer().unwrap());
        let parts: String = (0..times).map(|count| part.replace('#', &count.to_string())).collect();
        source = source.replace("<>", &parts);
    }
    let mut zone = Zone::parse(&source, text(case, "name").unwrap()).unwrap();
    for record in list(case, "keys") {
        let (name, record) = record.split_once(' ').unwrap();
        zone.add_txt(&Name::parse(name).unwrap(), filled(record).into_bytes());
    }
    for planted in text(case, "fail").unwrap_or_default().split_whitespace() {
        zone.plant(&Name::parse(planted).unwrap(), RecordType::Txt, LookupError::ServerFailure);
    }
    zone
}

/// With the public key in place of its name.
fn filled(text: &str) -> String {
    let Some((before, rest)) = text.split_once('{') else { return text.to_owned() };
    let (name, after) = rest.split_once('}').unwrap();
    format!("{before}{}{after}", STANDARD.encode(Key::named(name).public()))
}

fn scope(case: &Yaml<'_>) -> Scope {
    let mut scope = Scope::of(Domain::parse(text(case, "domain").unwrap_or("a.example")).unwrap());
    for selector in list(case, "selectors") {
        scope = scope.with_selector(&selector).unwrap();
    }
    for sender in list(case, "senders") {
        scope = scope.with_sender(sender.parse().unwrap());
    }
    let messages = list(case, "messages");
    for message in text(case, "message").into_iter().chain(messages.iter().map(String::as_str)) {
        scope = scope.with_message(Message::parse(message.as_bytes()).unwrap().header());
    }
    match text(case, "at") {
        Some(at) => scope.at(at.parse().unwrap()),
        None => scope,
    }
}

fn line(finding: &Finding) -> String {
    let Finding { rule, severity, name, quote, .. } = finding;
    let start = format!("{} {} {}", severity.keyword(), rule.id(), name.as_deref().unwrap_or("-"));
    match quote.as_ref().and_then(|quote| Some((quote.span()?, quote.text()))) {
        Some((span, text)) if text.len() > 100 => {
            format!("{start} {}+{} \"{}...", span.offset(), span.length(), &text[..20])
        }
        Some((span, text)) => format!("{start} {}+{} \"{text}\"", span.offset(), span.length()),
        None => start,
    }
}

fn dmarc_line(dmarc: &DmarcPublished) -> String {
    let policies = [dmarc.policy, dmarc.subdomain_policy, dmarc.nonexistent_policy].map(|policy| policy.keyword());
    let testing = if dmarc.testing { " testing" } else { "" };
    let older = dmarc.rfc7489.map_or_else(String::new, |older| {
        let [policy, below] = [older.policy, older.subdomain_policy].map(|policy| policy.keyword());
        format!("; older {policy} {below} {}", older.percent)
    });
    let organization = dmarc.organizational_domain.as_ref().map_or("-", |domain| domain.as_str());
    format!("{organization} {}{testing}{older}", policies.join(" "))
}

fn dkim_line(report: &Report) -> String {
    let key = |key: &KeyPublished| {
        let bits = key.bits.map_or("-".to_owned(), |bits| bits.to_string());
        let by: String = key.aliases.iter().map(|alias| format!(" by {alias}")).collect();
        format!("{} {} {bits}{by}", key.selector, key.key_type.as_deref().unwrap_or("-"))
    };
    report.dkim.iter().map(key).collect::<Vec<_>>().join(", ")
}

fn senders_line(report: &Report) -> String {
    let sender = |sender: &Sender| {
        let name = sender.names.first().map_or("-".to_owned(), ToString::to_string);
        let confirmed = if sender.is_confirmed { " confirmed" } else { "" };
        format!("{} {name}{confirmed} {}", sender.ip, sender.spf.as_ref().map_or("-", |spf| spf.result.keyword()))
    };
    report.senders.iter().map(sender).collect::<Vec<_>>().join(", ")
}

/// What holds for each report, whatever it says.
fn check(report: &Report) {
    for finding in &report.findings {
        for sentence in [&finding.says].into_iter().chain(&finding.advice) {
            assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
            assert!(sentence.is_ascii(), "{sentence:?}");
            assert!(sentence.chars().count() <= 1003, "{sentence:?}");
        }
    }
    assert!(report.findings.is_sorted_by_key(|finding| finding.severity));
}

fn failures(case: &Yaml<'_>, about: &[String]) -> Vec<String> {
    let mut failures = Vec::new();
    for (key, _) in case.as_mapping().unwrap() {
        if !KEYS.contains(&key.as_str().unwrap()) {
            failures.push(format!("unknown key {key:?}"));
        }
    }
    let lint = Lint::new(zone(case));
    let report = now(lint.look(&scope(case)));
    check(&report);
    let at_once = lint.look_at_once(&scope(case));
    assert_eq!(report.findings, at_once.findings);
    let found: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| about.is_empty() || about.iter().any(|about| about == finding.rule.about().keyword()))
        .collect();
    let lines: Vec<String> = found.iter().map(|finding| line(finding)).collect();
    let expected = list(case, "found");
    if lines != expected {
        let told: Vec<_> = found.iter().map(|finding| finding.to_string()).collect();
        failures.push(format!("found {lines:#?}\n  instead of {expected:#?}\n  {told:#?}"));
    }
    for (finding, said) in found.iter().zip(list(case, "says")) {
        if !finding.to_string().contains(&said) {
            failures.push(format!("{finding}\n  does not say {said:?}"));
        }
    }
    if let Some(expected) = text(case, "spf") {
        let shown = report.spf.as_ref().map_or("none".to_owned(), |spf| {
            format!(
                "{} {} {} {} {}",
                spf.lookups, spf.least_lookups, spf.void_lookups, spf.ipv4_addresses, spf.ipv6_prefixes
            )
        });
        if shown != expected {
            failures.push(format!("spf: {shown} instead of {expected}"));
        }
    }
    if let Some(expected) = text(case, "dmarc") {
        let shown = report.dmarc.as_ref().map_or("none".to_owned(), dmarc_line);
        if shown != expected {
            failures.push(format!("dmarc: {shown} instead of {expected}"));
        }
    }
    for (key, shown) in [("dkim", dkim_line(&report)), ("senders_found", senders_line(&report))] {
        if text(case, key).is_some_and(|expected| expected != shown) {
            failures.push(format!("{key}: {shown}"));
        }
    }
    let corrected = report.corrections.first().map_or("none", |correction| &*correction.record);
    let mended = report.corrections.iter().find(|correction| correction.name.as_str().starts_with("_dmarc."));
    let mended = mended.map_or("none", |correction| &*correction.record);
    if text(case, "mended").is_some_and(|expected| expected != mended) {
        failures.push(format!("mended: {mended}"));
    }
    if text(case, "corrected").is_some_and(|expected| expected != corrected) {
        failures.push(format!("corrected: {corrected}"));
    }
    failures.extend(not_clean(&zone(case), &scope(case), &report));
    if let Some(expected) = text(case, "tree") {
        let terms = report.spf.iter().flat_map(|spf| &spf.terms);
        let shown: String = terms
            .map(|term| {
                let indent = "  ".repeat(term.depth);
                let void = if term.is_void { " void" } else { "" };
                format!("{indent}{} {}@{} {}{void}\n", term.term, term.lookups, term.at, term.ipv4_addresses)
            })
            .collect();
        if shown != expected {
            failures.push(format!("tree:\n{shown}instead of\n{expected}"));
        }
    }
    failures
}

/// A zone in which other texts stand at one name.
struct Otherwise<'z> {
    zone: &'z Zone,
    name: &'z Name,
    text: &'z str,
}

impl Resolver for Otherwise<'_> {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        if name == self.name {
            return Ok(Answer::Records([self.text.as_bytes().into()].into()));
        }
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
}

/// What a record of DMARC that is offered has no more of.
const DMARC_MENDED: [&str; 11] = [
    "dmarc-multiple",
    "dmarc-not-a-record",
    "dmarc-p-missing",
    "dmarc-p-bad",
    "dmarc-value-bad",
    "dmarc-duplicate-tag",
    "dmarc-uri",
    "dmarc-scheme",
    "dmarc-unknown-tag",
    "dmarc-rf-ri",
    "dmarc-size",
];

/// What is still wrong with a record that was offered, once it is published.
fn not_clean(zone: &Zone, scope: &Scope, report: &Report) -> Vec<String> {
    let mut left = Vec::new();
    for correction in &report.corrections {
        assert_eq!(correction.strings().concat(), *correction.record);
        assert!(correction.strings().iter().all(|string| string.len() <= 255));
        let otherwise = Otherwise { zone, name: &correction.name, text: &correction.record };
        let again = now(Lint::new(otherwise).look(scope));
        let is_dmarc = correction.name.as_str().starts_with("_dmarc.");
        let about = if is_dmarc { "dmarc" } else { "spf" };
        for finding in again.findings.iter().filter(|finding| finding.rule.about().keyword() == about) {
            let is_own = finding.name.as_deref() == Some(correction.name.as_str()) && finding.quote.is_some();
            // What its owner has to decide, and what others publish, is not mended.
            let is_decided = is_dmarc && !DMARC_MENDED.contains(&finding.rule.id());
            if finding.severity == Severity::Error || finding.severity == Severity::Warning && is_own && !is_decided {
                left.push(format!("{} is offered, and {}: {finding}", correction.record, line(finding)));
            }
        }
        assert!(again.corrections.iter().all(|more| more.name != correction.name), "{}", correction.record);
    }
    left
}

fn run(file: &str, least: usize) {
    let path = format!("{}/tests/data/lint/{file}.yml", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).unwrap();
    let documents = Yaml::load_from_str(&source).unwrap();
    let about = list(&documents[0], "about");
    let cases = documents[0].as_mapping_get("cases").unwrap().as_vec().unwrap();
    let mut failed = Vec::new();
    for case in cases {
        let name = text(case, "name").expect("a case has a name");
        if text(case, "needs") == Some("psl") && cfg!(not(feature = "psl")) {
            continue;
        }
        failed.extend(failures(case, &about).into_iter().map(|failure| format!("{name}: {failure}")));
    }
    assert!(cases.len() >= least, "only {} cases of {file}", cases.len());
    assert!(failed.is_empty(), "{} failures:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn of_spf_records() {
    run("spf", 30);
}

#[test]
fn of_dmarc_records() {
    run("dmarc", 20);
}

#[test]
fn of_keys_hosts_and_other_texts() {
    run("others", 25);
}

/// Of what stands just outside of a rule, the rule says nothing.
#[test]
fn what_is_near_is_not_found() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lint/near.yml");
    let source = std::fs::read_to_string(path).unwrap();
    let documents = Yaml::load_from_str(&source).unwrap();
    let cases = documents[0].as_mapping_get("cases").unwrap().as_vec().unwrap();
    let mut failed = Vec::new();
    for case in cases {
        let report = now(Lint::new(zone(case)).look(&scope(case)));
        check(&report);
        let near = list(case, "near");
        assert!(!near.is_empty());
        let found = report.findings.iter().filter(|finding| near.iter().any(|id| id == finding.rule.id()));
        failed.extend(found.map(|finding| format!("{}: {} {finding}", text(case, "name").unwrap(), line(finding))));
    }
    assert!(cases.len() >= 35, "only {} cases", cases.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Thirty domains of good faith: nothing is an error, nor a warning.
#[test]
fn clean_domains_are_clean() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lint/clean.yml");
    let source = std::fs::read_to_string(path).unwrap();
    let documents = Yaml::load_from_str(&source).unwrap();
    let providers = text(&documents[0], "providers").unwrap();
    let cases = documents[0].as_mapping_get("cases").unwrap().as_vec().unwrap();
    let mut failed = Vec::new();
    for case in cases {
        let name = text(case, "name").unwrap();
        let source = format!("{providers}\n{}", text(case, "zone").unwrap());
        let mut zone = Zone::parse(&source, name).unwrap();
        for record in list(case, "keys") {
            let (name, record) = record.split_once(' ').unwrap();
            zone.add_txt(&Name::parse(name).unwrap(), filled(record).into_bytes());
        }
        let report = now(Lint::new(zone).look(&scope(case)));
        check(&report);
        assert!(report.is_complete());
        let found = report.findings.iter().filter(|finding| finding.severity != Severity::Notice);
        failed.extend(found.map(|finding| format!("{name}: {} {finding}", line(finding))));
    }
    assert!(cases.len() >= 30, "only {} domains", cases.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Terms of all kinds, good and bad.
const TERMS: [&str; 36] = [
    "mx",
    "a",
    "a",
    "ip4:1.2.3.4",
    "ip4:1.2.3.0/24",
    "ip4:1.2.3.9/24",
    "ip4:1.2.3.128/25",
    "ip4:1.2.3.0/25",
    "ip4:10.0.0.1",
    "-ip4:1.2.3.4",
    "ip6:2a09::/32",
    "ip6:2a09::1/32",
    "include:p.example",
    "include:p.example",
    "include:q.example",
    "include:nobody.example",
    "include:gone.test",
    "include:broken.example",
    "include:a.example",
    "include=p.example",
    "inlcude:p.example",
    "ipv4:1.2.3.4,",
    "1.2.3.4",
    "ip4:0.0.0.0/0",
    "exists:a.example",
    "ptr",
    "+all",
    "?all",
    "~all",
    "-all",
    "all;",
    "redirect=p.example",
    "redirct=p.example",
    "exp=why.example",
    "x=y",
    "ip4:",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// Whatever stands in the records: what is offered in their place has nothing wrong, and no client gets a permerror.
    #[test]
    fn what_is_offered_is_clean(
        records in vec(vec(0..TERMS.len(), 0..9), 1..3),
    ) {
        let mut zone = Zone::parse(
            "a.example. MX 10 mx.b.example.\na.example. A 1.2.3.4\na.example. AAAA 2a09::4\nmx.b.example. A 1.2.3.5\n\
             mx.b.example. AAAA 2a09::5\np.example. TXT \"v=spf1 ip4:1.2.5.0/24 -all\"\nq.example. TXT \"v=spf1 -all\"\n\
             broken.example. TXT \"v=spf1 ipx\"\nnobody.example. A 1.2.3.6\n",
            "zone",
        )
        .unwrap();
        let name = Name::parse("a.example").unwrap();
        for record in &records {
            let terms: Vec<&str> = record.iter().map(|term| TERMS[*term]).collect();
            zone.add_txt(&name, format!("v=spf1 {}", terms.join(" ")).trim_end().as_bytes().to_vec());
        }
        let scope = Scope::of(Domain::parse("a.example").unwrap());
        let report = now(Lint::new(&zone).look(&scope));
        check(&report);
        prop_assert_eq!(not_clean(&zone, &scope, &report), Vec::<String>::new());
        for correction in &report.corrections {
            let otherwise = Otherwise { zone: &zone, name: &name, text: &correction.record };
            let authenticator = Authenticator::new(otherwise);
            for ip in ["9.9.9.9", "2620:fe::9", "1.2.3.4", "1.2.3.200"] {
                let session = Session::new(ip.parse::<IpAddr>().unwrap()).with_mail_from("x@a.example");
                let reports = now(authenticator.check_spf(&session, &mut Observers { helo: (), mail_from: () }));
                let result = reports.mail_from.unwrap().result;
                prop_assert!(!["permerror", "none"].contains(&result.keyword()), "{}: {}", correction.record, result);
            }
        }
    }
}

/// However the answers come, a look costs what its questions cost, and no error is left out for notices before it.
#[test]
fn a_large_look_stays_small() {
    let includes: String = (0..9).map(|at| format!(" include:i{at}.example")).collect();
    let mut zone = format!("a.example. TXT \"v=spf1{includes} -all\"\n");
    for at in 0..9 {
        let hosts: String = (0..60).map(|host| format!(" a:h{host}.i{at}.example")).collect();
        let bits: String = (0..30).map(|bit| format!(" ip4:9.{at}.{bit}.1/24")).collect();
        let strings = format!("v=spf1{hosts}{bits} -all");
        let strings: Vec<String> =
            strings.as_bytes().chunks(200).map(|part| format!("\"{}\"", std::str::from_utf8(part).unwrap())).collect();
        zone += &format!("i{at}.example. TXT {}\n", strings.join(" "));
    }
    zone += "a.example. TXT \"other\"\ni8.example. TXT \"v=spf1 second\"\n";
    let zone = Zone::parse(&zone, "zone").unwrap();
    let scope = Scope::of(Domain::parse("a.example").unwrap());
    let at_hand = now(Lint::new(&zone).look(&scope));
    let late = Late::new(&zone);
    let start = std::time::Instant::now();
    let (report, _) = late.run(Arrival::Shuffled(7), Lint::new(&late).look(&scope));
    println!("{} questions one by one in {:?}", report.log().entries().len(), start.elapsed());
    assert!(report.log().entries().len() > 900);
    assert_eq!(report.findings, at_hand.findings);
    assert!(report.findings.iter().any(|finding| finding.rule.id() == "spf-multiple"));
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Parts of DMARC records of all kinds, good and bad.
const PARTS: [&str; 30] = [
    "v=DMARC1",
    "v=DMARC1",
    "v=dmarc1",
    "p=reject",
    "p=none",
    "p=Quarentine",
    "p=",
    "p",
    "sp=none",
    "sp=block",
    "np=reject",
    "adkim=s",
    "adkim=x",
    "aspf=r, p=reject",
    "pct=50",
    "pct=500",
    "t=y",
    "psd=maybe",
    "fo=1:d",
    "fo=9",
    "rf=afrf",
    "ri=86400",
    "rua=mailto:d@a.example",
    "rua=d@a.example,mailto:e@a.example!10m",
    "rua=https://a.example/",
    "ruf=mailto:<f@a.example>",
    "policy=reject",
    "x=y",
    "\\",
    "\"p=reject\"",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// Whatever stands in a record of DMARC: what is offered in its place has nothing of what is mended, and no other policy than one that
    /// was written.
    #[test]
    fn what_is_offered_for_dmarc_is_clean(
        records in vec((vec(0..PARTS.len(), 0..7), 0..4_usize), 1..3),
    ) {
        let mut zone = Zone::parse("a.example. MX 10 mx.b.example.\nmx.b.example. A 1.2.3.5\n", "zone").unwrap();
        let name = Name::parse("_dmarc.a.example").unwrap();
        let mut written = String::new();
        for (parts, between) in &records {
            let parts: Vec<&str> = parts.iter().map(|part| PARTS[*part]).collect();
            let record = format!("v=DMARC1{0}{1}", ["; ", ";", ", ", " "][*between], parts.join(["; ", ";", ", ", " ; "][*between]));
            written += &record.to_ascii_lowercase();
            zone.add_txt(&name, record.into_bytes());
        }
        let scope = Scope::of(Domain::parse("a.example").unwrap());
        let report = now(Lint::new(&zone).look(&scope));
        check(&report);
        prop_assert_eq!(not_clean(&zone, &scope, &report), Vec::<String>::new());
        for correction in report.corrections.iter().filter(|correction| correction.name == name) {
            let policy = correction.record.split("; ").nth(1).unwrap();
            let is_written = written.contains(&policy[2..]) || policy == "p=quarantine" && written.contains("quarentine");
            prop_assert!(is_written || policy == "p=none", "{}", correction.record);
        }
    }
}
