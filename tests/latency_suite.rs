//! How long a verdict waits for a cold DNS: no longer than its longest chain of questions that depend on answers. The clock is that
//! of tokio, stopped: it moves on only when everybody waits, so that time is counted exactly and none passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/latency.rs"]
mod latency;
mod support;

use latency::{ANSWER, Case, Slow};
use mailverdict::{
    Authenticator, Message, Session,
    dns::Zone,
    lint::{Lint, Scope},
    name::Domain,
    report::ReportKind,
};
use tokio::{runtime::Runtime, time::Instant};

fn stopped_clock() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[test]
fn a_verdict_waits_for_its_longest_chain() {
    let clock = stopped_clock();
    let mut wrong = Vec::new();
    for case in latency::cases() {
        let slow = Slow::new(latency::zone());
        let message = Message::parse(&case.message).unwrap();
        let (verdict, waited) = clock.block_on(async {
            let start = Instant::now();
            let verdict = Authenticator::new(&slow).authenticate(&message, case.session.clone()).await;
            (verdict, start.elapsed())
        });
        assert_eq!(Case::results_of(&verdict), case.results, "{}: {verdict:#?}", case.name);
        println!(
            "{}: waited {waited:?} for {} questions; the chain is {} ({})",
            case.name,
            slow.asked(),
            case.chain,
            case.why
        );
        assert!(waited >= ANSWER * case.chain, "{}: the chain is not as long as it says", case.name);
        if waited > ANSWER * case.waits {
            wrong.push(format!("{}: waited {waited:?}, more than {} answers", case.name, case.waits));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn report_destinations_are_asked_side_by_side_and_each_once() {
    let zone = Zone::parse(
        "_dmarc.example.com. TXT \"v=DMARC1; p=none; rua=mailto:a@adatum.com,mailto:b@contoso.com,mailto:c@adatum.com\"\n\
         example.com._report._dmarc.adatum.com. TXT \"v=DMARC1\"\n",
        "zone",
    );
    let zone = zone.unwrap();
    let message = Message::parse(b"From: a@example.com\r\n\r\n").unwrap();
    let slow = Slow::new(zone.clone());
    let (found, waited) = stopped_clock().block_on(async {
        let verdict = Authenticator::new(&zone).authenticate(&message, Session::without_peer()).await;
        let record = verdict.dmarc.record.clone().unwrap();
        let start = Instant::now();
        let authenticator = Authenticator::new(&slow);
        (authenticator.report_destinations(&record, ReportKind::Aggregate).await, start.elapsed())
    });
    let usable: Vec<_> = found.iter().map(|destination| destination.usable().len()).collect();
    assert_eq!(usable, [1, 0, 1]);
    // Three domains and their common parent, one after the other; then two permissions.
    assert_eq!((waited, slow.asked()), (3 * ANSWER, 6));
}

/// A look at a domain waits for its longest chain: of includes, or of the walks for those that take reports.
#[test]
fn a_look_waits_for_the_longest_chain() {
    let northwind = Zone::parse(include_str!("data/lint/northwind.db"), "northwind.db").unwrap();
    let clock = stopped_clock();
    let mut wrong = Vec::new();
    for (zone, domain, chain) in [
        (latency::zone(), "contoso.com", 2),
        (latency::zone(), "fabrikam.com", 3),
        (latency::zone(), "bounce.contoso.com", 2),
        // Without a record, the places where it may stand instead.
        (latency::zone(), "adatum.com", 2),
        // An include of an include of a host that is not there, and whether its domain is.
        (northwind, "northwind.example", 5),
    ] {
        let slow = Slow::new(zone);
        let scope = Scope::of(Domain::parse(domain).unwrap());
        let waited = clock.block_on(async {
            let start = Instant::now();
            let report = Lint::new(&slow).look(&scope).await;
            assert!(report.is_complete());
            start.elapsed()
        });
        println!("{domain}: waited {waited:?} for {} questions; the chain is {chain}", slow.asked());
        if waited > ANSWER * chain {
            wrong.push(format!("{domain}: waited {waited:?}, more than {chain} answers"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
