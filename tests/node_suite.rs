//! Where there is no operating system: `tests/node` is built for `wasm32-unknown-unknown`, and Node.js runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/skip.rs"]
mod skip;

use std::{path::Path, process::Command};

const TARGET: &str = "wasm32-unknown-unknown";

/// Messages whose results `tests/node` knows.
const MESSAGES: &str = "6";

/// Runs `main` of a module that is given nothing at all to import, and prints what it ends with.
const RUN: &str = "
    const module = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));
    console.log(new WebAssembly.Instance(module, {}).exports.main(0, 0));
";

#[test]
fn signed_messages_are_evaluated_in_node() {
    let Some(skipped) = missing() else { return run() };
    skip::skipped(skipped);
}

fn missing() -> Option<&'static str> {
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Some("there is no node in PATH");
    }
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(sysroot.stdout).unwrap();
    let is_there = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir();
    (!is_there).then_some("the target is not installed (rustup target add wasm32-unknown-unknown)")
}

fn run() {
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "mailverdict-in-node", "--target", TARGET, "--target-dir"]);
    let status = build.arg(&target_dir).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(status.success(), "tests/node does not build for {TARGET}");
    let module = target_dir.join(TARGET).join("debug/mailverdict-in-node.wasm");
    let output = Command::new("node").args(["-e", RUN]).arg(module).output().unwrap();
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((out.trim(), errors.trim()), (MESSAGES, ""), "messages with the results that are expected of them");
}
