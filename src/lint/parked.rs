//! Domains without mail: whether they say so everywhere.

use super::{context::Context, gather::NOBODY};
use crate::{
    dkim::KeyRecord,
    dmarc::Disposition,
    finding::{Finding, Rule, of_name},
    name::shown,
    spf::{Mechanism, Qualifier, Record},
};

/// What is missing of a domain that takes no mail and sends none, or says so in part.
pub(super) fn finding(context: &Context<'_>) -> Option<Finding> {
    let name = context.domain();
    let hosts = context.mail_hosts(name)?;
    let is_null = |hosts: &[crate::dns::Mx]| matches!(hosts, [mx] if mx.exchange.label_count() == 0);
    let record = context.records.nodes().first().and_then(|node| node.record()).map(|(_, record)| record);
    let sends_none = record.is_some_and(refuses_all);
    // Whoever lets somebody send uses the domain; and a name that does not exist is none to be parked.
    let is_parked = (sends_none || record.is_none() && is_null(hosts)) && context.takes_mail(name) == Some(false)
        || sends_none && hosts.is_empty();
    if !is_parked || context.is_gone(name) {
        return None;
    }
    let mut missing = Vec::new();
    if !is_null(hosts) {
        missing.push(format!("{} MX 0 .", shown(name)));
    }
    if !sends_none {
        missing.push(format!("{} TXT \"v=spf1 -all\"", shown(name)));
    }
    if context.enforced() != Disposition::Reject {
        missing.push(format!("_dmarc.{} TXT \"v=DMARC1; p=reject\"", shown(name)));
    }
    let keys = context.texts_below(&format!("{NOBODY}._domainkey")).map(|(_, texts)| texts).unwrap_or_default();
    if !keys.iter().any(|text| KeyRecord::parse(text).is_ok_and(|record| record.is_revoked())) {
        missing.push(format!("*._domainkey.{} TXT \"v=DKIM1; p=\"", shown(name)));
    }
    if missing.is_empty() {
        return None;
    }
    let says = format!("{} neither takes nor sends mail, and does not say so everywhere", shown(name));
    let advice = format!("Publish {}.", missing.join(", "));
    Some(of_name(name, Rule::Parked, &says, &advice))
}

/// `v=spf1 -all`
fn refuses_all(record: &Record) -> bool {
    match record.directives.as_slice() {
        [only] => only.mechanism == Mechanism::All && only.qualifier == Qualifier::Fail,
        _ => false,
    }
}
