//! How much memory one message takes from its octets to the verdict and its header field, where a stranger wrote it to take much: no
//! more than a fixed multiple of its size. `cargo test --test peak_memory -- --nocapture` prints the figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{Authenticator, Message, Session, dns::Zone};
use std::net::Ipv4Addr;
use support::{hostile_headers::shapes, ready::now};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Octets of memory for each octet of the message; SECURITY.md promises it.
const FACTOR: usize = 48;

/// One test, as the counter counts for the whole process.
#[test]
fn memory_is_a_fixed_multiple_of_the_message() {
    let authenticator = Authenticator::new(Zone::parse("example.com. TXT \"v=spf1 -all\"\n", "zone").unwrap());
    for (name, message) in shapes(1 << 18) {
        let session = || Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from("a@example.com");
        let profiler = dhat::Profiler::builder().testing().build();
        let parsed = Message::parse(&message).unwrap();
        let verdict = now(authenticator.authenticate(&parsed, session()));
        let field = verdict.to_header_field("mx.example.net");
        let peak = dhat::HeapStats::get().max_bytes;
        drop(profiler);
        println!("{name}: {:.1} octets for each of the message", peak as f64 / message.len() as f64);
        assert!(peak < FACTOR * message.len(), "{name}: {peak} octets for {}", message.len());
        assert!(!field.is_empty());
    }
}
