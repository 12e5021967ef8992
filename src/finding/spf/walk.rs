//! A walk over the terms of a check, in its order, for a client that no term matches, past every limit.

use super::published::{Place, Records, lookups, record_target, target};
use crate::{
    dns::{AnyAnswer, RecordType},
    name::Name,
    spf::{MAX_RECORDS_SIZE, Mechanism, Qualifier, Term},
};
use std::borrow::Cow;

/// Lookups that are counted at most: a few records that include each other come to millions.
const MAX_COUNTED: usize = 1000;
/// Steps of a walk at most, those that ask nothing included.
const MAX_STEPS: usize = 20_000;

/// For clients of IPv4, and for those of IPv6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Families<T> {
    pub(crate) ip4: T,
    pub(crate) ip6: T,
}

/// What the walk came to.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// In the order of evaluation; a record that is included twice comes twice.
    pub(crate) visits: Vec<Visit>,
    /// Lookups of all terms together (RFC 7208 §4.6.4).
    pub(crate) total: usize,
    /// Whether something that may ask more is not known.
    pub(crate) is_open: bool,
    /// The term that is one lookup too many.
    pub(crate) broke: Option<Place>,
    /// Terms that ask for what is not there.
    pub(crate) voids: Families<usize>,
    /// The visit by which there are too many of them.
    pub(crate) broke_voids: Families<Option<usize>>,
    /// Terms that lead back to a record which is open already, and its name.
    pub(crate) loops: Vec<(Place, Name)>,
    /// The name by whose record the records are more than one evaluation reads.
    pub(crate) too_large: Option<Name>,
}

/// A term that the walk came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    pub(crate) place: Place,
    /// How many records are open around that of the term.
    pub(crate) depth: usize,
    /// The running count, this term's own lookups included.
    pub(crate) at: usize,
    /// Lookups of the term, with all that it leads to.
    pub(crate) lookups: usize,
    /// Whether it asks for what is not there.
    pub(crate) is_void: Families<bool>,
}

/// How much is walked, and which numbers count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(crate) lookups: usize,
    pub(crate) void_lookups: usize,
}

/// A record that is being walked over.
struct Frame {
    node: usize,
    next: usize,
    /// Whether all records before it were redirected from.
    is_top: bool,
    /// The visit that led here, and the lookups before it.
    opened: Option<(usize, usize)>,
    /// What matched all clients of a family that came so far.
    outcome: Families<Option<Qualifier>>,
}

impl Walk {
    /// Walks over all that a domain leads to, reading its records as it comes to them.
    pub(crate) fn over(records: &mut Records<'_>, root: &Name, numbers: Numbers) -> Self {
        let mut walk = Self::default();
        let Some(node) = records.enter(root, true, None) else { return walk };
        let mut frames = vec![Frame { node, next: 0, is_top: true, opened: None, outcome: Families::default() }];
        let mut size = 0;
        walk.read(records, node, &mut size);
        let mut steps = 0;
        while let Some(frame) = frames.last_mut() {
            let (place, is_top) = (Place { node: frame.node, index: frame.next }, frame.is_top);
            let is_over = frame.outcome.ip4.is_some() && frame.outcome.ip6.is_some();
            steps += 1;
            if walk.total > MAX_COUNTED || steps > MAX_STEPS {
                walk.is_open = true;
                break;
            }
            let Some(term) = records.reached(place).filter(|_| !is_over) else {
                walk.leave(records, &mut frames);
                continue;
            };
            frame.next += 1;
            let live = Families { ip4: frame.outcome.ip4.is_none(), ip6: frame.outcome.ip6.is_none() };
            let depth = frames.len() - 1;
            let visit = walk.visit(records, place, depth, live, numbers);
            if record_target(term).is_none() {
                let all = matched_by_all(records, term, place);
                if let (Some(frame), Term::Directive(directive)) = (frames.last_mut(), term) {
                    frame.outcome.settle(all, directive.qualifier);
                }
                continue;
            }
            let before = walk.total - lookups(term);
            let Some(asked) = target_of(records, place).map(Cow::into_owned) else {
                walk.is_open = true;
                continue;
            };
            let redirected = matches!(term, Term::Redirect(_));
            let is_top = is_top && redirected;
            let Some(node) = records.enter(&asked, is_top, Some(place)) else {
                walk.is_open = true;
                continue;
            };
            if frames.iter().any(|frame| frame.node == node) {
                if !walk.loops.iter().any(|(known, _)| *known == place) {
                    walk.loops.push((place, asked));
                }
                continue;
            }
            walk.read(records, node, &mut size);
            if records.nodes().get(node).is_some_and(|node| node.record().is_some()) {
                // Whom a term before matched does not come here.
                let gone = |live: bool| (!live).then_some(Qualifier::Neutral);
                let outcome = Families { ip4: gone(live.ip4), ip6: gone(live.ip6) };
                frames.push(Frame { node, next: 0, is_top, opened: Some((visit, before)), outcome });
            } else {
                walk.is_open = true;
            }
        }
        while !frames.is_empty() {
            walk.leave(records, &mut frames);
        }
        walk
    }

    /// A record comes to be read.
    fn read(&mut self, records: &Records<'_>, node: usize, size: &mut usize) {
        let Some(node) = records.nodes().get(node) else { return };
        *size += node.size;
        if *size > MAX_RECORDS_SIZE && self.too_large.is_none() {
            self.too_large = Some(node.name.clone());
        }
    }

    fn visit(
        &mut self,
        records: &Records<'_>,
        place: Place,
        depth: usize,
        live: Families<bool>,
        numbers: Numbers,
    ) -> usize {
        let asks = records.term(place).map_or(0, lookups);
        self.total += asks;
        if self.total > numbers.lookups && self.broke.is_none() && asks > 0 {
            self.broke = Some(place);
        }
        let void = records.term(place).map_or_else(Families::default, |term| is_void(records, term, place));
        let is_void = Families { ip4: void.ip4 && live.ip4, ip6: void.ip6 && live.ip6 };
        let visit = self.visits.len();
        self.visits.push(Visit { place, depth, at: self.total, lookups: asks, is_void });
        // Without a record at its target, `include` and `redirect` end in another way.
        let is_judged = records.term(place).is_some_and(|term| record_target(term).is_none());
        let count = |is_void: bool, voids: &mut usize, broke: &mut Option<usize>| {
            *voids += usize::from(is_void);
            if is_void && is_judged && *voids > numbers.void_lookups {
                broke.get_or_insert(visit);
            }
        };
        count(is_void.ip4, &mut self.voids.ip4, &mut self.broke_voids.ip4);
        count(is_void.ip6, &mut self.voids.ip6, &mut self.broke_voids.ip6);
        visit
    }

    /// The last record ends; what it matched all of, the term that led to it may match as well (RFC 7208 §5.2).
    fn leave(&mut self, records: &Records<'_>, frames: &mut Vec<Frame>) {
        let Some(Frame { opened: Some((visit, before)), outcome, .. }) = frames.pop() else { return };
        let (Some(visit), Some(parent)) = (self.visits.get_mut(visit), frames.last_mut()) else { return };
        visit.lookups = self.total - before;
        match records.term(visit.place) {
            Some(Term::Directive(directive)) => {
                let passed = |outcome: Option<Qualifier>| outcome == Some(Qualifier::Pass);
                let all = Families { ip4: passed(outcome.ip4), ip6: passed(outcome.ip6) };
                parent.outcome.settle(all, directive.qualifier);
            }
            Some(Term::Redirect(_)) => {
                parent.outcome.ip4 = parent.outcome.ip4.or(outcome.ip4);
                parent.outcome.ip6 = parent.outcome.ip6.or(outcome.ip6);
            }
            Some(Term::Exp(_) | Term::UnknownModifier(_)) | None => {}
        }
    }
}

impl Families<Option<Qualifier>> {
    /// All clients of these families are matched.
    fn settle(&mut self, all: Families<bool>, qualifier: Qualifier) {
        let settled = |all: bool| all.then_some(qualifier);
        self.ip4 = self.ip4.or(settled(all.ip4));
        self.ip6 = self.ip6.or(settled(all.ip6));
    }
}

fn target_of<'r>(records: &'r Records<'_>, place: Place) -> Option<Cow<'r, Name>> {
    target(records.term(place)?, &records.nodes().get(place.node)?.name)
}

/// Whether a term matches every client, as far as the answers tell.
fn matched_by_all(records: &Records<'_>, term: Term<'_>, place: Place) -> Families<bool> {
    let none = Families::default();
    let Term::Directive(directive) = term else { return none };
    let has_address = |record_type| {
        let answer = target_of(records, place).and_then(|name| records.answer(&name, record_type));
        answer.is_some_and(|answer| answer.is_ok_and(|answer| !answer.is_void()))
    };
    match &directive.mechanism {
        Mechanism::All => Families { ip4: true, ip6: true },
        Mechanism::Ip4(net) => Families { ip4: net.prefix_len() == 0, ..none },
        Mechanism::Ip6(net) => Families { ip6: net.prefix_len() == 0, ..none },
        Mechanism::A(host) => Families {
            ip4: host.ip4_prefix_len.bits() == 0 && has_address(RecordType::A),
            ip6: host.ip6_prefix_len.bits() == 0 && has_address(RecordType::Aaaa),
        },
        Mechanism::Exists(_) => {
            let all = has_address(RecordType::A);
            Families { ip4: all, ip6: all }
        }
        Mechanism::Include(_) | Mechanism::Mx(_) | Mechanism::Ptr(_) => none,
    }
}

/// Whether a term asks for what is not there (RFC 7208 §4.6.4), as far as the answers tell.
fn is_void(records: &Records<'_>, term: Term<'_>, place: Place) -> Families<bool> {
    let void = |name: &Name, record_type| {
        records.answer(name, record_type).is_some_and(|answer| answer.is_ok_and(AnyAnswer::is_void))
    };
    let Some(asked) = target_of(records, place) else { return Families::default() };
    let asked = &*asked;
    let both = |is_void| Families { ip4: is_void, ip6: is_void };
    let Term::Directive(directive) = term else { return both(void(asked, RecordType::Txt)) };
    match &directive.mechanism {
        Mechanism::A(_) => Families { ip4: void(asked, RecordType::A), ip6: void(asked, RecordType::Aaaa) },
        Mechanism::Exists(_) => both(void(asked, RecordType::A)),
        Mechanism::Include(_) => both(void(asked, RecordType::Txt)),
        Mechanism::Mx(_) => {
            let Some(Ok(AnyAnswer::Mx(answer))) = records.answer(asked, RecordType::Mx) else { return both(false) };
            // RFC 7505: the null MX is no host.
            let hosts = || answer.records().iter().filter(|mx| mx.exchange.label_count() > 0);
            let any = |record_type| answer.is_void() || hosts().any(|mx| void(&mx.exchange, record_type));
            Families { ip4: any(RecordType::A), ip6: any(RecordType::Aaaa) }
        }
        Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) | Mechanism::Ptr(_) => both(false),
    }
}
