//! The signatures of a message, of DKIM and of ARC, and how each of them stands to the message as it is.

use super::key::KeyAnswer;
use crate::{
    arc::ArcResult,
    crypto::{Digest, KNOWN, SignatureAlgorithm},
    dkim::{
        ChangePart, DkimResult, KeyRestriction, PermReason, Signature, SignatureReport,
        body_hash::{BodyHash, BodyHasher, Wanted},
        parse,
    },
    message::{HeaderField, Message},
    verdict::Verdict,
};

/// DKIM-Signature fields that are looked at, and as many of ARC.
const MAX_SIGNATURES: usize = 10;

/// A signature that can be read, whatever became of it.
#[derive(Debug)]
pub(super) struct Suspect<'m> {
    pub(super) place: Place,
    pub(super) own: HeaderField<'m>,
    pub(super) own_index: usize,
    pub(super) signature: Signature,
    /// `None` for one that is not known here.
    pub(super) algorithm: Option<&'static dyn SignatureAlgorithm>,
    pub(super) passes: bool,
    pub(super) body: BodyFit,
    /// What the body hashes to now.
    pub(super) body_hash: Option<Digest>,
}

/// Where a signature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A DKIM-Signature field.
    Dkim,
    /// The ARC-Message-Signature of this instance.
    Arc(u8),
}

/// How the body stands to `bh=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFit {
    Fits,
    Differs,
    /// It is shorter than `l=`.
    TooShort,
    /// By which hash is not known.
    Unknown,
}

impl<'m> Suspect<'m> {
    /// From the top of the header down.
    pub(super) fn all(verdict: &Verdict, message: &Message<'m>) -> Vec<Self> {
        let fields = message.header().fields();
        let of_dkim = |report: &SignatureReport| {
            let own = fields.get(report.field_index).copied().filter(|field| field.is("DKIM-Signature"))?;
            let signature = Signature::parse(own.value()).ok()?;
            Some(Self::new(Place::Dkim, own, report.field_index, signature, report.result == DkimResult::Pass))
        };
        // Those that passed tell of others.
        let is_of_use =
            |report: &&SignatureReport| report.result == DkimResult::Pass || is_to_be_explained(&report.result);
        let reports = verdict.dkim.iter().filter(is_of_use);
        let mut all: Vec<Self> = reports.filter_map(of_dkim).take(MAX_SIGNATURES).collect();
        let message_signatures = fields.iter().enumerate().filter(|(_, field)| field.is("ARC-Message-Signature"));
        let of_arc = |(index, own): (usize, &HeaderField<'m>)| {
            let signature = Signature::parse_arc_message_signature(own.value()).ok()?;
            let instance = signature.span_of("i").and_then(|tag| tag.value().of(own.value()))?;
            let instance: u8 = std::str::from_utf8(instance).ok()?.trim().parse().ok()?;
            Some(Self::new(
                Place::Arc(instance),
                *own,
                index,
                signature,
                passes_in_chain(&verdict.arc.result, instance),
            ))
        };
        all.extend(message_signatures.filter_map(of_arc).take(MAX_SIGNATURES));
        all.sort_by_key(|suspect| suspect.own_index);
        Self::hash_bodies(&mut all, message.body());
        all
    }

    fn new(place: Place, own: HeaderField<'m>, own_index: usize, signature: Signature, passes: bool) -> Self {
        let algorithm = KNOWN.iter().copied().find(|algorithm| algorithm.name() == &*signature.algorithm);
        Self { place, own, own_index, signature, algorithm, passes, body: BodyFit::Unknown, body_hash: None }
    }

    fn hash_bodies(all: &mut [Self], body: &[u8]) {
        let mut hasher = BodyHasher::new(all.iter().filter_map(Self::wanted));
        hasher.update(body);
        let hashes = hasher.finish();
        for suspect in all {
            let computed = suspect.wanted().and_then(|wanted| hashes.of(&wanted));
            (suspect.body, suspect.body_hash) = match computed {
                Some(BodyHash::Computed { digest, .. }) => {
                    let fits =
                        parse::with_decoded(&suspect.signature.body_hash, |octets| octets == Some(digest.as_bytes()));
                    (if fits { BodyFit::Fits } else { BodyFit::Differs }, Some(digest))
                }
                Some(BodyHash::TooShort { .. }) => (BodyFit::TooShort, None),
                None => (BodyFit::Unknown, None),
            };
        }
    }

    fn wanted(&self) -> Option<Wanted> {
        Some(Wanted {
            canonicalization: self.signature.canonicalization.body,
            hash: self.algorithm?.hash(),
            length: self.signature.body_length,
        })
    }

    pub(super) fn domain(&self) -> &str {
        self.signature.domain.as_str()
    }

    /// The field and its signer, for sentences.
    pub(super) fn described(&self) -> String {
        match self.place {
            Place::Dkim => format!("{} (DKIM-Signature)", self.domain()),
            Place::Arc(instance) => format!("{} (ARC set {instance})", self.domain()),
        }
    }

    /// What is not as it was.
    pub(super) fn broken_part(&self) -> ChangePart {
        match self.body {
            BodyFit::Fits => ChangePart::Header,
            BodyFit::Differs | BodyFit::TooShort | BodyFit::Unknown => ChangePart::Body,
        }
    }

    /// The key of the signature, as it was answered.
    pub(super) fn key<'l>(&'l self, log: &'l crate::known::Log) -> KeyAnswer<'l> {
        KeyAnswer::of(&self.signature.key_name, log)
    }
}

/// Whether the message signature of this instance was verified (RFC 8617 §5.2).
fn passes_in_chain(result: &ArcResult, instance: u8) -> bool {
    match result {
        ArcResult::Pass { oldest_pass, .. } => instance >= *oldest_pass,
        ArcResult::Fail(_) | ArcResult::None => false,
    }
}

/// Whether the cause may be a change, or the key; what the reason says by itself is left to it.
pub(super) fn is_to_be_explained(result: &DkimResult) -> bool {
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

pub(super) fn is_arc_broken(result: &ArcResult) -> bool {
    !matches!(result, ArcResult::None | ArcResult::Pass { oldest_pass: 0, .. })
}
