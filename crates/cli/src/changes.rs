//! What changed on the way, as people read it: for each signature the causes, the proven ones first, and what to do.

use crate::{
    findings::{INDENT, ascii, prose},
    report::Report,
    style::{Style, wrapped_at},
};
use mailverdict::{
    change::{Changes, OfMessageSignature},
    dkim::{Change, SignatureReport},
};
use std::fmt::{self, Write};

/// Signatures that are told of; a message may have a hundred thousand.
pub(crate) const MAX_SIGNATURES: usize = 20;

/// The section, where there is anything to say.
pub(crate) fn write(out: &mut impl Write, report: &Report<'_>, style: Style) -> fmt::Result {
    let Some(changes) = &report.evaluated.changes else { return Ok(()) };
    let all: Vec<(String, &[Change])> = titled(report, changes).take(MAX_SIGNATURES).collect();
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.bold("WHAT CHANGED"))?;
    for (title, changes) in all {
        writeln!(out, "  {}", ascii(&title))?;
        changes.iter().try_for_each(|change| write_change(out, change, style))?;
    }
    Ok(())
}

/// The lists that are not empty, each with the name of its signature.
pub(crate) fn titled<'r>(report: &Report<'r>, changes: &'r Changes) -> impl Iterator<Item = (String, &'r [Change])> {
    let reports = &report.verdict.dkim;
    let of_dkim = (1..)
        .zip(reports)
        .zip(&changes.dkim)
        .map(|((number, report), changes)| (signature_title(number, report), &**changes));
    let of_arc = changes.message_signatures.iter().map(|set| (set_title(set), &*set.changes));
    of_dkim.chain(of_arc).filter(|(_, changes)| !changes.is_empty())
}

/// A DKIM signature by its number and domain.
pub(crate) fn signature_title(number: usize, report: &SignatureReport) -> String {
    let domain = report.signature.domain.as_ref().map_or("?", |domain| domain.as_str());
    format!("DKIM {number}, {domain}")
}

/// The message signature of an ARC set by its instance.
fn set_title(of: &OfMessageSignature) -> String {
    format!("ARC-Message-Signature {}", of.instance)
}

/// Whether a change was computed, in a word.
pub(crate) fn proof(change: &Change) -> &'static str {
    if change.is_proven { "proven" } else { "unproven" }
}

/// The result's keyword that is as bad.
pub(crate) fn like(change: &Change) -> &'static str {
    if change.is_proven { "fail" } else { "softfail" }
}

fn write_change(out: &mut impl Write, change: &Change, style: Style) -> fmt::Result {
    let word = proof(change);
    let says = format!("{}: {}", change.kind.keyword(), ascii(&change.says));
    writeln!(
        out,
        "{:INDENT$}{} {}",
        "",
        style.keyword_as(word, like(change)),
        wrapped_at(&says, INDENT + word.len() + 1, prose())
    )?;
    match &change.advice {
        Some(advice) => {
            writeln!(out, "{:INDENT$}  {}", "", wrapped_at(&format!("-> {}", ascii(advice)), INDENT + 5, prose()))
        }
        None => Ok(()),
    }
}
