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
    spf::{SpfReport, SpfReports},
    verdict::PolicyOverride,
};
use serde::Serialize;
use std::io;

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
pub(crate) struct MessageResults {
    pub(crate) spf: Spf,
    pub(crate) dkim: Vec<Dkim>,
    pub(crate) arc: Arc,
    pub(crate) dmarc: Dmarc,
    /// What RFC 7489 says, where both editions were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dmarc_rfc7489: Option<Dmarc>,
    /// Where the two differ, where both were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dmarc_differences: Option<Differences>,
    /// Why the message may be treated otherwise than DMARC's policy says.
    #[serde(rename = "override")]
    policy_override: Option<Override>,
    /// What the receiver may do: DMARC's disposition, unless there is an override.
    disposition: &'static str,
    /// The whole header field, folded with CRLF, without the line end after it.
    pub(crate) authentication_results: String,
    /// The same, for MAIL FROM or else for HELO.
    pub(crate) received_spf: Option<String>,
    /// What is odd about the message itself.
    pub(crate) findings: Vec<String>,
    /// The way of the message, the newest hop first.
    #[serde(skip_serializing_if = "Option::is_none")]
    hops: Option<Vec<JsonHop>>,
    /// How the results came about, a step a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<Vec<String>>,
}

/// All that is said of a session without a message: the same fields, null where a message is needed.
#[derive(Debug, Serialize)]
pub(crate) struct SpfResults {
    spf: Spf,
    dkim: Option<Vec<Dkim>>,
    arc: Option<Arc>,
    dmarc: Option<Dmarc>,
    authentication_results: Option<String>,
    received_spf: Option<String>,
}

/// SPF for both identities.
#[derive(Debug, Serialize)]
pub(crate) struct Spf {
    helo: Option<Identity>,
    mail_from: Option<Identity>,
    /// How the results came about, a step a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<Vec<String>>,
}

/// SPF for one identity.
#[derive(Debug, Serialize)]
pub(crate) struct Identity {
    result: &'static str,
    domain: String,
    explanation: Option<String>,
    matched: Option<String>,
    dns_lookups: usize,
    void_lookups: usize,
    reason: Option<String>,
}

/// One DKIM-Signature field.
#[derive(Debug, Serialize)]
pub(crate) struct Dkim {
    result: &'static str,
    domain: String,
    selector: String,
    algorithm: String,
    identity: String,
    key_bits: Option<usize>,
    reason: Option<String>,
    diagnosis: Vec<String>,
}

/// The ARC chain.
#[derive(Debug, Serialize)]
pub(crate) struct Arc {
    result: &'static str,
    instances: usize,
    sealers: Vec<String>,
    trusted: bool,
    /// What the oldest trusted sealer reported.
    reported: Option<Reported>,
    reason: Option<String>,
}

/// What a trusted sealer reported of the message as it received it; null where it reported nothing.
#[derive(Debug, Serialize)]
pub(crate) struct Reported {
    instance: u8,
    sealer: String,
    spf: Option<String>,
    dkim: Option<String>,
    dmarc: Option<String>,
}

/// Why the message may be treated otherwise than DMARC's policy says.
#[derive(Debug, Serialize)]
pub(crate) struct Override {
    /// In the words of RFC 9990.
    reason: &'static str,
    sealer: String,
    instance: u8,
    /// For aggregate reports (RFC 8617 §7.2.2).
    comment: String,
}

/// DMARC.
#[derive(Debug, Serialize)]
pub(crate) struct Dmarc {
    result: &'static str,
    from_domain: Option<String>,
    organizational_domain: Option<String>,
    policy_domain: Option<String>,
    policy: Option<&'static str>,
    disposition: &'static str,
    spf_aligned: bool,
    dkim_aligned: bool,
    reason: Option<String>,
}

/// What the editions of DMARC differ in, and why; both lists are empty where they agree.
#[derive(Debug, Serialize)]
pub(crate) struct Differences {
    differences: Vec<String>,
    causes: Vec<String>,
}

impl From<&Report<'_>> for MessageResults {
    fn from(report: &Report<'_>) -> Self {
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
            authentication_results: report.authentication_results.clone(),
            received_spf: report.received_spf.clone(),
            findings: verdict.findings.iter().map(ToString::to_string).collect(),
            hops: report.way.as_ref().map(Way::to_json),
            explain: report.steps.clone(),
        }
    }
}

impl SpfResults {
    pub(crate) fn new(reports: &SpfReports, received_spf: Option<String>) -> Self {
        Self { spf: Spf::from(reports), dkim: None, arc: None, dmarc: None, authentication_results: None, received_spf }
    }
}

impl From<&SpfReports> for Spf {
    fn from(reports: &SpfReports) -> Self {
        let identity = |report: &Option<SpfReport>| report.as_ref().map(Identity::from);
        Self { helo: identity(&reports.helo), mail_from: identity(&reports.mail_from), explain: None }
    }
}

impl From<&SpfReport> for Identity {
    fn from(report: &SpfReport) -> Self {
        Self {
            result: report.result.keyword(),
            domain: report.domain.to_string(),
            explanation: report.result.published_explanation().map(str::to_owned),
            matched: report.result.matched().map(|matched| matched.directive().to_string()),
            dns_lookups: report.dns_lookups,
            void_lookups: report.void_lookups,
            reason: Some(report.result.to_string()),
        }
    }
}

impl Dkim {
    fn new(report: &SignatureReport, message: &Message<'_>) -> Self {
        let signature = &report.signature;
        Self {
            result: report.result.keyword(),
            domain: text(signature.domain.as_ref()),
            selector: text(signature.selector.as_ref()),
            algorithm: text(signature.algorithm.as_ref()),
            identity: text(signature.identity.as_ref()),
            key_bits: report.key.as_ref().and_then(|key| key.bits),
            reason: Some(report.result.to_string()),
            diagnosis: report.diagnosis(message),
        }
    }
}

impl From<&ArcReport> for Arc {
    fn from(report: &ArcReport) -> Self {
        Self {
            result: report.result.keyword(),
            instances: report.instances,
            sealers: report.sealers.iter().map(ToString::to_string).collect(),
            trusted: report.trusted.is_some(),
            reported: report.trusted.as_ref().map(Reported::from),
            reason: Some(report.result.to_string()),
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

impl From<&Trusted> for Reported {
    fn from(trusted: &Trusted) -> Self {
        let word = |word: &Option<Box<str>>| word.as_ref().map(ToString::to_string);
        Self {
            instance: trusted.instance,
            sealer: trusted.sealer.to_string(),
            spf: word(&trusted.spf),
            dkim: word(&trusted.dkim),
            dmarc: word(&trusted.dmarc),
        }
    }
}

impl From<&PolicyOverride> for Override {
    fn from(offer: &PolicyOverride) -> Self {
        Self {
            reason: offer.reason.keyword(),
            sealer: offer.sealer.to_string(),
            instance: offer.instance,
            comment: offer.comment.to_string(),
        }
    }
}

impl From<&DmarcReport> for Dmarc {
    fn from(report: &DmarcReport) -> Self {
        let domain = |domain: &Option<_>| domain.as_ref().map(ToString::to_string);
        Self {
            result: report.result.keyword(),
            from_domain: domain(&report.author_domain),
            organizational_domain: domain(&report.organizational_domain),
            policy_domain: domain(&report.policy_domain),
            policy: report.policy.map(|policy| policy.keyword()),
            disposition: report.disposition.keyword(),
            spf_aligned: report.spf_aligned(),
            dkim_aligned: report.dkim_aligned(),
            reason: Some(report.result.to_string()),
        }
    }
}

/// What could not be read is an empty string.
fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
