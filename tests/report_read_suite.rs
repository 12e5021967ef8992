//! Reports of others, read: in all practised forms, in whatever they are wrapped, and no more of them than may be.
#![cfg(feature = "reports")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/read_pieces.rs"]
mod read_pieces;
#[path = "support/report.rs"]
mod report;
#[path = "support/skip.rs"]
mod skip;

use mailverdict::report::{Extension, FailureReport, ReadError, ReadLimits, Report, TlsReport, read};
use read_pieces::Pieces;
use report::{gzip, line, wrapped, zip};
use saphyr::{LoadableYamlNode as _, Yaml};
use std::{env, fs, path::PathBuf, process::Command};

fn cases(name: &str) -> Vec<Yaml<'static>> {
    let path = format!("{}/tests/data/report_read/{name}.yml", env!("CARGO_MANIFEST_DIR"));
    let text: &'static str = fs::read_to_string(path).unwrap().leak();
    Yaml::load_from_str(text).unwrap()[0].as_sequence().unwrap().clone()
}

fn texts(case: &Yaml<'_>, name: &str) -> Option<Vec<String>> {
    let list = case.as_mapping_get(name)?.as_sequence()?;
    Some(list.iter().map(|text| text.as_str().unwrap().to_owned()).collect())
}

/// The octets of a case.
fn octets(case: &Yaml<'_>) -> Vec<u8> {
    let text = |name: &str| case.as_mapping_get(name).and_then(Yaml::as_str);
    let whole = match (text("whole"), text("xml")) {
        (Some(whole), None) => whole.to_owned(),
        (None, Some(xml)) => {
            let namespace = text("namespace").map(|uri| format!(" xmlns=\"{uri}\"")).unwrap_or_default();
            let declare = text("declare").map(|name| format!("<?xml version=\"1.0\" encoding=\"{name}\"?>"));
            // Seven lines.
            format!(
                "{}<feedback{namespace}>\n<report_metadata><org_name>Receiver</org_name>\n<email>dmarc@mx.example</email>\n\
                 <report_id>1</report_id>\n<date_range><begin>1700000000</begin><end>1700086399</end></date_range>\n\
                 </report_metadata>\n<policy_published><domain>contoso.com</domain><p>none</p></policy_published>\n{xml}\n</feedback>",
                declare.unwrap_or_default()
            )
        }
        both => panic!("{both:?}"),
    };
    let utf16 = |mark: &[u8], octets: fn(u16) -> [u8; 2]| {
        mark.iter().copied().chain(whole.encode_utf16().flat_map(octets)).collect::<Vec<u8>>()
    };
    match text("encode") {
        None | Some("utf-8") => whole.into_bytes(),
        Some("utf-8-mark") => [b"\xef\xbb\xbf", whole.as_bytes()].concat(),
        Some("utf-16le") => utf16(b"\xff\xfe", u16::to_le_bytes),
        Some("utf-16be") => utf16(b"\xfe\xff", u16::to_be_bytes),
        Some("utf-16le-bare") => utf16(b"", u16::to_le_bytes),
        Some(label) => {
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
            encoding.encode(&whole).0.into_owned()
        }
    }
}

#[test]
fn all_practised_forms_are_read_and_departures_told() {
    let cases = cases("aggregate");
    assert!(cases.len() >= 40, "{}", cases.len());
    for case in &cases {
        let name = case.as_mapping_get("name").unwrap().as_str().unwrap();
        let octets = octets(case);
        let found = read(&octets, ReadLimits::default());
        assert_eq!(found.len(), 1, "{name}");
        let report = match &found[0].report {
            Ok(Report::Aggregate(report)) => report,
            Err(error) => {
                let expected = case.as_mapping_get("error").and_then(Yaml::as_str);
                assert_eq!(Some(error.to_string().as_str()), expected, "{name}");
                continue;
            }
            other => panic!("{name}: {other:?}"),
        };
        assert!(case.as_mapping_get("error").is_none(), "{name}: {report:?}");
        let rows = report.rows().unwrap();
        assert_eq!(rows.iter().map(line).collect::<Vec<_>>(), texts(case, "rows").unwrap(), "{name}");
        assert_eq!(report.row_count, u64::try_from(rows.len()).unwrap());
        assert_eq!(report.messages, rows.iter().map(|row| row.count).sum::<u64>());
        if let Some(expected) = texts(case, "findings") {
            let shown = |finding: &mailverdict::report::ReportFinding| {
                let line = finding.line.map_or("-".to_owned(), |line| line.to_string());
                let more = if finding.says.ends_with(" (and once more)") { "+1" } else { "" };
                format!("{}@{line}{more}", finding.id)
            };
            let findings: Vec<_> = report.findings.iter().map(shown).collect();
            assert_eq!(findings, expected, "{name}: {:#?}", report.findings);
        }
        if let Some(expected) = texts(case, "extensions") {
            let all = report.about.extensions.iter().chain(rows.iter().flat_map(|row| &row.extensions));
            let shown: Vec<_> = all.map(|Extension { name, text, .. }| format!("{name}={text}")).collect();
            assert_eq!(shown, expected, "{name}");
        }
        if let Some(expected) = case.as_mapping_get("edition").and_then(Yaml::as_str) {
            let edition = serde_json::to_value(report.about.edition).unwrap();
            assert_eq!(edition, expected, "{name}");
        }
        if let Some(expected) = case.as_mapping_get("policy") {
            let policy = serde_json::to_value(&report.about.policy).unwrap();
            for (member, value) in policy.as_object().unwrap() {
                assert_eq!(value.as_str(), expected.as_mapping_get(member).unwrap().as_str(), "{name}: {member}");
            }
        }
        for (member, time) in [("begin", report.about.begin), ("end", report.about.end)] {
            if let Some(expected) = case.as_mapping_get(member).and_then(Yaml::as_integer) {
                assert_eq!(time.unwrap().0, u64::try_from(expected).unwrap(), "{name}: {member}");
            }
        }
    }
}

/// However a text is cut into pieces while it is read, it is the same report.
#[test]
fn pieces_make_no_difference() {
    for case in &cases("aggregate") {
        let octets = octets(case);
        let whole = |mut reader: mailverdict::report::Reader<Pieces<'_>>| {
            let mut rows = Vec::new();
            loop {
                match reader.next_row() {
                    Ok(Some(row)) => rows.push(row),
                    Ok(None) => return (rows, Some(reader.finish().unwrap()), None),
                    Err(error) => return (rows, None, Some(error)),
                }
            }
        };
        let read = |piece| whole(mailverdict::report::Reader::new(Pieces(&octets, piece), ReadLimits::default()));
        let expected = read(usize::MAX);
        for piece in [1, 2, 3, 7, 64] {
            assert_eq!(read(piece), expected, "{:?} {piece}", case.as_mapping_get("name"));
        }
    }
}

const XML: &[u8] = b"<feedback><record><row><source_ip>192.0.2.1</source_ip><count>7</count></row></record></feedback>";

/// The names and the messages of all reports in it; errors as they are told.
fn read_all(octets: &[u8]) -> Vec<String> {
    read_within(octets, ReadLimits::default())
}

fn read_within(octets: &[u8], limits: ReadLimits) -> Vec<String> {
    let found = read(&octets, limits);
    let shown = found.iter().map(|found| match &found.report {
        Ok(Report::Aggregate(report)) => {
            let rows = report.rows().unwrap();
            let sum: u64 = rows.iter().map(|row| row.count).sum();
            assert_eq!(sum, report.messages);
            let junk = report.findings.iter().any(|finding| finding.id == "report-gzip-junk");
            format!("{}: {sum}{}", found.name, if junk { " junk" } else { "" })
        }
        Ok(Report::Failure(report)) => {
            format!("{}: failure {}", found.name, report.reported_domain.as_deref().unwrap())
        }
        Ok(Report::Tls(report)) => format!("{}: tls {}", found.name, report.org_name.as_deref().unwrap()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => format!("{}: {error}", found.name),
    });
    shown.collect()
}

#[test]
fn content_tells_what_is_wrapped_and_never_a_name() {
    let json = br#"{"organization-name":"R","policies":[]}"#;
    let packed = gzip(XML);
    for (octets, expected) in [
        (XML.to_vec(), vec![": 7"]),
        (packed.clone(), vec![": 7"]),
        (gzip(&packed), vec![": 7"]),
        // RFC 1952 §2.2: members stand one behind the other.
        ([gzip(&XML[..40]), gzip(&XML[40..])].concat(), vec![": 7"]),
        ([packed.clone(), b"\r\n-- \r\njunk".to_vec()].concat(), vec![": 7 junk"]),
        ([packed.clone(), vec![0; 100]].concat(), vec![": 7 junk"]),
        (json.to_vec(), vec![": tls R"]),
        (gzip(json), vec![": tls R"]),
        (zip(&[("a.txt", XML)]), vec!["a.txt: 7"]),
        (zip(&[("a/b.xml", &packed), ("c", json), ("d", b"hello")]), vec!["b.xml: 7", "c: tls R"]),
        (zip(&[("x.zip", &zip(&[("y", XML)]))]), vec!["x.zip!y: 7"]),
        (wrapped("application/gzip", "x.xml.gz", &packed), vec!["x.xml.gz: 7"]),
        (wrapped("text/plain", "report", XML), vec!["report: 7"]),
        (wrapped("application/octet-stream", "x.zip", &zip(&[("y.xml", XML)])), vec!["x.zip!y.xml: 7"]),
        (wrapped("message/rfc822", "fwd.eml", &wrapped("a/b", "x.gz", &packed)), vec!["fwd.eml!x.gz: 7"]),
        (zip(&[("m.eml", &wrapped("a/b", "x.gz", &packed))]), vec!["m.eml!x.gz: 7"]),
        (b"Subject: no report\r\n\r\nhello\r\n".to_vec(), vec![": no report: no part of it is one"]),
        (b"hello".to_vec(), vec![": no report: it is neither XML, JSON, gzip, zip, nor a mail"]),
        (b"".to_vec(), vec![": no report: it is neither XML, JSON, gzip, zip, nor a mail"]),
        (b"{}".to_vec(), vec![": no TLS report: it has no \"policies\""]),
    ] {
        assert_eq!(read_all(&octets), expected, "{}", octets[..octets.len().min(60)].escape_ascii());
    }
}

#[test]
fn what_cannot_be_unpacked_is_told_and_the_others_are_read() {
    let mut packed = gzip(XML);
    packed.truncate(packed.len() - 10);
    assert_eq!(read_all(&packed), [": it cannot be unpacked: its end is missing"]);
    let mut damaged = gzip(XML);
    let end = damaged.len() - 8;
    damaged[end] ^= 1;
    assert!(read_all(&damaged)[0].starts_with(": it cannot be unpacked: "), "{:?}", read_all(&damaged));
    let both = zip(&[("bad.gz", &packed), ("good.xml", XML)]);
    assert_eq!(read_all(&both), ["bad.gz: it cannot be unpacked: its end is missing", "good.xml: 7"]);
    let archive = zip(&[("a", XML)]);
    assert!(read_all(&archive[..archive.len() - 5])[0].starts_with(": it cannot be unpacked: "));
}

#[test]
fn a_bomb_costs_no_more_than_the_bound() {
    let limits = ReadLimits { unpacked: 2_000_000, ..ReadLimits::default() };
    let bomb = gzip(&[b"<feedback>".to_vec(), vec![b' '; 10_000_000]].concat());
    assert_eq!(
        read_within(&bomb, ReadLimits { ratio: 100, ..limits }),
        [": unpacked, it has more than 100 times its octets"]
    );
    let row = &XML[10..XML.len() - 11];
    let rows = [&b"<feedback>"[..], &row.repeat(100_000), b"</feedback>"].concat();
    let dense = ReadLimits { ratio: 100_000, ..limits };
    assert_eq!(read_within(&gzip(&rows), dense), [": unpacked, it has more than 2000000 octets"]);
    assert_eq!(read_within(&rows, dense), [": unpacked, it has more than 2000000 octets"]);
    // What stands together counts together.
    let part = [&b"<feedback>"[..], &row.repeat(9_000), b"</feedback>"].concat();
    let parts = zip(&[("a", &part), ("b", &part), ("c", &part)]);
    assert_eq!(read_within(&parts, dense), [": unpacked, it has more than 2000000 octets"]);
    let few = zip(&[("a", &part)]);
    assert_eq!(read_within(&few, dense), ["a: 63000"]);
    let many: Vec<(String, &[u8])> = (0..30).map(|number| (number.to_string(), XML)).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, octets)| (name.as_str(), *octets)).collect();
    assert_eq!(read_within(&zip(&many), ReadLimits { parts: 29, ..limits }), [": it has more than 29 parts"]);
    assert_eq!(read_within(&zip(&many), ReadLimits { parts: 30, ..limits }).len(), 30);
    let matryoshka = (0..9).fold(XML.to_vec(), |inner, _| gzip(&inner));
    assert_eq!(read_within(&matryoshka, limits), [": more than 8 wrappings stand within each other"]);
    let deep = [b"<feedback>".to_vec(), b"<x>".repeat(100)].concat();
    assert_eq!(read_within(&deep, limits), [": line 1: more than 32 elements stand within each other"]);
    let rows = [&b"<feedback>"[..], &row.repeat(11), b"</feedback>"].concat();
    assert_eq!(read_within(&rows, ReadLimits { rows: 10, ..limits }), [": line 1: the report has more than 10 rows"]);
    assert_eq!(read_within(&rows, ReadLimits { rows: 11, ..limits }), [": 77"]);
    let long = [b"<feedback><version>".to_vec(), vec![b'x'; 1_100_000]].concat();
    assert_eq!(
        read_within(&long, limits),
        [": line 1: more than 1048576 octets stand there without a tag between them"]
    );
}

#[test]
fn failure_reports_are_read_field_by_field() {
    let fields = b"Feedback-Type: auth-failure\r\nUser-Agent: R/1\r\nVersion: 1\r\nAuth-Failure: DMARC, spf\r\n\
        Identity-Alignment: spf,\r\n dkim\r\nOriginal-Mail-From: <>\r\nOriginal-Rcpt-To: <a@b.example>\r\n\
        Original-Rcpt-To: c@d.example\r\nArrival-Date: Thu, 1 Jan 1970 01:00:07 +0100\r\nSource-IP: 192.0.2.1\r\n\
        Reported-Domain: Contoso.com\r\nDelivery-Result: Reject\r\nDKIM-Domain: contoso.com\r\nDKIM-Selector: S1\r\nIncidents: 3\r\n";
    let report = FailureReport::read(fields);
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        serde_json::json!({
            "feedback_type": "auth-failure", "auth_failure": ["dmarc", "spf"], "identity_alignment": ["spf", "dkim"],
            "source_ip": "192.0.2.1", "reported_domain": "contoso.com", "mail_from": "", "rcpt_to": ["a@b.example", "c@d.example"],
            "arrival": 7, "delivery_result": "reject", "dkim_domain": "contoso.com", "dkim_selector": "S1", "incidents": 3,
            "user_agent": "R/1", "version": "1",
        })
    );
    assert_eq!(report.findings, []);
    let poor = FailureReport::read(b"Auth-Failure: dmarc\r\nSource-IP: 192.0.2.1 (mx)\r\nIncidents: many\r\n");
    let ids: Vec<_> = poor.findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids.iter().filter(|id| **id == "report-element-missing").count(), 4, "{:?}", poor.findings);
    assert!(ids.contains(&"report-address") && ids.contains(&"report-number"));
    assert_eq!((poor.incidents, FailureReport::read(b"").findings.len()), (1, 1));
}

#[test]
fn tls_reports_are_read_and_departures_told() {
    let odd = br#"{"organization-name":7,"date-range":{"start-datetime":"yesterday"},"policies":{"policy":{"policy-type":"STS",
        "policy-domain":"contoso.com","mx-host":"mx.contoso.com"},"summary":{"total-successful-session-count":"5"},
        "failure-details":[{"sending-mta-ip":"host","failed-session-count":2}]}}"#;
    let report = TlsReport::read(odd).unwrap();
    let policy = serde_json::to_value(&report.policies[0]).unwrap();
    assert_eq!(
        policy,
        serde_json::json!({"type": "sts", "domain": "contoso.com", "mx_hosts": ["mx.contoso.com"], "successes": 5, "failures": 0,
            "details": [{"result_type": null, "sending_mta_ip": null, "receiving_mx": null, "receiving_ip": null, "count": 2,
                "reason_code": null}]})
    );
    let says: Vec<_> = report.findings.iter().map(|finding| finding.says.as_str()).collect();
    for expected in [
        "\"organization-name\" is a number, and no text",
        "\"yesterday\" in \"start-datetime\" is no time",
        "\"policies\" is no list",
        "\"mx-host\" is no list",
        "\"total-successful-session-count\" is a text, and no number",
        "\"host\" in \"sending-mta-ip\" is no address",
    ] {
        assert!(says.contains(&expected), "{expected}: {says:#?}");
    }
    for none in ["", "[]", "{}", "7", "{\"policies\":"] {
        assert!(matches!(TlsReport::read(none.as_bytes()), Err(ReadError::Json(_))), "{none}");
    }
    let deep = [b"{\"policies\":".to_vec(), b"[".repeat(100_000)].concat();
    assert!(TlsReport::read(&deep).is_err());
}

/// Public samples (`MAILVERDICT_REPORTS` names their folder), against a reading that shares nothing with this one.
#[test]
fn public_samples_have_the_rows_that_another_reading_finds() {
    let (Ok(folder), Ok(python)) = (env::var("MAILVERDICT_REPORTS"), env::var("MAILVERDICT_PYTHON")) else {
        skip::skipped("MAILVERDICT_REPORTS and MAILVERDICT_PYTHON are not set: no public sample was read");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential/reports.py");
    let output = Command::new(python).arg(script).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let (mut reports, mut rows) = (0, 0);
    for (name, expected) in expected.as_object().unwrap() {
        let path = PathBuf::from(&folder).join(name);
        let found = read(&path, ReadLimits::default());
        assert_eq!(found.len(), 1, "{name}");
        let shown = |value: Option<String>| value.unwrap_or_default();
        let (kind, lines) = match found[0].report.as_ref().unwrap_or_else(|error| panic!("{name}: {error}")) {
            Report::Aggregate(report) => {
                let rows = report.rows().unwrap();
                let line = |row: &mailverdict::report::Row| {
                    let words = [row.disposition.map(|word| word.to_string()), row.dkim.map(|word| word.to_string())];
                    let words = words.into_iter().chain([row.spf.map(|word| word.to_string())]);
                    let words = words.chain([row.header_from.as_deref().map(str::to_owned)]).map(shown);
                    let words: Vec<String> = words.collect();
                    let (dkim, spf) = (row.dkim_results.len(), row.spf_results.len());
                    format!("{} {} {} {dkim} {spf}", row.source_ip.unwrap(), row.count, words.join(" "))
                };
                ("aggregate", rows.iter().map(line).collect())
            }
            Report::Failure(report) => (
                "failure",
                vec![format!("{} {}", report.source_ip.unwrap(), report.reported_domain.as_deref().unwrap())],
            ),
            Report::Tls(report) => {
                let line = |policy: &mailverdict::report::TlsPolicy| {
                    let domain = policy.domain.as_deref().unwrap();
                    format!("{domain} {} {} {}", policy.successes, policy.failures, policy.details.len())
                };
                ("tls", report.policies.iter().map(line).collect::<Vec<_>>())
            }
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(expected["kind"], kind, "{name}");
        assert_eq!(expected["rows"], serde_json::json!(lines), "{name}");
        reports += 1;
        rows += lines.len();
    }
    println!("{reports} public samples were read, with {rows} rows and policies");
    assert!(reports >= 36 && rows >= 60, "{reports} {rows}");
}

/// What people may look up.
#[test]
fn each_kind_of_finding_is_documented() {
    let root = env!("CARGO_MANIFEST_DIR");
    let document = fs::read_to_string(format!("{root}/docs/reports.md")).unwrap();
    let mut files: Vec<PathBuf> = ["src/report", "src/report/read"]
        .iter()
        .flat_map(|folder| fs::read_dir(format!("{root}/{folder}")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    let code: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let ids: std::collections::BTreeSet<&str> =
        code.split("\"report-").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let ids: Vec<&str> =
        ids.into_iter().filter(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && *id != "id").collect();
    assert!(ids.len() >= 20, "{ids:?}");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `report-")?.split('`').next());
    assert_eq!(rows.collect::<Vec<_>>(), ids);
}
