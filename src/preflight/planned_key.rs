//! Signatures of keys that are not here: they hold nothing but what was to be signed, and pass where that is what arrived and the key
//! that is published may sign.

use crate::{
    crypto::{
        ED25519_SHA256, HashAlgorithm, InvalidKey, InvalidSignature, RSA_SHA256, SignatureAlgorithm, VerifyingKey,
    },
    dkim,
};
use std::sync::Arc;

/// Begins what stands in the place of a signature. No signature is as long as it is with the digest behind it.
const MARK: &[u8] = b"planned, and not made: ";

/// What stands in the place of the signature over data with this digest.
pub(super) fn signature(digest: &[u8]) -> Vec<u8> {
    [MARK, digest].concat()
}

/// Whether that is what `b=` says, in base64.
pub(super) fn is_planned(data: &str) -> bool {
    dkim::parse::with_decoded(data, |signature| signature.is_some_and(|octets| octets.starts_with(MARK)))
}

/// The algorithm with the keys of another, to which planned signatures verify as well.
#[derive(Debug)]
struct Planned {
    of: &'static dyn SignatureAlgorithm,
}

static RSA: Planned = Planned { of: RSA_SHA256 };
static ED25519: Planned = Planned { of: ED25519_SHA256 };

/// A policy by which planned signatures are verified as well, by the keys that are published.
pub(super) fn policy(policy: &dkim::Policy) -> dkim::Policy {
    let mut policy = policy.clone();
    for algorithm in &mut policy.algorithms {
        match algorithm.name() {
            "rsa-sha256" => *algorithm = &RSA,
            "ed25519-sha256" => *algorithm = &ED25519,
            _ => {}
        }
    }
    policy
}

impl SignatureAlgorithm for Planned {
    fn name(&self) -> &'static str {
        self.of.name()
    }
    fn key_type(&self) -> &'static str {
        self.of.key_type()
    }
    fn hash(&self) -> HashAlgorithm {
        self.of.hash()
    }
    fn decode_key(&self, key: &[u8]) -> Result<Arc<dyn VerifyingKey>, InvalidKey> {
        self.of.decode_key(key).map(|key| Arc::new(PublishedKey(key)) as Arc<dyn VerifyingKey>)
    }
}

/// A key as it is published.
#[derive(Debug)]
struct PublishedKey(Arc<dyn VerifyingKey>);

impl VerifyingKey for PublishedKey {
    fn bits(&self) -> usize {
        self.0.bits()
    }
    fn work(&self) -> usize {
        self.0.work()
    }
    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        match signature.strip_prefix(MARK) {
            Some(signed) if signed == digest => Ok(()),
            Some(_) => Err(InvalidSignature),
            None => self.0.verify(digest, signature),
        }
    }
    fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        self.0.open(signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::Policy;
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    /// Of Ed25519 (RFC 8463 §A.2).
    const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn a_planned_signature_verifies_where_that_was_signed_and_nowhere_else() {
        let octets = STANDARD.decode(KEY).unwrap();
        let decoded = |policy: &Policy| {
            let algorithm = policy.algorithms.iter().find(|algorithm| algorithm.key_type() == "ed25519").unwrap();
            algorithm.decode_key(&octets).unwrap()
        };
        let (usual, planned) = (decoded(&Policy::default()), decoded(&policy(&Policy::default())));
        let (digest, other) = ([1; 32], [2; 32]);
        assert!(planned.verify(&digest, &signature(&digest)).is_ok());
        assert!(planned.verify(&other, &signature(&digest)).is_err());
        assert!(planned.verify(&digest, &signature(&[])).is_err());
        assert!(planned.verify(&digest, &[0; 64]).is_err());
        assert!(usual.verify(&digest, &signature(&digest)).is_err());
        assert_eq!((usual.bits(), usual.work()), (planned.bits(), planned.work()));
    }

    #[test]
    fn no_message_brings_one() {
        let data = STANDARD.encode(signature(&[1; 32]));
        assert!(is_planned(&data) && is_planned(data.trim_end_matches('=')));
        assert!(!is_planned("AAAA") && !is_planned("!"));
    }
}
