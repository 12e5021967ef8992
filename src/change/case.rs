//! All that is found of one message, put together signature by signature.

use super::{
    body::{self, BodyFate},
    expiry,
    header::{HeaderFate, SignedHeader},
    said,
    signer::Signer,
    suspect::{BodyFit, Place, Suspect, is_arc_broken, is_to_be_explained},
    trace::Traces,
    way::Way,
    work::Work,
};
use crate::{
    dkim::{Change, ChangeKind, DkimResult, SignatureReport},
    known::Log,
    message::{HeaderField, Message},
    verdict::Verdict,
};

/// A message that does not verify.
pub(super) struct Case<'a, 'm> {
    pub(super) verdict: &'a Verdict,
    pub(super) message: &'a Message<'m>,
    pub(super) log: &'a Log,
    pub(super) way: &'a Way,
    pub(super) suspects: &'a [Suspect<'m>],
}

impl Case<'_, '_> {
    /// What changed, for each signature that is to be explained, with so many octets hashed at most.
    pub(super) fn all(&self, traces: &Traces<'_, '_>, octets: u64) -> Vec<(&Suspect<'_>, Vec<Change>)> {
        let explained: Vec<&Suspect<'_>> = self.suspects.iter().filter(|suspect| self.is_explained(suspect)).collect();
        let mut work = Work::new(octets);
        let mut for_headers = work.split(3);
        let part_header = body::part_header(self.message);
        let headers = (1..=explained.len() as u64).rev().zip(&explained).map(|(left, suspect)| {
            let mut own = for_headers.split(left);
            let found = self.header(suspect, &part_header, &mut own);
            for_headers.join(own);
            found
        });
        let headers: Vec<(Signer, HeaderFate)> = headers.collect();
        work.join(for_headers);
        let broken: Vec<&Suspect<'_>> =
            explained.iter().copied().filter(|suspect| suspect.body == BodyFit::Differs).collect();
        let mut bodies = body::fates(self.message, &broken, &mut work);
        let each = explained.into_iter().zip(headers).map(|(suspect, header)| {
            let body = bodies.remove(&suspect.own_index);
            (suspect, self.assembled(suspect, header, body, traces))
        });
        each.collect()
    }

    fn result(&self, suspect: &Suspect<'_>) -> Option<&DkimResult> {
        let is_it = |report: &&SignatureReport| report.field_index == suspect.own_index;
        self.verdict.dkim.iter().find(is_it).map(|report| &report.result)
    }

    fn is_explained(&self, suspect: &Suspect<'_>) -> bool {
        match suspect.place {
            Place::Dkim => self.result(suspect).is_some_and(is_to_be_explained),
            Place::Arc(_) => !suspect.passes && is_arc_broken(&self.verdict.arc.result),
        }
    }

    /// What the signature holds, and what became of the header.
    fn header(&self, suspect: &Suspect<'_>, part_header: &[HeaderField<'_>], work: &mut Work) -> (Signer, HeaderFate) {
        let Some(algorithm) = suspect.algorithm else { return (Signer::NoKey, HeaderFate::NotJudged) };
        let key = suspect.key(self.log);
        let repaired = key.repaired();
        let texts: Vec<&[u8]> =
            key.texts().iter().map(|text| &**text).chain(repaired.iter().map(|text| &**text)).collect();
        let signer = Signer::of(algorithm, &texts, &suspect.signature.data());
        let header = SignedHeader {
            header: self.message.header(),
            own: suspect.own,
            own_index: suspect.own_index,
            signature: &suspect.signature,
            hash: algorithm.hash(),
            part_header,
        };
        let fate = header.fate(&signer, work);
        (signer, fate)
    }

    /// All causes of one signature, the proven ones first.
    fn assembled(
        &self,
        suspect: &Suspect<'_>,
        (signer, header): (Signer, HeaderFate),
        body: Option<BodyFate>,
        traces: &Traces<'_, '_>,
    ) -> Vec<Change> {
        let mut found = Vec::new();
        if let Some(result) = self.result(suspect) {
            found.extend(expiry::change(result, self.way));
            found.extend(suspect.key(self.log).changes(result, suspect.algorithm));
        }
        found.extend(said::of_signer(&signer, suspect));
        if suspect.body == BodyFit::TooShort {
            found.push(said::truncated(suspect, self.message.body()));
        }
        match body {
            Some(BodyFate::Proven(changes)) => found.extend(changes),
            Some(BodyFate::NotFound(tried)) => {
                let store = body::store_rewrote(self.message);
                found.extend(store);
                let is_header_other = matches!((&header, &signer), (HeaderFate::NotFound { .. }, Signer::Digest(_)));
                found.push(tried.unknown(suspect, is_header_other, self.way));
            }
            None => {}
        }
        match header {
            HeaderFate::Proven(changes) => {
                // The fields that a conversion of the body changes are one cause with it.
                let is_told = |change: &Change, found: &[Change]| found.iter().any(|other| other.kind == change.kind);
                let new: Vec<Change> = changes.into_iter().filter(|change| !is_told(change, &found)).collect();
                found.extend(new);
            }
            HeaderFate::NotFound { attempts } => {
                found.push(said::header_not_found(&signer, suspect, self.message.header(), attempts, self.way));
            }
            HeaderFate::Intact | HeaderFate::NotJudged => {}
        }
        if suspect.body != BodyFit::Fits || !found.iter().all(|change| is_of_key_or_time(change.kind)) {
            found.extend(traces.after_receiver(suspect));
            found.extend(traces.of_sealers(suspect, self.suspects));
        }
        found.sort_by_key(|change| !change.is_proven);
        // To be told once whom to ask is enough.
        let mut told: Vec<Box<str>> = Vec::new();
        for change in &mut found {
            match change.advice.take_if(|advice| told.contains(advice)) {
                Some(_) => {}
                None => told.extend(change.advice.clone()),
            }
        }
        found
    }
}

/// Whether the message itself may be what it was.
fn is_of_key_or_time(kind: ChangeKind) -> bool {
    matches!(
        kind,
        ChangeKind::KeyMissing
            | ChangeKind::KeyRevoked
            | ChangeKind::KeyTypo
            | ChangeKind::KeyTruncated
            | ChangeKind::ExpiredSince
    )
}
