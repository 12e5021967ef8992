//! Failure reports (RFC 9991, in the form of RFC 5965 and RFC 6591): one message that failed.

use super::super::{
    aggregate::ReportEdition,
    deviation::{Findings, ReportFinding, quoted},
};
use crate::{message::Header, received::date_time, time::UnixTime};
use serde::Serialize;
use std::net::IpAddr;

/// Recipients that are kept, and words of a list.
const MAX_ITEMS: usize = 100;
/// Octets of a text that is read for what it says.
const MAX_TEXT: usize = 64 * 1024;

/// A failure report: one message, or several alike, that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FailureReport {
    /// The text by which it is written.
    #[serde(skip)]
    pub edition: ReportEdition,
    /// `Feedback-Type`, such as `auth-failure`.
    pub feedback_type: Option<Box<str>>,
    /// `Auth-Failure`: what failed.
    pub auth_failure: Vec<Box<str>>,
    /// `Identity-Alignment`: which mechanisms gave no aligned pass (RFC 9991 §4).
    pub identity_alignment: Vec<Box<str>>,
    /// The client.
    pub source_ip: Option<IpAddr>,
    /// The domain that was claimed.
    pub reported_domain: Option<Box<str>>,
    /// MAIL FROM, without its brackets; an empty text is the null reverse-path.
    pub mail_from: Option<Box<str>>,
    /// Recipients.
    pub rcpt_to: Vec<Box<str>>,
    /// When it came.
    pub arrival: Option<UnixTime>,
    /// What became of it.
    pub delivery_result: Option<Box<str>>,
    /// The signature that failed: its domain.
    pub dkim_domain: Option<Box<str>>,
    /// Its selector.
    pub dkim_selector: Option<Box<str>>,
    /// Messages alike; 1 where nothing is said.
    pub incidents: u64,
    /// The program that made the report.
    pub user_agent: Option<Box<str>>,
    /// `Version`.
    pub version: Option<Box<str>>,
    /// Where it departs from its format.
    #[serde(skip)]
    pub findings: Vec<ReportFinding>,
}

impl FailureReport {
    /// Reads the fields of a part `message/feedback-report` (RFC 5965 §3); what is missing or cannot be read is a finding.
    pub fn read(fields: &[u8]) -> Self {
        let mut report = Self { incidents: 1, ..Self::default() };
        let mut findings = Findings::default();
        let Ok(header) = Header::parse(fields) else {
            findings.add("report-element-missing", None, "the report has no field".to_owned());
            report.findings = findings.into_list();
            return report;
        };
        for field in header.fields() {
            let name = String::from_utf8_lossy(field.name()).to_ascii_lowercase();
            let value = unfolded(field.value());
            let text: Option<Box<str>> = (!value.is_empty()).then(|| value.as_str().into());
            match name.as_str() {
                "feedback-type" => report.feedback_type = lower(text),
                "auth-failure" => report.auth_failure = words(&value),
                "identity-alignment" => report.identity_alignment = words(&value),
                "source-ip" => report.source_ip = address(&value, &mut findings),
                "reported-domain" if report.reported_domain.is_none() => report.reported_domain = lower(text),
                "original-mail-from" => report.mail_from = Some(path(&value)),
                "original-rcpt-to" if report.rcpt_to.len() < MAX_ITEMS => report.rcpt_to.push(path(&value)),
                "arrival-date" | "received-date" => report.arrival = time(&value, &mut findings),
                "delivery-result" => report.delivery_result = lower(text),
                "dkim-domain" => report.dkim_domain = lower(text),
                "dkim-selector" => report.dkim_selector = text,
                "incidents" => report.incidents = count(&value, &mut findings),
                "user-agent" => report.user_agent = text,
                "version" => report.version = text,
                _ => {}
            }
        }
        report.conclude(findings)
    }

    fn conclude(mut self, mut findings: Findings) -> Self {
        let is_of_authentication = self.feedback_type.as_deref() == Some("auth-failure");
        let is_of_dmarc = self.auth_failure.iter().any(|word| **word == *"dmarc");
        if is_of_dmarc {
            self.edition = ReportEdition::Rfc9991;
        }
        let missing = [
            // RFC 5965 §3.1, RFC 6591 §3.1, RFC 9991 §4.
            ("Feedback-Type", self.feedback_type.is_none()),
            ("User-Agent", self.user_agent.is_none()),
            ("Version", self.version.is_none()),
            ("Auth-Failure", is_of_authentication && self.auth_failure.is_empty()),
            ("Source-IP", is_of_authentication && self.source_ip.is_none()),
            ("Reported-Domain", is_of_authentication && self.reported_domain.is_none()),
            ("Identity-Alignment", is_of_dmarc && self.identity_alignment.is_empty()),
        ];
        for (name, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
            let says = format!("the report has no \"{name}\", or none that can be read");
            findings.add("report-element-missing", None, says);
        }
        self.findings = findings.into_list();
        self
    }

    /// Reads a report that some programs send as a text for people, with lines such as `Sender Domain: example.com`.
    pub(super) fn read_text(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text.get(..MAX_TEXT).unwrap_or(text));
        // The header of the message follows such a line.
        let text = text.split("\n------").next().unwrap_or_default();
        let value = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            let found = lines.find(|(own, _)| own.trim().eq_ignore_ascii_case(name))?.1.trim();
            (!found.is_empty()).then_some(found)
        };
        let domain = value("Sender Domain")?;
        let ip = value("Sender IP Address")?;
        let mut findings = Findings::default();
        let says = "the report is a text for people, and no part \"message/feedback-report\"".to_owned();
        findings.add("report-form", None, says);
        let is_unaligned = |name| value(name).is_some_and(|word| word.eq_ignore_ascii_case("no"));
        let identity_alignment = [("spf", "SPF Alignment"), ("dkim", "DKIM Alignment")];
        let identity_alignment = identity_alignment.into_iter().filter(|(_, name)| is_unaligned(name));
        let mut report = Self {
            incidents: 1,
            auth_failure: vec!["dmarc".into()],
            identity_alignment: identity_alignment.map(|(word, _)| word.into()).collect(),
            source_ip: address(ip, &mut findings),
            reported_domain: Some(domain.to_ascii_lowercase().into()),
            arrival: value("Received date").and_then(|text| time(text, &mut findings)),
            ..Self::default()
        };
        report.findings = findings.into_list();
        Some(report)
    }
}

/// The value on one line.
fn unfolded(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn lower(text: Option<Box<str>>) -> Option<Box<str>> {
    text.map(|text| text.to_ascii_lowercase().into())
}

fn words(value: &str) -> Vec<Box<str>> {
    let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.take(MAX_ITEMS).map(|word| word.to_ascii_lowercase().into()).collect()
}

/// Without brackets.
fn path(value: &str) -> Box<str> {
    let value = value.trim();
    value.strip_prefix('<').and_then(|value| value.strip_suffix('>')).unwrap_or(value).into()
}

/// Some add the name of the host in a comment.
fn address(value: &str, findings: &mut Findings) -> Option<IpAddr> {
    let bare = value.split(['(', ' ']).next().unwrap_or_default().trim_matches(['[', ']']);
    let ip = bare.parse().ok();
    if ip.is_none() {
        findings.add("report-address", None, format!("{} in \"Source-IP\" is no address", quoted(value)));
    } else if bare.len() != value.len() {
        findings.add("report-address", None, format!("{} in \"Source-IP\" has more than an address", quoted(value)));
    }
    ip
}

fn time(value: &str, findings: &mut Findings) -> Option<UnixTime> {
    let time = date_time(value.as_bytes()).ok();
    if time.is_none() {
        findings.add("report-number", None, format!("{} in \"Arrival-Date\" is no date", quoted(value)));
    }
    time
}

fn count(value: &str, findings: &mut Findings) -> u64 {
    value.parse().unwrap_or_else(|_| {
        findings.add("report-number", None, format!("{} in \"Incidents\" is no number", quoted(value)));
        1
    })
}
