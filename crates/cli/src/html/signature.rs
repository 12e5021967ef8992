//! The signatures: by which key, what each covers, and what changed since.

use super::{
    coverage::{Coverage, FieldCounts},
    text::{Bounded, More, cut, cut_word},
    word::keyword,
};
use crate::{
    changes::{MAX_SIGNATURES, signature_title},
    explain::hashed,
    report::Report,
    rows::NO_SIGNATURE,
    style::printable,
};
use mailverdict::{
    change::HashedBody,
    dkim::{KeySummary, SignatureReport},
    time::UnixTime,
};
use maud::{Markup, html};

/// Names of h= that are shown of one signature.
const MAX_NAMES: usize = 60;

/// All of them, from the top of the header down.
pub(super) fn signatures(report: &Report<'_>) -> Markup {
    let reports = &report.verdict.dkim;
    let counts = FieldCounts::of(report.message.header());
    let of = report.evaluated.changes.as_ref().map_or(&[][..], |changes| &changes.dkim);
    let numbered: Vec<(usize, &SignatureReport)> = (1..).zip(reports).collect();
    let Bounded { items, more } = Bounded::of(&numbered, MAX_SIGNATURES, |(number, signature)| {
        let is_changed = of.get(number - 1).is_some_and(|changes| !changes.is_empty());
        html! {
            h3 { (printable(&signature_title(*number, signature))) ": " (keyword(signature.result.keyword())) }
            p { (cut(&printable(&signature.result.to_string()))) }
            @if is_changed { p { a href="#changes" { "What changed since it was made" } } }
            (what_it_says(signature))
            (covers(signature, report, &counts))
            @if let Some(key) = &signature.key { (key_record(key)) }
        }
    });
    html! {
        @if reports.is_empty() { p { (NO_SIGNATURE) } }
        @for item in items { (item) }
        (more)
    }
}

/// Its tags, as far as they could be read.
fn what_it_says(report: &SignatureReport) -> Markup {
    let of = &report.signature;
    let time = |time: UnixTime| format!("{time} ({})", time.0);
    let tags = [
        ("selector", "s=", of.selector.as_ref().map(ToString::to_string)),
        ("algorithm", "a=", of.algorithm.as_ref().map(ToString::to_string)),
        ("key", "", report.key.as_ref().and_then(|key| key.bits).map(|bits| format!("{bits} bits"))),
        ("identity", "i=", of.identity.as_ref().map(ToString::to_string)),
        ("canonicalization", "c=", of.canonicalization.as_ref().map(ToString::to_string)),
        ("made", "t=", of.timestamp.map(time)),
        ("expires", "x=", of.expiration.map(time)),
    ];
    let known: Vec<_> = tags.into_iter().filter_map(|(word, tag, value)| Some((word, tag, value?))).collect();
    html! {
        @if !known.is_empty() {
            dl {
                @for (word, tag, value) in known {
                    dt { (word) @if !tag.is_empty() { " " code { (tag) } } }
                    dd { (cut(&printable(&value))) }
                }
            }
        }
    }
}

fn covers(report: &SignatureReport, whole: &Report<'_>, counts: &FieldCounts<'_>) -> Markup {
    let body = whole.is_whole.then(|| HashedBody::of(report, whole.message)).flatten();
    if report.signature.signed_fields.is_empty() && body.is_none() {
        return html! {};
    }
    let Coverage { covered, open, all_open } = counts.coverage(&report.signature.signed_fields);
    let Bounded { items, more } = Bounded::of(&covered, MAX_NAMES, |of| {
        html! { tr { th scope="row" { (cut_word(&of.name)) } td { (of.meaning()) } } }
    });
    html! {
        details {
            summary { "What it covers: " (summary(covered.len(), body.as_ref(), report.unsigned_octets)) }
            @if let Some(body) = &body { (hashes(body)) }
            @if !covered.is_empty() {
                table {
                    thead { tr { th scope="col" { "Field" } th scope="col" { "What h= says of it" } } }
                    tbody { @for item in items { (item) } }
                }
                (more)
            }
            @if !open.is_empty() {
                p { "Not covered: " (cut(&open.join(", "))) }
                (More { shown: open.len(), all: all_open })
            }
        }
    }
}

fn summary(names: usize, body: Option<&HashedBody>, unsigned: u64) -> String {
    let fields = if names == 1 { "1 name of fields".to_owned() } else { format!("{names} names of fields") };
    match body {
        Some(HashedBody { octets, .. }) => {
            format!("{fields}, and {octets} of {} octets of the body", octets.saturating_add(unsigned))
        }
        None => fields,
    }
}

fn hashes(body: &HashedBody) -> Markup {
    html! {
        p { (hashed(body)) }
        p { "bh= is " (cut(&printable(&body.published))) }
    }
}

fn key_record(key: &KeySummary) -> Markup {
    html! {
        details {
            summary { "Key record at " (printable(key.name.as_str())) }
            pre { (cut(&printable(&key.text))) }
        }
    }
}
