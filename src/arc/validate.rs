//! Validation by RFC 8617 §5.2, steps 4 to 7: what can be done before the keys are there, and what is left then.

use super::{
    chain::Chain,
    policy::Policy as ArcPolicy,
    result::{ArcReport, ArcResult, FailReason},
    seal::Seal,
    set::{ArcField, Placed, Set},
    set_report::SetReport,
    trust::Trusted,
};
#[cfg(feature = "serde")]
use crate::dkim::Hashes;
use crate::{
    authentication_results::AuthenticationResults,
    crypto::{Digest, HashAlgorithm},
    dkim::{
        Algorithm, DkimResult, Keys, NeutralReason, PermReason, Policy,
        body_hash::{BodyHashes, Wanted},
        header_hash::{FieldIndex, HeaderHasher},
        keys::{self, KeyUser},
        parse::with_decoded,
        signature::Signature,
        verify::{PendingSignature, acceptable},
    },
    known::Known,
    message::Header,
    name::Name,
    time::UnixTime,
};

/// A chain of the right form, hashed, which waits for its keys and the body.
#[derive(Clone, Debug)]
pub(super) struct Validation {
    links: Vec<Link>,
}

/// One set.
#[derive(Clone, Debug)]
struct Link {
    results: Option<AuthenticationResults>,
    seal: Seal,
    message_signature: Result<Box<PendingSignature>, FailReason>,
    seal_hash: Result<SealHash, DkimResult>,
    /// The places of the two fields among those of the header.
    #[cfg(feature = "serde")]
    field_indexes: [usize; 2],
}

/// The hash that a seal signs.
#[derive(Clone, Debug)]
struct SealHash {
    key_user: KeyUser,
    digest: Digest,
}

impl Validation {
    /// Reads the message signatures and hashes what they and the seals sign.
    pub(super) fn new(policy: &Policy, header: &Header<'_>, chain: Chain<'_>, now: UnixTime) -> Self {
        let index = FieldIndex::new(header);
        let mut sealed = SealedFields::default();
        let links = (1_u8..).zip(chain.links).map(|(instance, (set, seal))| {
            let message_signature = message_signature(policy, &index, instance, set.message_signature, now);
            let seal_hash = seal_key_user(policy, &seal, now);
            let seal_hash = sealed.add(set, &seal, seal_hash);
            let results = AuthenticationResults::parse_arc(set.results.field.value()).ok().map(|(_, results)| results);
            Link {
                results,
                seal,
                message_signature: message_signature.map(Box::new),
                seal_hash,
                #[cfg(feature = "serde")]
                field_indexes: [set.message_signature.field_index, set.seal.field_index],
            }
        });
        Self { links: links.collect() }
    }

    /// Adds what was hashed of header and body.
    #[cfg(feature = "serde")]
    pub(super) fn add_hashes(&self, body: &BodyHashes, hashes: &mut Hashes) {
        for Link { message_signature, seal_hash, field_indexes: [signature_at, seal_at], .. } in &self.links {
            if let Ok(signature) = message_signature {
                hashes.add_header(*signature_at, signature.header_hash());
            }
            if let Ok(SealHash { digest, .. }) = seal_hash {
                hashes.add_header(*seal_at, *digest);
            }
        }
        hashes.add_body(body, self.wanted_bodies());
    }

    /// Puts hashes in the place of a header whose text is not here.
    #[cfg(feature = "serde")]
    pub(super) fn set_hashes(&mut self, hashes: &Hashes) {
        for Link { message_signature, seal_hash, field_indexes: [signature_at, seal_at], .. } in &mut self.links {
            if let (Ok(signature), Some(digest)) = (message_signature, hashes.of_header(*signature_at)) {
                signature.set_header_hash(digest);
            }
            if let (Ok(seal), Some(digest)) = (seal_hash, hashes.of_header(*seal_at)) {
                seal.digest = digest;
            }
        }
    }

    /// The names of all keys, for one round of questions.
    pub(super) fn key_names(&self) -> Vec<Name> {
        let of = |link: &Link| {
            let message_signature = link.message_signature.as_ref().ok().map(|signature| signature.key_name().clone());
            let seal = link.seal_hash.as_ref().ok().map(|_| link.seal.key_name.clone());
            [message_signature, seal]
        };
        self.links.iter().flat_map(of).flatten().collect()
    }

    /// Which hashes of the body are needed.
    pub(super) fn wanted_bodies(&self) -> impl Iterator<Item = Wanted> {
        self.links
            .iter()
            .filter_map(|link| link.message_signature.as_ref().ok())
            .map(|signature| signature.wanted_body())
    }

    /// Steps 4 to 7.
    pub(super) fn conclude(
        self,
        known: &mut Known<'_>,
        policy: &Policy,
        arc_policy: &ArcPolicy,
        keys: &Keys,
        body: &BodyHashes,
    ) -> ArcReport {
        let result = match self.verify(known, policy, keys, body) {
            Ok(result) => result,
            Err(reason) => return ArcReport::without_chain(ArcResult::Fail(reason)),
        };
        let report = |(instance, link): (u8, Link)| SetReport {
            instance,
            sealer: link.seal.domain,
            selector: link.seal.selector,
            results: link.results,
        };
        let sets: Vec<SetReport> = (1_u8..).zip(self.links).map(report).collect();
        ArcReport { trusted: Trusted::oldest(arc_policy, &sets), sets, ..ArcReport::without_chain(result) }
    }

    fn verify(
        &self,
        known: &mut Known<'_>,
        policy: &Policy,
        keys: &Keys,
        body: &BodyHashes,
    ) -> Result<ArcResult, FailReason> {
        let numbered = || (1_u8..).zip(&self.links).collect::<Vec<_>>().into_iter().rev();
        let mut message_signatures = numbered();
        // Step 4.
        if let Some((instance, newest)) = message_signatures.next() {
            newest.verify_message_signature(instance, known, policy, keys, body)?;
        }
        // Step 6, which decides, and so comes before step 5 where there may not be enough for both.
        for (instance, link) in numbered() {
            link.verify_seal(known, policy, keys).map_err(|result| fail(instance, ArcField::Seal, result))?;
        }
        // Step 5: what cannot be asked or verified has not passed; that breaks no chain.
        for (instance, link) in message_signatures {
            if let Err(reason) = link.verify_message_signature(instance, known, policy, keys, body) {
                let cut_off = match reason {
                    FailReason::OutOfBudget { exhausted, .. } => Some(exhausted),
                    _ => None,
                };
                return Ok(ArcResult::Pass { oldest_pass: instance.saturating_add(1), cut_off });
            }
        }
        Ok(ArcResult::Pass { oldest_pass: 0, cut_off: None })
    }
}

/// The reason in which the cause that may pass is kept apart.
fn fail(instance: u8, field: ArcField, result: DkimResult) -> FailReason {
    match (result, field) {
        (DkimResult::TempError(error), field) => FailReason::Lookup { instance, field, error },
        (DkimResult::Neutral(NeutralReason::OutOfBudget(exhausted)), field) => {
            FailReason::OutOfBudget { instance, field, exhausted }
        }
        (result, ArcField::Seal) => FailReason::SealSignature { instance, result },
        (result, ArcField::MessageSignature | ArcField::AuthenticationResults) => {
            FailReason::MessageSignature { instance, result }
        }
    }
}

/// The message signature, if it may be verified; its header fields are hashed.
fn message_signature(
    policy: &Policy,
    index: &FieldIndex<'_, '_>,
    instance: u8,
    Placed { field_index, field }: Placed<'_>,
    now: UnixTime,
) -> Result<PendingSignature, FailReason> {
    let fail = |result| fail(instance, ArcField::MessageSignature, result);
    let signature = Signature::parse_arc_message_signature(field.value())
        .map_err(|error| fail(DkimResult::PermError(PermReason::Signature(error.in_field(field)))))?;
    // RFC 8617 §4.1.2 forbids sealers to list any ARC field. A seal in the list is refused. The two others are not: §5.2 has no
    // such step, the chain holds as well with them, and the public suite wants them accepted (its every set lists
    // ARC-Authentication-Results, `ams_fields_h_includes_ams` an older ARC-Message-Signature).
    if signature.signed_fields.iter().any(|name| name.eq_ignore_ascii_case(ArcField::Seal.name())) {
        return Err(FailReason::SealSigned { instance });
    }
    let key_user = acceptable(policy, &signature, now).map_err(fail)?;
    Ok(PendingSignature::new(signature, key_user, index, field, field_index))
}

impl Link {
    fn verify_message_signature(
        &self,
        instance: u8,
        known: &mut Known<'_>,
        policy: &Policy,
        keys: &Keys,
        body: &BodyHashes,
    ) -> Result<(), FailReason> {
        let signature = self.message_signature.as_ref().map_err(Clone::clone)?;
        match signature.conclude(policy, keys, body, known).result {
            DkimResult::Pass => Ok(()),
            result => Err(fail(instance, ArcField::MessageSignature, result)),
        }
    }

    fn verify_seal(&self, known: &mut Known<'_>, policy: &Policy, keys: &Keys) -> Result<(), DkimResult> {
        let SealHash { key_user, digest } = self.seal_hash.as_ref().map_err(Clone::clone)?;
        let usable = keys.usable(policy, &self.seal.key_name, key_user).map_err(|no_key| no_key.result)?;
        let verify =
            |data: Option<&[u8]>| keys::verify_digest(known, &usable, digest, data.unwrap_or_default()).map(|_| ());
        with_decoded(&self.seal.signature_data, verify)
    }
}

/// What the seal's algorithm and time come to, as for a signature.
fn seal_key_user(policy: &Policy, seal: &Seal, now: UnixTime) -> Result<KeyUser, DkimResult> {
    // RFC 6376 §3.5, t=: signatures from the future may be ignored.
    if let Some(timestamp) = seal.timestamp
        && timestamp.0 > now.0.saturating_add(policy.clock_skew.as_secs())
    {
        return Err(DkimResult::PermError(PermReason::FutureTimestamp { timestamp }));
    }
    let algorithm = keys::accepted_algorithm(policy, &seal.algorithm)?;
    Ok(KeyUser { algorithm, identity_is_signing_domain: true })
}

/// The fields that seals sign: every set from the first on (RFC 8617 §5.1.1), each hashed once however many sets there are.
#[derive(Debug, Default)]
struct SealedFields<'m> {
    earlier: Vec<Set<'m>>,
    hashers: Vec<(HashAlgorithm, usize, HeaderHasher)>,
}

impl<'m> SealedFields<'m> {
    /// Adds the next set and gives the hash that its seal signs.
    fn add(
        &mut self,
        set: Set<'m>,
        seal: &Seal,
        key_user: Result<KeyUser, DkimResult>,
    ) -> Result<SealHash, DkimResult> {
        self.earlier.push(set);
        let key_user = key_user?;
        let hash = key_user.algorithm.hash();
        let at = self.hashers.iter().position(|(known, ..)| *known == hash).unwrap_or_else(|| {
            // RFC 8617 §4.1.3: only "relaxed" header canonicalization is used.
            self.hashers.push((hash, 0, HeaderHasher::new(Algorithm::Relaxed, hash)));
            self.hashers.len() - 1
        });
        let Some((_, hashed, hasher)) = self.hashers.get_mut(at) else {
            return Err(DkimResult::PermError(PermReason::UnknownAlgorithm));
        };
        // Whole sets before this one, then this one up to its own seal.
        let last = self.earlier.len() - 1;
        for set in self.earlier.get(*hashed..last).unwrap_or_default() {
            for placed in [set.results, set.message_signature, set.seal] {
                hasher.field(placed.field);
            }
        }
        *hashed = last;
        let mut own = hasher.clone();
        own.field(set.results.field);
        own.field(set.message_signature.field);
        Ok(SealHash { key_user, digest: own.finish(set.seal.field, &seal.data_span.0) })
    }
}
