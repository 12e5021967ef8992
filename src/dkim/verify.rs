//! Verification of one message's signatures in three steps: the header, the body in chunks, the keys.

use super::{
    DkimResult, FailReason, NeutralReason, PermReason, Policy, PolicyReason, SignatureReport, SignatureSummary,
    body_hash::{BodyHash, BodyHasher, BodyHashes, Wanted},
    header_hash::{FieldIndex, HeaderHasher},
    keys::{self, KeyUser, Keys},
    signature::{Form, Signature, list_error, list_text},
};
use crate::{
    crypto::Digest,
    dns::Resolver,
    lex::tag_list::Tags,
    message::{Header, HeaderField},
    name::{Domain, Name},
    time::UnixTime,
};
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
    Open(Box<Open>),
}

/// A signature that waits for its key and the body.
#[derive(Clone, Debug)]
struct Open {
    signature: SignedData,
    key_user: KeyUser,
    wanted_body: Wanted,
    header_hash: Digest,
}

/// What is left to compare.
#[derive(Clone, Debug)]
struct SignedData {
    key_name: Name,
    data: Box<[u8]>,
    body_hash: Box<[u8]>,
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
        let body = BodyHasher::new(jobs.iter().filter_map(|job| match &job.state {
            State::Open(open) => Some(open.wanted_body),
            State::Decided(_) => None,
        }));
        Self { policy: policy.clone(), jobs, body }
    }

    /// Whether the body is needed at all; where not, it need not be handed over.
    pub fn needs_body(&self) -> bool {
        self.jobs.iter().any(|job| matches!(job.state, State::Open(_)))
    }

    /// Asks for the keys: each name once, all side by side. The future borrows the resolver alone.
    pub fn ask_keys<'r, R: Resolver>(&self, resolver: &'r R) -> impl Future<Output = Keys> + Send + use<'r, R> {
        let names: Vec<Name> = self
            .jobs
            .iter()
            .filter_map(|job| match &job.state {
                State::Open(open) => Some(open.signature.key_name.clone()),
                State::Decided(_) => None,
            })
            .collect();
        Keys::ask(resolver, names)
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
                let hash = key_user.algorithm.hash();
                let mut hasher = HeaderHasher::new(signature.canonicalization.header, hash);
                let names = signature.signed_fields.iter().map(|name| name.as_bytes());
                index.select(names, field_index).for_each(|field| hasher.field(field));
                let wanted_body =
                    Wanted { canonicalization: signature.canonicalization.body, hash, length: signature.body_length };
                let header_hash = hasher.finish(field, &signature.data_span);
                let Signature { key_name, data, body_hash, .. } = *signature;
                let signature = SignedData { key_name, data, body_hash };
                State::Open(Box::new(Open { signature, key_user, wanted_body, header_hash }))
            }
            (Ok(_), _) => State::Decided(DkimResult::Neutral(NeutralReason::NotEvaluated)),
        };
        Job { field_index, summary, state }
    }
}

/// What can be said about a well-formed signature without its key and the body.
fn acceptable(policy: &Policy, signature: &Signature, now: UnixTime) -> Result<KeyUser, DkimResult> {
    let skew = policy.clock_skew.as_secs();
    // RFC 6376 §6.1.1: "PERMFAIL (signature expired)"; §3.5, x=: a fudge factor is allowed.
    if let Some(expiration) = signature.expiration
        && now.0 > expiration.0.saturating_add(skew)
    {
        return Err(DkimResult::PermError(PermReason::Expired { expiration }));
    }
    // RFC 6376 §3.5, t=: signatures from the future may be ignored.
    if let Some(timestamp) = signature.timestamp
        && timestamp.0 > now.0.saturating_add(skew)
    {
        return Err(DkimResult::PermError(PermReason::FutureTimestamp { timestamp }));
    }
    let algorithm = keys::accepted_algorithm(policy, &signature.algorithm)?;
    Ok(KeyUser { algorithm, identity_is_signing_domain: signature.identity_domain == signature.domain })
}

/// Which fields are verified: those that can align first, then the others, in the order of the message.
fn choose(policy: &Policy, read: &[Read<'_>], author_domains: &[Domain]) -> Vec<bool> {
    let can_align = |read: &Read<'_>| {
        read.summary.domain.as_ref().is_some_and(|signer| {
            // Relaxed alignment is by a common organizational domain, which is an ancestor of both.
            author_domains.iter().any(|author| author.is_at_or_below(signer) || signer.is_at_or_below(author))
        })
    };
    let mut left = policy.max_signatures;
    let mut chosen = vec![false; read.len()];
    for wanted in [true, false] {
        for (read, chosen) in read.iter().zip(&mut chosen) {
            if left > 0 && read.outcome.is_ok() && can_align(read) == wanted {
                (*chosen, left) = (true, left - 1);
            }
        }
    }
    chosen
}

impl Job {
    fn report(self, policy: &Policy, keys: &Keys, body: &BodyHashes) -> SignatureReport {
        let Self { field_index, summary, state } = self;
        let mut report = SignatureReport {
            field_index,
            signature: summary,
            result: DkimResult::Pass,
            key: None,
            body_hash: None,
            header_hash: None,
            unsigned_octets: 0,
        };
        match state {
            State::Decided(result) => report.result = result,
            State::Open(open) => open.conclude(policy, keys, body, &mut report),
        }
        report
    }
}

impl Open {
    /// RFC 6376 §6.1.2 and §6.1.3, in their order.
    fn conclude(&self, policy: &Policy, keys: &Keys, body: &BodyHashes, report: &mut SignatureReport) {
        report.header_hash = Some(self.header_hash);
        let body = body.of(&self.wanted_body);
        if let Some(BodyHash::Computed { digest, unsigned_octets }) = body {
            (report.body_hash, report.unsigned_octets) = (Some(digest), unsigned_octets);
        }
        let SignedData { key_name, data, body_hash } = &self.signature;
        let usable = match keys.usable(policy, key_name, &self.key_user) {
            Ok(usable) => usable,
            Err(no_key) => {
                (report.result, report.key) = (no_key.result, no_key.key);
                return;
            }
        };
        report.key = usable.first().map(|key| key.summary(key_name));
        report.result = match body {
            Some(BodyHash::Computed { digest, .. }) if digest.as_bytes() != &**body_hash => {
                DkimResult::Fail(FailReason::BodyHashMismatch)
            }
            Some(BodyHash::Computed { unsigned_octets, .. }) => {
                match keys::verify_digest(&usable, &self.header_hash, data) {
                    Err(_) => DkimResult::Fail(FailReason::InvalidSignature),
                    Ok(key) => {
                        report.key = Some(key.summary(key_name));
                        // RFC 6376 §6.1.3: unsigned content may be treated as if the signature were invalid.
                        if unsigned_octets > 0 && !policy.accept_partial_body {
                            DkimResult::Policy(PolicyReason::PartialBody { unsigned_octets })
                        } else {
                            DkimResult::Pass
                        }
                    }
                }
            }
            // RFC 6376 §3.5, l=: "MUST NOT be larger than the actual number of octets in the canonicalized message body".
            Some(BodyHash::TooShort { octets }) => DkimResult::PermError(PermReason::BodyShorterThanLength { octets }),
            // Every hash of an open signature was asked for; what was not computed is never a pass.
            None => DkimResult::Fail(FailReason::BodyHashMismatch),
        };
    }
}
