//! The ARC chain: who sealed the message, and what each of them had found.

use super::{
    text::{More, cut},
    word::keyword,
};
use crate::{report::Report, rows::reported, style::printable};
use mailverdict::{
    arc::SetReport,
    authentication_results::{AuthenticationResults, MethodResult},
    name::Domain,
};
use maud::{Markup, html};

/// Sets that are shown; a chain has no more (RFC 8617 §4.2.1).
const MAX_SETS: usize = 50;
/// Results that are shown of one set.
const MAX_RESULTS: usize = 20;

/// The chain.
pub(super) fn chain(report: &Report<'_>) -> Markup {
    let arc = &report.verdict.arc;
    html! {
        p { (keyword(arc.result.keyword())) " " (cut(&printable(&arc.result.to_string()))) }
        @if arc.instances > 0 { p { "Instances: " (arc.instances) } }
        @if let Some(trusted) = &arc.trusted {
            p { "Set " (trusted.instance) ", " (printable(trusted.sealer.as_str())) ": " (cut(&printable(&reported(trusted)))) }
        }
        @if arc.sets.is_empty() {
            (sealers(&arc.sealers))
        } @else {
            ol { @for set in arc.sets.iter().take(MAX_SETS) { li value=(set.instance) { (of_set(set)) } } }
            (More { shown: arc.sets.len().min(MAX_SETS), all: arc.sets.len() })
        }
    }
}

/// Those that the seals of a broken chain name.
fn sealers(sealers: &[Domain]) -> Markup {
    html! {
        @if !sealers.is_empty() {
            p { "The seals name these domains, which is not proven, because the chain does not pass:" }
            ul { @for sealer in sealers.iter().take(MAX_SETS) { li { (printable(sealer.as_str())) } } }
            (More { shown: sealers.len().min(MAX_SETS), all: sealers.len() })
        }
    }
}

fn of_set(set: &SetReport) -> Markup {
    html! {
        strong { (printable(set.sealer.as_str())) } ", selector " (printable(set.selector.as_str()))
        @match &set.results {
            None => p.muted { "its ARC-Authentication-Results cannot be read" },
            Some(results) => (of_results(results)),
        }
    }
}

fn of_results(of: &AuthenticationResults) -> Markup {
    html! {
        p.muted { "as " (cut(&printable(&of.authserv_id))) " found it:" }
        ul {
            @for result in of.results.iter().take(MAX_RESULTS) { li { (of_method(result)) } }
            @if of.results.is_empty() { li { "none" } }
        }
        (More { shown: of.results.len().min(MAX_RESULTS), all: of.results.len() })
    }
}

fn of_method(of: &MethodResult) -> Markup {
    let properties = of.properties.iter().map(|of| format!("{}.{}={}", of.ptype, of.property, of.value));
    let properties: Vec<String> = properties.take(MAX_RESULTS).collect();
    html! {
        (printable(&of.method)) " " (keyword(&cut(&printable(&of.result))))
        @if !properties.is_empty() { " " code { (cut(&printable(&properties.join(" ")))) } }
    }
}
