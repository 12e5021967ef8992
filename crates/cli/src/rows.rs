//! The rows of the table: what was checked, for which domain, with which result, and why.

use crate::{
    conclusion::{policy, reason_and_policy},
    report::Report,
    style::{Row, Table},
};
use mailverdict::{
    Session, Verdict,
    arc::Trusted,
    dkim::SignatureReport,
    dmarc::{DmarcReport, DmarcResult},
    session::MailFrom,
    spf::SpfReports,
};

/// What is said where there is no signature.
pub(crate) const NO_SIGNATURE: &str = "the message has no DKIM-Signature field";

/// The table of a message.
pub(crate) fn table(report: &Report<'_>) -> Table {
    let Verdict { spf, dkim, arc, dmarc, .. } = report.verdict;
    let mut table = Table::default();
    spf_rows(&mut table, spf, report.session);
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
        let reason = NO_SIGNATURE.to_owned();
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
    table.push(dmarc_row(dmarc, report.wanted()));
    table
}

/// What DMARC came to, and the policy, whether it is asked for or not.
pub(crate) fn dmarc_row(dmarc: &DmarcReport, wanted: Option<&str>) -> Row {
    let wanted = wanted.filter(|_| matches!(dmarc.result, DmarcResult::Fail(_)));
    let waits = |wanted| {
        let policy = policy(dmarc).map(|policy| format!("; {policy}")).unwrap_or_default();
        format!("it waits for SPF, which needs {wanted}{policy}")
    };
    Row {
        check: "DMARC".to_owned(),
        domain: dmarc.author_domain.as_ref().map_or("-", |domain| domain.as_str()).to_owned(),
        result: if wanted.is_some() { "-" } else { dmarc.result.keyword() },
        reason: wanted.map_or_else(|| reason_and_policy(dmarc), waits),
    }
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

/// What a signature leaves open of fields that must stand once.
fn not_covered(report: &SignatureReport) -> String {
    if report.not_covered.is_empty() {
        return String::new();
    }
    format!("; not covered: more than one {}", report.not_covered)
}

/// What a trusted sealer reported of the message as it received it.
pub(crate) fn reported(trusted: &Trusted) -> String {
    let results = [("spf", &trusted.spf), ("dkim", &trusted.dkim), ("dmarc", &trusted.dmarc)];
    let said: Vec<String> =
        results.iter().filter_map(|(method, word)| word.as_ref().map(|word| format!("{method}={word}"))).collect();
    if said.is_empty() {
        return "this trusted sealer reported nothing about the message as it received it".to_owned();
    }
    format!("this trusted sealer received the message with {}", said.join(", "))
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

/// The text, or what shows that there is none.
pub(crate) fn visible(text: &str) -> &str {
    if text.is_empty() { "\"\"" } else { text }
}
