//! Seals that are made: the public suite, that the chains hold and nothing in them can be changed, and what is not sealed.
#![cfg(feature = "sign")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Session, Verdict,
    arc::ArcResult,
    authentication_results::{AuthenticationResults, MethodResult},
    dns::Zone,
    message::{Header, to_crlf},
    name::Name,
    sign::{KeyFault, PrivateKey, SealError, Sealer, SignError, Signer, SigningAlgorithm, SigningKey},
    time::UnixTime,
};
use rsa::{RsaPrivateKey, pkcs1::DecodeRsaPrivateKey as _};
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeMap;
use support::{
    ready::now,
    signer::{Hash, Key},
};

const NOW: UnixTime = UnixTime(1_759_738_505);

const RAW: &[u8] = b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=AAAA; b=BBBB\r\n\
    From: Alice <alice@contoso.com>\r\nTo: list@fabrikam.com\r\nSubject: Lunch\r\n\r\nAt noon?\r\n";

fn key(name: &str) -> PrivateKey {
    let path = format!("{}/tests/data/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    PrivateKey::read(&std::fs::read(path).unwrap()).unwrap()
}

fn zone() -> Zone {
    let mut zone = Zone::default();
    for (selector, name) in [("s1", "rsa2048"), ("s2", "ed25519")] {
        let at = Name::parse(&format!("{selector}._domainkey.fabrikam.com")).unwrap();
        zone.add_txt(&at, key(name).record().unwrap().into_bytes());
    }
    zone
}

fn sealer() -> Sealer {
    Sealer::new(Signer::new("fabrikam.com", "s1", SigningAlgorithm::RsaSha256).unwrap())
}

fn verdict(zone: &Zone, raw: &[u8], at: UnixTime) -> Verdict {
    let message = Message::parse(raw).unwrap();
    now(Authenticator::new(zone).authenticate(&message, Session::without_peer().received_at(at)))
}

fn set(sealer: &Sealer, key: &impl SigningKey, raw: &[u8]) -> Result<String, SealError> {
    let verdict = verdict(&zone(), raw, NOW);
    let results = AuthenticationResults::new("mx.fabrikam.com", &verdict);
    now(sealer.seal(&Message::parse(raw).unwrap(), &verdict.arc, &results, key, NOW))
}

fn sealed(raw: &[u8]) -> Vec<u8> {
    [set(&sealer(), &key("rsa2048"), raw).unwrap().as_bytes(), raw].concat()
}

#[test]
fn a_set_has_the_tags_in_the_order_of_the_examples() {
    let set = set(&sealer(), &key("rsa2048"), RAW).unwrap();
    let fields: Vec<&str> = set.split_inclusive("\r\n").filter(|line| !line.starts_with(['\t', ' '])).collect();
    let [seal, signature, results] = fields[..] else { panic!("{set}") };
    assert_eq!(seal, "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=fabrikam.com; s=s1; t=1759738505; b=\r\n");
    assert!(signature.starts_with("ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed;"), "{set}");
    assert_eq!(results, "ARC-Authentication-Results: i=1; mx.fabrikam.com;\r\n");
    assert!(set.contains("\r\n    dmarc=permerror") || set.contains("\r\n    dmarc=none"), "{set}");
    assert!(set.split("\r\n").all(|line| line.len() <= 78), "{set}");
    // RFC 8617 §4.1.2: signatures that are there are signed, and no field of ARC.
    let unfolded = set.replace("\r\n\t", "");
    let names = unfolded.split("h=").nth(1).unwrap().split(';').next().unwrap();
    assert!(names.ends_with(":DKIM-Signature") && !names.contains("ARC"), "{names}");
}

#[test]
fn chains_grow_and_hold_until_there_are_fifty() {
    let mut raw = RAW.to_vec();
    for instance in 1..=50_usize {
        raw = sealed(&raw);
        if [1, 2, 3, 50].contains(&instance) {
            let mut verdict = verdict(&zone(), &raw, NOW);
            assert!(matches!(verdict.arc.result, ArcResult::Pass { .. }), "{instance}: {}", verdict.arc.result);
            assert_eq!(verdict.arc.instances, instance);
            verdict.arc.sets.truncate(1);
            assert_eq!(verdict.arc.sets[0].results.as_ref().unwrap().authserv_id.as_ref(), "mx.fabrikam.com");
        }
    }
    assert_eq!(set(&sealer(), &key("rsa2048"), &raw), Err(SealError::Full));
}

#[test]
fn an_authserv_id_of_any_length_stands_on_a_line() {
    for length in 1..=70 {
        let id = "x".repeat(length);
        let verdict = verdict(&zone(), RAW, NOW);
        let results = AuthenticationResults::new(&id, &verdict);
        let set = now(sealer().seal(&Message::parse(RAW).unwrap(), &verdict.arc, &results, &key("rsa2048"), NOW));
        let set = set.unwrap();
        assert!(set.split("\r\n").all(|line| line.len() <= 78), "{length}: {set}");
        let raw = [set.as_bytes(), RAW].concat();
        assert_eq!(self::verdict(&zone(), &raw, NOW).arc.result.keyword(), "pass", "{length}");
    }
}

#[test]
fn ed25519_seals_as_well() {
    let sealer = Sealer::new(Signer::new("fabrikam.com", "s2", SigningAlgorithm::Ed25519Sha256).unwrap());
    let set = set(&sealer, &key("ed25519"), RAW).unwrap();
    let raw = [set.as_bytes(), RAW].concat();
    assert_eq!(verdict(&zone(), &raw, NOW).arc.result.keyword(), "pass");
}

#[test]
fn nothing_that_is_sealed_can_be_changed() {
    let raw = sealed(&sealed(RAW));
    let text = String::from_utf8(raw).unwrap();
    let verdict_of = |text: &str| verdict(&zone(), text.as_bytes(), NOW).arc.result.keyword();
    assert_eq!(verdict_of(&text), "pass");
    let changes = [
        ("Subject: Lunch", "Subject: Lunch!"),
        ("From: Alice", "From: Mallory"),
        ("At noon?", "At noon? Bring money."),
        ("d=a.example", "d=b.example"),
        ("i=1; mx.fabrikam.com", "i=1; mx.contoso.com"),
        ("i=2; mx.fabrikam.com", "i=2; mx.contoso.com"),
        ("cv=none", "cv=pass"),
        ("To: list", "From: Mallory <m@contoso.com>\r\nTo: list"),
        ("To: list", "Subject: More\r\nTo: list"),
    ];
    for (was, is) in changes {
        let changed = text.replacen(was, is, 1);
        assert!(changed != text, "{was}");
        assert_eq!(verdict_of(&changed), "fail", "{was}");
    }
}

#[test]
fn what_is_not_sealed() {
    let key = key("rsa2048");
    // A chain that does not hold is not continued, whoever broke it (RFC 8617 §5.1.3).
    let broken = String::from_utf8(sealed(RAW)).unwrap().replace("Lunch", "Dinner");
    assert!(matches!(set(&sealer(), &key, broken.as_bytes()), Err(SealError::ChainFailed(_))));
    let marked = String::from_utf8(sealed(RAW)).unwrap().replace("cv=none", "cv=fail");
    assert!(matches!(set(&sealer(), &key, marked.as_bytes()), Err(SealError::ChainFailed(_))));
    // Nor is one that was not validated.
    let (raw, results) = (sealed(RAW), AuthenticationResults::none("mx.fabrikam.com"));
    let of_other = verdict(&zone(), RAW, NOW).arc;
    let message = Message::parse(&raw).unwrap();
    assert_eq!(now(sealer().seal(&message, &of_other, &results, &key, NOW)), Err(SealError::OtherMessage));
    let of_longer = verdict(&zone(), &sealed(&raw), NOW).arc;
    assert_eq!(now(sealer().seal(&message, &of_longer, &results, &key, NOW)), Err(SealError::OtherMessage));
    // What readers take in different ways is not vouched for.
    for (from, error) in
        [("From: a@a.example\r\nFrom: b@b.example\r\n", SignError::ManyFrom(2)), ("", SignError::NoFrom)]
    {
        let raw = format!("{from}Subject: x\r\n\r\nHi\r\n");
        assert_eq!(set(&sealer(), &key, raw.as_bytes()), Err(SealError::Sign(error)));
    }
    let ed25519 = self::key("ed25519");
    assert!(matches!(set(&sealer(), &ed25519, RAW), Err(SealError::Sign(SignError::OtherAlgorithm { .. }))));
}

#[test]
fn results_of_others_are_no_results() {
    let raw = b"Authentication-Results: MX.fabrikam.com; spf=pass (1) smtp.mailfrom=a.example\r\n\
        Authentication-Results: forwarder.example; dkim=pass\r\nAuthentication-Results: mx.fabrikam.com; none\r\n\
        Authentication-Results: mx.fabrikam.com.example; arc=pass\r\nAuthentication-Results: mx.fabrikam.com; dmarc=pass\r\n\r\n";
    let header = Header::parse(raw).unwrap();
    let results = AuthenticationResults::combined(&header, "mx.fabrikam.com").unwrap();
    let words: Vec<String> =
        results.results.iter().map(|MethodResult { method, result, .. }| format!("{method}={result}")).collect();
    assert_eq!(words, ["spf=pass", "dmarc=pass"]);
    assert_eq!(AuthenticationResults::combined(&header, "fabrikam.com"), None);
}

/// The key of the suite has 1024 bits, with which [`PrivateKey`] does not sign.
struct SuiteKey(Key);

impl SigningKey for SuiteKey {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningAlgorithm::RsaSha256
    }

    async fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, KeyFault> {
        Ok(self.0.sign(Hash::Sha256, digest))
    }
}

/// Cases that want a seal on a chain that does not hold: the message goes on as it is here (RFC 8617 §5.1.3: it "cannot be continued").
const NOT_CONTINUED: [&str; 3] = ["i1_base_fail", "i2_base_fail", "no_additional_sig"];

/// The tags of a field without white space.
fn tags(value: &str) -> BTreeMap<String, String> {
    let squeezed: String = value.split_whitespace().collect();
    squeezed.split(';').filter_map(|tag| tag.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

/// The suite's signatures are over fields whose tags stand in another order than in RFC 8617's examples, so that `b=` differs: all else is
/// compared, and both the suite's set and ours are validated.
#[test]
fn public_signing_suite() {
    let Ok(path) = std::env::var("MAILVERDICT_ARC_SIGN_SUITE") else {
        support::skip::skipped(
            "MAILVERDICT_ARC_SIGN_SUITE names no file (arc-draft-sign-tests.yml of ValiMail/arc_test_suite)",
        );
        return;
    };
    let scenarios = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (mut cases, mut not_continued) = (0, Vec::new());
    for scenario in Yaml::load_from_str(&scenarios).unwrap() {
        let text = |key: &str| scenario.as_mapping_get(key).and_then(|value| value.as_str()).unwrap();
        let mut zone = Zone::new();
        for (name, record) in scenario.as_mapping_get("txt-records").and_then(Yaml::as_mapping).unwrap() {
            let record: String = record.as_str().unwrap().split_inclusive('\n').map(str::trim).collect();
            zone.add_txt(&Name::parse(name.as_str().unwrap()).unwrap(), record.as_bytes());
        }
        let key = SuiteKey(Key::Rsa(Box::new(RsaPrivateKey::from_pkcs1_pem(text("privatekey")).unwrap())));
        for (name, case) in scenario.as_mapping_get("tests").and_then(Yaml::as_mapping).unwrap() {
            let name = name.as_str().unwrap();
            let text_of = |key: &str| case.as_mapping_get(key).and_then(|value| value.as_str()).unwrap_or_default();
            let raw = to_crlf(text_of("message").as_bytes());
            let message = Message::parse(&raw).unwrap();
            let at = UnixTime(case.as_mapping_get("t").and_then(Yaml::as_integer).unwrap().try_into().unwrap());
            let signer = Signer::new(text("domain"), text("sel"), SigningAlgorithm::RsaSha256).unwrap();
            let signer = signer.with_fields(text_of("sig-headers").split(':')).unwrap().with_oversigned([]).unwrap();
            let results = AuthenticationResults::combined(message.header(), text_of("srv-id")).unwrap();
            let chain = verdict(&zone, &raw, at).arc;
            cases += 1;
            let set = match now(Sealer::new(signer).seal(&message, &chain, &results, &key, at)) {
                Err(SealError::ChainFailed(_)) => {
                    not_continued.push(name.to_owned());
                    continue;
                }
                set => set.unwrap(),
            };
            let own = [set.as_bytes(), &*raw].concat();
            let header = Header::parse(&own).unwrap();
            for (field, wanted) in header.fields().iter().zip(["AS", "AMS"]) {
                let (mut own, mut wanted) = (tags(std::str::from_utf8(field.value()).unwrap()), tags(text_of(wanted)));
                assert!(own.remove("b").is_some() && wanted.remove("b").is_some(), "{name}");
                assert_eq!(own, wanted, "{name}");
            }
            let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let results = std::str::from_utf8(header.fields()[2].value()).unwrap();
            assert_eq!(squeezed(results), squeezed(text_of("AAR")), "{name}");
            // The suite folds within base64 for its readers' sake; what was sealed was not folded there.
            let field = |name: &str, key: &str| {
                let lines = text_of(key).trim().lines().map(str::trim);
                let value = lines.map(|line| if line.ends_with(';') { format!("{line} ") } else { line.to_owned() });
                format!("{name}: {}\r\n", value.collect::<String>())
            };
            let wanted = [
                field("ARC-Seal", "AS"),
                field("ARC-Message-Signature", "AMS"),
                field("ARC-Authentication-Results", "AAR"),
            ];
            for raw in [own, [wanted.concat().as_bytes(), &*raw].concat()] {
                let result = verdict(&zone, &raw, at).arc.result;
                assert!(
                    matches!(result, ArcResult::Pass { .. }),
                    "{name}: {result}\n{}",
                    String::from_utf8_lossy(&raw)
                );
            }
        }
    }
    println!("{cases} cases, of which {} are on chains that do not hold", not_continued.len());
    assert_eq!((cases, not_continued), (17, NOT_CONTINUED.map(str::to_owned).to_vec()));
}
