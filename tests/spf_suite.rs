//! SPF cases: our own, and the SPF project's suite where `MAILVERDICT_SPF_SUITE` names its file.
//!
//! Both have the same form, and one driver. Besides what the SPF project's cases say, ours may say:
//!
//! - `record` or `records`: what the checked domain publishes besides the zone; `at` names it where it is not `c.example.com`,
//! - `repeat`: a `part` and how many `times` it stands in the place of `<>` in texts of the case,
//! - `check`: `helo` for the HELO identity; `receiver`, `time`: of the session; `limits`: other than the RFC's,
//! - `domain`, `sender`: what the report says was checked; `matched`: the directive of the checked record, or `NOTHING`;
//!   `reason`: what the reason in words holds; `lookups`, `voids`: the counts; `tree`: what
//!   [`Tree`] draws of the check of MAIL FROM; `findings`: all that is found, each as `severity id name "text"`, and `says`: what each
//!   of them holds in words; `near`: the ids of rules that the case stands just outside of.
//!
//! What a case does not say is taken from the scenario's `defaults`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/evidence.rs"]
mod evidence;
#[path = "support/late.rs"]
mod late;
#[path = "support/lint_agreement.rs"]
mod lint_agreement;
#[path = "support/near.rs"]
mod near;
#[path = "support/ready.rs"]
mod ready;
#[path = "support/skip.rs"]
mod skip;
#[path = "support/spf_zone.rs"]
mod spf_zone;

use late::{Arrival, Late};
use mailverdict::{
    Authenticator, Message, Policy, Session,
    finding::{Finding, findings_of_spf},
    session::MailFrom,
    spf::{self, Explanation, Identity, Observers, SpfReport, SpfResult, Tree},
    time::UnixTime,
};
use ready::now;
use saphyr::{LoadableYamlNode, Yaml};
use spf_zone::{SpfZone, octets_of, text};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

/// A case, and what it leaves to the scenario.
struct Case<'y> {
    own: &'y Yaml<'y>,
    defaults: Option<&'y Yaml<'y>>,
}

impl<'y> Case<'y> {
    fn value(&self, key: &str) -> Option<&'y Yaml<'y>> {
        self.own.as_mapping_get(key).or_else(|| self.defaults?.as_mapping_get(key))
    }

    /// Of several acceptable texts the first, which is the RFC's preference.
    fn text(&self, key: &str) -> Option<String> {
        let value = self.value(key)?;
        let text = text(value.as_vec().map_or(value, |accepted| &accepted[0]));
        Some(self.repeated(&text))
    }

    /// With the part that is to be repeated.
    fn repeated(&self, text: &str) -> String {
        let Some(repeat) = self.value("repeat") else { return text.to_owned() };
        let times = repeat.as_mapping_get("times").unwrap().as_integer().unwrap();
        let part = repeat.as_mapping_get("part").unwrap().as_str().unwrap();
        text.replace("<>", &part.repeat(usize::try_from(times).unwrap()))
    }

    fn at(&self) -> String {
        self.text("at").unwrap_or_else(|| "c.example.com".into())
    }

    fn zone(&self, zonedata: &Yaml<'_>) -> SpfZone {
        let mut zone = SpfZone::read(zonedata);
        let one = self.value("record").map(std::slice::from_ref);
        let records = one.or_else(|| Some(self.value("records")?.as_vec()?.as_slice())).unwrap_or_default();
        zone.publish(&self.at(), records.iter().map(|record| octets_of(&self.repeated(&text(record)))));
        zone
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        for (limit, value) in self.value("limits").and_then(Yaml::as_mapping).into_iter().flatten() {
            let limit = match text(limit).as_str() {
                "lookups" => &mut policy.spf.lookups,
                "void_lookups" => &mut policy.spf.void_lookups,
                "mx_hosts" => &mut policy.spf.mx_hosts,
                "ptr_names" => &mut policy.spf.ptr_names,
                other => panic!("unknown limit {other}"),
            };
            *limit = value.as_integer().unwrap().try_into().unwrap();
        }
        policy
    }

    fn session(&self) -> Session {
        let mut session = Session::new(self.text("host").expect("host").parse::<IpAddr>().expect("an address"));
        session.helo = self.text("helo").map(Into::into);
        let mail_from = self.text("mailfrom").unwrap_or_else(|| format!("user@{}", self.at()));
        session.mail_from = if mail_from.is_empty() { MailFrom::Null } else { MailFrom::Address(mail_from.into()) };
        session.receiver = self.text("receiver").map(Into::into);
        if let Some(time) = self.text("time") {
            session.received_at = UnixTime(time.parse().expect("seconds"));
        }
        session
    }

    /// How the findings differ from those that are expected, where the case says.
    fn other_findings(&self, found: &[Finding]) -> Vec<String> {
        let list = |key: &str| Some(self.own.as_mapping_get(key)?.as_vec().expect("a list").iter().map(text));
        let mut failures = near::failures(self.own, found);
        if let Some(expected) = list("findings") {
            let lines: Vec<_> = found.iter().map(line).collect();
            let expected: Vec<_> = expected.collect();
            if lines != expected {
                failures.push(format!("found {lines:#?} instead of {expected:#?}"));
            }
        }
        let is_sentence = |text: &str| text.starts_with(|c: char| c.is_ascii_uppercase()) && text.ends_with('.');
        for advice in found.iter().filter_map(|finding| finding.advice.as_deref()).filter(|advice| !is_sentence(advice))
        {
            failures.push(format!("no sentence: {advice:?}"));
        }
        for words in list("says").into_iter().flatten() {
            if !found.iter().any(|finding| finding.to_string().contains(&words)) {
                let says: Vec<_> = found.iter().map(ToString::to_string).collect();
                failures.push(format!("nothing says {words:?}: {says:#?}"));
            }
        }
        failures
    }

    /// What is wrong; nothing where all is well.
    fn failures(&self, report: &SpfReport) -> Vec<String> {
        let matched = report.result.matched().map(|matched| matched.directive().to_string());
        let explanation = match &report.result {
            SpfResult::Fail(_, Explanation::Published(text)) => text.to_string(),
            _ => "DEFAULT".into(),
        };
        let found = [
            ("result", report.result.keyword().into()),
            ("explanation", explanation),
            ("matched", matched.unwrap_or_else(|| "NOTHING".into())),
            ("lookups", report.dns_lookups.to_string()),
            ("voids", report.void_lookups.to_string()),
            ("domain", report.domain().to_owned()),
            ("sender", report.sender.to_string()),
        ];
        let mut failures: Vec<_> = found
            .into_iter()
            .filter_map(|(key, found)| self.text(key).filter(|expected| *expected != found).map(|e| (key, found, e)))
            .map(|(key, found, expected)| format!("{key}: {found:?} instead of {expected:?}"))
            .collect();
        let reason = report.to_string();
        if let Some(expected) = self.text("reason")
            && !reason.contains(&expected)
        {
            failures.push(format!("the reason does not hold {expected:?}"));
        }
        if !failures.is_empty() {
            failures.push(format!("({reason})"));
        }
        failures
    }
}

/// A finding as cases have it.
fn line(finding: &Finding) -> String {
    let quote = finding.quote.as_ref().map(|quote| format!(" \"{}\"", quote.text())).unwrap_or_default();
    let name = finding.name.as_deref().unwrap_or("-");
    format!("{} {} {name}{quote}", finding.severity.keyword(), finding.rule.id())
}

/// What a case and a scenario may say; anything else is a slip of the pen, and would test nothing.
const CASE_KEYS: [&str; 27] = [
    "description",
    "comment",
    "spec",
    "host",
    "helo",
    "mailfrom",
    "result",
    "explanation",
    "record",
    "records",
    "at",
    "repeat",
    "check",
    "receiver",
    "time",
    "limits",
    "domain",
    "sender",
    "matched",
    "reason",
    "lookups",
    "voids",
    "tree",
    "findings",
    "near",
    "says",
    "strict",
];

/// Runs every case of a file, says how many there were, and returns the failures.
fn run(file: &Path) -> (usize, Vec<String>) {
    let yaml = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut count = 0;
    let mut failed = Vec::new();
    for scenario in Yaml::load_from_str(&yaml).unwrap_or_else(|error| panic!("{}: {error}", file.display())) {
        let defaults = scenario.as_mapping_get("defaults");
        let zonedata = scenario.as_mapping_get("zonedata").expect("zonedata");
        let description = scenario.as_mapping_get("description").map(text).unwrap_or_default();
        for (name, own) in scenario.as_mapping_get("tests").expect("tests").as_mapping().expect("a mapping") {
            let name = text(name);
            for key in own.as_mapping().expect("a case").keys().map(text) {
                assert!(CASE_KEYS.contains(&key.as_str()), "{name}: unknown key {key}");
            }
            assert!(own.as_mapping_get("result").is_some(), "{name}: no result is expected");
            let case = Case { own, defaults };
            let zone = case.zone(zonedata);
            let authenticator = Authenticator::new(&zone).with_policy(case.policy());
            let mut trees = Observers::<Tree>::default();
            let (reports, log) = now(authenticator.explain_spf(&case.session(), &mut trees));
            let found = findings_of_spf(&reports, &case.session(), &log);
            #[cfg(feature = "serde")]
            assert_eq!(
                serde_json::from_str::<mailverdict::spf::SpfReports>(&serde_json::to_string(&reports).unwrap())
                    .unwrap(),
                reports
            );
            #[cfg(feature = "serde")]
            assert!(evidence::assert_replays(&zone, &case.policy(), b"From: a@example.com\r\n\r\n", &case.session()));
            for arrival in [Arrival::Together, Arrival::First, Arrival::Last, Arrival::Shuffled(count)] {
                let late = Late::new(&zone);
                let authenticator = Authenticator::new(&late).with_policy(case.policy());
                let mut late_trees = Observers::<Tree>::default();
                let (later, _) = late.run(arrival, authenticator.check_spf(&case.session(), &mut late_trees));
                if (&later, &late_trees) != (&reports, &trees) {
                    failed.push(format!("{description} / {name}: otherwise with late answers, {arrival:?}: {later:?}"));
                }
            }
            let is_helo = case.text("check").as_deref() == Some("helo");
            let report = if is_helo { reports.helo } else { reports.mail_from }.expect("the identity is known");
            count += 1;
            let disagreement = lint_agreement::disagreement(&zone, &case.policy(), &case.session(), &report);
            failed.extend(disagreement.map(|why| format!("{description} / {name}: {why}")));
            let tree = trees.mail_from.to_string();
            if let Some(expected) = case.text("tree").filter(|expected| *expected != tree) {
                failed.push(format!("{description} / {name}: the tree is\n{tree}instead of\n{expected}"));
            }
            failed.extend(case.other_findings(&found).iter().map(|why| format!("{description} / {name}: {why}")));
            failed.extend(case.failures(&report).iter().map(|why| format!("{description} / {name}: {why}")));
        }
    }
    (count, failed)
}

#[test]
fn our_own_suite() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/spf");
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut count, mut failed) = (0, Vec::new());
    for file in &files {
        let (cases, failures) = run(file);
        println!("{}: {cases} cases", file.file_name().unwrap().display());
        count += cases;
        failed.extend(failures);
    }
    println!("our own suite: {count} cases in {} files", files.len());
    assert!(failed.is_empty(), "{} lines on failures of {count} cases:\n{}", failed.len(), failed.join("\n"));
    assert!(count > 400, "only {count} cases found");
}

#[test]
fn the_documentation_names_cases_that_exist() {
    let mut names = std::collections::HashSet::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/spf")).unwrap() {
        let yaml = fs::read_to_string(entry.unwrap().path()).unwrap();
        for scenario in Yaml::load_from_str(&yaml).unwrap() {
            let tests = scenario.as_mapping_get("tests").and_then(Yaml::as_mapping).expect("tests");
            names.extend(tests.keys().map(text));
        }
    }
    let words = include_str!("../docs/spf.md").split('`').skip(1).step_by(2);
    // Names of cases are the words in backquotes that have at least two underscores.
    let documented: Vec<&str> = words.filter(|word| !word.contains(' ') && word.matches('_').count() > 1).collect();
    assert!(documented.len() > 40, "{documented:?}");
    let missing: Vec<_> = documented.iter().filter(|name| !names.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_suite_of_the_spf_project() {
    let Some(file) = std::env::var_os("MAILVERDICT_SPF_SUITE") else {
        skip::skipped("the suite of the SPF project; MAILVERDICT_SPF_SUITE does not name its file rfc7208-tests.yml");
        return;
    };
    let (count, failed) = run(Path::new(&file));
    assert!(failed.is_empty(), "{} lines on failures of {count} cases:\n{}", failed.len(), failed.join("\n"));
    assert!(count >= 203, "only {count} cases found");
    println!("the suite of the SPF project: {count} of {count} cases pass");
}

fn authenticated(header: &str, session: Session) -> spf::SpfReports {
    let zonedata = Yaml::load_from_str(
        "example.com: [TXT: 'v=spf1 ip4:192.0.2.1 -all']\nexample.net: [TXT: 'v=spf1 -all']\nexample.org: [TXT: 'v=spf1 ?all']",
    );
    let authenticator = Authenticator::new(SpfZone::read(&zonedata.unwrap()[0]));
    let raw = format!("{header}From: a@example.net\r\n\r\n");
    let message = Message::parse(raw.as_bytes()).unwrap();
    now(authenticator.authenticate(&message, session)).spf
}

fn client() -> Session {
    Session::new(Ipv4Addr::new(192, 0, 2, 1))
}

fn keyword(report: Option<&SpfReport>) -> Option<&'static str> {
    report.map(|report| report.result.keyword())
}

#[test]
fn the_return_path_stands_in_for_an_unknown_reverse_path() {
    for (header, sender) in [
        ("Return-Path: <a@example.com>\r\n", Some("a@example.com")),
        ("return-path : (x) <a@example.com> (y)\r\n", Some("a@example.com")),
        ("Return-Path: <a@example.com>\r\nReturn-Path: <b@example.net>\r\n", Some("a@example.com")),
        ("Return-Path: <>\r\n", Some("postmaster@example.org")),
        ("Return-Path: <a@example.com\r\nReturn-Path: <b@example.net>\r\n", None),
        ("X-Return-Path: <a@example.com>\r\n", None),
    ] {
        let reports = authenticated(header, client().with_helo("example.org"));
        assert_eq!(reports.mail_from.as_ref().map(|report| &*report.sender), sender, "{header:?}");
        assert_eq!(keyword(reports.helo.as_ref()), Some("neutral"));
    }
}

#[test]
fn the_session_knows_better_than_the_return_path() {
    let header = "Return-Path: <b@example.net>\r\n";
    let reports = authenticated(header, client().with_mail_from("a@example.com"));
    assert_eq!(keyword(reports.mail_from.as_ref()), Some("pass"));
    let reports = authenticated(header, client().with_mail_from("").with_helo("example.org"));
    assert_eq!(reports.mail_from.as_ref().map(|report| report.domain()), Some("example.org"));
}

#[test]
fn both_identities_are_reported_apart() {
    let reports = authenticated("", client().with_helo("example.net").with_mail_from("a@example.com"));
    assert_eq!((keyword(reports.helo.as_ref()), keyword(reports.mail_from.as_ref())), (Some("fail"), Some("pass")));
    let (helo, mail_from) = (reports.helo.unwrap(), reports.mail_from.unwrap());
    assert_eq!((helo.identity, mail_from.identity), (Identity::Helo, Identity::MailFrom));
}

#[test]
fn what_is_not_known_is_not_checked() {
    let reports = authenticated("", client());
    assert_eq!((reports.helo, reports.mail_from), (None, None));
    let reports = authenticated("", client().with_mail_from(""));
    assert_eq!(reports.mail_from, None);
    let stranger = Session::without_peer().with_helo("example.com").with_mail_from("a@example.com");
    let reports = authenticated("Return-Path: <a@example.com>\r\n", stranger);
    assert_eq!((reports.helo, reports.mail_from), (None, None));
}

#[test]
fn a_null_reverse_path_is_evaluated_once() {
    let reports = authenticated("", client().with_mail_from("<>").with_helo("example.com"));
    let (mut helo, mail_from) = (reports.helo.unwrap(), reports.mail_from.unwrap());
    helo.identity = Identity::MailFrom;
    assert_eq!(helo, mail_from);
}

mod records {
    //! The text form of records: what is read, written and read again is the same.

    use mailverdict::spf::{
        Directive, DomainSpec, HostSpec, MacroString, Mechanism, Modifier, PrefixLen, Qualifier, Record,
        UnknownModifier,
    };
    use proptest::prelude::*;

    const DOMAIN_SPEC: &str = "(%\\{[slodipvhSLODIPVH]([1-9][0-9]{0,12})?[rR]?[-.+,/_=]{0,3}\\}|%[-%_]|[!-$&-~]{1,3}){0,4}\
                               (\\.[a-zA-Z0-9]{0,2}[a-z][a-z0-9]{0,2}\\.?|\\.1-{1,2}2|%\\{[dihDIH]r?\\})";
    const PREFIX_LENGTHS: &str = "(/([0-9]|[12][0-9]|3[0-2]))?(//([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))?";
    const MACRO_STRING: &str = "(%\\{[slodipvhcrtT][1-9]?r?[-.+,/_=]{0,2}\\}|%[-%_]|[!-$&-~]{1,3}){0,4}";

    fn term() -> impl Strategy<Value = String> {
        let qualified = prop_oneof![
            Just("all".to_owned()),
            Just("PTR".to_owned()),
            DOMAIN_SPEC.prop_map(|domain| format!("include:{domain}")),
            (DOMAIN_SPEC, PREFIX_LENGTHS).prop_map(|(domain, lengths)| format!("a:{domain}{lengths}")),
            PREFIX_LENGTHS.prop_map(|lengths| format!("Mx{lengths}")),
            DOMAIN_SPEC.prop_map(|domain| format!("ptr:{domain}")),
            DOMAIN_SPEC.prop_map(|domain| format!("Exists:{domain}")),
            (any::<std::net::Ipv4Addr>(), 0..=32).prop_map(|(ip, len)| format!("ip4:{ip}/{len}")),
            (any::<std::net::Ipv6Addr>(), 0..=128).prop_map(|(ip, len)| format!("IP6:{ip}/{len}")),
            any::<std::net::Ipv6Addr>().prop_map(|ip| format!("ip6:{ip}")),
        ];
        prop_oneof![
            4 => ("[-+~?]?", qualified).prop_map(|(qualifier, mechanism)| qualifier + &mechanism),
            1 => ("x[-a-zA-Z0-9_.]{0,4}", MACRO_STRING).prop_map(|(name, value)| format!("{name}={value}")),
        ]
    }

    fn record_text() -> impl Strategy<Value = String> {
        let terms = prop::collection::vec((" {1,3}", term()), 0..8);
        let modifiers = (prop::option::of(DOMAIN_SPEC), prop::option::of(DOMAIN_SPEC));
        ("[vV]=[sS]pf1", terms, modifiers, " {0,2}").prop_map(|(version, terms, (redirect, exp), end)| {
            let mut text = version;
            terms.into_iter().for_each(|(spaces, term)| text.extend([spaces, term]));
            text.extend(redirect.map(|domain| format!(" redirect={domain}")));
            text.extend(exp.map(|domain| format!(" EXP={domain}")));
            text + &end
        })
    }

    fn domain_spec() -> impl Strategy<Value = DomainSpec> {
        DOMAIN_SPEC.prop_map(|text| text.parse().unwrap())
    }

    fn host_spec() -> impl Strategy<Value = HostSpec> {
        (prop::option::of(domain_spec()), 0..=32_u8, 0..=128_u8).prop_map(|(domain, ip4, ip6)| HostSpec {
            domain,
            ip4_prefix_len: PrefixLen::new(ip4).unwrap(),
            ip6_prefix_len: PrefixLen::new(ip6).unwrap(),
        })
    }

    fn directive() -> impl Strategy<Value = Directive> {
        let qualifier =
            prop::sample::select(vec![Qualifier::Pass, Qualifier::Fail, Qualifier::SoftFail, Qualifier::Neutral]);
        let mechanism = prop_oneof![
            Just(Mechanism::All),
            domain_spec().prop_map(Mechanism::Include),
            host_spec().prop_map(Mechanism::A),
            host_spec().prop_map(Mechanism::Mx),
            prop::option::of(domain_spec()).prop_map(Mechanism::Ptr),
            (any::<std::net::Ipv4Addr>(), 0..=32_u8)
                .prop_map(|(ip, len)| Mechanism::Ip4(format!("{ip}/{len}").parse().unwrap())),
            (any::<std::net::Ipv6Addr>(), 0..=128_u8)
                .prop_map(|(ip, len)| Mechanism::Ip6(format!("{ip}/{len}").parse().unwrap())),
            domain_spec().prop_map(Mechanism::Exists),
        ];
        (qualifier, mechanism).prop_map(|(qualifier, mechanism)| Directive::new(qualifier, mechanism))
    }

    proptest! {
        #[test]
        fn every_valid_record_is_read_and_written_as_the_same(text in record_text()) {
            let record = Record::parse(text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
            let written = record.to_string();
            prop_assert_eq!(Record::parse(written.as_bytes()), Ok(record.clone()), "{}", &written);
            for directive in record.directives {
                prop_assert_eq!(directive.to_string().parse(), Ok(directive));
            }
        }

        #[test]
        fn every_record_made_in_code_can_be_published(
            directives in prop::collection::vec(directive(), 0..6),
            redirect in prop::option::of(domain_spec()),
            exp in prop::option::of(domain_spec()),
            unknown in prop::collection::vec(("[a-dX-Z][-a-z0-9_.]{0,9}", MACRO_STRING), 0..3),
        ) {
            let modifier = |(name, value): (String, String)| {
                UnknownModifier::new(&name, value.parse::<MacroString>().unwrap()).unwrap()
            };
            let unknown_modifiers = unknown.into_iter().map(modifier).collect();
            let [redirect, exp] = [redirect, exp].map(|domain| domain.map(Modifier::new));
            let record = Record { directives, redirect, exp, unknown_modifiers };
            prop_assert_eq!(Record::parse(record.to_string().as_bytes()), Ok(record));
        }

        #[test]
        fn what_is_nearly_a_record_is_read_the_same_or_refused_at_a_place(
            text in record_text(),
            at in any::<prop::sample::Index>(),
            octet in prop_oneof![any::<u8>(), prop::sample::select(b"%{}/:=.- 0r".to_vec())],
        ) {
            let mut text = text.into_bytes();
            let at = at.index(text.len());
            text[at] = octet;
            match Record::parse(&text) {
                Ok(record) => prop_assert_eq!(Record::parse(record.to_string().as_bytes()), Ok(record)),
                Err(error) => prop_assert!(error.offset <= text.len() && !error.expected.is_empty(), "{error}"),
            }
        }

        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Record::parse(&octets);
            let _ = Record::parse(&[b"v=spf1 ", &*octets].concat());
        }
    }

    #[test]
    fn names_that_the_standard_defines_are_no_unknown_modifiers() {
        let value: MacroString = "example.com".parse().unwrap();
        for name in ["redirect", "EXP", "", "1x", "x y", "x="] {
            assert!(UnknownModifier::new(name, value.clone()).is_err(), "{name}");
        }
        assert_eq!(PrefixLen::<32>::new(33), None);
        assert_eq!(PrefixLen::<128>::new(129), None);
    }
}
