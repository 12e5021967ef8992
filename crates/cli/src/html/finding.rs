//! The findings: how bad, what is so, the record with the place marked, and what to do.

use super::{
    text::{Bounded, cut},
    word::word_as,
};
use crate::{
    findings::{Marked, Stretches, ascii, like, shown},
    report::Report,
};
use mailverdict::finding::Finding;
use maud::{Markup, html};

/// Findings that are shown.
const MAX_FINDINGS: usize = 100;
/// Octets of a record that are shown before the place, and as many behind it.
const AROUND: usize = 300;
/// Octets that are shown of the place.
const MAX_PLACE: usize = 600;

/// The findings, the worst first.
pub(super) fn findings(report: &Report<'_>) -> Markup {
    let all = &report.evaluated.findings;
    let item = |finding: &Finding| html! { li { (row(finding, report)) } };
    let Bounded { items, more } = Bounded::of(all, MAX_FINDINGS, item);
    html! {
        @if all.is_empty() {
            p { "There is nothing to say of the records that were read, the message and the session." }
        } @else {
            ol.findings { @for item in items { (item) } }
        }
        (more)
    }
}

fn row(finding: &Finding, report: &Report<'_>) -> Markup {
    let severity = finding.severity;
    html! {
        h3 { (word_as(severity.keyword(), like(severity))) " " (finding.rule.id()) }
        p { (cut(&ascii(&finding.says))) }
        @if let Some(marked) = Marked::of(finding, report.log, Some(report.message.header())) {
            @if let Some(stretches) = marked.stretches() { (record(stretches)) }
        }
        @if let Some(advice) = &finding.advice { p { "What to do: " (cut(&ascii(advice))) } }
        @if let Some(reference) = finding.rule.reference() { p.muted { (reference) } }
    }
}

fn record(Stretches { before, place, behind }: Stretches<'_>) -> Markup {
    let start = before.len().saturating_sub(AROUND);
    html! {
        pre {
            @if start > 0 { "[...]" }
            (shown(before.get(start..).unwrap_or_default()))
            mark {
                (shown(place.get(..MAX_PLACE).unwrap_or(place)))
                @if place.len() > MAX_PLACE { "[...]" }
            }
            (shown(behind.get(..AROUND).unwrap_or(behind)))
            @if behind.len() > AROUND { "[...]" }
        }
    }
}
