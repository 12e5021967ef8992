//! From what was gathered to a report.

use super::{
    context::Context, correct, dmarc, gather::Gathered, keys, mx, parked, report::Report, scope::Scope, senders,
    signatures, spf, texts,
};
use crate::{
    finding::{Finding, Rule, of_name, unanswered},
    known::Log,
    policy::Policy,
    spf::SpfReports,
};

/// All that is to be said of a domain.
pub(super) fn judge(scope: &Scope, policy: &Policy, gathered: &Gathered, log: Log) -> Report {
    let context = Context::new(scope, policy, gathered, &log);
    let (spf, mut findings) = spf::look(&context);
    let (dmarc, of_dmarc) = dmarc::look(&context);
    let (dkim, of_keys) = keys::look(&context);
    let (senders, of_senders) = senders::look(&context);
    let (texts, of_texts) = texts::look(&context);
    findings.extend(of_dmarc);
    findings.extend(of_keys);
    findings.extend(signatures::look(&context));
    findings.extend(mx::findings(&context));
    findings.extend(of_senders);
    findings.extend(of_texts);
    findings.extend(parked::finding(&context));
    findings.extend(unanswered(&SpfReports::default(), &log));
    findings.extend(cut(&context));
    // Of a host that is named as a sender as well.
    let mut hosts: Vec<Box<str>> = Vec::new();
    findings.retain(|finding| match &finding.name {
        Some(name) if finding.rule == Rule::SpfHelo => {
            let is_new = !hosts.contains(name);
            hosts.push(name.clone());
            is_new
        }
        Some(_) | None => true,
    });
    findings.sort_by_key(|finding| finding.severity);
    let mut mx = context.mail_hosts(context.domain()).unwrap_or_default().to_vec();
    mx.sort_by_key(|mx| mx.preference);
    let corrections = correct::spf(&context).into_iter().chain(correct::dmarc(&context)).collect();
    Report { domain: scope.domain().clone(), spf, dmarc, dkim, mx, senders, texts, findings, corrections, log }
}

/// The bounds of the walk.
fn cut(context: &Context<'_>) -> Option<Finding> {
    if !context.gathered.is_cut {
        return None;
    }
    let says = format!(
        "the records lead to more than is asked for here ({} SPF records, and 1000 questions): what lies beyond is not known",
        super::MAX_RECORDS
    );
    Some(of_name(context.domain(), Rule::DnsUnanswered, &says, ""))
}
