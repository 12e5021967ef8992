//! `mailverdict report`: what receivers say, read as people and programs read it; and what was seen here, written.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/month.rs"]
mod month;
mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};
use support::{
    batch::{Batch, Folder},
    html::Document,
    run, strict,
};

const MONTH: &str = "tests/data/report_read/month.mbox";

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

fn lines(octets: &[u8]) -> Vec<Value> {
    text(octets).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const XML: &str = "<feedback><report_metadata><org_name>R</org_name><email>a@r.example</email><report_id>ID</report_id><date_range>\
    <begin>1700000000</begin><end>1700086399</end></date_range></report_metadata><policy_published><domain>contoso.com</domain><p>none</p>\
    </policy_published><record><row><source_ip>192.0.2.1</source_ip><count>7</count><policy_evaluated><disposition>none</disposition>\
    <dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>contoso.com</header_from></identifiers></record></feedback>";

/// The reports of the data are those that are made here (`MAILVERDICT_REGENERATE=1` makes them anew).
#[test]
fn the_month_is_as_it_is_made() {
    let (path, made) = (Path::new(support::ROOT).join(MONTH), month::mailbox());
    if fs::read(&path).ok().as_deref() != Some(made.as_bytes()) {
        assert!(std::env::var_os("MAILVERDICT_REGENERATE").is_some(), "MAILVERDICT_REGENERATE=1 makes {MONTH} anew");
        fs::write(path, made).unwrap();
    }
}

#[test]
fn the_status_tells_what_could_be_read() {
    let folder = Folder::new("report-status");
    let good = folder.file("good.xml", XML);
    let bad = folder.file("bad.xml", "hello");
    for (paths, status) in
        [(&[&*good][..], 0), (&[&*good, &*bad], 1), (&[&*bad], 2), (&["/nowhere"], 2), (&[&*good, "/nowhere"], 1)]
    {
        for form in [&[][..], &["--json"], &["--csv"]] {
            let output = run(&[&["report", "read"], form, paths].concat(), b"");
            assert_eq!(output.status.code(), Some(status), "{paths:?} {form:?}: {output:?}");
            // What cannot be read is a line of its own, where it is read.
            let told = usize::from(status > 0 && form != ["--json"]);
            assert_eq!(text(&output.stderr).lines().count(), told, "{output:?}");
        }
    }
    let errors = lines(&run(&["report", "read", "--json", &bad, "/nowhere"], b"").stdout);
    assert_eq!(errors[0]["error"], "no report: it is neither XML, JSON, gzip, zip, nor a mail");
    assert_eq!(errors[1], json!({"version": 1, "file": "/nowhere", "error": "no such file or directory"}));
    assert_eq!(run(&["report", "read", "-"], XML.as_bytes()).status.code(), Some(0));
    for (arguments, told) in [
        (&["report", "read"][..], "the following required arguments were not provided: <PATH>..."),
        (&["report", "read", "--json", "--csv", "x"], "the argument '--json' cannot be used with '--csv'"),
        (
            &["report", "read", "--html", "-", "--json", "x"],
            "--html - and --json or --csv both write to standard output",
        ),
        (&["report", "read", "--zone", "/nowhere", &good], "/nowhere: cannot be read: no such file"),
    ] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(told), "{output:?}");
    }
}

/// Folders are entered, by name; links and pipes in them are not.
#[test]
fn folders_are_entered_and_links_are_not() {
    let folder = Folder::new("report-folder");
    fs::create_dir_all(folder.path("reports/b")).unwrap();
    folder.file("reports/b/2.xml", &XML.replace("ID", "2"));
    folder.file("reports/a.xml", &XML.replace("ID", "1"));
    std::os::unix::fs::symlink("/etc", folder.path("reports/link")).unwrap();
    std::os::unix::fs::symlink(folder.path("reports"), folder.path("reports/round")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(folder.path("reports/pipe")).status().unwrap().success());
    let output = run(&["report", "read", "--json", &folder.path("reports")], b"");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let files: Vec<String> =
        lines(&output.stdout).iter().map(|line| line["file"].as_str().unwrap().to_owned()).collect();
    assert_eq!(files, [folder.path("reports/a.xml"), folder.path("reports/b/2.xml")]);
}

#[test]
fn names_tell_where_a_report_stands() {
    let folder = Folder::new("report-names");
    let mail = |name: &str| {
        format!(
            "From: a@b.example\nContent-Type: application/xml; name=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{}\n",
            STANDARD.encode(XML.replace("ID", name))
        )
    };
    let separator = "From a@b.example Mon Oct  6 08:15:05 2025\n";
    let mbox = folder.file("a.mbox", &format!("{separator}{}\n{separator}{}\n", mail("x.xml"), mail("y.xml")));
    let output = run(&["report", "read", "--json", &mbox], b"");
    let files: Vec<Value> = lines(&output.stdout).iter().map(|line| line["file"].clone()).collect();
    assert_eq!(files, [json!(format!("{mbox}!1!x.xml")), json!(format!("{mbox}!2!y.xml"))]);
}

#[test]
fn the_json_is_as_promised() {
    let schema = strict(serde_json::from_slice(&run(&["schema", "report"], b"").stdout).unwrap());
    let folder = Folder::new("report-json");
    let failure = "From: a@b.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\
        Content-Type: message/feedback-report\n\nFeedback-Type: auth-failure\nVersion: 1\nUser-Agent: x\nAuth-Failure: dmarc\n\
        Identity-Alignment: spf\nSource-IP: 192.0.2.1\nReported-Domain: contoso.com\n\n--b--\n";
    let tls = r#"{"organization-name":"R","contact-info":"a@r.example","report-id":"1","date-range":{"start-datetime":"2025-01-01T00:00:00Z",
        "end-datetime":"2025-01-01T23:59:59Z"},"policies":[{"policy":{"policy-type":"sts","policy-domain":"contoso.com"},
        "summary":{"total-successful-session-count":3,"total-failure-session-count":1},"failure-details":[{"result-type":"certificate-expired",
        "failed-session-count":1}]}]}"#;
    let paths =
        [folder.file("a.xml", XML), folder.file("f.eml", failure), folder.file("t.json", tls), folder.file("bad", "x")];
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let found = lines(&run(&[&["report", "read", "--json", MONTH], &paths[..]].concat(), b"").stdout);
    assert!(found.len() > 60);
    for line in &found {
        let errors: Vec<_> = schema.iter_errors(line).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{line}");
    }
    let of = |kind: &str| found.iter().find(|line| line["kind"] == kind).unwrap();
    assert_eq!((&of("failure")["domain"], &of("failure")["failure"]["incidents"]), (&json!("contoso.com"), &json!(1)));
    assert_eq!(of("tls")["policies"][0]["details"][0]["result_type"], "certificate-expired");
    assert!(!schema.is_valid(&json!({"file": "x"})));
}

/// The text of the month: what it says is computed here once more, of its JSON.
#[test]
fn sums_are_those_of_the_rows() {
    let reports = lines(&run(&["report", "read", "--json", MONTH], b"").stdout);
    let (mut messages, mut passed) = (0, 0);
    let mut seen = std::collections::BTreeSet::new();
    for report in &reports {
        if !seen.insert(report["report_id"].as_str().unwrap()) {
            continue;
        }
        for row in report["rows"].as_array().unwrap() {
            let count = row["count"].as_u64().unwrap();
            messages += count;
            passed += if row["dkim"] == "pass" || row["spf"] == "pass" { count } else { 0 };
        }
    }
    let told = text(&run(&["report", "read", MONTH], b"").stdout);
    let grouped = |number: u64| {
        let digits = number.to_string();
        let (head, tail) = digits.split_at(digits.len() - 3);
        format!("{head},{tail}")
    };
    let expected = format!("{} messages: {} pass DMARC", grouped(messages), grouped(passed));
    assert!(told.contains(&expected), "{expected}: {told}");
    assert!(told.contains("1 report came more than once, and counted once"), "{told}");
    let csv = text(&run(&["report", "read", "--csv", MONTH], b"").stdout);
    let counts = csv.split("\r\n").skip(1).filter(|line| !line.is_empty()).map(|line| line.split(',').nth(8).unwrap());
    assert_eq!(counts.map(|count| count.parse::<u64>().unwrap()).sum::<u64>(), messages);
}

#[test]
fn hosts_are_named_where_a_zone_is_given() {
    let folder = Folder::new("report-hosts");
    let zone = folder.file("hosts.zone", "1.2.0.192.in-addr.arpa. PTR mail.esp.example.\n");
    let report = folder.file("a.xml", XML);
    let told = text(&run(&["report", "read", "--zone", &zone, &report], b"").stdout);
    assert!(told.contains("192.0.2.0/24 (192.0.2.1, mail.esp.example)"), "{told}");
}

/// A page with pictures, which does nothing and asks for nothing; what strangers write is text there, and in a terminal.
#[test]
fn no_text_of_a_stranger_does_anything() {
    let payload =
        "\"><script>alert(1)</script></style><img src=x onerror=alert(2)>\u{1b}[31m\u{202e}=cmd|' /C calc'!A0";
    let escaped = payload.replace('&', "&amp;").replace('<', "&lt;");
    let hostile = XML.replace("contoso.com", &escaped).replace(">R<", &format!(">{escaped}<")).replace("ID", &escaped);
    let hostile = hostile.replace("</record>", &format!("<{0}>{escaped}</{0}></record>", "odd"));
    let folder = Folder::new("report-hostile");
    let path = folder.file("a.xml", &hostile);
    let page = text(&run(&["report", "read", "--html", "-", &path], b"").stdout);
    let document = Document::of(&page);
    assert_eq!(document.errors, Vec::<String>::new());
    assert_eq!(document.all("script").count() + document.all("img").count(), 0);
    assert!(document.words().contains("<script>alert(1)</script>"), "{page}");
    for form in [&[][..], &["--json"], &["--csv"]] {
        let told = text(&run(&[&["report", "read"], form, &[&path]].concat(), b"").stdout);
        assert!(told.contains("alert(1)"), "{told}");
        let acts = |c: &char| c.is_control() && !matches!(c, '\n' | '\r') || *c == '\u{202e}';
        assert_eq!(told.chars().find(acts), None, "{form:?}");
        assert!(!told.contains("\n=cmd") && !told.contains(",=cmd") && !told.contains(",\"=cmd"), "{told}");
    }
}

/// Requests of every kind: passing, failing, without a policy, without an author.
fn requests(count: usize) -> String {
    let bodies = ["alice@contoso.com", "bob@fabrikam.example", "x@nothing.example", "nobody"]
        .map(|from| STANDARD.encode(format!("From: {from}\r\n\r\nHello\r\n")));
    (0..count)
        .map(|number| {
            let ip = if number % 3 == 0 { "192.0.2.1".to_owned() } else { format!("198.51.100.{}", number % 7) };
            let body = &bodies[number % 5 % 4];
            format!("{{\"id\":{number},\"ip\":\"{ip}\",\"helo\":\"mx.example\",\"mail_from\":\"a@contoso.com\",\"message_base64\":\"{body}\"}}\n")
        })
        .collect()
}

const ZONE: &str = "contoso.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
    _dmarc.contoso.com. TXT \"v=DMARC1; p=reject; rua=mailto:r@contoso.com,mailto:x@agency.example,mailto:y@deaf.example\"\n\
    contoso.com._report._dmarc.agency.example. TXT \"v=DMARC1\"\n\
    fabrikam.example. TXT \"v=spf1 -all\"\n_dmarc.fabrikam.example. TXT \"v=DMARC1; p=none\"\n";

const WRITE: [&str; 12] = [
    "report",
    "write",
    "--submitter=mx.example.net",
    "--org-name",
    "Example",
    "--email",
    "dmarc@example.net",
    "--begin",
    "2025-10-06T00:00:00Z",
    "--end",
    "1759795199",
    "--contact=https://example.net/",
];

/// What batch saw is what the reports say.
fn sums_equal_those_of_the_batch(count: usize) {
    let folder = Folder::new(&format!("report-sums-{count}"));
    let zone = format!("--zone={}", folder.file("z.zone", ZONE));
    let mut batch = Batch::start(&[&zone]);
    let input = requests(count);
    let mut sender = batch.input.take().unwrap();
    let sending = std::thread::spawn(move || std::io::Write::write_all(&mut sender, input.as_bytes()).unwrap());
    let (mut results, mut expected) = (String::new(), BTreeMap::<String, u64>::new());
    loop {
        let mut line = String::new();
        if std::io::BufRead::read_line(batch.output(), &mut line).unwrap() == 0 {
            break;
        }
        let result: Value = serde_json::from_str(&line).unwrap();
        let dmarc = &result["dmarc"];
        if matches!(dmarc["result"].as_str(), Some("pass" | "fail")) && !dmarc["record"].is_null() {
            let key = ["policy_domain", "spf_aligned", "dkim_aligned"].map(|member| dmarc[member].to_string());
            *expected.entry(format!("{} {}", key.join(" "), result["evaluated"]["ip"])).or_default() += 1;
        }
        results.push_str(&line);
    }
    sending.join().unwrap();
    assert!(batch.child.wait().unwrap().success());
    assert_eq!(results.lines().count(), count);
    let out = format!("--out={}", folder.path("out"));
    let output = run(&[&WRITE[..], &[&out, &zone]].concat(), results.as_bytes());
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let mut found = BTreeMap::<String, u64>::new();
    let reports: Vec<String> =
        fs::read_dir(folder.path("out")).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
    let xml: Vec<&str> = reports.iter().map(String::as_str).filter(|path| path.ends_with(".xml")).collect();
    assert_eq!((xml.len(), reports.len()), (2, 4), "{reports:?}");
    for report in lines(&run(&[&["report", "read", "--json"], &xml[..]].concat(), b"").stdout) {
        assert_eq!((&report["edition"], &report["findings"]), (&json!("rfc9990"), &json!([])));
        for row in report["rows"].as_array().unwrap() {
            let key = [&row["spf"], &row["dkim"]].map(|word| (word == "pass").to_string()).join(" ");
            *found.entry(format!("{} {key} {}", report["domain"], row["source_ip"])).or_default() +=
                row["count"].as_u64().unwrap();
        }
    }
    assert_eq!(found, expected);
    println!("{count} messages, {} of them reported, in {} rows", expected.values().sum::<u64>(), found.len());
}

#[test]
fn sums_are_those_of_the_batch() {
    sums_equal_those_of_the_batch(100_000);
}

#[test]
fn the_same_input_gives_the_same_octets_and_those_who_agreed_get_mail() {
    let folder = Folder::new("report-write");
    let zone = format!("--zone={}", folder.file("z.zone", ZONE));
    let results = run(&["batch", &zone], requests(40).as_bytes()).stdout;
    let reversed: String = text(&results).lines().rev().flat_map(|line| [line, "\n"]).collect();
    let write = |name: &str, input: &[u8]| {
        let output = run(&[&WRITE[..], &[&format!("--out={}", folder.path(name)), &zone]].concat(), input);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder.path(name))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        (text(&output.stdout), files)
    };
    let (told, files) = write("one", &results);
    assert_eq!((told.clone(), files.clone()), write("two", reversed.as_bytes()));
    assert!(told.contains("  to r@contoso.com: ") && told.contains("  to x@agency.example: "), "{told}");
    assert!(told.contains("  not to mailto:y@deaf.example: the destination has not agreed"), "{told}");
    assert!(told.contains("  to nobody: the record asks for no reports"), "{told}");
    assert_eq!(files.iter().filter(|(name, _)| name.ends_with(".eml")).count(), 2, "{told}");
    // The mail passes by its own reader.
    let mail = folder.path(&format!("one/{}", files.iter().find(|(name, _)| name.ends_with(".eml")).unwrap().0));
    let line = &lines(&run(&["report", "read", "--json", &mail], b"").stdout)[0];
    assert_eq!((&line["domain"], &line["extra_contact_info"]), (&json!("contoso.com"), &json!("https://example.net/")));
}

#[test]
fn bad_lines_and_those_of_another_time_are_told() {
    let folder = Folder::new("report-lines");
    let zone = format!("--zone={}", folder.file("z.zone", ZONE));
    let out = format!("--out={}", folder.path("out"));
    let line = text(&run(&["batch", &zone], requests(1).as_bytes()).stdout);
    let of = |time: u64| line.replacen('{', &format!("{{\"time\":{time},"), 1);
    let hostile =
        line.replace("\"policy_domain\":\"contoso.com\",\"policy\"", "\"policy_domain\":\"../../x\",\"policy\"");
    assert_ne!(hostile, line);
    let input =
        [&line, "junk\n", "{\"error\":\"no message\",\"id\":null}\n", &*of(1_759_752_000), &of(1_759_795_200)].concat();
    let output = run(&[&WRITE[..], &[&out, &zone]].concat(), input.as_bytes());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = text(&output.stdout);
    for expected in [
        ": 2 messages in 1 row\n",
        "\n2 messages reported\n",
        "\n1 line of another time, and left out\n",
        "\n1 line could not be read\n",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(text(&output.stderr), "mailverdict: line 2: expected value at line 1 column 1\n");
    let output = run(&[&WRITE[..], &[&out, &zone]].concat(), hostile.as_bytes());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains("the policy domain is none"), "{output:?}");
    let late = [&WRITE[..7], &["--begin=2", "--end=1", &out]].concat();
    assert_eq!(text(&run(&late, b"").stderr), "mailverdict: --begin is later than --end\n");
}

/// The keys that reports tell of are looked at: those of the domain and of what is below it, and no others.
#[test]
fn lint_looks_at_the_keys_of_reports() {
    let folder = Folder::new("report-lint");
    let zone = folder
        .file("z.zone", "contoso.com. TXT \"v=spf1 -all\"\nselector1._domainkey.contoso.com. TXT \"v=DKIM1; p=\"\n");
    let zone = format!("--zone={zone}");
    let output = run(&["lint", "--json", &zone, "--report", MONTH, "contoso.com"], b"");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> = json["dkim"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["selector1._domainkey.contoso.com", "news._domainkey.contoso.com"]);
    assert!(json["findings"].as_array().unwrap().iter().any(|finding| finding["id"] == "dkim-none"), "{json}");
    for (arguments, told) in [
        (&["lint", &zone, "--report", "/nowhere", "contoso.com"][..], "/nowhere: no such file or directory"),
        (&["lint", &zone, "--report", MONTH, "-"], "--report goes with one domain"),
    ] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(told), "{output:?}");
    }
}
