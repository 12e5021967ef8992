//! Which addresses a record lets pass, as far as the answers tell.

use super::range_set::{RangeSet, ip4};
use crate::{
    dns::{AnyAnswer, RecordType},
    finding::{Place, Records, record_target, target},
    name::Name,
    spf::{HostSpec, Mechanism, Qualifier, Term},
};
use std::{borrow::Cow, net::IpAddr};

/// Clients of both families.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    pub(super) ip4: RangeSet,
    pub(super) ip6: RangeSet,
}

/// What the records of a tree let pass.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// For each record of the tree.
    passed: Vec<Option<Clients>>,
    /// What the terms of each record bring that no term before them has decided.
    terms: Vec<Vec<Brought>>,
    /// How many of them there are.
    counted: usize,
}

/// What a term matches that no term of its record before it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brought {
    /// IPv4 addresses.
    pub(super) addresses: u128,
    /// Whether it matches somebody, and all of them are matched before.
    pub(super) is_needless: bool,
}

/// Terms of one record, and of all records, whose addresses are counted.
const MAX_TERMS: usize = 2000;
const MAX_ALL_TERMS: usize = 10_000;

/// Records that are open around each other at most; a check comes no deeper than ten.
const MAX_DEPTH: usize = 64;

impl Clients {
    fn all() -> Self {
        Self { ip4: RangeSet::all(32), ip6: RangeSet::all(128) }
    }

    pub(super) fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self { ip4: RangeSet::network(ip4(ip), 32, 32), ..Self::default() },
            IpAddr::V6(ip) => Self { ip6: RangeSet::network(ip.to_bits(), 128, 128), ..Self::default() },
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ip4.is_empty() && self.ip6.is_empty()
    }

    fn add(&mut self, other: Self) {
        self.ip4.add(other.ip4);
        self.ip6.add(other.ip6);
    }

    fn union(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    fn intersection(&self, other: &Self) -> Self {
        Self { ip4: self.ip4.intersection(&other.ip4), ip6: self.ip6.intersection(&other.ip6) }
    }

    fn remove(&mut self, other: &Self) {
        self.ip4.remove(&other.ip4);
        self.ip6.remove(&other.ip6);
    }

    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.ip4.is_within(&other.ip4) && self.ip6.is_within(&other.ip6)
    }
}

impl Allowed {
    /// Of the record at `node`, and of all that it leads to.
    pub(super) fn of(records: &Records<'_>, node: usize) -> Self {
        let nodes = records.nodes().len();
        let mut allowed = Self { passed: vec![None; nodes], terms: vec![Vec::new(); nodes], counted: 0 };
        let mut open = vec![node];
        // Each record once, those that it leads to first.
        while let Some(node) = open.last().copied() {
            let missing = leads_to(records, node)
                .find(|next| allowed.passed.get(*next).is_some_and(Option::is_none) && !open.contains(next));
            match missing {
                Some(next) if open.len() < MAX_DEPTH => open.push(next),
                _ => {
                    open.pop();
                    let passed = allowed.record(records, node);
                    if let Some(place) = allowed.passed.get_mut(node) {
                        *place = Some(passed);
                    }
                }
            }
        }
        allowed
    }

    /// What a record of the tree lets pass.
    pub(super) fn passed(&self, node: usize) -> Option<&Clients> {
        self.passed.get(node)?.as_ref()
    }

    /// What a term brings.
    pub(super) fn brought_by(&self, place: Place) -> Option<&Brought> {
        self.terms.get(place.node)?.get(place.index)
    }

    fn record(&mut self, records: &Records<'_>, node: usize) -> Clients {
        let mut undecided = Clients::all();
        let mut passed = Clients::default();
        let mut brought = Vec::new();
        let places = (0..).map(|index| Place { node, index });
        for (place, term) in places.map_while(|place| Some((place, records.reached(place)?))).take(MAX_TERMS) {
            if self.counted >= MAX_ALL_TERMS {
                break;
            }
            let all = self.matched(records, place, term);
            let matched = all.intersection(&undecided);
            let is_needless = matched.is_empty() && !all.is_empty();
            self.counted += 1;
            brought.push(Brought { addresses: matched.ip4.count(), is_needless });
            undecided.remove(&matched);
            if qualifier(term) == Qualifier::Pass {
                passed.add(matched);
            }
        }
        if let Some(terms) = self.terms.get_mut(node) {
            *terms = brought;
        }
        passed
    }

    /// The clients that a term matches, or a redirect lets pass.
    pub(super) fn matched(&self, records: &Records<'_>, place: Place, term: Term<'_>) -> Clients {
        let included = || {
            let next = next(records, place, term)?;
            self.passed.get(next)?.clone()
        };
        let Term::Directive(directive) = term else { return included().unwrap_or_default() };
        let none = Clients::default();
        match &directive.mechanism {
            Mechanism::All => Clients::all(),
            Mechanism::Ip4(net) => Clients { ip4: RangeSet::network(ip4(net.addr()), net.prefix_len(), 32), ..none },
            Mechanism::Ip6(net) => {
                Clients { ip6: RangeSet::network(net.addr().to_bits(), net.prefix_len(), 128), ..none }
            }
            Mechanism::Include(_) => included().unwrap_or_default(),
            Mechanism::A(host) => asked(records, place, term).map_or(none, |name| addresses(records, &name, host)),
            Mechanism::Mx(host) => {
                let answer = asked(records, place, term).and_then(|name| records.answer(&name, RecordType::Mx));
                let Some(Ok(AnyAnswer::Mx(hosts))) = answer else { return none };
                let of = |name| addresses(records, name, host);
                hosts.records().iter().map(|mx| of(&mx.exchange)).fold(none, Clients::union)
            }
            // RFC 7208 §5.7: whoever the client is.
            Mechanism::Exists(_) => {
                let answer = asked(records, place, term).and_then(|name| records.answer(&name, RecordType::A));
                let is_there = answer.is_some_and(|answer| answer.is_ok_and(|answer| !answer.is_void()));
                if is_there { Clients::all() } else { none }
            }
            Mechanism::Ptr(_) => none,
        }
    }
}

/// The qualifier of a term; a redirect takes over what its target lets pass.
fn qualifier(term: Term<'_>) -> Qualifier {
    match term {
        Term::Directive(directive) => directive.qualifier,
        Term::Redirect(_) | Term::Exp(_) | Term::UnknownModifier(_) => Qualifier::Pass,
    }
}

fn asked<'r>(records: &'r Records<'_>, place: Place, term: Term<'r>) -> Option<Cow<'r, Name>> {
    target(term, &records.nodes().get(place.node)?.name)
}

/// The record that a term goes on with.
pub(super) fn next(records: &Records<'_>, place: Place, term: Term<'_>) -> Option<usize> {
    record_target(term)?;
    let name = asked(records, place, term)?;
    records.nodes().iter().position(|node| node.name == *name)
}

fn leads_to<'r>(records: &'r Records<'_>, node: usize) -> impl Iterator<Item = usize> + 'r {
    let places = (0..).map(move |index| Place { node, index });
    places
        .map_while(|place| Some((place, records.reached(place)?)))
        .filter_map(|(place, term)| next(records, place, term))
}

fn addresses(records: &Records<'_>, name: &Name, host: &HostSpec) -> Clients {
    let mut clients = Clients::default();
    let (length4, length6) = (host.ip4_prefix_len.bits(), host.ip6_prefix_len.bits());
    if let Some(Ok(AnyAnswer::A(answer))) = records.answer(name, RecordType::A) {
        let nets = answer.records().iter().map(|ip| RangeSet::network(ip4(*ip), length4, 32));
        clients.ip4 = nets.fold(RangeSet::default(), RangeSet::union);
    }
    if let Some(Ok(AnyAnswer::Aaaa(answer))) = records.answer(name, RecordType::Aaaa) {
        let nets = answer.records().iter().map(|ip| RangeSet::network(ip.to_bits(), length6, 128));
        clients.ip6 = nets.fold(RangeSet::default(), RangeSet::union);
    }
    clients
}
