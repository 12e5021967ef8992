//! The help: its headings, its examples, and what is said of a word that is nearly one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::process::{Command, Output};
use support::PROGRAM;

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn help(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const COMMANDS: [&str; 14] = [
    "check",
    "replay",
    "spf",
    "lint",
    "preflight",
    "keygen",
    "sign",
    "seal",
    "batch",
    "report read",
    "report write",
    "completions",
    "schema",
    "man",
];

/// The words of a command, and more.
fn with<'w>(command: &'w str, more: &'w str) -> Vec<&'w str> {
    command.split(' ').chain([more]).collect()
}

/// The option is found below the heading, and no other heading stands between.
#[test]
fn options_stand_below_headings() {
    let places = [
        ("check", "The SMTP session", "ip helo mail-from receiver"),
        ("check", "The session of a saved message, from its Received fields", "border own-network"),
        ("check", "The DNS", "zone dns timeout"),
        ("check", "How messages are judged", "at dmarc trusted-sealer raw"),
        ("check", "Output", "json explain headers authserv-id evidence redact html hops exit-verdict"),
        ("replay", "Output", "json explain headers html"),
        ("spf", "The SMTP session", "ip helo mail-from receiver at"),
        ("spf", "The DNS", "zone dns timeout"),
        ("spf", "Output", "json explain headers"),
        ("lint", "What is known of its mail", "selector message report sender-ip at"),
        ("lint", "The DNS", "zone dns timeout"),
        ("lint", "Output", "json html quiet"),
        ("preflight", "What is planned", "from mail-from ip helo sign message at"),
        ("preflight", "The DNS", "zone dns timeout"),
        ("preflight", "Output", "json"),
        ("sign", "Who signs", "domain selector key algorithm"),
        ("sign", "What is signed", "canonicalization headers oversign identity expires-in at copy-headers force"),
        ("sign", "The DNS", "check zone dns timeout"),
        ("seal", "Who signs", "domain selector key authserv-id"),
        ("seal", "What is signed", "headers force"),
        ("seal", "The SMTP session", "ip helo mail-from receiver"),
        ("seal", "How messages are judged", "at dmarc trusted-sealer"),
        ("seal", "The DNS", "check zone dns timeout"),
        ("report read", "Output", "json csv html max-unpacked"),
        ("report read", "The DNS", "zone dns timeout"),
        ("report write", "Who reports", "submitter org-name email contact"),
        ("report write", "The period", "begin end"),
        ("report write", "Output", "out"),
        ("report write", "The DNS", "zone dns timeout"),
        ("batch", "The DNS", "zone dns timeout"),
        ("batch", "How messages are judged", "at dmarc trusted-sealer receiver"),
        ("batch", "Output", "jobs authserv-id changes"),
    ];
    for (command, heading, options) in places {
        let help = help(&with(command, "-h"));
        let (_, section) = help.split_once(&format!("\n{heading}:\n")).unwrap_or_else(|| panic!("{heading}: {help}"));
        let section = section.split("\n\n").next().unwrap();
        let named = section.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
        let named: Vec<&str> = named.map(|rest| rest.split(' ').next().unwrap()).collect();
        assert_eq!(named, options.split(' ').collect::<Vec<_>>(), "{command}: {heading}");
    }
}

/// The lines that are to be typed.
fn examples(help: &str) -> Vec<String> {
    let (_, section) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples in {help}"));
    let lines = section.replace("\\\n", " ");
    lines.lines().filter_map(|line| line.strip_prefix("    ")).map(str::to_owned).collect()
}

#[test]
fn each_command_has_examples_that_fit_a_terminal() {
    for command in COMMANDS {
        for form in ["-h", "--help"] {
            let help = help(&with(command, form));
            let examples = examples(&help);
            assert!(examples.iter().all(|line| line.starts_with(&format!("mailverdict {command}"))), "{examples:?}");
            assert!(!examples.is_empty());
            let (_, section) = help.split_once("\nExamples:\n").unwrap();
            assert!(section.lines().all(|line| line.len() < 80), "{section}");
        }
    }
}

/// In a folder that has the files that they name; what they ask of the DNS is answered by a zone.
#[cfg(unix)]
#[test]
fn the_examples_can_be_typed() {
    use std::{fs, os::unix::fs::PermissionsExt as _};
    let folder = std::env::temp_dir().join(format!("mailverdict-examples-{}", std::process::id()));
    let home = ["home/.local/share/bash-completion/completions", "home/.local/share/man/man1", "home/.zfunc"];
    for path in home.into_iter().chain(["home/.config/fish/completions", "bin", "reports"]) {
        fs::create_dir_all(folder.join(path)).unwrap();
    }
    let message = "Received: from mail.example.com ([192.0.2.1]) by mx.example.net; Mon, 6 Oct 2025 08:15:05 +0000\n\
                   From: alice@example.com\nDate: Mon, 6 Oct 2025 08:15:05 +0000\nMessage-ID: <1@example.com>\n\nHello\n";
    let separator = "From alice@example.com Mon Oct  6 08:15:05 2025\n";
    let zone = "example.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\nmail.example.com. TXT \"v=spf1 a -all\"\n\
                mail.example.com. A 192.0.2.1\n1.2.0.192.in-addr.arpa. PTR mail.example.com.\n_dmarc.example.com. TXT \"v=DMARC1; p=reject\"\n";
    let report = "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"><record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record></feedback>\n";
    let mail = format!("From: a@b.example\nContent-Type: text/xml\n\n{report}");
    let request = serde_json::json!({ "id": 1, "ip": "192.0.2.1", "message": "message.eml" });
    let answer = format!(
        "#!/bin/sh\ncase \"$1 $*\" in\n*--zone*) ;;\nkeygen*) '{PROGRAM}' \"$@\" | tee -a example.zone; exit ;;\n\
         check*|spf*|lint*|preflight*|batch*|sign*--check*|seal*|report*write*) set -- \"$@\" --zone example.zone ;;\nesac\nexec '{PROGRAM}' \"$@\"\n"
    );
    for (name, content) in [
        ("message.eml", message),
        ("inbox.mbox", &format!("{separator}{message}\n{separator}{message}\n")),
        ("example.zone", zone),
        ("requests.jsonl", &format!("{request}\n")),
        ("domains.txt", "example.com\nmail.example.com\n"),
        ("reports/a.xml", report),
        ("reports.mbox", &format!("{separator}{mail}\n{separator}{mail}\n")),
        ("report.xml.gz", report),
        ("bin/mailverdict", &answer),
        ("bin/man", "#!/bin/sh\ngrep EXAMPLES\n"),
    ] {
        fs::write(folder.join(name), content).unwrap();
    }
    for name in ["bin/mailverdict", "bin/man"] {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let evidence = ["check", "--zone", "example.zone", "--evidence", "evidence.json", "message.eml"];
    assert!(Command::new(PROGRAM).args(evidence).current_dir(&folder).output().unwrap().status.success());
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let mut tried = 0;
    for command in COMMANDS {
        for example in examples(&help(&with(command, "--help"))) {
            let mut shell = Command::new("sh");
            shell.args(["-e", "-c", &example]).current_dir(&folder).env("PATH", &path).env("HOME", folder.join("home"));
            let output = shell.output().unwrap();
            let shown = format!("{example}: {output:?}");
            assert!(output.status.success() && output.stderr.is_empty(), "{shown}");
            if let Some((_, file)) = example.split_once("> ").filter(|_| !example.contains("< message")) {
                let file = file.replace('~', "home");
                assert!(fs::metadata(folder.join(file.trim())).unwrap().len() > 0, "{shown}");
            } else {
                assert!(!output.stdout.is_empty(), "{shown}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 15, "{tried}");
    let results = fs::read_to_string(folder.join("results.jsonl")).unwrap();
    assert!(results.contains(r#""spf":{"helo""#), "{results}");
    assert!(fs::read_to_string(folder.join("page.html")).unwrap().starts_with("<!DOCTYPE html>"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_was_probably_meant_is_named() {
    for (arguments, told) in [
        (&["chek"][..], "unrecognized subcommand 'chek'; did you mean check or schema? See mailverdict --help"),
        (&["lunch"], "unrecognized subcommand 'lunch'; see mailverdict --help"),
        (
            &["check", "--zoen", "x"],
            "unexpected argument '--zoen' found; did you mean --zone? See mailverdict check --help",
        ),
        (&["spf", "--lunch"], "unexpected argument '--lunch' found; see mailverdict spf --help"),
        (
            &["check", "--dmarc=rfc748"],
            "invalid value 'rfc748' for '--dmarc <DMARC>' [possible values: rfc9989, rfc7489, both]; did you mean rfc7489? \
             See mailverdict check --help",
        ),
        (
            &["check", "--dmarc=x"],
            "invalid value 'x' for '--dmarc <DMARC>' [possible values: rfc9989, rfc7489, both]; see mailverdict check \
             --help",
        ),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("mailverdict: {told}\n"));
    }
}

/// It is bad usage, and who does not know the program learns what it can do.
#[test]
fn without_a_command_the_program_says_what_it_can_do() {
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    let words = COMMANDS.iter().map(|command| command.split(' ').next().unwrap());
    assert!(words.clone().all(|command| told.contains(command)), "{told}");
    assert!(told.ends_with("\nA command is missing. mailverdict --help tells of all commands, and\nmailverdict check --help of one, with examples.\n"));
    assert!(told.lines().count() <= 22 && told.lines().all(|line| line.len() < 80), "{told}");
}
