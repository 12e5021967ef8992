//! The command line as scripts use it: exit statuses, standard output, standard error, and the JSON contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;
use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};
use support::{PROGRAM, ROOT, read, run, story, strict};

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("the output is UTF-8")
}

fn schema() -> jsonschema::Validator {
    strict(serde_json::from_str(include_str!("../schema/check.schema.json")).unwrap())
}

fn assert_none(failures: &[String]) {
    assert!(failures.is_empty(), "\n  {}", failures.join("\n  "));
}

#[test]
fn stories_through_the_binary() {
    let schema = schema();
    let stories = story::stories();
    let mut failures = Vec::new();
    let mut has_alias = false;
    for story in &stories {
        let message = format!("tests/data/microsoft365/{}", story.message);
        let ip = story.ip.to_string();
        // Results tell the time by which they were found.
        let zone = ["--zone", "tests/data/microsoft365/zone.db", "--at", "1759738505"];
        let client = ["--ip", &ip, "--helo", &story.helo, "--mail-from", &story.mail_from];
        let output = run(&[&["check", "--json"], &zone[..], &client, &[&message]].concat(), b"");
        if output.status.code() != Some(0) || !output.stderr.is_empty() {
            failures.push(format!("{}: {} {}", story.title, output.status, text(&output.stderr)));
            continue;
        }
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        failures.extend(schema.iter_errors(&json).map(|error| format!("{}: schema: {error}", story.title)));
        failures.extend(story.differences(|path| story::in_json(&json, path)));

        // An explanation is one field more, and changes nothing else.
        let output = run(&[&["check", "--json", "--explain"], &zone[..], &client, &[&message]].concat(), b"");
        let mut explained: Value = serde_json::from_slice(&output.stdout).unwrap();
        failures.extend(schema.iter_errors(&explained).map(|error| format!("{}: --explain: {error}", story.title)));
        let steps = explained.as_object_mut().unwrap().remove("explain");
        has_alias |= steps.iter().any(|steps| {
            steps.to_string().contains(
                "  selector1._domainkey.contoso.com TXT by way of selector1-contoso-com._domainkey.contoso.onmicrosoft.com: ",
            )
        });
        if explained != json || steps.and_then(|steps| steps.as_array().map(Vec::len)).unwrap_or_default() < 5 {
            failures.push(format!("{}: --explain: {explained}", story.title));
        }

        // The same without --json names the results as well.
        let output = run(&[&["check", "--headers"], &zone[..], &client, &[&message]].concat(), b"");
        let shown = text(&output.stdout);
        let disposition = story::in_json(&json, "dmarc.disposition").unwrap();
        for part in [&format!("Disposition: {disposition}\n"), "Authentication-Results: localhost;", "Received-SPF: "] {
            if !shown.contains(part) {
                failures.push(format!("{}: {part:?} is not shown", story.title));
            }
        }
        if shown.contains('\x1b') {
            failures.push(format!("{}: colours, and no terminal", story.title));
        }
    }
    println!("{} stories through the binary", stories.len());
    assert!(has_alias, "no explanation tells by which alias a key was found");
    assert_none(&failures);
}

/// RFC 9989 and RFC 7489 on the same answers, where they part.
#[test]
fn both_editions_of_dmarc() {
    let arguments = |more: &[&'static str]| {
        let folder = ["--zone", "tests/data/dmarc/both/zone.db", "--ip", "192.0.2.25"];
        let sender = ["--mail-from", "bounce@mailer.example.com", "tests/data/dmarc/both/message.eml"];
        [&["check"], more, &folder, &sender].concat()
    };
    let output = run(&arguments(&["--dmarc", "both"]), b"");
    let shown = text(&output.stdout);
    assert!(shown.contains("the result is fail by RFC 9989, and pass by RFC 7489"), "{shown}");
    assert!(shown.contains("because RFC 9989 finds organizational domains by walking up the DNS"), "{shown}");

    let output = run(&arguments(&["--json", "--dmarc", "both"]), b"");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors: Vec<_> = schema().iter_errors(&json).map(|error| error.to_string()).collect();
    assert_none(&errors);
    assert_eq!((&json["dmarc"]["result"], &json["dmarc_rfc7489"]["result"]), (&"fail".into(), &"pass".into()));
    let differences = json["dmarc_differences"]["differences"].as_array().unwrap();
    assert_eq!((differences.len(), json["dmarc_differences"]["causes"].as_array().unwrap().len()), (4, 1));

    for (edition, result) in [("rfc9989", "fail"), ("rfc7489", "pass")] {
        let output = run(&arguments(&["--json", "--dmarc", edition]), b"");
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["dmarc"]["result"], result);
        assert!(json.get("dmarc_rfc7489").is_none() && json.get("dmarc_differences").is_none());
    }
}

/// What changed, in the promised form, on the page and in JSON.
#[test]
fn what_changed_is_told_without_being_asked_for() {
    let arguments = |more: &[&'static str]| {
        let zone = "--zone=tests/data/change/changed-before-seal.db";
        [&["check"], more, &[zone, "tests/data/change/changed-before-seal.eml"]].concat()
    };
    let shown = text(&run(&arguments(&[]), b"").stdout);
    for part in [
        "WHAT CHANGED\n  DKIM 1, contoso.com\n    proven body-prepended: 1 line (12 octets)",
        "unproven changed-before-sealer: ",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = text(&run(&arguments(&["--explain"]), b"").stdout);
    assert!(
        shown.contains("the body hashes to laC+GXt87XvUGnokuMu/Z5oHXwXED6//OcrCaGMF9c0=, of 59 octets in 6 lines"),
        "{shown}"
    );
    let json: Value = serde_json::from_slice(&run(&arguments(&["--json"]), b"").stdout).unwrap();
    assert_none(&schema().iter_errors(&json).map(|error| error.to_string()).collect::<Vec<_>>());
    let changes = &json["dkim"][0]["changes"];
    let promised = ["kind", "part", "proven", "field", "says", "advice", "undo"];
    assert!(promised.iter().all(|name| changes[0].get(name).is_some()), "{changes}");
    assert_eq!(changes[0]["undo"], serde_json::json!({ "removed": [{ "offset": 0, "length": 12 }] }));
    assert_eq!((&changes[1]["proven"], &changes[1]["undo"]), (&false.into(), &Value::Null));
    assert_eq!(json["dkim"][0]["diagnosis"].as_array().unwrap().len(), 2);
    let hashed =
        [&json["dkim"][0]["published_body_hash"], &json["dkim"][0]["body_octets"], &json["dkim"][0]["body_lines"]];
    assert_eq!(hashed, [&Value::from("EurkPhc9jBFpynNV/9rLGjnOSUjJaUfX237P3aBUHBo="), &59.into(), &6.into()]);
    // The schema knows each kind.
    let schema: Value = serde_json::from_str(include_str!("../schema/check.schema.json")).unwrap();
    let known = &schema["$defs"]["change"]["properties"]["kind"]["enum"];
    let kinds: Vec<&str> = mailverdict::dkim::ChangeKind::ALL.iter().map(|kind| kind.keyword()).collect();
    assert_eq!(*known, serde_json::json!(kinds));
}

/// The fields that cli.md promises, by hand and not by the schema: a schema that forgot one would not tell.
#[test]
fn every_promised_field_is_there() {
    let fields = [
        ("/spf/helo", "result domain explanation matched dns_lookups void_lookups reason"),
        ("/spf/mail_from", "result domain explanation matched dns_lookups void_lookups reason"),
        ("/dkim/0", "result domain selector algorithm identity key_bits reason diagnosis changes"),
        ("/arc", "result instances sealers trusted reason"),
        (
            "/dmarc",
            "result from_domain organizational_domain policy_domain policy disposition spf_aligned dkim_aligned reason",
        ),
        ("", "spf dkim arc dmarc authentication_results received_spf"),
    ];
    let output = run(
        &[
            "check",
            "--json",
            "--zone=tests/data/microsoft365/zone.db",
            "--ip=198.51.100.40",
            "--helo=mail-eur01.outbound.protection.outlook.com",
            "--mail-from=alice@contoso.com",
            "tests/data/microsoft365/01-sent-by-the-service.eml",
        ],
        b"",
    );
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (place, names) in fields {
        let object = json.pointer(place).unwrap_or_else(|| panic!("nothing at {place}")).as_object().unwrap();
        for name in names.split(' ') {
            assert!(object.contains_key(name), "{place} has no {name}");
        }
    }
}

/// A server that takes questions and never answers costs no more than `--timeout`, and is a temperror.
#[test]
fn a_silent_server_costs_no_more_than_the_timeout() {
    let silent = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let server = silent.local_addr().unwrap().to_string();
    let begun = std::time::Instant::now();
    let message = "tests/data/microsoft365/01-sent-by-the-service.eml";
    let client = ["--ip=198.51.100.40", "--mail-from=alice@contoso.com"];
    let output = run(&[&["check", "--json", "--timeout=0.5", "--dns", &server], &client[..], &[message]].concat(), b"");
    let taken = begun.elapsed();
    assert!(taken < std::time::Duration::from_secs(5), "{taken:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    for path in ["spf.mail_from.result", "dkim.0.result", "dmarc.result"] {
        assert_eq!(story::in_json(&json, path).as_deref(), Some("temperror"), "{path}");
    }
}

fn json_lines(output: &[u8]) -> Vec<Value> {
    text(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whatever was evaluated at the same time: the results are those of `check`, in the order of the requests, with their ids.
#[test]
fn batch_gives_what_check_gives_in_the_order_of_the_requests() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (mut requests, mut expected) = (String::new(), Vec::new());
    for (number, story) in story::stories().iter().enumerate() {
        let message = format!("tests/data/microsoft365/{}", story.message);
        let zone = ["check", "--json", "--zone=tests/data/microsoft365/zone.db", "--at=1759738505"];
        let client = ["--ip", &story.ip.to_string(), "--helo", &story.helo, "--mail-from", &story.mail_from];
        let output = run(&[&zone[..], &client, &[&message]].concat(), b"");
        let mut result: Value = serde_json::from_slice(&output.stdout).unwrap();
        // A request says who the client is.
        assert_eq!(result.as_object_mut().unwrap().remove("client_taken"), Some(false.into()));
        result["evaluated"].as_object_mut().unwrap().remove("records").unwrap();
        result["id"] = number.into();
        expected.push(result);
        let mut request = serde_json::json!({
            "id": number, "ip": story.ip.to_string(), "helo": story.helo, "mail_from": story.mail_from,
        });
        if number % 2 == 0 {
            request["message"] = message.into();
        } else {
            request["message_base64"] = STANDARD.encode(story.octets()).into();
        }
        requests += &format!("{request}\n");
    }
    let expected: Vec<Value> = std::iter::repeat_n(expected, 20).flatten().collect();
    for jobs in [&[][..], &["--jobs=1"], &["--jobs=7"]] {
        let arguments =
            [&["batch", "--changes", "--zone=tests/data/microsoft365/zone.db", "--at=1759738505"], jobs].concat();
        let output = run(&arguments, requests.repeat(20).as_bytes());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let results = json_lines(&output.stdout);
        assert_eq!(results.len(), expected.len());
        for (mut result, expected) in results.into_iter().zip(&expected) {
            // What reports need stands beside it.
            let report = result.as_object_mut().unwrap().remove("report").unwrap();
            let told = expected["dmarc"]["record"]["domain"].as_str();
            assert_eq!(report["policy_domain"].as_str(), told.filter(|_| expected["dmarc"]["result"] != "temperror"));
            assert_eq!(&result, expected, "with {jobs:?}");
        }
    }
    // To say what changed costs, and so it has to be asked for.
    let output = run(&["batch", "--zone=tests/data/microsoft365/zone.db", "--at=1759738505"], requests.as_bytes());
    let is_without = |line: &Value| line["dkim"].as_array().unwrap().iter().all(|dkim| dkim.get("changes").is_none());
    assert!(json_lines(&output.stdout).iter().all(is_without));
}

#[test]
fn batch_answers_bad_lines_and_goes_on() {
    let requests = br#"{"id":1,"ip":"203.0.113.25","mail_from":"scanner@fabrikam.com"}
junk
["no object"]

{"id":"a","ip":"203.0.113.256","mail_from":"scanner@fabrikam.com"}
{"id":"b","ip":"203.0.113.25","message":"tests/data/cli/absent.eml"}
{"id":"c","ip":"203.0.113.25","message":"\u001b[31m"}
{"id":"d","message":"tests/data/microsoft365/03-scanner.eml","message_base64":"eA=="}
{"id":"e","message_base64":"no base64!"}
{"id":"f","message_base64":""}
{"id":"g","ip":25,"helo":"x"}
{"id":"h","ip":"203.0.113.25"}
{"id":"i","mail_from":"scanner@fabrikam.com"}
{"ip":"203.0.113.25","helo":null,"mail_from":"scanner@fabrikam.com","message":null}"#;
    let output = run(&["batch", "--zone=tests/data/microsoft365/zone.db"], requests);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let results = json_lines(&output.stdout);
    assert_eq!(results.len(), 13);
    let errors = [
        "the line is no JSON object",
        "the line is no JSON object",
        "\"ip\" is no address: \"203.0.113.256\"",
        "cannot read tests/data/cli/absent.eml: no such file or directory",
        "cannot read \\u{1b}[31m: no such",
        "one is expected",
        "is no base64",
        "the message is empty",
        "\"ip\" is no text",
        "\"helo\", or a \"mail_from\" that is not null, is needed",
        "\"ip\" is needed",
    ];
    let ids = ["null", "null", "\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"e\"", "\"f\"", "\"g\"", "\"h\"", "\"i\""];
    for ((result, error), id) in results[1..12].iter().zip(errors).zip(ids) {
        assert_eq!(result["id"].to_string(), id, "{result}");
        assert!(result["error"].as_str().unwrap().contains(error), "{result}: {error}");
        assert_eq!(result.as_object().unwrap().len(), 2, "{result}");
    }
    for (result, id) in [(&results[0], Value::from(1)), (&results[12], Value::Null)] {
        assert_eq!(result["id"], id);
        assert_eq!(result["spf"]["mail_from"]["result"], "pass");
        assert_eq!(result["dmarc"], Value::Null);
        assert!(result.get("dkim").is_some_and(Value::is_null));
    }
}

/// What was read before SIGINT is answered; the run ends though its input does not.
#[cfg(unix)]
#[test]
fn batch_ends_cleanly_at_sigint() {
    use std::io::{BufRead as _, BufReader};
    let Some(mut command) = support::sigint::hearing(PROGRAM) else { return };
    let mut child = command
        .args(["batch", "--zone=tests/data/microsoft365/zone.db"])
        .current_dir(ROOT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut results = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in 0..3 {
        writeln!(input, r#"{{"id":{id},"ip":"203.0.113.25","mail_from":"scanner@fabrikam.com"}}"#).unwrap();
        // Each result is seen as soon as it is there, though the input goes on.
        let result: Value = serde_json::from_str(&results.next().unwrap().unwrap()).unwrap();
        assert_eq!(result["id"], id);
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(results.next().is_none());
    drop(input);
}

/// Cases of tests/data/cli/cases.yml.
struct Case<'y>(&'y Yaml<'y>);

impl<'y> Case<'y> {
    fn text(&self, key: &str) -> Option<&'y str> {
        self.0.as_mapping_get(key).map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is no text")))
    }

    /// Texts that must stand in an output, one or a list.
    fn texts(&self, key: &str) -> Vec<&'y str> {
        match self.0.as_mapping_get(key) {
            None => Vec::new(),
            Some(value) => match value.as_sequence() {
                Some(list) => list.iter().map(|text| text.as_str().unwrap()).collect(),
                None => vec![value.as_str().unwrap()],
            },
        }
    }

    fn arguments(&self) -> Vec<String> {
        let words = self.0.as_mapping_get("arguments").unwrap().as_sequence().unwrap();
        // A name of 300 octets and more, and a file to write to.
        let expand = |word: &str| word.replace("<label>", &"label.".repeat(50)).replace("<file>", &Self::file());
        words.iter().map(|word| expand(word.as_str().unwrap())).collect()
    }

    fn file() -> String {
        let name = format!("mailverdict-cases-{}", std::process::id());
        std::env::temp_dir().join(name).to_str().unwrap().to_owned()
    }

    /// How the findings differ from those that are expected, where the case says; and those of rules that it is to be near.
    fn other_findings(&self, stdout: &str) -> Vec<String> {
        if self.0.as_mapping_get("found").is_none() {
            return Vec::new();
        }
        let json: Value = serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
        let found: Vec<_> = json["findings"].as_array().unwrap().iter().map(|found| &found["id"]).collect();
        let wanted = self.texts("found");
        let mut failures = Vec::new();
        if found != wanted {
            failures.push(format!("found {found:?} instead of {wanted:?}"));
        }
        let crossed = self.texts("near").into_iter().filter(|id| found.iter().any(|found| *found == id));
        failures.extend(crossed.map(|id| format!("{id} is found, and the case is to be near it")));
        failures
    }

    fn failures(&self) -> Vec<String> {
        let name = self.text("name").unwrap();
        let arguments = self.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let input = self.text("input").unwrap_or_default();
        let output = run(&arguments, &unescaped(input));
        let mut failures = Vec::new();
        let status = self.0.as_mapping_get("status").unwrap().as_integer().unwrap();
        if output.status.code().map(i64::from) != Some(status) {
            failures.push(format!("{name}: expected status {status}, found {}", output.status));
        }
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        for (stream, shown, parts) in
            [("stdout", &stdout, self.texts("stdout")), ("stderr", &stderr, self.texts("stderr"))]
        {
            let missing = parts.iter().filter(|part| !shown.contains(**part));
            failures.extend(missing.map(|part| format!("{name}: {stream}: no {part:?} in {shown:?}")));
        }
        failures.extend(self.other_findings(&stdout).into_iter().map(|failure| format!("{name}: {failure}")));
        if status == 2 {
            // One line that says what and where, and nothing that looks like a verdict.
            let one_line = stderr.starts_with("mailverdict: ") && stderr.matches('\n').count() == 1;
            if !one_line || !stdout.is_empty() {
                failures.push(format!("{name}: stdout {stdout:?}, stderr {stderr:?}"));
            }
        }
        failures
    }
}

/// `\xNN`, `\r` and `\n` as in Rust; YAML's own escapes make characters, not octets.
fn unescaped(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        octets.extend_from_slice(&rest.as_bytes()[..at]);
        let (octet, len) = match rest.as_bytes()[at + 1] {
            b'r' => (b'\r', 2),
            b'n' => (b'\n', 2),
            b'x' => (u8::from_str_radix(&rest[at + 2..at + 4], 16).unwrap(), 4),
            other => panic!("unknown escape {other}"),
        };
        octets.push(octet);
        rest = &rest[at + len..];
    }
    octets.extend_from_slice(rest.as_bytes());
    octets
}

#[test]
fn good_and_bad_input() {
    let cases = Yaml::load_from_str(&text(&read("tests/data/cli/cases.yml"))).unwrap();
    let failures: Vec<_> = cases.iter().flat_map(|case| Case(case).failures()).collect();
    let _ = std::fs::remove_file(Case::file());
    println!("{} cases", cases.len());
    assert_none(&failures);
}

/// The documents that show commands with their outputs, and how many.
const DOCUMENTS: [(&str, usize); 6] = [
    ("docs/report.md", 1),
    ("docs/lint.md", 1),
    ("docs/preflight.md", 1),
    ("README.md", 1),
    ("docs/stories.md", 4),
    ("docs/command-line.md", 3),
];

/// The outputs in the documents are those of the commands above them.
#[test]
fn readme_shows_real_output() {
    DOCUMENTS.iter().for_each(|(name, commands)| shows_real_output(name, *commands));
}

fn shows_real_output(name: &str, commands: usize) {
    let path = Path::new(ROOT).join(name);
    let readme = std::fs::read_to_string(&path).unwrap();
    let mut renewed = String::new();
    let mut rest = readme.as_str();
    let mut blocks = 0;
    while let Some(at) = rest.find("```console\n$ ") {
        let (before, block) = rest.split_at(at + "```console\n$ ".len());
        let end = block.find("```").unwrap();
        // The command goes on after a backslash at the end of a line.
        let lines = block[..end].split_inclusive('\n');
        let continued = lines.clone().take_while(|line| line.ends_with("\\\n")).count();
        let command: String = lines.take(continued + 1).collect();
        let words = command.replace("\\\n", " ");
        let words: Vec<&str> = words
            .split_whitespace()
            .skip_while(|word| !["check", "spf", "lint", "preflight", "report"].contains(word))
            .collect();
        let output = run(&words, b"");
        // 1: what was looked at has faults.
        assert!(matches!(output.status.code(), Some(0 | 1)), "{command}{}", text(&output.stderr));
        renewed += before;
        renewed += &command;
        renewed += &text(&output.stdout);
        rest = &block[end..];
        blocks += 1;
    }
    renewed += rest;
    assert_eq!(blocks, commands, "{name}");
    if renewed != readme {
        assert!(
            std::env::var_os("MAILVERDICT_REGENERATE").is_some(),
            "{name} shows other output than the commands give; MAILVERDICT_REGENERATE=1 brings it up to date"
        );
        std::fs::write(path, renewed).unwrap();
    }
}

/// One that cannot be read keeps none of the others back.
#[test]
fn of_several_messages_those_are_evaluated_that_can_be_read() {
    let messages = ["tests/data/cli/absent.eml", "tests/data/microsoft365/01-sent-by-the-service.eml"];
    let output = run(&[&["check", "--json", "--zone=tests/data/microsoft365/zone.db"], &messages[..]].concat(), b"");
    assert_eq!(output.status.code(), Some(2));
    let error = "mailverdict: cannot read the message tests/data/cli/absent.eml: no such file or directory\n";
    assert_eq!(text(&output.stderr), error);
    let lines = json_lines(&output.stdout);
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["file"], &lines[0]["dkim"][0]["result"]), (&messages[1].into(), &"pass".into()));
    assert_none(&schema().iter_errors(&lines[0]).map(|error| error.to_string()).collect::<Vec<_>>());
}

/// What a file on Unix would not have is told of, for what arrived may have another verdict.
#[test]
fn mixed_line_ends_are_a_finding() {
    let crlf = read("tests/data/microsoft365/01-sent-by-the-service.eml");
    let lf: Vec<u8> = crlf.iter().copied().filter(|octet| *octet != b'\r').collect();
    let (at, _) = crlf.iter().enumerate().rfind(|(_, octet)| **octet == b'\r').unwrap();
    let mixed = [&crlf[..at], &crlf[at + 1..]].concat();
    let findings = |message: &[u8], more: &[&str]| {
        let zone = ["check", "--json", "--zone", "tests/data/microsoft365/zone.db", "-"];
        let output = run(&[&zone[..], more].concat(), message);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let of_the_message =
            json["findings"].as_array().unwrap().iter().filter(|finding| finding["about"] == "message");
        (json["dkim"][0]["result"].clone(), Value::from_iter(of_the_message.cloned()).to_string())
    };
    assert_eq!(findings(&crlf, &[]), ("pass".into(), "[]".to_owned()));
    assert_eq!(findings(&lf, &[]), ("pass".into(), "[]".to_owned()));
    let (result, told) = findings(&mixed, &[]);
    assert!(result == "pass" && told.contains("1 bare LF beside"), "{result} {told}");
    let (result, told) = findings(&mixed, &["--raw"]);
    assert!(result == "fail" && told.contains("1 bare LF"), "{result} {told}");
    // In the header, where readers make different things of it.
    let at = crlf.windows(10).position(|part| part == b"\r\nSubject:").unwrap();
    let mixed = [&crlf[..at], &crlf[at + 1..]].concat();
    let (result, told) = findings(&mixed, &[]);
    assert!(result == "pass" && told.contains("1 bare LF beside"), "{result} {told}");
    let (result, told) = findings(&mixed, &["--raw"]);
    assert!(
        result == "policy" && told.contains(&format!("the header is malformed at octet {at}: ")),
        "{result} {told}"
    );
    // A bare CR is no line end of any system that saves mail, and stays.
    let bare_cr = [&crlf[..at], b"\r", &crlf[at..]].concat();
    let (result, told) = findings(&bare_cr, &[]);
    assert!(result == "policy" && told.contains("a CR without LF"), "{result} {told}");
}

#[test]
fn a_field_above_its_namesake_is_told_with_the_signature() {
    let signed = read("tests/data/microsoft365/01-sent-by-the-service.eml");
    let above = [b"Subject: another\r\n", &signed[..]].concat();
    let zone = ["--zone", "tests/data/microsoft365/zone.db", "-"];
    let output = run(&[&["check", "--json"], &zone[..]].concat(), &above);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&json["dkim"][0]["result"], &json["dkim"][0]["not_covered"]),
        (&"pass".into(), &serde_json::json!(["Subject"]))
    );
    assert!(json["findings"].to_string().contains("there are 2 Subject fields; one is allowed"));
    let shown = text(&run(&[&["check"], &zone[..]].concat(), &above).stdout);
    assert!(
        shown.replace("\n", " ").split_whitespace().collect::<Vec<_>>().join(" ").contains("more than one Subject"),
        "{shown}"
    );
}

/// Whoever reads the header field alone learns of a disposition that comes of no published policy.
#[test]
fn a_message_of_too_many_authors_is_said_to_be_rejected_in_the_field_as_well() {
    let authors: Vec<String> = (0..11).map(|number| format!("a@d{number}.example")).collect();
    let message = format!("From: {}\r\n\r\nbody\r\n", authors.join(", "));
    let output = run(&["check", "--json", "--zone", "tests/data/microsoft365/zone.db", "-"], message.as_bytes());
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let field = json["authentication_results"].as_str().unwrap();
    assert_eq!((&json["dmarc"]["policy"], &json["disposition"]), (&Value::Null, &"reject".into()));
    assert!(field.contains("policy.dmarc=reject") && !field.contains("dis="), "{field}");
}

/// cli.md: "What could not be read is an empty string", also where an absent tag would have a meaning.
#[test]
fn the_identity_of_a_signature_that_was_not_read_to_its_end_is_not_known() {
    let identity = |signature: &str| {
        let message = format!("DKIM-Signature: {signature}\r\nFrom: a@a.example\r\n\r\nbody\r\n");
        let output = run(&["check", "--json", "--zone", "tests/data/microsoft365/zone.db", "-"], message.as_bytes());
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        json["dkim"][0]["identity"].clone()
    };
    assert_eq!(identity("v=1; d=a.example; s=s; x=\u{1}; i=bob@b.a.example"), "");
    assert_eq!(identity("v=1; d=a.example; i=bob@b.a.example; s=s; x=\u{1}"), "bob@b.a.example");
    assert_eq!(identity("v=1; d=a.example; s=s"), "@a.example");
}
