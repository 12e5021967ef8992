//! What the program says of itself: completions, manual pages, and the schema of its JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::{Command, Output};

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
    for command in ["check", "spf", "lint", "batch"] {
        let page = printed(&["man", command]);
        assert!(page.contains(&format!(".TH mailverdict-{command} 1")), "{page}");
        let help = printed(&[command, "--help"]);
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
fn an_unknown_command_has_no_page() {
    let output = run(&["man", "lunch"]);
    assert_eq!(output.status.code(), Some(2));
    let told = "mailverdict: there is no command \"lunch\"; there are check, replay, spf, batch, lint, completions, schema, man\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), told);
}
