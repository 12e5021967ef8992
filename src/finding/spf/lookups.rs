//! What a check would ask for a client that no term matches, and where it meets the limits of RFC 7208 §4.6.4.

use super::{
    Finding, Rule, at, is_ip4, of,
    published::{Place, Records, lookups, record_target, target},
    shown,
};
use crate::{
    dns::{AnyAnswer, RecordType},
    lex::excerpt,
    name::Name,
    spf::{Limit, Limits, Mechanism, PermError, SpfReport, SpfResult, Term},
};

/// Terms that are counted at most: a few records that include each other come to millions.
const MAX_COUNTED: usize = 1000;
/// Steps of a walk at most, those that ask nothing included.
const MAX_STEPS: usize = 20_000;
/// Shares and void answers that a sentence has.
const MAX_LISTED: usize = 12;

/// A walk over the terms of a check, in its order, as if no directive matched but `all`.
#[derive(Default)]
struct Count {
    total: usize,
    /// Whether something that may ask more is not known.
    is_open: bool,
    /// What each term of the first record costs, with all that it leads to.
    shares: Vec<Share>,
    /// The term that is one too many.
    broke: Option<Place>,
    void: Vec<String>,
    loops: Vec<(Place, Name)>,
}

struct Share {
    of: Place,
    lookups: usize,
}

/// A record that is being walked over.
struct Frame {
    node: usize,
    next: usize,
    /// Whether all records before it were redirected from.
    is_top: bool,
}

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
    let voids = matches!(exceeded, Some((Limit::VoidLookups(_), ..))).then_some(report);
    let count = count(records, voids, root, limit);
    let mut found = Vec::new();
    for (place, target) in &count.loops {
        let says = format!(
            "\"{}\" leads back to {}, in whose record it stands, or which leads to it: a circle ends in permerror",
            records.shown(*place),
            shown(target)
        );
        found.extend(finding(records, Rule::SpfLoop, *place, &says, "Take the term out of one of the records."));
    }
    match exceeded {
        // A circle alone breaks the limit, and is told as one.
        Some((Limit::Lookups(_), ..)) if !count.loops.is_empty() => {}
        Some((Limit::Lookups(_), domain, term)) if count.broke.is_none() => {
            let says =
                format!("\"{}\" is one more than the {limit} terms that may ask the DNS", excerpt(term.as_bytes()));
            found.push(of(Rule::SpfLookups, domain, &says).advising(FEWER));
        }
        Some((Limit::VoidLookups(limit), domain, term)) => {
            let list = if count.void.is_empty() { String::new() } else { format!(": {}", count.void.join(", ")) };
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
    if let Some(place) = count.broke {
        found.extend(too_many(records, &count, place, limit, exceeded.is_some()));
    }
    found
}

const FEWER: &str =
    "Take out terms that are not needed, the dearest first, or write their addresses as ip4: and ip6: terms.";

fn too_many(records: &Records<'_>, count: &Count, place: Place, limit: usize, is_met: bool) -> Option<Finding> {
    let Count { total, is_open, shares, .. } = count;
    let node = records.nodes().get(place.node)?;
    let dear = shares.iter().filter(|share| share.lookups > 0);
    let list: Vec<_> =
        dear.take(MAX_LISTED).map(|Share { of, lookups }| format!("{lookups} by {}", records.shown(*of))).collect();
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

fn finding(records: &Records<'_>, rule: Rule, place: Place, says: &str, advice: &str) -> Option<Finding> {
    let node = records.nodes().get(place.node)?;
    let (text, _) = node.record()?;
    let span = records.term(place)?.span();
    Some(at(rule, &node.name, text, span, &says).advising(advice))
}

/// `voids` is the report of an evaluation that met the limit of void answers, which are listed then.
fn count(records: &mut Records<'_>, voids: Option<&SpfReport>, root: &Name, limit: usize) -> Count {
    let mut count = Count::default();
    let Some(node) = records.enter(root, true, None) else { return count };
    let mut frames = vec![Frame { node, next: 0, is_top: true }];
    for _ in 0..MAX_STEPS {
        let depth = frames.len();
        let Some(frame) = frames.last_mut() else { return count };
        let (place, is_top) = (Place { node: frame.node, index: frame.next }, frame.is_top);
        frame.next += 1;
        let Some(term) = records.reached(place) else {
            frames.pop();
            continue;
        };
        let asks = lookups(term);
        if asks == 0 {
            continue;
        }
        if depth == 1 {
            count.shares.push(Share { of: place, lookups: 0 });
        }
        count.total += asks;
        if let Some(share) = count.shares.last_mut() {
            share.lookups += asks;
        }
        if count.total > limit && count.broke.is_none() {
            count.broke = Some(place);
        }
        if count.total > MAX_COUNTED {
            count.is_open = true;
            return count;
        }
        let Some(node) = records.nodes().get(place.node) else { return count };
        let asked = target(term, &node.name);
        if let (Some(report), Some(asked)) = (voids, asked)
            && count.void.len() < MAX_LISTED
        {
            count.void.extend(void(records, report, term, asked));
        }
        if record_target(term).is_none() {
            continue;
        }
        let Some(asked) = asked.cloned() else {
            count.is_open = true;
            continue;
        };
        let redirected = matches!(term, Term::Redirect(_));
        let is_top = is_top && redirected;
        let Some(target) = records.enter(&asked, is_top, Some(place)) else {
            count.is_open = true;
            continue;
        };
        if frames.iter().any(|frame| frame.node == target) {
            if !count.loops.iter().any(|(known, _)| *known == place) {
                count.loops.push((place, asked));
            }
        } else if records.nodes().get(target).is_some_and(|node| node.record().is_some()) {
            frames.push(Frame { node: target, next: 0, is_top });
        } else {
            count.is_open = true;
        }
    }
    count.is_open = true;
    count
}

/// What a term asks for in vain.
fn void(records: &Records<'_>, report: &SpfReport, term: Term<'_>, asked: &Name) -> Option<String> {
    let record_type = match term {
        Term::Directive(directive) => match &directive.mechanism {
            Mechanism::A(_) if is_ip4(report) => RecordType::A,
            Mechanism::A(_) => RecordType::Aaaa,
            Mechanism::Exists(_) => RecordType::A,
            Mechanism::Mx(_) => RecordType::Mx,
            Mechanism::Include(_) => RecordType::Txt,
            Mechanism::All | Mechanism::Ptr(_) | Mechanism::Ip4(_) | Mechanism::Ip6(_) => return None,
        },
        Term::Redirect(_) => RecordType::Txt,
        Term::Exp(_) | Term::UnknownModifier(_) => return None,
    };
    let answer = records.answer(asked, record_type)?.ok()?;
    let is_void = match answer {
        AnyAnswer::Txt(answer) => answer.is_void(),
        AnyAnswer::A(answer) => answer.is_void(),
        AnyAnswer::Aaaa(answer) => answer.is_void(),
        AnyAnswer::Mx(answer) => answer.is_void(),
        AnyAnswer::Ptr(answer) => answer.is_void(),
    };
    is_void.then(|| format!("{} ({} {record_type}: {answer})", excerpt(term.to_string().as_bytes()), shown(asked)))
}
