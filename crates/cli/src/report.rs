//! What was found out about one message.

use crate::hops::Way;
use mailverdict::{
    Message, Session, Verdict,
    authentication_results::AuthenticationResults,
    dmarc::DmarcReport,
    finding::{Finding, findings, findings_of_header},
    known::Log,
    received_spf::ReceivedSpf,
    spf::{SpfReport, SpfReports},
};
use std::borrow::Cow;

/// A verdict with all that is printed beside it.
#[derive(Debug)]
pub(crate) struct Report<'v> {
    pub(crate) message: &'v Message<'v>,
    pub(crate) verdict: &'v Verdict,
    pub(crate) session: &'v Session,
    authserv_id: &'v str,
    pub(crate) log: &'v Log,
    /// Whole header fields, folded with CRLF, without the line end after them.
    pub(crate) authentication_results: String,
    pub(crate) received_spf: Option<String>,
    /// What is wrong with what the evaluation touched, the worst first.
    pub(crate) findings: Vec<Finding>,
    /// How the results came about, a step a line; for `--explain`.
    pub(crate) steps: Option<Vec<String>>,
    /// The way of the message, where it was looked at.
    pub(crate) way: Option<Way>,
    /// Whether the hops are shown; for `--hops`.
    pub(crate) shows_hops: bool,
    /// Whether header fields are shown; for `--headers`.
    pub(crate) shows_headers: bool,
}

impl<'v> Report<'v> {
    /// Of what an evaluation came to and what it asked.
    pub(crate) fn new(
        message: &'v Message<'v>,
        verdict: &'v Verdict,
        session: &'v Session,
        log: &'v Log,
        authserv_id: &'v str,
    ) -> Self {
        let authentication_results = trimmed(match session.peer_ip {
            Some(ip) => verdict.to_header_field_with_remote_ip(authserv_id, ip),
            None => verdict.to_header_field(authserv_id),
        });
        let received_spf = received_spf(&verdict.spf, session);
        let mut report = Self {
            message,
            verdict,
            session,
            authserv_id,
            log,
            authentication_results,
            received_spf,
            findings: findings(verdict, session, log),
            steps: None,
            way: None,
            shows_hops: false,
            shows_headers: false,
        };
        report.add_findings(findings_of_header(verdict, session, log, message.header(), Some(authserv_id)));
        report
    }

    /// Whether what DMARC came to does not wait for a client: what SPF would say of it might make it a pass.
    pub(crate) fn is_complete(&self, dmarc: &DmarcReport) -> bool {
        self.session.peer_ip.is_some() || !dmarc.may_pass_by_spf()
    }

    /// The Authentication-Results field to paste: a result of DMARC that is not complete is left out.
    pub(crate) fn field_to_paste(&self) -> Cow<'_, str> {
        if self.is_complete(&self.verdict.dmarc) {
            return self.authentication_results.as_str().into();
        }
        let mut field = AuthenticationResults::new(self.authserv_id, self.verdict);
        field.results.retain(|result| result.method != "dmarc");
        trimmed(field.to_header_field()).into()
    }

    /// The hops, where they are to be shown.
    pub(crate) fn shown_hops(&self) -> Option<&Way> {
        self.way.as_ref().filter(|_| self.shows_hops)
    }

    /// Whether Return-Path names no mailbox, so that `report` is of the stand-in (RFC 7208 §2.4).
    pub(crate) fn is_null_return_path(&self, report: &SpfReport) -> bool {
        let stand_in = self.session.helo.as_deref().is_some_and(|helo| *report.sender == *format!("postmaster@{helo}"));
        let field = self.message.header().named("Return-Path").next();
        stand_in && field.is_some_and(|field| !field.value().contains(&b'@'))
    }

    /// Tells more of the message.
    pub(crate) fn add_findings(&mut self, more: impl IntoIterator<Item = Finding>) {
        self.findings.extend(more);
        self.findings.sort_by_key(|finding| finding.severity);
    }
}

/// The Received-SPF field for MAIL FROM, or else for HELO; without the line end after it.
pub(crate) fn received_spf(spf: &SpfReports, session: &Session) -> Option<String> {
    let report = spf.mail_from.as_ref().or(spf.helo.as_ref())?;
    Some(trimmed(ReceivedSpf::new(report, session).to_header_field()))
}

/// The field without the line end after it.
fn trimmed(mut field: String) -> String {
    field.truncate(field.trim_end().len());
    field
}
