//! What was found out about a message.

use crate::{
    arc::ArcReport,
    dkim::SignatureReport,
    dmarc::{Disposition, DmarcReport, DmarcResult},
    message::Oddity,
    name::Domain,
    spf::SpfReports,
};
use std::fmt;

/// What was found out about one message: four reports, owned, so that it outlives the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// SPF, for HELO and MAIL FROM apart.
    pub spf: SpfReports,
    /// Every DKIM-Signature field, from the top of the header down; empty where there is none.
    pub dkim: Vec<SignatureReport>,
    /// The ARC chain.
    pub arc: ArcReport,
    /// DMARC, by the edition that the policy names.
    pub dmarc: DmarcReport,
    /// DMARC by RFC 7489, where the policy asks for both editions.
    pub dmarc_rfc7489: Option<DmarcReport>,
    /// A reason to treat the message otherwise than DMARC's policy says, where there is one. DMARC's result stays what it is.
    pub policy_override: Option<PolicyOverride>,
    /// What the receiver may do: DMARC's disposition, or `none` where [`policy_override`](Self::policy_override) offers a reason.
    pub disposition: Disposition,
    /// What is odd about the message itself.
    pub oddities: Vec<Oddity>,
}

/// A reason to treat a message otherwise than DMARC's policy says (RFC 9989 §5.4, `PolicyOverride` of RFC 9990).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PolicyOverride {
    /// What kind of reason.
    pub reason: OverrideReason,
    /// The trusted sealer who reported that DMARC passed.
    pub sealer: Domain,
    /// The instance of its set.
    pub instance: u8,
    /// What an aggregate report may say of the chain (RFC 8617 §7.2.2).
    pub comment: Box<str>,
}

/// Kinds of reasons, in the words of RFC 9990.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum OverrideReason {
    /// "Message authentication failure was anticipated by other evidence linking the message to a locally maintained list of known
    /// and trusted forwarders."
    TrustedForwarder,
}

impl Verdict {
    /// Puts the reports together, and sees whether there is a reason to override.
    #[inline]
    pub(crate) fn new(spf: SpfReports, dkim: Vec<SignatureReport>, arc: ArcReport, dmarc: DmarcReport) -> Self {
        let policy_override = PolicyOverride::offered(&arc, &dmarc);
        let disposition = if policy_override.is_some() { Disposition::None } else { dmarc.disposition };
        Self { spf, dkim, arc, dmarc, dmarc_rfc7489: None, policy_override, disposition, oddities: Vec::new() }
    }
}

impl OverrideReason {
    /// The word of aggregate reports.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::TrustedForwarder => "trusted_forwarder",
        }
    }
}

impl fmt::Display for PolicyOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sealer, instance, reason, .. } = self;
        match reason {
            OverrideReason::TrustedForwarder => {
                write!(
                    f,
                    "the trusted forwarder {sealer} sealed (set {instance}) that DMARC passed when it received the message"
                )
            }
        }
    }
}

impl PolicyOverride {
    /// Offered where DMARC failed, and the oldest trusted sealer of a chain that passes reported that it passed for the same author
    /// domain. A message that could not be evaluated gets no such offer.
    pub(crate) fn offered(arc: &ArcReport, dmarc: &DmarcReport) -> Option<Self> {
        let (DmarcResult::Fail(_), Some(domain)) = (&dmarc.result, &dmarc.author_domain) else { return None };
        let organization = dmarc.organizational_domain.as_ref();
        let trusted = arc.trusted.as_ref().filter(|trusted| trusted.reports_dmarc_pass(domain, organization))?;
        Some(Self {
            reason: OverrideReason::TrustedForwarder,
            sealer: trusted.sealer.clone(),
            instance: trusted.instance,
            comment: arc.report_comment().into(),
        })
    }
}
