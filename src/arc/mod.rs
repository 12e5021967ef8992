//! Authenticated Received Chain, RFC 8617: a leaf of the house that nothing else leans on.

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
    dkim::{self, Keys, body_hash::BodyHasher},
    dns::Resolver,
    join::join,
    message::Message,
    time::UnixTime,
};
use chain::Collection;
use validate::Validation;

/// Validates the chain of a message (RFC 8617 §5.2); the only function of this module that asks the DNS.
///
/// The form of the chain is judged first, so that a message that merely looks sealed costs no question and no hash; then all keys
/// are asked for side by side, each once.
pub(crate) async fn validate<R: Resolver>(
    resolver: &R,
    memory: &dkim::KeyMemory,
    policy: &Policy,
    dkim_policy: &dkim::Policy,
    message: &Message<'_>,
    now: UnixTime,
) -> ArcReport {
    let collection = Collection::of(message.header());
    if collection.is_empty() {
        return ArcReport::without_chain(ArcResult::None);
    }
    let (instances, sealers) = (collection.instances(), collection.sealers());
    let report = match collection.into_chain() {
        Err(reason) => ArcReport::without_chain(ArcResult::Fail(reason)),
        Ok(chain) => {
            let validation = Validation::new(dkim_policy, message.header(), chain, now);
            let hash_body = async {
                let mut hasher = BodyHasher::new(validation.wanted_bodies());
                hasher.update(message.body());
                hasher.finish()
            };
            let (keys, body) = join(Keys::ask(resolver, Some(memory), validation.key_names()), hash_body).await;
            validation.conclude(dkim_policy, policy, &keys, &body)
        }
    };
    ArcReport { instances, sealers, ..report }
}
