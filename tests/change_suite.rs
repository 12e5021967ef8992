//! What happened to messages whose signatures do not verify: real ones, and for each kind of change many that are made here, singly and in
//! the pairs that lists and gateways make; and random damages, of which none may be called proven.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Session,
    change::{Changes, Settings, changes},
    dkim::Change,
    dns::Zone,
    message::to_crlf,
    spf::Observers,
    time::UnixTime,
};
use saphyr::{LoadableYamlNode, Yaml};
use support::{
    case::{list, text},
    ready::now,
};

/// What is found of a message.
fn found(raw: &[u8], zone: &Zone, at: UnixTime) -> Changes {
    let message = Message::parse(raw).unwrap();
    let authenticator = Authenticator::new(zone.clone());
    let session = Session::without_peer().received_at(at);
    let mut nobody = Observers { helo: (), mail_from: () };
    let (verdict, log) = now(authenticator.explain(&message, session.clone(), &mut nobody));
    changes(&verdict, &message, &session, &log, &Settings::default())
}

/// `kind proven field`, as far as there is.
fn shown(change: &Change) -> String {
    let proven = if change.is_proven { "" } else { "?" };
    let field = change.field.as_ref().map(|field| format!(" {field}")).unwrap_or_default();
    format!("{}{proven}{field}", change.kind.keyword())
}

#[test]
fn the_cases_are_told_as_they_should_be() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/change");
    let cases = std::fs::read_to_string(format!("{folder}/cases.yml")).unwrap();
    let cases = Yaml::load_from_str(&cases).unwrap();
    let mut failures = Vec::new();
    let cases = cases[0].as_sequence().unwrap();
    for case in cases {
        let name = text(case, "name").unwrap();
        let raw = std::fs::read(format!("{folder}/{name}.eml")).unwrap();
        let file = std::fs::read_to_string(format!("{folder}/{name}.db")).unwrap();
        let zone = Zone::parse(file, name).unwrap();
        let found = found(&to_crlf(&raw), &zone, UnixTime(1_800_000_000));
        let all: Vec<&Change> = found.dkim.iter().flatten().collect();
        let kinds: Vec<String> = all.iter().map(|change| shown(change)).collect();
        for change in &all {
            println!("{name}: {} | {change}", shown(change));
        }
        let says = list(case, "says");
        let is_said = |part: &String| all.iter().any(|change| change.to_string().contains(part));
        if kinds != list(case, "changes") || !says.iter().all(is_said) {
            failures.push(format!("{name}: {all:#?}"));
        }
    }
    assert!(cases.len() >= 8 && failures.is_empty(), "{}", failures.join("\n"));
}
