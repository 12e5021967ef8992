//! What the tests of the command line share, with each other and with those of the library.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(target_os = "linux")]
pub mod batch;
#[path = "../../../../tests/support/dns_server.rs"]
pub mod dns_server;
#[path = "../../../../tests/support/faulty_dns.rs"]
pub mod faulty_dns;
#[path = "../../../../tests/support/hostile_headers.rs"]
pub mod hostile_headers;
pub mod html;
#[cfg(target_os = "linux")]
pub mod pages;
#[cfg(unix)]
pub mod sigint;
#[path = "../../../../tests/support/skip.rs"]
pub mod skip;
#[path = "../../../../tests/support/story.rs"]
pub mod story;

use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

/// The program that is tested.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mailverdict");

/// The folder of the library, whose README.md and tests/data the paths of the tests begin at.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What a file below [`ROOT`] holds.
pub fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs the program at the root of the tree, with this on standard input.
pub fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .current_dir(ROOT)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A run that fails before it reads its input closes the pipe; what it says is judged, not that.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    })
}

/// A schema that is published allows for members to come; here each has to be in it.
pub fn strict(mut schema: Value) -> jsonschema::Validator {
    let mut objects = vec![&mut schema];
    while let Some(value) = objects.pop() {
        match value {
            Value::Object(members) => {
                if members.get("properties").is_some_and(Value::is_object) {
                    members.insert("additionalProperties".into(), false.into());
                }
                objects.extend(members.values_mut());
            }
            Value::Array(members) => objects.extend(members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    jsonschema::validator_for(&schema).unwrap()
}
