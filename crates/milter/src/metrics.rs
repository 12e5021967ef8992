//! Numbers for those who watch, in the text form of Prometheus.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The upper ends of the ranges of time, in milliseconds.
const RANGES: [u64; 10] = [1, 5, 10, 25, 50, 100, 250, 1000, 5000, 20_000];

/// What is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    messages: Counts<2>,
    results: Counts<2>,
    questions: Counts<1>,
    ranges: [AtomicU64; RANGES.len()],
    messages_timed: AtomicU64,
    milliseconds: AtomicU64,
    /// Connections that are open.
    pub connections: AtomicU64,
    /// Connections that were closed at once, because there were too many.
    pub refused: AtomicU64,
}

/// How often each set of words was met. The words are those of this program, and so they are few.
#[derive(Debug)]
struct Counts<const N: usize>(Mutex<BTreeMap<[&'static str; N], u64>>);

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<const N: usize> Counts<N> {
    fn add(&self, words: [&'static str; N], count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counts.entry(words).or_default();
        *known = known.saturating_add(count);
    }

    fn write(&self, out: &mut String, name: &str, labels: [&str; N]) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(out, "# TYPE {name} counter");
        for (words, count) in &*counts {
            let labels: Vec<String> =
                labels.iter().zip(words).map(|(label, word)| format!("{label}=\"{word}\"")).collect();
            let _ = writeln!(out, "{name}{{{}}} {count}", labels.join(","));
        }
    }
}

impl Metrics {
    /// A message that came to this result of DMARC and this action.
    pub fn message(&self, dmarc: &'static str, action: &'static str, took: Duration) {
        self.messages.add([dmarc, action], 1);
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        for (count, most) in self.ranges.iter().zip(RANGES) {
            if milliseconds <= most {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.messages_timed.fetch_add(1, Ordering::Relaxed);
        self.milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// A result of one method.
    pub fn result(&self, method: &'static str, result: &'static str) {
        self.results.add([method, result], 1);
    }

    /// Questions to the DNS, by what became of them.
    pub fn questions(&self, outcome: &'static str, count: u64) {
        if count > 0 {
            self.questions.add([outcome], count);
        }
    }

    /// All numbers.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.messages.write(&mut out, "mailverdict_messages_total", ["dmarc", "action"]);
        self.results.write(&mut out, "mailverdict_results_total", ["method", "result"]);
        self.questions.write(&mut out, "mailverdict_dns_questions_total", ["outcome"]);
        let name = "mailverdict_message_seconds";
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let _ = writeln!(out, "# TYPE {name} histogram");
        for (count, most) in self.ranges.iter().zip(RANGES) {
            let _ = writeln!(out, "{name}_bucket{{le=\"{}\"}} {}", seconds(most), read(count));
        }
        let timed = read(&self.messages_timed);
        let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {timed}");
        let _ = writeln!(out, "{name}_sum {}\n{name}_count {timed}", seconds(read(&self.milliseconds)));
        let _ =
            writeln!(out, "# TYPE mailverdict_connections gauge\nmailverdict_connections {}", read(&self.connections));
        let refused = read(&self.refused);
        let _ = writeln!(
            out,
            "# TYPE mailverdict_connections_refused_total counter\nmailverdict_connections_refused_total {refused}"
        );
        out
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_add_up() {
        let metrics = Metrics::default();
        metrics.message("pass", "none", Duration::from_millis(3));
        metrics.message("pass", "none", Duration::from_millis(30));
        metrics.message("fail", "reject", Duration::from_secs(60));
        metrics.result("spf", "pass");
        metrics.questions("answered", 7);
        metrics.questions("failed", 0);
        let text = metrics.text();
        for line in [
            "mailverdict_messages_total{dmarc=\"pass\",action=\"none\"} 2",
            "mailverdict_messages_total{dmarc=\"fail\",action=\"reject\"} 1",
            "mailverdict_results_total{method=\"spf\",result=\"pass\"} 1",
            "mailverdict_dns_questions_total{outcome=\"answered\"} 7",
            "mailverdict_message_seconds_bucket{le=\"0.005\"} 1",
            "mailverdict_message_seconds_bucket{le=\"0.050\"} 2",
            "mailverdict_message_seconds_bucket{le=\"20.000\"} 2",
            "mailverdict_message_seconds_bucket{le=\"+Inf\"} 3",
            "mailverdict_message_seconds_sum 60.033",
            "mailverdict_message_seconds_count 3",
            "mailverdict_connections 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("failed"));
    }
}
