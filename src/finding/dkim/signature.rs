//! What DKIM-Signature fields say.

use crate::{
    dkim::{DkimResult, NeutralReason, PolicyReason, Signature, SignatureReport},
    dmarc::{Alignment, DmarcReport, Mechanism},
    finding::{Finding, Quote, Rule},
    lex::Span,
    message::{Header, HeaderField},
    verdict::Verdict,
};

/// Signatures that are looked at.
pub(super) const MAX_SIGNATURES: usize = 16;

/// Fields that change on the way, or are added there (RFC 6376 §5.4).
const TRACE_FIELDS: [&str; 3] = ["received", "return-path", "authentication-results"];

/// Fields that a mailing list adds (RFC 2369 §3, RFC 2919 §3, RFC 8058 §3.1). To name one in h= that the message has not asserts its
/// absence, and the signature fails when it is added (RFC 6376 §5.4).
const LIST_FIELDS: [&str; 8] = [
    "list-id",
    "list-help",
    "list-unsubscribe",
    "list-subscribe",
    "list-post",
    "list-owner",
    "list-archive",
    "list-unsubscribe-post",
];

/// What the signatures of a verdict tell together.
pub(super) fn findings(verdict: &Verdict) -> Vec<Finding> {
    not_aligned(&verdict.dmarc, &verdict.dkim).into_iter().collect()
}

/// A DKIM-Signature field of a message and what was found out about it.
pub(super) struct Signed<'h> {
    pub(super) report: &'h SignatureReport,
    field: Option<HeaderField<'h>>,
    /// Where it can be read.
    signature: Option<Signature>,
}

impl<'h> Signed<'h> {
    pub(super) fn new(report: &'h SignatureReport, header: &Header<'h>) -> Self {
        let field = header.fields().get(report.field_index).copied().filter(|field| field.is("DKIM-Signature"));
        let signature = field.and_then(|field| Signature::parse(field.value()).ok());
        Self { report, field, signature }
    }

    /// About a tag of the field, which is quoted as it stands there; `text` where its place is not known.
    pub(super) fn finding(&self, rule: Rule, tag: &str, text: &str, says: &str, advice: &str) -> Finding {
        let quote = self.quote(tag).or_else(|| (!text.is_empty()).then(|| Quote::of_field(text, None)));
        Finding { name: Some("DKIM-Signature".into()), quote, advice: Some(advice.into()), ..Finding::new(rule, &says) }
    }

    fn quote(&self, tag: &str) -> Option<Quote> {
        let (field, tag) = (self.field?, self.signature.as_ref()?.span_of(tag)?.whole());
        let before = field.raw().len() - field.value().len();
        Quote::of(field.raw(), Span::new(before + tag.offset(), tag.length())?)
    }
}

/// The signing domain, as sentences name it.
pub(super) fn signer(report: &SignatureReport) -> &str {
    report.signature.domain.as_ref().map_or("a domain that cannot be read", |domain| domain.as_str())
}

/// Of one that was evaluated.
pub(super) fn of_signature(signed: &Signed<'_>, header: &Header<'_>) -> Vec<Finding> {
    let report = signed.report;
    if report.result == DkimResult::Neutral(NeutralReason::NotEvaluated) {
        return Vec::new();
    }
    let signature = &report.signature;
    let signer = signer(report);
    let mut found = Vec::new();
    match &report.result {
        // RFC 8301 §3.1.
        DkimResult::Policy(PolicyReason::HistoricAlgorithm) => {
            let says =
                format!("the signature of {signer} is made by \"a=rsa-sha1\", which must not be accepted any more");
            found.push(signed.finding(Rule::SigSha1, "a", "a=rsa-sha1", &says, "Sign with rsa-sha256."));
        }
        // RFC 8301 §3.2.
        DkimResult::Policy(PolicyReason::KeyTooShort { bits }) => {
            let says = format!("the signature of {signer} is made with a key of {bits} bits, which is not accepted");
            found.push(signed.finding(Rule::SigShortKey, "", "", &says, "Sign with a key of 2048 bits."));
        }
        _ => {}
    }
    // It proves nothing, however much it covers.
    if signature.domain.is_none() {
        return found;
    }
    let names: Vec<&str> = signature.signed_fields.iter().collect();
    // RFC 6376 §8.15.
    let from = names.iter().filter(|name| name.eq_ignore_ascii_case("from")).count();
    let list = || format!("h={}", signature.signed_fields);
    if from == 1 {
        let says = format!("h= of the signature of {signer} names From once, so a second From field can be added");
        let advice = "Name From in h= once more than there are From fields.";
        found.push(signed.finding(Rule::SigFromOnce, "h", &list(), &says, advice));
    }
    let is_named = |field: &&str| names.iter().any(|name| name.eq_ignore_ascii_case(field));
    let traces: Vec<&str> = TRACE_FIELDS.into_iter().filter(is_named).collect();
    let is_absent = |field: &&str| is_named(field) && header.named(field).next().is_none();
    let of_lists: Vec<&str> = LIST_FIELDS.into_iter().filter(is_absent).collect();
    let lists = [
        ("fields that change on the way", traces),
        ("fields that the message does not have and a mailing list adds", of_lists),
    ];
    let lists = lists.into_iter().filter(|(_, fields)| !fields.is_empty());
    let why: Vec<_> = lists.map(|(why, fields)| format!("{why}: {}", fields.join(", "))).collect();
    if !why.is_empty() {
        let says = format!("h= of the signature of {signer} names {}", why.join("; and "));
        found.push(signed.finding(Rule::SigTraceFields, "h", &list(), &says, "Leave them out of h=."));
    }
    // RFC 6376 §8.2.
    if let Some(length) = signature.body_length {
        let says = format!(
            "the signature of {signer} covers the body up to octet {length} alone (\"l={length}\"): others may add to it"
        );
        found.push(signed.finding(Rule::SigL, "l", &format!("l={length}"), &says, "Sign without l=."));
    }
    found
}

/// RFC 9989 §4.4.1. Only where that is certain: where none could align if it verified.
fn not_aligned(dmarc: &DmarcReport, signatures: &[SignatureReport]) -> Option<Finding> {
    let (author, organization) = (dmarc.author_domain.as_ref()?, dmarc.organizational_domain.as_ref()?);
    dmarc.record.as_ref()?;
    let domains = || signatures.iter().filter_map(|report| report.signature.domain.as_ref());
    let is_other = |alignment: &Alignment| match alignment {
        Alignment::NotIdentical | Alignment::OtherOrganization { .. } => true,
        Alignment::Identical
        | Alignment::SameOrganization { .. }
        | Alignment::Undetermined { .. }
        | Alignment::NotEvaluated => false,
    };
    let differs = |domain: &crate::name::Domain| {
        let known = dmarc.identifiers.iter().find(|of| of.mechanism == Mechanism::Dkim && of.domain == *domain);
        known.map_or(!domain.is_at_or_below(organization), |known| is_other(&known.alignment))
    };
    let first = domains().next()?;
    if !domains().take(MAX_SIGNATURES).all(differs) || signatures.len() > MAX_SIGNATURES {
        return None;
    }
    let says = format!(
        "no signature aligns with {author}: {first} signs, and the organizational domain of {author} is {organization}"
    );
    let advice = format!("Sign with d={author}, or with a domain that has the same organizational domain.");
    Some(Finding { advice: Some(advice.into()), ..Finding::new(Rule::SigNotAligned, &says) })
}
