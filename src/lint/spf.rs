//! The SPF records of a domain: what they come to, and what is wrong with them.

mod term;
mod tree;

use super::{
    allowed::Allowed,
    context::{Context, ordered},
    report::{SpfPublished, SpfTerm},
};
use crate::{
    dns::RecordType,
    finding::{
        Finding, PUBLISH_SPF, Place, Published, Records, Rule, Severity, findings_of_record, no_spf_of_sender, of_name,
        spf_of, too_large_answers,
    },
    lex::printable,
    name::{Domain, Name, shown},
    received::AddressKind,
    spf::Record,
};

/// Findings about SPF.
const MAX_FINDINGS: usize = 200;

/// Findings that are made to choose from.
const MOST_FINDINGS: usize = 1000;

/// Octets of a term that a report lists: it may stand in a tree a thousand times.
const MAX_TERM: usize = 1000;

/// What is published, and the findings about it.
pub(super) fn look(context: &Context<'_>) -> (Option<SpfPublished>, Vec<Finding>) {
    let Context { records, .. } = context;
    // The walk begins there.
    let allowed = Allowed::of(records, 0);
    let mut found = tree::findings(context, &allowed);
    for place in 0..records.nodes().len() {
        let mut of_node = of_node(context, &allowed, place);
        // Where there is more than is told, no error is left out for a notice before it.
        if found.len() > MAX_FINDINGS {
            of_node.retain(|finding| finding.severity == Severity::Error);
        }
        found.extend(of_node);
        if found.len() > MOST_FINDINGS {
            break;
        }
    }
    // A text that is nearly a record says more.
    let name = Some(shown(context.domain()));
    if !found.iter().any(|finding| finding.rule == Rule::SpfNotARecord && finding.name == name) {
        found.extend(absent(context));
    }
    found.extend(reverse_paths(context));
    found.extend(too_large_answers(&[context.domain()], context.log));
    ordered(&mut found, records.nodes().iter().map(|node| &node.name), MAX_FINDINGS);
    (published(context, &allowed), found)
}

/// Those at one name: of records of others no more than what is wrong with them.
fn of_node(context: &Context<'_>, allowed: &Allowed, place: usize) -> Vec<Finding> {
    let Some(node) = context.records.nodes().get(place) else { return Vec::new() };
    let mut found = findings_of_record(&context.records, place, AddressKind::Public, &context.policy.spf);
    found.extend(term::findings(context, allowed, place));
    if !context.is_own(&node.name) {
        found.retain(|finding| finding.severity != Severity::Notice);
    }
    found
}

/// Domains that stand in MAIL FROM, and have no record.
fn reverse_paths(context: &Context<'_>) -> Vec<Finding> {
    let paths = context.scope.reverse_paths().iter().map(Domain::as_name);
    let lacks = |name: &&Name| {
        let is_known = context.answer(name, RecordType::Txt).is_some();
        is_known && !context.texts(name).iter().any(|text| Record::has_version(text))
    };
    paths.filter(lacks).map(no_spf_of_sender).collect()
}

/// No record at the domain.
fn absent(context: &Context<'_>) -> Option<Finding> {
    let name = context.domain();
    let node = context.records.nodes().first()?;
    let says = match &node.published {
        Published::NxDomain => {
            let says = format!("{} does not exist, and so has no SPF record", shown(name));
            return Some(of_name(name, Rule::SpfNone, &says, "See whether the name is written as it should be."));
        }
        Published::None(_) => format!("{} has no SPF record", shown(name)),
        Published::Unknown
        | Published::Failed(_)
        | Published::Many(_)
        | Published::Broken(..)
        | Published::Record(..) => return None,
    };
    if let Some(elsewhere) = spf_of(name, context.log) {
        return Some(elsewhere);
    }
    if context.takes_mail(name) == Some(false) {
        let says = format!("{says}, and takes no mail: nothing says that it sends none either");
        return Some(of_name(name, Rule::SpfNoMail, &says, "Publish \"v=spf1 -all\"."));
    }
    let says = format!("{says}: receivers cannot tell its hosts from others");
    Some(of_name(name, Rule::SpfNone, &says, PUBLISH_SPF))
}

fn published(context: &Context<'_>, allowed: &Allowed) -> Option<SpfPublished> {
    let Context { records, walk, .. } = context;
    let node = records.nodes().first()?;
    let record = match &node.published {
        Published::Record(text, _) | Published::Broken(text, _) => Some(printable(text)),
        Published::Many(_) => None,
        Published::Unknown | Published::Failed(_) | Published::NxDomain | Published::None(_) => return None,
    };
    let terms: Vec<SpfTerm> = walk.visits.iter().filter_map(|visit| term_of(records, allowed, visit)).collect();
    let leads_on = |place: Place| records.term(place).is_some_and(|term| crate::finding::record_target(term).is_some());
    let first = walk.visits.iter().find(|visit| !leads_on(visit.place));
    let passed = allowed.passed(0);
    let addresses = passed.map_or(0, |clients| clients.ip4.count());
    Some(SpfPublished {
        name: node.name.clone(),
        record,
        lookups: walk.total,
        least_lookups: first.map_or(walk.total, |visit| visit.at),
        void_lookups: walk.voids.ip4.max(walk.voids.ip6),
        terms,
        ipv4_addresses: u64::try_from(addresses).unwrap_or(u64::MAX),
        ipv6_prefixes: passed.map_or(0, |clients| clients.ip6.prefixes()),
    })
}

/// A term as a report lists it.
fn term_of(records: &Records<'_>, allowed: &Allowed, visit: &crate::finding::Visit) -> Option<SpfTerm> {
    let node = records.nodes().get(visit.place.node)?;
    let (text, _) = node.record()?;
    let term = records.term(visit.place)?.span()?.of(text)?;
    let addresses = allowed.brought_by(visit.place).map_or(0, |brought| brought.addresses);
    Some(SpfTerm {
        domain: node.name.clone(),
        term: printable(term.get(..MAX_TERM).unwrap_or(term)),
        depth: visit.depth,
        lookups: visit.lookups,
        at: visit.at,
        is_void: visit.is_void.ip4 || visit.is_void.ip6,
        ipv4_addresses: u64::try_from(addresses).unwrap_or(u64::MAX),
    })
}
