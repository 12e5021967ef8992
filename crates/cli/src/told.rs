//! What evidence holds as the verdict, and what becomes of it when it is reached again.

use crate::{explain, report::Report};
use mailverdict::{
    json::Evaluated,
    spf::{Observers, Tree},
};
use serde::Serialize;
use serde_json::Value;

/// What `check --json --explain` tells of a message, but for what it tells of the file.
#[derive(Debug, Serialize)]
pub(crate) struct Told<'r> {
    #[serde(flatten)]
    evaluated: &'r Evaluated<'r>,
    pub(crate) explain: Vec<String>,
}

impl<'r> Told<'r> {
    pub(crate) fn of(report: &'r Report<'r>, trees: &Observers<Tree>) -> Self {
        Self { evaluated: &report.evaluated, explain: explain::steps(report, trees) }
    }
}

// What is said where nothing differs, and where no member differs that people look at.
pub(crate) const RECORDED: &str = "The verdict is the recorded one.";
pub(crate) const IN_WORDS: &str = "in the words alone; see --json";

/// Members that say in other words what others say; people are not told of them.
const IN_OTHER_WORDS: [&str; 4] = ["authentication_results", "received_spf", "explain", "evaluated"];

/// Those that people are told of.
pub(crate) fn of_weight(found: &[Difference]) -> Vec<&Difference> {
    let is_told = |found: &&Difference| {
        let first = found.path.split('.').next().unwrap_or_default();
        !IN_OTHER_WORDS.contains(&first)
    };
    found.iter().filter(is_told).collect()
}

/// A member that is otherwise than it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Names and places that lead to it, such as `spf.mail_from.result` and `dkim.0.result`.
    pub(crate) path: String,
    pub(crate) recorded: Value,
    /// Null where there is none any more.
    pub(crate) now: Value,
}

/// The members that differ, in the order of their paths. Objects and lists that both have are looked into; what is told now beside what was
/// recorded is no difference.
pub(crate) fn differences(recorded: &Value, now: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), recorded, now)];
    while let Some((path, recorded, now)) = open.pop() {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match (recorded, now) {
            _ if recorded == now => {}
            (Value::Object(old), Value::Object(new)) => {
                // Members may be added by later versions.
                open.extend(
                    old.iter().map(|(name, value)| (below(name), value, new.get(name).unwrap_or(&Value::Null))),
                );
            }
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
                let members = old.iter().zip(new).enumerate();
                open.extend(members.map(|(place, (old, new))| (below(&place.to_string()), old, new)));
            }
            _ => found.push(Difference { path, recorded: recorded.clone(), now: now.clone() }),
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_told_at_its_innermost_place() {
        let recorded = json!({"a": 1, "b": {"c": [1, 2], "d": null}, "e": "x", "f": [1]});
        let now = json!({"a": 1, "b": {"c": [1, 3], "d": 4}, "g": true, "f": [1, 2]});
        let found: Vec<_> = differences(&recorded, &now)
            .iter()
            .map(|Difference { path, recorded, now }| format!("{path}: {recorded} {now}"))
            .collect();
        assert_eq!(found, ["b.c.1: 2 3", "b.d: null 4", "e: \"x\" null", "f: [1] [1,2]"]);
        assert_eq!(differences(&now, &now), []);
    }
}
