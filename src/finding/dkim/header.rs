//! What signatures leave out of the header, and when they expired.

use super::signature::{MAX_SIGNATURES, Signed, of_signature, signer};
use crate::{
    dkim::{DkimResult, FailReason, PermReason, PolicyReason, Signature, SignatureReport},
    finding::{Finding, Rule},
    message::{Header, HeaderField, SingularFields},
    received::Hop,
};

/// Fields that a signature should cover where the message has them (RFC 6376 §5.4.1; the last one by RFC 8058 §4).
const SHOULD_BE_SIGNED: [&str; 9] = [
    "Subject",
    "Date",
    "To",
    "Cc",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// `border` is the Received field of the host that took the message in.
pub(in crate::finding) fn of_header<'h>(
    signatures: &[SignatureReport],
    header: &Header<'_>,
    border: &dyn Fn() -> Option<&'h Hop>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for report in signatures.iter().take(MAX_SIGNATURES) {
        let signed = Signed::new(report, header);
        found.extend(of_signature(&signed, header));
        found.extend(not_signed(&signed, header));
        found.extend(expired_since(&signed, border));
    }
    found
}

/// What the signatures of a message say, whatever they come to: for those who do not evaluate them.
pub(crate) fn of_signatures(header: &Header<'_>) -> Vec<Finding> {
    let fields = header.fields().iter().enumerate().filter(|(_, field)| field.is("DKIM-Signature"));
    let read = |(field_index, field): (usize, &HeaderField<'_>)| {
        let signature = Signature::parse(field.value()).ok()?.into_summary();
        // RFC 8301 §3.1. Of all else the text alone is looked at.
        let result = match signature.algorithm.as_deref() {
            Some("rsa-sha1") => DkimResult::Policy(PolicyReason::HistoricAlgorithm),
            Some(_) | None => DkimResult::Fail(FailReason::InvalidSignature),
        };
        let (key, body_hash, header_hash, unsigned_octets) = (None, None, None, 0);
        let not_covered = SingularFields::default();
        Some(SignatureReport {
            field_index,
            signature,
            result,
            key,
            body_hash,
            header_hash,
            unsigned_octets,
            not_covered,
        })
    };
    let signatures: Vec<SignatureReport> = fields.filter_map(read).take(MAX_SIGNATURES).collect();
    of_header(&signatures, header, &|| None)
}

/// Only where h= could be read.
fn not_signed(of: &Signed<'_>, header: &Header<'_>) -> Option<Finding> {
    let signed = &of.report.signature.signed_fields;
    let mut left_out = SHOULD_BE_SIGNED.to_vec();
    signed.iter().next()?;
    signed.iter().for_each(|name| left_out.retain(|wanted| !wanted.eq_ignore_ascii_case(name)));
    left_out.retain(|name| header.named(name).next().is_some());
    if left_out.is_empty() {
        return None;
    }
    let signer = signer(of.report);
    let left_out = left_out.join(", ");
    let says = format!("h= of the signature of {signer} leaves out fields that the message has: {left_out}");
    let advice = "Name them in h=; what is left out may be changed by anybody.";
    Some(of.finding(Rule::SigFields, "h", &format!("h={signed}"), &says, advice))
}

/// RFC 6376 §3.5, x=: what counts is the time at which the message was received.
fn expired_since<'h>(of: &Signed<'_>, border: &dyn Fn() -> Option<&'h Hop>) -> Option<Finding> {
    let report = of.report;
    let DkimResult::PermError(PermReason::Expired { expiration }) = &report.result else { return None };
    let received = border()?.time.filter(|received| received <= expiration)?;
    let signer = signer(report);
    let says = format!(
        "the signature of {signer} expired at {expiration}, and had not when the message was received at {received}"
    );
    let advice = format!("Take --at {} to evaluate it as of then.", received.0);
    Some(of.finding(Rule::SignatureExpiredSince, "x", &format!("x={}", expiration.0), &says, &advice))
}
