//! What was found out about one message, for people.

use crate::findings;
use crate::hops::Way;
use crate::style::{Row, Style, Table, printable, wrapped};
use mailverdict::{
    Message, Session, Verdict,
    arc::Trusted,
    authentication_results::AuthenticationResults,
    dkim::SignatureReport,
    dmarc::{Alignment, Comparison, Disposition, DmarcReport, DmarcResult, TempErrorReason},
    dns::LookupError,
    finding::{Finding, findings, findings_of_header},
    known::Log,
    received_spf::ReceivedSpf,
    session::MailFrom,
    spf::{SpfReport, SpfReports},
};
use std::{
    borrow::Cow,
    fmt::{self, Write},
};

/// A verdict with all that is printed beside it.
#[derive(Debug)]
pub(crate) struct Report<'v> {
    pub(crate) message: &'v Message<'v>,
    pub(crate) verdict: &'v Verdict,
    pub(crate) session: &'v Session,
    authserv_id: &'v str,
    log: &'v Log,
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
    fn field_to_paste(&self) -> Cow<'_, str> {
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
    fn is_null_return_path(&self, report: &SpfReport) -> bool {
        let stand_in = self.session.helo.as_deref().is_some_and(|helo| *report.sender == *format!("postmaster@{helo}"));
        let field = self.message.header().named("Return-Path").next();
        stand_in && field.is_some_and(|field| !field.value().contains(&b'@'))
    }

    /// Tells more of the message.
    pub(crate) fn add_findings(&mut self, more: impl IntoIterator<Item = Finding>) {
        self.findings.extend(more);
        self.findings.sort_by_key(|finding| finding.severity);
    }

    /// A table, what DMARC concludes, findings, and header fields ready to paste.
    pub(crate) fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write(&mut text, style);
        text
    }

    fn write(&self, out: &mut String, style: Style) -> fmt::Result {
        let Verdict { spf, dkim, arc, dmarc, dmarc_rfc7489, .. } = self.verdict;
        let null_return_path = spf.mail_from.as_ref().is_some_and(|report| self.is_null_return_path(report));
        let origin = self.way.as_ref().and_then(Way::origin);
        let line = printable(&client(self.session, spf, null_return_path, origin.as_deref()));
        writeln!(out, "{}", wrapped(&line, 0))?;
        if let Some(remark) = self.way.as_ref().and_then(|way| way.remark(self.session)) {
            writeln!(out, "{}", wrapped(&printable(&remark), 0))?;
        }
        writeln!(out)?;
        let is_complete = self.is_complete(dmarc);
        let mut table = Table::default();
        spf_rows(&mut table, spf, self.session);
        for (number, report) in (1..).zip(dkim) {
            let domain = report.signature.domain.as_ref().map_or("?", |domain| domain.as_str());
            table.push(Row {
                check: format!("DKIM {number}"),
                domain: domain.to_owned(),
                result: report.result.keyword(),
                reason: format!("{}{}{}", report.result, key(report), not_covered(report)),
            });
        }
        if dkim.is_empty() {
            let reason = "the message has no DKIM-Signature field".to_owned();
            table.push(Row { check: "DKIM".to_owned(), domain: "-".to_owned(), result: "none", reason });
        }
        table.push(Row {
            check: "ARC".to_owned(),
            domain: arc.sealers.last().map_or("-", |sealer| sealer.as_str()).to_owned(),
            result: arc.result.keyword(),
            reason: arc.result.to_string(),
        });
        if let Some(trusted) = &arc.trusted {
            table.push(Row {
                check: format!("ARC set {}", trusted.instance),
                domain: trusted.sealer.to_string(),
                result: "-",
                reason: reported(trusted),
            });
        }
        table.push(Row {
            check: "DMARC".to_owned(),
            domain: dmarc.author_domain.as_ref().map_or("-", |domain| domain.as_str()).to_owned(),
            result: if is_complete || !matches!(dmarc.result, DmarcResult::Fail(_)) {
                dmarc.result.keyword()
            } else {
                "-"
            },
            reason: policy(dmarc).unwrap_or_else(|| dmarc.result.to_string()),
        });
        table.write(out, style)?;
        writeln!(out, "\n{}", wrapped(&printable(&conclusion(self.verdict, is_complete)), 0))?;
        if is_complete {
            writeln!(out, "Disposition: {}", style.keyword(dmarc.disposition.keyword()))?;
        }
        if let Some(offer) = &self.verdict.policy_override {
            let offered = style.keyword(self.verdict.disposition.keyword());
            let words = format!("({}: {offer})", offer.reason.keyword());
            writeln!(out, "Override: {offered}\n{}", wrapped(&printable(&words), 0))?;
        }
        if let Some(older) = dmarc_rfc7489 {
            write_comparison(out, dmarc, older, style)?;
        }
        findings::write(out, &self.findings, self.log, style)?;
        if let Some(way) = self.shown_hops() {
            way.write(out, style)?;
        }
        write_steps(out, self.steps.as_deref(), style)?;
        if !self.shows_headers {
            return Ok(());
        }
        writeln!(out, "\n{}", style.bold("HEADER FIELDS"))?;
        for field in self.received_spf.as_deref().into_iter().chain([&*self.field_to_paste()]) {
            write_field(out, field)?;
        }
        Ok(())
    }
}

/// What a signature leaves open of fields that must stand once.
fn not_covered(report: &SignatureReport) -> String {
    if report.not_covered.is_empty() {
        return String::new();
    }
    format!("; not covered: more than one {}", report.not_covered)
}

/// The row for MAIL FROM.
const MAIL_FROM: &str = "SPF MAIL FROM";

/// The rows for HELO and MAIL FROM.
pub(crate) fn spf_rows(table: &mut Table, spf: &SpfReports, session: &Session) {
    for (check, report) in [("SPF HELO", &spf.helo), (MAIL_FROM, &spf.mail_from)] {
        match report {
            Some(report) => {
                let mut reason = report.result.to_string();
                if let Some(text) = report.result.published_explanation() {
                    // RFC 7208 §6.2: receivers are warned that the text is the domain's, not theirs.
                    reason = format!("{reason}; the domain says: \"{text}\"");
                }
                let result = report.result.keyword();
                table.push(Row {
                    check: check.to_owned(),
                    domain: visible(report.domain()).to_owned(),
                    result,
                    reason,
                });
            }
            None => {
                let reason = format!("not evaluated: {}", unknown(check, session));
                table.push(Row { check: check.to_owned(), domain: "-".to_owned(), result: "-", reason });
            }
        }
    }
}

/// Why nothing was evaluated.
fn unknown(check: &str, session: &Session) -> &'static str {
    match (&session.peer_ip, &session.mail_from) {
        (None, _) => "the client's address is not known",
        // RFC 7208 §2.4.
        (Some(_), MailFrom::Null) if check == MAIL_FROM => {
            "the null reverse-path stands for the HELO name, which is not known"
        }
        (Some(_), MailFrom::Null | MailFrom::Address(_) | MailFrom::FromReturnPath) => "the identity is not known",
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

/// What a trusted sealer reported of the message as it received it.
fn reported(trusted: &Trusted) -> String {
    let results = [("spf", &trusted.spf), ("dkim", &trusted.dkim), ("dmarc", &trusted.dmarc)];
    let said: Vec<String> =
        results.iter().filter_map(|(method, word)| word.as_ref().map(|word| format!("{method}={word}"))).collect();
    if said.is_empty() {
        return "this trusted sealer reported nothing about the message as it received it".to_owned();
    }
    format!("this trusted sealer received the message with {}", said.join(", "))
}

/// Who handed over the message; `null_return_path` where a Return-Path field was read, and is `<>`; `origin` says where the address
/// comes from.
pub(crate) fn client(session: &Session, spf: &SpfReports, null_return_path: bool, origin: Option<&str>) -> String {
    let mut ip = session.peer_ip.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string());
    if let Some(origin) = origin {
        ip = format!("{ip}, {origin}");
    }
    let helo = session.helo.as_deref().map_or("unknown", visible);
    let mail_from = match (&session.mail_from, &spf.mail_from) {
        (MailFrom::Address(address), _) => address.to_string(),
        (MailFrom::Null, _) => "<>".to_owned(),
        (MailFrom::FromReturnPath, Some(_)) if null_return_path => "<> (Return-Path)".to_owned(),
        (MailFrom::FromReturnPath, Some(report)) => format!("{} (Return-Path)", report.sender),
        (MailFrom::FromReturnPath, None) => "unknown".to_owned(),
    };
    format!("Client {ip}, HELO {helo}, MAIL FROM {mail_from}")
}

/// The text, or what shows that there is none.
fn visible(text: &str) -> &str {
    if text.is_empty() { "\"\"" } else { text }
}

/// How the results came about, a step a line; the steps are printable already.
pub(crate) fn write_steps(out: &mut impl Write, steps: Option<&[String]>, style: Style) -> fmt::Result {
    let Some(steps) = steps else { return Ok(()) };
    writeln!(out, "\n{}", style.bold("EXPLANATION"))?;
    steps.iter().try_for_each(|step| writeln!(out, "  {step}"))
}

/// A folded header field, in lines of the system.
pub(crate) fn write_field(out: &mut impl Write, field: &str) -> fmt::Result {
    // Tabs of the folding stay; everything else is as printable as the rest.
    field.split("\r\n").try_for_each(|line| {
        let content = line.trim_start_matches(['\t', ' ']);
        let (fold, _) = line.split_at_checked(line.len() - content.len()).unwrap_or_default();
        writeln!(out, "{fold}{}", printable(content))
    })
}

/// The key by which a signature was made, as far as it is known.
fn key(report: &SignatureReport) -> String {
    let signature = &report.signature;
    let selector = signature.selector.as_ref().map(|selector| format!("selector {selector}"));
    let algorithm = signature.algorithm.as_ref().map(ToString::to_string);
    let bits = report.key.as_ref().and_then(|key| key.bits).map(|bits| format!("{bits} bits"));
    let known: Vec<String> = [selector, algorithm, bits].into_iter().flatten().collect();
    if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) }
}

/// The policy that applies, as it stands in the record.
fn policy(dmarc: &DmarcReport) -> Option<String> {
    if let Some(replaced) = dmarc.replaced() {
        return Some(replaced.to_string());
    }
    let (owner, policy, tag) = (dmarc.policy_domain.as_ref()?, dmarc.policy?, dmarc.policy_tag?);
    let what = match policy {
        Disposition::None => "do nothing about",
        Disposition::Quarantine => "treat as suspicious",
        Disposition::Reject => "reject",
    };
    Some(format!("{owner} asks receivers to {what} what fails ({}={})", tag.keyword(), policy.keyword()))
}

/// What DMARC makes of SPF and DKIM, in a sentence or two.
fn conclusion(verdict: &Verdict, is_complete: bool) -> String {
    let Verdict { spf, dmarc, .. } = verdict;
    let author = dmarc.author_domain.as_ref().map_or("an author domain", |domain| domain.as_str());
    let lowered = dmarc.lowered.as_ref().map(|lowered| format!(" The policy is not applied in full: {lowered}."));
    match &dmarc.result {
        DmarcResult::Pass(_) => {
            format!("The message comes from {author}, as its From field says: {}.", aligned(dmarc))
        }
        DmarcResult::Fail(_) if !is_complete => {
            format!(
                "DMARC is not known without the client: it fails unless SPF passes. Nothing else shows that the message comes \
                 from {author}, as its From field says."
            )
        }
        DmarcResult::Fail(reason) => format!(
            "Nothing shows that the message comes from {author}, as its From field says: {reason}.{}{}",
            lowered.unwrap_or_default(),
            // What was not evaluated may have made it a pass.
            if spf.mail_from.is_none() {
                " SPF was not evaluated for the sender, who is not known: see --mail-from."
            } else {
                ""
            }
        ),
        DmarcResult::None(reason) => format!("DMARC has no say: {reason}."),
        DmarcResult::TempError(reason) => {
            format!("DMARC could not be evaluated now: {reason}. {}", trying_again(reason))
        }
        DmarcResult::PermError(reason) => {
            let open = if is_complete { "" } else { " What is to be done is not known without the client." };
            format!("DMARC cannot be evaluated: {reason}.{}{open}", lowered.unwrap_or_default())
        }
    }
}

/// Whether the DNS may answer another time.
fn trying_again(reason: &TempErrorReason) -> &'static str {
    match reason {
        TempErrorReason::Record { error: LookupError::Malformed, .. }
        | TempErrorReason::Alignment { error: LookupError::Malformed, .. } => {
            "Trying again does not help: the records there must be corrected."
        }
        _ => "Trying again may help.",
    }
}

/// What RFC 7489 makes of the same answers.
fn write_comparison(out: &mut String, dmarc: &DmarcReport, older: &DmarcReport, style: Style) -> fmt::Result {
    let comparison = Comparison::of(dmarc, older);
    writeln!(out, "\n{}", style.bold("RFC 7489"))?;
    if comparison.is_same() {
        return writeln!(out, "  comes to the same");
    }
    for difference in &comparison.differences {
        writeln!(out, "  {}", wrapped(&printable(&difference.to_string()), 2))?;
    }
    for cause in &comparison.causes {
        writeln!(out, "  {}", wrapped(&printable(&format!("because {cause}")), 2))?;
    }
    Ok(())
}

/// Who authenticated what, as far as it aligns.
fn aligned(dmarc: &DmarcReport) -> String {
    let mut said: Vec<String> = Vec::new();
    for identifier in dmarc.identifiers.iter().filter(|identifier| identifier.is_aligned()) {
        let related = match &identifier.alignment {
            Alignment::SameOrganization { organizational_domain } => {
                format!(", which belongs to {organizational_domain} as well")
            }
            _ => String::new(),
        };
        let sentence = format!("{} authenticated {}{related}", identifier.mechanism.name(), identifier.domain);
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    said.join(", and ")
}
