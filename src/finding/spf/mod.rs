//! What is wrong with the SPF records that an evaluation read.

mod beside;
mod led;
mod lookups;
mod near_miss;
mod published;
mod record;
mod size;
mod term;
mod walk;

use super::{
    Finding, Rule,
    record_text::{RecordText, of_name, shown},
};
use crate::{
    known::Log,
    lex::Span,
    name::Name,
    received::AddressKind,
    session::Session,
    spf::{Limits, SpfReport, SpfReports},
};

pub(super) use beside::read_beside;
pub(crate) use lookups::{finding, loops, too_many, voids};
pub(crate) use published::{Bounds, Node, Place, Published, Records, record_target, target};
pub(crate) use record::findings as findings_of_record;
pub(crate) use size::findings as too_large_answers;
pub(crate) use walk::{Numbers, Visit, Walk};

/// What is looked at of both identities together.
const BOUNDS: Bounds = Bounds { names: 64, octets: 1 << 18 };

/// Findings of one evaluation: whoever mends so many looks at the rest as well.
const MAX_FINDINGS: usize = 100;

/// Those of the records that both identities led to.
pub(super) fn findings(spf: &SpfReports, session: &Session, log: &Log) -> Vec<Finding> {
    let mut records = Records::new(log, BOUNDS);
    let mut found = Vec::new();
    let mut roots: Vec<&Name> = Vec::new();
    for report in [&spf.mail_from, &spf.helo].into_iter().flatten() {
        let Ok(domain) = &report.domain else { continue };
        // The null reverse-path is the check of HELO (RFC 7208 §2.4).
        if !roots.contains(&domain.as_name()) {
            roots.push(domain.as_name());
            found.extend(lookups::findings(&mut records, report, domain.as_name()));
            found.extend(led::findings(&mut records, report));
        }
    }
    let client = session.peer_ip.map_or(AddressKind::Public, AddressKind::of);
    for place in 0..records.nodes().len() {
        found.extend(record::findings(&records, place, client, &Limits::default()));
        if found.len() > MAX_FINDINGS {
            break;
        }
    }
    found.extend(size::findings(&roots, log));
    found.truncate(MAX_FINDINGS);
    found
}

/// Of the term at `span` of the record at a name.
fn at(rule: Rule, name: &Name, record: &[u8], span: Option<Span>, says: &impl ToString) -> Finding {
    RecordText { name, text: record }.finding(rule, span, &says.to_string(), "")
}

/// Of all that is at a name.
fn of(rule: Rule, name: &Name, says: &impl ToString) -> Finding {
    of_name(name, rule, &says.to_string(), "")
}

impl Finding {
    pub(crate) fn advising(self, advice: impl Into<Box<str>>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// Whether the client that was checked came over IPv4.
fn is_ip4(report: &SpfReport) -> bool {
    report.ip.is_ipv4()
}
