//! What can be said of a report at its end alone: its edition, and what is missing.

use super::{
    super::{aggregate::ReportEdition, deviation::quoted},
    draft::Draft,
};

/// The namespaces of the editions.
const RFC9990: &str = "urn:ietf:params:xml:ns:dmarc-2.0";
const RFC7489: &str = "http://dmarc.org/dmarc-xml/0.1";

impl Draft {
    /// The namespace is that of the root; without one, the elements tell the edition.
    pub(super) fn conclude(&mut self, namespace: Option<&str>) {
        let (of_rfc9990, of_rfc7489) = (self.of_rfc9990, self.of_rfc7489);
        let Self { head, findings, .. } = self;
        head.edition = match namespace {
            Some(RFC9990) => ReportEdition::Rfc9990,
            Some(RFC7489) => ReportEdition::Rfc7489,
            other => {
                if let Some(namespace) = other.filter(|namespace| !namespace.is_empty()) {
                    let says = format!("the namespace {} is none of a report's", quoted(namespace));
                    findings.add("report-namespace", None, says);
                }
                match of_rfc9990.filter(|_| of_rfc7489.is_none()) {
                    Some(name) => {
                        let says = format!("\"{name}\" is of RFC 9990, whose namespace \"{RFC9990}\" is missing");
                        findings.add("report-namespace", None, says);
                        ReportEdition::Rfc9990
                    }
                    None => ReportEdition::Rfc7489,
                }
            }
        };
        // RFC 9990 §3.1.1.2.
        if let Some(version) = head.version.as_deref().filter(|version| *version != "1.0")
            && head.edition == ReportEdition::Rfc9990
        {
            findings.add("report-version", None, format!("the version is {}, and has to be 1.0", quoted(version)));
        }
        let missing = [
            ("org_name", head.org_name.is_none()),
            ("email", head.email.is_none()),
            ("report_id", head.report_id.is_none()),
            ("begin", head.begin.is_none()),
            ("end", head.end.is_none()),
            ("domain", head.domain.is_none()),
            ("p", head.policy.p.is_none()),
        ];
        for (name, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
            let says = format!("the report has no \"{name}\", or none that can be read");
            findings.add("report-element-missing", None, says);
        }
        if head.begin.zip(head.end).is_some_and(|(begin, end)| begin > end) {
            findings.add("report-period", None, "the period ends before it begins".to_owned());
        }
    }
}
