//! What several test suites share.
#![allow(dead_code)]

#[cfg(feature = "hickory")]
pub mod dns_server;
