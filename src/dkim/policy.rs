//! What a receiver may decide about signatures.

use crate::crypto::SignatureAlgorithm;
use std::time::Duration;

/// What a receiver accepts of DKIM and ARC signatures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// What may sign, and who computes it. An algorithm that is not here is not accepted.
    pub algorithms: Vec<&'static dyn SignatureAlgorithm>,
    /// The least size of an RSA modulus, in bits (RFC 8301 §3.2: 1024).
    pub min_rsa_bits: usize,
    /// How many signatures of a message are verified at most.
    pub max_signatures: usize,
    /// How far clocks may differ when `t=` and `x=` are judged.
    pub clock_skew: Duration,
    /// Whether a signature over a part of the body (`l=`) may pass.
    pub accept_partial_body: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            algorithms: Vec::new(),
            min_rsa_bits: 1024,
            max_signatures: 10,
            clock_skew: Duration::from_secs(300),
            accept_partial_body: false,
        }
    }
}
