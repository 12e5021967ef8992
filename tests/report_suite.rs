//! Where reports may be sent: the cases of `tests/data/report/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{Authenticator, Message, Session, name::Domain, report::ReportKind};
use saphyr::{LoadableYamlNode, Yaml};
use support::{
    case::{list, text, zone},
    ready::now,
};

/// A case has a record at `_dmarc` of its domain in the zone, as any receiver would find it.
fn failures(case: &Yaml<'_>) -> Vec<String> {
    let zone = zone(case);
    let domain = Domain::parse(text(case, "domain").unwrap()).unwrap();
    let raw = format!("From: a@{domain}\r\n\r\n");
    let message = Message::parse(raw.as_bytes()).unwrap();
    let verdict = now(Authenticator::new(&zone).authenticate(&message, Session::without_peer()));
    let record = verdict.dmarc.record.clone().unwrap_or_else(|| panic!("no record: {}", verdict.dmarc.result));
    let mut failures = Vec::new();
    for (kind, key) in [(ReportKind::Aggregate, "rua"), (ReportKind::Failure, "ruf")] {
        let found = now(Authenticator::new(&zone).report_destinations(&record, kind));
        let found: Vec<_> = found
            .iter()
            .map(|destination| {
                let usable: Vec<_> = destination.usable().iter().map(ToString::to_string).collect();
                let usable = if usable.is_empty() { "-".to_owned() } else { usable.join(" ") };
                format!("{} => {usable}: {}", destination.uri, destination.permission)
            })
            .collect();
        let wanted = list(case, key);
        if found != wanted {
            failures.push(format!(
                "{key}:\n        {}\n      wanted:\n        {}",
                found.join("\n        "),
                wanted.join("\n        ")
            ));
        }
    }
    failures
}

#[test]
fn destinations() {
    let cases = Yaml::load_from_str(include_str!("data/report/destinations.yml")).unwrap();
    let mut failed = Vec::new();
    for case in &cases {
        let name = text(case, "name").unwrap_or_else(|| panic!("a case has no name"));
        failed.extend(failures(case).into_iter().map(|failure| format!("{name}: {failure}")));
    }
    println!("{} cases", cases.len());
    assert!(cases.len() > 10, "{} cases", cases.len());
    assert!(failed.is_empty(), "{} failures:\n  {}", failed.len(), failed.join("\n  "));
}
