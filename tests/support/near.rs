//! Near misses: a case names under `near` the rules that it stands just outside of.
#![allow(dead_code)]

use mailverdict::finding::Finding;
use saphyr::Yaml;

/// The ids under a key; nothing where there is no such key.
pub(crate) fn ids<'y>(case: &'y Yaml<'_>, key: &str) -> Vec<&'y str> {
    let Some(value) = case.as_mapping_get(key) else { return Vec::new() };
    let list = value.as_vec().unwrap_or_else(|| panic!("{key} is no list: {value:?}"));
    list.iter().map(|id| id.as_str().unwrap_or_else(|| panic!("{key} holds what is no text: {id:?}"))).collect()
}

/// Each rule that the case is to stand outside of, and that is found in it.
pub(crate) fn failures(case: &Yaml<'_>, found: &[Finding]) -> Vec<String> {
    let near = ids(case, "near");
    let crossed = found.iter().filter(|finding| near.contains(&finding.rule.id()));
    crossed.map(|finding| format!("{} is found, and the case is to be near it: {finding}", finding.rule.id())).collect()
}
