//! What several test suites share.
#![allow(dead_code, unreachable_pub)]

#[cfg(feature = "hickory")]
pub mod dns_server;
