//! What was found out about a message.

use crate::{arc::ArcReport, dkim::SignatureReport, dmarc::DmarcReport, message::Finding, spf::SpfReports};

/// What was found out about one message: four reports, owned, so that it outlives the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
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
    /// What is odd about the message itself.
    pub findings: Vec<Finding>,
}
