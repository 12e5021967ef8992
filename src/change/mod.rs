//! What changed on the way, and the evidence for it: why a signature does not verify.
//!
//! [`changes`] reads a verdict, the message, the session, and what the DNS was asked. It asks nothing, decides nothing, and costs nothing
//! where all signatures pass. What it calls proven it has computed; all else says on what it rests.

mod body;
mod expiry;
mod hashed;
mod header;
mod key;
mod said;
mod signer;
mod suspect;
mod trace;
mod way;
mod work;

pub use hashed::HashedBody;

use crate::{
    arc::ArcResult,
    dkim::{Change, ChangeKind, DkimResult, KeyRestriction, PermReason, SignatureReport},
    known::Log,
    message::Message,
    session::Session,
    verdict::Verdict,
};
use body::BodyFate;
use header::{HeaderFate, SignedHeader};
use signer::Signer;
use suspect::{BodyFit, Place, Suspect};
use trace::Traces;
use way::Way;
use work::Work;

/// What may be looked at, and how much may be computed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The name under which the receiver writes its own Authentication-Results, beside those of the hosts that Received fields name.
    pub authserv_id: Option<Box<str>>,
    /// Octets that may be hashed for all signatures of one message; each attempt counts as 256 more, and each verification by Ed25519 as
    /// 30,000. The default, 500 million, is half a second of a processor with instructions for SHA-256.
    pub work: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { authserv_id: None, work: 500_000_000 }
    }
}

/// What changed, signature by signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Changes {
    /// One list for each report of [`Verdict::dkim`], in its order; empty for a signature that passes. Those that are proven come first.
    pub dkim: Vec<Vec<Change>>,
    /// The ARC-Message-Signature fields that do not verify, from the top of the header down.
    pub message_signatures: Vec<OfMessageSignature>,
}

/// What changed since an ARC set was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct OfMessageSignature {
    /// 1 to 50.
    pub instance: u8,
    /// The place of the field among all fields of the header, from 0 at the top.
    pub field_index: usize,
    /// The causes; those that are proven come first.
    pub changes: Vec<Change>,
}

/// What happened to the message between its signing and now, for each signature that does not verify.
///
/// `verdict`, `session` and `log` are those of an evaluation of `message`.
///
/// ```
/// use mailverdict::{Authenticator, Message, change::{Settings, changes}, dkim::ChangeKind, dns::Zone, spf::Observers};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let raw = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=k; h=from;\r\n bh=AAAA; b=BBBB\r\nFrom: a@example.com\r\n\r\nHello\r\n";
/// let message = Message::parse(raw)?;
/// let session = mailverdict::Session::new(std::net::Ipv4Addr::new(192, 0, 2, 1));
/// let mut observers = Observers { helo: (), mail_from: () };
/// let authenticator = Authenticator::new(Zone::default());
/// let (verdict, log) = authenticator.explain(&message, session.clone(), &mut observers).await;
/// let found = changes(&verdict, &message, &session, &log, &Settings::default());
/// assert_eq!(found.dkim[0][0].kind, ChangeKind::KeyMissing);
/// assert!(found.dkim[0][0].is_proven);
/// # Ok(())
/// # }
/// ```
pub fn changes(verdict: &Verdict, message: &Message<'_>, session: &Session, log: &Log, settings: &Settings) -> Changes {
    let mut changes = Changes { dkim: vec![Vec::new(); verdict.dkim.len()], message_signatures: Vec::new() };
    let is_dkim_broken = verdict.dkim.iter().any(|report| is_to_be_explained(&report.result));
    if !is_dkim_broken && !is_arc_broken(&verdict.arc.result) {
        return changes;
    }
    let suspects = Suspect::all(verdict, message);
    let way = Way::of(message.header(), session);
    let case = Case { verdict, message, log, way: &way, suspects: &suspects };
    let traces = Traces::of(message.header(), &way, settings.authserv_id.as_deref());
    for (suspect, found) in suspects.iter().zip(case.all(&traces, settings)) {
        let Some(found) = found else { continue };
        match suspect.place {
            Place::Dkim => {
                let place = verdict.dkim.iter().position(|report| report.field_index == suspect.own_index);
                if let Some(of_report) = place.and_then(|place| changes.dkim.get_mut(place)) {
                    *of_report = found;
                }
            }
            Place::Arc(_) if found.is_empty() => {}
            Place::Arc(instance) => {
                let field_index = suspect.own_index;
                changes.message_signatures.push(OfMessageSignature { instance, field_index, changes: found });
            }
        }
    }
    changes
}

/// The causes in sentences, with what else is to be said of the key and the field; `message` is the one that the report is about.
pub fn diagnosis(report: &SignatureReport, message: &Message<'_>, changes: &[Change]) -> Vec<String> {
    let mut said = report.remarks(message);
    said.extend(changes.iter().map(|change| String::from(&*change.says)));
    said
}

/// Whether the cause may be a change, or the key; what the reason says by itself is left to it.
fn is_to_be_explained(result: &DkimResult) -> bool {
    match result {
        DkimResult::Fail(_) | DkimResult::TempError(_) => true,
        DkimResult::PermError(reason) => match reason {
            PermReason::Expired { .. }
            | PermReason::FutureTimestamp { .. }
            | PermReason::NoKey
            | PermReason::Revoked
            | PermReason::KeyRecord(_)
            | PermReason::KeyNotAllowed(KeyRestriction::KeyType)
            | PermReason::BodyShorterThanLength { .. } => true,
            PermReason::Signature(_) | PermReason::UnknownAlgorithm | PermReason::KeyNotAllowed(_) => false,
        },
        DkimResult::Pass | DkimResult::Policy(_) | DkimResult::Neutral(_) => false,
    }
}

fn is_arc_broken(result: &ArcResult) -> bool {
    !matches!(result, ArcResult::None | ArcResult::Pass { oldest_pass: 0, .. })
}

/// A message that does not verify.
struct Case<'a, 'm> {
    verdict: &'a Verdict,
    message: &'a Message<'m>,
    log: &'a Log,
    way: &'a Way,
    suspects: &'a [Suspect<'m>],
}

impl Case<'_, '_> {
    /// For each signature what changed; `None` where there is nothing to explain.
    fn all(&self, traces: &Traces<'_, '_>, settings: &Settings) -> Vec<Option<Vec<Change>>> {
        let is_explained: Vec<bool> = self.suspects.iter().map(|suspect| self.is_explained(suspect)).collect();
        let count = is_explained.iter().filter(|is_explained| **is_explained).count() as u64;
        let mut work = Work::new(settings.work);
        let mut for_headers = work.split(3);
        let part_header = body::part_header(self.message);
        let mut headers = Vec::new();
        for (place, (suspect, _)) in self.suspects.iter().zip(&is_explained).enumerate() {
            let left = is_explained.iter().skip(place).filter(|is_explained| **is_explained).count() as u64;
            let mut own = for_headers.split(left.clamp(1, count.max(1)));
            let found = is_explained
                .get(place)
                .copied()
                .unwrap_or_default()
                .then(|| self.header(suspect, &part_header, &mut own));
            for_headers.join(own);
            headers.push(found);
        }
        work.join(for_headers);
        let broken: Vec<&Suspect<'_>> = self
            .suspects
            .iter()
            .zip(&is_explained)
            .filter(|(suspect, is_it)| **is_it && suspect.body == BodyFit::Differs)
            .map(|(suspect, _)| suspect)
            .collect();
        let mut bodies = body::fates(self.message, &broken, &mut work);
        let each = self.suspects.iter().zip(headers).map(|(suspect, header)| {
            let header = header?;
            let body = bodies.remove(&suspect.own_index);
            Some(self.assembled(suspect, header, body, traces))
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
    fn header(
        &self,
        suspect: &Suspect<'_>,
        part_header: &[crate::message::HeaderField<'_>],
        work: &mut Work,
    ) -> (Signer, HeaderFate) {
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
                found.push(tried.unknown(suspect, self.way));
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
