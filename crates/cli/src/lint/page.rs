//! What a domain publishes, as people read it: the records first, the tree with its counts, and then what is wrong.

use crate::{
    findings::{self, ascii, prose},
    style::{Style, printable, wrapped_at},
};
use mailverdict::{
    lint::{DmarcPublished, KeyPublished, Report, Sender, SpfPublished, SpfTerm},
    report::Permission,
};
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
        section(out, style, "DKIM", |out| {
            paragraph(out, INDENT, "no selector is known: --selector names one, --message takes those of a message")
        })?;
    } else {
        section(out, style, "DKIM", |out| report.dkim.iter().try_for_each(|key| write_key(out, key)))?;
    }
    section(out, style, "MX", |out| {
        if report.mx.is_empty() {
            return paragraph(out, INDENT, "none");
        }
        let host = |mx: &mailverdict::dns::Mx| format!("{:>5} {}", mx.preference, mx.exchange);
        report.mx.iter().try_for_each(|mx| writeln!(out, "{}", printable(&host(mx))))
    })?;
    if !report.senders.is_empty() {
        section(out, style, "SENDERS", |out| report.senders.iter().try_for_each(|sender| write_sender(out, sender)))?;
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
    let lookups = format!(
        "{} of 10 lookups for a client that no term matches, {} at best; {} of 2 in vain",
        spf.lookups, spf.least_lookups, spf.void_lookups
    );
    paragraph(out, INDENT, &lookups)?;
    let addresses = format!(
        "allowed: {}, {}",
        counted(spf.ipv4_addresses, "IPv4 address", "IPv4 addresses"),
        counted(u64::try_from(spf.ipv6_prefixes).unwrap_or(u64::MAX), "IPv6 network", "IPv6 networks")
    );
    paragraph(out, INDENT, &addresses)?;
    if spf.terms.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:INDENT$}{:>4} {:>4}  TERM", "", "AT", "COST")?;
    let mut left = spf.terms.as_slice();
    let mut shown = 0;
    while let [term, rest @ ..] = left {
        let more = addresses_in_a_row(left);
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

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How many terms in a row are addresses of the same record.
fn addresses_in_a_row(terms: &[SpfTerm]) -> usize {
    let Some(first) = terms.first() else { return 0 };
    let is_address = |term: &&SpfTerm| {
        let start = term.term.get(..4).unwrap_or_default();
        (start.eq_ignore_ascii_case("ip4:") || start.eq_ignore_ascii_case("ip6:"))
            && term.depth == first.depth
            && term.domain == first.domain
    };
    terms.iter().take_while(is_address).count()
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
    let organization = dmarc.organizational_domain.as_ref().map_or("not known", |domain| domain.as_str());
    paragraph(out, INDENT, &format!("organizational domain: {organization}"))?;
    let testing = if dmarc.testing { "; each lowered by one, for a test" } else { "" };
    let policies = format!(
        "mail of the domain that fails: {}; of subdomains: {}; of names that do not exist: {}{testing}",
        dmarc.policy.keyword(),
        dmarc.subdomain_policy.keyword(),
        dmarc.nonexistent_policy.keyword()
    );
    paragraph(out, INDENT, &policies)?;
    if let Some(older) = &dmarc.rfc7489 {
        let part = if older.percent < 100 { format!(", for {} of 100 messages", older.percent) } else { String::new() };
        let older = format!(
            "receivers that follow RFC 7489: {}; of all names below: {}{part}",
            older.policy.keyword(),
            older.subdomain_policy.keyword()
        );
        paragraph(out, INDENT, &older)?;
    }
    dmarc.destinations.iter().try_for_each(|to| {
        let permission = match &to.permission {
            Permission::Internal => String::new(),
            permission => format!(": {permission}"),
        };
        paragraph(out, INDENT, &format!("reports to {}{permission}", to.uri))
    })
}

fn write_key(out: &mut String, key: &KeyPublished) -> fmt::Result {
    let kind = match (&key.key_type, key.bits) {
        (Some(kind), Some(bits)) => format!("{kind}, {bits} bits"),
        (Some(kind), None) => format!("{kind}, no key that can be used"),
        (None, _) => "no key".to_owned(),
    };
    let by: String = key.aliases.iter().map(|alias| format!(" by way of {alias}")).collect();
    paragraph(out, INDENT, &format!("{}: {kind}{by}", key.name))
}

fn write_sender(out: &mut String, sender: &Sender) -> fmt::Result {
    let name = match sender.names.first() {
        Some(name) if sender.is_confirmed => format!("{name}"),
        Some(name) => format!("{name}, which does not lead back"),
        None => "without a name".to_owned(),
    };
    let spf = match &sender.spf {
        Some(report) => format!("SPF {}: {report}", report.result.keyword()),
        None => "SPF is not known, because it depends on what only the message tells".to_owned(),
    };
    paragraph(out, INDENT, &format!("{} ({name}): {spf}", sender.ip))
}
