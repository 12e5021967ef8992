//! What happened to the signed fields of the header.

mod alternative;
mod content;
mod mailbox;
mod presence;
mod refold;
mod search;
mod slot;
mod subject;

use super::{signer::Signer, work::Work};
use crate::{
    crypto::HashAlgorithm,
    dkim::{Algorithm, Change, ChangeKind, ChangePart, Signature, Undo},
    lex::Span,
    message::{Header, HeaderField},
};
use alternative::{Alternative, Alternatives};
use search::{Found, Search};
use slot::Slots;

/// Names in `h=` of a signature whose fields are looked at.
const MAX_NAMES: usize = 256;

/// A signature and its header.
pub(super) struct SignedHeader<'a, 'm> {
    pub(super) header: &'a Header<'m>,
    pub(super) own: HeaderField<'m>,
    pub(super) own_index: usize,
    pub(super) signature: &'a Signature,
    pub(super) hash: HashAlgorithm,
    /// The fields of the first part of the body, where that is a multipart.
    pub(super) part_header: &'a [HeaderField<'a>],
}

/// What became of the header.
#[derive(Debug)]
pub(super) enum HeaderFate {
    /// It is what was signed.
    Intact,
    /// It was computed what happened.
    Proven(Vec<Change>),
    /// It is not what was signed, and so many other headers are neither.
    NotFound { attempts: usize },
    /// The signature does not tell.
    NotJudged,
}

impl SignedHeader<'_, '_> {
    /// Compares the header with what was signed, and searches for what it was.
    pub(super) fn fate(&self, signer: &Signer, work: &mut Work) -> HeaderFate {
        let named = self.signature.canonicalization.header;
        let Some(slots) = self.slots(named) else { return HeaderFate::NotJudged };
        match self.search(&slots, &[], signer).is_intact(work) {
            None => return HeaderFate::NotJudged,
            Some(true) => return HeaderFate::Intact,
            Some(false) => {}
        }
        let list = self.alternatives(&slots);
        let mut search = self.search(&slots, &list, signer);
        let found = self.other_ways(signer, &mut search, named, work).unwrap_or_else(|| search.alternatives(work));
        let attempts = search.attempts;
        match found {
            Found::Other => HeaderFate::NotFound { attempts },
            Found::OtherCanonicalization(other) => HeaderFate::Proven(vec![named_wrongly(other, named)]),
            Found::SignedWrongly(what) => HeaderFate::Proven(vec![signed_wrongly(what)]),
            Found::Undone(places) => {
                HeaderFate::Proven(places.iter().filter_map(|place| list.get(*place)).map(change).collect())
            }
        }
    }

    /// All that is tried, in the order of trying.
    fn alternatives(&self, slots: &Slots<'_>) -> Vec<Alternative> {
        let mut alternatives = Alternatives::new(slots, self.header);
        subject::add(&mut alternatives);
        mailbox::add_authors(&mut alternatives);
        presence::add_absent(&mut alternatives);
        presence::add_kept(&mut alternatives);
        content::add_copies(&mut alternatives, self.own);
        content::add(&mut alternatives, self.part_header);
        mailbox::add_recipients(&mut alternatives);
        presence::add_removed(&mut alternatives);
        presence::add_reordered(&mut alternatives);
        refold::add_encoded_words(&mut alternatives);
        refold::add(&mut alternatives);
        alternatives.list
    }

    fn slots(&self, canonicalization: Algorithm) -> Option<Slots<'_>> {
        Slots::of(self.signature, canonicalization, self.header, self.own, self.own_index, MAX_NAMES)
    }

    fn search<'a, 's>(&'a self, slots: &'a Slots<'s>, list: &'a [Alternative], signer: &'a Signer) -> Search<'a, 's> {
        Search { slots, alternatives: list, signer, hash: self.hash, octets: slots.octets(), attempts: 0 }
    }

    /// The same header, canonicalized or hashed in another way.
    fn other_ways(
        &self,
        signer: &Signer,
        search: &mut Search<'_, '_>,
        named: Algorithm,
        work: &mut Work,
    ) -> Option<Found> {
        let other = match named {
            Algorithm::Simple => Algorithm::Relaxed,
            Algorithm::Relaxed => Algorithm::Simple,
        };
        let slots = self.slots(other)?;
        if self.search(&slots, &[], signer).is_intact(work)? {
            return Some(Found::OtherCanonicalization(other));
        }
        search.signed_wrongly(work).map(Found::SignedWrongly)
    }
}

fn change(alternative: &Alternative) -> Change {
    let span = alternative.removed.clone().and_then(|range| Span::new(range.start, range.len()));
    let advice = match alternative.kind {
        ChangeKind::SubjectTag | ChangeKind::SubjectPrefix => {
            "Have the host that puts words into Subject leave it alone, or mark such mail in a field of its own."
        }
        ChangeKind::FromRewritten => {
            "A list that rewrites From signs anew as itself; nothing is to be done at the sender's."
        }
        ChangeKind::HeaderAdded => {
            "Have the host that adds the field leave it out, or sign without naming it twice in h=."
        }
        _ => "Have the host that changed the field pass it on as it came, or have the signer leave it out of h=.",
    };
    Change {
        kind: alternative.kind,
        part: ChangePart::Header,
        is_proven: true,
        field: Some(crate::lex::printable(alternative.field.as_bytes())),
        says: alternative.says.as_str().into(),
        advice: Some(advice.into()),
        undo: span.map(|span| Undo { removed: vec![span] }),
    }
}

fn named_wrongly(other: Algorithm, named: Algorithm) -> Change {
    Change {
        kind: ChangeKind::CanonicalizationNamedWrongly,
        part: ChangePart::Signature,
        is_proven: true,
        field: None,
        says: format!("with the header canonicalization \"{other}\" the signature fits, but c= says \"{named}\"")
            .into(),
        advice: Some("Have the signer name the canonicalization by which it computes.".into()),
        undo: None,
    }
}

fn signed_wrongly(what: &str) -> Change {
    Change {
        kind: ChangeKind::SignedWrongly,
        part: ChangePart::Signature,
        is_proven: true,
        field: None,
        says: format!("the header is what it was, and the signer did not sign by the rules: {what}").into(),
        advice: Some("Have the program that signs corrected; no change on the way is to be blamed.".into()),
        undo: None,
    }
}
