//! Signatures that have expired: what counts is when the message was received.

use super::way::Way;
use crate::{
    dkim::{Change, ChangeKind, ChangePart, DkimResult, PermReason},
    lex::excerpt,
};

/// RFC 6376 §3.5, x=.
pub(super) fn change(result: &DkimResult, way: &Way) -> Option<Change> {
    let DkimResult::PermError(PermReason::Expired { expiration }) = result else { return None };
    let received = way.received();
    let (says, advice) = match received.and_then(|hop| Some((hop, hop.time?))) {
        Some((hop, time)) => {
            let by = hop.by.as_deref().map(|by| format!(" by {}", excerpt(by.as_bytes()))).unwrap_or_default();
            if time <= *expiration {
                (
                    format!(
                        "the signature expired at {expiration}, and had not when the message was received{by} at {time}"
                    ),
                    format!("Evaluate it as of then (--at {}): nothing but time has passed.", time.0),
                )
            } else {
                (
                    format!(
                        "the signature had expired at {expiration} already when the message was received{by} at {time}"
                    ),
                    "Look for the delay in the Received fields before, or have the signer choose a later x=."
                        .to_owned(),
                )
            }
        }
        None => (
            format!("the signature expired at {expiration}, and no Received field says when the message was received"),
            "Evaluate it as of the time at which it was received (--at).".to_owned(),
        ),
    };
    Some(Change {
        kind: ChangeKind::ExpiredSince,
        part: ChangePart::Time,
        is_proven: true,
        field: None,
        says: says.into(),
        advice: Some(advice.into()),
        undo: None,
    })
}
