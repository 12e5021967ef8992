//! Programs that hear of SIGINT, whoever started the tests: `nohup` in some shells, background jobs of scripts and some CI have it ignored,
//! and a child inherits that.
#![allow(dead_code, unreachable_pub)]

use super::skip::skipped;
use std::{
    fs,
    process::{Command, Stdio},
};

/// Programs that give SIGINT its default disposition, and become the program that their arguments name: GNU coreutils since 8.31, Perl and
/// Python.
pub const WRAPPERS: [&[&str]; 3] = [
    &["env", "--default-signal=INT"],
    &["perl", "-e", "$SIG{INT} = 'DEFAULT'; exec { $ARGV[0] } @ARGV or die"],
    &[
        "python3",
        "-c",
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])",
    ],
];

/// A command that runs the program with the default disposition; `None`, aloud, where that cannot be had.
pub fn hearing(program: &str) -> Option<Command> {
    let ignored = fs::read_to_string("/proc/self/status").ok().map(|status| is_ignored(&status));
    if ignored == Some(false) {
        return Some(Command::new(program));
    }
    match (WRAPPERS.iter().find(|wrapper| is_there(wrapper)), ignored) {
        (Some(wrapper), _) => Some(wrapped(wrapper, program)),
        // Hardly anybody ignores it.
        (None, None) => Some(Command::new(program)),
        (None, Some(_)) => {
            skipped("SIGINT is ignored here, and neither env of coreutils nor perl nor python3 can give it back");
            None
        }
    }
}

/// The wrapper with the program.
pub fn wrapped(wrapper: &[&str], program: &str) -> Command {
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(program);
    command
}

/// Whether the wrapper can be had, and does what it is asked for.
pub fn is_there(wrapper: &[&str]) -> bool {
    let probe = wrapped(wrapper, "true").stdout(Stdio::null()).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}

/// Whether a process ignores SIGINT, by its status as Linux writes it.
pub fn is_ignored(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    u64::from_str_radix(ignored.trim(), 16).is_ok_and(|signals| signals & 0b10 != 0)
}
