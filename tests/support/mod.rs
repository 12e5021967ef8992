//! What several test suites share.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod case;
pub mod dkim_case;
#[cfg(feature = "hickory")]
pub mod dns_server;
pub mod evidence;
#[cfg(feature = "hickory")]
pub mod faulty_dns;
pub mod good_faith;
pub mod hostile_headers;
pub mod near;
#[cfg(feature = "hickory")]
pub mod nsd;
pub mod pieces;
pub mod ready;
pub mod recording;
pub mod sealer;
pub mod signer;
pub mod skip;
