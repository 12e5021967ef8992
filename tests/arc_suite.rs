//! ARC chains: the public validation suite, and cases of our own that seal their messages as they go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{Authenticator, Message, Session, arc::ArcReport, dns::Zone, message::to_crlf, name::Name};
use saphyr::{LoadableYamlNode, Yaml};
use std::{
    collections::HashSet,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A zone in memory has every answer at the first poll.
fn now<T>(question: impl Future<Output = T>) -> T {
    match pin!(question).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a zone in memory made someone wait"),
    }
}

fn text<'y>(case: &'y Yaml<'_>, key: &str) -> Option<&'y str> {
    case.as_mapping_get(key).and_then(|value| value.as_str())
}

fn validate(zone: &Zone, raw: &[u8]) -> ArcReport {
    let Ok(message) = Message::parse(raw) else {
        // What has no header has no ARC set.
        let message = Message::parse(b"X: y\r\n\r\n").unwrap();
        return now(Authenticator::new(zone).authenticate(&message, Session::without_peer())).arc;
    };
    now(Authenticator::new(zone).authenticate(&message, Session::without_peer())).arc
}

/// Where the suite wants what RFC 8617 and RFC 6376 do not: the case, the result here, and why.
const CONTESTED: [(&str, &str); 2] = [
    // Without c= a signature is "simple/simple" (RFC 6376 §3.5, imported by RFC 8617 §4.1.2); this one was made relaxed/relaxed.
    ("ams_fields_c_na", "fail"),
    // h= "MUST NOT be empty" and must list From (RFC 6376 §3.5, §5.4).
    ("ams_fields_h_empty", "fail"),
];

/// The suite has some of its cases twice under one name, which is no YAML: the later ones are renamed.
fn without_duplicate_names(scenarios: &str) -> String {
    let mut seen = HashSet::new();
    let mut renamed = String::with_capacity(scenarios.len());
    for line in scenarios.lines() {
        let is_name = |line: &str| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        if is_name(line.trim_end()) && !seen.insert(line.trim()) {
            renamed += &format!("{}-again:\n", line.trim_end().trim_end_matches(':'));
        } else {
            renamed += &format!("{line}\n");
        }
    }
    renamed
}

#[test]
fn public_validation_suite() {
    let Ok(path) = std::env::var("MAILVERDICT_ARC_SUITE") else {
        println!(
            "SKIPPED: MAILVERDICT_ARC_SUITE names no file (arc-draft-validation-tests.yml of ValiMail/arc_test_suite)"
        );
        return;
    };
    let scenarios = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (mut cases, mut again, mut failed) = (0, 0, String::new());
    for scenario in Yaml::load_from_str(&without_duplicate_names(&scenarios)).unwrap() {
        let mut zone = Zone::new();
        for (name, record) in scenario.as_mapping_get("txt-records").and_then(Yaml::as_mapping).into_iter().flatten() {
            let record = record.as_str().unwrap_or_default().as_bytes();
            zone.add_txt(&Name::parse(name.as_str().unwrap()).unwrap(), record);
        }
        for (name, case) in scenario.as_mapping_get("tests").unwrap().as_mapping().unwrap() {
            let name = name.as_str().unwrap();
            let raw = to_crlf(text(case, "message").unwrap().as_bytes());
            let wanted = match (CONTESTED.iter().find(|(contested, _)| *contested == name), text(case, "cv")) {
                (Some((_, chosen)), _) => *chosen,
                (None, Some("Pass")) => "pass",
                (None, Some("None")) => "none",
                // Empty: the chain was marked as failed before (RFC 8617 §5.2, step 2).
                (None, Some("Fail" | "") | None) => "fail",
                (None, Some(other)) => panic!("{name}: cv {other}"),
            };
            let report = validate(&zone, &raw);
            if report.result.keyword() != wanted {
                failed += &format!("  {name}: {} ({}), wanted {wanted}\n", report.result.keyword(), report.result);
            }
            *(if name.ends_with("-again") { &mut again } else { &mut cases }) += 1;
        }
    }
    println!("{cases} cases of the public suite, and {again} messages more that it has under the same names");
    assert!(failed.is_empty(), "\n{failed}");
    assert_eq!(cases, 171);
}
