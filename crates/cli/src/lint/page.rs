//! What a domain publishes, as people read it: the records first, the tree with its counts, and then what is wrong.

use super::words;
use crate::{
    findings::{self, ascii, prose},
    style::{Style, printable, wrapped_at},
};
use mailverdict::lint::{DmarcPublished, Report, SpfPublished, SpfTerm};
use std::fmt::{self, Write as _};

/// Columns before what belongs to a section.
const INDENT: usize = 2;
/// Terms that are shown; `--json` has all.
const MAX_TERMS: usize = 200;
/// Addresses in a row that are shown one by one.
const MAX_ADDRESSES: usize = 3;
/// Octets of a record that are shown; findings quote what lies behind.
const MAX_RECORD: usize = 2000;

/// The page.
pub(super) fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = write(&mut out, report, Style::of_stdout());
    out
}

fn write(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    writeln!(out, "{}", style.bold(&printable(report.domain.as_str())))?;
    section(out, style, "SPF", |out| match &report.spf {
        Some(spf) => write_spf(out, spf),
        None => paragraph(out, INDENT, "no record"),
    })?;
    section(out, style, "DMARC", |out| match &report.dmarc {
        Some(dmarc) => write_dmarc(out, dmarc),
        None => paragraph(out, INDENT, "no record applies"),
    })?;
    if report.dkim.is_empty() {
        section(out, style, "DKIM", |out| paragraph(out, INDENT, words::NO_SELECTOR))?;
    } else {
        section(out, style, "DKIM", |out| {
            report.dkim.iter().try_for_each(|key| paragraph(out, INDENT, &words::key(key)))
        })?;
    }
    section(out, style, "MX", |out| {
        if report.mx.is_empty() {
            return paragraph(out, INDENT, "none");
        }
        let host = |mx: &mailverdict::dns::Mx| format!("{:>5} {}", mx.preference, mx.exchange);
        report.mx.iter().try_for_each(|mx| writeln!(out, "{}", printable(&host(mx))))
    })?;
    if !report.senders.is_empty() {
        section(out, style, "SENDERS", |out| {
            report.senders.iter().try_for_each(|sender| paragraph(out, INDENT, &words::sender(sender)))
        })?;
    }
    if !report.texts.is_empty() {
        section(out, style, "TLS AND PICTURE", |out| {
            report.texts.iter().try_for_each(|text| {
                paragraph(out, INDENT, &format!("{} \"{}\"", text.name, text.record))?;
                text.not_fetched
                    .iter()
                    .try_for_each(|what| paragraph(out, 2 * INDENT, &format!("{what} is not fetched")))
            })
        })?;
    }
    findings::write(out, &report.findings, report.log(), None, style)?;
    if !report.corrections.is_empty() {
        section(out, style, "CORRECTED RECORD, TO PASTE", |out| {
            // Whole lines, however long they are.
            report.corrections.iter().try_for_each(|line| writeln!(out, "{}", printable(&line.to_string())))
        })?;
    }
    if report.findings.is_empty() {
        writeln!(out, "\n{}\n  none", style.bold("FINDINGS"))?;
    }
    Ok(())
}

fn section(
    out: &mut String,
    style: Style,
    heading: &str,
    write: impl FnOnce(&mut String) -> fmt::Result,
) -> fmt::Result {
    writeln!(out, "\n{}", style.bold(heading))?;
    write(out)
}

/// Wrapped, with later lines further in.
fn paragraph(out: &mut String, indent: usize, text: &str) -> fmt::Result {
    writeln!(out, "{:indent$}{}", "", wrapped_at(&ascii(text), indent + INDENT, prose()))
}

fn record(out: &mut String, name: &str, text: &str) -> fmt::Result {
    let shown = text.get(..MAX_RECORD).map_or_else(|| text.to_owned(), |start| format!("{start}..."));
    paragraph(out, INDENT, &format!("{name} \"{}\"", if text.len() > MAX_RECORD { &shown } else { text }))
}

fn write_spf(out: &mut String, spf: &SpfPublished) -> fmt::Result {
    let Some(text) = &spf.record else { return paragraph(out, INDENT, "several records") };
    record(out, &spf.name.to_string(), text)?;
    paragraph(out, INDENT, &words::lookups(spf))?;
    paragraph(out, INDENT, &words::allowed(spf))?;
    if spf.terms.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:INDENT$}{:>4} {:>4}  TERM", "", "AT", "COST")?;
    let mut left = spf.terms.as_slice();
    let mut shown = 0;
    while let [term, rest @ ..] = left {
        let more = words::addresses_in_a_row(left);
        if more > MAX_ADDRESSES {
            write_term(out, term, &format!(" and {} networks more", more - 1))?;
            left = left.get(more..).unwrap_or_default();
        } else {
            write_term(out, term, "")?;
            left = rest;
        }
        shown += 1;
        if shown == MAX_TERMS && !left.is_empty() {
            return paragraph(out, INDENT, &format!("... and {} terms more, which --json has", left.len()));
        }
    }
    Ok(())
}

/// The running count where the term asks, what it costs, and the term below that of the record that leads to it.
fn write_term(out: &mut String, term: &SpfTerm, more: &str) -> fmt::Result {
    const COLUMNS: usize = 4 + 1 + 4 + 2;
    let below = 2 * term.depth.min(10);
    let indent = INDENT + COLUMNS + below;
    let (at, cost) = match term.lookups {
        0 => (String::new(), String::new()),
        lookups => (term.at.to_string(), lookups.to_string()),
    };
    let void = if term.is_void { " (in vain)" } else { "" };
    let room = prose().saturating_sub(indent + void.len() + more.len()).max(20);
    let text = ascii(&term.term);
    let shown = if text.len() > room { format!("{}...", text.get(..room - 3).unwrap_or(&text)) } else { text };
    writeln!(out, "{:INDENT$}{at:>4} {cost:>4}  {:below$}{shown}{void}{more}", "", "")
}

fn write_dmarc(out: &mut String, dmarc: &DmarcPublished) -> fmt::Result {
    record(out, &dmarc.name.to_string(), &dmarc.record)?;
    words::policies(dmarc).iter().try_for_each(|said| paragraph(out, INDENT, said))
}
