//! How much memory one message takes from its octets to the verdict and its header field, where a stranger wrote it to take much: no
//! more than a fixed multiple of its size. `cargo test --test peak_memory -- --nocapture` prints the figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Session,
    change::{Settings, changes},
    dns::Zone,
    spf::Observers,
};
use std::net::Ipv4Addr;
use support::{
    hostile_headers::shapes,
    ready::now,
    signer::{Key, SignOptions, sign},
};

/// An aggregate report of so many rows, made while it is read.
#[cfg(feature = "reports")]
struct Rows {
    left: u64,
    piece: std::io::Cursor<Vec<u8>>,
}

#[cfg(feature = "reports")]
impl std::io::Read for Rows {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let read = self.piece.read(to)?;
        if read > 0 || self.left == 0 {
            return Ok(read);
        }
        self.left -= 1;
        let number = self.left;
        self.piece = std::io::Cursor::new(
            format!(
                "<record><row><source_ip>2001:db8::{:x}</source_ip><count>{number}</count></row><odd/></record>\n",
                number % 60_000
            )
            .into_bytes(),
        );
        self.piece.read(to)
    }
}

/// Reports are read row by row: however many there are, and whatever is odd about each of them.
#[cfg(feature = "reports")]
fn rows_of_a_report_take_no_memory_together() {
    let peak_of = |rows| {
        let profiler = dhat::Profiler::builder().testing().build();
        let source = Rows { left: rows, piece: std::io::Cursor::new(b"<feedback>".to_vec()) };
        let mut reader = mailverdict::report::Reader::new(source, mailverdict::report::ReadLimits::default());
        let mut seen = 0;
        while reader.next_row().unwrap().is_some() {
            seen += 1;
        }
        assert_eq!(seen, rows);
        let peak = dhat::HeapStats::get().max_bytes;
        drop(profiler);
        peak
    };
    let (few, many) = (peak_of(1_000), peak_of(100_000));
    println!("a report of 1,000 rows: {few} octets at most; of 100,000: {many}");
    assert!(many <= few + few / 10 && many < 500_000, "{few} {many}");
}

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Octets of memory for each octet of the message; SECURITY.md promises it.
const FACTOR: usize = 48;

/// Octets of memory for each octet of a message of which it is said what changed; `batch` counts as many.
const FACTOR_OF_CHANGES: usize = 20;

/// Bodies of a size that look like what is undone, each with the type and the encoding that the header says.
fn bodies(size: usize) -> Vec<(&'static str, &'static str, &'static str, String)> {
    let parts = "--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=3Cb>=\r\n";
    let of = |text: &str| text.repeat(size / text.len());
    vec![
        ("lines", "text/plain", "7bit", of("A line of  words. \r\n")),
        ("empty lines", "text/plain", "7bit", of("\r\n") + "x"),
        (
            "base64",
            "text/html",
            "base64",
            of("PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+PGI+\r\n"),
        ),
        ("quoted-printable", "text/html", "quoted-printable", of("=3D=3Cbody> of words=\r\n")),
        ("parts", "multipart/mixed; boundary=b", "7bit", of(parts)),
        ("stuffing", "text/plain", "7bit", of(">From \r\n..\r\n--\r\n")),
        ("8bit", "text/plain", "8bit", of("\u{fc}\u{fc} \u{fc}\r\n")),
    ]
}

/// Ten signatures over another message.
fn changed(kind: &str, encoding: &str, body: &str) -> Vec<u8> {
    let header = format!("From: a@example.com\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n");
    let key = Key::named("ed25519");
    let mut raw = Vec::new();
    for c in
        ["relaxed/relaxed", "simple/simple", "relaxed/simple; l=7", "relaxed/relaxed; l=99", "simple/relaxed; l=999"]
    {
        let template =
            format!("v=1; a=ed25519-sha256; c={c}; d=example.com; s=s1; h=from:content-type; bh={{bh}}; b={{b}}");
        let other = format!("From: b@example.com\r\n\r\n{}", "other\r\n".repeat(500));
        raw.extend(sign(other.as_bytes(), &SignOptions::dkim(&template), &key).repeat(2));
    }
    raw.extend(format!("{header}\r\n{body}").into_bytes());
    raw
}

fn to_say_what_changed_takes_no_more_than_some_bodies() {
    let record = format!("s1._domainkey.example.com. TXT \"{}\"\n", Key::named("ed25519").record());
    let authenticator = Authenticator::new(Zone::parse(record, "zone").unwrap());
    for (name, kind, encoding, body) in bodies(1 << 18) {
        let raw = changed(kind, encoding, &body);
        let message = Message::parse(&raw).unwrap();
        let session = Session::new(Ipv4Addr::new(192, 0, 2, 1));
        let mut nobody = Observers { helo: (), mail_from: () };
        let (verdict, log) = now(authenticator.explain(&message, session.clone(), &mut nobody));
        let mut settings = Settings::default();
        // As much for each octet as the default is for 1 MB.
        settings.work = 500 * raw.len() as u64;
        let profiler = dhat::Profiler::builder().testing().build();
        let found = changes(&verdict, &message, &session, &log, &settings);
        let peak = dhat::HeapStats::get().max_bytes;
        drop(profiler);
        println!("{name}, changed: {:.1} octets for each of the message", peak as f64 / raw.len() as f64);
        assert!(peak < FACTOR_OF_CHANGES * raw.len(), "{name}: {peak} octets for {}", raw.len());
        assert!(found.dkim.len() == 10 && found.dkim.iter().all(|changes| !changes.is_empty()), "{found:?}");
    }
}

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
    to_say_what_changed_takes_no_more_than_some_bodies();
    #[cfg(feature = "reports")]
    rows_of_a_report_take_no_memory_together();
}
