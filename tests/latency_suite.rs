//! How long a verdict waits for a cold DNS: no longer than its longest chain of questions that depend on answers. The clock is that
//! of tokio, stopped: it moves on only when everybody waits, so that time is counted exactly and none passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/latency.rs"]
mod latency;
mod support;

use latency::{ANSWER, Case, Slow};
use mailverdict::{Authenticator, Message};
use tokio::time::Instant;

#[test]
fn a_verdict_waits_for_its_longest_chain() {
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
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
