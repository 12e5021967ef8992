//! DKIM-Signature fields in the name of keys that are not here.

use super::{plan::PlannedKey, planned_key};
use crate::{
    message::Message,
    sign::{Signer, SigningAlgorithm},
    time::UnixTime,
};

/// The field with its line end, as a usual signer makes it; `None` for a message that nobody signs, as one without From.
pub(super) fn field(
    message: &Message<'_>,
    key: &PlannedKey,
    algorithm: SigningAlgorithm,
    at: UnixTime,
) -> Option<String> {
    let signer = Signer::new(key.domain().as_str(), key.selector(), algorithm).ok()?.forced();
    let unsigned = signer.prepare(message, at).ok()?;
    Some(unsigned.signed(&planned_key::signature(unsigned.digest())))
}
