//! What would come of planned mail, as people read it: each way in a line, why, what receivers ask for, and what is wrong.

use crate::{
    findings::{self, ascii, prose},
    style::{Style, printable, wrapped_at},
};
use mailverdict::preflight::{Outcome, Plan, Report, Requirement};
use std::fmt::{self, Write as _};

/// Columns before what belongs to a section.
const INDENT: usize = 2;

/// The page.
pub(super) fn text(plan: &Plan, report: &Report) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = write(&mut out, plan, report, Style::of_stdout());
    out
}

fn write(out: &mut String, plan: &Plan, report: &Report, style: Style) -> fmt::Result {
    let planned = format!("Mail from {}, handed over by {}", printable(plan.from()), plan.ip());
    writeln!(out, "{}", style.bold(&wrapped_at(&planned, 0, prose())))?;
    write_outcomes(out, report, style)?;
    let is = |met: Option<bool>| report.requirements.iter().filter(move |requirement| requirement.is_met == met);
    write_requirements(out, "NOT MET OF WHAT RECEIVERS ASK FOR", is(Some(false)), style)?;
    write_requirements(out, "MET", is(Some(true)), style)?;
    write_requirements(out, "NOT SEEN FROM HERE", is(None), style)?;
    writeln!(out, "\n{:INDENT$}(bulk: of those who send 5,000 messages a day or more)", "")?;
    findings::write(out, &report.findings, report.log(), None, style)
}

/// A line for each way, and then why.
fn write_outcomes(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let Report { direct, forwarded, rewritten, list, .. } = report;
    let ways = [("directly", direct), ("forwarded", forwarded), ("rewritten", rewritten), ("by a list", list)];
    writeln!(out, "\n{}", style.bold("WAY        SPF        DKIM       DMARC"))?;
    for (way, outcome) in ways {
        let words = [outcome.spf(), outcome.dkim(), outcome.dmarc()];
        let [spf, dkim, dmarc] = words.map(|word| format!("{}{:pad$}", style.keyword(word), "", pad = 11 - word.len()));
        writeln!(out, "{}", format!("{way:<11}{spf}{dkim}{dmarc}").trim_end())?;
    }
    writeln!(out)?;
    ways.iter().try_for_each(|(way, Outcome { says, .. })| {
        writeln!(out, "{:INDENT$}{}", "", wrapped_at(&format!("{way}: {}", ascii(says)), 2 * INDENT, prose()))
    })
}

/// Those that say the same are told once, with all who ask for it.
fn write_requirements<'r>(
    out: &mut String,
    heading: &str,
    requirements: impl Iterator<Item = &'r Requirement>,
    style: Style,
) -> fmt::Result {
    let mut alike: Vec<Vec<&Requirement>> = Vec::new();
    for requirement in requirements {
        let is_same = |one: &&Requirement| one.says == requirement.says && one.advice == requirement.advice;
        match alike.iter_mut().find(|known| known.first().is_some_and(is_same)) {
            Some(known) => known.push(requirement),
            None => alike.push(vec![requirement]),
        }
    }
    if alike.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.bold(heading))?;
    for requirements in alike {
        let Some(Requirement { says, advice, .. }) = requirements.first() else { continue };
        writeln!(out, "{:INDENT$}{}", "", wrapped_at(&ascii(says), 2 * INDENT, prose()))?;
        writeln!(out, "{:4}{}", "", wrapped_at(&askers(&requirements), 6, prose()))?;
        if let Some(advice) = advice {
            writeln!(out, "{:4}{}", "", wrapped_at(&format!("-> {}", ascii(advice)), 7, prose()))?;
        }
    }
    Ok(())
}

/// Who asks for it, and what is replied to those who do not do so.
fn askers(requirements: &[&Requirement]) -> String {
    let mut told: Vec<String> = Vec::new();
    for Requirement { receiver, is_bulk_only, reply, .. } in requirements {
        let details: Vec<&str> = [is_bulk_only.then_some("bulk"), *reply].into_iter().flatten().collect();
        let asker =
            if details.is_empty() { receiver.to_string() } else { format!("{receiver} ({})", details.join(", ")) };
        if !told.contains(&asker) {
            told.push(asker);
        }
    }
    format!("asked by {}", told.join("; "))
}
