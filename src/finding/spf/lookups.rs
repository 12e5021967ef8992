//! What a check would ask for a client that no term matches, and where it meets the limits of RFC 7208 §4.6.4.

use super::{
    Finding, Rule, at, is_ip4, of,
    published::{Place, Records, target},
    shown,
    walk::{Numbers, Visit, Walk},
};
use crate::{
    dns::{AnyAnswer, RecordType},
    lex::excerpt,
    name::Name,
    spf::{Limit, Limits, Mechanism, PermError, SpfReport, SpfResult, Term},
};

/// Shares and void answers that a sentence has.
const MAX_LISTED: usize = 12;

/// Walks over all that an identity leads to, and says where a limit is met.
pub(super) fn findings(records: &mut Records<'_>, report: &SpfReport, root: &Name) -> Vec<Finding> {
    let exceeded = match &report.result {
        SpfResult::PermError(PermError::LimitExceeded { limit, domain, term }) => Some((*limit, domain, term)),
        _ => None,
    };
    let limit = match exceeded {
        Some((Limit::Lookups(limit), ..)) => limit.into(),
        _ => Limits::default().lookups.into(),
    };
    let numbers = Numbers { lookups: limit, void_lookups: Limits::default().void_lookups.into() };
    let walk = Walk::over(records, root, numbers);
    let mut found = loops(records, &walk);
    match exceeded {
        // A circle alone breaks the limit, and is told as one.
        Some((Limit::Lookups(_), ..)) if !walk.loops.is_empty() => {}
        Some((Limit::Lookups(_), domain, term)) if walk.broke.is_none() => {
            let says =
                format!("\"{}\" is one more than the {limit} terms that may ask the DNS", excerpt(term.as_bytes()));
            found.push(of(Rule::SpfLookups, domain, &says).advising(FEWER));
        }
        Some((Limit::VoidLookups(limit), domain, term)) => {
            let voids = voids(records, &walk, is_ip4(report));
            let list = if voids.is_empty() { String::new() } else { format!(": {}", voids.join(", ")) };
            let says = format!("more than {limit} terms ask the DNS for what is not there{list}");
            let place = records.at(domain).and_then(|node| node.record()).and_then(|(text, record)| {
                let terms = record.terms();
                let span = terms.iter().find(|found| found.to_string() == **term)?.span();
                Some(at(Rule::SpfVoid, domain, text, span, &says))
            });
            let finding = place.unwrap_or_else(|| of(Rule::SpfVoid, domain, &says));
            found.push(finding.advising("Take out the terms whose names have no such record, or publish the records."));
        }
        _ => {}
    }
    if let Some(place) = walk.broke {
        found.extend(too_many(records, &walk, place, limit, exceeded.is_some()));
    }
    found
}

/// Terms that lead back to a record which is open already.
pub(crate) fn loops(records: &Records<'_>, walk: &Walk) -> Vec<Finding> {
    let of = |(place, target): &(Place, Name)| {
        let says = format!(
            "\"{}\" leads back to {}, in whose record it stands, or which leads to it: a circle ends in permerror",
            records.shown(*place),
            shown(target)
        );
        finding(records, Rule::SpfLoop, *place, &says, "Take the term out of one of the records.")
    };
    walk.loops.iter().filter_map(of).collect()
}

const FEWER: &str =
    "Take out terms that are not needed, the dearest first, or write their addresses as ip4: and ip6: terms.";

/// More lookups than there may be, `is_met` by the client that was checked.
pub(crate) fn too_many(
    records: &Records<'_>,
    walk: &Walk,
    place: Place,
    limit: usize,
    is_met: bool,
) -> Option<Finding> {
    let Walk { total, is_open, visits, .. } = walk;
    let node = records.nodes().get(place.node)?;
    let dear = visits.iter().filter(|visit| visit.depth == 0 && visit.lookups > 0);
    let list: Vec<_> =
        dear.take(MAX_LISTED).map(|visit| format!("{} by {}", visit.lookups, records.shown(visit.place))).collect();
    let at_least = if *is_open { "at least " } else { "" };
    let others = if is_met { "" } else { ", and clients that no term before it matches get permerror" };
    let says = format!(
        "\"{}\" of {} is one more than the {limit} terms that may ask the DNS{others}; in all there are {at_least}{total}: {}",
        records.shown(place),
        shown(&node.name),
        list.join(", ")
    );
    finding(records, Rule::SpfLookups, place, &says, FEWER)
}

/// About the term at a place.
pub(crate) fn finding(records: &Records<'_>, rule: Rule, place: Place, says: &str, advice: &str) -> Option<Finding> {
    let node = records.nodes().get(place.node)?;
    let (text, _) = node.record()?;
    let span = records.term(place)?.span();
    Some(at(rule, &node.name, text, span, &says).advising(advice))
}

/// What the terms ask for in vain, as far as it counts for clients of this family.
pub(crate) fn voids(records: &Records<'_>, walk: &Walk, is_ip4: bool) -> Vec<String> {
    let is_void = |visit: &&Visit| if is_ip4 { visit.is_void.ip4 } else { visit.is_void.ip6 };
    let visits = walk.visits.iter().filter(is_void);
    visits.filter_map(|visit| void(records, visit.place, is_ip4)).take(MAX_LISTED).collect()
}

/// What a term asks for in vain.
fn void(records: &Records<'_>, place: Place, is_ip4: bool) -> Option<String> {
    let term = records.term(place)?;
    let asked = &*target(term, &records.nodes().get(place.node)?.name)?;
    let addresses = if is_ip4 { RecordType::A } else { RecordType::Aaaa };
    let record_type = match term {
        Term::Directive(directive) => match &directive.mechanism {
            Mechanism::A(_) => addresses,
            Mechanism::Exists(_) => RecordType::A,
            Mechanism::Mx(_) => RecordType::Mx,
            Mechanism::Include(_) => RecordType::Txt,
            Mechanism::All | Mechanism::Ptr(_) | Mechanism::Ip4(_) | Mechanism::Ip6(_) => return None,
        },
        Term::Redirect(_) => RecordType::Txt,
        Term::Exp(_) | Term::UnknownModifier(_) => return None,
    };
    let told = |name: &Name, record_type, answer: &AnyAnswer| {
        format!("{} ({} {record_type}: {answer})", excerpt(term.to_string().as_bytes()), shown(name))
    };
    match records.answer(asked, record_type)?.ok()? {
        AnyAnswer::Mx(hosts) if !hosts.is_void() => hosts.records().iter().find_map(|mx| {
            let answer = records.answer(&mx.exchange, addresses)?.ok()?;
            answer.is_void().then(|| told(&mx.exchange, addresses, answer))
        }),
        answer => answer.is_void().then(|| told(asked, record_type, answer)),
    }
}
