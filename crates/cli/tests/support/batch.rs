//! `mailverdict batch`, driven.

use super::{PROGRAM, ROOT, sigint};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

pub const ZONE: &str = "--zone=tests/data/microsoft365/zone.db";

/// `batch`, started.
pub struct Batch {
    pub child: Child,
    pub input: Option<ChildStdin>,
    output: Option<BufReader<ChildStdout>>,
}

impl Batch {
    pub fn start(arguments: &[&str]) -> Self {
        Self::of(&mut command(arguments))
    }

    /// Started so that it hears of SIGINT; `None`, aloud, where it would not.
    pub fn interruptible(arguments: &[&str]) -> Option<Self> {
        Some(Self::of(prepared(&mut sigint::hearing(PROGRAM)?, arguments)))
    }

    /// By a command that comes to it.
    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = child.stdout.take().map(BufReader::new);
        Self { child, input, output }
    }

    pub fn send(&mut self, lines: &str) {
        self.input.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    }

    pub fn output(&mut self) -> &mut BufReader<ChildStdout> {
        self.output.as_mut().unwrap()
    }

    /// Nobody reads the results any more.
    pub fn close_output(&mut self) {
        self.output = None;
    }

    /// The next result; `None` at the end.
    pub fn result(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.output().read_line(&mut line).unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    pub fn interrupt(&self) {
        let killed = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    pub fn status(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// The most memory that it had so far, in kB.
    pub fn peak_memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// Nobody is left behind by a test that fails.
impl Drop for Batch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    prepared(&mut command, arguments);
    command
}

fn prepared<'c>(command: &'c mut Command, arguments: &[&str]) -> &'c mut Command {
    command.arg("batch").args(arguments).current_dir(ROOT)
}

/// A request that the zone of [`ZONE`] answers.
pub fn request(id: &str) -> String {
    format!("{{\"id\":{id},\"ip\":\"203.0.113.25\",\"mail_from\":\"scanner@fabrikam.com\"}}\n")
}

/// A folder that is there for one test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("mailverdict-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.0.join(name), content).unwrap();
        self.path(name)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
