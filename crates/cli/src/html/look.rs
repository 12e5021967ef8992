//! What a domain publishes, as a page: the records first, the tree with its counts, then what is wrong, and what to publish instead.

use super::{
    document::{Document, Section},
    finding, questions,
    text::{Bounded, More, cut, cut_word},
    word::word_as,
};
use crate::{findings::like, lint::words, style::printable};
use mailverdict::{
    finding::Severity,
    lint::{Correction, Report, SpfPublished, SpfTerm},
};
use maud::{Markup, html};

/// Terms that are shown.
const MAX_TERMS: usize = 200;
/// Keys, hosts and other records that are shown, each.
const MAX_SHOWN: usize = 100;
/// Addresses in a row that are shown one by one.
const MAX_ADDRESSES: usize = 3;
/// The deepest step to the right.
const MAX_DEPTH: usize = 10;

/// The whole document.
pub(super) fn text(report: &Report) -> String {
    let domain = printable(report.domain.as_str());
    let title = format!("{domain}: {} - mailverdict", counts(report));
    Document { title, top: top(report, &domain), sections: sections(report) }.into_text()
}

/// How many findings there are of each kind.
fn counts(report: &Report) -> String {
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let kinds = [Severity::Error, Severity::Warning, Severity::Notice];
    let counted = kinds.into_iter().map(|severity| (count(severity), severity)).filter(|(count, _)| *count > 0);
    let told: Vec<String> = counted
        .map(|(count, severity)| format!("{count} {}{}", severity.keyword(), if count == 1 { "" } else { "s" }))
        .collect();
    if told.is_empty() { "nothing is found".to_owned() } else { told.join(", ") }
}

fn top(report: &Report, domain: &str) -> Markup {
    let worst = report.findings.first().map(|finding| finding.severity);
    html! {
        h1 { (cut(domain)) }
        p.said {
            @if let Some(worst) = worst { (word_as(worst.keyword(), like(worst))) " " }
            (counts(report))
        }
        @if !report.is_complete() {
            p { "The DNS left something open: what is not known is not found." }
        }
    }
}

fn sections(report: &Report) -> Vec<Section> {
    let section = |id, heading, content| Some(Section { id, heading, content });
    let none = "Nothing is found.";
    let senders = (!report.senders.is_empty()).then(|| list(&report.senders, words::sender));
    let texts = (!report.texts.is_empty()).then(|| texts(report));
    let corrections = (!report.corrections.is_empty()).then(|| corrections(&report.corrections));
    [
        section("spf", "SPF", spf(report)),
        section("dmarc", "DMARC", dmarc(report)),
        section("dkim", "DKIM", dkim(report)),
        section("mx", "Mail hosts", mail_hosts(report)),
        senders.and_then(|content| section("senders", "Senders", content)),
        texts.and_then(|content| section("texts", "TLS and picture", content)),
        section("findings", "Findings", finding::findings(&report.findings, report.log(), None, none)),
        corrections.and_then(|content| section("corrections", "To publish instead", content)),
        section("dns", "DNS", questions(report.log())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A record below its name.
fn record(name: &str, text: &str) -> Markup {
    html! {
        p { code { (cut_word(&printable(name))) } }
        pre { (cut(&printable(text))) }
    }
}

fn list<T>(all: &[T], said: impl Fn(&T) -> String) -> Markup {
    let Bounded { items, more } = Bounded::of(all, MAX_SHOWN, |one| html! { li { (cut(&printable(&said(one)))) } });
    html! { ul { @for item in items { (item) } } (more) }
}

fn spf(report: &Report) -> Markup {
    let Some(spf) = &report.spf else { return html! { p { "no record" } } };
    html! {
        @match &spf.record {
            Some(text) => (record(&spf.name.to_string(), text)),
            None => p { "several records" },
        }
        p { (words::lookups(spf)) }
        p { (words::allowed(spf)) }
        @if !spf.terms.is_empty() { (tree(spf)) }
    }
}

/// The terms of all records, each with the count where it asks and what it costs with all that it leads to.
fn tree(spf: &SpfPublished) -> Markup {
    let mut rows = Vec::new();
    let mut left = spf.terms.as_slice();
    while let ([term, rest @ ..], true) = (left, rows.len() < MAX_TERMS) {
        let in_a_row = words::addresses_in_a_row(left);
        let (taken, rest) =
            if in_a_row > MAX_ADDRESSES { (in_a_row, left.get(in_a_row..).unwrap_or_default()) } else { (1, rest) };
        rows.push(row(term, taken - 1));
        left = rest;
    }
    let more = More { shown: spf.terms.len() - left.len(), all: spf.terms.len() };
    html! {
        table.terms {
            thead {
                tr {
                    th scope="col" { "Term" }
                    th scope="col" { "At" }
                    th scope="col" { "Cost" }
                    th scope="col" { "Lets in" }
                }
            }
            tbody { @for row in rows { (row) } }
        }
        (more)
    }
}

fn row(term: &SpfTerm, more: usize) -> Markup {
    let depth = format!("d{}", term.depth.min(MAX_DEPTH));
    html! {
        tr {
            th scope="row" class=(depth) {
                code { (cut_word(&printable(&term.term))) }
                @if more > 0 { " and " (more) " networks more" }
                @if term.is_void { " (in vain)" }
            }
            td { @if term.lookups > 0 { (term.at) } }
            td { @if term.lookups > 0 { (term.lookups) } }
            td { @if term.ipv4_addresses > 0 && more == 0 && passes(term) { (term.ipv4_addresses) } }
        }
    }
}

/// Whether whom it matches is let in.
fn passes(term: &SpfTerm) -> bool {
    !term.term.starts_with(['-', '~', '?'])
}

fn dmarc(report: &Report) -> Markup {
    let Some(dmarc) = &report.dmarc else { return html! { p { "no record applies" } } };
    html! {
        (record(&dmarc.name.to_string(), &dmarc.record))
        (list(&words::policies(dmarc), Clone::clone))
    }
}

fn dkim(report: &Report) -> Markup {
    if report.dkim.is_empty() {
        return html! { p { (words::NO_SELECTOR) } };
    }
    list(&report.dkim, words::key)
}

fn mail_hosts(report: &Report) -> Markup {
    if report.mx.is_empty() {
        return html! { p { "none" } };
    }
    list(&report.mx, |mx| format!("{} {}", mx.preference, mx.exchange))
}

fn texts(report: &Report) -> Markup {
    let Bounded { items, more } = Bounded::of(&report.texts, MAX_SHOWN, |text| {
        html! {
            (record(&text.name.to_string(), &text.record))
            @if let Some(what) = &text.not_fetched { p { (cut(&printable(what))) " is not fetched" } }
        }
    });
    html! { @for item in items { (item) } (more) }
}

/// Whole lines, however long they are.
fn corrections(corrections: &[Correction]) -> Markup {
    html! { @for line in corrections { pre { (printable(&line.to_string())) } } }
}
