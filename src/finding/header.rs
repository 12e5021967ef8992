//! What other servers have written in the header, as findings.

use super::{
    Finding, Rule,
    client::{Hops, border, own_relay},
    dkim,
    quote::quoted,
};
use crate::{
    authentication_results::{FIELD_NAME, Forged, ForgedReason, strip_forged},
    known::Log,
    message::Header,
    received::hops,
    session::Session,
    verdict::Verdict,
};
use std::cell::LazyCell;

/// Those of the Received and Authentication-Results fields, and of what signatures cover.
pub(super) fn of_header(
    verdict: &Verdict,
    session: &Session,
    log: &Log,
    header: &Header<'_>,
    authserv_id: Option<&str>,
) -> Vec<Finding> {
    // Hardly ever are they looked at.
    let lazy = LazyCell::new(|| hops(header));
    let hops: &Hops<'_> = &lazy;
    let own_relay = own_relay(&verdict.spf, session, log, hops);
    let forged = authserv_id.and_then(|id| results_forged(header, id, hops, session));
    let border = || border(hops, session).and_then(|at| hops.get(at));
    own_relay.into_iter().chain(forged).chain(dkim::of_header(&verdict.dkim, header, &border)).collect()
}

/// RFC 8601 §5. Where the header shows the field of the own host that took the message in, what stands above it are own fields.
fn results_forged(header: &Header<'_>, authserv_id: &str, hops: &Hops<'_>, session: &Session) -> Option<Finding> {
    let mut forged: Vec<Forged> = strip_forged(header, authserv_id);
    forged.retain(|forged| forged.reason == ForgedReason::OwnAuthservId);
    forged.first()?;
    if let Some(border) = border(hops, session).and_then(|at| hops.get(at)) {
        forged.retain(|forged| forged.field_index > border.field_index);
    }
    let first = forged.first()?;
    let text = header.fields().get(first.field_index).map(|field| quoted(field.value().trim_ascii()));
    let text = text.map(|text| format!(": {text}")).unwrap_or_default();
    let id = quoted(authserv_id.as_bytes());
    let says = match forged.len() {
        1 => format!(
            "an Authentication-Results field claims to be written by this receiver, {id}, and came in with the message{text}"
        ),
        count => format!(
            "{count} Authentication-Results fields claim to be written by this receiver, {id}, and came in with the message; the \
             first is{text}"
        ),
    };
    let advice =
        "Have fields with the own name removed from what comes in; no reader can tell them from the receiver's.";
    Some(Finding {
        name: Some(FIELD_NAME.into()),
        advice: Some(advice.into()),
        ..Finding::new(Rule::ResultsForged, &says)
    })
}
