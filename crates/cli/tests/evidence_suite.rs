//! Evidence of verdicts: written, kept, and evaluated again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use std::{
    env, fs,
    process::{Command, Output},
};
use support::{PROGRAM, ROOT, batch::Folder};

// Evidence as version 1 is written; it will be read for ever.
const KEPT: &str = "tests/data/evidence/version-1.json";
const KEPT_REDACTED: &str = "tests/data/evidence/version-1-redacted.json";

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(ROOT).output().unwrap()
}

/// What is written today is what is kept.
fn assert_kept(path: &str, written: &str) {
    let kept = format!("{ROOT}/{path}");
    if env::var_os("MAILVERDICT_REGENERATE").is_some() {
        fs::write(&kept, written).unwrap();
    }
    assert_eq!(written, fs::read_to_string(&kept).unwrap());
}

/// What was written to standard output; the run ended with this status.
fn told(status: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!((output.status.code(), &*output.stderr), (Some(status), &b""[..]), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The line of a run that failed.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{arguments:?}: {output:?}");
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

/// The arguments of `check` by which the kept evidence was written.
fn check(message: &'static str) -> [&'static str; 7] {
    let zone = "--zone=tests/data/microsoft365/zone.db";
    ["check", message, zone, "--mail-from=a@contoso.com", "--dmarc=both", "--authserv-id=mx.example.net", "--json"]
}

#[test]
fn evidence_is_written_octet_for_octet_as_version_1_was() {
    let folder = Folder::new("evidence");
    let path = folder.path("evidence.json");
    let message = "tests/data/microsoft365/01-sent-by-the-service.eml";
    let checked: Value =
        serde_json::from_str(&told(0, &[&check(message)[..], &["--evidence", &path]].concat())).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    assert_kept(KEPT, &written);
    // The verdict in it is the one that was told.
    let evidence: Value = serde_json::from_str(&written).unwrap();
    for member in ["spf", "dkim", "arc", "dmarc", "dmarc_rfc7489", "findings", "authentication_results", "evaluated"] {
        assert_eq!(evidence["verdict"][member], checked[member], "{member}");
    }
    assert!(evidence["verdict"]["explain"].as_array().unwrap().len() > 5);
}

#[test]
fn the_verdict_is_reached_again_without_a_zone_and_without_the_network() {
    let page = told(0, &["replay", KEPT]);
    assert!(page.starts_with("DMARC: pass\n") && page.ends_with("\nThe verdict is the recorded one.\n"), "{page}");
    let again: Value = serde_json::from_str(&told(0, &["replay", "--json", KEPT])).unwrap();
    let kept: Value = serde_json::from_str(&fs::read_to_string(format!("{ROOT}/{KEPT}")).unwrap()).unwrap();
    assert_eq!(again, kept["verdict"]);
}

/// A name of the overlay is replaced whole, and what follows from it is told.
#[test]
fn an_overlay_shows_what_other_records_would_change() {
    let folder = Folder::new("overlay");
    let zone = folder
        .file("overlay.zone", "selector1._domainkey.contoso.com. TXT \"v=DKIM1; p=\"\ncontoso.com. A 192.0.2.1\n");
    let page = told(1, &["replay", KEPT, "--zone", &zone]);
    for line in [
        "\nOTHERWISE THAN RECORDED\n",
        "\n  dkim.0.result: \"pass\" -> \"permerror\"\n",
        "\n  dmarc.result: \"pass\" -> \"fail\"\n",
        // The name has no TXT record any more.
        "\n  spf.mail_from.result: \"pass\" -> \"none\"\n",
    ] {
        assert!(page.contains(line), "{line:?} is not in {page}");
    }
    let json: Value = serde_json::from_str(&told(1, &["replay", KEPT, "--json", "--zone", &zone])).unwrap();
    let differences = json["differences"].as_array().unwrap();
    let of = |path: &str| differences.iter().find(|difference| difference["path"] == path).cloned().unwrap_or_default();
    assert_eq!(of("dkim.0.result")["recorded"], "pass");
    assert_eq!(of("dkim.0.result")["now"], "permerror");
    // What else the zone has changes nothing.
    let other = folder.file("other.zone", "_x.contoso.com. TXT \"v=spf1 -all\"\n");
    told(0, &["replay", KEPT, "--zone", &other]);
}

/// What the evidence does not answer is not guessed.
#[test]
fn a_question_without_an_answer_is_a_temporary_error_and_a_finding() {
    let folder = Folder::new("unanswered");
    let mut evidence: Value = serde_json::from_str(&fs::read_to_string(format!("{ROOT}/{KEPT}")).unwrap()).unwrap();
    evidence["dns"].as_array_mut().unwrap().retain(|entry| entry["name"] != "contoso.com");
    let path = folder.file("evidence.json", &evidence.to_string());
    let page = told(1, &["replay", &path]);
    for part in ["temperror", "dns-unanswered", "the evidence has no answer to this question"] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    // Another time: the signature is judged by it.
    let page = told(1, &["replay", KEPT, "--at", "2020-01-01T00:00:00Z"]);
    assert!(page.contains("dkim.0.result: \"pass\" -> \"permerror\""), "{page}");
}

/// What waits for the sender waits for it in evidence as well.
#[test]
fn evidence_of_saved_mail_is_as_incomplete() {
    let folder = Folder::new("saved");
    let path = folder.path("evidence.json");
    let zone = "--zone=tests/data/microsoft365/zone.db";
    let spoof = "tests/data/microsoft365/04-spoof.eml";
    told(0, &["check", spoof, zone, "--evidence", &path]);
    let replayed: Value = serde_json::from_str(&told(0, &["replay", &path, "--json"])).unwrap();
    assert_eq!((&replayed["dmarc"]["complete"], &replayed["dmarc"]["result"]), (&false.into(), &"fail".into()));
    assert!(told(0, &["replay", &path]).starts_with("DMARC is not known without the sender"));
}

#[test]
fn what_is_no_evidence_is_refused_in_one_line() {
    let folder = Folder::new("refused");
    let kept = fs::read_to_string(format!("{ROOT}/{KEPT}")).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(kept.contains(from), "{from}");
        kept.replacen(from, to, 1)
    };
    for (text, why) in [
        (String::new(), "EOF while parsing a value at line 1 column 0"),
        ("{}".to_owned(), "missing field `mailverdict_evidence`"),
        (
            kept.split("\"verdict\"").next().unwrap().to_owned() + "\"verdict\":" + &"[".repeat(100_000),
            "recursion limit",
        ),
        (changed("_evidence\": 1", "_evidence\": 2"), "this is evidence of version 2; 1 is read"),
        (changed("\"base64\": \"", "\"base64\": \"*"), "message.base64: Invalid symbol 42, offset 0."),
        (changed("\"outcome\": \"nxdomain\"", "\"outcome\": \"gone\\u001b[31m\""), "unknown variant `gone\\u{1b}[31m`"),
        (changed("\"_dmarc.com\"", "\"contoso.com\""), "contoso.com TXT is answered twice"),
        (changed("\"\\\"MS=ms12345678\\\"\"", "\"\\\"MS\""), "contoso.com TXT: "),
        (changed("\"rsa-sha256\"", "\"rot13\""), "policy.dkim.algorithms: \"rot13\" is not known"),
        (kept[..kept.len() / 2].to_owned(), "EOF while parsing"),
    ] {
        let path = folder.file("evidence.json", &text);
        let line = refused(&["replay", &path]);
        assert!(line.contains(why) && line.contains("evidence.json: no evidence that can be used"), "{why}: {line}");
    }
    assert!(refused(&["replay", "absent.json"]).contains("cannot read evidence absent.json: no such file"));
    assert!(refused(&["replay", "/"]).contains("is a directory"));
}

/// The same from a file and from memory, and of several messages it is refused.
#[test]
fn evidence_is_of_one_message() {
    let folder = Folder::new("one");
    let path = folder.path("evidence.json");
    let message = "tests/data/microsoft365/03-scanner.eml";
    let output = run(&["check", "--zone=tests/data/microsoft365/zone.db", "--evidence", &path, message, message]);
    assert_eq!(output.status.code(), Some(2));
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line, "mailverdict: --evidence is of one message, and here are several\n");
    let line = refused(&["check", "--zone=tests/data/microsoft365/zone.db", "--evidence=/absent/e.json", message]);
    assert!(line.starts_with("mailverdict: cannot write /absent/e.json: no such file"), "{line}");
}

/// Neither the body nor a local part stands in it, and the results are the same without them.
#[test]
fn redacted_evidence_tells_no_local_part_and_leads_to_the_same_results() {
    let folder = Folder::new("redacted");
    let path = folder.path("evidence.json");
    let message = "tests/data/microsoft365/01-sent-by-the-service.eml";
    let checked = told(0, &[&check(message)[..], &["--evidence", &path, "--redact"]].concat());
    let checked: Value = serde_json::from_str(&checked).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    let evidence: Value = serde_json::from_str(&written).unwrap();
    let decoded = |name: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        String::from_utf8(STANDARD.decode(evidence["message"][name].as_str().unwrap()).unwrap()).unwrap()
    };
    let header = decoded("header_base64");
    let original = fs::read_to_string(format!("{ROOT}/{message}")).unwrap();
    let (head, body) = original.split_once("\r\n\r\n").or_else(|| original.split_once("\n\n")).unwrap();
    assert_eq!(evidence["message"]["body_octets"], body.len());
    assert!(header.ends_with("\r\n\r\n") && !header.contains(body.trim()), "{header}");
    // Each address of the header has a mark in it.
    let mut addresses = 0;
    for (at, _) in head.match_indices('@') {
        let local: String = head[..at].chars().rev().take_while(|c| c.is_ascii_alphanumeric()).collect();
        let local: String = local.chars().rev().collect();
        addresses += usize::from(!local.is_empty());
        assert!(local.is_empty() || !header.contains(&format!("{local}@")), "{local}");
    }
    assert!(addresses > 2, "{head}");
    assert!(!written.contains("\"a@contoso.com\""), "the session has a mark");
    for member in ["dkim", "dmarc"] {
        let results = |of: &Value| match &of[member] {
            Value::Array(list) => list.iter().map(|one| one["result"].clone()).collect(),
            one => vec![one["result"].clone(), one["disposition"].clone(), one["from_domain"].clone()],
        };
        assert_eq!(results(&evidence["verdict"]), results(&checked), "{member}");
    }
    assert!(told(0, &["replay", &path]).ends_with("\nThe verdict is the recorded one.\n"));
    assert_kept(KEPT_REDACTED, &written);
    let line = refused(&["check", "--redact", message]);
    assert!(line.contains("--evidence"), "{line}");
}

/// Every outcome is kept and told as it was.
#[test]
fn every_outcome_of_a_question_is_kept() {
    let folder = Folder::new("outcomes");
    let kept: Value = serde_json::from_str(&fs::read_to_string(format!("{ROOT}/{KEPT}")).unwrap()).unwrap();
    for (outcome, more, result, words) in [
        ("nodata", "{}", "none", "the domain has no SPF record"),
        ("nxdomain", "{}", "none", "the domain does not exist"),
        ("timeout", "{}", "temperror", "no answer in time"),
        ("servfail", "{}", "temperror", "the server failed (SERVFAIL)"),
        ("refused", "{}", "temperror", "the server refused to answer (REFUSED)"),
        ("malformed", "{}", "temperror", "the answer is malformed"),
        (
            "malformed",
            r#"{"aliases": ["a.example", "contoso.com"]}"#,
            "temperror",
            "without end: a.example, contoso.com",
        ),
        ("unreachable", r#"{"error": "connection\u001b[31m refused"}"#, "temperror", "connection"),
        ("not-asked", "{}", "temperror", "the time for the evaluation ran out"),
        ("not-asked", r#"{"error": "out-of-octets"}"#, "temperror", "used up the octets of its DNS answers"),
    ] {
        let mut evidence = kept.clone();
        let entries = evidence["dns"].as_array_mut().unwrap();
        let entry = entries.iter_mut().find(|entry| entry["name"] == "contoso.com").unwrap();
        (entry["outcome"], entry["records"], entry["ttl"]) = (outcome.into(), Vec::<Value>::new().into(), Value::Null);
        let more: Value = serde_json::from_str(more).unwrap();
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = folder.file("evidence.json", &evidence.to_string());
        let told = told(1, &["replay", "--json", &path]);
        assert!(!told.contains('\u{1b}'), "{told}");
        let told: Value = serde_json::from_str(&told).unwrap();
        let mail_from = &told["spf"]["mail_from"];
        assert_eq!(mail_from["result"], result, "{outcome}");
        assert!(mail_from["reason"].as_str().unwrap().contains(words), "{outcome}: {mail_from}");
        // DKIM does not depend on it.
        assert_eq!(told["dmarc"]["result"], "pass", "{outcome}");
    }
}
