//! `mailverdict lint` as scripts use it: exit statuses, the page, the JSON contract, and many domains.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use support::{run, strict};

const ZONE: &str = "--zone=tests/data/lint/contoso.db";

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

fn schema() -> jsonschema::Validator {
    strict(serde_json::from_slice(&run(&["schema", "lint"], b"").stdout).unwrap())
}

#[test]
fn the_status_tells_the_worst() {
    let dead = "--dns=127.0.0.1:1";
    for (arguments, status) in [
        (&["lint", ZONE, "contoso.example"][..], 1),
        (&["lint", ZONE, "good.example"], 0),
        (&["lint", ZONE, "--quiet", "contoso.example"], 1),
        (&["lint", ZONE, "--json", "good.example"], 0),
        (&["lint", dead, "--timeout=0.5", "--quiet", "contoso.example"], 75),
    ] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        assert_eq!(output.stdout.is_empty(), arguments.contains(&"--quiet"), "{output:?}");
    }
}

#[test]
fn bad_usage_is_one_line() {
    for (arguments, told) in [
        (&["lint", ZONE, "a..b"][..], "\"a..b\" is no domain: the name has an empty label"),
        (&["lint", ZONE, "a b.example"], "\"a b.example\" is no domain: "),
        (
            &["lint", ZONE, "--selector=a..b", "a.example"],
            "--selector \"a..b\" makes no name: the name has an empty label",
        ),
        (&["lint", ZONE, "--message=nowhere.eml", "a.example"], "cannot read the message nowhere.eml"),
        (&["lint", ZONE, "--json", "--quiet", "a.example"], "cannot be used with '--quiet'"),
        (&["lint", ZONE, "--message=tests/data/lint/message.eml", "-"], "--message goes with one domain"),
        (&["lint", ZONE], "the following required arguments were not provided: <DOMAIN>"),
        (&["lint", "--zone=tests/data/cli/bad.db", "a.example"], "tests/data/cli/bad.db:"),
    ] {
        let output = run(arguments, b"");
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && stderr.contains(told) && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn the_json_is_as_promised() {
    let schema = schema();
    let output = run(
        &[
            "lint",
            ZONE,
            "--zone=tests/data/lint/other.db",
            "--json",
            "--selector=selector1",
            "--message=tests/data/lint/message.eml",
            "--sender-ip=1.2.3.4",
            "contoso.example",
        ],
        b"",
    );
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors: Vec<_> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(json["domain"], "contoso.example");
    assert_eq!((&json["spf"]["lookups"], &json["spf"]["void_lookups"]), (&3.into(), &1.into()));
    assert_eq!(json["spf"]["terms"][0]["term"], "include:spf.protection.example");
    assert_eq!(json["mx"], serde_json::json!([{"preference": 10, "host": "mail.contoso.example"}]));
    let selectors: Vec<_> = json["dkim"].as_array().unwrap().iter().map(|key| key["selector"].clone()).collect();
    assert_eq!(selectors, ["selector1", "news"]);
    assert_eq!(json["dkim"][1]["aliases"], serde_json::json!(["news.example.mailer.test"]));
    assert_eq!(json["dmarc"]["nonexistent_policy"], "none");
    assert_eq!(json["senders"][0]["spf"]["result"], "permerror");
    let found = json["findings"].as_array().unwrap();
    let first = &found[0];
    assert_eq!((&first["id"], &first["offset"], &first["length"]), (&"spf-target-none".into(), &38.into(), &22.into()));
    let nothing = run(&["lint", ZONE, "--json", "nobody.example"], b"");
    let json: Value = serde_json::from_slice(&nothing.stdout).unwrap();
    assert_eq!((&json["spf"], &json["dmarc"]), (&Value::Null, &Value::Null));
    assert!(schema.is_valid(&json) && !schema.is_valid(&serde_json::json!({ "domain": "a" })));
}

/// In 80 columns, with the place of each finding underlined.
#[test]
fn the_page_shows_records_then_the_tree_then_findings() {
    let output = run(&["lint", ZONE, "--selector=selector1", "--sender-ip=1.2.3.4", "contoso.example"], b"");
    let page = text(&output.stdout);
    let headings = [
        "\nSPF\n",
        "\nDMARC\n",
        "\nDKIM\n",
        "\nMX\n",
        "\nSENDERS\n",
        "\nTLS AND PICTURE\n",
        "\nFINDINGS\n",
        "\nCORRECTED RECORD, TO PASTE\n",
    ];
    let places: Vec<_> = headings.iter().map(|heading| page.find(heading).expect(heading)).collect();
    assert!(places.is_sorted(), "{page}");
    let (before, corrected) = page.split_once("TO PASTE\n").unwrap();
    assert!(before.lines().all(|line| line.len() < 80), "{page}");
    assert_eq!(
        corrected,
        "contoso.example. TXT \"v=spf1 include:spf.protection.example ip4:1.2.3.0/24 a:mail.contoso.example ~all\"\n"
    );
    for part in [
        "     2    1  include:_spf.news.test (in vain)\n",
        "               ip4:40.92.0.0/15 and 4 networks more\n",
        "3 of 10 lookups for a client that no term matches, 1 at best; 1 of 2 in",
        "  allowed: 426240 IPv4 addresses, 1 IPv6 network\n",
        "    https://mta-sts.contoso.example/.well-known/mta-sts.txt is not fetched\n",
        "                             ^^^^^^^^^^^^^^^^^^^^^^\n    -> Take the term out.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains('\x1b'));
}

#[test]
fn many_domains_are_answered_in_their_order() {
    let mut input = String::new();
    for number in 0..300 {
        input.push_str(&format!("d{number}.example\n"));
    }
    input.push_str("x..y\n\ncontoso.example\r\n");
    input.push_str(&"y".repeat(10_000));
    let output = run(&["lint", ZONE, "-"], input.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines.len(), 303);
    for (number, line) in lines[..300].iter().enumerate() {
        assert_eq!(line["domain"], format!("d{number}.example"));
    }
    assert_eq!(lines[300]["error"], "this is no domain: the name has an empty label");
    assert_eq!(lines[301]["domain"], "contoso.example");
    assert!(lines[302]["domain"].as_str().unwrap().len() < 300, "{}", lines[302]);
    let schema = schema();
    assert!(lines.iter().filter(|line| line.get("error").is_none()).all(|line| schema.is_valid(line)));
    let quiet = run(&["lint", ZONE, "--quiet", "-"], b"good.example\ncontoso.example\n");
    assert_eq!((quiet.status.code(), quiet.stdout.len()), (Some(1), 0));
    assert_eq!(run(&["lint", ZONE, "-"], b"").status.code(), Some(0));
}
