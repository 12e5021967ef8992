//! DKIM from the outside: the RFCs' examples, and messages signed by the tests' own signer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    dkim::{Policy, SignatureReport, StreamingVerifier},
    dns::Zone,
    message::Message,
    name::{Domain, Name},
    time::UnixTime,
};
use saphyr::{LoadableYamlNode, Yaml};
use support::{
    dkim_case::{Case, now, shown},
    signer::{Key, SignOptions, signed},
};

const NOW: UnixTime = UnixTime(1_800_000_000);

/// Verifies a message whose body comes in chunks of `chunk` octets.
fn verify_in_chunks(zone: &Zone, policy: &Policy, raw: &[u8], chunk: usize) -> Vec<SignatureReport> {
    let message = Message::parse(raw).unwrap();
    let authors = [Domain::parse("example.com").unwrap()];
    let mut verifier = StreamingVerifier::new(policy, message.header(), &authors, NOW);
    let keys = now(verifier.ask_keys(zone));
    message.body().chunks(chunk).for_each(|chunk| verifier.body(chunk));
    verifier.finish(&keys)
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
fn cases() {
    let files =
        ["signature_field", "key_record", "canonicalization", "header", "body_length", "time", "algorithm", "limits"];
    let mut ran = 0;
    let mut failed = Vec::new();
    for file in files {
        let path = format!("{}/tests/data/dkim/{file}.yml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        for case in &Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")) {
            let case = Case(case);
            let name = case.text("name").unwrap_or_else(|| panic!("{path}: a case without a name"));
            ran += 1;
            failed.extend(case.failures().iter().map(|failure| format!("{file}/{name}: {failure}")));
        }
    }
    println!("{ran} DKIM cases ran, {} failed", failed.len());
    assert!(failed.is_empty(), "{} of {ran} cases failed\n{}", failed.len(), failed.join("\n"));
    assert!(ran >= 120, "only {ran} cases");
}

const MESSAGE: &[u8] = b"Received: from a\r\nReceived: from b\r\nFrom: Joe <joe@example.com>\r\nTo : \tyou@example.net\r\n\
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
