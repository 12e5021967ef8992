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
};
use check_host::CheckHost;
use expand::Values;
use identity::Sender;
pub(crate) use publication::RecordMemory;
use std::{borrow::Cow, pin::pin};

/// What `%{h}` and `%{r}` stand for where they are not known (RFC 7208 §7.3 for `%{r}`).
const UNKNOWN: &str = "unknown";

/// Where an evaluation gets what it needs to know.
#[derive(Debug)]
pub(crate) struct Sources<'a, R> {
    pub(crate) resolver: &'a R,
    /// Asked for what is not yet sure to be needed; `resolver` has the same answers then.
    pub(crate) ahead: &'a R,
    pub(crate) memory: &'a RecordMemory,
}

/// Evaluates both identities side by side. `header` offers its Return-Path where the session does not know the reverse-path.
pub(crate) async fn check<R: Reading, O: Observe>(
    sources: &Sources<'_, R>,
    limits: &Limits,
    session: &Session,
    header: Option<&Header<'_>>,
    observers: &mut Observers<O>,
) -> SpfReports {
    let helo = session.helo.as_deref().map(Sender::postmaster);
    let reverse_path = match &session.mail_from {
        MailFrom::FromReturnPath => header.and_then(identity::return_path),
        MailFrom::Null => Some(Cow::Borrowed("")),
        MailFrom::Address(address) => Some(Cow::Borrowed(&**address)),
    };
    // RFC 7208 §2.4: the null reverse-path is postmaster@<helo>, which is the very check of the HELO identity.
    let is_null = reverse_path.as_deref().is_some_and(str::is_empty);
    let mail_from = reverse_path.as_deref().filter(|path| !path.is_empty()).map(Sender::of_mail_from);
    let Observers { helo: helo_observer, mail_from: mail_from_observer } = observers;
    // Each writes its report where it is to stand: handed on from future to future, it would be copied each time.
    let mut reports = SpfReports { helo: None, mail_from: None };
    {
        let SpfReports { helo: helo_report, mail_from: mail_from_report } = &mut reports;
        let by_helo = pin!(check_identity(sources, limits, session, Identity::Helo, helo, helo_observer, helo_report));
        let (identity, observer) = (Identity::MailFrom, mail_from_observer);
        let by_mail_from =
            pin!(check_identity(sources, limits, session, identity, mail_from, observer, mail_from_report));
        join(by_helo, by_mail_from).await;
    }
    if let Some(helo) = reports.helo.as_ref().filter(|_| is_null) {
        reports.mail_from = Some(SpfReport { identity: Identity::MailFrom, ..helo.clone() });
    }
    reports
}

async fn check_identity<R: Reading, O: Observe>(
    sources: &Sources<'_, R>,
    limits: &Limits,
    session: &Session,
    identity: Identity,
    sender: Option<Sender<'_>>,
    observer: &mut O,
    report: &mut Option<SpfReport>,
) {
    let (Some(sender), Some(ip)) = (sender, session.peer_ip) else { return };
    // RFC 7208 §5: IPv4-mapped IPv6 addresses are IPv4 clients.
    let ip = ip.to_canonical();
    let domain = match sender.domain() {
        Err(reason) => {
            let result = SpfResult::None(reason);
            let (domain, sender) = (sender.domain.into(), sender.with_domain(sender.domain));
            *report = Some(SpfReport { identity, ip, domain, sender, result, dns_lookups: 0, void_lookups: 0 });
            return;
        }
        Ok(domain) => domain,
    };
    let whole_sender = sender.with_domain(domain.as_str());
    let helo = helo_of(session);
    let values = Values {
        ip,
        sender: &whole_sender,
        local_part: sender.local_part,
        sender_domain: &domain,
        helo: &helo,
        receiver: session.receiver.as_deref().unwrap_or(UNKNOWN),
        now: session.received_at.0,
    };
    let mut check = CheckHost::new(sources, &values, *limits, observer);
    let result = check.evaluate(&domain).await;
    let Spent { lookups, void_lookups } = check.spent();
    let (domain, sender) = (domain.into_text(), whole_sender);
    *report = Some(SpfReport { identity, ip, domain, sender, result, dns_lookups: lookups, void_lookups });
}

/// What `%{h}` stands for: the argument of HELO as it was given, but for U-labels, which become A-labels (RFC 8616 §4).
fn helo_of(session: &Session) -> Cow<'_, str> {
    let helo = session.helo.as_deref().unwrap_or(UNKNOWN);
    if helo.is_ascii() {
        return Cow::Borrowed(helo);
    }
    Domain::parse(helo).map_or(Cow::Borrowed(helo), |domain| Cow::Owned(domain.as_str().to_owned()))
}
