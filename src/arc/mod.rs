//! Authenticated Received Chain, RFC 8617: what those who handed the message on found, sealed by each of them.
//!
#![doc = include_str!("../../docs/arc.md")]

mod chain;
mod policy;
mod result;
mod seal;
mod set;
mod trust;
mod validate;

pub use policy::Policy;
pub use result::{ArcReport, ArcResult, ChainStatus, FailReason, SetReport};
pub use set::ArcField;
pub use trust::Trusted;

use crate::{
    budget::Purse,
    dkim::{
        self, Keys,
        body_hash::{BodyHasher, BodyHashes},
    },
    dns::Resolver,
    join::join,
    message::Message,
    time::UnixTime,
};
use chain::Collection;
use std::pin::pin;
use validate::Validation;

/// What is at hand to judge the chain of a message by; nothing for the many messages without one, which is quick to hand on.
#[derive(Debug, Default)]
pub(crate) struct Evidence<'m>(Option<Box<Gathered<'m>>>);

/// What was gathered of a message with ARC fields.
#[derive(Debug)]
struct Gathered<'m> {
    /// What can be said without the chain, or where there is none in form.
    report: ArcReport,
    chain: Option<Complete<'m>>,
}

/// A chain in form, its keys, and the hashes of the body.
#[derive(Debug)]
struct Complete<'m> {
    validation: Validation<'m>,
    keys: Keys,
    body: BodyHashes,
}

/// Gathers what is needed to validate the chain of a message (RFC 8617 §5.2); the only function of this module that asks the DNS.
///
/// The form of the chain is judged first, so that a message that merely looks sealed costs no question and no hash; then all keys
/// are asked for side by side, each once.
pub(crate) async fn gather<'m, R: Resolver>(
    resolver: &R,
    memory: &dkim::KeyMemory,
    policy: &dkim::Policy,
    message: &Message<'m>,
    now: UnixTime,
) -> Evidence<'m> {
    let collection = Collection::of(message.header());
    if collection.is_empty() {
        return Evidence(None);
    }
    // Whoever holds the future of a message without ARC fields has no room to keep for the rest.
    Evidence(Some(Box::pin(gather_sets(resolver, memory, policy, message, now, collection)).await))
}

/// The same for a message with ARC fields.
async fn gather_sets<'m, R: Resolver>(
    resolver: &R,
    memory: &dkim::KeyMemory,
    policy: &dkim::Policy,
    message: &Message<'m>,
    now: UnixTime,
    collection: Collection<'m>,
) -> Box<Gathered<'m>> {
    let (instances, sealers) = (collection.instances(), collection.sealers());
    // RFC 6376 §3.8: what readers disagree on is not what was signed.
    let valid = match policy.malformation_of(message.header()) {
        Some(malformation) => Err(FailReason::MalformedHeader(malformation.clone())),
        None => Ok(()),
    };
    let (result, chain) = match collection.into_chain().and_then(|chain| valid.map(|()| chain)) {
        Err(reason) => (ArcResult::Fail(reason), None),
        Ok(chain) => {
            let validation = Validation::new(policy, message.header(), chain, now);
            let hash_body = pin!(async {
                let mut hasher = BodyHasher::new(validation.wanted_bodies());
                hasher.update(message.body());
                hasher.finish()
            });
            let keys = pin!(Keys::ask(resolver, Some(memory), validation.key_names()));
            let (keys, body) = join(keys, hash_body).await;
            (ArcResult::None, Some(Complete { validation, keys, body }))
        }
    };
    Box::new(Gathered { report: ArcReport { instances, sealers, ..ArcReport::without_chain(result) }, chain })
}

impl Evidence<'_> {
    /// Validates the chain; the purse pays for it.
    pub(crate) fn conclude(self, policy: &Policy, dkim_policy: &dkim::Policy, purse: &mut Purse) -> ArcReport {
        let Some(gathered) = self.0 else { return ArcReport::without_chain(ArcResult::None) };
        let Gathered { report, chain } = *gathered;
        let Some(Complete { validation, keys, body }) = chain else { return report };
        let ArcReport { instances, sealers, .. } = report;
        ArcReport { instances, sealers, ..validation.conclude(dkim_policy, policy, &keys, &body, purse) }
    }
}
