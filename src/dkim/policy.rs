//! What a receiver may decide about signatures.

#[cfg(feature = "aws-lc-rs")]
use crate::crypto::aws_lc;
use crate::crypto::{ED25519_SHA256, ED25519_SHA256_REFERENCE, RSA_SHA256, RSA_SHA256_REFERENCE, SignatureAlgorithm};
use crate::message::{Header, Malformation, MalformationKind};
use std::time::Duration;

/// What a receiver accepts of DKIM and ARC signatures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// What may sign, and who computes it. An algorithm that is not here is not accepted.
    ///
    /// By default `rsa-sha256` and `ed25519-sha256`. RFC 8301 forbids `rsa-sha1`; who studies old mail can accept it:
    ///
    /// ```
    /// let mut policy = mailverdict::dkim::Policy::default();
    /// policy.algorithms.push(mailverdict::crypto::RSA_SHA1);
    /// ```
    pub algorithms: Vec<&'static dyn SignatureAlgorithm>,
    /// The least size of an RSA modulus, in bits (RFC 8301 §3.2: 1024).
    pub min_rsa_bits: usize,
    /// How many signatures of a message are verified at most (RFC 6376 §8.4 asks for a limit); 10 by default.
    ///
    /// Those whose domain can align with the author domain come first: those above, at or below it, then those that share a parent of
    /// at least two labels with it. Among equals, those that stand higher in the header come first. The others are reported as not
    /// evaluated.
    pub max_signatures: usize,
    /// How many keys at one name are tried for a signature, where there are several records; 4 by default, and never less than one.
    /// Records that are no key records, that are revoked or meant for another use are passed over.
    pub max_key_records: usize,
    /// How far clocks may differ when `t=` and `x=` are judged, in whole seconds; five minutes by default.
    pub clock_skew: Duration,
    /// Whether a signature over a part of the body (`l=`) may pass.
    pub accept_partial_body: bool,
    /// The malformations of a header that the receiver repairs itself, or takes away, before anybody reads the message; none by default.
    ///
    /// Where a header has any other one, no signature of DKIM and no chain of ARC passes: readers of mail disagree on what such a header says,
    /// and so on what was signed (RFC 6376 §3.8, §8.15). DMARC heeds no such list: where readers may see other From fields, it never
    /// passes.
    ///
    /// ```
    /// use mailverdict::message::MalformationKind;
    /// let mut policy = mailverdict::Policy::default();
    /// policy.dkim.repaired_malformations.push(MalformationKind::BareLf);
    /// ```
    pub repaired_malformations: Vec<MalformationKind>,
}

impl Policy {
    /// Why no signature of this header may pass.
    pub(crate) fn malformation_of<'h>(&self, header: &'h Header<'_>) -> Option<&'h Malformation> {
        header.malformations().iter().find(|found| !self.repaired_malformations.contains(&found.kind))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            algorithms: vec![RSA_SHA256, ED25519_SHA256],
            min_rsa_bits: 1024,
            max_signatures: 10,
            max_key_records: 4,
            clock_skew: Duration::from_secs(300),
            accept_partial_body: false,
            repaired_malformations: Vec::new(),
        }
    }
}

impl Policy {
    /// The default, with all arithmetic left to the crates `rsa` and `ed25519-dalek`: the same verdicts, RSA in
    /// seven to twenty times the time, Ed25519 in twice.
    ///
    /// By default the crate `mailverdict-crypto` computes; it is younger, and fewer people have looked at it. This is for receivers to
    /// whom that matters more than time.
    ///
    /// ```
    /// let mut policy = mailverdict::Policy::default();
    /// policy.dkim = mailverdict::dkim::Policy::conservative();
    /// ```
    pub fn conservative() -> Self {
        Self { algorithms: vec![RSA_SHA256_REFERENCE, ED25519_SHA256_REFERENCE], ..Self::default() }
    }
}

#[cfg(feature = "aws-lc-rs")]
impl Policy {
    /// The same policy with AWS-LC for what it computes sooner than the default: the same verdicts.
    ///
    /// That is RSA on processors without AVX-512; where they have it, and for Ed25519, the default is sooner and stays. Who wants AWS-LC
    /// for all puts the algorithms of [`aws_lc`] into [`algorithms`](Self::algorithms) by hand.
    ///
    /// ```
    /// let mut policy = mailverdict::Policy::default();
    /// policy.dkim = policy.dkim.with_aws_lc();
    /// ```
    #[must_use]
    pub fn with_aws_lc(mut self) -> Self {
        for algorithm in &mut self.algorithms {
            if let Some(same) = aws_lc::sooner().iter().find(|same| same.name() == algorithm.name()) {
                *algorithm = *same;
            }
        }
        self
    }
}
