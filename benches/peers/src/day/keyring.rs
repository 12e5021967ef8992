//! The keys of the day, one for each signing domain and algorithm, and the signatures that they have made.
//!
//! To make 20,000 RSA keys takes an hour, and so the primes are shared: 300 of them give 44,700 pairs, each of which is a modulus that
//! nobody has seen, in a record of its own. (Whoever has two of these moduli finds a prime by their greatest common divisor; no verifier
//! looks for that.) Primes and signatures are kept in `target/day`: the first run makes them, later ones read them.

use super::random::Random;
use crate::{
    keys::{EXPONENT, Key, rsa_record},
    sign::Signer,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey, traits::PrivateKeyParts as _};
use sha2::{Digest as _, Sha256};
use std::{
    cell::OnceCell,
    collections::HashMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

/// Keys that are made, of two primes each.
const MADE: usize = 150;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Rsa2048,
    Rsa1024,
    Ed25519,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::Rsa2048, Self::Rsa1024, Self::Ed25519];

    /// As they are seen.
    pub fn any(random: &mut Random) -> Self {
        Self::ALL[random.weighted(&[0.90, 0.05, 0.05])]
    }

    fn selector(self) -> &'static str {
        match self {
            Self::Rsa2048 => "selector1",
            Self::Rsa1024 => "k1",
            Self::Ed25519 => "ed25519",
        }
    }
}

pub struct Keyring {
    primes_of_2048: Vec<BigUint>,
    primes_of_1024: Vec<BigUint>,
    /// Signatures by the hash of key and data.
    signatures: HashMap<String, String>,
    /// Lines that the file does not hold yet.
    fresh: Mutex<Vec<String>>,
    file: PathBuf,
}

impl Keyring {
    pub fn open() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/day");
        fs::create_dir_all(&folder).expect("target can be written");
        let file = folder.join("signatures");
        let text = fs::read_to_string(&file).unwrap_or_default();
        // Where a run was cut off, its last line is.
        let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let signatures = whole.filter_map(|line| line.split_once(' ')).map(|(hash, text)| (hash.into(), text.into()));
        Self {
            primes_of_2048: primes(&folder, 2048),
            primes_of_1024: primes(&folder, 1024),
            signatures: signatures.collect(),
            fresh: Mutex::default(),
            file,
        }
    }

    /// The key of a domain. Each domain has a number of its own.
    pub fn key(&self, domain: &str, number: usize, algorithm: Algorithm) -> DayKey<'_> {
        DayKey {
            ring: self,
            domain: domain.into(),
            number,
            algorithm,
            selector: algorithm.selector(),
            private: OnceCell::new(),
        }
    }

    /// The pair with this number: all with neighbours, then all with those two places on, and so forth.
    fn pair(&self, number: usize, algorithm: Algorithm) -> [&BigUint; 2] {
        let primes = if algorithm == Algorithm::Rsa1024 { &self.primes_of_1024 } else { &self.primes_of_2048 };
        let (first, distance) = (number % primes.len(), number / primes.len() + 1);
        assert!(distance < primes.len() / 2, "key {number} would be another one's");
        [&primes[first], &primes[(first + distance) % primes.len()]]
    }

    /// Writes down what was signed for the first time.
    pub fn save(&self) {
        let mut fresh = self.fresh.lock().expect("no thread panicked");
        if !fresh.is_empty() {
            let mut file =
                fs::OpenOptions::new().create(true).append(true).open(&self.file).expect("target can be written");
            file.write_all((fresh.join("\n") + "\n").as_bytes()).expect("target can be written");
            fresh.clear();
        }
    }
}

fn primes(folder: &Path, bits: usize) -> Vec<BigUint> {
    let file = folder.join(format!("primes-{bits}"));
    if let Ok(text) = fs::read_to_string(&file) {
        let primes: Vec<_> = text.lines().filter_map(|line| BigUint::parse_bytes(line.as_bytes(), 16)).collect();
        if primes.len() == 2 * MADE {
            return primes;
        }
    }
    let of = |number: usize| {
        let seed = Sha256::digest(format!("a key of {bits} bits, number {number}"));
        let key =
            RsaPrivateKey::new(&mut ChaCha20Rng::from_seed(seed.into()), bits).expect("that many bits make a key");
        key.primes().to_vec()
    };
    let primes: Vec<BigUint> = side_by_side(MADE, of).into_iter().flatten().collect();
    let text: String = primes.iter().map(|prime| prime.to_str_radix(16) + "\n").collect();
    fs::write(file, text).expect("target can be written");
    primes
}

/// The results for all numbers below `count`, in their order, worked out on all processors.
pub fn side_by_side<T: Send>(count: usize, of: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let of = &of;
    let mut parts: Vec<_> = thread::scope(|scope| {
        let start =
            |first| scope.spawn(move || (first..count).step_by(threads).map(of).collect::<Vec<T>>().into_iter());
        let started: Vec<_> = (0..threads).map(start).collect();
        started.into_iter().map(|thread| thread.join().expect("no thread panicked")).collect()
    });
    (0..count).map(|number| parts[number % threads].next().expect("one for each number")).collect()
}

/// A key under its name; where all it signs was signed before, its private half is never made.
pub struct DayKey<'r> {
    ring: &'r Keyring,
    domain: String,
    number: usize,
    algorithm: Algorithm,
    selector: &'static str,
    private: OnceCell<Key>,
}

impl DayKey<'_> {
    /// Where the key record stands, and its text.
    pub fn record(&self) -> (String, String) {
        if self.algorithm == Algorithm::Ed25519 {
            return Key::ed25519(&self.domain, self.selector).record();
        }
        let [p, q] = self.ring.pair(self.number, self.algorithm);
        let public = RsaPublicKey::new(p * q, EXPONENT.into()).expect("a product of two primes is a modulus");
        (format!("{}._domainkey.{}", self.selector, self.domain), rsa_record(&public))
    }

    /// The same under a selector that is not published.
    pub fn unpublished(self) -> Self {
        Self { selector: "gone", ..self }
    }

    fn private(&self) -> Key {
        match self.algorithm {
            Algorithm::Ed25519 => Key::ed25519(&self.domain, self.selector),
            algorithm => Key::of_primes(&self.domain, self.selector, self.ring.pair(self.number, algorithm)),
        }
    }
}

impl Signer for DayKey<'_> {
    fn domain(&self) -> &str {
        &self.domain
    }

    fn selector(&self) -> &str {
        self.selector
    }

    fn algorithm(&self) -> &'static str {
        if self.algorithm == Algorithm::Ed25519 { "ed25519-sha256" } else { "rsa-sha256" }
    }

    fn sign(&self, data: &[u8]) -> String {
        let whose = format!("{} {} {}\n", self.domain, self.selector, self.number);
        let hash = Sha256::new().chain_update(whose).chain_update(data).finalize();
        let hash: String = hash.iter().map(|octet| format!("{octet:02x}")).collect();
        if let Some(known) = self.ring.signatures.get(&hash) {
            return known.clone();
        }
        let signature = self.private.get_or_init(|| self.private()).sign(data);
        self.ring.fresh.lock().expect("no thread panicked").push(format!("{hash} {signature}"));
        signature
    }
}
