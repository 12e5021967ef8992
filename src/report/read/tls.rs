//! TLS reports (RFC 8460): how mail servers got along with a domain's policies of transport security.

use super::{
    super::{
        deviation::{Findings, ReportFinding, quoted},
        words::Word,
    },
    error::ReadError,
};
use crate::time::UnixTime;
use serde::Serialize;
use serde_json::{Map, Value};
use std::net::IpAddr;

/// Policies of one report, hosts of one policy, failures of one policy that are kept.
const MAX_ITEMS: usize = 10_000;

/// A TLS report (RFC 8460 §4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsReport {
    /// Who reports.
    pub org_name: Option<Box<str>>,
    /// How to reach them.
    pub contact: Option<Box<str>>,
    /// What tells the report from others.
    pub report_id: Option<Box<str>>,
    /// Where the period begins.
    pub begin: Option<UnixTime>,
    /// Where it ends.
    pub end: Option<UnixTime>,
    /// What was seen, policy by policy.
    pub policies: Vec<TlsPolicy>,
    /// Where the report departs from its format.
    pub findings: Vec<ReportFinding>,
}

/// What was seen under one policy (RFC 8460 §4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TlsPolicy {
    /// What kind of policy.
    #[serde(rename = "type")]
    pub kind: Option<TlsPolicyType>,
    /// The domain that publishes it.
    pub domain: Option<Box<str>>,
    /// The hosts that it names.
    pub mx_hosts: Vec<Box<str>>,
    /// Sessions that were established.
    pub successes: u64,
    /// Sessions that were not.
    pub failures: u64,
    /// Why not.
    pub details: Vec<TlsFailure>,
}

/// Why sessions were not established (RFC 8460 §4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TlsFailure {
    /// What went wrong (§4.3), such as `certificate-expired`.
    pub result_type: Option<Box<str>>,
    /// The client.
    pub sending_mta_ip: Option<IpAddr>,
    /// The host that it asked.
    pub receiving_mx: Option<Box<str>>,
    /// Its address.
    pub receiving_ip: Option<IpAddr>,
    /// Sessions.
    pub count: u64,
    /// More words.
    pub reason_code: Option<Box<str>>,
}

/// A kind of policy (RFC 8460 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsPolicyType {
    /// MTA-STS (RFC 8461).
    Sts,
    /// DANE (RFC 7672).
    Tlsa,
    /// None.
    NoPolicyFound,
}

impl Word for TlsPolicyType {
    const WORDS: &'static [(&'static str, Self)] =
        &[("sts", Self::Sts), ("tlsa", Self::Tlsa), ("no-policy-found", Self::NoPolicyFound)];
}

impl TlsReport {
    /// Reads a report in JSON; what is missing or of another kind is a finding.
    ///
    /// # Errors
    /// Where the text is no JSON, or has nothing of a report.
    pub fn read(json: &[u8]) -> Result<Self, ReadError> {
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let value: Value = serde_json::from_slice(json).map_err(|error| ReadError::Json(error.to_string().into()))?;
        let Value::Object(members) = &value else { return Err(ReadError::Json("it is no object".into())) };
        if !["policies", "organization-name", "date-range"].iter().any(|name| members.contains_key(*name)) {
            return Err(ReadError::Json("it has no \"policies\"".into()));
        }
        let mut findings = Findings::default();
        let mut at = Members { members, of: "the report", findings: &mut findings };
        let mut report = Self {
            org_name: at.text("organization-name", true),
            contact: at.text("contact-info", true),
            report_id: at.text("report-id", true),
            ..Self::default()
        };
        if let Some(range) = at.object("date-range") {
            let mut at = Members { members: range, of: "\"date-range\"", findings: &mut findings };
            report.begin = at.time("start-datetime");
            report.end = at.time("end-datetime");
        }
        let mut at = Members { members, of: "the report", findings: &mut findings };
        for policy in at.objects("policies", true) {
            report.policies.push(TlsPolicy::read(policy, &mut findings));
        }
        report.findings = findings.into_list();
        Ok(report)
    }
}

impl TlsPolicy {
    fn read(members: &Map<String, Value>, findings: &mut Findings) -> Self {
        let mut at = Members { members, of: "a policy", findings };
        let mut policy = Self::default();
        let (about, summary, details) =
            (at.object("policy"), at.object("summary"), at.objects("failure-details", false));
        if let Some(about) = about {
            let mut at = Members { members: about, of: "\"policy\"", findings };
            policy.kind = at.text("policy-type", true).and_then(|word| {
                let found = TlsPolicyType::WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known));
                if found.is_none() {
                    let says = format!("{} in \"policy-type\" is no word of the format", quoted(&word));
                    at.findings.add("report-word-unknown", None, says);
                }
                found.map(|(_, kind)| *kind)
            });
            policy.domain = at.text("policy-domain", true);
            policy.mx_hosts = at.texts("mx-host");
        }
        if let Some(summary) = summary {
            let mut at = Members { members: summary, of: "\"summary\"", findings };
            policy.successes = at.count("total-successful-session-count");
            policy.failures = at.count("total-failure-session-count");
        }
        for detail in details {
            let mut at = Members { members: detail, of: "\"failure-details\"", findings };
            policy.details.push(TlsFailure {
                result_type: at.text("result-type", true),
                sending_mta_ip: at.address("sending-mta-ip"),
                receiving_mx: at.text("receiving-mx-hostname", false),
                receiving_ip: at.address("receiving-ip"),
                count: at.count("failed-session-count"),
                reason_code: at.text("failure-reason-code", false),
            });
        }
        policy
    }
}

/// The members of an object, and what is said of them.
struct Members<'v, 'f> {
    members: &'v Map<String, Value>,
    of: &'static str,
    findings: &'f mut Findings,
}

impl<'v> Members<'v, '_> {
    fn missing(&mut self, name: &str) {
        let says = format!("{} has no \"{name}\", or none that can be read", self.of);
        self.findings.add("report-element-missing", None, says);
    }

    fn object(&mut self, name: &str) -> Option<&'v Map<String, Value>> {
        let found = self.members.get(name).and_then(Value::as_object);
        if found.is_none() {
            self.missing(name);
        }
        found
    }

    fn objects(&mut self, name: &str, is_wanted: bool) -> Vec<&'v Map<String, Value>> {
        match self.members.get(name) {
            Some(Value::Array(items)) => items.iter().take(MAX_ITEMS).filter_map(Value::as_object).collect(),
            Some(Value::Object(one)) => {
                self.findings.add("report-json-type", None, format!("\"{name}\" is no list"));
                vec![one]
            }
            Some(Value::Null) | None if !is_wanted => Vec::new(),
            _ => {
                self.missing(name);
                Vec::new()
            }
        }
    }

    fn text(&mut self, name: &str, is_wanted: bool) -> Option<Box<str>> {
        match self.members.get(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().into()),
            Some(Value::Number(number)) => {
                self.findings.add("report-json-type", None, format!("\"{name}\" is a number, and no text"));
                Some(number.to_string().into())
            }
            _ => {
                if is_wanted {
                    self.missing(name);
                }
                None
            }
        }
    }

    /// A list of texts; some write one text.
    fn texts(&mut self, name: &str) -> Vec<Box<str>> {
        match self.members.get(name) {
            Some(Value::Array(items)) => {
                items.iter().take(MAX_ITEMS).filter_map(Value::as_str).map(Box::from).collect()
            }
            Some(Value::String(text)) if !text.is_empty() => {
                self.findings.add("report-json-type", None, format!("\"{name}\" is no list"));
                vec![text.as_str().into()]
            }
            _ => Vec::new(),
        }
    }

    fn count(&mut self, name: &str) -> u64 {
        let value = self.members.get(name);
        if let Some(number) = value.and_then(Value::as_u64) {
            return number;
        }
        match value.and_then(Value::as_str).and_then(|text| text.trim().parse().ok()) {
            Some(number) => {
                self.findings.add("report-json-type", None, format!("\"{name}\" is a text, and no number"));
                number
            }
            None => {
                self.missing(name);
                0
            }
        }
    }

    fn time(&mut self, name: &str) -> Option<UnixTime> {
        let text = self.text(name, true)?;
        let time = text.parse().ok();
        if time.is_none() {
            self.findings.add("report-number", None, format!("{} in \"{name}\" is no time", quoted(&text)));
        }
        time
    }

    fn address(&mut self, name: &str) -> Option<IpAddr> {
        let text = self.text(name, false)?;
        let ip = text.parse().ok();
        if ip.is_none() {
            self.findings.add("report-address", None, format!("{} in \"{name}\" is no address", quoted(&text)));
        }
        ip
    }
}
