//! `mailverdict preflight` as scripts use it: exit statuses, the page, and the JSON contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use support::{run, strict};

const ZONE: &str = "--zone=tests/data/microsoft365/devices.db";

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

#[test]
fn the_status_tells_whether_it_would_pass() {
    let dead = "--dns=127.0.0.1:1";
    for (arguments, status) in [
        (&[ZONE, "--from=scanner@wingtip.example", "--ip=1.2.3.5"][..], 0),
        // DMARC fails.
        (&[ZONE, "--from=scanner@tailspin.example", "--ip=1.2.3.4"], 1),
        // It passes, and the address has no name.
        (&[ZONE, "--from=scanner@tailspin.example", "--ip=40.107.20.31"], 1),
        (&[dead, "--timeout=0.5", "--from=scanner@tailspin.example", "--ip=1.2.3.4"], 75),
    ] {
        for form in [&["preflight"][..], &["preflight", "--json"]] {
            let output = run(&[form, arguments].concat(), b"");
            assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
            assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{output:?}");
        }
    }
}

#[test]
fn bad_usage_is_one_line() {
    let (from, ip) = ("--from=alice@tailspin.example", "--ip=1.2.3.4");
    for (arguments, told) in [
        (&["--from=alice", ip][..], "--from: \"alice\" is no address with a domain"),
        (&["--from=a@b.example\nBcc: c@d.example", ip], "is no address with a domain"),
        (&[from, "--ip=1.2.3"], "expected an address"),
        (&[from, ip, "--sign=tailspin.example"], "--sign \"tailspin.example\": expected DOMAIN/SELECTOR"),
        (&[from, ip, "--sign=tailspin.example/a..b"], "is no key's name: the name has an empty label"),
        (&[from, ip, "--message=nowhere.eml"], "cannot read the message nowhere.eml"),
        (
            &[from, ip, "--message=tests/data/microsoft365/01-sent-by-the-service.eml"],
            "the From field of the message names contoso.com, and mail from tailspin.example is planned",
        ),
        (&[ip], "the following required arguments were not provided: --from <ADDR>"),
        (&[from], "the following required arguments were not provided: --ip <IP>"),
    ] {
        let output = run(&[&["preflight", ZONE], arguments].concat(), b"");
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty() && stderr.contains(told) && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn the_json_is_as_promised() {
    let schema = strict(serde_json::from_slice(&run(&["schema", "preflight"], b"").stdout).unwrap());
    let arguments = [
        "preflight",
        "--zone=tests/data/microsoft365/zone.db",
        "--json",
        "--from=alice@contoso.com",
        "--ip=198.51.100.40",
        "--message=tests/data/microsoft365/01-sent-by-the-service.eml",
        "--at=2025-10-06T08:15:05Z",
    ];
    let output = run(&arguments, b"");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors: Vec<_> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    let way = |name: &str| {
        let way = &json[name];
        [&way["spf"], &way["dkim"], &way["dmarc"], &way["spf_aligned"], &way["dkim_aligned"], &way["disposition"]]
            .map(ToString::to_string)
            .join(" ")
    };
    assert_eq!(way("direct"), r#""pass" "pass" "pass" true true "none""#);
    assert_eq!(way("forwarded"), r#""fail" "pass" "pass" false true "none""#);
    assert_eq!(way("rewritten"), r#""pass" "pass" "pass" false true "none""#);
    assert_eq!(way("list"), r#""pass" "fail" "fail" false false "reject""#);
    let requirements = json["requirements"].as_array().unwrap();
    let dmarc = requirements.iter().find(|one| one["id"] == "google-dmarc").unwrap();
    assert_eq!(
        *dmarc,
        serde_json::json!({
            "id": "google-dmarc", "receiver": "gmail", "bulk_only": true, "met": true, "reply": "5.7.40",
            "says": "the DMARC record of contoso.com applies to contoso.com", "advice": null,
            "source": "Google, SMTP error messages and codes", "as_of": "2026-02",
        })
    );
    assert_eq!(requirements.iter().find(|one| one["id"] == "google-tls").unwrap()["met"], Value::Null);
}

/// Of several messages none is the one that is to be sent.
#[test]
fn one_message_is_taken() {
    let path = std::env::temp_dir().join(format!("mailverdict-preflight-{}.mbox", std::process::id()));
    let message = "From alice@tailspin.example Mon Oct  6 08:15:05 2025\nFrom: alice@tailspin.example\n\nHello\n\n";
    std::fs::write(&path, message.repeat(2)).unwrap();
    let file = format!("--message={}", path.display());
    let output = run(&["preflight", ZONE, "--from=alice@tailspin.example", "--ip=1.2.3.4", &file], b"");
    std::fs::remove_file(path).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("expected one message, and there are several"), "{output:?}");
}

#[test]
fn the_page_fits_a_terminal_and_is_printable() {
    let output = run(&["preflight", ZONE, "--from=scanner@tailspin.example", "--ip=1.2.3.4"], b"");
    let page = text(&output.stdout);
    assert!(page.lines().all(|line| line.chars().count() <= 78), "{page}");
    assert!(page.chars().all(|c| c == '\n' || c.is_ascii_graphic() || c == ' '), "{page}");
    for heading in ["WAY        SPF", "NOT MET OF WHAT RECEIVERS ASK FOR", "MET", "NOT SEEN FROM HERE", "FINDINGS"] {
        assert!(page.lines().any(|line| line.starts_with(heading)), "{heading}: {page}");
    }
}
