//! The ARC chain: who sealed the message, and what each of them had found.

use super::{
    text::{Bounded, cut, cut_word},
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
    let item = |set: &SetReport| html! { li value=(set.instance) { (of_set(set)) } };
    let Bounded { items, more } = Bounded::of(&arc.sets, MAX_SETS, item);
    html! {
        p { (keyword(arc.result.keyword())) " " (cut(&printable(&arc.result.to_string()))) }
        @if arc.instances > 0 { p { "Instances: " (arc.instances) } }
        @if let Some(trusted) = &arc.trusted {
            p { "Set " (trusted.instance) ", " (printable(trusted.sealer.as_str())) ": " (cut(&printable(&reported(trusted)))) }
        }
        @if arc.sets.is_empty() {
            (sealers(&arc.sealers))
        } @else {
            ol { @for item in items { (item) } }
            (more)
        }
    }
}

/// Those that the seals of a broken chain name.
fn sealers(sealers: &[Domain]) -> Markup {
    let item = |sealer: &Domain| html! { li { (printable(sealer.as_str())) } };
    let Bounded { items, more } = Bounded::of(sealers, MAX_SETS, item);
    html! {
        @if !sealers.is_empty() {
            p { "The seals name these domains, which is not proven, because the chain does not pass:" }
            ul { @for item in items { (item) } }
            (more)
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
    let item = |result: &MethodResult| html! { li { (of_method(result)) } };
    let Bounded { items, more } = Bounded::of(&of.results, MAX_RESULTS, item);
    html! {
        p.muted { "as " (cut(&printable(&of.authserv_id))) " found it:" }
        ul {
            @for item in items { (item) }
            @if of.results.is_empty() { li { "none" } }
        }
        (more)
    }
}

fn of_method(of: &MethodResult) -> Markup {
    let properties = of.properties.iter().map(|of| format!("{}.{}={}", of.ptype, of.property, of.value));
    let properties: Vec<String> = properties.take(MAX_RESULTS).collect();
    html! {
        (cut_word(&printable(&of.method))) " " (keyword(&cut_word(&printable(&of.result))))
        @if !properties.is_empty() { " " code { (cut(&printable(&properties.join(" ")))) } }
    }
}
