//! What is signed and sealed here verifies with others: dkimpy, Mail::DKIM and OpenDKIM, where they can be had.
#![cfg(feature = "sign")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::{
    Authenticator, Message, Session,
    authentication_results::AuthenticationResults,
    dkim::{Algorithm, Canonicalization},
    dns::Zone,
    name::Name,
    sign::{PrivateKey, Sealer, Signer, SigningAlgorithm},
    time::UnixTime,
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};
use support::{
    good_faith::messages,
    ready::{drive, now},
    skip::skipped,
};

const NOW: UnixTime = UnixTime(1_759_738_505);
/// Messages, each in four canonicalizations and two algorithms.
const MESSAGES: usize = 1000;

const RSA: (SigningAlgorithm, &str) = (SigningAlgorithm::RsaSha256, "rsa2048");
const ED25519: (SigningAlgorithm, &str) = (SigningAlgorithm::Ed25519Sha256, "ed25519");

fn key(name: &str) -> PrivateKey {
    let path = format!("{}/tests/data/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    PrivateKey::read(&fs::read(path).unwrap()).unwrap()
}

/// The name and the text of a key record.
fn record((algorithm, name): (SigningAlgorithm, &str)) -> (String, String) {
    (format!("{}._domainkey.contoso.com", algorithm.key_type()), key(name).record().unwrap())
}

fn zone() -> Zone {
    let mut zone = Zone::default();
    for (name, text) in [record(RSA), record(ED25519)] {
        zone.add_txt(&Name::parse(&name).unwrap(), text.into_bytes());
    }
    zone
}

fn drawn(count: usize, is_wanted: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let strategy = messages();
    let drawn = std::iter::repeat_with(|| strategy.new_tree(&mut runner).unwrap().current());
    drawn.filter(|raw| is_wanted(raw)).take(count).collect()
}

fn any(_: &[u8]) -> bool {
    true
}

/// All that travels by SMTP does so. Of a body whose last line has no end Mail::DKIM and OpenDKIM take another hash than RFC 6376 §3.4.3 has,
/// each in one of the two canonicalizations.
fn ends_with_a_line(raw: &[u8]) -> bool {
    raw.ends_with(b"\r\n")
}

/// `opendkim -t` writes each field anew with one space behind its colon, which "simple" does not outlast.
fn has_one_space_behind_colons(raw: &[u8]) -> bool {
    let header = String::from_utf8_lossy(raw).split_once("\r\n\r\n").unwrap().0.to_owned();
    let mut starts = header.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    let is_spaced = |value: &str| value.strip_prefix(' ').is_some_and(|value| value.starts_with(|c: char| c != ' '));
    ends_with_a_line(raw) && starts.all(|line| line.split_once(':').is_some_and(|(_, value)| is_spaced(value)))
}

/// Messages, each in four canonicalizations, with a changed one behind each hundred: those must not verify.
fn signed((algorithm, name): (SigningAlgorithm, &str), is_wanted: impl Fn(&[u8]) -> bool) -> Vec<(Vec<u8>, bool)> {
    let key = key(name);
    let mut all = Vec::new();
    for raw in drawn(MESSAGES, is_wanted) {
        let message = Message::parse(&raw).unwrap();
        for header in [Algorithm::Simple, Algorithm::Relaxed] {
            for body in [Algorithm::Simple, Algorithm::Relaxed] {
                let signer = Signer::new("contoso.com", algorithm.key_type(), algorithm).unwrap();
                let signer = signer.with_canonicalization(Canonicalization { header, body });
                let field = drive(signer.sign(&message, &key, NOW)).unwrap();
                all.push(([field.as_bytes(), &raw].concat(), true));
            }
        }
        if all.len() % 101 == 100 {
            let (mut changed, _) = all[all.len() - 1].clone();
            changed.extend(b"More.\r\n");
            all.push((changed, false));
        }
    }
    all
}

/// Runs a program that reads lines and prints one for each but the first.
fn answers(mut command: Command, lines: String) -> Vec<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn assert_agree(cases: &[(Vec<u8>, bool)], answers: &[String]) {
    assert_eq!(cases.len(), answers.len());
    assert!(cases.iter().any(|(_, is_good)| !is_good));
    for ((raw, is_good), answer) in cases.iter().zip(answers) {
        assert_eq!(answer == "pass", *is_good, "{answer}\n{}", String::from_utf8_lossy(raw));
    }
}

/// What dkimpy says, of signatures or chains.
fn dkimpy(cases: &[(Vec<u8>, bool)], arc: bool) -> Option<Vec<String>> {
    let Some(python) = std::env::var_os("MAILVERDICT_PYTHON") else {
        skipped("MAILVERDICT_PYTHON names no Python with dkimpy and pynacl (.ci/run sets it)");
        return None;
    };
    let mut command = Command::new(python);
    command.arg(format!("{}/tests/interop/dkimpy_verify.py", env!("CARGO_MANIFEST_DIR")));
    let records: serde_json::Map<_, _> =
        [record(RSA), record(ED25519)].into_iter().map(|(name, text)| (name, text.into())).collect();
    let mut lines = format!("{}\n", serde_json::Value::Object(records));
    for (raw, _) in cases {
        lines += &format!("{}\n", serde_json::json!({ "message": STANDARD.encode(raw), "arc": arc }));
    }
    Some(answers(command, lines))
}

#[test]
fn dkimpy_verifies_what_is_signed() {
    for algorithm in [RSA, ED25519] {
        let cases = signed(algorithm, any);
        let Some(answers) = dkimpy(&cases, false) else { return };
        println!("dkimpy: {} messages of {}", cases.len(), algorithm.1);
        assert_agree(&cases, &answers);
    }
}

#[test]
fn dkimpy_validates_what_is_sealed() {
    let (key, zone) = (key(RSA.1), zone());
    let sealer = Sealer::new(Signer::new("contoso.com", "rsa", SigningAlgorithm::RsaSha256).unwrap());
    let mut cases = Vec::new();
    for mut raw in drawn(100, any) {
        for _ in 1..=3 {
            let message = Message::parse(&raw).unwrap();
            let session = Session::new([192, 0, 2, 1]).received_at(NOW);
            let verdict = now(Authenticator::new(&zone).authenticate(&message, session));
            let results = AuthenticationResults::new("mx.contoso.com", &verdict);
            let set = drive(sealer.seal(&message, &verdict.arc, &results, &key, NOW)).unwrap();
            raw = [set.as_bytes(), &raw].concat();
            cases.push((raw.clone(), true));
        }
        cases.push(([&raw[..], b"More.\r\n"].concat(), false));
    }
    let Some(answers) = dkimpy(&cases, true) else { return };
    println!("dkimpy: {} chains", cases.len());
    assert_agree(&cases, &answers);
}

/// Whether a program is there, or why not.
fn is_there(program: &str, arguments: &[&str]) -> bool {
    let run = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

/// The Mail::DKIM of Debian 12 knows no Ed25519.
#[test]
fn mail_dkim_verifies_what_is_signed() {
    if !is_there("perl", &["-MMail::DKIM::Verifier", "-e", "1"]) {
        skipped("there is no Perl with Mail::DKIM (libmail-dkim-perl; .ci/run installs it)");
        return;
    }
    let cases = signed(RSA, ends_with_a_line);
    let (name, text) = record(RSA);
    let mut command = Command::new("perl");
    command.arg(format!("{}/tests/interop/mail_dkim_verify.pl", env!("CARGO_MANIFEST_DIR")));
    let lines = cases.iter().map(|(raw, _)| STANDARD.encode(raw) + "\n").collect::<String>();
    let answers = answers(command, format!("{name} {text}\n{lines}"));
    println!("Mail::DKIM: {} messages", cases.len());
    assert_agree(&cases, &answers);
}

/// A folder that goes when it is no longer needed.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn opendkim_verifies_what_is_signed() {
    let Some(program) = ["opendkim", "/usr/sbin/opendkim"].into_iter().find(|program| is_there(program, &["-V"]))
    else {
        skipped("there is no opendkim (.ci/run installs it)");
        return;
    };
    let version = Command::new(program).arg("-V").output().unwrap();
    let knows = |algorithm: &str| {
        let text = [&version.stdout[..], &version.stderr].concat();
        String::from_utf8_lossy(&text).contains(algorithm)
    };
    let folder = Folder(std::env::temp_dir().join(format!("mailverdict-opendkim-{}", std::process::id())));
    fs::create_dir_all(&folder.0).unwrap();
    let records = [record(RSA), record(ED25519)].map(|(name, text)| format!("{name} {text}\n"));
    let keys = folder.0.join("keys");
    fs::write(&keys, records.concat()).unwrap();
    fs::write(folder.0.join("conf"), format!("TestPublicKeys {}\nMode v\n", keys.display())).unwrap();
    for algorithm in [RSA, ED25519] {
        if !knows(algorithm.0.name()) {
            skipped(&format!("this opendkim knows no {}", algorithm.0.name()));
            continue;
        }
        let cases = signed(algorithm, has_one_space_behind_colons);
        let mut told = Vec::new();
        for (batch, cases) in cases.chunks(200).enumerate() {
            let names: Vec<String> = (0..cases.len()).map(|number| format!("{batch}-{number}")).collect();
            for (name, (raw, _)) in names.iter().zip(cases) {
                fs::write(folder.0.join(name), raw).unwrap();
            }
            let mut command = Command::new(program);
            command.args(["-x", "conf", "-t", &names.join(",")]).current_dir(&folder.0);
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            for name in names {
                let line = text.lines().find(|line| line.starts_with(&format!("opendkim: {name}: verification")));
                let line = line.unwrap_or_else(|| panic!("{name} is not told of: {text}"));
                told.push(if line.ends_with(" succeeded") { "pass".to_owned() } else { line.to_owned() });
            }
        }
        println!("OpenDKIM: {} messages of {}", cases.len(), algorithm.1);
        assert_agree(&cases, &told);
    }
}
