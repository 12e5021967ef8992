//! Keys: asked for once each, side by side, and judged by the rules of RFC 6376 §6.1.2.

use super::{
    DkimResult, FailReason, KeyRecordError, KeyRestriction, KeySummary, NeutralReason, PermReason, Policy,
    PolicyReason, key_record::KeyRecord,
};
use crate::{
    crypto::{Digest, InvalidKey, KNOWN, SignatureAlgorithm, VerifyingKey},
    dns::{Answer, BLOCK, LookupError, Reading, Records},
    known::{Known, Unknown},
    lex::Printable,
    name::Name,
};
use smallvec::SmallVec;
use std::sync::{Arc, OnceLock};

/// What was answered for the names of keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(SmallVec<[Found; 1]>);

/// What stands at one name.
#[derive(Clone, Debug)]
struct Found {
    name: Name,
    /// `None` where the answer has none.
    records: Result<Option<Arc<ReadRecords>>, LookupError>,
}

impl Keys {
    /// Asks for every name, for all of them side by side.
    pub(crate) fn ask(known: &mut Known<'_>, names: impl IntoIterator<Item = Name>) -> Result<Self, Unknown> {
        let mut names: SmallVec<[Name; 1]> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        let mut found = Ok(SmallVec::with_capacity(names.len()));
        for name in names {
            let records = known.read_txt(&name, |answer| match answer {
                Ok(Answer::Records(texts)) => Ok(Some(ReadRecords::kept(texts))),
                Ok(Answer::NoData(_) | Answer::NxDomain(_)) => Ok(None),
                Err(error) => Err(error.clone()),
            });
            match (&mut found, records) {
                (Ok(found), Ok(records)) => found.push(Found { name, records }),
                // The others are asked for all the same.
                (_, Err(Unknown)) | (Err(Unknown), Ok(_)) => found = Err(Unknown),
            }
        }
        found.map(Self)
    }

    /// The records at a name, in the order of the answer; none where nobody asked.
    fn records_at(&self, name: &Name) -> Result<&[ReadRecord], LookupError> {
        match self.0.binary_search_by(|found| found.name.cmp(name)).ok().and_then(|at| self.0.get(at)) {
            Some(Found { records: Ok(records), .. }) => Ok(records.as_ref().map_or(&[], |records| &records.0)),
            Some(Found { records: Err(error), .. }) => Err(error.clone()),
            None => Ok(&[]),
        }
    }

    /// The keys at `name` that `user` may be verified with, of the first [`Policy::max_key_records`] for its use.
    ///
    /// # Errors
    /// The result where there is none, with the record that came closest.
    pub(crate) fn usable<'k>(
        &'k self,
        policy: &Policy,
        name: &Name,
        user: &KeyUser,
    ) -> Result<SmallVec<[UsableKey<'k>; 1]>, NoKey> {
        let records =
            self.records_at(name).map_err(|error| NoKey { result: DkimResult::TempError(error), key: None })?;
        let mut usable = SmallVec::new();
        let mut useless = 0;
        let mut closest: Option<(u8, NoKey)> = None;
        for record in records {
            // RFC 6376 §6.1.2, step 4: the verifier may cycle through the records. A key that turns out to be none has taken work, too,
            // and one answer has room for a thousand of them.
            if usable.len() + useless >= policy.max_key_records.max(1) {
                break;
            }
            match UsableKey::judge(policy, record, user, records.len()) {
                Ok(key) => usable.push(key),
                Err(unusable) => {
                    useless += usize::from(unusable.was_decoded());
                    let steps = unusable.steps();
                    if closest.as_ref().is_none_or(|(most, _)| steps > *most) {
                        let key = KeySummary { bits: unusable.bits(), ..record.summary(name, records.len()) };
                        closest = Some((steps, NoKey { result: unusable.into(), key: Some(key) }));
                    }
                }
            }
        }
        match closest {
            _ if !usable.is_empty() => Ok(usable),
            Some((_, no_key)) => Err(no_key),
            None => Err(NoKey { result: DkimResult::PermError(PermReason::NoKey), key: None }),
        }
    }
}

/// One record, taken apart, and its key once it has been used.
#[derive(Debug)]
pub(crate) struct ReadRecord {
    text: Arc<str>,
    record: Result<KeyRecord, KeyRecordError>,
    /// The key as the first algorithm that used it makes it ready; hardly any key is used with a second one.
    ready: OnceLock<(&'static dyn SignatureAlgorithm, ReadyKey)>,
}

/// About how many octets a key takes that was made ready: one of Ed25519 has 64 multiples beside it.
const READY_OCTETS: usize = 8192;

/// The records of an answer; they stay with it.
#[derive(Debug)]
pub(crate) struct ReadRecords(SmallVec<[ReadRecord; 1]>);

impl ReadRecords {
    /// Those of this answer, which are read once.
    pub(crate) fn kept(texts: &Records<Box<[u8]>>) -> Arc<Self> {
        texts.read_as(Self::of)
    }

    /// In the order of the answer.
    pub(crate) fn each(&self) -> &[ReadRecord] {
        &self.0
    }

    fn of(texts: &[Box<[u8]>]) -> Self {
        Self(texts.iter().map(|text| ReadRecord::of(text)).collect())
    }
}

impl Reading for ReadRecords {
    /// With the keys that will be made ready.
    fn octets(&self) -> usize {
        let of = |read: &ReadRecord| {
            let record = read.record.as_ref().map_or(0, |record| {
                let words = record.services.len() + record.hash_algorithms.as_ref().map_or(0, |words| words.len());
                let key = match &*record.key_type {
                    _ if record.key.is_empty() => 0,
                    "ed25519" => READY_OCTETS,
                    _ => record.key.len() * 8,
                };
                // A word has a small block of memory for itself.
                words * (size_of::<Box<str>>() + BLOCK) + key
            });
            size_of_val(read) + 2 * read.text.len() + record
        };
        self.0.iter().map(of).sum()
    }
}

pub(crate) type ReadyKey = Result<Arc<dyn VerifyingKey>, InvalidKey>;

impl ReadRecord {
    fn of(text: &[u8]) -> Self {
        Self {
            text: Printable(&String::from_utf8_lossy(text)).to_string().into(),
            record: KeyRecord::parse(text),
            ready: OnceLock::new(),
        }
    }

    /// What the record says.
    pub(crate) fn record(&self) -> Result<&KeyRecord, &KeyRecordError> {
        self.record.as_ref()
    }

    /// The key for those who look on: as whoever used it made it ready, else as the first algorithm that is known does; `None` where its
    /// type is not known.
    pub(crate) fn seen_key(&self, record: &KeyRecord) -> Option<ReadyKey> {
        let is_of_type = |algorithm: &&dyn SignatureAlgorithm| algorithm.key_type() == &*record.key_type;
        match self.ready.get() {
            Some((maker, key)) if is_of_type(maker) => Some(key.clone()),
            Some(_) | None => Some(KNOWN.into_iter().find(is_of_type)?.decode_key(&record.key)),
        }
    }

    /// The key, ready for use; made so once for an algorithm, also where several policies have several who compute it.
    fn key(&self, record: &KeyRecord, algorithm: &'static dyn SignatureAlgorithm) -> ReadyKey {
        let decode = || algorithm.decode_key(&record.key);
        #[allow(ambiguous_wide_pointer_comparisons, reason = "what is taken for another algorithm is decoded again")]
        match self.ready.get_or_init(|| (algorithm, decode())) {
            (maker, key) if std::ptr::eq(*maker, algorithm) && maker.name() == algorithm.name() => key.clone(),
            _ => decode(),
        }
    }

    fn summary(&self, name: &Name, records: usize) -> KeySummary {
        let testing = self.record.as_ref().is_ok_and(|record| record.testing);
        KeySummary { name: name.clone(), text: Arc::clone(&self.text), bits: None, testing, records }
    }
}

/// Who wants to be verified: what the rules of key records look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyUser {
    pub(crate) algorithm: &'static dyn SignatureAlgorithm,
    /// Whether the domain of `i=` is that of `d=`, for `t=s`.
    pub(crate) identity_is_signing_domain: bool,
}

/// There is no key to verify with.
#[derive(Clone, Debug)]
pub(crate) struct NoKey {
    pub(crate) result: DkimResult,
    pub(crate) key: Option<KeySummary>,
}

/// A key that a signature may be verified with.
#[derive(Clone, Debug)]
pub(crate) struct UsableKey<'k> {
    key: Arc<dyn VerifyingKey>,
    record: &'k ReadRecord,
    records: usize,
}

/// Why a record at the name of the key is of no use.
enum Unusable {
    Record(KeyRecordError),
    NotAllowed(KeyRestriction),
    Revoked,
    TooShort { bits: usize },
}

impl Unusable {
    /// How far the record came, to name the reason of the one that came closest.
    fn steps(&self) -> u8 {
        match self {
            Self::Record(KeyRecordError::InvalidKey(_)) => 3,
            Self::Record(_) => 0,
            Self::NotAllowed(_) => 1,
            Self::Revoked => 2,
            Self::TooShort { .. } => 4,
        }
    }

    /// Whether the octets of a key were looked at.
    fn was_decoded(&self) -> bool {
        match self {
            Self::Record(KeyRecordError::InvalidKey(_)) | Self::TooShort { .. } => true,
            Self::Record(_) | Self::NotAllowed(_) | Self::Revoked => false,
        }
    }

    fn bits(&self) -> Option<usize> {
        match self {
            Self::TooShort { bits } => Some(*bits),
            Self::Record(KeyRecordError::InvalidKey(crate::crypto::InvalidKey::TooLong { bits })) => Some(*bits),
            Self::Record(_) | Self::NotAllowed(_) | Self::Revoked => None,
        }
    }
}

impl From<Unusable> for DkimResult {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Record(error) => Self::PermError(PermReason::KeyRecord(error)),
            Unusable::NotAllowed(restriction) => Self::PermError(PermReason::KeyNotAllowed(restriction)),
            Unusable::Revoked => Self::PermError(PermReason::Revoked),
            Unusable::TooShort { bits } => Self::Policy(PolicyReason::KeyTooShort { bits }),
        }
    }
}

impl<'k> UsableKey<'k> {
    /// RFC 6376 §6.1.2, steps 5 to 8, in their order.
    fn judge(policy: &Policy, read: &'k ReadRecord, user: &KeyUser, records: usize) -> Result<Self, Unusable> {
        let record = read.record.as_ref().map_err(|error| Unusable::Record(error.clone()))?;
        let restrict =
            |allowed: bool, restriction| if allowed { Ok(()) } else { Err(Unusable::NotAllowed(restriction)) };
        // RFC 6376 §3.6.1, s=: a record for other services is to be ignored.
        restrict(record.is_for_email(), KeyRestriction::ServiceType)?;
        restrict(record.allows_hash(user.algorithm.hash().name()), KeyRestriction::HashAlgorithm)?;
        if record.is_revoked() {
            return Err(Unusable::Revoked);
        }
        restrict(&*record.key_type == user.algorithm.key_type(), KeyRestriction::KeyType)?;
        // RFC 6376 §3.6.1, t=s.
        restrict(!record.strict_identity || user.identity_is_signing_domain, KeyRestriction::StrictIdentity)?;
        let key =
            read.key(record, user.algorithm).map_err(|error| Unusable::Record(KeyRecordError::InvalidKey(error)))?;
        // RFC 8301 §3.2: "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits as valid".
        let bits = key.bits();
        if user.algorithm.key_type() == "rsa" && bits < policy.min_rsa_bits {
            return Err(Unusable::TooShort { bits });
        }
        Ok(Self { key, record: read, records })
    }

    /// For reports.
    pub(crate) fn summary(&self, name: &Name) -> KeySummary {
        KeySummary { bits: Some(self.key.bits()), ..self.record.summary(name, self.records) }
    }
}

/// The key that a signature over `digest` verifies with.
///
/// # Errors
/// The result where none does, or where the share is used up before it is known.
pub(crate) fn verify_digest<'u, 'k>(
    known: &mut Known<'_>,
    keys: &'u [UsableKey<'k>],
    digest: &Digest,
    data: &[u8],
) -> Result<&'u UsableKey<'k>, DkimResult> {
    let out_of_budget = |exhausted| DkimResult::Neutral(NeutralReason::OutOfBudget(exhausted));
    known.pay_signature().map_err(out_of_budget)?;
    for key in keys {
        known.pay_work(key.key.work()).map_err(out_of_budget)?;
        if key.key.verify(digest.as_bytes(), data).is_ok() {
            return Ok(key);
        }
    }
    Err(DkimResult::Fail(FailReason::InvalidSignature))
}

/// The algorithm of an `a=` tag, if the receiver accepts it.
///
/// # Errors
/// The result of a signature that uses it: `policy` for an algorithm that is known here, `permerror` for others.
pub(crate) fn accepted_algorithm(policy: &Policy, name: &str) -> Result<&'static dyn SignatureAlgorithm, DkimResult> {
    if let Some(algorithm) = policy.algorithms.iter().find(|algorithm| algorithm.name() == name) {
        return Ok(*algorithm);
    }
    Err(match name {
        // RFC 8301 §3.1: "MUST NOT be used for signing or verifying".
        "rsa-sha1" => DkimResult::Policy(PolicyReason::HistoricAlgorithm),
        _ if KNOWN.iter().any(|algorithm| algorithm.name() == name) => {
            DkimResult::Policy(PolicyReason::AlgorithmNotAccepted)
        }
        // RFC 6376 §3.3.4.
        _ => DkimResult::PermError(PermReason::UnknownAlgorithm),
    })
}
