//! The JSON of `check`, `spf` and `batch`: a promise to scripts. Fields may be added, never renamed or removed.

use crate::{
    hops::Way,
    json_text::{self, Object},
    report::Report,
};
use mailverdict::{
    Message, Span, Verdict,
    arc::{ArcReport, Trusted},
    dkim::SignatureReport,
    dmarc::{Comparison, DmarcReport},
    finding::{Finding, Quote},
    name::{Domain, Name},
    spf::{SpfReport, SpfReports},
    verdict::PolicyOverride,
};

/// What could not be read.
const UNREAD: &str = "";

/// Adds one line: an object and a line end.
pub(crate) fn push_line(out: &mut Vec<u8>, fields: impl FnOnce(&mut Object<'_>)) {
    json_text::object(out, fields);
    out.push(b'\n');
}

/// One line of JSON with its line end.
pub(crate) fn to_line(fields: impl FnOnce(&mut Object<'_>)) -> String {
    let mut line = Vec::new();
    push_line(&mut line, fields);
    String::from_utf8_lossy(&line).into_owned()
}

/// All that is said of one message.
pub(crate) fn message(to: &mut Object<'_>, report: &Report<'_>) {
    let Verdict { spf: reports, dkim: signatures, arc: chain, dmarc: current, .. } = report.verdict;
    to.object("spf", |to| spf(to, reports));
    to.list("dkim", |list| {
        signatures.iter().for_each(|report_of| list.object(|to| dkim(to, report_of, report.message)))
    });
    to.object("arc", |to| arc(to, chain));
    to.object("dmarc", |to| dmarc(to, current, report.is_complete(current)));
    // What RFC 7489 says, and where the two differ, where both were asked for.
    if let Some(older) = &report.verdict.dmarc_rfc7489 {
        to.object("dmarc_rfc7489", |to| dmarc(to, older, report.is_complete(older)));
        to.object("dmarc_differences", |to| differences(to, &Comparison::of(current, older)));
    }
    // Why the message may be treated otherwise than DMARC's policy says.
    to.optional("override", report.verdict.policy_override.as_ref(), |to, name, offer| {
        to.object(name, |to| policy_override(to, offer));
    });
    // What the receiver may do: DMARC's disposition, unless there is an override.
    to.text("disposition", report.verdict.disposition.keyword());
    // The whole header field, folded with CRLF, without the line end after it.
    to.text("authentication_results", &report.authentication_results);
    // The same, for MAIL FROM or else for HELO.
    to.optional("received_spf", report.received_spf.as_deref(), Object::text);
    findings(to, &report.findings);
    // The way of the message, the newest hop first.
    if let Some(way) = report.shown_hops() {
        hops(to, way);
    }
    if let Some(steps) = &report.steps {
        explanation(to, steps);
    }
}

/// All that is said of a session without a message: the same fields, null where a message is needed.
pub(crate) fn spf_alone(to: &mut Object<'_>, reports: &SpfReports, received_spf: Option<&str>, found: &[Finding]) {
    to.object("spf", |to| spf(to, reports));
    to.null("dkim");
    to.null("arc");
    to.null("dmarc");
    to.null("override");
    to.null("disposition");
    to.null("authentication_results");
    to.optional("received_spf", received_spf, Object::text);
    findings(to, found);
}

/// What is wrong with what the evaluation touched, the worst first.
pub(crate) fn findings(to: &mut Object<'_>, findings: &[Finding]) {
    to.list("findings", |list| findings.iter().for_each(|finding| list.object(|to| self::finding(to, finding))));
}

fn finding(to: &mut Object<'_>, finding: &Finding) {
    let span = finding.quote.as_ref().and_then(Quote::span);
    to.text("id", finding.rule.id());
    to.text("severity", finding.severity.keyword());
    to.text("about", finding.rule.about().keyword());
    to.optional("name", finding.name.as_deref(), Object::text);
    to.optional("text", finding.quote.as_ref().map(Quote::text), Object::text);
    to.optional("offset", span.map(Span::offset), Object::number);
    to.optional("length", span.map(Span::length), Object::number);
    to.text("says", &finding.says);
    to.optional("advice", finding.advice.as_deref(), Object::text);
    to.optional("reference", finding.rule.reference(), Object::text);
}

/// SPF for both identities.
pub(crate) fn spf(to: &mut Object<'_>, reports: &SpfReports) {
    for (name, report) in [("helo", &reports.helo), ("mail_from", &reports.mail_from)] {
        to.optional(name, report.as_ref(), |to, name, report| to.object(name, |to| identity(to, report)));
    }
}

/// How the results came about, a step a line.
pub(crate) fn explanation(to: &mut Object<'_>, steps: &[String]) {
    to.texts("explain", steps);
}

/// SPF for one identity.
fn identity(to: &mut Object<'_>, report: &SpfReport) {
    to.text("result", report.result.keyword());
    to.text("domain", report.domain());
    to.optional("explanation", report.result.published_explanation(), Object::text);
    to.optional("matched", report.result.matched(), |to, name, matched| to.shown(name, matched.directive()));
    to.number("dns_lookups", report.dns_lookups);
    to.number("void_lookups", report.void_lookups);
    to.shown("reason", &report.result);
}

/// One DKIM-Signature field.
fn dkim(to: &mut Object<'_>, report: &SignatureReport, message: &Message<'_>) {
    let signature = &report.signature;
    to.text("result", report.result.keyword());
    to.text("domain", signature.domain.as_ref().map_or(UNREAD, Domain::as_str));
    to.text("selector", signature.selector.as_ref().map_or(UNREAD, Name::as_str));
    to.text("algorithm", signature.algorithm.as_deref().unwrap_or(UNREAD));
    to.text("identity", signature.identity.as_deref().unwrap_or(UNREAD));
    to.optional("key_bits", report.key.as_ref().and_then(|key| key.bits), Object::number);
    to.shown("reason", &report.result);
    to.texts("diagnosis", report.diagnosis(message));
    // Fields that must stand once, and that stand more often than the signature covers.
    to.texts("not_covered", report.not_covered.names());
}

/// The ARC chain.
fn arc(to: &mut Object<'_>, report: &ArcReport) {
    to.text("result", report.result.keyword());
    to.number("instances", report.instances);
    to.texts("sealers", &report.sealers);
    to.truth("trusted", report.trusted.is_some());
    to.optional("reported", report.trusted.as_ref(), |to, name, trusted| to.object(name, |to| reported(to, trusted)));
    to.shown("reason", &report.result);
}

/// What the oldest trusted sealer reported of the message as it received it; null where it reported nothing.
fn reported(to: &mut Object<'_>, trusted: &Trusted) {
    to.number("instance", trusted.instance);
    to.text("sealer", trusted.sealer.as_str());
    to.optional("spf", trusted.spf.as_deref(), Object::text);
    to.optional("dkim", trusted.dkim.as_deref(), Object::text);
    to.optional("dmarc", trusted.dmarc.as_deref(), Object::text);
}

/// DMARC. Where it is not complete, `result` and `disposition` are what holds unless SPF passes.
fn dmarc(to: &mut Object<'_>, report: &DmarcReport, is_complete: bool) {
    to.text("result", report.result.keyword());
    to.optional("from_domain", report.author_domain.as_ref().map(Domain::as_str), Object::text);
    to.optional("organizational_domain", report.organizational_domain.as_ref().map(Domain::as_str), Object::text);
    to.optional("policy_domain", report.policy_domain.as_ref().map(Domain::as_str), Object::text);
    to.optional("policy", report.policy.map(|policy| policy.keyword()), Object::text);
    to.text("disposition", report.disposition.keyword());
    to.truth("spf_aligned", report.spf_aligned());
    to.truth("dkim_aligned", report.dkim_aligned());
    to.truth("complete", is_complete);
    to.shown("reason", &report.result);
}

/// What the editions of DMARC differ in, and why; both lists are empty where they agree.
fn differences(to: &mut Object<'_>, comparison: &Comparison) {
    to.texts("differences", &comparison.differences);
    to.texts("causes", &comparison.causes);
}

/// Why the message may be treated otherwise than DMARC's policy says.
fn policy_override(to: &mut Object<'_>, offer: &PolicyOverride) {
    // In the words of RFC 9990.
    to.text("reason", offer.reason.keyword());
    to.text("sealer", offer.sealer.as_str());
    to.number("instance", offer.instance);
    // For aggregate reports (RFC 8617 §7.2.2).
    to.text("comment", &offer.comment);
}

/// The hops; null where nothing could be read.
fn hops(to: &mut Object<'_>, way: &Way) {
    to.list("hops", |list| {
        for (number, hop) in way.numbered() {
            list.object(|to| {
                to.number("number", number);
                to.optional("from", hop.from.as_deref(), Object::text);
                to.optional("reverse_name", hop.reverse_name.as_deref(), Object::text);
                to.optional("address", hop.address.as_ref(), Object::shown);
                to.optional("by", hop.by.as_deref(), Object::text);
                to.optional("with", hop.with.as_deref(), Object::text);
                to.optional("time", hop.time.as_ref(), Object::shown);
                to.optional("delay", hop.delay, Object::number);
                to.truth("border", way.is_border(number));
            });
        }
    });
}
