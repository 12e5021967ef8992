//! The mail hosts of a domain.

use super::context::Context;
use crate::{
    dns::{AnyAnswer, Mx, RecordType},
    finding::{Finding, Rule, of_name},
    known::Entry,
    name::shown,
    received::AddressKind,
};
use std::net::IpAddr;

/// Findings about mail hosts.
const MAX_FINDINGS: usize = 20;

pub(super) fn findings(context: &Context<'_>) -> Vec<Finding> {
    let hosts = context.mail_hosts(context.domain()).unwrap_or_default();
    let mut found: Vec<Finding> = null(context, hosts).into_iter().collect();
    found.extend(hosts.iter().filter(|mx| mx.exchange.label_count() > 0).filter_map(|mx| target(context, mx)));
    found.extend(senders(context));
    found.truncate(MAX_FINDINGS);
    found
}

/// RFC 7505 §3.
fn null(context: &Context<'_>, hosts: &[Mx]) -> Option<Finding> {
    let null = hosts.iter().find(|mx| mx.exchange.label_count() == 0)?;
    let name = shown(context.domain());
    if hosts.len() > 1 {
        let says = format!("{name} has a null MX, which says that it takes no mail, and {} others", hosts.len() - 1);
        let advice = "Take the null MX out, or the others.";
        return Some(of_name(context.domain(), Rule::MxNullMixed, &says, advice));
    }
    let says = format!("the null MX of {name} has the preference {}, where it must have 0", null.preference);
    let finding = || of_name(context.domain(), Rule::MxNullMixed, &says, "Write the MX record as \"0 .\".");
    (null.preference != 0).then(finding)
}

/// RFC 5321 §5.1: a mail host is a name that has an address, and no alias (RFC 2181 §10.3).
fn target(context: &Context<'_>, mx: &Mx) -> Option<Finding> {
    let host = &mx.exchange;
    let finding = |why: String, advice: &str| {
        let says = format!("the mail host {} of {} {why}", shown(host), shown(context.domain()));
        Some(of_name(context.domain(), Rule::MxTarget, &says, advice))
    };
    if host.as_str().parse::<IpAddr>().is_ok() {
        return finding("is an address, where a name is expected".into(), "Give the host a name, and write that.");
    }
    let entries = [RecordType::A, RecordType::Aaaa].map(|record_type| context.entry(host, record_type));
    if let Some(alias) = entries.iter().flatten().flat_map(|entry| entry.aliases()).next() {
        return finding(
            format!("is an alias of {}, which a mail host may not be", shown(alias)),
            "Write the name that the alias leads to.",
        );
    }
    if context.has_address(host)? {
        let first = addresses(entries).find(|ip| !AddressKind::of(*ip).is_public())?;
        return finding(
            format!("has {} ({first})", AddressKind::of(first)),
            "Give it an address that others on the Internet can reach.",
        );
    }
    finding("has no address".into(), "Publish its address, or take it out.")
}

fn addresses<'l>(entries: [Option<&'l Entry>; 2]) -> impl Iterator<Item = IpAddr> + 'l {
    entries.into_iter().flatten().filter_map(Entry::answer).flat_map(|answer| match answer {
        Ok(AnyAnswer::A(answer)) => answer.records().iter().map(|ip| IpAddr::V4(*ip)).collect::<Vec<_>>(),
        Ok(AnyAnswer::Aaaa(answer)) => answer.records().iter().map(|ip| IpAddr::V6(*ip)).collect(),
        Ok(AnyAnswer::Txt(_) | AnyAnswer::Mx(_) | AnyAnswer::Ptr(_)) | Err(_) => Vec::new(),
    })
}

/// RFC 7505 §4.2: mail from a domain that takes none.
fn senders(context: &Context<'_>) -> Vec<Finding> {
    let paths = context.scope.reverse_paths().iter().map(|path| path.as_name());
    let takes_none = paths.filter(|path| {
        context.mail_hosts(path).is_some_and(|hosts| !hosts.is_empty()) && context.takes_mail(path) == Some(false)
    });
    let finding = |path| {
        let says = format!(
            "{} stands in MAIL FROM and has a null MX: failures cannot be told, and some receivers refuse",
            shown(path)
        );
        of_name(path, Rule::MxNullSender, &says, "Send from a domain that takes mail.")
    };
    takes_none.map(finding).collect()
}
