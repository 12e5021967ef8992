//! The page of one message, for people: the verdict first, then on what it rests.

use crate::{
    changes, conclusion, findings,
    hops::Way,
    report::Report,
    rows::{table, visible},
    style::{Style, printable, terminal_columns, wrapped, wrapped_at},
};
use mailverdict::{
    Session,
    dmarc::{Comparison, DmarcReport},
    session::MailFrom,
    spf::SpfReports,
};
use std::fmt::{self, Write};

/// The whole page.
pub(crate) fn text(report: &Report<'_>, style: Style) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = write(&mut text, report, style);
    text
}

fn write(out: &mut String, report: &Report<'_>, style: Style) -> fmt::Result {
    conclusion::write(out, report, style)?;
    writeln!(out)?;
    write_client(out, report)?;
    writeln!(out)?;
    table(report).write(out, style)?;
    if let Some(older) = &report.verdict.dmarc_rfc7489 {
        write_comparison(out, &report.verdict.dmarc, older, style)?;
    }
    changes::write(out, report, style)?;
    findings::write(out, &report.evaluated.findings, report.log, Some(report.message.header()), style)?;
    if let Some(way) = report.shown_hops() {
        way.write(out, style)?;
    }
    write_steps(out, report.steps.as_deref(), style)?;
    if !report.shows_headers {
        return Ok(());
    }
    writeln!(out, "\n{}", style.bold("HEADER FIELDS"))?;
    report
        .evaluated
        .received_spf
        .as_deref()
        .into_iter()
        .chain([&*report.field_to_paste()])
        .try_for_each(|field| write_field(out, field))
}

fn write_client(out: &mut String, report: &Report<'_>) -> fmt::Result {
    client_lines(report).iter().try_for_each(|line| writeln!(out, "{}", wrapped(line, 0)))
}

/// Who handed over the message, and how that is known; printable.
pub(crate) fn client_lines(report: &Report<'_>) -> Vec<String> {
    let (session, spf) = (report.session, &report.verdict.spf);
    let null_return_path = spf.mail_from.as_ref().is_some_and(|of| report.is_null_return_path(of));
    let origin = report.way.as_ref().and_then(Way::origin);
    let client = client(session, spf, null_return_path, origin.as_deref());
    let remark = report.way.as_ref().and_then(|way| way.remark(session));
    [Some(client), remark].into_iter().flatten().map(|line| printable(&line)).collect()
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

/// How the results came about, a step a line; the steps are printable already.
pub(crate) fn write_steps(out: &mut impl Write, steps: Option<&[String]>, style: Style) -> fmt::Result {
    let Some(steps) = steps else { return Ok(()) };
    writeln!(out, "\n{}", style.bold("EXPLANATION"))?;
    let columns = terminal_columns();
    steps.iter().try_for_each(|step| writeln!(out, "{}", shown_step(step, columns)))
}

/// A step in a line; a terminal of so many columns has several of them, where one is not enough.
fn shown_step(step: &str, columns: Option<usize>) -> String {
    const INDENT: usize = 2;
    let text = step.trim_start();
    let before = INDENT + step.len() - text.len();
    match columns {
        Some(columns) => format!("{:before$}{}", "", wrapped_at(text, before + INDENT, columns)),
        None => format!("{:before$}{text}", ""),
    }
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

fn write_comparison(out: &mut String, dmarc: &DmarcReport, older: &DmarcReport, style: Style) -> fmt::Result {
    writeln!(out, "\n{}", style.bold("RFC 7489"))?;
    compared(dmarc, older).iter().try_for_each(|line| writeln!(out, "  {}", wrapped(line, 2)))
}

/// What RFC 7489 makes of the same answers; printable.
pub(crate) fn compared(dmarc: &DmarcReport, older: &DmarcReport) -> Vec<String> {
    let comparison = Comparison::of(dmarc, older);
    if comparison.is_same() {
        return vec!["comes to the same".to_owned()];
    }
    let differences = comparison.differences.iter().map(|difference| printable(&difference.to_string()));
    let causes = comparison.causes.iter().map(|cause| printable(&format!("because {cause}")));
    differences.chain(causes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_on_below_themselves_in_a_terminal() {
        let step = "  _dmarc.contoso.com holds \"v=DMARC1; p=reject; rua=mailto:reports@contoso.com\"";
        assert_eq!(shown_step(step, None), format!("  {step}"));
        assert_eq!(
            shown_step(step, Some(60)),
            "    _dmarc.contoso.com holds \"v=DMARC1; p=reject;\n      rua=mailto:reports@contoso.com\""
        );
    }
}
