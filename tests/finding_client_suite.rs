//! What is said of clients, with cases as data: for each kind of finding one in which it is found, and one near it in which it is not,
//! which names it under `near`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Session,
    dns::Zone,
    finding::{Finding, Rule, findings, findings_of_header},
    spf::Observers,
    time::UnixTime,
};
use saphyr::{LoadableYamlNode, Yaml};
use std::net::IpAddr;
use support::{case::text, near, ready::now};

fn found(case: &Yaml<'_>) -> Vec<Finding> {
    let zone = Zone::parse(format!("$TTL 60\n{}\n", text(case, "zone").unwrap_or_default()), "case").unwrap();
    let mut session = Session::at(UnixTime(1_759_738_505));
    if let Some(ip) = text(case, "ip") {
        session = session.with_peer(ip.parse::<IpAddr>().unwrap());
    }
    if let Some(helo) = text(case, "helo") {
        session = session.with_helo(helo);
    }
    if let Some(mail_from) = text(case, "mail_from") {
        session = session.with_mail_from(mail_from);
    }
    let header = text(case, "header").unwrap_or_default().replace('\n', "\r\n");
    let raw = format!("{header}From: a@author.example\r\n\r\nHello\r\n");
    let message = Message::parse(raw.as_bytes()).unwrap();
    let authenticator = Authenticator::new(zone);
    let mut observers = Observers { helo: (), mail_from: () };
    let (verdict, log) = now(authenticator.explain(&message, session.clone(), &mut observers));
    let mut found = findings(&verdict, &session, &log);
    // The author domain has no record, and the cases are of the client.
    found.retain(|finding| finding.rule != Rule::DmarcNone);
    found.extend(findings_of_header(&verdict, &session, &log, message.header(), text(case, "own")));
    found
}

#[test]
fn what_is_said_of_clients() {
    let cases = Yaml::load_from_str(include_str!("data/finding/client.yml")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let found = found(case);
        failures.extend(near::failures(case, &found));
        let shown: Vec<String> = found.iter().map(|found| format!("{}: {}", found.rule.id(), found.says)).collect();
        let wanted = case.as_mapping_get("found").unwrap().as_vec().unwrap();
        let wanted: Vec<&str> = wanted.iter().map(|line| line.as_str().unwrap()).collect();
        if shown != wanted {
            failures.push(format!("{}: {shown:?}\n    wanted: {wanted:?}", text(case, "name").unwrap()));
        }
        // Each says what to do.
        failures.extend(found.iter().filter(|found| found.advice.is_none()).map(|found| found.rule.id().to_owned()));
    }
    println!("{} cases", cases.len());
    assert!(failures.is_empty(), "\n  {}", failures.join("\n  "));
}
