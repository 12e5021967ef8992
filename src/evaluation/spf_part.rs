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

/// HELO and MAIL FROM, as far as they are known and have been checked.
#[derive(Clone, Debug)]
pub(crate) struct SpfPart<'p> {
    policy: &'p Policy,
    session: Session,
    /// Of the session, or of the header's Return-Path; empty for the null one.
    reverse_path: Option<Text>,
    /// Whether a header may still tell the reverse-path.
    is_awaited: bool,
    reports: SpfReports,
}

impl<'p> SpfPart<'p> {
    pub(crate) fn new(policy: &'p Policy, session: Session) -> Self {
        let reverse_path = match &session.mail_from {
            MailFrom::FromReturnPath => None,
            MailFrom::Null => Some(Text::default()),
            MailFrom::Address(address) => Some(address.clone()),
        };
        let is_awaited = session.mail_from == MailFrom::FromReturnPath;
        Self { policy, session, reverse_path, is_awaited, reports: SpfReports::default() }
    }

    pub(super) fn header(&mut self, header: &Header<'_>) {
        if self.is_awaited {
            self.reverse_path = return_path(header).map(|path| Text::from(&*path));
            self.is_awaited = false;
        }
    }

    pub(super) fn received_at(&self) -> UnixTime {
        self.session.received_at
    }

    fn identities(&self) -> Identities<'_> {
        Identities::of(&self.session, self.reverse_path.as_ref())
    }

    /// Checks what has not been checked.
    pub(super) fn check(&mut self, log: &mut Log, at_hand: AtHand<'_>) {
        let Self { policy, session, reverse_path, reports: SpfReports { helo, mail_from }, .. } = self;
        let identities = Identities::of(session, reverse_path.as_ref());
        let mut check = |part, share, arguments: &Option<_>, report: &mut Option<_>| {
            if let (Some(arguments), None) = (arguments, &report) {
                let known = &mut Known::new(log, at_hand, part, share);
                *report = spf::check(known, &policy.spf, arguments, &mut ()).ok();
            }
        };
        check(Part::Helo, policy.budget.helo, &identities.helo, helo);
        check(Part::MailFrom, policy.budget.mail_from, &identities.mail_from, mail_from);
        if let (Some(""), Some(helo), None) = (reverse_path.as_deref(), &helo, &mail_from) {
            *mail_from = Some(helo.as_mail_from());
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
        let mut check = |part, share, arguments: &Option<_>, observer| {
            if let Some(arguments) = arguments {
                // What is not known yet ends it here as well.
                let _ = spf::check(&mut Known::new(log, &|_| None, part, share), &policy.spf, arguments, observer);
            }
        };
        check(Part::Helo, policy.budget.helo, &identities.helo, &mut observers.helo);
        check(Part::MailFrom, policy.budget.mail_from, &identities.mail_from, &mut observers.mail_from);
    }
}
