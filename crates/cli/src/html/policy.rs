//! DMARC: which policy applies, and what aligned with the author domain.

use super::{
    text::{Bounded, cut},
    word::{keyword, word_as},
};
use crate::{explain::dmarc_steps, report::Report, rows::dmarc_row, style::printable};
use mailverdict::{dmarc::DmarcReport, name::Domain};
use maud::{Markup, html};

/// Identifiers, or steps, that are shown.
const MAX_SHOWN: usize = 100;

/// DMARC by the edition that was followed.
pub(super) fn dmarc(report: &Report<'_>) -> Markup {
    let dmarc = &report.verdict.dmarc;
    let row = dmarc_row(dmarc, report.wanted());
    let mut steps = Vec::new();
    dmarc_steps(dmarc, &mut steps);
    let Bounded { items: lines, more } = Bounded::of(&steps, MAX_SHOWN, |step| html! { (cut(&printable(step))) "\n" });
    html! {
        p { (keyword(row.result)) " " (cut(&printable(&row.reason))) }
        (domains(dmarc))
        @if let Some(record) = &dmarc.record {
            p { "The record:" }
            pre { (cut(&printable(&record.text))) }
        }
        (identifiers(dmarc))
        details {
            summary { "Each step of the evaluation" }
            pre { @for line in lines { (line) } }
            (more)
        }
    }
}

fn domains(dmarc: &DmarcReport) -> Markup {
    let name = |domain: &Option<Domain>| domain.as_ref().map(ToString::to_string);
    let rows = [
        ("Author domain", name(&dmarc.author_domain)),
        ("Organizational domain", name(&dmarc.organizational_domain)),
        ("Policy domain", name(&dmarc.policy_domain)),
        ("Policy", dmarc.policy.map(|policy| policy.keyword().to_owned())),
    ];
    let lowered = dmarc.lowered.map(|lowered| lowered.to_string());
    html! {
        dl {
            @for (word, value) in rows {
                dt { (word) }
                dd { (cut(&printable(value.as_deref().unwrap_or("-")))) }
            }
            @if let Some(lowered) = lowered { dt { "Milder because" } dd { (printable(&lowered)) } }
        }
    }
}

fn identifiers(dmarc: &DmarcReport) -> Markup {
    let all = &dmarc.identifiers;
    let Bounded { items, more } = Bounded::of(all, MAX_SHOWN, |of| {
        html! {
            li {
                @if of.is_aligned() { (word_as("aligned", "pass")) } @else { (word_as("not aligned", "none")) }
                " " (cut(&printable(&of.to_string())))
            }
        }
    });
    html! {
        @if all.is_empty() {
            p { "Neither SPF nor DKIM has authenticated a domain." }
        } @else {
            h3 { "Alignment" }
            ul { @for item in items { (item) } }
            (more)
        }
    }
}
