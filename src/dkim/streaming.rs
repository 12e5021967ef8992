//! Verification of a message in three steps: the header, the body in chunks, the keys.

use super::{
    DkimResult, NeutralReason, PermReason, Policy, SignatureReport, SignatureSummary,
    body_hash::{BodyHasher, BodyHashes},
    header_hash::FieldIndex,
    keys::{KeyMemory, KeyUser, Keys},
    kinship::{Family, Kinship},
    signature::{Form, Signature, list_error, list_text},
    verify::{Conclusion, PendingSignature, acceptable},
};
use crate::{
    budget::{Budget, Purse},
    dns::Resolver,
    lex::tag_list::Tags,
    message::{Header, HeaderField},
    name::{Domain, Name},
    time::UnixTime,
};
use smallvec::SmallVec;
use std::future::Future;

/// Verifies the signatures of a message whose body comes in pieces, without holding the message.
///
/// The header comes first, and then the keys can be asked for while the body is still on its way. The whole-message way,
/// [`Authenticator::authenticate`](crate::Authenticator::authenticate), is built of the same pieces and gives the same reports.
///
/// ```
/// use mailverdict::{dkim::{Policy, StreamingVerifier}, dns::Resolver, message::Header, time::UnixTime};
///
/// async fn receive(
///     resolver: impl Resolver,
///     header: &[u8],
///     chunks: impl Iterator<Item = Vec<u8>>,
/// ) -> Result<bool, mailverdict::message::MessageError> {
///     let header = Header::parse(header)?;
///     let now = UnixTime(1_700_000_000);
///     let mut verifier = StreamingVerifier::new(&Policy::default(), &header, &[], now);
///     let keys = verifier.ask_keys(&resolver); // does not borrow the verifier: poll it beside the body, or spawn it
///     for chunk in chunks {
///         verifier.body(&chunk);
///     }
///     let reports = verifier.finish(&keys.await);
///     Ok(reports.iter().any(|report| report.result.keyword() == "pass"))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct StreamingVerifier {
    policy: Policy,
    budget: Budget,
    /// In the order in which they are concluded: that of kinship.
    jobs: SmallVec<[Job; 1]>,
    body: BodyHasher,
}

/// One signature field.
#[derive(Clone, Debug)]
struct Job {
    field_index: usize,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// The result stands without key and body.
    Decided(SignatureSummary, DkimResult),
    Pending(PendingSignature),
}

impl StreamingVerifier {
    /// Reads the DKIM-Signature fields of a header, and hashes the fields they sign.
    ///
    /// `author_domains` say which signatures can align, and so come first where there are more than
    /// [`Policy::max_signatures`] or the [`Budget`] affords; `now` is the time of receipt, by which `t=` and `x=` are judged.
    pub fn new(policy: &Policy, header: &Header<'_>, author_domains: &[Domain], now: UnixTime) -> Self {
        let family = Family::of(author_domains);
        let mut read: SmallVec<[Read<'_>; 1]> = SmallVec::new();
        for (field_index, field) in header.fields().iter().enumerate() {
            if field.is("DKIM-Signature") {
                read.push(Read::new(policy, field_index, *field, now, &family));
            }
        }
        // Stable: among equals, those that stand higher in the header come first.
        read.sort_by_key(|read| read.kinship);
        let index = read.iter().any(|read| read.outcome.is_ok()).then(|| FieldIndex::new(header));
        let mut sound = 0;
        let mut job = |read: Read<'_>| {
            sound += usize::from(read.outcome.is_ok());
            read.job(index.as_ref().filter(|_| sound <= policy.max_signatures))
        };
        let jobs: SmallVec<[Job; 1]> = read.into_iter().map(&mut job).collect();
        let body = BodyHasher::new(jobs.iter().filter_map(Job::pending).map(PendingSignature::wanted_body));
        // The algorithms were looked up; nothing that is left needs them.
        let policy = Policy { algorithms: Vec::new(), ..*policy };
        Self { policy, budget: Budget::default(), jobs, body }
    }

    /// With another budget than the default one; [`Budget::signatures`] and [`Budget::work`] count here.
    #[must_use]
    pub fn with_budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Whether the body is needed at all; where not, it need not be handed over.
    pub fn needs_body(&self) -> bool {
        self.jobs.iter().any(|job| job.pending().is_some())
    }

    /// Asks for the keys: each name once, all side by side. The future borrows the resolver alone.
    pub fn ask_keys<'r, R: Resolver>(&self, resolver: &'r R) -> impl Future<Output = Keys> + Send + use<'r, R> {
        self.recall_keys(resolver, None)
    }

    /// [`ask_keys`](Self::ask_keys), with a memory of what was read of earlier answers.
    pub(crate) fn recall_keys<'r, R: Resolver>(
        &self,
        resolver: &'r R,
        memory: Option<&'r KeyMemory>,
    ) -> impl Future<Output = Keys> + Send + use<'r, R> {
        let names: SmallVec<[Name; 1]> =
            self.jobs.iter().filter_map(Job::pending).map(|job| job.key_name().clone()).collect();
        Keys::ask(resolver, memory, names)
    }

    /// Takes the next piece of the body, of any size.
    pub fn body(&mut self, chunk: &[u8]) {
        self.body.update(chunk);
    }

    /// Ends the body and gives the reports, in the order of the fields.
    pub fn finish(self, keys: &Keys) -> Vec<SignatureReport> {
        let mut purse = Purse::of(&self.budget);
        self.finish_within(keys, &mut purse)
    }

    /// [`finish`](Self::finish), paid for from a purse that others draw on as well.
    pub(crate) fn finish_within(self, keys: &Keys, purse: &mut Purse) -> Vec<SignatureReport> {
        let Self { policy, jobs, body, .. } = self;
        let body = body.finish();
        let mut reports = Vec::with_capacity(jobs.len());
        reports.extend(jobs.into_iter().map(|job| job.report(&policy, keys, &body, purse)));
        reports.sort_unstable_by_key(|report| report.field_index);
        reports
    }
}

/// A field that was read, before it is chosen or not.
struct Read<'m> {
    field_index: usize,
    field: HeaderField<'m>,
    outcome: Result<(Signature, KeyUser), (SignatureSummary, DkimResult)>,
    kinship: Kinship,
}

impl<'m> Read<'m> {
    fn new(policy: &Policy, field_index: usize, field: HeaderField<'m>, now: UnixTime, family: &Family<'_>) -> Self {
        let (tags, outcome) = Tags::read_until_error(list_text(field.value()));
        let signature = outcome.map_err(list_error).and_then(|()| Signature::of_tags(&tags, Form::Dkim));
        let outcome = match signature {
            Ok(signature) => match acceptable(policy, &signature, now) {
                Ok(key_user) => Ok((signature, key_user)),
                Err(result) => Err((signature.into_summary(), result)),
            },
            Err(error) => Err((SignatureSummary::salvage(&tags), DkimResult::PermError(PermReason::Signature(error)))),
        };
        let signer = match &outcome {
            Ok((signature, _)) => Some(&signature.domain),
            Err((summary, _)) => summary.domain.as_ref(),
        };
        let kinship = signer.map_or(Kinship::None, |signer| family.kinship(signer));
        Self { field_index, field, outcome, kinship }
    }

    fn job(self, index: Option<&FieldIndex<'_, 'm>>) -> Job {
        let Self { field_index, field, outcome, .. } = self;
        let state = match (outcome, index) {
            (Err((summary, result)), _) => State::Decided(summary, result),
            (Ok((signature, key_user)), Some(index)) => {
                State::Pending(PendingSignature::new(signature, key_user, index, field, field_index))
            }
            (Ok((signature, _)), None) => {
                State::Decided(signature.into_summary(), DkimResult::Neutral(NeutralReason::NotEvaluated))
            }
        };
        Job { field_index, state }
    }
}

impl Job {
    fn pending(&self) -> Option<&PendingSignature> {
        match &self.state {
            State::Pending(pending) => Some(pending),
            State::Decided(..) => None,
        }
    }

    fn report(self, policy: &Policy, keys: &Keys, body: &BodyHashes, purse: &mut Purse) -> SignatureReport {
        let Self { field_index, state } = self;
        match state {
            State::Decided(signature, result) => SignatureReport {
                field_index,
                signature,
                result,
                key: None,
                body_hash: None,
                header_hash: None,
                unsigned_octets: 0,
            },
            State::Pending(pending) => {
                let Conclusion { result, key, body_hash, header_hash, unsigned_octets } =
                    pending.conclude(policy, keys, body, purse);
                SignatureReport {
                    field_index,
                    signature: pending.into_summary(),
                    result,
                    key,
                    body_hash,
                    header_hash: Some(header_hash),
                    unsigned_octets,
                }
            }
        }
    }
}
