//! Keys that are not for subdomains, and signatures for one.

use super::signature::MAX_SIGNATURES;
use crate::{
    dkim::{DkimResult, KeyRecord, KeyRestriction, PermReason, SignatureReport},
    dns::RecordType,
    finding::{Finding, Rule, Severity, quote::quoted, record_text::RecordText},
    known::Log,
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
    let text = RecordText { name, text };
    let identity = quoted(report.signature.identity.as_deref().unwrap_or_default().as_bytes());
    let says = format!(
        "{} forbids signatures for subdomains, and a message is signed for one (i= is {identity}): the signature does not count",
        quoted(text.at(Some(tag)))
    );
    let advice = "Take the s out of t=, or sign without i=.";
    let finding = text.finding(Rule::DkimStrictSubdomain, Some(tag), &says, advice);
    Some(Finding { severity: Severity::Error, ..finding })
}
