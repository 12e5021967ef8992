//! Verification of a message in three steps: the header, the body in chunks, the keys.

use super::{
    DkimResult, NeutralReason, PermReason, Policy, SignatureReport, SignatureSummary,
    body_hash::{BodyHasher, BodyHashes},
    header_hash::FieldIndex,
    keys::{KeyMemory, KeyUser, Keys},
    signature::{Form, Signature, list_error, list_text},
    verify::{Conclusion, PendingSignature, acceptable},
};
use crate::{
    dns::Resolver,
    lex::tag_list::Tags,
    message::{Header, HeaderField},
    name::{Domain, Name},
    time::UnixTime,
};
use std::{collections::HashSet, future::Future};

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
    jobs: Vec<Job>,
    body: BodyHasher,
}

/// One signature field.
#[derive(Clone, Debug)]
struct Job {
    field_index: usize,
    summary: SignatureSummary,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// The result stands without key and body.
    Decided(DkimResult),
    Pending(Box<PendingSignature>),
}

impl StreamingVerifier {
    /// Reads the DKIM-Signature fields of a header, and hashes the fields they sign.
    ///
    /// `author_domains` say which signatures can align, and so come first where there are more than
    /// [`Policy::max_signatures`]; `now` is the time of receipt, by which `t=` and `x=` are judged.
    pub fn new(policy: &Policy, header: &Header<'_>, author_domains: &[Domain], now: UnixTime) -> Self {
        let mut read: Vec<Read> = Vec::new();
        for (field_index, field) in header.fields().iter().enumerate() {
            if field.is("DKIM-Signature") {
                read.push(Read::new(policy, field_index, *field, now));
            }
        }
        let chosen = choose(policy, &read, author_domains);
        let index = chosen.iter().any(|chosen| *chosen).then(|| FieldIndex::new(header));
        let jobs: Vec<Job> =
            read.into_iter().zip(chosen).map(|(read, chosen)| read.job(chosen, index.as_ref())).collect();
        let body = BodyHasher::new(jobs.iter().filter_map(Job::pending).map(PendingSignature::wanted_body));
        Self { policy: policy.clone(), jobs, body }
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
        let names: Vec<Name> = self.jobs.iter().filter_map(Job::pending).map(|job| job.key_name().clone()).collect();
        Keys::ask(resolver, memory, names)
    }

    /// Takes the next piece of the body, of any size.
    pub fn body(&mut self, chunk: &[u8]) {
        self.body.update(chunk);
    }

    /// Ends the body and gives the reports, in the order of the fields.
    pub fn finish(self, keys: &Keys) -> Vec<SignatureReport> {
        let Self { policy, jobs, body } = self;
        let body = body.finish();
        jobs.into_iter().map(|job| job.report(&policy, keys, &body)).collect()
    }
}

/// A field that was read, before it is chosen or not.
struct Read<'m> {
    field_index: usize,
    field: HeaderField<'m>,
    summary: SignatureSummary,
    outcome: Result<(Box<Signature>, KeyUser), DkimResult>,
}

impl<'m> Read<'m> {
    fn new(policy: &Policy, field_index: usize, field: HeaderField<'m>, now: UnixTime) -> Self {
        let (tags, outcome) = Tags::read_until_error(list_text(field.value()));
        let signature = outcome.map_err(list_error).and_then(|()| Signature::of_tags(&tags, Form::Dkim));
        match signature {
            Ok(signature) => Self {
                field_index,
                field,
                summary: signature.summary(),
                outcome: acceptable(policy, &signature, now).map(|key_user| (Box::new(signature), key_user)),
            },
            Err(error) => Self {
                field_index,
                field,
                summary: SignatureSummary::salvage(&tags),
                outcome: Err(DkimResult::PermError(PermReason::Signature(error))),
            },
        }
    }

    fn job(self, chosen: bool, index: Option<&FieldIndex<'_, 'm>>) -> Job {
        let Self { field_index, field, summary, outcome } = self;
        let state = match (outcome, index) {
            (Err(result), _) => State::Decided(result),
            (Ok((signature, key_user)), Some(index)) if chosen => {
                State::Pending(Box::new(PendingSignature::new(&signature, key_user, index, field, field_index)))
            }
            (Ok(_), _) => State::Decided(DkimResult::Neutral(NeutralReason::NotEvaluated)),
        };
        Job { field_index, summary, state }
    }
}

/// How the domain of a signature is related to the author domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kinship {
    /// It is one of them, or an ancestor or a descendant of one.
    Lineal,
    /// It has an ancestor of two labels or more in common with one.
    Collateral,
    None,
}

/// Which fields are verified: those that can align first, the likeliest of them first, then the others; each in the order of the
/// message.
fn choose(policy: &Policy, read: &[Read<'_>], author_domains: &[Domain]) -> Vec<bool> {
    let sound = read.iter().filter(|read| read.outcome.is_ok()).count();
    if sound <= policy.max_signatures {
        return read.iter().map(|read| read.outcome.is_ok()).collect();
    }
    // Relaxed alignment is by a common organizational domain, which is an ancestor of both (RFC 9989 §4.10.2), most often one of the
    // two itself. Sets, because there may be as many authors and signatures as a stranger likes.
    let up = |domain: &Domain| std::iter::successors(Some(domain.clone()), Domain::parent);
    let authors: HashSet<Domain> = author_domains.iter().cloned().collect();
    let above_authors: HashSet<Domain> = author_domains.iter().flat_map(up).collect();
    let kinship = |read: &Read<'_>| match &read.summary.domain {
        Some(signer) if above_authors.contains(signer) || up(signer).any(|domain| authors.contains(&domain)) => {
            Kinship::Lineal
        }
        // Which of the ancestors is the organizational domain is not known yet; a top-level domain hardly is.
        Some(signer) if up(signer).any(|domain| domain.label_count() > 1 && above_authors.contains(&domain)) => {
            Kinship::Collateral
        }
        Some(_) | None => Kinship::None,
    };
    let kinships: Vec<Kinship> = read.iter().map(kinship).collect();
    let mut left = policy.max_signatures;
    let mut chosen = vec![false; read.len()];
    for wanted in [Kinship::Lineal, Kinship::Collateral, Kinship::None] {
        for ((read, kinship), chosen) in read.iter().zip(&kinships).zip(&mut chosen) {
            if left > 0 && read.outcome.is_ok() && *kinship == wanted {
                (*chosen, left) = (true, left - 1);
            }
        }
    }
    chosen
}

impl Job {
    fn pending(&self) -> Option<&PendingSignature> {
        match &self.state {
            State::Pending(pending) => Some(pending),
            State::Decided(_) => None,
        }
    }

    fn report(self, policy: &Policy, keys: &Keys, body: &BodyHashes) -> SignatureReport {
        let Self { field_index, summary: signature, state } = self;
        match state {
            State::Decided(result) => SignatureReport {
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
                    pending.conclude(policy, keys, body);
                SignatureReport {
                    field_index,
                    signature,
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
