//! Sender Policy Framework, RFC 7208.
//!
#![doc = include_str!("../../docs/spf.md")]

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
mod subject;
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

use crate::{dns::inquiry::Reading, join::join, name::Domain, session::Session};
use check_host::CheckHost;
use expand::Values;
use identity::MAX_DOMAIN;
pub(crate) use precedent::Memory;
use std::{
    borrow::Cow,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use subject::Subject;
pub(crate) use subject::{ReversePath, Subjects};

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

/// Evaluates both identities side by side, into `reports`, as far as they do not stand there already.
pub(crate) async fn check<R: Reading, O: Observe>(
    sources: &Sources<'_, R>,
    limits: &Limits,
    session: &Session,
    subjects: &Subjects<'_>,
    observers: &mut Observers<O>,
    // Each writes its report where it is to stand: handed on from future to future, it would be copied each time.
    reports: &mut SpfReports,
) {
    let [helo, mail_from] = subjects.without_report(reports);
    if helo.is_some() || mail_from.is_some() {
        let SpfReports { helo: helo_report, mail_from: mail_from_report } = reports;
        let Observers { helo: helo_observer, mail_from: mail_from_observer } = observers;
        let by_helo = pin!(check_identity(sources, sources.helo, limits, session, helo, helo_observer, helo_report));
        let by_mail_from = pin!(async {
            let (resolver, observer, report) = (sources.mail_from, mail_from_observer, mail_from_report);
            if let Some(subject) = mail_from.filter(|_| helo.is_some() && !O::LISTENS) {
                // HELO draws on the budget before it, and has begun.
                subject.recall(sources.memory, |grounds| resolver.confirms_all(grounds), report);
            }
            let subject = mail_from.filter(|_| report.is_none());
            check_identity(sources, resolver, limits, session, subject, observer, report).await;
        });
        join(by_helo, by_mail_from).await;
    }
    if let Some(helo) = reports.helo.as_ref().filter(|_| subjects.reverse_path_is_null) {
        reports.mail_from = Some(Arc::new(SpfReport { identity: Identity::MailFrom, ..SpfReport::clone(helo) }));
    }
}

async fn check_identity<R: Reading, O: Observe>(
    sources: &Sources<'_, R>,
    resolver: &R,
    limits: &Limits,
    session: &Session,
    subject: Option<&Subject<'_>>,
    observer: &mut O,
    report: &mut Option<Arc<SpfReport>>,
) {
    let Some(subject) = subject else { return };
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
        ip,
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
    let evaluated = subject.report(whole_sender, domain.as_str().len(), result, spent);
    if !O::LISTENS && !particular.load(Ordering::Relaxed) {
        sources.memory.keep(resolver, &evaluated);
    }
    *report = Some(evaluated);
}

/// What `%{h}` stands for: the argument of HELO as it was given, but for U-labels, which become A-labels (RFC 8616 §4). What is longer
/// than four times what RFC 5321 §4.5.3.1.2 allows is no name in any writing, and stands for none.
fn helo_of(session: &Session) -> Cow<'_, str> {
    let helo = session.helo.as_deref().filter(|helo| helo.len() <= MAX_DOMAIN).unwrap_or(UNKNOWN);
    if helo.is_ascii() {
        return Cow::Borrowed(helo);
    }
    Domain::parse(helo).map_or(Cow::Borrowed(helo), |domain| Cow::Owned(domain.as_str().to_owned()))
}
