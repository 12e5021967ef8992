//! A verdict over a DNS that takes 20 ms for each answer and remembers nothing: `cargo bench --bench latency`.
//!
//! The bound is 20 ms for each answer of the longest chain of questions that depend on answers, and 5 ms for all else.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/support/latency.rs"]
mod latency;
#[path = "../tests/support/mod.rs"]
mod support;

use latency::{ANSWER, Case, Slow};
use mailverdict::{Authenticator, Message};
use std::time::{Duration, Instant};

const ROUNDS: usize = 21;
const ALL_ELSE: Duration = Duration::from_millis(5);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    println!("| message | chain | bound | median | questions |\n|---|--:|--:|--:|--:|");
    let cases = latency::cases();
    for case in &cases {
        let mut asked = 0;
        let mut times: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                // Nothing is remembered of the round before.
                let slow = Slow::new(latency::zone());
                let start = Instant::now();
                let message = Message::parse(&case.message).unwrap();
                let authenticator = Authenticator::new(&slow);
                let verdict = runtime.block_on(authenticator.authenticate(&message, case.session.clone()));
                let took = start.elapsed();
                assert_eq!(Case::results_of(&verdict), case.results, "{}", case.name);
                asked = slow.asked();
                took
            })
            .collect();
        times.sort();
        let bound = (ANSWER * case.chain + ALL_ELSE).as_millis();
        let median = times[ROUNDS / 2].as_secs_f64() * 1000.0;
        println!("| {} | {} | {bound} ms | {median:.1} ms | {asked} |", case.name, case.chain);
    }
    println!();
    for case in &cases {
        println!("{}: a chain of {}, for {}.", case.name, case.chain, case.why);
    }
}
