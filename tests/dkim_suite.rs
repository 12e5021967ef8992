//! DKIM from the outside: the RFCs' examples, and messages signed by the tests' own signer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::{
    Policy as WholePolicy, Session,
    dkim::{Policy, SignatureReport},
    dns::Zone,
    message::Message,
    name::Name,
    time::UnixTime,
};
use saphyr::{LoadableYamlNode, Yaml};
use support::{
    dkim_case::{Case, shown},
    pieces::in_pieces,
    signer::{Key, SignOptions, signed},
};

const NOW: UnixTime = UnixTime(1_800_000_000);

/// Verifies a message whose body comes in chunks of `chunk` octets.
fn verify_in_chunks(zone: &Zone, policy: &Policy, raw: &[u8], chunk: usize) -> Vec<SignatureReport> {
    verify_at(zone, policy, &Message::parse(raw).unwrap(), NOW, chunk)
}

fn verify_at(zone: &Zone, dkim: &Policy, message: &Message<'_>, at: UnixTime, chunk: usize) -> Vec<SignatureReport> {
    let mut policy = WholePolicy::default();
    policy.dkim = dkim.clone();
    in_pieces(zone, &policy, message, Session::without_peer().received_at(at), chunk).dkim
}

fn verify(zone: &Zone, raw: &[u8]) -> Vec<SignatureReport> {
    verify_in_chunks(zone, &Policy::default(), raw, usize::MAX)
}

fn zone_of(keys: &[(&str, &Key)]) -> Zone {
    let mut zone = Zone::new();
    for (selector, key) in keys {
        let name = Name::parse(&format!("{selector}._domainkey.example.com")).unwrap();
        zone.add_txt(&name, key.record().into_bytes());
    }
    zone
}

#[test]
fn the_examples_of_the_rfcs_verify() {
    let data = format!("{}/tests/data/dkim", env!("CARGO_MANIFEST_DIR"));
    let zone = Zone::read([format!("{data}/rfc-appendices.db")]).unwrap();
    for (file, algorithms) in
        [("rfc6376-appendix-a.eml", &["rsa-sha256"][..]), ("rfc8463-appendix-a.eml", &["ed25519-sha256", "rsa-sha256"])]
    {
        let raw = std::fs::read(format!("{data}/{file}")).unwrap();
        let reports = verify(&zone, &raw);
        let results: Vec<_> = reports.iter().map(shown).collect();
        assert_eq!(results, vec!["pass"; algorithms.len()], "{file}");
        let found: Vec<_> = reports.iter().map(|report| report.signature.algorithm.as_deref().unwrap()).collect();
        assert_eq!(found, algorithms, "{file}");
        // A letter more in the body is noticed.
        let changed = String::from_utf8(raw).unwrap().replace("We lost", "We  Lost");
        assert!(verify(&zone, changed.as_bytes()).iter().all(|report| report.result.keyword() == "fail"), "{file}");
    }
}

#[test]
fn a_report_holds_all_that_was_found_out() {
    let key = Key::named("rsa2048");
    let zone = zone_of(&[("s1", &key)]);
    let template = "v=1; a=rsa-sha256; c=relaxed/simple; d=example.com; s=s1; i=news@example.com; t=1799999000; x=1800000900; \
                    l=4; h=From:Subject; bh={bh}; b={b}";
    let raw = signed(b"From: a@example.com\r\nSubject: x\r\n\r\nab\r\ncd\r\n", &SignOptions::dkim(template), &key);
    let [report] = &verify(&zone, &raw)[..] else { panic!("one signature") };
    assert_eq!(report.result.keyword(), "policy");
    let signature = &report.signature;
    let texts = [&signature.algorithm, &signature.identity, &signature.canonicalization].map(|t| t.as_deref().unwrap());
    assert_eq!(texts, ["rsa-sha256", "news@example.com", "relaxed/simple"]);
    assert_eq!(signature.domain.as_ref().unwrap().as_str(), "example.com");
    assert_eq!(signature.selector.as_ref().unwrap().as_str(), "s1");
    assert_eq!(signature.key_name().unwrap().as_str(), "s1._domainkey.example.com");
    assert_eq!(signature.signed_fields.iter().collect::<Vec<_>>(), ["From", "Subject"]);
    assert_eq!((signature.body_length, report.unsigned_octets), (Some(4), 4));
    assert_eq!(
        (signature.timestamp, signature.expiration),
        (Some(UnixTime(1_799_999_000)), Some(UnixTime(1_800_000_900)))
    );
    let record = report.key.as_ref().unwrap();
    assert_eq!((record.name.as_str(), &*record.text), ("s1._domainkey.example.com", &*key.record()));
    assert_eq!((record.bits, record.testing, record.records), (Some(2048), false, 1));
    // printf 'ab\r\n' | openssl dgst -sha256 -binary | base64
    assert_eq!(STANDARD.encode(report.body_hash.unwrap().as_bytes()), "x8CHVQe9ltQH8Rbq9wbeBXyfHwJV8H/49X0PilJ9elA=");
    assert!(report.header_hash.is_some());

    // Without a key record, the name that was asked for is known all the same.
    let [report] = &verify(&Zone::new(), &raw)[..] else { panic!("one signature") };
    assert_eq!((report.result.keyword(), &report.key), ("permerror", &None));
    assert_eq!(report.signature.key_name().unwrap().as_str(), "s1._domainkey.example.com");
}

const FILES: [&str; 9] = [
    "signature_field",
    "key_record",
    "canonicalization",
    "header",
    "malformed_header",
    "body_length",
    "time",
    "algorithm",
    "limits",
];

fn text_of(file: &str) -> String {
    let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn cases() {
    let mut ran = 0;
    let mut failed = Vec::new();
    for file in FILES {
        for case in &Yaml::load_from_str(&text_of(&format!("tests/data/dkim/{file}.yml"))).unwrap() {
            let case = Case(case);
            let name = case.text("name").unwrap_or_else(|| panic!("{file}: a case without a name"));
            ran += 1;
            failed.extend(case.failures().iter().map(|failure| format!("{file}/{name}: {failure}")));
        }
    }
    println!("{ran} DKIM cases ran, {} failed", failed.len());
    assert!(failed.is_empty(), "{} of {ran} cases failed\n{}", failed.len(), failed.join("\n"));
    assert!(ran >= 370, "only {ran} cases");
}

/// Whether `result` is `pattern` with something in place of each `<…>`.
fn fits(pattern: &str, result: &str) -> bool {
    let mut rest = result;
    let mut pieces = pattern.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, after)| after)).peekable();
    let first = pieces.next().unwrap();
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.is_empty()
}

#[test]
fn the_documented_table_is_that_of_the_cases() {
    let mut results = std::collections::BTreeMap::new();
    for file in FILES {
        for case in &Yaml::load_from_str(&text_of(&format!("tests/data/dkim/{file}.yml"))).unwrap() {
            let case = Case(case);
            results.insert(format!("{file}/{}", case.text("name").unwrap()), case.list("result"));
        }
    }
    let page = text_of("docs/dkim.md").replace("&lt;", "<");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| -") && !line.starts_with("| keyword"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let full = |row: &[&str]| if row[0] == "pass" { "pass".to_owned() } else { format!("{}: {}", row[0], row[1]) };
    for row in &rows {
        let cases: Vec<_> =
            row[3].split(", ").map(|name| results.get(name).unwrap_or_else(|| panic!("no case {name}"))).collect();
        assert!(cases[0].iter().any(|result| fits(&full(row), result)), "{row:?}: {:?}", cases[0]);
    }
    // Every result of a case is in the table, and so is every row a result of some case.
    for (name, result) in results.iter().flat_map(|(name, results)| results.iter().map(move |result| (name, result))) {
        assert!(rows.iter().any(|row| fits(&full(row), result)), "{name}: {result}");
    }
}

const MESSAGE: &[u8] = b"Received: from a\r\nReceived: from b\r\nFrom: Joe <joe@example.com>\r\nTo: \tyou@example.net\r\n\
    Subject: folded\r\n  over \t lines \r\nX-Empty:\r\n\r\n\r\nHi. \r\n\r\nA  line\twith \t spaces. \t\r\n \r\n\r\n\r\n";

#[test]
fn every_algorithm_and_canonicalization_verifies_in_chunks_of_any_size() {
    let keys = ["rsa1024", "rsa2048", "rsa4096", "rsa2048-e3", "ed25519"].map(|name| (name, Key::named(name)));
    let zone = zone_of(&keys.iter().map(|(name, key)| (*name, key)).collect::<Vec<_>>());
    for (name, key) in &keys {
        let algorithm = if *name == "ed25519" { "ed25519-sha256" } else { "rsa-sha256" };
        for c in ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "simple", "relaxed"] {
            let template = format!(
                " v=1; a={algorithm}; c={c};\r\n\td=example.com; s={name}; h=from:to:Subject:received:x-empty:x-none:received:\
                 received;\r\n bh={{bh}};\r\n b= {{b}}"
            );
            let raw = signed(MESSAGE, &SignOptions::dkim(&template), key);
            let whole = verify(&zone, &raw);
            assert_eq!(shown(&whole[0]), "pass", "{algorithm} {c}");
            for chunk in 1..20 {
                assert_eq!(verify_in_chunks(&zone, &Policy::default(), &raw, chunk), whole, "{algorithm} {c} {chunk}");
            }
            let other = String::from_utf8(raw).unwrap().replace("from b", "from c");
            assert_eq!(verify(&zone, other.as_bytes())[0].result.keyword(), "fail", "{algorithm} {c}");
        }
    }
}

/// A message all of whose octets are signed.
fn wholly_signed(algorithm: &str, c: &str, key: &Key) -> Vec<u8> {
    let message = b"Received: from a\r\nFrom: Joe <joe@example.com>\r\nTo: you@example.net,\r\n him@example.net\r\n\
        Subject: hello\r\n\r\nHi.\r\n\r\nAre you hungry yet?\r\n";
    let template =
        format!("v=1; a={algorithm}; c={c}; d=example.com; s=k; h=from:to:subject:received; bh={{bh}};\r\n b={{b}}");
    signed(message, &SignOptions::dkim(&template), key)
}

fn passes(zone: &Zone, raw: &[u8]) -> bool {
    Message::parse(raw).is_ok() && verify(zone, raw).iter().any(|report| report.result.keyword() == "pass")
}

#[test]
fn no_mutation_of_a_signed_octet_passes() {
    let mut mutations = 0;
    for (algorithm, key) in [("rsa-sha256", "rsa1024"), ("ed25519-sha256", "ed25519")] {
        let key = Key::named(key);
        let zone = zone_of(&[("k", &key)]);
        for c in ["simple/simple", "relaxed/relaxed"] {
            let raw = wholly_signed(algorithm, c, &key);
            assert!(passes(&zone, &raw));
            let text = String::from_utf8(raw.clone()).unwrap();
            // RFC 6376 §3.5, b=: white space is no part of the value, and §2.10: its padding may be missing.
            let data = text.find(" b=").unwrap() + 3..text.find("Received").unwrap();
            // Nor does anyone sign the line between the header and the body.
            let between = text.find("\r\n\r\n").unwrap() + 2;
            let idle = |at: usize, octet: u8| {
                at == between || data.contains(&at) && (octet.is_ascii_whitespace() || octet == b'=')
            };
            for (at, &octet) in raw.iter().enumerate().filter(|(at, octet)| !idle(*at, **octet)) {
                let white = octet.is_ascii_whitespace();
                // In "relaxed", white space may change and names may change their case; in "simple", nothing may.
                let others: &[u8] = match (c, white) {
                    ("simple/simple", _) => &[octet ^ 0x20, octet ^ 1, octet ^ 0x80, 0, b' '],
                    (_, true) => b"x",
                    (_, false) => &[octet ^ 1, octet ^ 0x80, 0, b' '],
                };
                let others = others.iter().filter(|other| **other != octet && !idle(at, **other));
                let mut changes: Vec<Vec<u8>> =
                    others.map(|other| [&raw[..at], &[*other], &raw[at + 1..]].concat()).collect();
                if !(white && c == "relaxed/relaxed") {
                    changes.push([&raw[..at], &raw[at + 1..]].concat());
                }
                for changed in changes {
                    let shown =
                        || changed[at.saturating_sub(20)..(at + 20).min(changed.len())].escape_ascii().to_string();
                    assert!(!passes(&zone, &changed), "{algorithm} {c}: octet {at} in {}", shown());
                    mutations += 1;
                }
            }
        }
    }
    println!("{mutations} mutations refused");
}

/// Messages signed by dkimpy; `.ci/run` installs it and names a Python that has it.
#[test]
fn what_another_implementation_signs_verifies() {
    const MESSAGES: usize = 600;
    let Some(python) = std::env::var_os("MAILVERDICT_PYTHON") else {
        support::skip::skipped("MAILVERDICT_PYTHON names no Python with dkimpy and pynacl (.ci/run sets it)");
        return;
    };
    let root = env!("CARGO_MANIFEST_DIR");
    let output = std::process::Command::new(python)
        .args([
            &format!("{root}/tests/interop/dkimpy_sign.py"),
            "6376",
            &MESSAGES.to_string(),
            &format!("{root}/tests/data/keys"),
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = ["rsa1024", "rsa2048", "rsa2048-other", "rsa4096", "ed25519"];
    let keys = names.map(|name| (name, Key::named(name)));
    let zone = zone_of(&keys.iter().map(|(name, key)| (*name, key)).collect::<Vec<_>>());
    let mut policy = Policy::default();
    policy.algorithms.push(mailverdict::crypto::RSA_SHA1);
    // dkimpy writes the present time into t=.
    let at = UnixTime(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs());

    let verified = |policy: &Policy, raw: &[u8]| {
        let message = Message::parse(raw).ok()?;
        verify_at(&zone, policy, &message, at, usize::MAX).pop()
    };
    let (mut failed, mut messages, mut mutations) = (Vec::new(), 0, 0);
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let raw = STANDARD.decode(case["message"].as_str().unwrap()).unwrap();
        let report = verified(&policy, &raw).unwrap();
        messages += 1;
        if shown(&report) != "pass" || report.signature.algorithm.as_deref() != case["a"].as_str() {
            failed.push(format!("{}: {} {}", shown(&report), case["a"], raw.escape_ascii()));
            continue;
        }
        // RFC 8301 §3.1.
        let by_default = if case["a"] == "rsa-sha1" { "policy" } else { "pass" };
        assert_eq!(verified(&Policy::default(), &raw).unwrap().result.keyword(), by_default);
        // Text that is not white space is signed in every canonicalization; what l= leaves out is not here, for it is the whole
        // body. Every octet of one message for each algorithm and canonicalization, some octets of the others.
        let step = if messages <= 20 { 1 } else { 97 };
        let between = raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        for at in (messages % step..raw.len()).step_by(step) {
            let octet = raw[at];
            if octet.is_ascii_whitespace()
                || (between..between + 4).contains(&at)
                || octet == b'=' && raw[at + 1] == b'\r'
            {
                continue;
            }
            let mut changed = raw.clone();
            changed[at] = if matches!(octet.to_ascii_lowercase(), b'y') { b'z' } else { b'y' };
            if verified(&policy, &changed).is_some_and(|report| report.result.keyword() == "pass") {
                failed.push(format!("octet {at} may be changed: {}", changed.escape_ascii()));
            }
            mutations += 1;
        }
    }
    println!("{messages} messages of dkimpy verified, {mutations} mutations refused, {} failures", failed.len());
    assert!(failed.is_empty(), "{} failures\n{}", failed.len(), failed.join("\n"));
    assert_eq!(messages, MESSAGES);
}
