//! DMARC on whole messages, with SPF and DKIM as they really are; the differences of the editions; which failure reports are asked for.
//!
//! (The cases that need no message, tests/data/dmarc/ but for one file, are run by the unit tests of src/dmarc/suite.rs.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/story.rs"]
mod story;
mod support;

#[cfg(feature = "psl")]
use mailverdict::dmarc::{BuiltInSuffixes, PublicSuffixes};
use mailverdict::{
    Authenticator, Message, Policy, Session, Verdict,
    dmarc::{self, Comparison, Editions, Record, SuffixList},
    dns::Zone,
    name::{Domain, Name},
    report::FailureReports,
};
use saphyr::{LoadableYamlNode, Yaml};
use std::{net::IpAddr, sync::Arc};
use support::{
    case::{list, text, zone},
    ready::now,
    signer::{Key, SignOptions, signed},
};

fn both(sample: u8) -> Policy {
    let mut policy = Policy::default();
    policy.dmarc = dmarc::Policy::by(Editions::Both(Arc::new(SuffixList::parse("com\nnet\norg\nexample"))));
    policy.dmarc.sample = sample;
    policy
}

fn run(file: &str, cases: &str, failures_of: impl Fn(&Yaml<'_>) -> Vec<String>) {
    let cases = Yaml::load_from_str(cases).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut failed = Vec::new();
    for case in &cases {
        let name = text(case, "name").unwrap_or_else(|| panic!("a case of {file} has no name"));
        failed.extend(failures_of(case).into_iter().map(|failure| format!("{name}: {failure}")));
    }
    println!("{file}: {} cases", cases.len());
    assert!(cases.len() > 5, "{file}: {} cases", cases.len());
    assert!(failed.is_empty(), "{file}, {} failures:\n  {}", failed.len(), failed.join("\n  "));
}

/// The message, with a DKIM-Signature for each domain of `sign`; the keys go to the zone. `broken:` spoils the signature.
fn message(case: &Yaml<'_>, zone: &mut Zone) -> Vec<u8> {
    let key = Key::named("ed25519");
    let mut message = text(case, "message").unwrap().replace('\n', "\r\n").into_bytes();
    for domain in text(case, "sign").unwrap_or_default().split_whitespace() {
        let (domain, broken) = domain.strip_prefix("broken:").map_or((domain, false), |domain| (domain, true));
        let template =
            format!("v=1; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s=k; h=from:subject; bh={{bh}}; b={{b}}");
        message = signed(&message, &SignOptions::dkim(&template), &key);
        if broken {
            let field = String::from_utf8(message).unwrap();
            message = field.replacen("bh=", "bh=AAAA", 1).into_bytes();
        }
        let name = Name::parse(&format!("k._domainkey.{domain}")).unwrap();
        if !text(case, "fail").unwrap_or_default().contains(name.as_str()) {
            zone.add_txt(&name, key.record().into_bytes());
        }
    }
    message
}

fn message_failures(case: &Yaml<'_>) -> Vec<String> {
    let mut zone = zone(case);
    let message = message(case, &mut zone);
    let message = Message::parse(&message).unwrap();
    let mut session = Session::new(text(case, "ip").unwrap_or("192.0.2.1").parse::<IpAddr>().unwrap());
    if let Some(helo) = text(case, "helo") {
        session = session.with_helo(helo);
    }
    if let Some(mail_from) = text(case, "mail_from") {
        session = session.with_mail_from(mail_from);
    }
    let sample = case.as_mapping_get("sample").map_or(0, |sample| u8::try_from(sample.as_integer().unwrap()).unwrap());
    let verdict = now(Authenticator::new(zone).with_policy(both(sample)).authenticate(&message, session));

    let mut failures = Vec::new();
    for (key, wanted) in case.as_mapping_get("want").unwrap().as_mapping().unwrap() {
        let (key, wanted) = (key.as_str().unwrap(), wanted.as_str().unwrap_or_else(|| panic!("{key:?}")));
        let got = match key {
            "spf" => verdict.spf.mail_from.as_ref().map_or("-", |report| report.result.keyword()).to_owned(),
            "dkim" => verdict.dkim.iter().map(|report| report.result.keyword()).collect::<Vec<_>>().join(" "),
            "findings" => verdict.oddities.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            "failure_reports" => {
                let wanted = FailureReports::asked_for(&verdict.dmarc, &verdict.spf, &verdict.dkim);
                let kinds = [("dmarc", wanted.dmarc), ("dkim", wanted.dkim), ("spf", wanted.spf)];
                kinds.iter().filter(|(_, is)| *is).map(|(kind, _)| *kind).collect::<Vec<_>>().join(" ")
            }
            field => story::in_verdict(&verdict, &format!("dmarc.{field}")).unwrap_or("-".to_owned()),
        };
        let fits = if key == "reason" { got.contains(wanted) } else { got == wanted };
        if !fits {
            failures.push(format!("{key}: {got}\n      wanted: {wanted}"));
        }
    }
    let comparison = Comparison::of(&verdict.dmarc, verdict.dmarc_rfc7489.as_ref().unwrap());
    let differences: Vec<_> = comparison.differences.iter().map(ToString::to_string).collect();
    let causes: Vec<_> = comparison.causes.iter().map(ToString::to_string).collect();
    for (key, got) in [("differences", differences), ("causes", causes)] {
        let wanted = list(case, key);
        if got != wanted {
            failures.push(format!(
                "{key}:\n        {}\n      wanted:\n        {}",
                got.join("\n        "),
                wanted.join("\n        ")
            ));
        }
    }
    failures
}

#[test]
fn messages() {
    run("messages.yml", include_str!("data/dmarc/messages.yml"), message_failures);
}

#[test]
fn the_microsoft_365_stories_hold_in_both_editions() {
    let authenticator = Authenticator::new(story::zone()).with_policy(both(0));
    let stories = story::stories();
    let mut failures = Vec::new();
    for story in &stories {
        let octets = story.octets();
        let message = Message::parse(&octets).unwrap();
        let verdict = now(authenticator.authenticate(&message, story.session()));
        failures.extend(story.differences(|path| story::in_verdict(&verdict, path)));
        let mut older: Verdict = verdict.clone();
        older.dmarc = verdict.dmarc_rfc7489.clone().unwrap();
        failures.extend(story.differences(|path| story::in_verdict(&older, path)));
        let comparison = Comparison::of(&verdict.dmarc, &older.dmarc);
        if !comparison.is_same() {
            failures.push(format!("{}: {comparison:?}", story.title));
        }
    }
    println!("{} stories in both editions", stories.len());
    assert!(failures.is_empty(), "\n  {}", failures.join("\n  "));
}

/// The tags that RFC 9989 removed (C.5.2) are kept for those who ask.
#[test]
fn removed_tags_are_kept() {
    let record = Record::parse(b"v=DMARC1; p=reject; pct=42; rf=afrf:iodef; ri=3600").unwrap();
    assert_eq!((record.percent, record.report_format.as_deref()), (42, Some("afrf:iodef")));
    assert_eq!((record.report_interval.as_deref(), &*record.ignored), (Some("3600"), [].as_slice()));
    let record = Record::parse(b"v=DMARC1; p=reject").unwrap();
    assert_eq!((record.percent, record.report_format, record.report_interval), (100, None, None));
}

#[cfg(feature = "psl")]
#[test]
fn the_built_in_list_knows_suffixes_of_all_kinds() {
    for (domain, labels) in [
        ("a.b.com", 1),
        ("a.b.co.uk", 2),
        ("co.uk", 2),
        ("a.b.ck", 2),
        ("a.www.ck", 1),
        ("a.github.io", 2),
        ("a.公司.cn", 2),
        ("a.unheardof", 1),
        ("com", 1),
    ] {
        let domain = Domain::parse(domain).unwrap();
        assert_eq!(BuiltInSuffixes.suffix_labels(&domain), labels, "{domain}");
    }
}

/// docs/dmarc.md and docs/reports.md map rules to cases; none of them may be gone.
#[test]
fn the_table_of_rules_names_cases_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/data/dmarc", "tests/data/report"].map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let mut names = std::collections::BTreeSet::new();
    for entry in folders.into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            let cases = std::fs::read_to_string(path).unwrap();
            for case in &Yaml::load_from_str(&cases).unwrap() {
                let name = text(case, "name").unwrap().to_owned();
                assert!(names.insert(name.clone()), "two cases are called {name}");
            }
        }
    }
    // Reports are written by tests that are no cases.
    for folder in ["tests", "crates/cli/tests"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let code = std::fs::read_to_string(path).unwrap();
                let tests = code.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split('(').next());
                names.extend(tests.map(str::to_owned));
            }
        }
    }
    let tables = [include_str!("../docs/dmarc.md"), include_str!("../docs/reports.md")].concat();
    // Names of cases are the words in backquotes that have at least two underscores.
    let named: Vec<&str> = tables
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| !word.contains(' ') && word.matches('_').count() > 1)
        .collect();
    let unknown: Vec<_> = named.iter().filter(|name| !names.contains(**name) && !name.contains('<')).collect();
    println!("{} cases in all, {} in the table", names.len(), named.len());
    assert!(named.len() > 100 && unknown.is_empty(), "{} named, unknown: {unknown:?}", named.len());
}

mod properties {
    use mailverdict::{dmarc::Record, message::Header};
    use proptest::prelude::*;

    /// Something to put before a mailbox that must not change which domain is read.
    fn display_name() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(String::new()),
            "[a-zA-Z][a-zA-Z. ]{0,8} ".prop_map(|name| name),
            "[ -~]{0,20}".prop_map(|text| format!("\"{}\" ", text.replace('\\', "\\\\").replace('"', "\\\""))),
            "[a-z@<>, ]{0,20}".prop_map(|text| format!("(({text})) ")),
            Just("=?utf-8?q?x=40victim.example?= ".to_owned()),
            Just("\u{e4}\u{f6}\r\n \u{fc} ".to_owned()),
        ]
    }

    fn mailbox() -> impl Strategy<Value = (String, String)> {
        let local_part = prop_oneof!["[a-z]{1,6}", Just("\"a@b.example\"".to_owned()), Just("a.b".to_owned())];
        let domain = "[a-z]{1,5}\\.(com|net|example)";
        let routes = prop_oneof![Just(""), Just("@route.example:")];
        (display_name(), routes, local_part, domain)
            .prop_map(|(name, route, local_part, domain)| (format!("{name}<{route}{local_part}@{domain}>"), domain))
    }

    proptest! {
        #[test]
        fn well_formed_fields_name_their_domains_and_no_others(mailboxes in prop::collection::vec(mailbox(), 1..6)) {
            let list: Vec<_> = mailboxes.iter().map(|(text, _)| text.as_str()).collect();
            let raw = format!("From: {}\r\n\r\n", list.join(", "));
            let mut domains: Vec<_> = mailboxes.iter().map(|(_, domain)| domain.as_str()).collect();
            let mut seen = std::collections::BTreeSet::new();
            domains.retain(|domain| seen.insert(*domain));
            let authors = Header::parse(raw.as_bytes()).unwrap().authors();
            let read: Vec<_> = authors.domains().iter().map(|domain| domain.as_str()).collect();
            prop_assert_eq!(read, domains, "{}", raw);
            prop_assert!(authors.error().is_none() && authors.possible().is_empty(), "{}", raw);
        }

        /// Whatever the octets: a domain that stands plainly behind an at sign is an author domain, a possible one, or hidden in a
        /// quoted string or a comment of a field that follows the grammar.
        #[test]
        fn no_malformed_field_hides_an_address(before in "[ -~]{0,24}", after in "[ -~]{0,24}") {
            let raw = format!("From: {before} <a@victim.example> {after}\r\n\r\n");
            let authors = Header::parse(raw.as_bytes()).unwrap().authors();
            let mut read = authors.domains().iter().chain(authors.possible());
            let found = read.any(|domain| domain.as_str() == "victim.example");
            prop_assert!(found || !authors.is_ambiguous() && before.contains(['"', '(', '[', '<', '@']), "{:?} {:?}", raw, authors);
        }

        #[test]
        fn any_octets_make_some_authors(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let raw = [b"From: ".as_slice(), &value, b"\r\n\r\n"].concat();
            if let Ok(header) = Header::parse(&raw) {
                let authors = header.authors();
                prop_assert!(authors.from_fields() > 0);
                prop_assert_eq!(authors.error().is_some(), authors.oddities().iter().any(|f| f.to_string().starts_with("the From field is malformed")));
            }
        }

        #[test]
        fn any_text_after_the_version_is_a_record(rest in "[ -~]{0,80}") {
            let (record, other) = (format!("v=DMARC1;{rest}"), format!("v=DMARC1x;{rest}"));
            prop_assert!(Record::parse(record.as_bytes()).is_ok());
            prop_assert!(Record::parse(other.as_bytes()).is_err());
        }
    }
}
