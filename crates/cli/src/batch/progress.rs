//! How far a run has come: one line on a terminal, written over as it grows.

use mailverdict::dmarc::DmarcResult;
use std::{
    env,
    fmt::{self, Write as _},
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// The line is written no more often than this.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);

/// What became of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pass: u64,
    fail: u64,
    none: u64,
    temperror: u64,
    permerror: u64,
    /// Requests without a message.
    pub(crate) spf_alone: u64,
    /// Lines that were answered with an error.
    pub(crate) errors: u64,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Octets of the requests.
    pub(crate) octets: u64,
    pub(crate) tally: Tally,
}

impl Count {
    pub(crate) fn add(&mut self, other: &Self) {
        let Self { octets, tally } = other;
        self.octets += octets;
        self.tally.add(tally);
    }
}

impl Tally {
    pub(crate) fn count(&mut self, result: &DmarcResult) {
        let place = match result {
            DmarcResult::Pass(_) => &mut self.pass,
            DmarcResult::Fail(_) => &mut self.fail,
            DmarcResult::None(_) => &mut self.none,
            DmarcResult::TempError(_) => &mut self.temperror,
            DmarcResult::PermError(_) => &mut self.permerror,
        };
        *place += 1;
    }

    fn add(&mut self, other: &Self) {
        let Self { requests, pass, fail, none, temperror, permerror, spf_alone, errors } = other;
        self.requests += requests;
        self.pass += pass;
        self.fail += fail;
        self.none += none;
        self.temperror += temperror;
        self.permerror += permerror;
        self.spf_alone += spf_alone;
        self.errors += errors;
    }
}

/// The results so far; those that there are not are not named.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dmarc = [
            ("pass", self.pass),
            ("fail", self.fail),
            ("none", self.none),
            ("temperror", self.temperror),
            ("permerror", self.permerror),
        ];
        let mut before = "; DMARC ";
        for (keyword, count) in dmarc.into_iter().filter(|(_, count)| *count > 0) {
            write!(f, "{before}{keyword} {}", grouped(count))?;
            before = ", ";
        }
        for (what, count) in [("SPF alone", self.spf_alone), ("errors", self.errors)] {
            if count > 0 {
                write!(f, "; {what} {}", grouped(count))?;
            }
        }
        Ok(())
    }
}

/// The line on the terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    begun: Instant,
    /// Octets that there are to read, where the input is a file.
    length: Option<u64>,
}

impl Progress {
    /// Where somebody looks on, and nothing else is written to or typed at the same terminal.
    pub(crate) fn on_terminal() -> Option<Self> {
        let steerable = env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        let alone = !io::stdout().is_terminal() && !io::stdin().is_terminal();
        (io::stderr().is_terminal() && alone && steerable).then(|| Self::new(length_of_input(), Instant::now()))
    }

    fn new(length: Option<u64>, begun: Instant) -> Self {
        Self { begun, length }
    }

    /// Writes the line anew.
    pub(crate) fn show(&self, count: &Count) {
        self.write(&self.line(count, Instant::now()), "");
    }

    /// Writes the line for the last time.
    pub(crate) fn finish(&self, count: &Count) {
        self.write(&self.end_line(count, Instant::now()), "\n");
    }

    fn write(&self, line: &str, end: &str) {
        // From the first column; wrapping is off meanwhile, so that a narrow terminal cuts the line and does not begin a second one;
        // what stood to the right is erased. Nothing more can be said where standard error is closed.
        let _ = write!(io::stderr(), "\r\x1b[?7l{line}\x1b[K\x1b[?7h{end}");
    }

    fn line(&self, count: &Count, now: Instant) -> String {
        let elapsed = now.duration_since(self.begun);
        let mut line = head(count, elapsed);
        if let Some(left) = self.time_left(count, elapsed) {
            // Writing to a `String` cannot fail.
            let _ = write!(line, ", {} left", clock(left));
        }
        let _ = write!(line, "{}", count.tally);
        line
    }

    fn end_line(&self, count: &Count, now: Instant) -> String {
        let elapsed = now.duration_since(self.begun);
        format!("{}, in {}{}", head(count, elapsed), clock(elapsed), count.tally)
    }

    /// If what is left takes as long as what is done: nothing is known before something is.
    fn time_left(&self, count: &Count, elapsed: Duration) -> Option<Duration> {
        let left = self.length?.saturating_sub(count.octets);
        let micros = elapsed.as_micros().checked_mul(left.into())?.checked_div(count.octets.into())?;
        u64::try_from(micros).ok().map(Duration::from_micros)
    }
}

fn head(count: &Count, elapsed: Duration) -> String {
    let requests = count.tally.requests;
    let messages = if requests == 1 { "message" } else { "messages" };
    let tenths = u128::from(requests) * 10_000_000 / elapsed.as_micros().max(1);
    let tenths = u64::try_from(tenths).unwrap_or(u64::MAX);
    // Where servers are slow, whole numbers say little.
    let fraction = if tenths < 100 { format!(".{}", tenths % 10) } else { String::new() };
    format!("{} {messages}, {}{fraction}/s", grouped(requests), grouped(tenths / 10))
}

/// What is left to read of standard input, where that is a file.
#[cfg(unix)]
fn length_of_input() -> Option<u64> {
    use std::io::Seek as _;
    let mut file = crate::standard::input().ok()?;
    let metadata = file.metadata().ok()?;
    metadata.len().checked_sub(file.stream_position().ok()?).filter(|_| metadata.is_file())
}

#[cfg(not(unix))]
fn length_of_input() -> Option<u64> {
    None
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `m:ss`, or `h:mm:ss` from an hour on; a part of a second counts as a whole one.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_messages_rate_time_left_and_results() {
        let begun = Instant::now();
        let progress = Progress::new(Some(4_000), begun);
        let mut count = Count::default();
        assert_eq!(progress.line(&count, begun), "0 messages, 0.0/s");
        let tally = Tally { requests: 12_345, pass: 9_001, none: 2, errors: 1_000, ..Tally::default() };
        count.add(&Count { octets: 1_000, tally });
        let now = begun + Duration::from_secs(5);
        let results = "; DMARC pass 9,001, none 2; errors 1,000";
        assert_eq!(progress.line(&count, now), format!("12,345 messages, 2,469/s, 0:15 left{results}"));
        assert_eq!(progress.end_line(&count, now), format!("12,345 messages, 2,469/s, in 0:05{results}"));
        let tally = Tally { requests: 1, fail: 1, temperror: 1, permerror: 1, spf_alone: 7, ..tally };
        count.add(&Count { octets: 3_000, tally });
        let results = "; DMARC pass 18,002, fail 1, none 4, temperror 1, permerror 1; SPF alone 7; errors 2,000";
        assert_eq!(progress.line(&count, now), format!("12,346 messages, 2,469/s, 0:00 left{results}"));
    }

    #[test]
    fn without_a_length_nothing_is_said_of_time_left() {
        let begun = Instant::now();
        let progress = Progress::new(None, begun);
        let count = Count { octets: 1_000, tally: Tally { requests: 10, ..Tally::default() } };
        assert_eq!(progress.line(&count, begun + Duration::from_secs(1)), "10 messages, 10/s");
        assert_eq!(progress.line(&count, begun + Duration::from_secs(4)), "10 messages, 2.5/s");
    }

    #[test]
    fn times_and_numbers_are_as_people_write_them() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in [(0.0, "0:00"), (0.2, "0:01"), (59.5, "1:00"), (3599.0, "59:59"), (36_061.0, "10:01:01")]
        {
            assert_eq!(clock(Duration::from_secs_f64(seconds)), text);
        }
    }
}
