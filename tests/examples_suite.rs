//! The examples run, and say what the library says.
#![cfg(feature = "hickory")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/dns_server.rs"]
#[allow(dead_code, unreachable_pub)]
mod dns_server;
#[path = "support/story.rs"]
mod story;
#[path = "../examples/udp_socket.rs"]
#[allow(unreachable_pub)]
mod udp_socket;

use dns_server::DnsServer;
use mailverdict::{Authenticator, Message, Policy};

/// Every story, once with the zone in memory and once over a socket.
#[test]
fn a_loop_over_a_udp_socket() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let zone = std::fs::read_to_string(story::folder().join("zone.db")).unwrap();
    let server = runtime.block_on(DnsServer::start(&zone));
    let policy = Policy::default();
    for story in story::stories() {
        let octets = story.octets();
        let message = Message::parse(&octets).unwrap();
        let verdict = udp_socket::evaluate(server.address, &policy, story.session(), &message).unwrap();
        let in_memory = Authenticator::new(story::zone()).authenticate_at_once(&message, story.session());
        assert_eq!(verdict, in_memory, "{}", story.title);
    }
}
