//! How the results came about: for `--explain`, a step a line.

use crate::{report::Report, style::printable};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::{
    Message,
    change::{HashedBody, diagnosis},
    dkim::SignatureReport,
    dmarc::{DmarcReport, Found, Step},
    known::Log,
    spf::{Observers, SpfReports, Tree},
};

/// The trees of SPF for both identities.
pub(crate) fn spf_steps(reports: &SpfReports, trees: &Observers<Tree>) -> Vec<String> {
    let mut lines = Vec::new();
    for (identity, report, tree) in
        [("HELO", &reports.helo, &trees.helo), ("MAIL FROM", &reports.mail_from, &trees.mail_from)]
    {
        let Some(report) = report else { continue };
        lines.push(format!("SPF {identity}"));
        match tree.root() {
            // A tree holds nothing of strangers but names and terms, which are printable by their grammar or escaped.
            Some(root) => lines.extend(root.to_string().lines().map(|line| format!("  {line}"))),
            None => lines.push(format!("  {}: {}", report.result.keyword(), printable(&report.result.to_string()))),
        }
    }
    lines
}

/// The steps of all protocols, in the order of the verdict; what has to be computed of the body where the message is whole.
pub(crate) fn steps(of: &Report<'_>, trees: &Observers<Tree>) -> Vec<String> {
    let Report { message, verdict, log, is_whole, .. } = of;
    let message = is_whole.then_some(*message);
    let mut lines = spf_steps(&verdict.spf, trees);
    for (number, report) in (1..).zip(&verdict.dkim) {
        lines.push(format!("DKIM {number}"));
        lines.extend(signature_steps(report, message).into_iter().map(indented));
    }
    dmarc_steps(&verdict.dmarc, &mut lines);
    if let Some(dmarc) = &verdict.dmarc_rfc7489 {
        dmarc_steps(dmarc, &mut lines);
    }
    lines.extend(question_steps(log));
    lines
}

/// The questions to the DNS and their answers.
pub(crate) fn question_steps(log: &Log) -> Vec<String> {
    let heading = (!log.entries().is_empty()).then(|| "DNS, in the order of asking".to_owned());
    heading.into_iter().chain(log.entries().iter().map(ToString::to_string).map(indented)).collect()
}

/// A line below a heading; what strangers wrote in it cannot steer a terminal.
fn indented(line: String) -> String {
    format!("  {}", printable(&line))
}

fn signature_steps(report: &SignatureReport, message: Option<&Message<'_>>) -> Vec<String> {
    let signature = &report.signature;
    let mut lines = Vec::new();
    if let Some(canonicalization) = &signature.canonicalization {
        lines.push(format!("canonicalization {canonicalization}"));
    }
    if !signature.signed_fields.is_empty() {
        lines.push(format!("signed fields {}", signature.signed_fields));
    }
    if let Some(length) = signature.body_length {
        lines.push(format!("signed are {length} octets of the body, {} are not", report.unsigned_octets));
    }
    if let Some(key) = &report.key {
        lines.push(format!("{} holds \"{}\"", key.name, key.text));
    }
    lines.push(format!("{}: {}", report.result.keyword(), report.result));
    let Some(message) = message else { return lines };
    if let Some(body) = HashedBody::of(report, message) {
        lines.push(hashed(&body));
        lines.push(format!("bh= is             {}", body.published));
    }
    // What changed stands in a section of its own.
    lines.extend(diagnosis(report, message, &[]));
    lines
}

/// What was hashed of a body.
pub(crate) fn hashed(body: &HashedBody) -> String {
    let HashedBody { computed, octets, lines, .. } = body;
    format!("the body hashes to {}, of {octets} octets in {lines} lines", STANDARD.encode(computed.as_bytes()))
}

/// The steps of DMARC below their heading.
pub(crate) fn dmarc_steps(dmarc: &DmarcReport, lines: &mut Vec<String>) {
    lines.push(format!("DMARC ({})", dmarc.edition.name()));
    lines.extend(dmarc.steps.iter().map(walk_step).map(indented));
    lines.extend(dmarc.identifiers.iter().map(ToString::to_string).map(indented));
    for author in &dmarc.authors {
        let domain = author.author_domain.as_ref().map_or("?", |domain| domain.as_str());
        lines.push(format!("  for {domain} alone: {}, {}", author.result.keyword(), author.result));
    }
    if let Some(replaced) = dmarc.replaced() {
        lines.push(format!("  {replaced}"));
    } else if let (Some(tag), Some(policy)) = (dmarc.policy_tag, dmarc.policy) {
        lines.push(format!("  the policy that applies is {}={}", tag.keyword(), policy.keyword()));
    }
    if let Some(lowered) = &dmarc.lowered {
        lines.push(format!("  the disposition is milder: {lowered}"));
    }
    lines.push(format!("  {}: {}", dmarc.result.keyword(), dmarc.result));
}

fn walk_step(step: &Step) -> String {
    let name = format!("_dmarc.{}", step.domain);
    match &step.found {
        Found::Record(published) => format!("{name} holds \"{}\"", published.text),
        Found::Nothing { nxdomain: true, .. } => format!("{name} does not exist"),
        Found::Nothing { nxdomain: false, unrelated: 0 } => format!("{name} has no TXT record"),
        Found::Nothing { nxdomain: false, unrelated } => {
            format!("{name} has no DMARC record, and {unrelated} TXT of other kinds")
        }
        Found::ManyRecords { count } => format!("{name} has {count} DMARC records, which count as none"),
        Found::NotAName => format!("{name} is too long to be asked for"),
        Found::Error(error) => format!("{name} could not be asked for: {error}"),
        _ => name,
    }
}
