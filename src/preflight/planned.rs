//! A resolver that answers as the DNS would if all were as planned.

use super::{plan::Plan, way};
use crate::{
    dns::{AnyLookup, Lookup, LookupError, Mx, Question, Resolver},
    known::Log,
    name::Name,
};
use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// Answers about hosts that are planned, what was answered before, and another resolver.
#[derive(Debug)]
pub(super) struct Planned<'p, R> {
    pub(super) plan: &'p Plan,
    pub(super) before: &'p Log,
    pub(super) resolver: &'p R,
}

impl<R: Resolver> Resolver for Planned<'_, R> {
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
        self.resolver.txt(name)
    }
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
        self.resolver.a(name)
    }
    fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
        self.resolver.aaaa(name)
    }
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
        self.resolver.mx(name)
    }
    fn ptr(&self, ip: IpAddr) -> impl Future<Output = Lookup<Name>> + Send {
        self.resolver.ptr(ip)
    }
    fn within<F: Future + Send>(&self, limit: Duration, question: F) -> impl Future<Output = Option<F::Output>> + Send
    where
        F::Output: Send,
    {
        self.resolver.within(limit, question)
    }

    /// All that is planned is at hand, and so nobody else is asked for it.
    fn at_hand(&self, question: &Question) -> Option<AnyLookup> {
        if let Some(answer) = way::answer(self.plan, question) {
            return Some(Ok(answer));
        }
        let before = self.before.entry(&question.name, question.record_type).and_then(|entry| entry.answer());
        match before {
            // Time was short then, and that says nothing of now.
            Some(Err(LookupError::OutOfTime)) | None => self.resolver.at_hand(question),
            Some(answer) => Some(answer.clone()),
        }
    }
}
