//! Signatures that are made: that they verify, that nothing signed can be changed, added or taken away, and what is not signed.
#![cfg(feature = "sign")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::{
    Authenticator, Message,
    dkim::{Algorithm, Canonicalization, DkimResult, Signature},
    dns::Zone,
    finding::Severity,
    lint::{Lint, Scope},
    message::Header,
    name::{Domain, Name},
    sign::{
        CheckError, KeyError, NewKey, PrivateKey, SignError, Signer, SignerError, SigningAlgorithm, sign_with_keys,
    },
    time::UnixTime,
};
use proptest::prelude::*;
use std::sync::OnceLock;
use support::{good_faith::messages, ready::now};

const NOW: UnixTime = UnixTime(1_759_738_505);

fn pem(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn key(algorithm: SigningAlgorithm) -> &'static PrivateKey {
    static KEYS: OnceLock<[PrivateKey; 2]> = OnceLock::new();
    let [rsa, ed25519] = KEYS.get_or_init(|| ["rsa2048", "ed25519"].map(|name| PrivateKey::read(&pem(name)).unwrap()));
    if algorithm == SigningAlgorithm::RsaSha256 { rsa } else { ed25519 }
}

fn signer(algorithm: SigningAlgorithm) -> Signer {
    Signer::new("contoso.com", "s1", algorithm).unwrap()
}

fn zone(algorithm: SigningAlgorithm) -> Zone {
    let mut zone = Zone::default();
    let name = Name::parse("s1._domainkey.contoso.com").unwrap();
    zone.add_txt(&name, key(algorithm).record().unwrap().into_bytes());
    zone
}

fn signed(signer: &Signer, raw: &[u8]) -> Vec<u8> {
    let message = Message::parse(raw).unwrap();
    let field = now(signer.sign(&message, key(signer.algorithm()), NOW)).unwrap();
    [field.as_bytes(), raw].concat()
}

fn results(algorithm: SigningAlgorithm, raw: &[u8]) -> Vec<DkimResult> {
    let message = Message::parse(raw).unwrap();
    let reports = now(Authenticator::new(zone(algorithm)).check_dkim(&message, NOW));
    reports.into_iter().map(|report| report.result).collect()
}

const RAW: &[u8] = b"From: Alice <alice@contoso.com>\r\nTo: bob@fabrikam.com\r\nSubject: Lunch\r\n\
    Date: Mon, 6 Oct 2025 08:15:05 +0000\r\nMessage-ID: <1@contoso.com>\r\nList-Unsubscribe: <https://contoso.com/leave>\r\n\
    List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nReceived: from x\r\n\r\nAt noon?\r\n";

fn field(raw: &[u8]) -> String {
    let header = Header::parse(raw).unwrap();
    String::from_utf8(header.fields()[0].raw().to_vec()).unwrap()
}

#[test]
fn what_is_signed_without_other_words() {
    let raw = signed(&signer(SigningAlgorithm::RsaSha256), RAW);
    let signature = Signature::parse(Header::parse(&raw).unwrap().fields()[0].value()).unwrap();
    let names: Vec<&str> = signature.signed_fields.iter().collect();
    assert_eq!(
        names.join(":"),
        "From:From:Reply-To:To:To:Cc:Subject:Subject:Date:Date:Message-ID:Message-ID:In-Reply-To:References:MIME-Version:\
         Content-Type:Content-Transfer-Encoding:List-Unsubscribe:List-Unsubscribe-Post"
    );
    assert_eq!(signature.canonicalization.to_string(), "relaxed/relaxed");
    assert_eq!((signature.timestamp, signature.expiration, signature.body_length), (Some(NOW), None, None));
    assert_eq!(results(SigningAlgorithm::RsaSha256, &raw), [DkimResult::Pass]);
}

#[test]
fn what_is_wanted_stands_in_the_field() {
    let algorithm = SigningAlgorithm::Ed25519Sha256;
    let simple = Canonicalization { header: Algorithm::Simple, body: Algorithm::Simple };
    let signer = signer(algorithm)
        .with_canonicalization(simple)
        .with_fields(["from", "Subject"])
        .unwrap()
        .with_oversigned(["From", "List-Id"])
        .unwrap()
        .with_identity("\"a b;=\"@news.contoso.com")
        .unwrap()
        .with_expiry(86_400)
        .with_copies();
    let raw = signed(&signer, RAW);
    let text = field(&raw);
    for part in [
        "a=ed25519-sha256;",
        "c=simple/simple;",
        "h=from:from:Subject;",
        "i=\"a=20b=3B=3D\"@news.contoso.com;",
        "t=1759738505;",
        "x=1759824905;",
        "z=From:=20Alice=20<alice@contoso.com>|Subject:=20Lunch;",
    ] {
        assert!(text.replace("\r\n\t", " ").replace(' ', "").contains(part), "{part}: {text}");
    }
    assert_eq!(results(algorithm, &raw), [DkimResult::Pass]);
}

#[test]
fn several_keys_sign_in_one_call_and_are_checked() {
    let raw = [RAW, &b"line\r\n".repeat(10_000)].concat();
    let keys = [SigningAlgorithm::Ed25519Sha256, SigningAlgorithm::RsaSha256].map(|algorithm| {
        let signer = Signer::new("contoso.com", algorithm.key_type(), algorithm).unwrap();
        (signer, PrivateKey::read(key(algorithm).to_pem().unwrap().as_bytes()).unwrap())
    });
    let fields = now(sign_with_keys(&Message::parse(&raw).unwrap(), &keys, NOW)).unwrap();
    let alone =
        keys.each_ref().map(|(signer, key)| now(signer.sign(&Message::parse(&raw).unwrap(), key, NOW)).unwrap());
    let [ed25519, rsa] = &alone;
    assert_eq!(fields, format!("{rsa}{ed25519}"));

    let signed = [fields.as_bytes(), &raw].concat();
    let message = Message::parse(&signed).unwrap();
    let zone = |flags: &str, published: [bool; 2]| {
        let mut zone = Zone::default();
        for ((signer, key), _) in keys.iter().zip(published).filter(|(_, published)| *published) {
            zone.add_txt(&signer.key_name().unwrap(), format!("{}{flags}", key.record().unwrap()).into_bytes());
        }
        zone
    };
    let check = |zone: Zone| {
        let reports = now(Authenticator::new(zone).check_dkim(&message, NOW));
        [1, 0].map(|at: usize| keys[1 - at].0.assert_verifies(&reports[at]).map_err(|error| error.to_string()))
    };
    assert_eq!(check(zone("", [true, true])), [Ok(()), Ok(())]);
    let testing = |name: &str| Err(format!("the record of {name}._domainkey.contoso.com says that it is a test (t=y)"));
    assert_eq!(check(zone("; t=y", [true, true])), [testing("ed25519"), testing("rsa")]);
    let [ed25519, rsa] = check(zone("", [true, false]));
    assert_eq!(ed25519, Ok(()));
    assert!(
        rsa.unwrap_err().starts_with("by the record of rsa._domainkey.contoso.com it does not verify (permerror): ")
    );
    let reports = now(Authenticator::new(zone("", [true, true])).check_dkim(&message, NOW));
    assert_eq!(keys[0].0.assert_verifies(&reports[0]), Err(CheckError::OtherSignature));
    // One that does not sign keeps the others from it.
    let [(signer, _), (_, key)] = keys;
    let mixed = [(signer, key)];
    let error = now(sign_with_keys(&Message::parse(RAW).unwrap(), &mixed, NOW)).unwrap_err();
    assert!(matches!(error, SignError::OtherAlgorithm { .. }));
}

/// RFC 6376 §3.5: x= has 12 digits at most.
#[test]
fn an_expiry_beyond_all_times_is_the_last() {
    let algorithm = SigningAlgorithm::Ed25519Sha256;
    for (seconds, expiry) in [(0, NOW.0 + 1), (1, NOW.0 + 1), (u64::MAX, 999_999_999_999)] {
        let raw = signed(&signer(algorithm).with_expiry(seconds), RAW);
        assert!(field(&raw).contains(&format!("x={expiry};")), "{seconds}");
        assert_eq!(results(algorithm, &raw), [DkimResult::Pass]);
    }
}

#[test]
fn lines_are_short_and_values_are_not_torn() {
    let long = format!("X-Long: {}\r\n", "word ".repeat(400));
    let raw = [long.as_bytes(), RAW].concat();
    for algorithm in [SigningAlgorithm::RsaSha256, SigningAlgorithm::Ed25519Sha256] {
        let signer = Signer::new(&format!("{}.contoso.com", "d".repeat(60)), &"s".repeat(60), algorithm)
            .unwrap()
            .with_fields(["From", "X-Long", "Subject"])
            .unwrap()
            .with_copies();
        let text = field(&signed(&signer, &raw));
        for line in text.lines() {
            assert!(line.replace('\t', "        ").len() <= 86 && line.len() <= 78, "{line}");
        }
        let tags: Vec<&str> = text.split(';').collect();
        for tag in tags
            .iter()
            .filter(|tag| ["d=", "s=", "a=", "c=", "t=", "bh="].iter().any(|name| tag.trim().starts_with(name)))
        {
            assert!(!tag.trim().contains(['\r', '\n', ' ', '\t']), "{tag:?}");
        }
    }
}

#[test]
fn a_body_in_pieces_is_the_body() {
    let signer = signer(SigningAlgorithm::RsaSha256);
    let message = Message::parse(RAW).unwrap();
    let whole = signer.prepare(&message, NOW).unwrap();
    for size in [1, 2, 3, 7, 100] {
        let mut signing = signer.begin(message.header(), NOW).unwrap();
        message.body().chunks(size).for_each(|piece| signing.body(piece));
        assert_eq!(signing.end().digest(), whole.digest());
    }
    // Of a large body nothing is kept.
    let mut signing = signer.begin(message.header(), NOW).unwrap();
    let piece = b"0123456789abcdef\r\n".repeat(4096);
    (0..1000).for_each(|_| signing.body(&piece));
    assert!(!signing.end().digest().is_empty());
}

#[test]
fn what_verifiers_would_refuse_is_not_signed() {
    let refused = |raw: &[u8], signer: &Signer| {
        let message = Message::parse(raw).unwrap();
        now(signer.sign(&message, key(signer.algorithm()), NOW)).unwrap_err()
    };
    let usual = signer(SigningAlgorithm::RsaSha256);
    for (raw, told, is_forced) in [
        (&b"Subject: x\r\n\r\n"[..], "the message has no From field", false),
        (b"From: a@b.example\r\nFrom: c@d.example\r\n\r\n", "the message has 2 From fields; one is allowed", false),
        (b"From: a@b.example, c@d.example\r\n\r\n", "the From field does not name one author domain", true),
        (b"From: nobody\r\n\r\n", "the From field is malformed: ", true),
        (b"From: a@b.example\r\nno field\r\n\r\n", "the header is malformed at octet 19: ", true),
        (b"From: a@b.example\nSubject: x\n\nx\n", "the message has lines that do not end in CRLF", true),
        (b"From: a@b.example\r\n\r\none\ntwo\r\n", "the message has lines that do not end in CRLF", true),
        (b"From: a@b.example\r\n\r\none\rtwo\r\n", "the message has lines that do not end in CRLF", true),
    ] {
        let error = refused(raw, &usual).to_string();
        assert!(error.starts_with(told), "{error}");
        let message = Message::parse(raw).unwrap();
        let forced = now(usual.clone().forced().sign(&message, key(usual.algorithm()), NOW));
        assert_eq!(forced.is_ok(), is_forced, "{told}");
    }
    let other = now(usual.sign(&Message::parse(RAW).unwrap(), key(SigningAlgorithm::Ed25519Sha256), NOW));
    assert_eq!(other.unwrap_err(), SignError::OtherAlgorithm { key: "ed25519-sha256", signer: "rsa-sha256" });
}

#[test]
fn nothing_is_put_into_the_field() {
    let new = |domain: &str, selector: &str| Signer::new(domain, selector, SigningAlgorithm::RsaSha256);
    for domain in
        ["", "com", "a..b", "contoso.com; l=0", "contoso.com\r\nX: y", "contoso.com\0", "a b.example", "<a>.example"]
    {
        assert!(matches!(new(domain, "s"), Err(SignerError::Domain { .. })), "{domain:?}");
    }
    for selector in ["", "a..b", "s; d=x", "s\r\nX: y", "s s", "s=s", &"x".repeat(64)] {
        assert!(matches!(new("contoso.com", selector), Err(SignerError::Selector { .. })), "{selector:?}");
    }
    for identity in [
        "",
        "contoso.com",
        "@",
        "@fabrikam.com",
        "@xcontoso.com",
        "a\r\n@contoso.com",
        "a@contoso.com; l=0",
        // Verifiers want a local part that an address may have.
        "a b@contoso.com",
        "\"a@contoso.com",
        "a..b@contoso.com",
    ] {
        let error = new("contoso.com", "s").unwrap().with_identity(identity).unwrap_err();
        assert!(!error.to_string().chars().any(char::is_control), "{error}");
    }
    for name in
        ["", "a b", "a:b", "a;b", "Received", "return-path", "DKIM-Signature", "Authentication-Results", "x\r\n"]
    {
        assert!(new("contoso.com", "s").unwrap().with_fields(["From", name]).is_err() || name == "x\r\n", "{name:?}");
    }
    assert_eq!(new("contoso.com", "s").unwrap().with_fields(["To"]).unwrap_err(), SignerError::NoFrom);
    // U-labels become A-labels.
    let signer = new("b\u{fc}cher.example", "s").unwrap();
    assert_eq!(signer.domain().as_str(), "xn--bcher-kva.example");
}

#[test]
fn keys_are_read_in_their_usual_forms() {
    for (name, shown) in [
        ("rsa2048", "PrivateKey(rsa-sha256, 2048 bits)"),
        ("rsa4096", "PrivateKey(rsa-sha256, 4096 bits)"),
        ("ed25519", "PrivateKey(ed25519-sha256, 256 bits)"),
    ] {
        let read = PrivateKey::read(&pem(name)).unwrap();
        assert_eq!(format!("{read:?}"), shown);
        // PKCS#8, as it is written, in PEM and in DER.
        let written = read.to_pem().unwrap();
        let again = PrivateKey::read(written.as_bytes()).unwrap();
        assert_eq!(again.record(), read.record());
        let base64: String = written.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(&base64).unwrap();
        assert_eq!(PrivateKey::read(&der).unwrap().record(), read.record());
        assert_eq!(PrivateKey::read(base64.as_bytes()).unwrap().record(), read.record());
    }
    let text = String::from_utf8(pem("ed25519")).unwrap();
    let der = STANDARD.decode(text.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
    let seed = STANDARD.encode(&der[der.len() - 32..]);
    assert_eq!(
        PrivateKey::read(seed.as_bytes()).unwrap().record(),
        PrivateKey::read(&pem("ed25519")).unwrap().record()
    );
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let damaged = text.replace("MC4C", "MC4D");
    let cut = &pem("rsa2048")[..400];
    for (file, error) in [
        (&b""[..], KeyError::NotAKey),
        (b"hello", KeyError::NotAKey),
        (&[0x30, 0x82, 0xff], KeyError::Unusable),
        (encrypted.as_bytes(), KeyError::Encrypted),
        (public.as_bytes(), KeyError::Public),
        (damaged.as_bytes(), KeyError::Unusable),
        (cut, KeyError::NotAKey),
        (&vec![b'A'; 100_000], KeyError::NotAKey),
    ] {
        assert_eq!(PrivateKey::read(file).unwrap_err(), error);
    }
    for short in ["rsa512", "rsa768", "rsa1024"] {
        let error = PrivateKey::read(&pem(short)).unwrap_err();
        assert!(matches!(error, KeyError::TooShort { .. } | KeyError::Unusable), "{short}: {error}");
    }
}

#[test]
fn records_of_new_keys_lint_clean() {
    for kind in [NewKey::Rsa2048, NewKey::Rsa3072, NewKey::Ed25519] {
        let key = PrivateKey::new(kind).unwrap();
        let mut zone = Zone::parse("contoso.com. A 1.2.3.4", "zone").unwrap();
        let name = Name::parse("s1._domainkey.contoso.com").unwrap();
        zone.add_txt(&name, key.record().unwrap().into_bytes());
        let scope = Scope::of(Domain::parse("contoso.com").unwrap()).with_selector("s1").unwrap();
        let report = Lint::new(zone).look_at_once(&scope);
        let wrong = report.findings.iter().filter(|finding| {
            finding.name.as_deref() == Some("s1._domainkey.contoso.com") && finding.severity != Severity::Notice
        });
        assert_eq!(wrong.map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
        assert_eq!(report.dkim[0].bits, Some(key.bits()));
    }
}

fn ways() -> Vec<(SigningAlgorithm, Canonicalization)> {
    let mut ways = Vec::new();
    for algorithm in [SigningAlgorithm::RsaSha256, SigningAlgorithm::Ed25519Sha256] {
        for header in [Algorithm::Simple, Algorithm::Relaxed] {
            for body in [Algorithm::Simple, Algorithm::Relaxed] {
                ways.push((algorithm, Canonicalization { header, body }));
            }
        }
    }
    ways
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Whatever is signed verifies, in each way.
    #[test]
    fn what_is_signed_verifies(raw in messages()) {
        for (algorithm, canonicalization) in ways() {
            let signer = signer(algorithm).with_canonicalization(canonicalization);
            let raw = signed(&signer, &raw);
            prop_assert_eq!(results(algorithm, &raw), [DkimResult::Pass], "{}", String::from_utf8_lossy(&raw));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Nothing that is signed can be changed, taken away or added to, nor the body appended to.
    #[test]
    fn what_is_signed_is_held(raw in messages(), way in 0..8_usize, place in any::<prop::sample::Index>()) {
        let (algorithm, canonicalization) = ways()[way];
        let signer = signer(algorithm).with_canonicalization(canonicalization);
        let raw = signed(&signer, &raw);
        let message = Message::parse(&raw).unwrap();
        let fields: Vec<&[u8]> = message.header().fields().iter().map(|field| field.raw()).collect();
        let built = |fields: &[&[u8]], body: &[u8]| [fields.concat(), b"\r\n".to_vec(), body.to_vec()].concat();
        let signature = Signature::parse(message.header().fields()[0].value()).unwrap();
        let is_signed = |field: &[u8]| {
            let name = field.split(|octet| *octet == b':').next().unwrap();
            signature.signed_fields.iter().any(|signed| signed.as_bytes().eq_ignore_ascii_case(name))
        };
        let mut broken: Vec<(&str, Vec<u8>)> = Vec::new();
        let covered: Vec<usize> = (1..fields.len()).filter(|at| is_signed(fields[*at])).collect();
        let at = *place.get(&covered);
        let mut without = fields.clone();
        without.remove(at);
        broken.push(("removed", built(&without, message.body())));
        let changed = [fields[at].strip_suffix(b"\r\n").unwrap(), b"changed\r\n"].concat();
        let mut other = fields.clone();
        other[at] = &changed;
        broken.push(("changed", built(&other, message.body())));
        for added in [&b"From: eve@example.org\r\n"[..], b"Subject: other\r\n", b"To: x@example.org\r\n"] {
            for place in [1, fields.len()] {
                let mut more = fields.clone();
                more.insert(place, added);
                broken.push(("added", built(&more, message.body())));
            }
        }
        let appended = [message.body(), b"appended\r\n"].concat();
        broken.push(("appended", built(&fields, &appended)));
        for (what, raw) in broken {
            prop_assert_ne!(results(algorithm, &raw), [DkimResult::Pass], "{}: {}", what, String::from_utf8_lossy(&raw));
        }
    }
}
