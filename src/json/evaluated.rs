//! A verdict with all that belongs beside it, and SPF of a session without a message.

use super::{
    inputs::Inputs,
    verdict::{VERSION, Written},
};
use crate::{
    change::Changes,
    finding::{Finding, findings, findings_of_header, findings_of_spf},
    known::Log,
    message::{Header, Message},
    received_spf::ReceivedSpf,
    session::Session,
    spf::SpfReports,
    verdict::Verdict,
};
#[cfg(feature = "reports")]
use crate::{dmarc::Disposition, report::Observation};
use serde::{Serialize, Serializer};

/// A verdict with what was evaluated, the header fields that tell of it, and its findings.
///
/// It is written in the promised form; what a program adds (to the findings, for example) is written with it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evaluated<'v> {
    /// `None` where its body is not here.
    message: Option<&'v Message<'v>>,
    verdict: &'v Verdict,
    session: &'v Session,
    log: &'v Log,
    /// The Authentication-Results field (RFC 8601), folded with CRLF, without the line end after it.
    pub authentication_results: String,
    /// The Received-SPF field (RFC 7208 §9.1) of MAIL FROM, or else of HELO; in the same way.
    pub received_spf: Option<String>,
    /// What is wrong with what the evaluation touched, the worst first.
    pub findings: Vec<Finding>,
    /// Whether the records that were read are told; they are, unless somebody who writes millions of lines says otherwise.
    pub tells_records: bool,
    /// What changed since the signatures were made; to compute it costs, and so it is written where it is put here
    /// ([`change::changes`](crate::change::changes)).
    pub changes: Option<Changes>,
    /// Whether it is told what an aggregate report says of the message (`report`).
    #[cfg(feature = "reports")]
    pub reported: Reported,
}

/// Whether it is told what an aggregate report says of a message (`report`, which is null where none says anything).
#[cfg(feature = "reports")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reported {
    /// It is not.
    #[default]
    No,
    /// It is; what is done with the message is what the verdict says.
    AsJudged,
    /// It is; this is what is done with the message.
    Handled(Disposition),
}

impl<'v> Evaluated<'v> {
    /// Of the verdict on a message, with the log of its evaluation. `authserv_id` names the receiver in Authentication-Results, and
    /// fields that claim to be by it are findings.
    pub fn new(
        message: &'v Message<'v>,
        verdict: &'v Verdict,
        session: &'v Session,
        log: &'v Log,
        authserv_id: &str,
    ) -> Self {
        let of_header = Self::of_header(message.header(), verdict, session, log, authserv_id);
        Self { message: Some(message), ..of_header }
    }

    /// The same where the body of the message is not here: what has to be computed of it, as causes of broken signatures, is not told.
    pub fn of_header(
        header: &Header<'_>,
        verdict: &'v Verdict,
        session: &'v Session,
        log: &'v Log,
        authserv_id: &str,
    ) -> Self {
        let authentication_results = match session.peer_ip {
            Some(ip) => verdict.to_header_field_with_remote_ip(authserv_id, ip),
            None => verdict.to_header_field(authserv_id),
        };
        let mut evaluated = Self {
            message: None,
            verdict,
            session,
            log,
            authentication_results: without_end(authentication_results),
            received_spf: received_spf(&verdict.spf, session),
            findings: findings(verdict, session, log),
            tells_records: true,
            changes: None,
            #[cfg(feature = "reports")]
            reported: Reported::No,
        };
        evaluated.add_findings(findings_of_header(verdict, session, log, header, Some(authserv_id)));
        evaluated
    }

    /// Tells more of the message; the worst findings stay first.
    pub fn add_findings(&mut self, more: impl IntoIterator<Item = Finding>) {
        self.findings.extend(more);
        self.findings.sort_by_key(|finding| finding.severity);
    }
}

#[cfg(feature = "reports")]
impl Evaluated<'_> {
    /// Something where it is told; within that, something where a report says something.
    fn report(&self) -> Option<Option<Observation>> {
        let seen = || Observation::of(self.verdict, self.session);
        match self.reported {
            Reported::No => None,
            Reported::AsJudged => Some(seen()),
            Reported::Handled(disposition) => Some(seen().map(|seen| seen.handled(disposition))),
        }
    }
}

impl Serialize for Evaluated<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'e> {
            version: u32,
            #[serde(flatten)]
            verdict: Written<'e>,
            authentication_results: &'e str,
            received_spf: Option<&'e str>,
            findings: &'e [Finding],
            evaluated: Inputs<'e>,
            #[cfg(feature = "reports")]
            #[serde(skip_serializing_if = "Option::is_none")]
            report: Option<Option<Observation>>,
        }
        let shape = Shape {
            version: VERSION,
            #[cfg(feature = "reports")]
            report: self.report(),
            evaluated: Inputs::new(&self.verdict.spf, self.session, self.tells_records.then_some(self.log)),
            verdict: Written::of(self.verdict, self.message, Some(self.session), self.changes.as_ref()),
            authentication_results: &self.authentication_results,
            received_spf: self.received_spf.as_deref(),
            findings: &self.findings,
        };
        shape.serialize(serializer)
    }
}

/// SPF of a session without a message, with the same beside it. It is written in the promised form: what needs a message is null, and there
/// are no oddities.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EvaluatedSpf<'v> {
    reports: &'v SpfReports,
    session: &'v Session,
    log: &'v Log,
    /// The Received-SPF field (RFC 7208 §9.1) of MAIL FROM, or else of HELO, folded with CRLF, without the line end after it.
    pub received_spf: Option<String>,
    /// What is wrong with what the evaluation touched, the worst first.
    pub findings: Vec<Finding>,
    /// Whether the records that were read are told, as in [`Evaluated`].
    pub tells_records: bool,
}

impl<'v> EvaluatedSpf<'v> {
    /// Of the reports on a session, with the log of its evaluation.
    pub fn new(reports: &'v SpfReports, session: &'v Session, log: &'v Log) -> Self {
        let (received_spf, findings) = (received_spf(reports, session), findings_of_spf(reports, session, log));
        Self { reports, session, log, received_spf, findings, tells_records: true }
    }
}

impl Serialize for EvaluatedSpf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'e> {
            version: u32,
            spf: &'e SpfReports,
            dkim: (),
            arc: (),
            dmarc: (),
            #[serde(rename = "override")]
            policy_override: (),
            disposition: (),
            oddities: [(); 0],
            authentication_results: (),
            received_spf: Option<&'e str>,
            findings: &'e [Finding],
            evaluated: Inputs<'e>,
        }
        let shape = Shape {
            version: VERSION,
            evaluated: Inputs::new(self.reports, self.session, self.tells_records.then_some(self.log)),
            spf: self.reports,
            dkim: (),
            arc: (),
            dmarc: (),
            policy_override: (),
            disposition: (),
            oddities: [],
            authentication_results: (),
            received_spf: self.received_spf.as_deref(),
            findings: &self.findings,
        };
        shape.serialize(serializer)
    }
}

/// The field of MAIL FROM, or else of HELO.
fn received_spf(reports: &SpfReports, session: &Session) -> Option<String> {
    let report = reports.mail_from.as_ref().or(reports.helo.as_ref())?;
    Some(without_end(ReceivedSpf::new(report, session).to_header_field()))
}

/// The field without the line end after it.
fn without_end(mut field: String) -> String {
    field.truncate(field.trim_end().len());
    field
}
