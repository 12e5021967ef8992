//! Between whom a message was changed: by the word of hosts that saw it before, and by signatures that others have made of it.

use super::{
    suspect::{BodyFit, Place, Suspect},
    way::{Way, is_same},
};
use crate::{
    authentication_results::{AuthenticationResults, FIELD_NAME, MethodResult},
    dkim::{Change, ChangeKind, ChangePart},
    lex::excerpt,
    message::{Header, HeaderField},
};
use std::collections::HashSet;

/// Authentication-Results fields that are read.
const MAX_FIELDS: usize = 32;

/// What the header tells of the way of the message.
#[derive(Debug)]
pub(super) struct Traces<'a, 'm> {
    header: &'a Header<'m>,
    way: &'a Way,
    /// The results of hosts that the message went through, as far as they are told to be.
    own: Vec<OwnResults>,
}

/// One Authentication-Results field.
#[derive(Debug)]
struct OwnResults {
    field_index: usize,
    results: AuthenticationResults,
}

/// What a field of Microsoft's has beside its results without an authserv-id.
const OF_MICROSOFT: [&str; 4] =
    ["x-ms-exchange-", "x-microsoft-antispam", "x-forefront-antispam-report", "x-ms-office365-"];

impl<'a, 'm> Traces<'a, 'm> {
    pub(super) fn of(header: &'a Header<'m>, way: &'a Way, authserv_id: Option<&str>) -> Self {
        let fields = header.fields().iter().enumerate().filter(|(_, field)| field.is(FIELD_NAME)).take(MAX_FIELDS);
        let is_own = |results: &AuthenticationResults| {
            let id = &*results.authserv_id;
            if id.is_empty() {
                return is_of_microsoft(results, header);
            }
            authserv_id.is_some_and(|own| is_same(own, id)) || way.by(id).is_some()
        };
        let own = fields.filter_map(|(field_index, field)| {
            let results = AuthenticationResults::parse(field.value()).ok().filter(is_own)?;
            Some(OwnResults { field_index, results })
        });
        Self { header, way, own: own.collect() }
    }

    /// A host on the way has seen this signature pass.
    pub(super) fn after_receiver(&self, suspect: &Suspect<'_>) -> Option<Change> {
        if suspect.place != Place::Dkim {
            return None;
        }
        // The newest stands on top.
        let seen =
            self.own.iter().find(|own| own.results.of_method("dkim").any(|result| is_pass_of(result, suspect)))?;
        let id = &*seen.results.authserv_id;
        let domain = suspect.domain();
        let (who, rests) = if id.is_empty() {
            (
                "Microsoft's filter".to_owned(),
                "an Authentication-Results field without a name, as Microsoft writes it".to_owned(),
            )
        } else {
            (excerpt(id.as_bytes()).into(), format!("the Authentication-Results field of {}", excerpt(id.as_bytes())))
        };
        let hop = self.way.by(id);
        let when = hop.and_then(|hop| hop.time).map(|time| format!(" (at {time})")).unwrap_or_default();
        let next = hop.and_then(|hop| self.way.after(hop)).and_then(|hop| hop.by.as_deref());
        let says = format!(
            "{who} saw the signature of {domain} pass when it received the message{when}, so it was changed after that; this rests on \
             {rests} alone, field {} of the header",
            seen.field_index + 1
        );
        let advice = match next {
            Some(next) => format!(
                "Ask the administrator of {who} and of {}, which got the message next, what they change; the sender is not to blame.",
                excerpt(next.as_bytes())
            ),
            None => format!(
                "Look at what the hosts behind {who} do to messages, and at the program that has stored this one: take a copy that it \
                 did not convert."
            ),
        };
        Some(trace(ChangeKind::ChangedAfterReceiver, suspect.broken_part(), says, advice))
    }

    /// Others have signed the message as it is, or the one that was signed here.
    pub(super) fn of_sealers(&self, suspect: &Suspect<'_>, all: &[Suspect<'_>]) -> Vec<Change> {
        let others =
            || all.iter().filter(|other| other.own_index != suspect.own_index && other.domain() != suspect.domain());
        // From the bottom of the header up, which is the order of signing.
        let before = others().rev().find(|other| self.has_signed_what_is(suspect, other));
        let after = others().find(|other| has_signed_the_same(suspect, other));
        let before = before.map(|other| {
            let seen = self.sealer_saw_pass(other, suspect);
            let itself = if seen {
                format!(
                    "; its own results say that this signature passed when it came in, so {} has changed it",
                    other.domain()
                )
            } else {
                String::new()
            };
            let part = if suspect.body == BodyFit::Fits { "signed fields of the header are" } else { "body is" };
            let says =
                format!("the {part} as {} has signed it, so it was changed before that{itself}", other.described());
            let advice =
                format!("Ask the administrator of {}, or of the hosts before it, what they change.", other.domain());
            trace(ChangeKind::ChangedBeforeSealer, suspect.broken_part(), says, advice)
        });
        let after = after.map(|other| {
            let says = format!(
                "{} has signed the same body (bh= is the same), which is not that of the message now, so it was changed after that",
                other.described()
            );
            let advice = format!("Look at the hosts that got the message after {}.", other.domain());
            trace(ChangeKind::ChangedAfterSealer, ChangePart::Body, says, advice)
        });
        before.into_iter().chain(after).collect()
    }

    /// Whether the other signature covers what is broken here, as it stands now.
    fn has_signed_what_is(&self, suspect: &Suspect<'_>, other: &Suspect<'_>) -> bool {
        if suspect.body != BodyFit::Fits {
            return other.body == BodyFit::Fits && other.signature.body_length.is_none();
        }
        if !other.passes {
            return false;
        }
        let lower = |name: &str| name.to_ascii_lowercase();
        let covered: HashSet<String> = other.signature.signed_fields.iter().map(lower).collect();
        let present = |field: &HeaderField<'_>| lower(&String::from_utf8_lossy(field.name()));
        let present: HashSet<String> = self.header.fields().iter().map(present).collect();
        suspect
            .signature
            .signed_fields
            .iter()
            .map(lower)
            .filter(|name| present.contains(name))
            .all(|name| covered.contains(&name))
    }

    /// Whether the results of the sealer's own set say that the signature passed.
    fn sealer_saw_pass(&self, sealer: &Suspect<'_>, suspect: &Suspect<'_>) -> bool {
        let Place::Arc(instance) = sealer.place else { return false };
        let mut sets = self.header.named("ARC-Authentication-Results").take(64);
        let own = sets.find_map(|field| {
            AuthenticationResults::parse_arc(field.value()).ok().filter(|(found, _)| *found == instance)
        });
        own.is_some_and(|(_, results)| results.of_method("dkim").any(|result| is_pass_of(result, suspect)))
    }
}

/// Whether the body that both have signed is one and the same, which is not there any more.
fn has_signed_the_same(suspect: &Suspect<'_>, other: &Suspect<'_>) -> bool {
    let (one, two) = (&suspect.signature, &other.signature);
    suspect.body == BodyFit::Differs
        && one.body_hash == two.body_hash
        && one.canonicalization.body == two.canonicalization.body
        && one.body_length == two.body_length
}

/// A result that counts: `pass`, for this `d=`, and for this signature where it says which.
fn is_pass_of(result: &MethodResult, suspect: &Suspect<'_>) -> bool {
    let domain = match result.property("header", "d") {
        Some(domain) => Some(domain),
        None => result.property("header", "i").and_then(|identity| identity.rsplit('@').next()),
    };
    let selector = result.property("header", "s");
    let data = result.property("header", "b");
    &*result.result == "pass"
        && domain.is_some_and(|domain| is_same(domain, suspect.domain()))
        && selector.is_none_or(|selector| is_same(selector, suspect.signature.selector.as_str()))
        // RFC 6008: the first octets of b=.
        && data.is_none_or(|data| suspect.signature.signature_data.starts_with(data))
}

/// Microsoft leaves the authserv-id out, and has methods and fields of its own beside the results.
fn is_of_microsoft(results: &AuthenticationResults, header: &Header<'_>) -> bool {
    let begins = |name: &[u8]| {
        OF_MICROSOFT
            .iter()
            .any(|start| name.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start.as_bytes())))
    };
    results.of_method("compauth").next().is_some() || header.fields().iter().any(|field| begins(field.name()))
}

fn trace(kind: ChangeKind, part: ChangePart, says: String, advice: String) -> Change {
    Change { kind, part, is_proven: false, field: None, says: says.into(), advice: Some(advice.into()), undo: None }
}
