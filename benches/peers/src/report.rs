//! What was measured, in three forms.

use crate::cases::{Case, Goal};
use std::fmt::Write as _;

/// One contender in one case; times in nanoseconds a run.
pub struct Line {
    pub who: &'static str,
    pub median: f64,
    pub minimum: f64,
    /// The median of the ratios to the first contender, round by round.
    pub ratio: f64,
}

/// A case and its contenders, the first of whom the others are compared with.
pub struct Measured<'c> {
    pub case: &'c Case,
    pub lines: Vec<Line>,
}

/// The head of the table of all contenders.
pub const TABLE_HEAD: &str = "| case | who | median ns | minimum ns | ratio |\n|---|---|--:|--:|--:|";

impl Measured<'_> {
    /// Rows of the table of all contenders.
    pub fn rows(&self) -> String {
        let row = |line: &Line| {
            let Line { who, median, minimum, ratio } = line;
            format!("| {} | {who} | {median:.0} | {minimum:.0} | {ratio:.2} |", self.case.name)
        };
        self.lines.iter().map(row).collect::<Vec<_>>().join("\n")
    }

    /// A JSON object a contender and line.
    pub fn json(&self, rounds: usize) -> String {
        let object = |line: &Line| {
            let Line { who, median, minimum, ratio } = line;
            format!(
                "{{\"case\":{:?},\"who\":{who:?},\"rounds\":{rounds},\"median_ns\":{median:.1},\"minimum_ns\":{minimum:.1},\"ratio\":{ratio:.4}}}",
                self.case.name
            )
        };
        self.lines.iter().map(object).collect::<Vec<_>>().join("\n")
    }
}

/// The table of docs/performance.md: the cases that have goals, mailverdict with each of its backends beside the first contender.
pub fn summary(measured: &[Measured<'_>]) -> String {
    let rows: Vec<(&Measured<'_>, Goal)> = measured.iter().filter_map(|of| Some((of, of.case.goal?))).collect();
    let Some((first, _)) = rows.first() else { return "no case with a goal was measured\n".into() };
    let ours: Vec<&str> =
        first.lines.iter().map(|line| line.who).filter(|who| who.starts_with("mailverdict")).collect();
    let mut table = format!("| | {} |", first.lines[0].who);
    for who in &ours {
        write!(table, " {who} | ratio | goal |").expect("a string takes all");
    }
    table += "\n|---|--:|";
    table += &"--:|--:|--:|".repeat(ours.len());
    for (of, goal) in rows {
        write!(table, "\n| {} | {} |", of.case.name, time(of.lines[0].median)).expect("a string takes all");
        for line in of.lines.iter().filter(|line| ours.contains(&line.who)) {
            let goal = if line.who == "mailverdict" { Some(goal.default) } else { goal.aws_lc };
            let goal = goal.map_or(String::new(), |goal| format!("≤ {goal:.2}"));
            write!(table, " {} | {:.2} | {goal} |", time(line.median), line.ratio).expect("a string takes all");
        }
    }
    table + "\n"
}

/// Three digits, in microseconds.
fn time(nanoseconds: f64) -> String {
    let microseconds = nanoseconds / 1000.0;
    let places = if microseconds < 10.0 { 2 } else { usize::from(microseconds < 100.0) };
    format!("{microseconds:.places$} µs")
}
