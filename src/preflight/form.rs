//! Whether a message has the form that receivers ask for (RFC 5322).

use super::{facts::Facts, judgement::Judgement};
use crate::{finding::Rule, message::Header};

/// Faults that are told.
const MAX_TOLD: usize = 3;
/// Fields in which no encoded word may stand (RFC 2047 §5).
const WITHOUT_ENCODED_WORDS: [&str; 8] = [
    "Message-ID",
    "In-Reply-To",
    "References",
    "Date",
    "Return-Path",
    "Received",
    "MIME-Version",
    "Content-Transfer-Encoding",
];

/// One From field with one address, no field twice that must stand once, a Message-ID and a Date, and no encoded word where none may stand.
pub(super) fn judge(facts: &Facts<'_>) -> Judgement {
    if facts.is_made_up() {
        return Judgement::not_seen("no message was given, and one that is made up says nothing of the form of others");
    }
    let of_form = facts.findings.iter().filter(|finding| is_of_form(finding.rule));
    let mut faults: Vec<String> = of_form.map(|finding| finding.says.to_string()).collect();
    faults.extend(missing(facts.header));
    faults.extend(encoded(facts.header));
    if faults.is_empty() {
        return Judgement::met("the header has the form of RFC 5322, as far as receivers are known to look");
    }
    faults.truncate(MAX_TOLD);
    Judgement::not_met(faults.join("; "), "Write the header as RFC 5322 has it.")
}

fn is_of_form(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::FromMalformed
            | Rule::FromManyDomains
            | Rule::HeaderDuplicate
            | Rule::HeaderBareLineEnd
            | Rule::HeaderNul
            | Rule::Header8bit
            | Rule::HeaderNotAField
            | Rule::HeaderMboxSeparator
            | Rule::BodyBareLineEnd
    )
}

fn missing(header: &Header<'_>) -> impl Iterator<Item = String> {
    ["Message-ID", "Date"]
        .into_iter()
        .filter(|name| header.named(name).all(|field| field.value().trim_ascii().is_empty()))
        .map(|name| format!("the message has no {name} field"))
}

fn encoded(header: &Header<'_>) -> impl Iterator<Item = String> {
    WITHOUT_ENCODED_WORDS
        .into_iter()
        .filter(|name| header.named(name).any(|field| memchr::memmem::find(field.value(), b"=?").is_some()))
        .map(|name| format!("an encoded word stands in the {name} field, where none may (RFC 2047)"))
}
