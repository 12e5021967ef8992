//! What was found out about one message.

use crate::hops::Way;
use mailverdict::{
    Message, Session, Verdict, authentication_results::AuthenticationResults, json::Evaluated, known::Log,
    spf::SpfReport,
};
use std::borrow::Cow;

/// A verdict with all that is printed beside it.
#[derive(Debug)]
pub(crate) struct Report<'v> {
    pub(crate) message: &'v Message<'v>,
    /// Whether its body is here.
    pub(crate) is_whole: bool,
    pub(crate) verdict: &'v Verdict,
    pub(crate) session: &'v Session,
    authserv_id: &'v str,
    pub(crate) log: &'v Log,
    /// Header fields and findings.
    pub(crate) evaluated: Evaluated<'v>,
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
        Self {
            message,
            is_whole: true,
            verdict,
            session,
            authserv_id,
            log,
            evaluated: Evaluated::new(message, verdict, session, log, authserv_id),
            steps: None,
            way: None,
            shows_hops: false,
            shows_headers: false,
        }
    }

    /// The same of a message without its body.
    pub(crate) fn of_header(self) -> Self {
        let Self { message, verdict, session, log, authserv_id, .. } = self;
        let evaluated = Evaluated::of_header(message.header(), verdict, session, log, authserv_id);
        Self { is_whole: false, evaluated, ..self }
    }

    /// What nobody knows and DMARC waits for, because what SPF would say of it might make it a pass; `None` where DMARC is complete.
    pub(crate) fn wanted(&self) -> Option<&'static str> {
        let is_open = !self.verdict.dmarc.is_complete(&self.verdict.spf, self.session);
        let is_client_known = self.session.peer_ip.is_some();
        is_open.then_some(if is_client_known { "the sender (--mail-from)" } else { "the client" })
    }

    /// The Authentication-Results field to paste: a result of DMARC that is not complete is left out.
    pub(crate) fn field_to_paste(&self) -> Cow<'_, str> {
        if self.wanted().is_none() {
            return self.evaluated.authentication_results.as_str().into();
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
}

/// The field without the line end after it.
fn trimmed(mut field: String) -> String {
    field.truncate(field.trim_end().len());
    field
}
