//! Questions asked before it is their turn, so that their answers arrive side by side.

use super::{
    expand::{Target, Values},
    limits::{Budget, Limits},
    matched::Path,
    mechanism, publication,
    record::{Directive, Mechanism, Record},
    {DomainSpec, MacroLetter, Sources},
};
use crate::{
    dns::{Answer, Lookup, Mx, Resolver},
    name::Name,
};
use std::{
    future::{Future, poll_fn},
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
};

/// The [`publication::size`] of records that are looked through before it is their turn.
const MAX_SIZE: usize = 8192;

/// Asks ahead while an evaluation waits: for what the terms will ask that are still to come in the records that are open, and for
/// what follows from the answers.
///
/// Only the answers count, which the resolver remembers: the evaluation goes its way from term to term, asks each question when its
/// turn comes, and finds it answered. So no result, no count and no order depends on what was asked ahead, and nothing is asked
/// ahead until an answer has to be waited for. All of it is dropped with the evaluation.
pub(super) struct Ahead<'a, R> {
    sources: &'a Sources<'a, R>,
    values: &'a Values<'a>,
    /// Each term that is looked at counts, also one that comes to no question: no more than may be evaluated.
    budget: Budget,
    /// Whose records were looked through, each once.
    seen: Vec<Name>,
    asked: Vec<Question>,
    waiting: Vec<Pin<Box<dyn Future<Output = Found> + Send + 'a>>>,
}

/// A question, and so what its answer is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Question {
    Record(Name),
    Addresses(Name),
    /// The A records alone, whatever the client's address.
    Exists(Name),
    Hosts(Name),
    ClientNames,
}

/// What leads to more questions.
enum Found {
    Record(Name, Lookup<Box<[u8]>>),
    Hosts(Lookup<Mx>),
    ClientNames(Lookup<Name>),
    Nothing,
}

impl<'a, R: Resolver> Ahead<'a, R> {
    pub(super) fn new(sources: &'a Sources<'a, R>, values: &'a Values<'a>, limits: Limits) -> Self {
        let budget = Budget::new(limits);
        Self { sources, values, budget, seen: Vec::new(), asked: Vec::new(), waiting: Vec::new() }
    }

    /// Waits for a step of the evaluation, which was polled once, and meanwhile for the answers to what comes after it on `path`.
    pub(super) async fn beside<F: Future>(&mut self, path: &Path, mut step: Pin<&mut F>) -> F::Output {
        // The innermost record is the one that goes on first.
        for at in path.path().rev() {
            self.look_through(&at.record, at.place, &at.domain);
        }
        poll_fn(|cx| {
            self.poll(cx);
            loop {
                if let Poll::Ready(output) = step.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                // An answer that the step has just waited for may lead to others.
                if !self.poll(cx) {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Waits for what is asked when all terms are done, and meanwhile for the answers that are open, for it may want one of them.
    /// They lead to nothing more.
    pub(super) async fn until<F: Future + Unpin>(&mut self, mut last: F) -> F::Output {
        poll_fn(|cx| {
            self.waiting.retain_mut(|question| question.as_mut().poll(cx).is_pending());
            Pin::new(&mut last).poll(cx)
        })
        .await
    }

    /// Whether anything was found.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        let mut index = 0;
        // What is found adds to the end, and so is polled as well.
        while let Some(question) = self.waiting.get_mut(index) {
            match question.as_mut().poll(cx) {
                Poll::Pending => index += 1,
                Poll::Ready(found) => {
                    drop(self.waiting.swap_remove(index));
                    self.follow(found);
                    any = true;
                }
            }
        }
        any
    }

    fn follow(&mut self, found: Found) {
        match found {
            Found::Record(domain, Ok(Answer::Records(texts))) => {
                // Hardly anybody has a larger one, and it is read twice: here, and when its turn comes.
                if publication::size(&texts) <= MAX_SIZE
                    && let Ok(record) = publication::recall(&self.sources.memory.records, &texts)
                {
                    self.look_through(&record, 0, &domain);
                }
            }
            Found::Hosts(Ok(answer)) => {
                let hosts = answer.records();
                // RFC 7208 §4.6.4: with more than that none of them is asked.
                if self.budget.allow_mx_hosts(hosts.len()).is_ok() {
                    let hosts = hosts.iter().filter(|mx| mx.exchange.label_count() > 0);
                    hosts.for_each(|mx| self.ask(Question::Addresses(mx.exchange.clone())));
                }
            }
            Found::ClientNames(Ok(answer)) => {
                let names = answer.records().iter().take(self.budget.ptr_names());
                names.for_each(|name| self.ask(Question::Addresses(name.clone())));
            }
            Found::Record(_, Ok(Answer::NoData | Answer::NxDomain) | Err(_))
            | Found::Hosts(Err(_))
            | Found::ClientNames(Err(_))
            | Found::Nothing => {}
        }
    }

    /// Asks what the terms of a record will ask, from the directive at `place` on, as far as the record can be expected to be evaluated.
    fn look_through(&mut self, record: &Record, place: usize, domain: &Name) {
        if self.seen.contains(domain) {
            return;
        }
        self.seen.push(domain.clone());
        for directive in record.directives.get(place..).unwrap_or_default() {
            match mechanism::at_hand(&directive.mechanism, self.values.ip) {
                Some(true) => return,
                Some(false) => {}
                None if self.budget.consume_lookup().is_err() => return,
                None => self.ask_directive(directive, domain),
            }
        }
        if let Some(spec) = record.effective_redirect().filter(|_| self.budget.consume_lookup().is_ok()) {
            self.ask_term(Some(spec), domain, Question::Record);
        }
    }

    fn ask_directive(&mut self, directive: &Directive, domain: &Name) {
        match &directive.mechanism {
            Mechanism::Include(spec) => self.ask_term(Some(spec), domain, Question::Record),
            Mechanism::A(host) => self.ask_term(host.domain.as_ref(), domain, Question::Addresses),
            Mechanism::Mx(host) => self.ask_term(host.domain.as_ref(), domain, Question::Hosts),
            Mechanism::Exists(spec) => self.ask_term(Some(spec), domain, Question::Exists),
            Mechanism::Ptr(spec) => self.ask_term(spec.as_ref(), domain, |_| Question::ClientNames),
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => {}
        }
    }

    fn ask_term(&mut self, spec: Option<&DomainSpec>, domain: &Name, question: impl Fn(Name) -> Question) {
        let target = match spec {
            None => Some(domain.clone()),
            Some(spec) => match spec.literal() {
                Some(target) => Some(target.clone()),
                // What it stands for is known when the client's names are.
                None if spec.macro_string().uses(MacroLetter::ValidatedDomain) => {
                    return self.ask(Question::ClientNames);
                }
                None => self.expanded(spec, domain),
            },
        };
        if let Some(target) = target {
            self.ask(question(target));
        }
    }

    fn expanded(&mut self, spec: &DomainSpec, domain: &Name) -> Option<Name> {
        self.budget.consume_expansion(self.values.octets(spec.macro_string())).ok()?;
        match self.values.target(spec, domain, "") {
            Target::Name(name) => Some(name),
            Target::Malformed(..) | Target::NonAsciiLocalPart => None,
        }
    }

    fn ask(&mut self, question: Question) {
        if self.asked.contains(&question) {
            return;
        }
        self.asked.push(question.clone());
        let (resolver, ip) = (self.sources.ahead, self.values.ip);
        self.waiting.push(Box::pin(async move {
            match question {
                Question::Record(name) => {
                    let answer = resolver.txt(&name).await;
                    Found::Record(name, answer)
                }
                Question::Hosts(name) => Found::Hosts(resolver.mx(&name).await),
                Question::ClientNames => Found::ClientNames(resolver.ptr(ip).await),
                Question::Exists(name) => {
                    let _ = resolver.a(&name).await;
                    Found::Nothing
                }
                Question::Addresses(name) => {
                    match ip {
                        IpAddr::V4(_) => drop(resolver.a(&name).await),
                        IpAddr::V6(_) => drop(resolver.aaaa(&name).await),
                    }
                    Found::Nothing
                }
            }
        }));
    }
}
