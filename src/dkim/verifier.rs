//! Verification of a message in three steps: the header, the body in pieces, the keys.

#[cfg(feature = "serde")]
use super::Hashes;
use super::{
    DkimResult, NeutralReason, PermReason, Policy, PolicyReason, SignatureReport, SignatureSummary,
    body_hash::{BodyHasher, BodyHashes},
    header_hash::FieldIndex,
    keys::{KeyUser, Keys},
    prospect::{AuthorDomains, Prospect},
    signature::{Form, Signature, list_error, list_text},
    verify::{Conclusion, PendingSignature, acceptable},
};
use crate::{
    known::{Known, Unknown},
    lex::tag_list::Tags,
    message::{Header, HeaderField, Malformation, SingularCounts, SingularFields},
    name::Domain,
    time::UnixTime,
};
use smallvec::SmallVec;

/// Verifies the signatures of a message whose body comes in pieces, without holding the message.
#[derive(Clone, Debug)]
pub(crate) struct Verifier {
    /// What stands without key and body; there is room for all others.
    decided: Vec<SignatureReport>,
    /// In the order in which they are concluded: that of prospect.
    jobs: SmallVec<[Job; 1]>,
    body: BodyHasher,
}

/// A signature that is verified.
#[derive(Clone, Debug)]
struct Job {
    field_index: usize,
    pending: PendingSignature,
    not_covered: SingularFields,
}

impl Verifier {
    /// Reads the DKIM-Signature fields of a header, and hashes the fields they sign.
    ///
    /// `author_domains` say which signatures can align, and so come first where there are more than
    /// [`Policy::max_signatures`] or the share affords; `now` is the time of receipt, by which `t=` and `x=` are judged.
    pub(crate) fn new(policy: &Policy, header: &Header<'_>, author_domains: &[Domain], now: UnixTime) -> Self {
        let authors = AuthorDomains::of(author_domains);
        let mut candidates = Candidates {
            most: policy.max_signatures,
            malformation: policy.malformation_of(header),
            chosen: SmallVec::new(),
            decided: Vec::with_capacity(header.named("DKIM-Signature").count()),
        };
        for (field_index, field) in header.fields().iter().enumerate() {
            if field.is("DKIM-Signature") {
                candidates.read(policy, field_index, *field, now, &authors);
            }
        }
        let readings = header.readings("DKIM-Signature");
        candidates.decided.reserve(readings.len());
        for reading in readings.iter().filter(|reading| reading.is_another_field()) {
            candidates.hidden(reading.fields_above, reading.field, header);
        }
        candidates.choose();
        let Candidates { chosen, decided, .. } = candidates;
        let mut jobs: SmallVec<[Job; 1]> = SmallVec::new();
        if !chosen.is_empty() {
            let (index, counts) = (FieldIndex::new(header), SingularCounts::of_header(header));
            jobs.extend(chosen.into_iter().map(|candidate| candidate.job(&index, &counts)));
        }
        let body = BodyHasher::new(jobs.iter().map(|job| job.pending.wanted_body()));
        Self { decided, jobs, body }
    }

    /// The domains of the signatures that are verified.
    pub(crate) fn signing_domains(&self) -> impl Iterator<Item = &Domain> {
        self.jobs.iter().map(|job| job.pending.signing_domain())
    }

    /// Takes the next piece of the body, of any size.
    pub(crate) fn body(&mut self, chunk: &[u8]) {
        self.body.update(chunk);
    }

    /// Adds what was hashed, behind the whole body.
    #[cfg(feature = "serde")]
    pub(crate) fn add_hashes(&self, hashes: &mut Hashes) {
        self.jobs.iter().for_each(|job| hashes.add_header(job.field_index, job.pending.header_hash()));
        hashes.add_body(&self.body.clone().finish(), self.jobs.iter().map(|job| job.pending.wanted_body()));
    }

    /// Puts hashes in the place of header and body, whose text is not here.
    #[cfg(feature = "serde")]
    pub(crate) fn set_hashes(&mut self, hashes: &Hashes) {
        for job in &mut self.jobs {
            if let Some(digest) = hashes.of_header(job.field_index) {
                job.pending.set_header_hash(digest);
            }
        }
        self.body = BodyHasher::of_hashes(hashes.body.clone());
    }

    /// The keys, which the header names.
    pub(crate) fn keys(&self, known: &mut Known<'_>) -> Result<Keys, Unknown> {
        Keys::ask(known, self.jobs.iter().map(|job| job.pending.key_name().clone()))
    }

    /// Ends the body and gives the reports, in the order of the fields.
    pub(crate) fn finish(self, known: &mut Known<'_>, policy: &Policy, keys: &Keys) -> Vec<SignatureReport> {
        let Self { decided: mut reports, jobs, body, .. } = self;
        let body = body.finish();
        reports.extend(jobs.into_iter().map(|job| job.report(policy, keys, &body, known)));
        reports.sort_unstable_by_key(|report| report.field_index);
        reports
    }
}

/// A signature that is worth a question for its key, before it is chosen or not.
struct Candidate<'m> {
    field_index: usize,
    field: HeaderField<'m>,
    signature: Signature,
    key_user: KeyUser,
    prospect: Prospect,
}

impl<'m> Candidate<'m> {
    fn job(self, index: &FieldIndex<'_, 'm>, counts: &SingularCounts) -> Job {
        let Self { field_index, field, signature, key_user, .. } = self;
        // RFC 6376 §5.4.2: names are taken from the bottom up, and so those on top stay unsigned.
        let not_covered = counts.not_covered_by(&SingularCounts::of(signature.signed_fields.octets()));
        let pending = PendingSignature::new(signature, key_user, index, field, field_index);
        Job { field_index, pending, not_covered }
    }

    fn not_evaluated(self) -> SignatureReport {
        let result = DkimResult::Neutral(NeutralReason::NotEvaluated);
        SignatureReport::decided(self.field_index, self.signature.into_summary(), result)
    }
}

/// The signatures that come first, among those that were read. A stranger may send as many as fit: of one that will not be verified,
/// nothing is kept but its report.
struct Candidates<'h, 'm> {
    /// How many are verified at most.
    most: usize,
    /// Why none is verified.
    malformation: Option<&'h Malformation>,
    /// At no time more than twice as many, and a few.
    chosen: SmallVec<[Candidate<'m>; 1]>,
    /// The others.
    decided: Vec<SignatureReport>,
}

impl<'m> Candidates<'_, 'm> {
    fn read(
        &mut self,
        policy: &Policy,
        field_index: usize,
        field: HeaderField<'m>,
        now: UnixTime,
        authors: &AuthorDomains<'_>,
    ) {
        let (tags, outcome) = Tags::read_until_error(list_text(field.value()));
        let are_all = outcome.is_ok();
        let signature = match outcome.map_err(list_error).and_then(|()| Signature::of_tags(&tags, Form::Dkim)) {
            Ok(signature) => signature,
            Err(error) => {
                let error = error.quoting(list_text(field.value())).in_field(field);
                let result = DkimResult::PermError(PermReason::Signature(error));
                return self.decided.push(SignatureReport::decided(
                    field_index,
                    SignatureSummary::salvage(&tags, are_all),
                    result,
                ));
            }
        };
        // RFC 6376 §3.8: "DKIM's design is predicated on valid input".
        let valid = match self.malformation {
            Some(malformation) => Err(DkimResult::Policy(PolicyReason::MalformedHeader(malformation.clone()))),
            None => Ok(()),
        };
        let key_user = match acceptable(policy, &signature, now).and_then(|key_user| valid.map(|()| key_user)) {
            Ok(key_user) => key_user,
            Err(result) => {
                return self.decided.push(SignatureReport::decided(field_index, signature.into_summary(), result));
            }
        };
        let prospect = authors.prospect(&signature.domain);
        self.chosen.push(Candidate { field_index, field, signature, key_user, prospect });
        // As many are passed over at once as are kept, so that sorting costs each of them the same however many there are.
        if self.chosen.len() > self.most.saturating_mul(2).max(8) {
            self.choose();
        }
    }

    /// A signature that only some readers see: it is told, and never verified.
    fn hidden(&mut self, field_index: usize, field: HeaderField<'_>, header: &Header<'_>) {
        let Some(malformation) = header.malformations().first() else { return };
        let (tags, outcome) = Tags::read_until_error(list_text(field.value()));
        let result = DkimResult::Policy(PolicyReason::MalformedHeader(malformation.clone()));
        let summary = SignatureSummary::salvage(&tags, outcome.is_ok());
        self.decided.push(SignatureReport::decided(field_index, summary, result));
    }

    fn choose(&mut self) {
        // Stable: among equals, those that stand higher in the header come first.
        self.chosen.sort_by_key(|candidate| candidate.prospect);
        if self.chosen.len() > self.most {
            self.decided.extend(self.chosen.drain(self.most..).map(Candidate::not_evaluated));
        }
    }
}

impl Job {
    fn report(self, policy: &Policy, keys: &Keys, body: &BodyHashes, known: &mut Known<'_>) -> SignatureReport {
        let Self { field_index, pending, not_covered } = self;
        let Conclusion { result, key, body_hash, header_hash, unsigned_octets } =
            pending.conclude(policy, keys, body, known);
        SignatureReport {
            field_index,
            signature: pending.into_summary(),
            result,
            key,
            body_hash,
            header_hash: Some(header_hash),
            unsigned_octets,
            not_covered,
        }
    }
}

impl SignatureReport {
    /// The report of a field whose result stands without key and body.
    pub(crate) fn decided(field_index: usize, signature: SignatureSummary, result: DkimResult) -> Self {
        Self {
            field_index,
            signature,
            result,
            key: None,
            body_hash: None,
            header_hash: None,
            unsigned_octets: 0,
            not_covered: SingularFields::default(),
        }
    }
}
