//! What is to be checked of a session.

use super::{
    identity::{self, Identity, Sender},
    limits::Spent,
    observe::Observe,
    precedent::Memory,
    result::{SpfReport, SpfReports, SpfResult},
};
use crate::{
    dns::inquiry::Grounds,
    message::Header,
    session::{MailFrom, Session},
    text::Text,
};
use std::{borrow::Cow, net::IpAddr, sync::Arc};

/// The reverse-path, from the session or, where it does not know it, from the message's Return-Path.
#[derive(Debug)]
pub(crate) struct ReversePath<'a> {
    path: Option<Cow<'a, str>>,
    /// The same, where it can be shared.
    address: Option<&'a Text>,
}

/// The identities that are to be checked.
#[derive(Debug, Default)]
pub(crate) struct Subjects<'a> {
    pub(super) helo: Option<Subject<'a>>,
    /// None for the null reverse-path, which is postmaster@<helo>: the very check of the HELO identity (RFC 7208 §2.4).
    pub(super) mail_from: Option<Subject<'a>>,
    pub(super) reverse_path_is_null: bool,
}

/// An identity that is to be checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) identity: Identity,
    pub(super) ip: IpAddr,
    pub(super) sender: Sender<'a>,
    /// What `sender` was read from, where it can be shared.
    pub(super) address: Option<&'a Text>,
}

impl<'a> ReversePath<'a> {
    #[inline]
    pub(crate) fn of(session: &'a Session, header: Option<&'a Header<'_>>) -> Self {
        match &session.mail_from {
            MailFrom::FromReturnPath => Self { path: header.and_then(identity::return_path), address: None },
            MailFrom::Null => Self { path: Some(Cow::Borrowed("")), address: None },
            MailFrom::Address(address) => Self { path: Some(Cow::Borrowed(address)), address: Some(address) },
        }
    }
}

impl<'a> Subjects<'a> {
    #[inline]
    pub(crate) fn of(session: &'a Session, reverse_path: &'a ReversePath<'_>) -> Self {
        // RFC 7208 §5: IPv4-mapped IPv6 addresses are IPv4 clients.
        let Some(ip) = session.peer_ip.map(|ip| ip.to_canonical()) else { return Self::default() };
        let ReversePath { path, address } = reverse_path;
        let helo = session.helo.as_deref().map(Sender::postmaster);
        let mail_from = path.as_deref().filter(|path| !path.is_empty()).map(Sender::of_mail_from);
        Self {
            helo: helo.map(|sender| Subject { identity: Identity::Helo, ip, sender, address: None }),
            mail_from: mail_from.map(|sender| Subject { identity: Identity::MailFrom, ip, sender, address: *address }),
            reverse_path_is_null: path.as_deref().is_some_and(str::is_empty),
        }
    }

    /// Reports what was evaluated before, as far as `confirms` confirms all that it rests on. Who listens wants each step.
    #[inline]
    pub(crate) fn recall<O: Observe>(
        &self,
        memory: &Memory,
        mut confirms: impl FnMut(Arc<Grounds>) -> bool,
        reports: &mut SpfReports,
    ) {
        if O::LISTENS {
            return;
        }
        if let Some(subject) = &self.helo {
            subject.recall(memory, &mut confirms, &mut reports.helo);
        }
        // HELO draws on the budget before MAIL FROM, whichever of them is remembered.
        if let Some(subject) = self.mail_from.as_ref().filter(|_| self.helo.is_none() || reports.helo.is_some()) {
            subject.recall(memory, &mut confirms, &mut reports.mail_from);
        }
    }
}

impl Subject<'_> {
    /// Writes the report, where the same was evaluated before and `confirms` confirms what it rests on.
    #[inline]
    pub(super) fn recall(
        &self,
        memory: &Memory,
        confirms: impl FnOnce(Arc<Grounds>) -> bool,
        report: &mut Option<SpfReport>,
    ) {
        let Self { ip, sender, address, .. } = self;
        // A domain that is written otherwise than as a name is in lower case is not found, and evaluated.
        let grounds = memory.find(*ip, sender.domain, |known| {
            let whole_sender = sender.with_domain(sender.domain, address.or(Some(&known.postmaster)));
            *report = Some(self.report(whole_sender, sender.domain.len(), known.result.clone(), known.spent));
            Arc::clone(&known.grounds)
        });
        // Written before it is confirmed, as it is copied once then.
        if !grounds.is_some_and(confirms) {
            *report = None;
        }
    }

    #[inline]
    pub(super) fn report(&self, sender: Text, domain_len: usize, result: SpfResult, spent: Spent) -> SpfReport {
        let Spent { lookups: dns_lookups, void_lookups } = spent;
        SpfReport { identity: self.identity, ip: self.ip, sender, domain_len, result, dns_lookups, void_lookups }
    }
}
