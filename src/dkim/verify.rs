//! Verification of one signature, pure: the header first, then the body's hashes and the keys. ARC-Message-Signature fields are
//! verified by the same steps.

use super::{
    DkimResult, FailReason, KeySummary, PermReason, Policy, PolicyReason, SignatureSummary,
    body_hash::{BodyHash, BodyHashes, Wanted},
    header_hash::{FieldIndex, HeaderHasher},
    keys::{self, KeyUser, Keys},
    parse,
    signature::Signature,
};
use crate::{
    crypto::Digest,
    known::Known,
    message::HeaderField,
    name::{Domain, Name},
    time::UnixTime,
};

/// A signature that waits for its key and for the hash of the body.
#[derive(Clone, Debug)]
pub(crate) struct PendingSignature {
    signature: Signature,
    key_user: KeyUser,
    header_hash: Digest,
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) struct Conclusion {
    pub(crate) result: DkimResult,
    /// The key record that decided, where one was found.
    pub(crate) key: Option<KeySummary>,
    /// The hash of the body, where `l=` is not longer than it.
    pub(crate) body_hash: Option<Digest>,
    pub(crate) header_hash: Digest,
    /// Octets of the canonicalized body that are not covered.
    pub(crate) unsigned_octets: u64,
}

/// What can be said about a well-formed signature without its key and the message: its times and its algorithm.
///
/// # Errors
/// The result of a signature that is not worth a question for its key.
pub(crate) fn acceptable(policy: &Policy, signature: &Signature, now: UnixTime) -> Result<KeyUser, DkimResult> {
    let skew = policy.clock_skew.as_secs();
    // RFC 6376 §6.1.1: "PERMFAIL (signature expired)"; §3.5, x=: a fudge factor is allowed.
    if let Some(expiration) = signature.expiration
        && now.0 > expiration.0.saturating_add(skew)
    {
        return Err(DkimResult::PermError(PermReason::Expired { expiration }));
    }
    // RFC 6376 §3.5, t=: signatures from the future may be ignored.
    if let Some(timestamp) = signature.timestamp
        && timestamp.0 > now.0.saturating_add(skew)
    {
        return Err(DkimResult::PermError(PermReason::FutureTimestamp { timestamp }));
    }
    let algorithm = keys::accepted_algorithm(policy, &signature.algorithm)?;
    Ok(KeyUser { algorithm, identity_is_signing_domain: signature.identity_domain == signature.domain })
}

impl PendingSignature {
    /// Hashes the signed fields. `own` is the signature's field, and `own_index` its place among all fields of the header.
    pub(crate) fn new(
        signature: Signature,
        key_user: KeyUser,
        index: &FieldIndex<'_, '_>,
        own: HeaderField<'_>,
        own_index: usize,
    ) -> Self {
        let mut hasher = HeaderHasher::new(signature.canonicalization.header, key_user.algorithm.hash());
        index.select(signature.signed_fields.octets(), own_index).for_each(|field| hasher.field(field));
        let header_hash = hasher.finish(own, &signature.data_span.0);
        Self { signature, key_user, header_hash }
    }

    /// The hash of the signed header fields.
    #[cfg(feature = "serde")]
    pub(crate) fn header_hash(&self) -> Digest {
        self.header_hash
    }

    /// Puts the hash in its place that was computed of a header whose text is not here.
    #[cfg(feature = "serde")]
    pub(crate) fn set_header_hash(&mut self, digest: Digest) {
        self.header_hash = digest;
    }

    /// The name its key is asked for at.
    pub(crate) fn key_name(&self) -> &Name {
        &self.signature.key_name
    }

    /// The `d=` of the signature.
    pub(crate) fn signing_domain(&self) -> &Domain {
        &self.signature.domain
    }

    /// The hash of the body it is about.
    pub(crate) fn wanted_body(&self) -> Wanted {
        Wanted {
            canonicalization: self.signature.canonicalization.body,
            hash: self.key_user.algorithm.hash(),
            length: self.signature.body_length,
        }
    }

    /// What its field says, for reports.
    pub(crate) fn into_summary(self) -> SignatureSummary {
        self.signature.into_summary()
    }

    /// RFC 6376 §6.1.2 and §6.1.3, in their order.
    pub(crate) fn conclude(
        &self,
        policy: &Policy,
        keys: &Keys,
        body: &BodyHashes,
        known: &mut Known<'_>,
    ) -> Conclusion {
        let body = body.of(&self.wanted_body());
        let (body_hash, unsigned_octets) = match body {
            Some(BodyHash::Computed { digest, unsigned_octets }) => (Some(digest), unsigned_octets),
            Some(BodyHash::TooShort { .. }) | None => (None, 0),
        };
        let (result, key) = match keys.usable(policy, self.key_name(), &self.key_user) {
            Ok(usable) => self.compare(policy, &usable, body, known),
            Err(no_key) => (no_key.result, no_key.key),
        };
        Conclusion { result, key, body_hash, header_hash: self.header_hash, unsigned_octets }
    }

    /// RFC 6376 §6.1.3.
    fn compare(
        &self,
        policy: &Policy,
        usable: &[keys::UsableKey<'_>],
        body: Option<BodyHash>,
        known: &mut Known<'_>,
    ) -> (DkimResult, Option<KeySummary>) {
        let first = || usable.first().map(|key| key.summary(self.key_name()));
        let unsigned_octets = match body {
            Some(BodyHash::Computed { digest, unsigned_octets })
                if is_in_base64(&digest, &self.signature.body_hash) =>
            {
                unsigned_octets
            }
            // RFC 6376 §3.5, l=: "MUST NOT be larger than the actual number of octets in the canonicalized message body".
            Some(BodyHash::TooShort { octets }) => {
                return (DkimResult::PermError(PermReason::BodyShorterThanLength { octets }), first());
            }
            // What was not computed is never a pass.
            Some(BodyHash::Computed { .. }) | None => return (DkimResult::Fail(FailReason::BodyHashMismatch), first()),
        };
        let verify =
            |data: Option<&[u8]>| keys::verify_digest(known, usable, &self.header_hash, data.unwrap_or_default());
        match parse::with_decoded(&self.signature.signature_data, verify) {
            Err(result) => (result, first()),
            Ok(key) => {
                // RFC 6376 §6.1.3: unsigned content may be treated as if the signature were invalid.
                let result = if unsigned_octets > 0 && !policy.accept_partial_body {
                    DkimResult::Policy(PolicyReason::PartialBody { unsigned_octets })
                } else {
                    DkimResult::Pass
                };
                (result, Some(key.summary(self.key_name())))
            }
        }
    }
}

/// Whether the text stands for the octets of the hash.
pub(super) fn is_in_base64(digest: &Digest, base64: &str) -> bool {
    parse::with_decoded(base64, |octets| octets == Some(digest.as_bytes()))
}
