//! DKIM with its answers in memory: `cargo bench --bench dkim`.
#![allow(missing_docs, dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/support/ready.rs"]
mod ready;
#[path = "../tests/support/signer.rs"]
mod signer;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mailverdict::{
    Authenticator, Evaluation, Session,
    crypto::{self, ED25519_SHA256, ED25519_SHA256_REFERENCE, RSA_SHA256, RSA_SHA256_REFERENCE},
    dkim::{Algorithm, KeyRecord, Policy, Signature},
    dns::Zone,
    message::Message,
    name::Name,
    time::UnixTime,
};
use ready::now;
use sha2::Digest as _;
use signer::{Key, SignOptions, signed};
use std::hint::black_box;

const NOW: UnixTime = UnixTime(1_800_000_000);

const TEMPLATE: &str = "v=1; a={a}; c=relaxed/relaxed; d=example.com; s={s}; t=1790000000;\r\n \
    h=from:to:subject:date:message-id:mime-version:content-type:reply-to:from:subject;\r\n bh={bh};\r\n b={b}";

/// Plain text: lines of words, and an empty line now and then.
fn text(octets: usize) -> Vec<u8> {
    let lines =
        ["The meeting is at noon,  in the usual place.", "", "Bring your own tea; the kettle is broken again. ", "-- "];
    lines.iter().cycle().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).take(octets - 2).chain(*b"\r\n").collect()
}

/// An attachment in base64: lines of 76 letters.
fn attachment(octets: usize) -> Vec<u8> {
    let line =
        [&b"JVBERi0xLjQKJeLjz9MKMSAwIG9iago8PAovVHlwZSAvQ2F0YWxvZwovUGFnZXMgMiAwIFIKPj4K"[..76], b"\r\n"].concat();
    line.iter().copied().cycle().take(octets / 78 * 78).collect()
}

fn message(body: &[u8]) -> Vec<u8> {
    let trace = "Received: from a.example.net (a.example.net [192.0.2.1])\r\n\tby mx.example.org (Postfix) with ESMTPS id 4ABC\r\n\t\
        for <you@example.org>; Fri, 20 Nov 2026 10:00:00 +0000 (UTC)\r\n";
    let header = "From: Joe SixPack <joe@example.com>\r\nTo: you@example.org\r\nSubject: lunch\r\n\
        Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\n";
    [trace.repeat(5).as_bytes(), header.as_bytes(), body].concat()
}

/// The message signed with the keys, and their zone.
fn signed_by(keys: &[&str], body: &[u8]) -> (Vec<u8>, Zone) {
    let (mut raw, mut zone) = (message(body), Zone::new());
    for name in keys {
        let key = Key::named(name);
        let algorithm = if name.starts_with("ed25519") { "ed25519-sha256" } else { "rsa-sha256" };
        let template = TEMPLATE.replace("{a}", algorithm).replace("{s}", name);
        raw = signed(&raw, &SignOptions::dkim(&template), &key);
        zone.add_txt(&Name::parse(&format!("{name}._domainkey.example.com")).unwrap(), key.record().into_bytes());
    }
    (raw, zone)
}

fn verify(policy: &Policy, zone: &Zone, raw: &[u8]) -> bool {
    let message = Message::parse(raw).unwrap();
    let mut whole = mailverdict::Policy::default();
    whole.dkim = policy.clone();
    let authenticator = Authenticator::new(zone).with_policy(whole);
    now(authenticator.check_dkim(&message, NOW)).iter().all(|report| report.result.keyword() == "pass")
}

fn body(c: &mut Criterion) {
    let mut group = c.benchmark_group("dkim/body of 1 MB");
    for (kind, body) in [("text", text(1_000_000)), ("attachment", attachment(1_000_000))] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        for algorithm in [Algorithm::Simple, Algorithm::Relaxed] {
            group.bench_function(format!("canonicalized {algorithm}, {kind}"), |b| {
                b.iter(|| {
                    let mut octets = 0;
                    algorithm.canonicalize_body(black_box(&body), |piece| octets += black_box(piece).len());
                    octets
                });
            });
        }
        group.bench_function(format!("SHA-256 alone, {kind}"), |b| b.iter(|| sha2::Sha256::digest(black_box(&body))));
    }
    group.finish();
}

fn header(c: &mut Criterion) {
    let policy = mailverdict::Policy::default();
    let session = || Session::without_peer().received_at(NOW);
    let (raw, _) = signed_by(&["rsa2048"], b"Hi.\r\n");
    let message = Message::parse(&raw).unwrap();
    c.bench_function("dkim/header split into fields", |b| b.iter(|| Message::parse(black_box(&raw)).unwrap()));
    let value = message.header().fields()[0].value();
    c.bench_function("dkim/signature field parsed", |b| b.iter(|| Signature::parse(black_box(value)).unwrap()));
    c.bench_function("dkim/header work: signature parsed, signed fields hashed", |b| {
        b.iter(|| Evaluation::new(&policy, session()).header(black_box(message.header())));
    });
    // Ten signatures, each naming 10,000 fields of a header that has as many.
    let many = format!("From: a@example.com\r\n{}\r\nHi.\r\n", "X: y\r\n".repeat(10_000));
    let names = format!("from{}", ":x".repeat(10_000));
    let template = format!("v=1; a=ed25519-sha256; d=example.com; s=ed25519; h={names}; bh=AAAA; b=AAAA");
    let many = format!("{}{many}", format!("DKIM-Signature: {template}\r\n").repeat(10));
    let message = Message::parse(many.as_bytes()).unwrap();
    c.bench_function("dkim/header work: ten signatures of 10,000 fields each", |b| {
        b.iter(|| Evaluation::new(&policy, session()).header(black_box(message.header())));
    });
}

fn keys(c: &mut Criterion) {
    for (name, algorithm) in
        [("rsa1024", RSA_SHA256), ("rsa2048", RSA_SHA256), ("rsa4096", RSA_SHA256), ("ed25519", ED25519_SHA256)]
    {
        let record = Key::named(name).record();
        c.bench_function(&format!("dkim/key record parsed and key decoded, {name}"), |b| {
            b.iter(|| {
                let record = KeyRecord::parse(black_box(record.as_bytes())).unwrap();
                algorithm.decode_key(&record.key).unwrap()
            });
        });
    }
}

/// One verification with a key that is ready, by all who compute: what a stranger's signature costs at most.
fn verification(c: &mut Criterion) {
    let digest = [0x5a; 32];
    let mut group = c.benchmark_group("dkim/one verification");
    for name in ["rsa1024", "rsa2048", "rsa3072", "rsa4096", "ed25519"] {
        let (public, signature) = match name {
            // There is no such key among the test data; a signature that does not verify costs as much.
            "rsa3072" => {
                let modulus = [[0xd5; 383].as_slice(), &[0xd7]].concat();
                let key = rsa::RsaPublicKey::new(rsa::BigUint::from_bytes_be(&modulus), 65_537_u32.into()).unwrap();
                (rsa::pkcs1::EncodeRsaPublicKey::to_pkcs1_der(&key).unwrap().into_vec(), vec![0x5a; 384])
            }
            _ => (Key::named(name).public(), Key::named(name).sign(signer::Hash::Sha256, &digest)),
        };
        let mut computers = match name {
            "ed25519" => vec![("default", ED25519_SHA256), ("reference", ED25519_SHA256_REFERENCE)],
            _ => vec![("default", RSA_SHA256), ("reference", RSA_SHA256_REFERENCE)],
        };
        #[cfg(feature = "aws-lc-rs")]
        computers.push((
            "aws-lc-rs",
            if name == "ed25519" { crypto::aws_lc::ED25519_SHA256 } else { crypto::aws_lc::RSA_SHA256 },
        ));
        for (who, algorithm) in computers {
            let key = algorithm.decode_key(&public).unwrap();
            group.bench_function(BenchmarkId::new(name, who), |b| {
                b.iter(|| key.verify(black_box(&digest), black_box(&signature)));
            });
            if name == "ed25519" && who == "default" {
                for uses in [1, 2] {
                    group.bench_function(BenchmarkId::new(name, format!("{who}, use {uses} of the key")), |b| {
                        let ready = || {
                            let key = algorithm.decode_key(&public).unwrap();
                            (1..uses).for_each(|_| assert_eq!(key.verify(&digest, &signature), Ok(())));
                            key
                        };
                        b.iter_batched(ready, |key| key.verify(black_box(&digest), &signature), BatchSize::SmallInput);
                    });
                }
            }
        }
    }
    group.finish();
}

fn whole(c: &mut Criterion) {
    let policy = Policy::default();
    let mut group = c.benchmark_group("dkim/whole");
    for (size, body) in [("2 kB", text(2_000)), ("30 kB", text(30_000)), ("1 MB", attachment(1_000_000))] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        for signers in [&["rsa2048"][..], &["ed25519"], &["rsa2048", "ed25519"], &["rsa2048", "rsa1024"]] {
            let (raw, zone) = signed_by(signers, &body);
            assert!(verify(&policy, &zone, &raw));
            group.bench_with_input(BenchmarkId::new(signers.join(" + "), size), &raw, |b, raw| {
                b.iter(|| verify(&policy, &zone, black_box(raw)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, body, header, keys, verification, whole);
criterion_main!(benches);
