//! Keys that are not for subdomains, and signatures for one.

use super::signature::MAX_SIGNATURES;
use crate::{
    dkim::{DkimResult, KeyRecord, KeyRestriction, PermReason, SignatureReport},
    dns::RecordType,
    finding::{Finding, Rule, Severity, quote::quoted, record_text::RecordText},
    known::Log,
    lex::Span,
    name::Name,
    verdict::Verdict,
};

/// One for each key whose `t=s` a signature breaks (RFC 6376 §3.6.1).
pub(super) fn findings(verdict: &Verdict, log: &Log) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut names: Vec<Name> = Vec::new();
    for report in verdict.dkim.iter().filter(is_broken).take(MAX_SIGNATURES) {
        let Some(name) = report.signature.key_name().filter(|name| !names.contains(name)) else { continue };
        found.extend(of_key(report, &name, log));
        names.push(name);
    }
    found
}

fn is_broken(report: &&SignatureReport) -> bool {
    report.result == DkimResult::PermError(PermReason::KeyNotAllowed(KeyRestriction::StrictIdentity))
}

fn of_key(report: &SignatureReport, name: &Name, log: &Log) -> Option<Finding> {
    let texts = log.entry(name, RecordType::Txt)?.texts();
    let (text, tag) = texts.iter().take(super::MAX_RECORDS).find_map(|text| {
        let record = KeyRecord::parse(text).ok().filter(|record| record.strict_identity)?;
        Some((text, record.span_of("t")?.whole()))
    })?;
    let identity = report.signature.identity.as_deref().unwrap_or_default();
    Some(forbids_subdomains(&RecordText { name, text }, tag, Some(identity)))
}

/// `t=s` in a key record. `identity` is that of a signature which it forbids (`i=`), or nothing where no such signature is known.
pub(crate) fn forbids_subdomains(text: &RecordText<'_>, tag: Span, identity: Option<&str>) -> Finding {
    let forbids = format!("{} forbids signatures for subdomains", quoted(text.at(Some(tag))));
    let Some(identity) = identity else {
        let says = format!("{forbids} (i=)");
        let advice = "Take the s out of t= where subdomains sign with this key.";
        return text.finding(Rule::DkimStrictSubdomain, Some(tag), &says, advice);
    };
    let identity = quoted(identity.as_bytes());
    let says = format!("{forbids}, and a message is signed for one (i= is {identity}): the signature does not count");
    let advice = "Take the s out of t=, or sign without i=.";
    let finding = text.finding(Rule::DkimStrictSubdomain, Some(tag), &says, advice);
    Finding { severity: Severity::Error, ..finding }
}
