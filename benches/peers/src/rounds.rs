//! Interleaved rounds, and what they come to.

use crate::contender::Prepared;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;

/// How long each contender works in one round, in nanoseconds: long enough for the clock, short enough that a disturbance hits
/// few rounds.
const TURN: u64 = 3_000_000;

/// Processor time of this thread, in nanoseconds: what the others on this machine use does not count.
pub fn clock() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// What a run took, of each round; nanoseconds, unless who measured says otherwise.
#[derive(Default)]
pub struct Times(pub Vec<f64>);

impl Times {
    pub fn median(&self) -> f64 {
        median(self.0.clone())
    }

    pub fn minimum(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The median of the ratios round by round: what slows a whole round falls out.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine / theirs).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// Runs the contenders in turns; who begins changes from round to round.
pub fn measure(contenders: &mut [Box<dyn Prepared + '_>], rounds: usize) -> Vec<Times> {
    let runs: Vec<u64> = contenders.iter_mut().map(|contender| runs_a_turn(contender.as_mut())).collect();
    let mut times: Vec<Times> = contenders.iter().map(|_| Times(Vec::with_capacity(rounds))).collect();
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            let start = clock();
            for _ in 0..runs[who] {
                black_box(contenders[who].run());
            }
            times[who].0.push((clock() - start) as f64 / runs[who] as f64);
        }
    }
    times
}

/// Warms up, and finds how many runs fill a turn.
fn runs_a_turn(contender: &mut dyn Prepared) -> u64 {
    let mut runs = 1;
    loop {
        let start = clock();
        for _ in 0..runs {
            black_box(contender.run());
        }
        let took = clock() - start;
        if took >= TURN / 4 {
            return (runs * TURN / took.max(1)).max(1);
        }
        runs *= 2;
    }
}
