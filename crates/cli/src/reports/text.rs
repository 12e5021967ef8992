//! What reports say, for people at a terminal: unknown sources first.

use super::{
    hosts::Hosts,
    readings::Readings,
    words::{self, Kind},
};
use crate::{
    findings::{ascii, prose},
    style::{Style, printable, wrapped_at},
};
use mailverdict::report::{DomainSummary, SourceSummary};
use std::fmt::{self, Write as _};

const INDENT: usize = 2;
/// Sources of each kind that are shown.
const MAX_SOURCES: usize = 20;
/// Days that are shown, the latest.
const MAX_DAYS: usize = 14;
/// Domains that are shown.
const MAX_DOMAINS: usize = 50;
/// Columns of the longest bar.
const BAR: u64 = 30;

pub(super) fn text(readings: &Readings, hosts: &Hosts) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = write(&mut out, readings, hosts, Style::of_stdout());
    out
}

fn write(out: &mut String, readings: &Readings, hosts: &Hosts, style: Style) -> fmt::Result {
    let mut is_first = true;
    let domains: Vec<_> = readings.summary.domains().collect();
    for domain in domains.iter().take(MAX_DOMAINS) {
        if !std::mem::take(&mut is_first) {
            writeln!(out)?;
        }
        write_domain(out, domain, hosts, style)?;
    }
    if let Some(more) = domains.len().checked_sub(MAX_DOMAINS).filter(|more| *more > 0) {
        writeln!(out, "\n{more} more domains; --json has all")?;
    }
    let sections = [
        ("FAILURE REPORTS", readings.failures.iter().map(words::failure).collect::<Vec<_>>()),
        ("TLS REPORTS", readings.tls.iter().flat_map(words::tls).collect()),
    ];
    for (heading, lines) in sections {
        if !lines.is_empty() {
            if !std::mem::take(&mut is_first) {
                writeln!(out)?;
            }
            writeln!(out, "{}", style.bold(heading))?;
            lines.iter().try_for_each(|line| paragraph(out, INDENT, line))?;
        }
    }
    let mut remarks = Vec::new();
    if readings.more > 0 {
        remarks.push(format!("{} not shown; --json has all", words::counted(readings.more, "report")));
    }
    if readings.summary.duplicates() > 0 {
        let times = words::counted(readings.summary.duplicates(), "report");
        remarks.push(format!("{times} came more than once, and counted once"));
    }
    if readings.findings > 0 {
        remarks.push(format!(
            "{} from the format in {}; --json tells each with its line",
            words::counted(readings.findings, "departure"),
            words::counted(readings.with_findings, "report")
        ));
    }
    if !remarks.is_empty() {
        writeln!(out)?;
        remarks.iter().try_for_each(|remark| paragraph(out, 0, remark))?;
    }
    Ok(())
}

fn write_domain(out: &mut String, domain: &DomainSummary, hosts: &Hosts, style: Style) -> fmt::Result {
    let name = if domain.name.is_empty() { "a domain that is not told" } else { &domain.name };
    writeln!(out, "{}", style.bold(&printable(name)))?;
    paragraph(out, INDENT, &words::origin(domain))?;
    paragraph(out, INDENT, &words::result(&domain.mail))?;
    for (way, count) in words::ways(&domain.mail) {
        writeln!(out, "    {:>12}  {way}", words::number(count))?;
    }
    paragraph(out, INDENT, &words::stopped(domain))?;
    for overlap in &domain.overlaps {
        let says = format!(
            "Periods of {} overlap from {} to {}: mail of that time may be counted twice.",
            overlap.reporter, overlap.begin, overlap.end
        );
        paragraph(out, INDENT, &says)?;
    }
    writeln!(out, "\n{}", style.bold("AUTHENTICATED AS"))?;
    let authenticated = domain.by_authenticated();
    for (name, mail) in authenticated.iter().take(MAX_SOURCES) {
        paragraph(out, INDENT, &words::authenticated(*name, mail))?;
    }
    if let Some(more) = authenticated.len().checked_sub(MAX_SOURCES).filter(|more| *more > 0) {
        paragraph(out, INDENT, &format!("{more} more"))?;
    }
    let sources = domain.sources();
    for kind in Kind::ALL {
        let sources: Vec<_> = sources.iter().filter(|source| Kind::of(&source.mail) == kind).collect();
        if sources.is_empty() {
            continue;
        }
        writeln!(out, "\n{}", style.bold(kind.heading()))?;
        for source in sources.iter().take(MAX_SOURCES) {
            write_source(out, source, domain, hosts)?;
        }
        if let Some(rest) = sources.get(MAX_SOURCES..).filter(|rest| !rest.is_empty()) {
            let messages = rest.iter().map(|source| source.mail.messages).fold(0, u64::saturating_add);
            let rest = words::counted(u64::try_from(rest.len()).unwrap_or(u64::MAX), "more source");
            paragraph(out, INDENT, &format!("{rest}, with {}", words::counted(messages, "message")))?;
        }
    }
    write_days(out, domain, style)
}

fn write_source(out: &mut String, source: &SourceSummary, domain: &DomainSummary, hosts: &Hosts) -> fmt::Result {
    let host = source.client.and_then(|client| hosts.name(client));
    let messages = words::counted(source.mail.messages, "message");
    let (failing, seen) = (words::failing(&source.mail), words::seen(source, domain));
    // What all of them do stands above.
    let failing = if source.mail.passed() == 0 { String::new() } else { failing };
    paragraph(out, INDENT, &format!("{}: {messages}{failing}{seen}", words::name(source, host)))?;
    words::why(source, &domain.name).iter().try_for_each(|line| paragraph(out, 2 * INDENT, line))
}

/// Mail by day: a bar of what passes and of what fails.
fn write_days(out: &mut String, domain: &DomainSummary, style: Style) -> fmt::Result {
    if domain.days.len() < 2 {
        return Ok(());
    }
    writeln!(out, "\n{}", style.bold("BY DAY (= passes, ! fails)"))?;
    let most = domain.days.values().map(|mail| mail.messages).max().unwrap_or(1).max(1);
    let skipped = domain.days.len().saturating_sub(MAX_DAYS);
    for (day, mail) in domain.days.iter().skip(skipped) {
        let columns = |count: u64| {
            let columns = u128::from(count) * u128::from(BAR) / u128::from(most);
            usize::try_from(columns).unwrap_or(0).max(usize::from(count > 0))
        };
        let bar = "=".repeat(columns(mail.passed())) + &"!".repeat(columns(mail.failed()));
        let day = words::day(mailverdict::time::UnixTime(*day));
        writeln!(out, "  {day} {:>11}  {bar}", words::number(mail.messages))?;
    }
    Ok(())
}

/// Text of strangers is made printable.
fn paragraph(out: &mut String, indent: usize, text: &str) -> fmt::Result {
    let text = printable(&ascii(text));
    writeln!(out, "{:indent$}{}", "", wrapped_at(&text, indent + INDENT, prose()))
}
