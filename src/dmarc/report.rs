//! What is reported of one message: the result, and all it rests on.

use super::{
    alignment::{IdentifierReport, Mechanism},
    disposition::Disposition,
    edition::Edition,
    publication::PublishedRecord,
    record::{Existence, PolicyTag},
    replaced::Replaced,
    result::{DmarcResult, PermReason, TempErrorReason},
    tree_walk::Step,
};
use crate::{name::Domain, session::Session, spf::SpfReports};
use std::{fmt, sync::Arc};

/// What DMARC says of a message under one edition.
///
/// Where a message names several author domains, each is evaluated and stands in [`authors`](Self::authors); the other fields are
/// then those of the domain that asks for the strictest disposition (the first of them), and the result is `permerror`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DmarcReport {
    /// The text that was followed.
    pub edition: Edition,
    /// The author domain; `None` where none could be read.
    pub author_domain: Option<Domain>,
    /// The organizational domain of the author domain; `None` where the DNS did not answer.
    pub organizational_domain: Option<Domain>,
    /// The domain whose record applies.
    pub policy_domain: Option<Domain>,
    /// The published policy that applies (`p`, `sp` or `np`), before test mode or sampling lowers it.
    pub policy: Option<Disposition>,
    /// The tag that states the policy.
    pub policy_tag: Option<PolicyTag>,
    /// Why the disposition of a failing message is milder than the policy.
    pub lowered: Option<Lowered>,
    /// What the policy comes to for this message: `none` on pass, lowered by test mode.
    pub disposition: Disposition,
    /// The result and its reason.
    pub result: DmarcResult,
    /// Each identifier that was considered, and whether and how it aligned.
    pub identifiers: Vec<IdentifierReport>,
    /// The record that applies.
    pub record: Option<Arc<PublishedRecord>>,
    /// Where records were looked for on behalf of the author domain, in order, and what was found.
    pub steps: Vec<Step>,
    /// Whether the author domain exists, where `np` depends on it.
    pub existence: Option<Existence>,
    /// Where there are several author domains (or the From fields are malformed): what evaluating each of them gives.
    pub authors: Vec<DmarcReport>,
}

impl DmarcReport {
    /// The report on a message whose author domain could not be read.
    pub(crate) fn without_author(edition: Edition, reason: PermReason) -> Self {
        Self {
            edition,
            author_domain: None,
            organizational_domain: None,
            policy_domain: None,
            policy: None,
            policy_tag: None,
            lowered: None,
            disposition: Disposition::None,
            result: DmarcResult::PermError(reason),
            identifiers: Vec::new(),
            record: None,
            steps: Vec::new(),
            existence: None,
            authors: Vec::new(),
        }
    }

    /// Whether an identifier that SPF authenticated aligns with the author domain.
    pub fn spf_aligned(&self) -> bool {
        self.aligned_by(Mechanism::Spf)
    }

    /// Whether an identifier that DKIM authenticated aligns with the author domain.
    pub fn dkim_aligned(&self) -> bool {
        self.aligned_by(Mechanism::Dkim)
    }

    /// Whether a pass of SPF might change the result or the disposition: where SPF was not evaluated because the client is not known,
    /// they are what holds unless SPF passes.
    ///
    /// Without a policy, and where the DNS did not tell of one, SPF has no part in them; nor where something else made it a pass.
    pub fn may_pass_by_spf(&self) -> bool {
        match &self.result {
            DmarcResult::Fail(_) => true,
            // The author domains are evaluated one by one, and each of them may pass.
            DmarcResult::PermError(_) => self.disposition != Disposition::None,
            DmarcResult::TempError(TempErrorReason::Identifier { .. } | TempErrorReason::Alignment { .. }) => true,
            DmarcResult::TempError(TempErrorReason::Record { .. }) | DmarcResult::Pass(_) | DmarcResult::None(_) => {
                false
            }
        }
    }

    /// Whether result and disposition stand whatever SPF would say of a client that the session does not know; nor, in the session
    /// [of saved mail](Session::of_saved_mail), of a sender that it does not know.
    pub fn is_complete(&self, spf: &SpfReports, session: &Session) -> bool {
        let is_sender_wanted = session.is_of_saved_mail && spf.mail_from.is_none();
        session.peer_ip.is_some() && !is_sender_wanted || !self.may_pass_by_spf()
    }

    /// Why `none` is taken instead of the policy as it was written; `None` where it is read as it was written.
    pub fn replaced(&self) -> Option<Replaced> {
        self.record.as_ref()?.replaced(self.edition)
    }

    fn aligned_by(&self, mechanism: Mechanism) -> bool {
        self.identifiers.iter().any(|identifier| identifier.mechanism == mechanism && identifier.is_aligned())
    }
}

/// Why a disposition is milder than the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Lowered {
    /// `t=y` (RFC 9989 §4.7).
    TestMode,
    /// The message is not among the `pct` percent to which the policy applies (RFC 7489 §6.6.4).
    NotSampled {
        /// `pct`.
        percent: u8,
        /// The number that decided.
        sample: u8,
    },
}

impl fmt::Display for Lowered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TestMode => f.write_str("the domain owner is testing (t=y)"),
            Self::NotSampled { percent, sample } => {
                write!(f, "the policy is for {percent} percent of messages (pct), and this one has the number {sample}")
            }
        }
    }
}
