//! The JSON of `check`, `spf` and `batch`: a promise to scripts. Fields may be added, never renamed or removed.

use crate::{
    failure::Failure,
    hops::{JsonHop, Way},
    report::Report,
};
use mailverdict::{
    Message,
    arc::{ArcReport, Trusted},
    dkim::SignatureReport,
    dmarc::{Comparison, DmarcReport},
    name::{Domain, Name},
    spf::{SpfReport, SpfReports},
    verdict::PolicyOverride,
};
use serde::{Serialize, Serializer};
use std::{fmt, io};

/// What could not be read.
const UNREAD: &str = "";

/// A text that is written as it is made, and kept nowhere.
struct Shown<'r>(&'r dyn fmt::Display);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// One line of JSON with its line end.
pub(crate) fn to_line(value: &impl Serialize) -> Result<String, Failure> {
    let mut line = serde_json::to_string(value).map_err(unwritable)?;
    line.push('\n');
    Ok(line)
}

/// Adds JSON without a line end.
pub(crate) fn write(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(out, value).map_err(unwritable)
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::Output(io::Error::other(error))
}

/// All that is said of one message.
#[derive(Debug, Serialize)]
pub(crate) struct MessageResults<'r> {
    pub(crate) spf: Spf<'r>,
    pub(crate) dkim: Vec<Dkim<'r>>,
    pub(crate) arc: Arc<'r>,
    pub(crate) dmarc: Dmarc<'r>,
    /// What RFC 7489 says, where both editions were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dmarc_rfc7489: Option<Dmarc<'r>>,
    /// Where the two differ, where both were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dmarc_differences: Option<Differences>,
    /// Why the message may be treated otherwise than DMARC's policy says.
    #[serde(rename = "override")]
    policy_override: Option<Override<'r>>,
    /// What the receiver may do: DMARC's disposition, unless there is an override.
    disposition: &'static str,
    /// The whole header field, folded with CRLF, without the line end after it.
    pub(crate) authentication_results: &'r str,
    /// The same, for MAIL FROM or else for HELO.
    pub(crate) received_spf: Option<&'r str>,
    /// What is odd about the message itself.
    pub(crate) findings: Vec<String>,
    /// The way of the message, the newest hop first.
    #[serde(skip_serializing_if = "Option::is_none")]
    hops: Option<Vec<JsonHop>>,
    /// How the results came about, a step a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<&'r [String]>,
}

/// All that is said of a session without a message: the same fields, null where a message is needed.
#[derive(Debug, Serialize)]
pub(crate) struct SpfResults<'r> {
    spf: Spf<'r>,
    dkim: Option<Vec<Dkim<'r>>>,
    arc: Option<Arc<'r>>,
    dmarc: Option<Dmarc<'r>>,
    authentication_results: Option<&'r str>,
    received_spf: Option<&'r str>,
}

/// SPF for both identities.
#[derive(Debug, Serialize)]
pub(crate) struct Spf<'r> {
    helo: Option<Identity<'r>>,
    mail_from: Option<Identity<'r>>,
    /// How the results came about, a step a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<Vec<String>>,
}

/// SPF for one identity.
#[derive(Debug, Serialize)]
pub(crate) struct Identity<'r> {
    result: &'static str,
    domain: &'r str,
    explanation: Option<&'r str>,
    matched: Option<Shown<'r>>,
    dns_lookups: usize,
    void_lookups: usize,
    reason: Option<Shown<'r>>,
}

/// One DKIM-Signature field.
#[derive(Debug, Serialize)]
pub(crate) struct Dkim<'r> {
    result: &'static str,
    domain: &'r str,
    selector: &'r str,
    algorithm: &'r str,
    identity: &'r str,
    key_bits: Option<usize>,
    reason: Option<Shown<'r>>,
    diagnosis: Vec<String>,
}

/// The ARC chain.
#[derive(Debug, Serialize)]
pub(crate) struct Arc<'r> {
    result: &'static str,
    instances: usize,
    sealers: Vec<&'r str>,
    trusted: bool,
    /// What the oldest trusted sealer reported.
    reported: Option<Reported<'r>>,
    reason: Option<Shown<'r>>,
}

/// What a trusted sealer reported of the message as it received it; null where it reported nothing.
#[derive(Debug, Serialize)]
pub(crate) struct Reported<'r> {
    instance: u8,
    sealer: &'r str,
    spf: Option<&'r str>,
    dkim: Option<&'r str>,
    dmarc: Option<&'r str>,
}

/// Why the message may be treated otherwise than DMARC's policy says.
#[derive(Debug, Serialize)]
pub(crate) struct Override<'r> {
    /// In the words of RFC 9990.
    reason: &'static str,
    sealer: &'r str,
    instance: u8,
    /// For aggregate reports (RFC 8617 §7.2.2).
    comment: &'r str,
}

/// DMARC.
#[derive(Debug, Serialize)]
pub(crate) struct Dmarc<'r> {
    result: &'static str,
    from_domain: Option<&'r str>,
    organizational_domain: Option<&'r str>,
    policy_domain: Option<&'r str>,
    policy: Option<&'static str>,
    disposition: &'static str,
    spf_aligned: bool,
    dkim_aligned: bool,
    reason: Option<Shown<'r>>,
}

/// What the editions of DMARC differ in, and why; both lists are empty where they agree.
#[derive(Debug, Serialize)]
pub(crate) struct Differences {
    differences: Vec<String>,
    causes: Vec<String>,
}

impl<'r> From<&'r Report<'_>> for MessageResults<'r> {
    fn from(report: &'r Report<'_>) -> Self {
        let verdict = report.verdict;
        Self {
            spf: Spf::from(&verdict.spf),
            dkim: verdict.dkim.iter().map(|signature| Dkim::new(signature, report.message)).collect(),
            arc: Arc::from(&verdict.arc),
            dmarc: Dmarc::from(&*verdict.dmarc),
            dmarc_rfc7489: verdict.dmarc_rfc7489.as_deref().map(Dmarc::from),
            dmarc_differences: verdict
                .dmarc_rfc7489
                .as_ref()
                .map(|older| Differences::from(&Comparison::of(&verdict.dmarc, older))),
            policy_override: verdict.policy_override.as_ref().map(Override::from),
            disposition: verdict.disposition.keyword(),
            authentication_results: &report.authentication_results,
            received_spf: report.received_spf.as_deref(),
            findings: verdict.findings.iter().map(ToString::to_string).collect(),
            hops: report.way.as_ref().map(Way::to_json),
            explain: report.steps.as_deref(),
        }
    }
}

impl<'r> SpfResults<'r> {
    pub(crate) fn new(reports: &'r SpfReports, received_spf: Option<&'r str>) -> Self {
        Self { spf: Spf::from(reports), dkim: None, arc: None, dmarc: None, authentication_results: None, received_spf }
    }
}

impl<'r> From<&'r SpfReports> for Spf<'r> {
    fn from(reports: &'r SpfReports) -> Self {
        let SpfReports { helo, mail_from, .. } = reports;
        Self {
            helo: helo.as_ref().map(Identity::from),
            mail_from: mail_from.as_ref().map(Identity::from),
            explain: None,
        }
    }
}

impl<'r> From<&'r SpfReport> for Identity<'r> {
    fn from(report: &'r SpfReport) -> Self {
        Self {
            result: report.result.keyword(),
            domain: &report.domain,
            explanation: report.result.published_explanation(),
            matched: report.result.matched().map(|matched| Shown(matched.directive())),
            dns_lookups: report.dns_lookups,
            void_lookups: report.void_lookups,
            reason: Some(Shown(&report.result)),
        }
    }
}

impl<'r> Dkim<'r> {
    fn new(report: &'r SignatureReport, message: &Message<'_>) -> Self {
        let signature = &report.signature;
        Self {
            result: report.result.keyword(),
            domain: signature.domain.as_ref().map_or(UNREAD, Domain::as_str),
            selector: signature.selector.as_ref().map_or(UNREAD, Name::as_str),
            algorithm: signature.algorithm.as_deref().unwrap_or(UNREAD),
            identity: signature.identity.as_deref().unwrap_or(UNREAD),
            key_bits: report.key.as_ref().and_then(|key| key.bits),
            reason: Some(Shown(&report.result)),
            diagnosis: report.diagnosis(message),
        }
    }
}

impl<'r> From<&'r ArcReport> for Arc<'r> {
    fn from(report: &'r ArcReport) -> Self {
        Self {
            result: report.result.keyword(),
            instances: report.instances,
            sealers: report.sealers.iter().map(Domain::as_str).collect(),
            trusted: report.trusted.is_some(),
            reported: report.trusted.as_ref().map(Reported::from),
            reason: Some(Shown(&report.result)),
        }
    }
}

impl From<&Comparison> for Differences {
    fn from(comparison: &Comparison) -> Self {
        Self {
            differences: comparison.differences.iter().map(ToString::to_string).collect(),
            causes: comparison.causes.iter().map(ToString::to_string).collect(),
        }
    }
}

impl<'r> From<&'r Trusted> for Reported<'r> {
    fn from(trusted: &'r Trusted) -> Self {
        Self {
            instance: trusted.instance,
            sealer: trusted.sealer.as_str(),
            spf: trusted.spf.as_deref(),
            dkim: trusted.dkim.as_deref(),
            dmarc: trusted.dmarc.as_deref(),
        }
    }
}

impl<'r> From<&'r PolicyOverride> for Override<'r> {
    fn from(offer: &'r PolicyOverride) -> Self {
        Self {
            reason: offer.reason.keyword(),
            sealer: offer.sealer.as_str(),
            instance: offer.instance,
            comment: &offer.comment,
        }
    }
}

impl<'r> From<&'r DmarcReport> for Dmarc<'r> {
    fn from(report: &'r DmarcReport) -> Self {
        Self {
            result: report.result.keyword(),
            from_domain: report.author_domain.as_ref().map(Domain::as_str),
            organizational_domain: report.organizational_domain.as_ref().map(Domain::as_str),
            policy_domain: report.policy_domain.as_ref().map(Domain::as_str),
            policy: report.policy.map(|policy| policy.keyword()),
            disposition: report.disposition.keyword(),
            spf_aligned: report.spf_aligned(),
            dkim_aligned: report.dkim_aligned(),
            reason: Some(Shown(&report.result)),
        }
    }
}
