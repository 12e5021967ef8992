//! What is wrong with the SPF records that an evaluation read.

mod lookups;
mod near_miss;
mod published;
mod record;
mod special_address;
mod term;

use super::{Finding, Quote, Rule};
use crate::{
    known::Log,
    lex::{Span, printable},
    name::Name,
    session::Session,
    spf::{SpfReport, SpfReports},
};
use published::Records;
use std::fmt;

/// Findings of one evaluation: whoever mends so many looks at the rest as well.
const MAX_FINDINGS: usize = 100;

/// Those of the records that both identities led to.
pub(super) fn findings(spf: &SpfReports, session: &Session, log: &Log) -> Vec<Finding> {
    let mut records = Records::new(log);
    let mut found = Vec::new();
    let mut roots: Vec<&Name> = Vec::new();
    for report in [&spf.mail_from, &spf.helo].into_iter().flatten() {
        let Ok(domain) = &report.domain else { continue };
        // The null reverse-path is the check of HELO (RFC 7208 §2.4).
        if !roots.contains(&domain.as_name()) {
            roots.push(domain.as_name());
            found.extend(lookups::findings(&mut records, report, domain.as_name()));
        }
    }
    let client = session.peer_ip.map(|ip| ip.to_canonical());
    for place in 0..records.nodes().len() {
        found.extend(record::findings(&records, place, client));
        if found.len() > MAX_FINDINGS {
            break;
        }
    }
    found.truncate(MAX_FINDINGS);
    found
}

/// Of the term at `span` of the record at a name.
fn at(rule: Rule, name: &Name, record: &[u8], span: Option<Span>, says: &impl fmt::Display) -> Finding {
    let quote = span.and_then(|span| Quote::of(record, span));
    Finding { quote, ..of(rule, name, says) }
}

/// Of all that is at a name.
fn of(rule: Rule, name: &Name, says: &impl fmt::Display) -> Finding {
    Finding { name: Some(shown(name)), ..Finding::new(rule, says) }
}

impl Finding {
    fn advising(self, advice: impl Into<Box<str>>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// A name may have any ASCII octets.
fn shown(name: &Name) -> Box<str> {
    printable(name.as_str().as_bytes())
}

/// Whether the client that was checked came over IPv4.
fn is_ip4(report: &SpfReport) -> bool {
    report.ip.is_ipv4()
}
