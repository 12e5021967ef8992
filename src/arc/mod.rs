//! Authenticated Received Chain, RFC 8617: what those who handed the message on found, sealed by each of them.
//!
#![doc = include_str!("../../docs/arc.md")]

mod chain;
mod policy;
mod result;
mod seal;
mod set;
mod set_report;
mod trust;
mod validate;

pub use policy::Policy;
pub use result::{ArcReport, ArcResult, ChainStatus, FailReason};
pub use seal::Seal;
pub use set::ArcField;
pub use set_report::SetReport;
pub use trust::Trusted;

pub(crate) use set::MAX_INSTANCE;

use crate::{
    dkim::{self, Keys, body_hash::BodyHasher},
    known::{Known, Unknown},
    message::{Header, HeaderField},
    time::UnixTime,
};
use chain::Collection;
use validate::Validation;

/// Validates the chain of a message whose body comes in pieces (RFC 8617 §5.2). For the many messages without one there is nothing in
/// it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Validator(Option<Box<Collected>>);

/// What a message holds of ARC.
#[derive(Clone, Debug)]
struct Collected {
    /// What can be said without the chain, or where there is none in form.
    report: ArcReport,
    chain: Option<Complete>,
}

/// A chain in form, and the hashes of the body.
#[derive(Clone, Debug)]
struct Complete {
    validation: Validation,
    body: BodyHasher,
}

/// The fields of each set from the first on, in the order in which seals sign them (RFC 8617 §5.1.1); none where there is no chain.
pub(crate) fn sets<'m>(header: &Header<'m>) -> Result<Vec<[HeaderField<'m>; 3]>, FailReason> {
    let collection = Collection::of(header);
    if collection.is_empty() {
        return Ok(Vec::new());
    }
    let chain = collection.into_chain()?;
    let fields = |set: &set::Set<'m>| [set.results, set.message_signature, set.seal].map(|placed| placed.field);
    Ok(chain.links.iter().map(|(set, _)| fields(set)).collect())
}

impl Validator {
    /// Steps 1 to 3. The form of the chain is judged first, so that a message that merely looks sealed costs no question and no hash.
    pub(crate) fn new(policy: &dkim::Policy, header: &Header<'_>, now: UnixTime) -> Self {
        let collection = Collection::of(header);
        if collection.is_empty() {
            return Self(None);
        }
        let (instances, sealers) = (collection.instances(), collection.sealers());
        // RFC 6376 §3.8: what readers disagree on is not what was signed.
        let valid = match policy.malformation_of(header) {
            Some(malformation) => Err(FailReason::MalformedHeader(malformation.clone())),
            None => Ok(()),
        };
        let (result, chain) = match collection.into_chain().and_then(|chain| valid.map(|()| chain)) {
            Err(reason) => (ArcResult::Fail(reason), None),
            Ok(chain) => {
                let validation = Validation::new(policy, header, chain, now);
                let body = BodyHasher::new(validation.wanted_bodies());
                (ArcResult::None, Some(Complete { validation, body }))
            }
        };
        Self(Some(Box::new(Collected {
            report: ArcReport { instances, sealers, ..ArcReport::without_chain(result) },
            chain,
        })))
    }

    fn chain(&self) -> Option<&Complete> {
        self.0.as_ref()?.chain.as_ref()
    }

    /// Takes the next piece of the body, of any size.
    pub(crate) fn body(&mut self, chunk: &[u8]) {
        if let Some(Complete { body, .. }) = self.0.as_mut().and_then(|collected| collected.chain.as_mut()) {
            body.update(chunk);
        }
    }

    /// Adds what was hashed, behind the whole body.
    #[cfg(feature = "serde")]
    pub(crate) fn add_hashes(&self, hashes: &mut dkim::Hashes) {
        if let Some(Complete { validation, body }) = self.chain() {
            validation.add_hashes(&body.clone().finish(), hashes);
        }
    }

    /// Puts hashes in the place of header and body, whose text is not here.
    #[cfg(feature = "serde")]
    pub(crate) fn set_hashes(&mut self, hashes: &dkim::Hashes) {
        if let Some(Complete { validation, body }) = self.0.as_mut().and_then(|collected| collected.chain.as_mut()) {
            validation.set_hashes(hashes);
            *body = BodyHasher::of_hashes(hashes.body.clone());
        }
    }

    /// The keys, which the header names.
    pub(crate) fn keys(&self, known: &mut Known<'_>) -> Result<Keys, Unknown> {
        let names = self.chain().map(|chain| chain.validation.key_names());
        Keys::ask(known, names.unwrap_or_default())
    }

    /// Ends the body, and goes through steps 4 to 7.
    pub(crate) fn finish(
        self,
        known: &mut Known<'_>,
        policy: &Policy,
        dkim_policy: &dkim::Policy,
        keys: &Keys,
    ) -> ArcReport {
        let Some(collected) = self.0 else { return ArcReport::without_chain(ArcResult::None) };
        let Collected { report, chain } = *collected;
        let Some(Complete { validation, body }) = chain else { return report };
        let ArcReport { instances, sealers, .. } = report;
        ArcReport { instances, sealers, ..validation.conclude(known, dkim_policy, policy, keys, &body.finish()) }
    }
}
