//! What evidence holds as the verdict, and what becomes of it when it is reached again.

use crate::explain::{self, Causes};
use mailverdict::{
    Message, Session, Verdict,
    json::Evaluated,
    known::Log,
    spf::{Observers, Tree},
};
use serde::Serialize;
use serde_json::Value;

/// What `check --json --explain` tells of a message, but for what it tells of the file.
#[derive(Debug, Serialize)]
pub(crate) struct Told<'v> {
    #[serde(flatten)]
    pub(crate) evaluated: Evaluated<'v>,
    pub(crate) explain: Vec<String>,
}

impl<'v> Told<'v> {
    pub(crate) fn new(
        message: &'v Message<'v>,
        is_whole: bool,
        (verdict, log): (&'v Verdict, &'v Log),
        session: &'v Session,
        authserv_id: &str,
        trees: &Observers<Tree>,
    ) -> Self {
        let evaluated = if is_whole {
            Evaluated::new(message, verdict, session, log, authserv_id)
        } else {
            Evaluated::of_header(message.header(), verdict, session, log, authserv_id)
        };
        let explain = explain::steps(is_whole.then_some(message), verdict, trees, log, Causes::Here);
        Self { evaluated, explain }
    }
}

/// A member that is otherwise than it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Names and places that lead to it, such as `spf.mail_from.result` and `dkim.0.result`.
    pub(crate) path: String,
    /// Null where there was none.
    pub(crate) recorded: Value,
    pub(crate) now: Value,
}

/// The members that differ, in the order of their paths. Objects and lists that both have are looked into.
pub(crate) fn differences(recorded: &Value, now: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), recorded, now)];
    while let Some((path, recorded, now)) = open.pop() {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match (recorded, now) {
            _ if recorded == now => {}
            (Value::Object(old), Value::Object(new)) => {
                let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
                open.extend(names.map(|name| {
                    (below(name), old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null))
                }));
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
        assert_eq!(found, ["b.c.1: 2 3", "b.d: null 4", "e: \"x\" null", "f: [1] [1,2]", "g: null true"]);
        assert_eq!(differences(&now, &now), []);
    }
}
