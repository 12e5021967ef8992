//! The day in rounds, both sides side by side.

use super::{
    cache::{Clock, Count},
    differences::Comparison,
    side::{Part, Side, Spent, arrivals},
    stream::{Mail, Stream},
};
use crate::rounds::{Times, clock};

/// Messages that lie ready at once: one side does them all before the other does.
const AT_ONCE: usize = 250;

/// A line of the table.
#[derive(Clone, Copy)]
enum Row {
    Everything,
    Whole(Shape),
    Part(Part),
}

/// Messages whose times are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Unsigned,
    Signed,
    Sealed,
}

impl Shape {
    const ALL: [Self; 3] = [Self::Unsigned, Self::Signed, Self::Sealed];

    fn of(mail: &Mail) -> Self {
        match mail {
            Mail { sets: 1.., .. } => Self::Sealed,
            Mail { signatures: 0, .. } => Self::Unsigned,
            Mail { .. } => Self::Signed,
        }
    }
}

const ROWS: [(Row, &str); 9] = [
    (Row::Everything, "everything"),
    (Row::Part(Part::Dkim), "DKIM, with parsing"),
    (Row::Part(Part::Arc), "ARC, with parsing, of messages with a chain"),
    (Row::Part(Part::Spf), "SPF, both identities"),
    (Row::Part(Part::Dmarc), "DMARC"),
    (Row::Part(Part::Field), "Authentication-Results field"),
    (Row::Whole(Shape::Unsigned), "everything, of messages without a signature"),
    (Row::Whole(Shape::Signed), "everything, of messages with signatures and no chain"),
    (Row::Whole(Shape::Sealed), "everything, of messages with an ARC chain"),
];

/// What one side took in one round, in nanoseconds.
#[derive(Default)]
struct Round {
    whole: [u64; Shape::ALL.len()],
    spent: Spent,
}

/// How many messages a round has of what each row counts.
#[derive(Default)]
struct Messages {
    by_shape: [usize; Shape::ALL.len()],
    by_part: [usize; Part::ALL.len()],
}

impl Messages {
    fn add(&mut self, mail: &Mail) {
        self.by_shape[Shape::of(mail) as usize] += 1;
        for part in Part::ALL.into_iter().filter(|part| part.is_for(mail)) {
            self.by_part[part as usize] += 1;
        }
    }
}

impl Row {
    /// Nanoseconds a message.
    fn time(self, round: &Round, messages: &Messages) -> f64 {
        let (spent, count) = match self {
            Self::Everything => (round.whole.iter().sum(), messages.by_shape.iter().sum()),
            Self::Whole(shape) => (round.whole[shape as usize], messages.by_shape[shape as usize]),
            Self::Part(part) => (round.spent.of(part), messages.by_part[part as usize]),
        };
        spent as f64 / count as f64
    }
}

/// What the rounds came to.
pub struct Day {
    names: Vec<&'static str>,
    /// By row and side.
    times: Vec<Vec<Times>>,
    counts: Vec<Count>,
    measured: usize,
    pub comparison: Comparison,
}

impl Day {
    /// Lives the day in one round more than these, as the first fills the caches and is not measured. The first side is what the others
    /// are compared with.
    pub fn measure(stream: &Stream, sides: &[Box<dyn Side + '_>], day: &Clock, rounds: usize) -> Self {
        let mut times: Vec<Vec<Times>> =
            ROWS.iter().map(|_| sides.iter().map(|_| Times::default()).collect()).collect();
        let mut comparison = Comparison::default();
        let of_a_round = stream.len() / (rounds + 1);
        let mut before = Vec::new();
        for round in 0..=rounds {
            if round == 1 {
                before = sides.iter().map(|side| side.count()).collect();
            }
            let mut taken: Vec<Round> = sides.iter().map(|_| Round::default()).collect();
            let mut messages = Messages::default();
            let numbers = round * of_a_round..(round + 1) * of_a_round;
            for start in numbers.clone().step_by(AT_ONCE) {
                let mails = stream.mails(start..numbers.end.min(start + AT_ONCE));
                mails.iter().for_each(|mail| messages.add(mail));
                let mut results = vec![Vec::new(); sides.len()];
                for turn in 0..sides.len() {
                    let who = (round + start / AT_ONCE + turn) % sides.len();
                    whole(&*sides[who], &mails, day, &mut taken[who]);
                    results[who] = sides[who].parts(&mails, day, &mut taken[who].spent);
                }
                for ours in &results[1..] {
                    for (mail, (ours, theirs)) in mails.iter().zip(ours.iter().zip(&results[0])) {
                        comparison.add(stream, mail, ours, theirs);
                    }
                }
            }
            if round > 0 {
                for ((row, _), times) in ROWS.iter().zip(&mut times) {
                    for (times, taken) in times.iter_mut().zip(&taken) {
                        times.0.push(row.time(taken, &messages));
                    }
                }
            }
        }
        let counts = sides.iter().zip(before).map(|(side, before)| side.count().since(before)).collect();
        let names = sides.iter().map(|side| side.name()).collect();
        Self { names, times, counts, measured: rounds * of_a_round, comparison }
    }

    /// Prints the table, and what the caches were asked.
    pub fn print(&self) {
        println!("\n| | who | median µs | minimum µs | ratio |\n|---|---|--:|--:|--:|");
        for ((_, name), times) in ROWS.iter().zip(&self.times) {
            for (who, of_side) in self.names.iter().zip(times) {
                println!(
                    "| {name} | {who} | {:.2} | {:.2} | {:.2} |",
                    of_side.median() / 1000.0,
                    of_side.minimum() / 1000.0,
                    of_side.ratio_to(&times[0])
                );
            }
        }
        println!();
        for (who, Count { asked, hits }) in self.names.iter().zip(&self.counts) {
            println!(
                "{who}: {:.1} questions a message, {:.1} % of them answered by the cache.",
                *asked as f64 / self.measured as f64,
                100.0 * *hits as f64 / *asked as f64
            );
        }
    }
}

/// From the octets to the field, in the order in which they came.
fn whole(side: &dyn Side, mails: &[Mail], day: &Clock, round: &mut Round) {
    arrivals(mails, day, |mail, raw| {
        let start = clock();
        assert!(side.everything(mail, raw) > 0, "no field was written");
        round.whole[Shape::of(mail) as usize] += clock() - start;
    });
}
