//! What verifying and making keys ready costs, by all who can: `cargo bench -p mailverdict-crypto`.
//!
//! All take turns in one process; the median and the least of 201 rounds are told. `-- 21` makes 21 rounds of it.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_precision_loss)]

use ed25519_dalek::Signer as _;
use mailverdict_crypto::{Ed25519PublicKey, Hash, InvalidRsaKey, RsaPublicKey, has_vectors};
use rsa::{BigUint, Pkcs1v15Sign};
use std::{hint::black_box, time::Instant};

type Work = Box<dyn Fn()>;
type Make = fn(&[u8], u64) -> Result<RsaPublicKey, InvalidRsaKey>;

fn rsa(octets: usize) -> Vec<(String, Work)> {
    let mut modulus = vec![0xd5; octets];
    modulus[octets - 1] = 0xd7;
    let (bits, digest, signature) = (8 * octets, [7; 32], vec![0x5a; octets]);
    let mut all: Vec<(String, Work)> = Vec::new();
    let ours = [("by vectors", RsaPublicKey::from_components as Make), ("by limbs", RsaPublicKey::by_limbs as Make)];
    for (way, make) in ours.into_iter().skip(usize::from(!has_vectors())) {
        let key = make(&modulus, 65_537).unwrap();
        let signature = signature.clone();
        // That it does not verify changes nothing about the work.
        let verify = move || {
            let result = key.verify_pkcs1v15(Hash::Sha256, black_box(&digest), black_box(&signature));
            assert!(black_box(result).is_err());
        };
        all.push((format!("RSA-{bits} verified {way}"), Box::new(verify)));
        let modulus = modulus.clone();
        let ready = move || assert!(black_box(make(black_box(&modulus), 65_537)).is_ok());
        all.push((format!("RSA-{bits} key made ready {way}"), Box::new(ready)));
    }
    let theirs = rsa::RsaPublicKey::new(BigUint::from_bytes_be(&modulus), 65_537_u32.into()).unwrap();
    let verify = move || {
        let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix: Hash::Sha256.digest_info().into() };
        assert!(black_box(theirs.verify(scheme, black_box(&digest), black_box(&signature))).is_err());
    };
    all.push((format!("RSA-{bits} verified by the crate rsa"), Box::new(verify)));
    all
}

fn ed25519() -> Vec<(String, Work)> {
    let signer = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let (message, theirs) = ([9; 32], signer.verifying_key());
    let (octets, signature) = (theirs.to_bytes(), signer.sign(&message));
    let signed = signature.to_bytes();
    let key = Ed25519PublicKey::from_bytes(&octets).unwrap();
    let again = move || key.verify(black_box(&message), black_box(&signed)).unwrap();
    let first = move || {
        let key = Ed25519PublicKey::from_bytes(black_box(&octets)).unwrap();
        key.verify(black_box(&message), black_box(&signed)).unwrap();
    };
    let strict = move || theirs.verify_strict(black_box(&message), black_box(&signature)).unwrap();
    vec![
        ("Ed25519 verified by a key used before".to_owned(), Box::new(again)),
        ("Ed25519 key decoded and used once".to_owned(), Box::new(first)),
        ("Ed25519 verified by ed25519-dalek".to_owned(), Box::new(strict)),
    ]
}

fn main() {
    let rounds = std::env::args().find_map(|argument| argument.parse::<usize>().ok()).unwrap_or(201);
    let all: Vec<_> = [128, 256, 384, 512].into_iter().flat_map(rsa).chain(ed25519()).collect();
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); all.len()];
    for _ in 0..rounds {
        for ((_, work), times) in all.iter().zip(&mut times) {
            let start = Instant::now();
            (0..10).for_each(|_| work());
            times.push(start.elapsed().as_secs_f64() * 1e6 / 10.0);
        }
    }
    for ((name, _), mut times) in all.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        println!("{name:<45} {:8.2} µs, at least {:8.2}", times[times.len() / 2], times[0]);
    }
}
