//! `mailverdict-milter`: SPF, DKIM, DMARC and ARC inside a mail server, in one process.
//!
//! This library is what the program is made of; it promises nothing to others.

pub mod cannot_run;
pub mod changes;
pub mod client;
pub mod config;
pub mod connection;
pub mod decision;
pub mod history;
pub mod keys;
pub mod log;
pub mod mail;
pub mod metrics;
pub mod protocol;
pub mod running;
pub mod server;
pub mod shared;
pub mod socket;
pub mod told;
