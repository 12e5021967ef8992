//! What is signed or sealed verifies, whatever was to be signed and however.

use super::{
    assert_clean,
    invented::{
        self, NOW,
        signer::{Hash, Key},
    },
    now,
};
use arbitrary::{Result, Unstructured};
use mailverdict::{
    Authenticator, Message, Session,
    arc::ArcResult,
    authentication_results::AuthenticationResults,
    dkim::{Algorithm, Canonicalization, DkimResult},
    dns::Zone,
    sign::{KeyFault, Sealer, Signer, SigningAlgorithm, SigningKey},
};

/// A key of the tests.
struct TestKey(Key);

impl SigningKey for TestKey {
    fn algorithm(&self) -> SigningAlgorithm {
        match self.0 {
            Key::Rsa(_) => SigningAlgorithm::RsaSha256,
            Key::Ed25519(_) => SigningAlgorithm::Ed25519Sha256,
        }
    }

    async fn sign(&self, digest: &[u8]) -> std::result::Result<Vec<u8>, KeyFault> {
        Ok(self.0.sign(Hash::Sha256, digest))
    }
}

/// Names and texts as they may be configured.
const TEXTS: [&str; 12] = [
    "example.com",
    "mail.example.com",
    "s1",
    "s.1",
    "a@example.com",
    "\"a;b\"@example.com",
    "@sub.example.com",
    "ü.example",
    "From",
    "X-A",
    "List-Unsubscribe",
    "a\r\nb: c",
];

fn text<'a>(u: &mut Unstructured<'a>) -> Result<&'a str> {
    if u.ratio(1, 4)? { u.arbitrary() } else { Ok(u.choose(&TEXTS)?) }
}

fn signer(u: &mut Unstructured<'_>, algorithm: SigningAlgorithm) -> Result<Option<Signer>> {
    let usual = u.ratio(1, 2)?;
    let (domain, selector) = if usual { ("example.com", "s1") } else { (text(u)?, text(u)?) };
    let Ok(mut signer) = Signer::new(domain, selector, algorithm) else { return Ok(None) };
    let mut of = || Ok(if u.arbitrary()? { Algorithm::Simple } else { Algorithm::Relaxed });
    signer = signer.with_canonicalization(Canonicalization { header: of()?, body: of()? });
    if u.arbitrary()? {
        let names = ["From", text(u)?, text(u)?];
        match signer.clone().with_fields(names).and_then(|signer| signer.with_oversigned([names[1]])) {
            Ok(other) => signer = other,
            Err(error) => assert_clean(error),
        }
    }
    if u.arbitrary()? {
        match signer.clone().with_identity(text(u)?) {
            Ok(other) => signer = other,
            Err(error) => assert_clean(error),
        }
    }
    if u.arbitrary()? {
        signer = signer.with_copies().with_expiry(u.arbitrary()?);
    }
    Ok(Some(signer))
}

/// A message and who signs it, by DKIM and with a seal.
pub(crate) fn sign(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = made(&mut u);
}

fn made(u: &mut Unstructured<'_>) -> Result<()> {
    let [rsa, ed25519] = invented::keys();
    let key = TestKey(if u.ratio(1, 8)? { rsa } else { ed25519 });
    let Some(signer) = signer(u, key.algorithm())? else { return Ok(()) };
    let raw = match u.int_in_range(0..=2_u8)? {
        0 => u.bytes(u.len())?.to_vec(),
        1 => [b"From: a@example.com\r\n", u.bytes(u.len())?].concat(),
        _ => [b"From: a@example.com\r\n", &invented::message(u)?[..]].concat(),
    };
    let Ok(message) = Message::parse(&raw) else { return Ok(()) };
    let mut zone = Zone::default();
    if let Some(name) = signer.key_name() {
        zone.add_txt(&name, key.0.record().into_bytes());
    }
    let authenticator = Authenticator::new(zone);
    // What nobody vouches for without being told to is one field all the same.
    let field = match now(signer.sign(&message, &key, NOW)) {
        Ok(field) => field,
        Err(error) => {
            assert_clean(error);
            if let Ok(field) = now(signer.forced().sign(&message, &key, NOW)) {
                assert_field(&field, "DKIM-Signature:");
            }
            return Ok(());
        }
    };
    assert_field(&field, "DKIM-Signature:");
    let signed = [field.as_bytes(), &raw].concat();
    let reports = now(authenticator.check_dkim(&Message::parse(&signed).expect("a message"), NOW));
    assert_eq!(reports[0].result, DkimResult::Pass, "{}", String::from_utf8_lossy(&signed));

    let at_home = || Session::without_peer().received_at(NOW);
    let verdict = now(authenticator.authenticate(&message, at_home()));
    let results = AuthenticationResults::new("mx.example.com", &verdict);
    match now(Sealer::new(signer).seal(&message, &verdict.arc, &results, &key, NOW)) {
        Ok(set) => {
            let rest = set.split_once("ARC-Message-Signature:").expect("three fields");
            let (signature, results) = rest.1.split_once("ARC-Authentication-Results:").expect("three fields");
            assert_field(rest.0, "ARC-Seal:");
            assert_field(signature, "");
            assert_field(results, "");
            let sealed = [set.as_bytes(), &raw].concat();
            let sealed = Message::parse(&sealed).expect("a message");
            let arc = now(authenticator.authenticate(&sealed, at_home())).arc;
            assert!(matches!(arc.result, ArcResult::Pass { .. }), "{}: {}", arc.result, String::from_utf8_lossy(&raw));
            assert_eq!(arc.instances, verdict.arc.instances + 1);
        }
        Err(error) => assert_clean(error),
    }
    Ok(())
}

/// One field of printable ASCII, folded, without an empty line.
fn assert_field(field: &str, name: &str) {
    let value = field.strip_prefix(name).and_then(|value| value.strip_suffix("\r\n")).expect("its name and its end");
    for (at, line) in value.split("\r\n").enumerate() {
        assert!(at == 0 || line.starts_with(['\t', ' ']), "{field:?}");
        assert!(line.bytes().all(|octet| matches!(octet, b'\t' | b' '..=b'~')), "{field:?}");
        assert!(!line.trim().is_empty() && line.len() <= 998, "{field:?}");
    }
}
