//! What is to be checked of a session.

use super::{
    identity::{self, Identity, Sender},
    limits::Spent,
    observe::Observe,
    precedent::{Memory, Precedent},
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

    /// HELO and MAIL FROM, as far as they are to be evaluated yet.
    #[inline]
    pub(super) fn without_report(&self, reports: &SpfReports) -> [Option<&Subject<'a>>; 2] {
        let (helo, mail_from) = (self.helo.as_ref(), self.mail_from.as_ref());
        [helo.filter(|_| reports.helo.is_none()), mail_from.filter(|_| reports.mail_from.is_none())]
    }

    /// Whether there is nothing more to report.
    #[inline]
    pub(crate) fn are_reported(&self, reports: &SpfReports) -> bool {
        !self.reverse_path_is_null && self.without_report(reports).iter().all(Option::is_none)
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
        report: &mut Option<Arc<SpfReport>>,
    ) {
        // What was evaluated for others within the domain does not hold for a sender that is none.
        if !self.sender.has_valid_local_part() {
            return;
        }
        // A domain that is written otherwise than as a name is in lower case is not found, and evaluated.
        let known = memory.find(self.ip, self.sender.domain, |known| {
            let Precedent { grounds, report } = known;
            (Arc::clone(grounds), Arc::clone(report))
        });
        if let Some((grounds, known)) = known
            && confirms(grounds)
        {
            *report = Some(self.own(known));
        }
    }

    /// The report on this sender, where there is one on a sender of the same client and domain.
    #[inline]
    fn own(&self, known: Arc<SpfReport>) -> Arc<SpfReport> {
        let Self { identity, sender, address, .. } = self;
        if known.identity == *identity && sender.is(&known.sender, sender.domain) {
            return known;
        }
        let whole_sender = sender.with_domain(sender.domain, *address);
        Arc::new(SpfReport { identity: *identity, sender: whole_sender, ..SpfReport::clone(&known) })
    }

    pub(super) fn report(&self, sender: Text, domain_len: usize, result: SpfResult, spent: Spent) -> Arc<SpfReport> {
        let Self { identity, ip, .. } = *self;
        let Spent { lookups: dns_lookups, void_lookups } = spent;
        Arc::new(SpfReport { identity, ip, sender, domain_len, result, dns_lookups, void_lookups })
    }
}
