//! SPF cases: our own, and the SPF project's suite where `MAILVERDICT_SPF_SUITE` names its file.
//!
//! Both have the same form, and one driver. Besides what the SPF project's cases say, ours may say: `check` (`helo` for the HELO
//! identity), `receiver`, `time`, `matched` (the directive of the checked record), `reason` (what the reason in words holds),
//! `lookups`, `voids`, and `repeat` (a part of every text of the zone, and how often it is wanted there).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/spf_zone.rs"]
mod spf_zone;

use mailverdict::{
    Authenticator, Session,
    session::MailFrom,
    spf::{Explanation, Observers, SpfReport, SpfResult},
    time::UnixTime,
};
use saphyr::{LoadableYamlNode, Yaml};
use spf_zone::{SpfZone, text};
use std::{
    fs,
    net::IpAddr,
    path::Path,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// Zones of cases have every answer at hand.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a zone in memory made someone wait"),
    }
}

fn session(case: &Yaml<'_>) -> Session {
    let of = |key| case.as_mapping_get(key).map(text);
    let mut session = Session::new(of("host").expect("host").parse::<IpAddr>().expect("an address"));
    session.helo = of("helo").map(Into::into);
    if let Some(mail_from) = of("mailfrom") {
        session.mail_from = if mail_from.is_empty() { MailFrom::Null } else { MailFrom::Address(mail_from.into()) };
    }
    session.receiver = of("receiver").map(Into::into);
    if let Some(time) = of("time") {
        session.received_at = UnixTime(time.parse().expect("seconds"));
    }
    session
}

/// What is wrong; nothing where all is well.
fn failures(case: &Yaml<'_>, report: &SpfReport) -> Vec<String> {
    let mut failures = Vec::new();
    let mut expect = |key: &str, found: Option<String>| {
        let expected = case.as_mapping_get(key).map(text);
        if expected.is_some() && expected != found {
            failures.push(format!("{key}: {} instead of {}", found.unwrap_or_default(), expected.unwrap_or_default()));
        }
    };
    let matched = report.result.matched().map(|matched| matched.directive.to_string());
    expect("matched", Some(matched.unwrap_or_else(|| "NOTHING".into())));
    expect("lookups", Some(report.dns_lookups.to_string()));
    expect("voids", Some(report.void_lookups.to_string()));
    expect("domain", Some(report.domain.to_string()));
    expect("sender", Some(report.sender.to_string()));
    expect(
        "explanation",
        match &report.result {
            SpfResult::Fail(_, Explanation::Published(text)) => Some(text.to_string()),
            _ => Some("DEFAULT".into()),
        },
    );
    // Of several acceptable results the first is the RFC's preference.
    let result = case.as_mapping_get("result").expect("result");
    let result = text(result.as_vec().map_or(result, |accepted| &accepted[0]));
    if report.result.keyword() != result {
        failures.push(format!("{} instead of {result}", report.result.keyword()));
    }
    let reason = report.to_string();
    if let Some(expected) = case.as_mapping_get("reason").map(text)
        && !reason.contains(&expected)
    {
        failures.push(format!("the reason does not hold {expected:?}"));
    }
    if !failures.is_empty() {
        failures.push(format!("({reason})"));
    }
    failures
}

/// Runs every case of a file, says how many there were, and returns the failures.
fn run(file: &Path) -> (usize, Vec<String>) {
    let yaml = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut count = 0;
    let mut failed = Vec::new();
    for scenario in Yaml::load_from_str(&yaml).unwrap_or_else(|error| panic!("{}: {error}", file.display())) {
        let zone = SpfZone::read(scenario.as_mapping_get("zonedata").expect("zonedata"));
        let authenticator = Authenticator::new(zone);
        for (name, case) in scenario.as_mapping_get("tests").expect("tests").as_mapping().expect("a mapping") {
            let mut observers = Observers { helo: (), mail_from: () };
            let reports = block_on(authenticator.check_spf(&session(case), &mut observers));
            let check = case.as_mapping_get("check").map(text);
            let report = if check.as_deref() == Some("helo") { reports.helo } else { reports.mail_from };
            let report = report.expect("the identity is known");
            count += 1;
            let scenario = scenario.as_mapping_get("description").map(text).unwrap_or_default();
            failed.extend(failures(case, &report).iter().map(|why| format!("{scenario} / {}: {why}", text(name))));
        }
    }
    (count, failed)
}

#[test]
fn the_suite_of_the_spf_project() {
    let Some(file) = std::env::var_os("MAILVERDICT_SPF_SUITE") else {
        println!(
            "SKIPPED: the suite of the SPF project; MAILVERDICT_SPF_SUITE does not name its file rfc7208-tests.yml"
        );
        return;
    };
    let (count, failed) = run(Path::new(&file));
    assert!(failed.is_empty(), "{} lines on failures of {count} cases:\n{}", failed.len(), failed.join("\n"));
    assert!(count >= 203, "only {count} cases found");
    println!("the suite of the SPF project: {count} of {count} cases pass");
}
