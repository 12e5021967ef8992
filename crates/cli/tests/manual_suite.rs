//! What the program says of itself: completions, manual pages, and the schema of its JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mailverdict")).args(arguments).output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_shell_completes_commands_and_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let completions = printed(&["completions", shell]);
        for word in ["check", "batch", "own-network", "exit-verdict"] {
            assert!(completions.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn manual_pages_have_what_the_help_has() {
    let page = printed(&["man"]);
    assert!(page.contains(".TH mailverdict 1") && page.contains(r"mailverdict\-batch(1)"), "{page}");
    for command in ["check", "spf", "lint", "preflight", "batch", "report read", "report write"] {
        let words: Vec<&str> = command.split(' ').collect();
        let page = printed(&[&["man"][..], &words].concat());
        assert!(page.contains(&format!(".TH mailverdict-{} 1", command.replace(' ', "-"))), "{page}");
        let help = printed(&[&words[..], &["--help"]].concat());
        let options = help
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("--"))
            .map(|word| word.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>());
        let options: Vec<_> = options.filter(|option| !option.is_empty()).collect();
        assert!(options.len() > 5, "{help}");
        assert!(page.contains("\n.SH EXAMPLES\n"), "{page}");
        for option in options {
            assert!(page.contains(&format!(r"\-\-{}", option.replace('-', r"\-"))), "{command}: --{option}");
        }
    }
}

#[test]
fn the_schema_is_that_of_what_check_prints() {
    let schema: serde_json::Value = serde_json::from_str(&printed(&["schema"])).unwrap();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let (zone, message) = ("tests/data/microsoft365/zone.db", "tests/data/microsoft365/01-sent-by-the-service.eml");
    let arguments = ["check", "--json", "--zone", &format!("{root}/{zone}"), &format!("{root}/{message}")];
    let result: serde_json::Value = serde_json::from_str(&printed(&arguments)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&result));
    assert!(!validator.is_valid(&serde_json::json!({"spf": null})));
}

#[test]
fn the_schemas_of_spf_and_batch_stand_by_themselves() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let zone = format!("--zone={root}/tests/data/microsoft365/zone.db");
    let schema = |of| {
        let schema: serde_json::Value = serde_json::from_str(&printed(&["schema", of])).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    };
    let spf = printed(&["spf", "--json", &zone, "--ip=192.0.2.66", "--mail-from=alice@contoso.com"]);
    let spf: serde_json::Value = serde_json::from_str(&spf).unwrap();
    assert!(schema("spf").is_valid(&spf), "{spf}");
    let without = |mut of: serde_json::Value, member| {
        of.as_object_mut().unwrap().remove(member).unwrap();
        of
    };
    assert!(!schema("spf").is_valid(&without(spf, "findings")));
    let message = format!("{root}/tests/data/microsoft365/04-spoof.eml");
    let requests = [
        serde_json::json!({"id": 1, "ip": "192.0.2.66", "message": message}),
        serde_json::json!({"id": "2", "ip": "192.0.2.66", "mail_from": "alice@contoso.com"}),
        serde_json::json!({"id": null, "message": "/absent"}),
    ];
    let requests = requests.map(|request| format!("{request}\n")).concat();
    let mut batch = Command::new(env!("CARGO_BIN_EXE_mailverdict"))
        .args(["batch", &zone])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    batch.stdin.take().unwrap().write_all(requests.as_bytes()).unwrap();
    let lines = String::from_utf8(batch.wait_with_output().unwrap().stdout).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let schema = schema("batch");
    let errors = |line| schema.iter_errors(line).map(|error| error.to_string()).collect::<Vec<_>>();
    assert_eq!(lines.iter().map(errors).collect::<Vec<_>>(), [const { Vec::<String>::new() }; 3]);
    for (line, member) in lines.into_iter().zip(["dmarc", "oddities", "error"]) {
        assert!(!schema.is_valid(&without(line.clone(), member)), "{member}");
        assert!(!schema.is_valid(&without(line, "id")));
    }
}

#[test]
fn an_unknown_command_has_no_page() {
    let output = run(&["man", "lunch"]);
    assert_eq!(output.status.code(), Some(2));
    let told = "mailverdict: there is no command \"lunch\"; there are check, replay, spf, batch, lint, preflight, report, keygen, sign, seal, completions, schema, man\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), told);
}
