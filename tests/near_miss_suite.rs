//! Each rule that evaluation can meet has a case in which it is found, and one that stands just outside of it and says so under `near`.
//!
//! The cases are those of the suites that run them: `record_findings_suite`, `finding_client_suite`, `spf_suite` and the command line's
//! `cli_suite`, which hold that what is listed is found, and that what is near is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/near.rs"]
mod near;

use mailverdict::finding::Rule;
use saphyr::{LoadableYamlNode, Yaml};
use std::{collections::BTreeMap, fs, path::Path};

/// Rules of a look at a whole domain: they are notices about records, or rest on questions that no evaluation of a message asks. They are
/// named here whether or not anything finds them yet.
const OF_LINT: [&str; 55] = [
    "bimi-record",
    "dkim-adsp",
    "dkim-age",
    "dkim-ed25519-only",
    "dkim-no-v",
    "dkim-shared-modulus",
    "dkim-unknown-tag",
    "dkim-wildcard",
    "dmarc-external",
    "dmarc-fo",
    "dmarc-lists",
    "dmarc-many-uris",
    "dmarc-no-rua",
    "dmarc-np-advice",
    "dmarc-order",
    "dmarc-p-none",
    "dmarc-psd",
    "dmarc-rf-ri",
    "dmarc-rua-host",
    "dmarc-ruf",
    "dmarc-size",
    "dmarc-sp-useless",
    "dmarc-strict",
    "dmarc-unknown-tag",
    "dmarc-unrelated",
    "dmarc-uri-twice",
    "ip-fcrdns",
    "ip-helo",
    "mx-null-mixed",
    "mx-null-sender",
    "mx-target",
    "parked",
    "sig-expiry",
    "sig-fragile",
    "spf-dangling",
    "spf-duplicate-include",
    "spf-exists-opaque",
    "spf-exp",
    "spf-helo",
    "spf-host-bits",
    "spf-include-all-not-inherited",
    "spf-ipv6-missing",
    "spf-lookups-near",
    "spf-no-mail",
    "spf-p-macro",
    "spf-permissive",
    "spf-redundant",
    "spf-senderid",
    "spf-softfail",
    "spf-type99",
    "spf-unknown-modifier",
    "spf-wildcard",
    "sts-record",
    "tlsrpt-loop",
    "tlsrpt-record",
];

/// Of them, those that need a type of records which no resolver is asked for.
const NOT_ASKED: [&str; 1] = ["spf-type99"];

/// What the cases say of one rule.
#[derive(Default)]
struct Cases {
    found: Vec<String>,
    near: Vec<String>,
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of cases, and the suites that run them.
fn files() -> Vec<(String, &'static str)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/finding");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    let suite = |file: &str| {
        let suites = [include_str!("record_findings_suite.rs"), include_str!("finding_client_suite.rs")];
        let is_run = suites.iter().any(|suite| suite.contains(&format!("include_str!(\"data/finding/{file}\")")));
        assert!(is_run, "no suite runs {file}");
        (format!("tests/data/finding/{file}"), "found")
    };
    let mut files: Vec<_> = files.iter().map(|file| suite(file.to_str().unwrap())).collect();
    // The suite of SPF runs all files of its folder.
    files.push(("tests/data/spf/findings.yml".into(), "findings"));
    files.push(("tests/data/cli/cases.yml".into(), "found"));
    files
}

/// The rule that a line of a case names: as its first word, or as its second behind the severity.
fn rule_of(line: &str) -> Rule {
    let words: Vec<&str> = line.split([' ', ':']).take(2).collect();
    let named = |rule: &&Rule| words.contains(&rule.id());
    Rule::ALL.iter().copied().find(|rule| named(&rule)).unwrap_or_else(|| panic!("{line:?} names no rule"))
}

/// Enters what a case says; `found` is the key of what is found in it.
fn enter(rules: &mut BTreeMap<&'static str, Cases>, place: &str, case: &Yaml<'_>, found: &str) {
    let near = near::ids(case, "near");
    let lines = near::ids(case, found);
    // Else the suite would not compare what is found.
    assert!(near.is_empty() || case.as_mapping_get(found).is_some(), "{place} does not say what is found");
    let found: Vec<&str> = lines.iter().map(|line| rule_of(line).id()).collect();
    for id in &found {
        rules.get_mut(id).unwrap().found.push(place.to_owned());
    }
    for id in near {
        assert!(!found.contains(&id), "{place}: {id} is found, and the case cannot be near it");
        let rule = rules.get_mut(id).unwrap_or_else(|| panic!("{place}: there is no rule {id}"));
        rule.near.push(place.to_owned());
    }
}

fn all_cases() -> BTreeMap<&'static str, Cases> {
    let mut rules: BTreeMap<_, _> = Rule::ALL.iter().map(|rule| (rule.id(), Cases::default())).collect();
    for (file, found) in files() {
        let text = read(&file);
        let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        for document in &documents {
            let Some(tests) = document.as_mapping_get("tests") else {
                let name = document.as_mapping_get("name").and_then(Yaml::as_str).unwrap();
                enter(&mut rules, &format!("{file}: {name}"), document, found);
                continue;
            };
            for (name, case) in tests.as_mapping().unwrap() {
                enter(&mut rules, &format!("{file}: {}", name.as_str().unwrap()), case, found);
            }
        }
    }
    rules
}

#[test]
fn each_rule_has_a_case_on_both_sides() {
    let rules = all_cases();
    let (mut not_found, mut not_near, mut of_lint) = (Vec::new(), Vec::new(), Vec::new());
    for (id, cases) in &rules {
        if OF_LINT.contains(id) {
            of_lint.extend(cases.found.first().map(|place| format!("{id} is found by {place}")));
            continue;
        }
        if cases.found.is_empty() {
            not_found.push(*id);
        }
        if cases.near.is_empty() {
            not_near.push(*id);
        }
    }
    assert!(of_lint.is_empty(), "no rules of lint alone:\n  {}", of_lint.join("\n  "));
    assert!(not_found.is_empty(), "{} rules that no case finds: {}", not_found.len(), not_found.join(", "));
    assert!(not_near.is_empty(), "{} rules without a near miss: {}", not_near.len(), not_near.join(", "));
    let [found, near] = [|of: &Cases| of.found.len(), |of: &Cases| of.near.len()];
    let sum = |count: fn(&Cases) -> usize| rules.values().map(count).sum::<usize>();
    println!(
        "{} rules, found {} times, and {} times nearly",
        rules.len() - rules.keys().filter(|id| OF_LINT.contains(id)).count(),
        sum(found),
        sum(near)
    );
}

/// The same of the rules of a look at a domain; the cases are those of `lint_suite`.
#[test]
fn each_rule_of_a_look_has_a_case_on_both_sides() {
    let (mut found, mut near) = (String::new(), String::new());
    for file in ["spf", "dmarc", "others", "near"] {
        let source = read(&format!("tests/data/lint/{file}.yml"));
        let documents = Yaml::load_from_str(&source).unwrap();
        for case in documents[0].as_mapping_get("cases").unwrap().as_vec().unwrap() {
            for line in near::ids(case, "found") {
                found.push_str(&format!(" {} ", line.split(' ').nth(1).unwrap()));
            }
            near::ids(case, "near").iter().for_each(|id| near.push_str(&format!(" {id} ")));
        }
    }
    let lacks = |of: &str, id: &&&str| !of.contains(&format!(" {id} "));
    let rules = || OF_LINT.iter().filter(|id| !NOT_ASKED.contains(id));
    assert_eq!(rules().filter(|id| lacks(&found, id)).collect::<Vec<_>>(), Vec::<&&str>::new(), "not found");
    assert_eq!(rules().filter(|id| lacks(&near, id)).collect::<Vec<_>>(), Vec::<&&str>::new(), "without a near miss");
    // What is named is a rule.
    assert!(rules().all(|id| Rule::ALL.iter().any(|rule| rule.id() == *id)));
}
