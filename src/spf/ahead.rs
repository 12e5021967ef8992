//! What the terms of an evaluation that are still to come will ask, asked before it is their turn.

use super::{
    DomainSpec, MacroLetter,
    arguments::Arguments,
    expand::{Target, Values},
    limits::{Budget, Limits},
    mechanism, publication,
    record::{Directive, HostSpec, Mechanism, Record},
};
use crate::{
    dns::{Answer, Mx, reverse_name},
    known::Ahead,
    name::Name,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The [`publication::Found::size`] of records that are looked through before it is their turn.
const MAX_SIZE: usize = 8192;

/// Asks what the check of an identity will probably ask.
pub(crate) fn ask_ahead(ahead: &mut Ahead<'_>, limits: &Limits, arguments: &Arguments<'_>) {
    if let Ok(resolved) = arguments.resolve() {
        Walk::new(ahead, &resolved.values(), *limits).record(resolved.domain.as_name());
    }
}

/// A walk over the records of an evaluation, as far as they are known, that decides nothing: it writes down what their terms will ask,
/// in the order of evaluation.
///
/// Each record is looked at once, and a walk costs no more than an evaluation does.
struct Walk<'a, 'k> {
    ahead: &'a mut Ahead<'k>,
    values: &'a Values<'a>,
    /// Each term that is looked at counts, also one that comes to no question: no more than may be evaluated.
    budget: Budget,
    entered: Vec<Name>,
}

impl<'a, 'k> Walk<'a, 'k> {
    fn new(ahead: &'a mut Ahead<'k>, values: &'a Values<'a>, limits: Limits) -> Self {
        Self { ahead, values, budget: Budget::new(limits), entered: Vec::new() }
    }

    /// The record of a domain and all that it includes. Each step down costs a term, and so does not go deep.
    fn record(&mut self, domain: &Name) {
        if self.entered.contains(domain) {
            return;
        }
        self.entered.push(domain.clone());
        let Some(Answer::Records(texts)) = self.ahead.ask(domain) else { return };
        // Hardly anybody has a larger one, and each step of the evaluation comes with another walk over it.
        let Some(Ok(record)) = publication::find(texts, MAX_SIZE).record else { return };
        self.terms(&record, domain);
    }

    fn terms(&mut self, record: &Record, domain: &Name) {
        for directive in &record.directives {
            match mechanism::at_hand(&directive.mechanism, self.values.ip) {
                Some(true) => return,
                Some(false) => {}
                None if self.budget.consume_lookup().is_err() => return,
                None => self.directive(directive, domain),
            }
        }
        if let Some(redirect) = record.effective_redirect().filter(|_| self.budget.consume_lookup().is_ok())
            && let Some(target) = self.target(Some(&redirect.domain), domain)
        {
            self.record(&target);
        }
    }

    fn directive(&mut self, directive: &Directive, domain: &Name) {
        match &directive.mechanism {
            Mechanism::Include(spec) => {
                if let Some(target) = self.target(Some(spec), domain) {
                    self.record(&target);
                }
            }
            Mechanism::A(HostSpec { domain: spec, .. }) => {
                if let Some(target) = self.target(spec.as_ref(), domain) {
                    self.addresses(&target);
                }
            }
            Mechanism::Mx(HostSpec { domain: spec, .. }) => {
                if let Some(target) = self.target(spec.as_ref(), domain) {
                    self.hosts(&target);
                }
            }
            Mechanism::Exists(spec) => {
                if let Some(target) = self.target(Some(spec), domain) {
                    self.ahead.ask::<Ipv4Addr>(&target);
                }
            }
            Mechanism::Ptr(spec) => {
                if self.target(spec.as_ref(), domain).is_some() {
                    self.client_names();
                }
            }
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => {}
        }
    }

    /// The target name of a term; `None` where it is none, or stands for what is not known yet.
    fn target(&mut self, spec: Option<&DomainSpec>, domain: &Name) -> Option<Name> {
        let Some(spec) = spec else { return Some(domain.clone()) };
        if let Some(literal) = spec.literal() {
            return Some(literal.clone());
        }
        if spec.macro_string().uses(MacroLetter::ValidatedDomain) {
            // What it stands for is known when the client's names are.
            self.client_names();
            return None;
        }
        self.budget.consume_expansion(self.values.octets(spec.macro_string())).ok()?;
        match self.values.target(spec, domain, "") {
            Target::Name(name) => Some(name),
            Target::Malformed(..) | Target::NonAsciiLocalPart => None,
        }
    }

    fn addresses(&mut self, name: &Name) {
        match self.values.ip {
            IpAddr::V4(_) => drop(self.ahead.ask::<Ipv4Addr>(name)),
            IpAddr::V6(_) => drop(self.ahead.ask::<Ipv6Addr>(name)),
        }
    }

    fn hosts(&mut self, name: &Name) {
        let Some(Answer::Records(hosts)) = self.ahead.ask::<Mx>(name).cloned() else { return };
        // RFC 7208 §4.6.4: with more than that none of them is asked.
        if self.budget.allow_mx_hosts(hosts.len()).is_ok() {
            let hosts = hosts.iter().filter(|mx| mx.exchange.label_count() > 0);
            hosts.for_each(|mx| self.addresses(&mx.exchange));
        }
    }

    fn client_names(&mut self) {
        let name = reverse_name(self.values.ip);
        let Some(Answer::Records(names)) = self.ahead.ask::<Name>(&name).cloned() else { return };
        names.iter().take(self.budget.ptr_names()).for_each(|name| self.addresses(name));
    }
}
