//! ARC chains with their answers in memory: `cargo bench --bench arc`.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/support/mod.rs"]
mod support;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mailverdict::{Authenticator, Message, dns::Zone, time::UnixTime};
use std::hint::black_box;
use support::{
    ready::now,
    sealer::{SetOptions, sealed},
    signer::Key,
};

/// About 2 kB, as this many intermediaries have sealed it.
fn message(sets: usize, key: &Key) -> Vec<u8> {
    let header = "From: Alice <alice@contoso.com>\r\nTo: Bob <bob@example.net>\r\nSubject: Lunch\r\n\r\n";
    let body = "The meeting of the customer is between Monday and the quarter,  as ever.\r\n".repeat(18);
    let mut message = (header.to_owned() + &body).into_bytes();
    for instance in 1..=sets {
        let validation = if instance == 1 { "none" } else { "pass" };
        let signature = "i={i}; a=rsa-sha256; c=relaxed/relaxed; d=list.org; s=k; h=From:To:Subject; bh={bh}; b={b}";
        let options = SetOptions {
            instance,
            results: "mx.list.org; none",
            message_signature: signature,
            seal: &format!("i={{i}}; a=rsa-sha256; cv={validation}; d=list.org; s=k; b={{b}}"),
            message_signature_key: key,
            seal_key: key,
        };
        message = sealed(&message, &options);
    }
    message
}

fn chains(c: &mut Criterion) {
    let key = Key::named("rsa2048");
    let mut zone = Zone::new();
    zone.add_txt(&"k._domainkey.list.org".parse().unwrap(), key.record().into_bytes());
    let authenticator = Authenticator::new(zone);
    let mut group = c.benchmark_group("arc");
    for (sets, result) in [(0, "none"), (1, "pass"), (3, "pass"), (10, "pass")] {
        let raw = message(sets, &key);
        let check = || {
            let message = Message::parse(black_box(&raw)).unwrap();
            now(authenticator.check_arc(&message, UnixTime(1_800_000_000)))
        };
        assert_eq!(check().result.keyword(), result);
        group.bench_function(BenchmarkId::new("sets", sets), |b| b.iter(check));
    }
}

criterion_group!(benches, chains);
criterion_main!(benches);
