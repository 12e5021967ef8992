//! The findings: how bad, what is so, the record with the place marked, and what to do.

use super::{
    text::{Bounded, cut},
    word::word_as,
};
use crate::findings::{Marked, Stretches, ascii, like, shown};
use mailverdict::{finding::Finding, known::Log, message::Header};
use maud::{Markup, html};

/// Findings that are shown.
const MAX_FINDINGS: usize = 100;
/// Octets of a record that are shown before the place, and as many behind it.
const AROUND: usize = 300;
/// Octets that are shown of the place.
const MAX_PLACE: usize = 600;

/// The findings, the worst first; `none` is said where there are none.
pub(super) fn findings(all: &[Finding], log: &Log, header: Option<&Header<'_>>, none: &str) -> Markup {
    let item = |finding: &Finding| html! { li { (row(finding, log, header)) } };
    let Bounded { items, more } = Bounded::of(all, MAX_FINDINGS, item);
    html! {
        @if all.is_empty() {
            p { (none) }
        } @else {
            ol.findings { @for item in items { (item) } }
        }
        (more)
    }
}

fn row(finding: &Finding, log: &Log, header: Option<&Header<'_>>) -> Markup {
    let severity = finding.severity;
    html! {
        h3 { (word_as(severity.keyword(), like(severity))) " " (finding.rule.id()) }
        p { (cut(&ascii(&finding.says))) }
        @if let Some(marked) = Marked::of(finding, log, header) {
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
