//! `mailverdict keygen` and `mailverdict sign` as scripts use them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::{fs, os::unix::fs::PermissionsExt as _, process::Output};
use support::{batch::Folder, run};

const MESSAGE: &str = "From: Alice <alice@contoso.com>\r\nTo: bob@fabrikam.com\r\nSubject: Lunch\r\n\
    Date: Mon, 6 Oct 2025 08:15:05 +0000\r\nMessage-ID: <1@contoso.com>\r\n\r\nAt noon?\r\n";

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A key in the folder, and a zone with its record.
fn keygen(folder: &Folder, selector: &str, algorithm: &str) -> (String, String) {
    let (key, zone) = (folder.path(&format!("{selector}.key")), folder.path(&format!("{selector}.zone")));
    let selector = format!("--selector={selector}");
    let algorithm = format!("--algorithm={algorithm}");
    let output = run(&["keygen", "--domain=contoso.com", &selector, &algorithm, &format!("--out={key}")], b"");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    // What is printed is a zone as it stands.
    fs::write(&zone, stdout(&output)).unwrap();
    (key, zone)
}

fn sign(folder: &Folder, key: &str, selector: &str, more: &[&str], message: &str) -> Output {
    let file = folder.path("message.eml");
    fs::write(&file, message).unwrap();
    let (key, selector) = (format!("--key={key}"), format!("--selector={selector}"));
    run(&[&["sign", "--domain=contoso.com", &selector, &key], more, &[&file]].concat(), b"")
}

#[test]
fn a_key_is_made_and_what_it_signs_verifies() {
    let folder = Folder::new("sign");
    for (selector, algorithm) in [("s1", "rsa-2048"), ("s2", "ed25519")] {
        let (key, zone) = keygen(&folder, selector, algorithm);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let zone = format!("--zone={zone}");
        let output = sign(&folder, &key, selector, &["--check", &zone], MESSAGE);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let signed = stdout(&output);
        assert!(signed.starts_with("DKIM-Signature: v=1;") && signed.ends_with(MESSAGE), "{signed}");
        let checked = run(&["check", "--json", &zone, "-"], signed.as_bytes());
        let json: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
        assert_eq!(json["dkim"][0]["result"], "pass", "{json}");
        // The record is clean.
        let lint = run(&["lint", "--json", &zone, &format!("--selector={selector}"), "contoso.com"], b"");
        let json: serde_json::Value = serde_json::from_slice(&lint.stdout).unwrap();
        let of_key = json["findings"].as_array().unwrap().iter().filter(|finding| {
            finding["name"].as_str().unwrap_or_default().contains("_domainkey") && finding["severity"] != "notice"
        });
        assert_eq!(of_key.count(), 0, "{json}");
    }
}

#[test]
fn several_keys_sign_in_step_and_rsa_stands_on_top() {
    let folder = Folder::new("sign-several");
    let ((one, zone1), (two, zone2)) = (keygen(&folder, "s1", "rsa-2048"), keygen(&folder, "s2", "ed25519"));
    let more = [
        "--domain=contoso.com",
        "--selector=s1",
        &format!("--key={one}"),
        "--check",
        &format!("--zone={zone1}"),
        &format!("--zone={zone2}"),
    ];
    let output = sign(&folder, &two, "s2", &more, MESSAGE);
    assert!(output.status.success(), "{output:?}");
    let signed = stdout(&output);
    let rsa = signed.find("a=rsa-sha256").unwrap();
    let ed25519 = signed.find("a=ed25519-sha256").unwrap();
    assert!(rsa < ed25519, "{signed}");
    let output = sign(&folder, &two, "s2", &["--selector=s1"], MESSAGE);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("belong together"), "{output:?}");
}

#[test]
fn the_message_keeps_its_octets_and_its_line_ends() {
    let folder = Folder::new("sign-ends");
    let (key, zone) = keygen(&folder, "s1", "ed25519");
    let zone = format!("--zone={zone}");
    let unix = MESSAGE.replace("\r\n", "\n");
    let output = sign(&folder, &key, "s1", &["--check", &zone], &unix);
    let signed = stdout(&output);
    assert!(signed.ends_with(&unix) && !signed.contains('\r'), "{signed:?}");
    let checked = run(&["check", "--json", &zone, "-"], signed.as_bytes());
    let json: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(json["dkim"][0]["result"], "pass");
    let mixed = MESSAGE.replace("Lunch\r\n", "Lunch\n");
    let output = sign(&folder, &key, "s1", &[], &mixed);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not signed: the header is malformed"), "{output:?}");
    assert!(stderr(&output).contains("--force signs it all the same"), "{output:?}");
    assert!(sign(&folder, &key, "s1", &["--force"], &mixed).status.success());
}

#[test]
fn what_is_wanted_is_signed() {
    let folder = Folder::new("sign-wanted");
    let (key, _) = keygen(&folder, "s1", "ed25519");
    let more = [
        "--canonicalization=simple/relaxed",
        "--headers=From:Subject",
        "--oversign=From",
        "--identity=@news.contoso.com",
        "--expires-in=3600",
        "--at=1759738505",
        "--copy-headers",
        "--algorithm=ed25519-sha256",
    ];
    let signed = stdout(&sign(&folder, &key, "s1", &more, MESSAGE));
    let unfolded = signed.split("\r\nFrom:").next().unwrap().replace("\r\n\t", " ");
    for part in [
        "c=simple/relaxed;",
        "h=From:From:Subject;",
        "i=@news.contoso.com;",
        "t=1759738505;",
        "x=1759742105;",
        "z=From:=20Alice=20<alice@contoso.com>|Subject:=20Lunch;",
    ] {
        assert!(
            unfolded.replace(": ", ":").contains(part) || unfolded.replace(' ', "").contains(part),
            "{part}: {unfolded}"
        );
    }
}

#[test]
fn nothing_is_written_where_the_check_fails() {
    let folder = Folder::new("sign-check");
    let (key, zone) = keygen(&folder, "s1", "ed25519");
    let (other, _) = keygen(&folder, "s2", "ed25519");
    let record = fs::read_to_string(&zone).unwrap();
    fs::write(folder.path("test.zone"), record.replace("v=DKIM1;", "v=DKIM1; t=y;")).unwrap();
    fs::write(folder.path("empty.zone"), "contoso.com. A 192.0.2.1\n").unwrap();
    for (key, zone, told) in [
        (&other, zone.clone(), "by the record of s1._domainkey.contoso.com it does not verify (fail)"),
        (&key, folder.path("empty.zone"), "it does not verify (permerror)"),
        (&key, folder.path("test.zone"), "says that it is a test (t=y)"),
    ] {
        let output = sign(&folder, key, "s1", &["--check", &format!("--zone={zone}")], MESSAGE);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stdout.is_empty() && stderr(&output).contains(told), "{output:?}");
    }
}

#[test]
fn bad_usage_is_one_line_and_tells_nothing_of_a_key() {
    let folder = Folder::new("sign-usage");
    let (key, _) = keygen(&folder, "s1", "ed25519");
    let secret = fs::read_to_string(&key).unwrap().lines().nth(1).unwrap().to_owned();
    // One that is there is not overwritten.
    let output = run(&["keygen", "--domain=contoso.com", "--selector=s1", &format!("--out={key}")], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(fs::read_to_string(&key).unwrap().contains(&secret));
    fs::write(folder.path("bad.key"), "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n").unwrap();
    fs::write(folder.path("no.key"), "hello\n").unwrap();
    for file in ["bad.key", "no.key"] {
        fs::set_permissions(folder.path(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    for (key, more, message, told) in [
        (folder.path("no.key"), vec![], MESSAGE, "this is no private key"),
        (folder.path("bad.key"), vec![], MESSAGE, "no.key|this is no private key"),
        (folder.path("nowhere.key"), vec![], MESSAGE, "cannot read the key"),
        (
            key.clone(),
            vec!["--algorithm=rsa-sha256"],
            MESSAGE,
            "the key signs with ed25519-sha256, and not with rsa-sha256",
        ),
        (key.clone(), vec!["--headers=To"], MESSAGE, "From must be among the signed fields"),
        (key.clone(), vec!["--headers=From:Received"], MESSAGE, "\"Received\" is no header field that can be signed"),
        (key.clone(), vec!["--identity=a@fabrikam.com"], MESSAGE, "is no address at or below contoso.com"),
        (key.clone(), vec!["--canonicalization=loose"], MESSAGE, "expected simple or relaxed"),
        (key.clone(), vec![], "Subject: x\r\n\r\n", "not signed: the message has no From field"),
        (key.clone(), vec!["--force"], "From: a@b.example\r\nFrom: c@d.example\r\n\r\n", "2 From fields"),
    ] {
        let output = sign(&folder, &key, "s1", &more, message);
        let told = told.split('|').next_back().unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}: {output:?}");
        let text = stderr(&output);
        assert!(text.contains(told) && text.lines().count() == 1 && output.stdout.is_empty(), "{told}: {text}");
        assert!(!text.contains(&secret), "{text}");
    }
    let output = run(&["sign", "--domain=a..b", "--selector=s", &format!("--key={key}"), "-"], MESSAGE.as_bytes());
    assert!(stderr(&output).contains("the domain \"a..b\" is none"), "{output:?}");
}

#[test]
fn a_key_that_others_may_read_is_told() {
    let folder = Folder::new("sign-open");
    let (key, _) = keygen(&folder, "s1", "ed25519");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let output = sign(&folder, &key, "s1", &[], MESSAGE);
    assert!(output.status.success(), "{output:?}");
    assert!(stderr(&output).contains("others may read this private key"), "{output:?}");
}
