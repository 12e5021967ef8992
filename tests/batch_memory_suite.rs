//! How much memory `mailverdict batch` takes.
#![cfg(all(feature = "cli", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::{
    io::{BufRead as _, Write as _},
    net::UdpSocket,
};
use support::batch::{Batch, request};

/// However long the input is, and though all results wait for the first: what is read ahead is bounded.
#[test]
fn memory_is_bounded_on_input_without_end() {
    const LINES: usize = 20_000;
    let server = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let mut batch = Batch::start(&["--timeout=1", "--dns", &server.local_addr().unwrap().to_string()]);
    let junk = format!("{{\"id\":\"{}\",\"ip\":1}}\n", "x".repeat(2_000));
    batch.send(&junk);
    assert!(batch.result().is_some());
    let before = batch.peak_memory();
    let mut input = batch.input.take().unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            input.write_all(request("1").as_bytes()).unwrap();
            for _ in 0..LINES {
                input.write_all(junk.as_bytes()).unwrap();
            }
            input
        });
        assert_eq!(batch.result().unwrap()["id"], 1);
        for _ in 0..LINES {
            assert!(batch.output.skip_until(b'\n').unwrap() > 2_000);
        }
        // 80 MB have gone through, and the run waits for more.
        let grown = batch.peak_memory() - before;
        assert!(grown < 12_000, "{grown} kB more than with one line");
        drop(writer.join().unwrap());
    });
    assert_eq!(batch.status(), Some(0));
}
