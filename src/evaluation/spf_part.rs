//! SPF for both identities of a session.

use crate::{
    known::{Ahead, AtHand, Known, Log, Part},
    message::{Header, return_path},
    name::Domain,
    policy::Policy,
    session::{MailFrom, Session},
    spf::{self, Identities, SpfReports},
    text::Text,
    time::UnixTime,
};
use std::borrow::Cow;

/// HELO and MAIL FROM, as far as they are known and have been checked.
#[derive(Clone, Debug)]
pub(crate) struct SpfPart<'p> {
    policy: &'p Policy,
    session: Cow<'p, Session>,
    /// Of the header, where the session leaves the reverse-path to it; empty for the null one.
    return_path: Option<Text>,
    /// Whether a header may still tell the reverse-path.
    is_awaited: bool,
    reports: SpfReports,
}

impl<'p> SpfPart<'p> {
    pub(crate) fn new(policy: &'p Policy, session: Cow<'p, Session>) -> Self {
        let is_awaited = session.mail_from == MailFrom::FromReturnPath;
        Self { policy, session, return_path: None, is_awaited, reports: SpfReports::default() }
    }

    pub(super) fn header(&mut self, header: &Header<'_>) {
        if self.is_awaited {
            self.return_path = return_path(header).map(|path| Text::from(&*path));
            self.is_awaited = false;
        }
    }

    pub(super) fn received_at(&self) -> UnixTime {
        self.session.received_at
    }

    fn identities(&self) -> Identities<'_> {
        let reverse_path = match &self.session.mail_from {
            MailFrom::FromReturnPath => self.return_path.as_ref(),
            MailFrom::Null => None,
            MailFrom::Address(address) => Some(address),
        };
        Identities::of(&self.session, reverse_path)
    }

    /// RFC 7208 §2.4: the null reverse-path is checked as `postmaster@<helo>`.
    fn has_null_path(&self) -> bool {
        let is_empty = |path: &Text| path.is_empty();
        self.session.mail_from == MailFrom::Null || self.return_path.as_ref().is_some_and(is_empty)
    }

    /// Checks what has not been checked.
    pub(super) fn check(&mut self, log: &mut Log, at_hand: AtHand<'_>) {
        let Policy { spf, budget, .. } = self.policy;
        let identities = self.identities();
        let check = |log: &mut Log, part, share, arguments: Option<_>, report: &Option<_>| match (arguments, report) {
            (Some(arguments), None) => {
                spf::check(&mut Known::new(log, at_hand, part, share), spf, arguments, &mut ()).ok()
            }
            (_, _) => None,
        };
        let helo = check(log, Part::Helo, budget.helo, identities.helo, &self.reports.helo);
        let mail_from = check(log, Part::MailFrom, budget.mail_from, identities.mail_from, &self.reports.mail_from);
        let has_null_path = self.has_null_path();
        let reports = &mut self.reports;
        reports.helo = reports.helo.take().or(helo);
        reports.mail_from = reports.mail_from.take().or(mail_from);
        if let (true, Some(helo), None) = (has_null_path, &reports.helo, &reports.mail_from) {
            reports.mail_from = Some(helo.as_mail_from());
        }
    }

    /// SPF alone, where no message is to come.
    pub(crate) fn run_alone(&mut self, log: &mut Log, at_hand: AtHand<'_>) -> Option<SpfReports> {
        self.check(log, at_hand);
        if self.is_checked() {
            return Some(std::mem::take(&mut self.reports));
        }
        self.ask_ahead(log, at_hand);
        None
    }

    /// Whether the identities that are known so far have been checked.
    fn is_checked(&self) -> bool {
        let (identities, reports) = (self.identities(), &self.reports);
        (identities.helo.is_none() || reports.helo.is_some())
            && (identities.mail_from.is_none() || reports.mail_from.is_some())
    }

    /// What SPF came to, once that is known.
    pub(super) fn ended(&mut self) -> Option<&mut SpfReports> {
        (!self.is_awaited && self.is_checked()).then_some(&mut self.reports)
    }

    /// The same for those who look on.
    pub(super) fn reports(&self) -> Option<SpfReports> {
        (!self.is_awaited && self.is_checked()).then(|| self.reports.clone())
    }

    /// What the identities that are not checked yet will probably ask as well.
    pub(super) fn ask_ahead(&self, log: &mut Log, at_hand: AtHand<'_>) {
        let ahead = &mut Ahead::new(log, at_hand);
        let (identities, reports) = (self.identities(), &self.reports);
        for (arguments, report) in [(identities.helo, &reports.helo), (identities.mail_from, &reports.mail_from)] {
            if let (Some(arguments), None) = (arguments, report) {
                spf::ask_ahead(ahead, &self.policy.spf, &arguments);
            }
        }
    }

    /// The domain that SPF may authenticate for DMARC.
    pub(super) fn domain(&self) -> Option<Domain> {
        let identities = self.identities();
        identities.mail_from.or(identities.helo)?.domain()
    }

    /// Tells `observers` how SPF came to its results, as far as it has.
    pub(crate) fn explain<O: spf::Observe>(&self, log: &mut Log, observers: &mut spf::Observers<O>) {
        let Self { policy, .. } = self;
        let identities = self.identities();
        let mut check = |part, share, arguments: Option<_>, observer| {
            if let Some(arguments) = arguments {
                // What is not known yet ends it here as well.
                let _ = spf::check(&mut Known::new(log, &|_| None, part, share), &policy.spf, arguments, observer);
            }
        };
        check(Part::Helo, policy.budget.helo, identities.helo, &mut observers.helo);
        check(Part::MailFrom, policy.budget.mail_from, identities.mail_from, &mut observers.mail_from);
    }
}
