//! How much memory `mailverdict batch` takes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::json;
use std::{
    fs,
    io::{BufRead as _, Write as _},
    net::UdpSocket,
    thread::sleep,
    time::Duration,
};
use support::{
    batch::{Batch, Folder, ZONE, request},
    hostile_headers::shapes,
    read,
};

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
            assert!(batch.output().skip_until(b'\n').unwrap() > 2_000);
        }
        // 80 MB have gone through, and the run waits for more.
        let grown = batch.peak_memory() - before;
        assert!(grown < 12_000, "{grown} kB more than with one line");
        drop(writer.join().unwrap());
    });
    assert_eq!(batch.status(), Some(0));
}

/// docs/command-line.md promises it: a message takes up to four times its size and 72 times that of its header.
#[test]
fn a_message_takes_no_more_than_is_set_aside_for_it() {
    let folder = Folder::new("batch-memory");
    let mut messages = shapes(1 << 18);
    // Of a body that was changed after signing, more is told than that.
    let signed = String::from_utf8(read("tests/data/microsoft365/01-sent-by-the-service.eml")).unwrap();
    let signed = signed.replace("\r\n", "\n");
    let (header, _) = signed.split_once("\n\n").unwrap();
    for line in ["\n", "x\n", "x\r\n", "xxxxxxxxxxxxxxxxxxxxxxxx\n"] {
        let changed = header.to_owned() + "\n\n" + &line.repeat((1 << 20) / line.len()) + "end\n";
        messages.push(("a body that was changed", changed.into_bytes()));
    }
    // The first one is small: what it takes is taken once for all.
    for (name, message) in [("small", b"From: a@example.com\r\n\r\n".to_vec())].into_iter().chain(messages) {
        let path = folder.path("message");
        fs::write(&path, &message).unwrap();
        let mut batch = Batch::start(&["--jobs=1", ZONE]);
        let mut peak = |request: serde_json::Value| {
            batch.send(&format!("{request}\n"));
            assert!(batch.result().unwrap()["dmarc"].is_object(), "{name}");
            batch.peak_memory()
        };
        let before = peak(json!({"message": "tests/data/microsoft365/03-scanner.eml"}));
        let grown = peak(json!({"message": path})) - before;
        let empty_line = |octets: &[u8]| octets.starts_with(b"\n\n") || octets.starts_with(b"\n\r\n");
        let header = message.windows(3).position(empty_line).unwrap();
        let promised = (4 * message.len() + 72 * header) / 1024;
        println!("{name}: {grown} kB of {promised}");
        // What the allocator and the system round up to comes on top.
        assert!(grown < promised + 1_000, "{name}: {grown} kB instead of {promised}");
    }
}

/// The same where it is said what changed: twenty times its size.
#[test]
fn to_say_what_changed_takes_no_more_than_is_set_aside_for_it() {
    let folder = Folder::new("batch-memory-of-changes");
    let signed = String::from_utf8(read("tests/data/microsoft365/01-sent-by-the-service.eml")).unwrap();
    let (header, _) = signed.split_once("\r\n\r\n").unwrap();
    for line in ["\r\n", "x\n", "=C3=BC=\r\n", "xxxxxxxxxxxxxxxxxxxxxxxx\r\n"] {
        let message = format!("{header}\r\n\r\n{}end\r\n", line.repeat((1 << 20) / line.len()));
        let path = folder.file("message", &message);
        let mut batch = Batch::start(&["--jobs=1", "--changes", ZONE]);
        let mut peak = |request: serde_json::Value| {
            batch.send(&format!("{request}\n"));
            assert!(batch.result().unwrap()["dkim"][0]["changes"].is_array());
            batch.peak_memory()
        };
        let before = peak(json!({"message": "tests/data/microsoft365/01-sent-by-the-service.eml"}));
        let grown = peak(json!({"message": path})) - before;
        let promised = (20 * message.len() + 72 * header.len()) / 1024;
        println!("{line:?}, changed: {grown} kB of {promised}");
        // What the allocator and the system round up to comes on top.
        assert!(grown < promised + 1_000, "{line:?}: {grown} kB instead of {promised}");
    }
}

#[test]
fn headers_have_a_limit() {
    let folder = Folder::new("batch-header");
    let mut batch = Batch::start(&[ZONE]);
    for (len, error) in [(8 << 20, None), ((8 << 20) + 1, Some("the header is longer than 8388608 octets"))] {
        let field = "Subject: \r\n";
        let header = "Subject: ".to_owned() + &"x".repeat(len - field.len()) + "\r\n";
        let path = folder.file("message", &(header + "\r\nbody\r\n"));
        batch.send(&format!("{}\n", json!({"message": path})));
        assert_eq!(batch.result().unwrap()["error"].as_str(), error);
    }
}

/// Results that are many times as large as their requests wait for the first one, and what they take up is bounded.
#[test]
fn memory_is_bounded_where_large_results_wait() {
    const REQUESTS: usize = 48;
    let folder = Folder::new("batch-results");
    // A result of 19 MB without a question to the DNS; and the first request waits for an answer that does not come.
    let message = folder.file("message", &("DKIM-Signature:\r\n".repeat(61_000) + "\r\n"));
    let server = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let mut batch = Batch::start(&["--timeout=600", "--dns", &server.local_addr().unwrap().to_string()]);
    batch.send(&request("1"));
    for _ in 0..REQUESTS {
        batch.send(&format!("{}\n", json!({"message": message})));
    }
    // Until no more is evaluated.
    let (mut peak, mut unchanged) = (0, 0);
    while peak < 200_000 || unchanged < 8 {
        sleep(Duration::from_millis(250));
        unchanged = if batch.peak_memory() == peak { unchanged + 1 } else { 0 };
        peak = batch.peak_memory();
    }
    // 930 MB are asked for.
    assert!(peak < 512 * 1024 + 200_000, "{peak} kB");
}
