//! ARC chains: the public validation suite, and cases of our own that seal their messages as they go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Policy, Session, Verdict,
    arc::{ArcReport, ArcResult, Trusted},
    dns::{LookupError, RecordType, Zone},
    message::{MalformationKind, to_crlf},
    name::{Domain, Name},
    time::UnixTime,
};
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::{BTreeMap, HashSet};
use support::{
    ready::now,
    sealer::{self, SetOptions, sealed},
    signer::{self, Key, SignOptions},
};

fn text<'y>(case: &'y Yaml<'_>, key: &str) -> Option<&'y str> {
    case.as_mapping_get(key).and_then(|value| value.as_str())
}

fn validate(zone: &Zone, raw: &[u8]) -> ArcReport {
    let Ok(message) = Message::parse(raw) else {
        // What has no octet has no ARC set.
        let message = Message::parse(b"X: y\r\n\r\n").unwrap();
        return now(Authenticator::new(zone).authenticate(&message, Session::without_peer())).arc;
    };
    #[cfg(feature = "serde")]
    assert!(support::evidence::assert_replays(zone, &mailverdict::Policy::default(), raw, &Session::without_peer()));
    let report = now(Authenticator::new(zone).authenticate(&message, Session::without_peer())).arc;
    #[cfg(feature = "serde")]
    assert_eq!(serde_json::from_str::<ArcReport>(&serde_json::to_string(&report).unwrap()).unwrap(), report);
    report
}

/// Where the suite wants what RFC 8617 and RFC 6376 do not: the case, the result here, and why.
const CONTESTED: [(&str, &str); 2] = [
    // Without c= a signature is "simple/simple" (RFC 6376 §3.5, imported by RFC 8617 §4.1.2); this one was made relaxed/relaxed.
    ("ams_fields_c_na", "fail"),
    // h= "MUST NOT be empty" and must list From (RFC 6376 §3.5, §5.4).
    ("ams_fields_h_empty", "fail"),
];

/// The suite has some of its cases twice under one name, which is no YAML: the later ones are renamed.
fn without_duplicate_names(scenarios: &str) -> String {
    let mut seen = HashSet::new();
    let mut renamed = String::with_capacity(scenarios.len());
    for line in scenarios.lines() {
        let is_name = |line: &str| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        if is_name(line.trim_end()) && !seen.insert(line.trim()) {
            renamed += &format!("{}-again:\n", line.trim_end().trim_end_matches(':'));
        } else {
            renamed += &format!("{line}\n");
        }
    }
    renamed
}

#[test]
fn public_validation_suite() {
    let Ok(path) = std::env::var("MAILVERDICT_ARC_SUITE") else {
        support::skip::skipped(
            "MAILVERDICT_ARC_SUITE names no file (arc-draft-validation-tests.yml of ValiMail/arc_test_suite)",
        );
        return;
    };
    let scenarios = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (mut cases, mut again, mut failed) = (0, 0, String::new());
    for scenario in Yaml::load_from_str(&without_duplicate_names(&scenarios)).unwrap() {
        let mut zone = Zone::new();
        for (name, record) in scenario.as_mapping_get("txt-records").and_then(Yaml::as_mapping).into_iter().flatten() {
            let record = record.as_str().unwrap_or_default().as_bytes();
            zone.add_txt(&Name::parse(name.as_str().unwrap()).unwrap(), record);
        }
        for (name, case) in scenario.as_mapping_get("tests").unwrap().as_mapping().unwrap() {
            let name = name.as_str().unwrap();
            let raw = to_crlf(text(case, "message").unwrap().as_bytes());
            let wanted = match (CONTESTED.iter().find(|(contested, _)| *contested == name), text(case, "cv")) {
                (Some((_, chosen)), _) => *chosen,
                (None, Some("Pass")) => "pass",
                (None, Some("None")) => "none",
                // Empty: the chain was marked as failed before (RFC 8617 §5.2, step 2).
                (None, Some("Fail" | "") | None) => "fail",
                (None, Some(other)) => panic!("{name}: cv {other}"),
            };
            let report = validate(&zone, &raw);
            if report.result.keyword() != wanted {
                failed += &format!("  {name}: {} ({}), wanted {wanted}\n", report.result.keyword(), report.result);
            }
            *(if name.ends_with("-again") { &mut again } else { &mut cases }) += 1;
        }
    }
    println!("{cases} cases of the public suite, and {again} messages more that it has under the same names");
    assert!(failed.is_empty(), "\n{failed}");
    assert_eq!(cases, 171);
}

/// As it leaves its author.
const MESSAGE: &str = "From: author@sender.example\r\nTo: reader@receiver.example\r\nSubject: Hello\r\n\
    Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\nThis is the body,\r\nnew\r\n";

const RECORDS: [(&str, &str); 1] = [("_dmarc.sender.example", "v=DMARC1; p=reject")];

/// A message on its way, and the records that its sealers publish.
struct Journey {
    message: Vec<u8>,
    records: BTreeMap<String, String>,
    sets: usize,
    dropped: Vec<u8>,
}

impl Journey {
    fn new() -> Self {
        let records = RECORDS.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Self { message: MESSAGE.into(), records: records.into(), sets: 0, dropped: Vec::new() }
    }

    fn step(&mut self, what: &str, how: &Yaml<'_>) {
        let pair = || (how[0].as_str().unwrap(), how[1].as_str().map(str::to_owned));
        let placed = || (how[0].as_str().unwrap(), usize::try_from(how[1].as_integer().unwrap()).unwrap());
        match what {
            "seal" => self.seal(how),
            "append" => self.message.extend(to_crlf(how.as_str().unwrap().as_bytes()).iter()),
            "prepend" => self.message.splice(..0, to_crlf(how.as_str().unwrap().as_bytes()).to_vec()).for_each(drop),
            "replace" => {
                let (from, to) = pair();
                let at = self.message.windows(from.len()).position(|text| text == from.as_bytes());
                let at = at.unwrap_or_else(|| panic!("no {from}"));
                self.message.splice(at..at + from.len(), to.unwrap().into_bytes());
            }
            "without" => {
                let (name, instance) = placed();
                self.dropped = sealer::field(&self.message, name, instance);
                self.message = sealer::without(&self.message, name, instance);
            }
            "twice" => {
                let (name, instance) = placed();
                let field = sealer::field(&self.message, name, instance);
                self.message.splice(..0, field);
            }
            "prepend_last_dropped" => self.message.splice(..0, self.dropped.clone()).for_each(drop),
            other => panic!("unknown step {other}"),
        }
    }

    fn seal(&mut self, how: &Yaml<'_>) {
        let number = |key: &str| how.as_mapping_get(key).map(|n| usize::try_from(n.as_integer().unwrap()).unwrap());
        let (domain, key_name) = (text(how, "d").unwrap(), text(how, "key").unwrap_or("ed25519"));
        let key = Key::named(key_name);
        let algorithm = if key_name.starts_with("rsa") { "rsa-sha256" } else { "ed25519-sha256" };
        let algorithm = text(how, "a").unwrap_or(algorithm);
        for _ in 0..number("times").unwrap_or(1) {
            let instance = number("i").unwrap_or(self.sets + 1);
            self.sets = instance;
            let cv = text(how, "cv").unwrap_or(if instance <= 1 { "none" } else { "pass" });
            let add = |key: &str| text(how, key).map(|tags| format!("{tags}; ")).unwrap_or_default();
            let message_signature = text(how, "ams_template").map(str::to_owned).unwrap_or_else(|| {
                let h = text(how, "h").unwrap_or("from:to:subject:date");
                let (d, add) = (text(how, "ams_d").unwrap_or("{d}"), add("ams"));
                format!(
                    "i={{i}}; a={{a}}; c=relaxed/relaxed; d={d}; s=k1; t=1700000000; h={h}; {add}bh={{bh}}; b={{b}}"
                )
            });
            let seal = text(how, "as_template").map(str::to_owned).unwrap_or_else(|| {
                format!("i={{i}}; a={{a}}; t=1700000000; cv={{cv}}; d={{d}}; s=k1; {}b={{b}}", add("as"))
            });
            let filled = |template: &str| template.replace("{a}", algorithm).replace("{cv}", cv).replace("{d}", domain);
            let results = "{d}; spf=pass smtp.mailfrom=sender.example; dkim=pass header.d=sender.example;\r\n \
                dmarc=pass header.from=sender.example";
            let options = SetOptions {
                instance,
                results: &filled(text(how, "aar").unwrap_or(results)),
                message_signature: &filled(&message_signature),
                seal: &filled(&seal),
                message_signature_key: &key,
                seal_key: &key,
            };
            self.message = sealed(&self.message, &options);
        }
        for domain in [Some(domain), text(how, "ams_d")].into_iter().flatten() {
            let domain = Domain::parse(domain).unwrap();
            self.records.insert(format!("k1._domainkey.{domain}"), key.record());
        }
    }

    fn zone(mut self, overrides: Option<&Yaml<'_>>) -> Zone {
        let mut zone = Zone::new();
        for (name, text) in overrides.and_then(Yaml::as_mapping).into_iter().flatten() {
            let (name, text) = (name.as_str().unwrap(), text.as_str().unwrap());
            let record = self.records.get_mut(name).unwrap_or_else(|| panic!("no record at {name} to override"));
            *record = match text {
                "ed25519-other" => Key::named(text).record(),
                "s=tlsrpt" => format!("{record}; {text}"),
                _ => text.to_owned(),
            };
        }
        for (name, text) in &self.records {
            let name = Name::parse(name).unwrap();
            match text.as_str() {
                "NONE" => {}
                "SERVFAIL" => drop(zone.plant(&name, RecordType::Txt, LookupError::ServerFailure)),
                text => drop(zone.add_txt(&name, text.as_bytes())),
            }
        }
        zone
    }
}

fn failures(case: &Yaml<'_>) -> Vec<String> {
    let mut journey = Journey::new();
    for step in case.as_mapping_get("steps").unwrap().as_vec().unwrap() {
        for (what, how) in step.as_mapping().unwrap() {
            journey.step(what.as_str().unwrap(), how);
        }
    }
    let raw = journey.message.clone();
    let zone = journey.zone(case.as_mapping_get("records"));
    let mut policy = Policy::default();
    let trust = case.as_mapping_get("trust").and_then(Yaml::as_vec).into_iter().flatten();
    policy.arc.trusted_sealers = trust.map(|domain| Domain::parse(domain.as_str().unwrap()).unwrap()).collect();
    for (key, value) in case.as_mapping_get("budget").and_then(Yaml::as_mapping).into_iter().flatten() {
        let value = usize::try_from(value.as_integer().unwrap()).unwrap();
        match key.as_str().unwrap() {
            "signatures" => policy.budget.arc.signatures = value,
            "work" => policy.budget.arc.work = value,
            other => panic!("unknown part {other} of the budget"),
        }
    }
    for name in case.as_mapping_get("repaired").and_then(Yaml::as_vec).into_iter().flatten() {
        let name = name.as_str().unwrap();
        let kind = MalformationKind::ALL.into_iter().find(|kind| format!("{kind:?}") == name);
        policy.dkim.repaired_malformations.push(kind.unwrap_or_else(|| panic!("no kind {name}")));
    }
    let message = Message::parse(&raw).unwrap();
    let session = Session::without_peer().received_at(UnixTime(1_700_000_000));
    let verdict = now(Authenticator::new(zone).with_policy(policy).authenticate(&message, session));

    let mut failures = Vec::new();
    for (key, wanted) in case.as_mapping().unwrap() {
        let key = key.as_str().unwrap();
        let Some(got) = observed(&verdict, key) else { continue };
        let wanted = match (wanted.as_str(), wanted.as_vec()) {
            (Some(text), _) => text.to_owned(),
            (None, Some(list)) => list.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(" "),
            (None, None) => {
                wanted.as_integer().map_or_else(|| wanted.as_bool().unwrap().to_string(), |n| n.to_string())
            }
        };
        if got != wanted {
            failures.push(format!("{key}: {got}\n      wanted: {wanted}"));
        }
    }
    for (key, without) in [("oldest_pass", "0"), ("temporary", "false"), ("trusted", "-"), ("override", "-")] {
        let got = observed(&verdict, key).unwrap();
        if case.as_mapping_get(key).is_none()
            && got != without
            && !(key == "trusted" && case.as_mapping_get("trust").is_some())
        {
            failures.push(format!("{key}: {got}, of which the case says nothing"));
        }
    }
    failures
}

/// What a case may ask for; `None` for what makes the message rather than judges it.
fn observed(verdict: &Verdict, key: &str) -> Option<String> {
    let arc = &verdict.arc;
    Some(match key {
        "result" => arc.result.keyword().to_owned(),
        "reason" => arc.result.to_string(),
        "oldest_pass" => match arc.result {
            ArcResult::Pass { oldest_pass, .. } => oldest_pass.to_string(),
            _ => "0".to_owned(),
        },
        "instances" => arc.instances.to_string(),
        "sealers" => arc.sealers.iter().map(Domain::as_str).collect::<Vec<_>>().join(" "),
        "temporary" => arc.result.is_temporary().to_string(),
        "comment" => arc.report_comment(),
        "trusted" => arc.trusted.as_ref().map_or_else(
            || "-".to_owned(),
            |trusted| {
                let Trusted { instance, sealer, spf, dkim, dmarc, .. } = trusted;
                let word = |word: &Option<Box<str>>| word.as_deref().unwrap_or("-").to_owned();
                format!("{instance} {sealer} {} {} {}", word(spf), word(dkim), word(dmarc))
            },
        ),
        "override" => verdict.policy_override.as_ref().map_or_else(
            || "-".to_owned(),
            |offer| format!("{} {} {}", offer.reason.keyword(), offer.sealer, offer.instance),
        ),
        "dmarc" => verdict.dmarc.result.keyword().to_owned(),
        "disposition" => verdict.disposition.keyword().to_owned(),
        "name" | "steps" | "records" | "trust" | "budget" | "repaired" => return None,
        other => panic!("unknown key {other}"),
    })
}

#[test]
fn chains() {
    let cases = Yaml::load_from_str(include_str!("data/arc/chains.yml")).unwrap();
    let mut failed = String::new();
    for case in &cases {
        for failure in failures(case) {
            failed += &format!("  {}: {failure}\n", text(case, "name").unwrap());
        }
    }
    println!("{} chains", cases.len());
    assert!(failed.is_empty(), "\n{failed}");
}

/// The message of docs/stories.md: signed by its author's domain, changed and sealed by a filtering service, handed over to the receiver.
/// `MAILVERDICT_REGENERATE` writes the files anew.
#[test]
fn sealed_by_a_trusted_forwarder() {
    let (author_key, filter_key) = (Key::named("rsa2048"), Key::named("ed25519"));
    let sent = "Date: Mon, 6 Oct 2025 08:15:01 +0000\r\nMessage-ID: <A1B2C3D4@mail.contoso.com>\r\n\
        From: Alice Adams <alice@contoso.com>\r\nTo: Bob Baker <bob@example.net>\r\nSubject: The contract\r\n\r\n\
        Bob,\r\n\r\nthe contract is signed.\r\n\r\nAlice\r\n";
    let template = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=contoso.com; s=s1;\r\n t=1759738501; \
        h=From:To:Subject:Date:Message-ID;\r\n bh={bh};\r\n b={b}";
    let sent = String::from_utf8(signer::signed(sent.as_bytes(), &SignOptions::dkim(template), &author_key)).unwrap();
    let changed = sent
        .replace("Subject: ", "Subject: [EXTERNAL] ")
        .replace("Bob,", "(From outside. Think before you click.)\r\n\r\nBob,");
    let received = "Received: from mail.contoso.com (mail.contoso.com [198.51.100.25])\r\n\
        \tby mx.filter.adatum.com with ESMTPS id 4Z1x2Y; Mon, 6 Oct 2025 08:15:03 +0000\r\n";
    let options = SetOptions {
        instance: 1,
        results: "mx.filter.adatum.com;\r\n spf=pass smtp.mailfrom=contoso.com;\r\n dkim=pass header.d=contoso.com;\r\n \
            dmarc=pass header.from=contoso.com;\r\n arc=none smtp.remote-ip=198.51.100.25",
        message_signature: "i={i}; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=filter.adatum.com; s=arc; t=1759738504;\r\n \
            h=From:To:Subject:Date:Message-ID:DKIM-Signature;\r\n bh={bh};\r\n b={b}",
        seal: "i={i}; a=ed25519-sha256; t=1759738504; cv=none;\r\n d=filter.adatum.com; s=arc;\r\n b={b}",
        message_signature_key: &filter_key,
        seal_key: &filter_key,
    };
    let sealed = sealed(format!("{received}{changed}").as_bytes(), &options);
    let handed_over = "Received: from out.filter.adatum.com (out.filter.adatum.com [203.0.113.90])\r\n\
        \tby mx.example.net with ESMTPS id 5A6b7C; Mon, 6 Oct 2025 08:15:05 +0000\r\n";
    let message = String::from_utf8([handed_over.as_bytes(), &sealed].concat()).unwrap().replace("\r\n", "\n");
    let chunks = |record: String| -> String {
        record.as_bytes().chunks(72).map(|chunk| format!("\n    \"{}\"", String::from_utf8_lossy(chunk))).collect()
    };
    let zone = format!(
        "; Contoso sends from one host, signs, and asks receivers to refuse the rest; a service filters the mail of example.net.\n\
         ; Made by tests/arc_suite.rs.\n\
         contoso.com.                         TXT \"v=spf1 ip4:198.51.100.25 -all\"\n\
         _dmarc.contoso.com.                  TXT \"v=DMARC1; p=reject\"\n\
         s1._domainkey.contoso.com.           TXT ({} )\n\
         out.filter.adatum.com.               A   203.0.113.90\n\
         out.filter.adatum.com.               TXT \"v=spf1 a -all\"\n\
         arc._domainkey.filter.adatum.com.    TXT ({} )\n",
        chunks(author_key.record()),
        chunks(filter_key.record()),
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/arc");
    for (file, text) in [("filtered.eml", &message), ("zone.db", &zone)] {
        let path = format!("{folder}/{file}");
        if std::env::var_os("MAILVERDICT_REGENERATE").is_some() {
            std::fs::write(&path, text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), *text, "{path} is not what makes it");
    }

    let raw = to_crlf(message.as_bytes());
    let message = Message::parse(&raw).unwrap();
    let session = || {
        Session::new(std::net::Ipv4Addr::new(203, 0, 113, 90))
            .with_helo("out.filter.adatum.com")
            .with_mail_from("alice@contoso.com")
            .received_at(UnixTime(1_759_738_505))
    };
    let zone = Zone::parse(&zone, "zone.db").unwrap();
    let mut policy = Policy::default();
    policy.arc.trusted_sealers.push(Domain::parse("filter.adatum.com").unwrap());
    let verdict = now(Authenticator::new(&zone).with_policy(policy).authenticate(&message, session()));
    assert_eq!(verdict.dkim[0].result.keyword(), "fail");
    assert_eq!(verdict.spf.mail_from.as_ref().unwrap().result.keyword(), "fail");
    assert_eq!((verdict.dmarc.result.keyword(), verdict.dmarc.disposition.keyword()), ("fail", "reject"));
    assert_eq!(observed(&verdict, "trusted").unwrap(), "1 filter.adatum.com pass pass pass");
    assert_eq!(observed(&verdict, "override").unwrap(), "trusted_forwarder filter.adatum.com 1");
    assert_eq!(verdict.disposition.keyword(), "none");
    let distrusting = now(Authenticator::new(&zone).authenticate(&message, session()));
    assert_eq!((distrusting.arc.result.keyword(), distrusting.disposition.keyword()), ("pass", "reject"));
}

#[test]
fn the_documentation_names_cases_that_exist() {
    let cases = Yaml::load_from_str(include_str!("data/arc/chains.yml")).unwrap();
    let names: HashSet<&str> = cases.iter().filter_map(|case| text(case, "name")).collect();
    let documented: Vec<&str> = include_str!("../docs/arc.md")
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.matches('_').count() > 1 && !word.starts_with("ams_fields_") && !word.contains("Policy"))
        .collect();
    assert!(documented.len() > 15, "{documented:?}");
    let missing: Vec<_> = documented.iter().filter(|name| !names.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
