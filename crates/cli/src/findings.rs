//! Findings as people read them: what is wrong, the place in the record underlined, and what to do.

use crate::style::{Style, printable, terminal_columns, wrapped_at};
use mailverdict::{
    Span,
    dns::{AnyAnswer, RecordType},
    finding::{About, Finding, Quote, Severity},
    known::Log,
    message::Header,
};
use std::{
    borrow::Cow,
    fmt::{self, Write},
    ops::Range,
};

/// Columns of what goes to a file.
const COLUMNS: usize = 76;
/// Columns of sentences in a wide terminal.
const MAX_PROSE: usize = 110;
/// Columns before what belongs to a finding.
pub(crate) const INDENT: usize = 4;

/// The section, where there is anything to say.
pub(crate) fn write(
    out: &mut impl Write,
    findings: &[Finding],
    log: &Log,
    header: Option<&Header<'_>>,
    style: Style,
) -> fmt::Result {
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.bold("FINDINGS"))?;
    for finding in findings {
        let severity = finding.severity.keyword();
        let says = format!("{}: {}", finding.rule.id(), ascii(&finding.says));
        let says = wrapped_at(&says, 2 + severity.len() + 1, prose());
        writeln!(out, "  {} {says}", style.severity(finding.severity))?;
        if let Some((shown, place)) = quoted(finding, log, header) {
            let (before, mark) = (" ".repeat(INDENT + place.start), "^".repeat(place.len().max(1)));
            writeln!(out, "{:INDENT$}{shown}\n{before}{mark}", "")?;
        }
        if let Some(advice) = &finding.advice {
            writeln!(out, "{:INDENT$}{}", "", wrapped_at(&format!("-> {}", ascii(advice)), INDENT + 3, prose()))?;
        }
    }
    Ok(())
}

/// Columns of what is said of a record; in longer lines nobody reads well.
pub(crate) fn prose() -> usize {
    columns().min(MAX_PROSE)
}

/// Columns of a quoted record, its indent included.
fn columns() -> usize {
    terminal_columns().unwrap_or(COLUMNS)
}

/// An ellipsis is the one sign of a sentence that is not ASCII.
pub(crate) fn ascii(text: &str) -> String {
    printable(&text.replace('\u{2026}', "..."))
}

/// A record or a field with the place that a finding is about; octets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marked<'r> {
    record: Cow<'r, [u8]>,
    place: Range<usize>,
}

/// What stands before the place, in it and behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretches<'r> {
    pub(crate) before: &'r [u8],
    pub(crate) place: &'r [u8],
    pub(crate) behind: &'r [u8],
}

impl<'r> Marked<'r> {
    /// The record that a finding quotes; `None` where it quotes none, or the record is not here.
    pub(crate) fn of(finding: &Finding, log: &'r Log, header: Option<&Header<'_>>) -> Option<Self> {
        let (name, span) = (finding.name.as_deref()?, finding.quote.as_ref()?.span()?);
        let record = record(finding, name, log).map(Cow::Borrowed);
        let record = record.or_else(|| field(finding, name, header?).map(Cow::Owned))?;
        Some(Self { record, place: span.range() })
    }

    pub(crate) fn stretches(&self) -> Option<Stretches<'_>> {
        let (before, rest) = self.record.split_at_checked(self.place.start)?;
        let (place, behind) = rest.split_at_checked(self.place.len())?;
        Some(Stretches { before, place, behind })
    }
}

/// The record that a finding is about, or the stretch of it around the place, and where the place stands there.
fn quoted(finding: &Finding, log: &Log, header: Option<&Header<'_>>) -> Option<(String, Range<usize>)> {
    let marked = Marked::of(finding, log, header)?;
    let Stretches { before, place, behind } = marked.stretches()?;
    let most = columns() - INDENT;
    let mut marked = shown(place);
    let is_cut = marked.len() > most - 2 * DOTS.len();
    if is_cut {
        marked.truncate(most - 3 * DOTS.len());
        marked.push_str(DOTS);
    }
    let room = most - marked.len();
    let behind = if is_cut { String::new() } else { shown(behind.get(..most).unwrap_or(behind)) };
    // What the one side leaves is the other's.
    let for_before = room - behind.len().min(room / 2);
    let whole = before.len() <= most;
    let before = shown(before.get(before.len().saturating_sub(most)..).unwrap_or(before));
    let before = if whole && before.len() <= for_before { before } else { ending(&before, for_before) };
    let behind = beginning(&behind, room.saturating_sub(before.len()));
    let place = before.len()..before.len() + marked.len();
    Some((format!("{before}{marked}{behind}"), place))
}

const DOTS: &str = "...";

/// The end of a text that is longer.
fn ending(text: &str, most: usize) -> String {
    let kept = most.saturating_sub(DOTS.len()).min(text.len());
    format!("{DOTS}{}", text.get(text.len() - kept..).unwrap_or_default())
}

/// The text, or its beginning where it is longer.
fn beginning(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}{DOTS}", text.get(..most.saturating_sub(DOTS.len())).unwrap_or_default())
}

/// The field of this name that the finding quotes: the first one in which the quoted stretch stands. Its folds are shown as spaces.
fn field(finding: &Finding, name: &str, header: &Header<'_>) -> Option<Vec<u8>> {
    let quote = finding.quote.as_ref()?;
    let span = quote.span()?;
    let field = header.named(name).map(|field| field.raw()).find(|raw| stands_in(quote, span, raw))?;
    Some(field.iter().map(|octet| if octet.is_ascii_whitespace() { b' ' } else { *octet }).collect())
}

fn column(octet: u8) -> String {
    if matches!(octet, b' '..=b'~') { char::from(octet).to_string() } else { format!("\\{octet:03}") }
}

/// The text at the name that the finding quotes: the first one in which the quoted stretch stands.
fn record<'l>(finding: &Finding, name: &str, log: &'l Log) -> Option<&'l [u8]> {
    if !matches!(finding.rule.about(), About::Spf | About::Dkim | About::Dmarc | About::Tls | About::Bimi) {
        return None;
    }
    let quote = finding.quote.as_ref()?;
    let span = quote.span()?;
    let is_it = |question: &mailverdict::dns::Question| {
        question.record_type == RecordType::Txt && question.name.as_str() == name
    };
    let entry = log.entries().iter().chain(log.beside()).find(|entry| is_it(entry.question()))?;
    let Some(Ok(AnyAnswer::Txt(answer))) = entry.answer() else { return None };
    answer.records().iter().map(|text| &**text).find(|text| stands_in(quote, span, text))
}

/// Whether the quoted stretch stands at this place of the text.
fn stands_in(quote: &Quote, span: Span, text: &[u8]) -> bool {
    span.of(text).is_some_and(|octets| shown(octets) == quote.text())
}

/// Each octet takes one column, or four.
pub(crate) fn shown(octets: &[u8]) -> String {
    octets.iter().map(|octet| column(*octet)).collect()
}

impl Style {
    /// A severity in the colour of what it means.
    fn severity(self, severity: Severity) -> String {
        self.keyword_as(severity.keyword(), like(severity))
    }
}

/// The result's keyword that is as bad.
pub(crate) fn like(severity: Severity) -> &'static str {
    if severity == Severity::Error { "fail" } else { "softfail" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_the_columns() {
        assert_eq!(beginning("abcdef", 6), "abcdef");
        assert_eq!(beginning("abcdefg", 6), "abc...");
        assert_eq!(ending("abcdefg", 6), "...efg");
        assert_eq!(ascii("a\u{2026}\u{1b}"), "a...\\u{1b}");
    }
}
