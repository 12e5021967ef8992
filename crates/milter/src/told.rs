//! What is written down of a message.

use crate::{
    client::Client,
    config::Action,
    decision::Decision,
    log::OfMessage,
    mail::{Mail, Outcome},
};
use mailverdict::{Verdict, session::MailFrom};
use std::time::Duration;

/// A message with its decision.
#[derive(Clone, Debug)]
pub struct Told<'t> {
    /// The message.
    pub mail: &'t Mail<'t>,
    /// What is known of it.
    pub outcome: &'t Outcome,
    /// What it comes to.
    pub decision: &'t Decision,
    /// The mail server's id of it.
    pub queue_id: Option<String>,
    /// How long that took, from MAIL FROM on.
    pub took: Duration,
}

impl Told<'_> {
    /// Its line of the log.
    pub fn line(&self) -> OfMessage {
        let Self { mail, outcome, decision, queue_id, took } = self;
        let Client { ip, helo } = mail.client();
        let mail_from = match mail.mail_from() {
            MailFrom::Null => "<>".to_owned(),
            MailFrom::Address(address) => address.to_string(),
            MailFrom::FromReturnPath => String::new(),
        };
        let verdict = match outcome {
            Outcome::Verdict(verdict) => Some(verdict),
            Outcome::Own | Outcome::OverLimit(_) => None,
        };
        OfMessage {
            queue_id: queue_id.clone(),
            ip: ip.map(|ip| ip.to_string()),
            helo: helo.clone(),
            mail_from: Some(mail_from),
            from_domain: verdict.and_then(|verdict| verdict.dmarc.author_domain.as_ref()).map(ToString::to_string),
            spf: verdict.map(|verdict| spf(verdict)),
            dkim: verdict.map(|verdict| dkim(verdict)),
            arc: verdict.map(|verdict| verdict.arc.result.keyword()),
            dmarc: verdict.map(|verdict| verdict.dmarc.result.keyword()),
            action: decision.action.keyword(),
            reason: decision.reason.clone(),
            dry_run: mail.running().config.dry_run,
            ms: took.as_millis(),
        }
    }

    /// Whether the mail server takes it, or refuses it for good: only then it is in reports to domain owners.
    pub fn is_final(&self) -> bool {
        self.decision.action != Action::Tempfail && !self.mail.running().config.dry_run
    }
}

/// The result for MAIL FROM, or for HELO where there is none.
pub(crate) fn spf(verdict: &Verdict) -> &'static str {
    let report = verdict.spf.mail_from.as_ref().or(verdict.spf.helo.as_ref());
    report.map_or("none", |report| report.result.keyword())
}

/// `pass` where a signature passes, else that of the first one.
pub(crate) fn dkim(verdict: &Verdict) -> &'static str {
    let results = || verdict.dkim.iter().map(|report| report.result.keyword());
    results().find(|result| *result == "pass").or_else(|| results().next()).unwrap_or("none")
}
