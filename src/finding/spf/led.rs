//! Targets whose names macros make: only the check of this client tells them.

use super::{
    Finding, Rule, at,
    published::{Records, record_target},
    shown,
};
use crate::{
    lex::excerpt,
    name::Name,
    spf::{DomainSpec, NoneReason, PermError, SpfReport, SpfResult},
};

/// Enters the record that ended the check in permerror, which no literal name may lead to; and tells of the term that led to none.
pub(super) fn findings(records: &mut Records<'_>, report: &SpfReport) -> Option<Finding> {
    let SpfResult::PermError(error) = &report.result else { return None };
    match error {
        PermError::Syntax { domain, .. } | PermError::ManyRecords { domain, .. } => {
            records.enter(domain, false, None);
            None
        }
        PermError::NoRecordAtTarget { domain, term, target, reason } => {
            records.enter(domain, false, None);
            without_record(records, domain, term, target, reason)
        }
        PermError::RecordsTooLarge { .. } | PermError::LimitExceeded { .. } => None,
    }
}

/// RFC 7208 §5.2 and §6.1. What a name leads to that is the same for each client is told with its term.
fn without_record(
    records: &Records<'_>,
    domain: &Name,
    term: &str,
    target: &str,
    reason: &NoneReason,
) -> Option<Finding> {
    let (text, record) = records.at(domain)?.record()?;
    let is_made = |spec: &DomainSpec| spec.target_in(domain).is_none();
    let is_it = |found: &crate::spf::Term<'_>| record_target(*found).is_some_and(is_made) && found.to_string() == term;
    let span = record.terms().into_iter().find(is_it)?.span();
    let says = format!(
        "\"{}\" of {} leads to {} for this client, and {reason}: receivers answer permerror",
        excerpt(term.as_bytes()),
        shown(domain),
        excerpt(target.as_bytes())
    );
    let finding = at(Rule::SpfTargetNone, domain, text, span, &says);
    Some(finding.advising("Take the term out, or publish a record at each name that it can lead to."))
}
