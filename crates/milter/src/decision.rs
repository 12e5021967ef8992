//! What a message comes to.

use crate::{
    config::{Action, Actions},
    mail::{Outcome, OverLimit},
};
use mailverdict::{
    Verdict,
    dmarc::{Disposition, DmarcResult, PermReason},
    reply::Reply,
    spf::SpfResult,
};

/// What is done with a message, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is done.
    pub action: Action,
    /// What the mail server replies, where it refuses the message or puts it off; its own words, where there is none.
    pub reply: Option<Reply>,
    /// What was asked for: `quarantine` or `reject`, for those who only write it down.
    pub wanted: &'static str,
    /// Why, in words.
    pub reason: String,
}

impl Decision {
    /// The message goes on.
    fn nothing(reason: String) -> Self {
        Self { action: Action::None, reply: None, wanted: "none", reason }
    }

    /// By these settings.
    pub fn of(actions: &Actions, outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Own => Self::nothing("the client is one of the own, and is not evaluated".to_owned()),
            Outcome::OverLimit(over) => Self::of_limit(actions, *over),
            Outcome::Verdict(verdict) => Self::of_verdict(actions, verdict),
        }
    }

    fn of_limit(actions: &Actions, over: OverLimit) -> Self {
        let reply = Reply::too_large(&over.to_string());
        Self::by(actions.over_limit, "reject", over.to_string(), Some(reply))
    }

    fn of_verdict(actions: &Actions, verdict: &Verdict) -> Self {
        let dmarc = &verdict.dmarc;
        let reason = dmarc.result.to_string();
        let of_policy = match verdict.disposition {
            Disposition::None => None,
            Disposition::Quarantine => Some((actions.dmarc_quarantine, "quarantine")),
            Disposition::Reject => Some((actions.dmarc_reject, "reject")),
        };
        let of_policy =
            of_policy.map(|(action, wanted)| Self::by(action, wanted, reason.clone(), Reply::of_dmarc(verdict)));
        match &dmarc.result {
            // RFC 9989 §11.5: whatever the policies of the authors are, a reader is shown one of them.
            DmarcResult::PermError(
                PermReason::ManyAuthorDomains { .. } | PermReason::ManyFromFields { .. } | PermReason::DisputedFrom(_),
            ) => {
                let several = Self::by(actions.several_from, "reject", reason, Reply::of_authors(verdict));
                match of_policy {
                    Some(of_policy) if strictness(of_policy.action) > strictness(several.action) => of_policy,
                    Some(_) | None => several,
                }
            }
            // A fault that passes is told as one, and never refused for good.
            DmarcResult::TempError(_) => {
                Self::by(actions.dmarc_temperror, "none", reason, Reply::of_temporary_error(verdict))
            }
            DmarcResult::None(_) if has_spf_failed(verdict) => {
                Self::by(actions.spf_fail, "reject", spf_reason(verdict), Reply::of_spf(verdict))
            }
            DmarcResult::None(_) | DmarcResult::Pass(_) | DmarcResult::Fail(_) | DmarcResult::PermError(_) => {
                of_policy.unwrap_or_else(|| Self::nothing(reason))
            }
        }
    }

    fn by(action: Action, wanted: &'static str, reason: String, reply: Option<Reply>) -> Self {
        let reply = match action {
            Action::Reject => reply,
            // Where there is no code for it, the mail server has words of its own.
            Action::Tempfail => reply.filter(|reply| matches!(reply.code(), 451 | 552)).map(Reply::temporary),
            Action::None | Action::AddHeader | Action::Quarantine => None,
        };
        Self { action, reply, wanted, reason }
    }
}

fn strictness(action: Action) -> u8 {
    match action {
        Action::None => 0,
        Action::AddHeader => 1,
        Action::Quarantine => 2,
        Action::Tempfail => 3,
        Action::Reject => 4,
    }
}

fn has_spf_failed(verdict: &Verdict) -> bool {
    let report = verdict.spf.mail_from.as_ref().or(verdict.spf.helo.as_ref());
    report.is_some_and(|report| matches!(report.result, SpfResult::Fail(..)))
}

fn spf_reason(verdict: &Verdict) -> String {
    let report = verdict.spf.mail_from.as_ref().or(verdict.spf.helo.as_ref());
    report.map_or_else(String::new, |report| format!("SPF failed: {report}"))
}
