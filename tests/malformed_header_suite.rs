//! Nothing passes that reads two ways: every oddity at every place of the header of messages that pass without it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Session,
    arc::ArcResult,
    dkim::DkimResult,
    dmarc::DmarcResult,
    dns::Zone,
    message::{Header, MalformationKind},
    name::Name,
    time::UnixTime,
};
use support::{
    ready::now,
    sealer::{SetOptions, sealed},
    signer::{Key, SignOptions, signed},
};

const MESSAGE: &[u8] =
    b"Received: from a by b\r\nFrom: Joe <joe@example.com>\r\nTo: you@example.net,\r\n him@example.net\r\n\
    Subject: hello\r\nX-Unsigned: 1\r\n\r\nHi.\r\n";

fn authenticator(key: &Key) -> Authenticator<Zone> {
    let mut zone = Zone::parse("_dmarc.example.com. TXT \"v=DMARC1; p=reject\"", "zone").unwrap();
    zone.add_txt(&Name::parse("k._domainkey.example.com").unwrap(), key.record().into_bytes());
    Authenticator::new(zone)
}

fn signed_with(message: &[u8], c: &str, key: &Key) -> Vec<u8> {
    let template =
        format!("v=1; a=ed25519-sha256; c={c}; d=example.com; s=k;\r\n h=from:to:subject; bh={{bh}}; b={{b}}");
    signed(message, &SignOptions::dkim(&template), key)
}

fn sealed_with(message: &[u8], instance: usize, key: &Key) -> Vec<u8> {
    let cv = if instance == 1 { "none" } else { "pass" };
    let seal = format!("i={{i}}; a=ed25519-sha256; t=1; cv={cv}; d=example.com; s=k;\r\n b={{b}}");
    let options = SetOptions {
        instance,
        results: "example.com; dkim=pass",
        message_signature: "i={i}; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=k;\r\n h=from:subject; bh={bh}; b={b}",
        seal: &seal,
        message_signature_key: key,
        seal_key: key,
    };
    sealed(message, &options)
}

/// Messages with one signature, with two, and with one and two hops that sealed them.
fn messages(key: &Key) -> [Vec<u8>; 4] {
    let one = signed_with(MESSAGE, "relaxed/relaxed", key);
    let two = signed_with(&one, "simple/simple", key);
    let sealed_once = sealed_with(&one, 1, key);
    let sealed_twice = sealed_with(&sealed_once, 2, key);
    [one, two, sealed_once, sealed_twice]
}

/// What of the message passes.
fn passes(authenticator: &Authenticator<Zone>, raw: &[u8]) -> Vec<&'static str> {
    let message = Message::parse(raw).unwrap();
    let session = Session::without_peer().received_at(UnixTime(1_700_000_000));
    let verdict = now(authenticator.authenticate(&message, session));
    let dkim = verdict.dkim.iter().filter(|report| report.result == DkimResult::Pass).map(|_| "dkim");
    let arc = matches!(verdict.arc.result, ArcResult::Pass { .. }).then_some("arc");
    let dmarc = matches!(verdict.dmarc.result, DmarcResult::Pass(_)).then_some("dmarc");
    dkim.chain(arc).chain(dmarc).collect()
}

/// Octets of the header, without the empty line after it.
fn header_len(raw: &[u8]) -> usize {
    raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 2
}

fn with(raw: &[u8], at: usize, oddity: &[u8]) -> Vec<u8> {
    [&raw[..at], oddity, &raw[at..]].concat()
}

/// Where lines begin, and where the header ends.
fn line_starts(raw: &[u8]) -> Vec<usize> {
    (0..=header_len(raw)).filter(|at| *at == 0 || raw[at - 1] == b'\n').collect()
}

/// What reads two ways wherever it stands.
fn odd_octets() -> Vec<Vec<u8>> {
    let controls = (0..0x20).chain([0x7f]).filter(|octet| *octet != b'\t').map(|octet| vec![octet]);
    controls
        .chain([b"\r\r", &b"\n\n"[..], b"\r\r\n", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9"].map(<[u8]>::to_vec))
        .collect()
}

/// What reads two ways where a line begins.
const ODD_LINES: [&[u8]; 22] = [
    b"junk\r\n",
    b"Dear customer,\r\n",
    b"Dear customer, pay: at once\r\n",
    b"\xef\xbb\xbfX: y\r\n",
    b": y\r\n",
    b"X : y\r\n",
    b"X\t: y\r\n",
    b"X\r\n : y\r\n",
    b"From a@b Thu Jan  1 00:00:00 1970\r\n ",
    b">From a@b Thu Jan  1 00:00:00 1970\r\n",
    b"Fr\xe4ge: x\r\n",
    b"Fr\xc3\xa4ge: x\r\n",
    b"X\x00: y\r\n",
    b"X: y\rFrom: ceo@example.net\r\n",
    b"X: y\nFrom: ceo@example.net\r\n",
    b"X: y\x0bFrom: ceo@example.net\r\n",
    b"X: y\r\r\nFrom: ceo@example.net\r\n",
    b"From\x00: ceo@example.net\r\n",
    b"Fro\rm: ceo@example.net\r\n",
    b"junk\r\n From: ceo@example.net\r\n",
    b"\r\r\n",
    b"\n",
];

/// What all readers take for the same, between two fields.
const PLAIN_LINES: [&[u8]; 6] = [
    b"X: y\r\n",
    b"X:\r\n y\r\n",
    b"X: \xe4 \xc3\xa4 \xe2\x80\xa6 \x85\t \r\n",
    b"From-X: ceo@example.net\r\n",
    b"X: y\r\n \t\r\n z\r\n",
    b"Received: from c by d\r\n",
];

/// How many headers are made of this one by an oddity at each of its places, and which of them have something that passes, or are not told
/// to be malformed.
fn passes_of_odd_headers(authenticator: &Authenticator<Zone>, raw: &[u8]) -> (usize, Vec<String>) {
    let at_any_place =
        odd_octets().into_iter().flat_map(|octets| (0..=header_len(raw)).map(move |at| (at, octets.clone())));
    let starts = line_starts(raw);
    let at_starts = starts.iter().flat_map(|at| ODD_LINES.map(|line| (*at, line.to_vec())));
    let (mut tried, mut failures) = (0, Vec::new());
    for (at, oddity) in at_any_place.chain(at_starts) {
        tried += 1;
        let changed = with(raw, at, &oddity);
        // A separator of mbox may be the first line; here its second line is no field.
        let passed = passes(authenticator, &changed);
        let told = !Header::parse(&changed).unwrap().malformations().is_empty();
        if !passed.is_empty() || !told {
            failures.push(format!("{passed:?}, told: {told}: {}", changed.escape_ascii()));
        }
    }
    (tried, failures)
}

#[test]
fn nothing_passes_that_reads_two_ways() {
    let key = Key::named("ed25519");
    let authenticator = authenticator(&key);
    let expected: [&[&str]; 4] =
        [&["dkim", "dmarc"], &["dkim", "dkim", "dmarc"], &["dkim", "arc", "dmarc"], &["dkim", "arc", "dmarc"]];
    let messages = messages(&key);
    let found: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let of_each = messages.iter().zip(expected).map(|(raw, expected)| {
            assert_eq!(passes(&authenticator, raw), expected);
            scope.spawn(|| passes_of_odd_headers(&authenticator, raw))
        });
        of_each.collect::<Vec<_>>().into_iter().map(|found| found.join().unwrap()).collect()
    });
    let tried: usize = found.iter().map(|(tried, _)| tried).sum();
    let failures: Vec<String> = found.into_iter().flat_map(|(_, failures)| failures).collect();
    println!("{tried} headers that read two ways");
    assert!(failures.is_empty(), "{} of {tried}\n{}", failures.len(), failures[..failures.len().min(20)].join("\n"));
}

#[test]
fn what_reads_one_way_passes() {
    let key = Key::named("ed25519");
    let authenticator = authenticator(&key);
    for raw in messages(&key) {
        let wanted = passes(&authenticator, &raw);
        for at in line_starts(&raw).into_iter().filter(|at| !b" \t".contains(&raw[*at])) {
            for line in PLAIN_LINES {
                let changed = with(&raw, at, line);
                assert_eq!(passes(&authenticator, &changed), wanted, "{}", changed.escape_ascii());
            }
        }
        let separated = with(&raw, 0, b"From a@b Thu Jan  1 00:00:00 1970\r\n");
        assert_eq!(passes(&authenticator, &separated), wanted);
    }
}

/// A receiver may accept what it repairs: then the signature is judged as ever.
#[test]
fn what_a_receiver_repairs_may_pass() {
    let key = Key::named("ed25519");
    let raw = with(&messages(&key)[2], 0, b"junk\r\nX : y\r\n");
    let passes_with = |repaired: &[MalformationKind]| {
        let mut policy = mailverdict::Policy::default();
        policy.dkim.repaired_malformations = repaired.to_vec();
        passes(&authenticator(&key).with_policy(policy), &raw)
    };
    assert_eq!(passes_with(&[]), [] as [&str; 0]);
    assert_eq!(passes_with(&[MalformationKind::NotAField]), [] as [&str; 0]);
    // Where readers may end the header above From, DMARC does not pass all the same.
    assert_eq!(passes_with(&[MalformationKind::NotAField, MalformationKind::SpaceBeforeColon]), ["dkim", "arc"]);
    assert_eq!(passes_with(&MalformationKind::ALL), ["dkim", "arc"]);
}
