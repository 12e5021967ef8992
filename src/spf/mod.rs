//! Sender Policy Framework, RFC 7208.

mod ahead;
mod check_host;
mod expand;
mod identity;
mod limits;
mod macro_string;
mod matched;
mod mechanism;
mod observe;
mod parse;
mod precedent;
mod publication;
mod record;
mod result;
mod term;
mod tree;

pub use identity::Identity;
pub use limits::{Limit, Limits, Spent};
pub use macro_string::{Delimiters, DomainSpec, Macro, MacroLetter, MacroPart, MacroString};
pub use matched::{DirectiveAt, Matched};
pub use observe::{Observe, Observers, Tried};
pub use record::{Directive, HostSpec, Mechanism, PrefixLen, Qualifier, Record, UnknownModifier};
pub use result::{Explanation, NeutralReason, NoneReason, PermError, SpfReport, SpfReports, SpfResult, TempError};
pub use tree::{Step, Tree, Visit};

use crate::{
    dns::inquiry::Reading,
    join::join,
    message::Header,
    name::Domain,
    session::{MailFrom, Session},
    text::Text,
};
use check_host::CheckHost;
use expand::Values;
use identity::Sender;
use precedent::Conclusion;
pub(crate) use precedent::Memory;
use std::{
    borrow::Cow,
    net::IpAddr,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
};

/// What `%{h}` and `%{r}` stand for where they are not known (RFC 7208 §7.3 for `%{r}`).
const UNKNOWN: &str = "unknown";

/// Where an evaluation gets what it needs to know.
#[derive(Debug)]
pub(crate) struct Sources<'a, R> {
    /// Asked for the HELO identity.
    pub(crate) helo: &'a R,
    /// Asked for the MAIL FROM identity.
    pub(crate) mail_from: &'a R,
    /// Asked for what is not yet sure to be needed; the others have the same answers then.
    pub(crate) ahead: &'a R,
    pub(crate) memory: &'a Memory,
}

/// An identity that is to be checked.
#[derive(Clone, Copy, Debug)]
struct Subject<'a> {
    identity: Identity,
    ip: &'a IpAddr,
    sender: Sender<'a>,
    /// What `sender` was read from, where it can be shared.
    address: Option<&'a Text>,
}

/// Evaluates both identities side by side, into `reports`. `header` offers its Return-Path where the session does not know the reverse-path.
pub(crate) async fn check<R: Reading, O: Observe>(
    sources: &Sources<'_, R>,
    limits: &Limits,
    session: &Session,
    header: Option<&Header<'_>>,
    observers: &mut Observers<O>,
    // Each writes its report where it is to stand: handed on from future to future, it would be copied each time.
    reports: &mut SpfReports,
) {
    let Some(ip) = session.peer_ip else { return };
    // RFC 7208 §5: IPv4-mapped IPv6 addresses are IPv4 clients.
    let ip = &ip.to_canonical();
    let (reverse_path, address) = match &session.mail_from {
        MailFrom::FromReturnPath => (header.and_then(identity::return_path), None),
        MailFrom::Null => (Some(Cow::Borrowed("")), None),
        MailFrom::Address(address) => (Some(Cow::Borrowed(&**address)), Some(address)),
    };
    // RFC 7208 §2.4: the null reverse-path is postmaster@<helo>, which is the very check of the HELO identity.
    let is_null = reverse_path.as_deref().is_some_and(str::is_empty);
    let helo = session.helo.as_deref().map(Sender::postmaster);
    let helo = helo.map(|sender| Subject { identity: Identity::Helo, ip, sender, address: None });
    let mail_from = reverse_path.as_deref().filter(|path| !path.is_empty()).map(Sender::of_mail_from);
    let mail_from = mail_from.map(|sender| Subject { identity: Identity::MailFrom, ip, sender, address });
    if !O::LISTENS {
        helo.iter().for_each(|subject| subject.recall(sources.memory, sources.helo, &mut reports.helo));
        // HELO draws on the budget before MAIL FROM, whichever of them is remembered.
        if helo.is_none() || reports.helo.is_some() {
            mail_from
                .iter()
                .for_each(|subject| subject.recall(sources.memory, sources.mail_from, &mut reports.mail_from));
        }
    }
    let (helo, mail_from) =
        (helo.filter(|_| reports.helo.is_none()), mail_from.filter(|_| reports.mail_from.is_none()));
    if helo.is_some() || mail_from.is_some() {
        let SpfReports { helo: helo_report, mail_from: mail_from_report } = reports;
        let Observers { helo: helo_observer, mail_from: mail_from_observer } = observers;
        let by_helo =
            pin!(check_identity(sources, sources.helo, limits, session, helo.as_ref(), helo_observer, helo_report));
        let (resolver, observer, report) = (sources.mail_from, mail_from_observer, mail_from_report);
        let by_mail_from =
            pin!(check_identity(sources, resolver, limits, session, mail_from.as_ref(), observer, report));
        join(by_helo, by_mail_from).await;
    }
    if let Some(helo) = reports.helo.as_ref().filter(|_| is_null) {
        reports.mail_from = Some(SpfReport { identity: Identity::MailFrom, ..helo.clone() });
    }
}

impl Subject<'_> {
    /// The report, where the same was evaluated before and rests on answers that still stand.
    #[inline]
    fn recall<R: Reading>(&self, memory: &Memory, resolver: &R, report: &mut Option<SpfReport>) {
        let Self { ip, sender, address, .. } = self;
        memory.recall(resolver, ip, sender, *address, |Conclusion { result, spent }, whole_sender| {
            *report = Some(self.report(whole_sender, sender.domain.len(), result.clone(), *spent));
        });
    }

    #[inline]
    fn report(&self, sender: Text, domain_len: usize, result: SpfResult, spent: Spent) -> SpfReport {
        let Spent { lookups: dns_lookups, void_lookups } = spent;
        SpfReport { identity: self.identity, ip: *self.ip, sender, domain_len, result, dns_lookups, void_lookups }
    }
}

async fn check_identity<R: Reading, O: Observe>(
    sources: &Sources<'_, R>,
    resolver: &R,
    limits: &Limits,
    session: &Session,
    subject: Option<&Subject<'_>>,
    observer: &mut O,
    report: &mut Option<SpfReport>,
) {
    let Some(subject) = subject else { return };
    if !O::LISTENS && subject.identity == Identity::MailFrom {
        // The other identity is evaluated, and has begun.
        subject.recall(sources.memory, resolver, report);
        if report.is_some() {
            return;
        }
    }
    let Subject { ip, sender, address, .. } = *subject;
    let domain = match sender.domain() {
        Err(reason) => {
            let whole_sender = sender.with_domain(sender.domain, address);
            let result = SpfResult::None(reason);
            *report = Some(subject.report(whole_sender, sender.domain.len(), result, Spent::default()));
            return;
        }
        Ok(domain) => domain,
    };
    let whole_sender = sender.with_domain(domain.as_str(), address);
    let helo = helo_of(session);
    let particular = AtomicBool::new(false);
    let values = Values {
        ip: *ip,
        sender: &whole_sender,
        local_part: sender.local_part,
        sender_domain: &domain,
        helo: &helo,
        receiver: session.receiver.as_deref().unwrap_or(UNKNOWN),
        now: session.received_at.0,
        particular: &particular,
    };
    let mut check = CheckHost::new(sources, resolver, &values, *limits, observer);
    let result = check.evaluate(&domain).await;
    let spent = check.spent();
    if !O::LISTENS && !particular.load(Ordering::Relaxed) {
        sources.memory.keep(resolver, *ip, &domain, &result, spent);
    }
    *report = Some(subject.report(whole_sender, domain.as_str().len(), result, spent));
}

/// What `%{h}` stands for: the argument of HELO as it was given, but for U-labels, which become A-labels (RFC 8616 §4).
fn helo_of(session: &Session) -> Cow<'_, str> {
    let helo = session.helo.as_deref().unwrap_or(UNKNOWN);
    if helo.is_ascii() {
        return Cow::Borrowed(helo);
    }
    Domain::parse(helo).map_or(Cow::Borrowed(helo), |domain| Cow::Owned(domain.as_str().to_owned()))
}
