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

use std::{fs, path::Path};

/// The program that is tested.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mailverdict");

/// The folder of the library, whose README.md and tests/data the paths of the tests begin at.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What a file below [`ROOT`] holds.
pub fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
