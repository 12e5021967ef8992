//! Key pairs made from a seed.

use crate::sign::Signer;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::Signer as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey, pkcs8::EncodePublicKey as _};
use sha2::{Digest as _, Sha256};

/// The public exponent of all RSA keys here.
pub const EXPONENT: u32 = 65_537;

/// A key pair and the name under which its public half is published.
pub struct Key {
    pub domain: String,
    pub selector: String,
    private: Private,
}

enum Private {
    Rsa(Box<RsaPrivateKey>),
    Ed25519(ed25519_dalek::SigningKey),
}

impl Key {
    pub fn rsa_2048(domain: &str, selector: &str) -> Self {
        let private = RsaPrivateKey::new(&mut seeded(domain, selector), 2048).expect("2048 bits make a key");
        Self::new(domain, selector, Private::Rsa(Box::new(private)))
    }

    pub fn ed25519(domain: &str, selector: &str) -> Self {
        let mut secret = [0; 32];
        seeded(domain, selector).fill_bytes(&mut secret);
        Self::new(domain, selector, Private::Ed25519(ed25519_dalek::SigningKey::from_bytes(&secret)))
    }

    /// The RSA key of these two primes.
    pub fn of_primes(domain: &str, selector: &str, [p, q]: [&BigUint; 2]) -> Self {
        let private = RsaPrivateKey::from_p_q(p.clone(), q.clone(), EXPONENT.into()).expect("two primes make a key");
        Self::new(domain, selector, Private::Rsa(Box::new(private)))
    }

    fn new(domain: &str, selector: &str, private: Private) -> Self {
        Self { domain: domain.into(), selector: selector.into(), private }
    }

    /// Where the key record stands, and its text.
    pub fn record(&self) -> (String, String) {
        let text = match &self.private {
            Private::Rsa(key) => rsa_record(&key.to_public_key()),
            Private::Ed25519(key) => {
                format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key.verifying_key().as_bytes()))
            }
        };
        (format!("{}._domainkey.{}", self.selector, self.domain), text)
    }
}

impl Signer for Key {
    fn domain(&self) -> &str {
        &self.domain
    }

    fn selector(&self) -> &str {
        &self.selector
    }

    fn algorithm(&self) -> &'static str {
        match self.private {
            Private::Rsa(_) => "rsa-sha256",
            Private::Ed25519(_) => "ed25519-sha256",
        }
    }

    fn sign(&self, data: &[u8]) -> String {
        let digest = Sha256::digest(data);
        match &self.private {
            Private::Rsa(key) => {
                // DigestInfo of SHA-256, RFC 8017 §9.2 note 1.
                let padding = Pkcs1v15Sign {
                    hash_len: Some(32),
                    prefix: Box::new([
                        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
                        0x00, 0x04, 0x20,
                    ]),
                };
                STANDARD.encode(key.sign(padding, &digest).expect("32 octets are signed"))
            }
            Private::Ed25519(key) => STANDARD.encode(key.sign(&digest).to_bytes()),
        }
    }
}

/// The text of the record that publishes a key.
pub fn rsa_record(key: &RsaPublicKey) -> String {
    let der = key.to_public_key_der().expect("a public key has an encoding");
    format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(der.as_bytes()))
}

fn seeded(domain: &str, selector: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(Sha256::digest(format!("{selector}._domainkey.{domain}")).into())
}
