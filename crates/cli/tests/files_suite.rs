//! The files that `check` reads: several messages in one (mbox), and what gzip packed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Output},
};
use support::{PROGRAM, ROOT, read};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mailverdict-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, octets: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, octets).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn check(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(["check", "--json", "--zone=tests/data/microsoft365/zone.db"])
        .args(arguments)
        .current_dir(ROOT)
        .output()
        .unwrap()
}

fn results(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn packed(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// As a mail program on Unix stores it.
fn stored(path: &str) -> Vec<u8> {
    let message: Vec<u8> = read(path).into_iter().filter(|octet| *octet != b'\r').collect();
    [b"From MAILER-DAEMON Mon Oct  6 08:15:05 2025\n", &message[..], b"\n"].concat()
}

const MESSAGES: [&str; 3] = [
    "tests/data/microsoft365/01-sent-by-the-service.eml",
    "tests/data/microsoft365/04-spoof.eml",
    "tests/data/microsoft365/03-scanner.eml",
];

/// The results are those of the messages by themselves, packed or not, whatever the name.
#[test]
fn each_message_of_an_mbox_has_its_own_result() {
    let folder = Folder::new("mbox");
    let mbox = MESSAGES.map(stored).concat();
    let expected = results(&check(&MESSAGES));
    assert_eq!(expected.len(), 3);
    let marked = [b"\xef\xbb\xbf", &mbox[..]].concat();
    let files = [("a.mbox", mbox.clone()), ("b.mbox.gz", packed(&mbox)), ("c.eml", packed(&mbox)), ("d.mbox", marked)];
    for (name, octets) in files {
        let path = folder.file(name, &octets);
        let output = check(&[&path]);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", told(&output));
        let mut found = results(&output);
        for (number, result) in (1..).zip(&mut found) {
            assert_eq!(result["file"], format!("{path}!{number}"));
            result["file"] = MESSAGES[number - 1].into();
        }
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_packed_message_is_the_message() {
    let folder = Folder::new("packed");
    let message = read(MESSAGES[0]);
    let path = folder.file("a.eml", &packed(&message));
    let expected = results(&check(&[MESSAGES[0]]));
    assert_eq!(expected[0]["dkim"][0]["result"], "pass");
    assert_eq!(results(&check(&[&path])), expected);
    // Once is what a mail program does.
    let output = check(&[&folder.file("b.eml.gz", &packed(&packed(&message)))]);
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("b.eml.gz: the file is packed by gzip, and what is in it again; unpack it first"));
}

#[test]
fn batch_reads_packed_messages_and_tells_other_files_by_name() {
    let folder = Folder::new("batch");
    let message = read(MESSAGES[0]);
    let whole = packed(&message);
    let files = [
        folder.file("a.eml.gz", &whole),
        folder.file("b.eml.gz", &whole[..whole.len() - 1]),
        folder.file("c.zip", b"PK\x03\x04junk"),
        folder.file("d.eml", &message),
    ];
    let requests = files.map(|path| format!("{}\n", serde_json::json!({ "id": 1, "message": path }))).concat();
    let requests = folder.file("requests", requests.as_bytes());
    let output = Command::new(PROGRAM)
        .args(["batch", "--zone=tests/data/microsoft365/zone.db"])
        .current_dir(ROOT)
        .stdin(fs::File::open(requests).unwrap())
        .output()
        .unwrap();
    let results = results(&output);
    assert_eq!(results[3]["dkim"][0]["result"], "pass");
    assert_eq!(results[0], results[3]);
    assert_eq!(results[1]["error"], "cannot read the message: it is packed by gzip, and its end is missing");
    assert_eq!(results[2]["error"], "the file is a zip archive; unpack it first");
}

/// What mboxrd put before `From ` goes; --raw leaves it.
#[test]
fn quoted_lines_of_an_mbox_are_as_they_were() {
    let folder = Folder::new("quoted");
    let separator = "From a Mon Oct  6 08:15:05 2025\n";
    // In the header, where readers tell the difference.
    let message = "From: scanner@fabrikam.com\n>From b Mon Oct  6 08:15:05 2025\n\n";
    let path = folder.file("a.mbox", format!("{separator}{message}{separator}{message}").as_bytes());
    let findings = |arguments: &[&str]| {
        let results = results(&check(arguments));
        assert_eq!(results.len(), 2);
        results[0]["findings"].to_string()
    };
    let is_separator =
        |findings: String| findings.contains("a separator line of an mbox file that is not the first line");
    assert!(is_separator(findings(&[&path])));
    assert!(!is_separator(findings(&["--raw", &path])));
}

/// One that is none keeps none of the others back.
#[test]
fn what_is_no_message_in_an_mbox_is_told_by_its_number() {
    let folder = Folder::new("none");
    let separator = "From a Mon Oct  6 08:15:05 2025\n";
    let message = "From: scanner@fabrikam.com\n\nHello\n\n";
    let mbox = format!("{separator}{message}{separator}junk\n\n{separator}{message}");
    let path = folder.file("a.mbox", mbox.as_bytes());
    let output = check(&[&path, MESSAGES[0]]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told(&output).starts_with(&format!("mailverdict: {path}!2: the message has no header")),
        "{}",
        told(&output)
    );
    let files: Vec<_> = results(&output).iter().map(|result| result["file"].clone()).collect();
    assert_eq!(files, [format!("{path}!1"), format!("{path}!3"), MESSAGES[0].to_owned()]);
}

/// What does not fit one of several says of which it speaks.
#[test]
fn an_option_that_does_not_fit_a_message_names_it() {
    let output = check(&["--border=2", MESSAGES[0], MESSAGES[2]]);
    assert_eq!(output.status.code(), Some(2));
    let told = told(&output);
    assert_eq!(told, format!("mailverdict: {}: --border 2: the message has 1 hop\n", MESSAGES[2]));
    assert_eq!(results(&output).len(), 1);
}

/// What is left of a damaged file is not lost.
#[test]
fn a_packed_mbox_that_is_cut_off_is_read_as_far_as_it_goes() {
    let folder = Folder::new("cut");
    let mbox = MESSAGES.map(stored).concat();
    let mut whole = packed(&mbox);
    whole.truncate(whole.len() - 9);
    let path = folder.file("a.mbox.gz", &whole);
    let output = check(&[&path]);
    assert_eq!(output.status.code(), Some(2));
    let error = format!("mailverdict: cannot read the message {path}: it is packed by gzip, and its end is missing\n");
    assert_eq!(told(&output), error);
    assert_eq!(results(&output).len(), 2);
}
