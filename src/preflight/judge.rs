//! Whether what receivers ask for is met: what is said of SPF, DKIM, DMARC and the host.

use super::{
    demand::{Demand, Receiver, What},
    facts::{Facts, exists},
    form,
    judgement::Judgement,
    report::Requirement,
    unsubscribe,
};
use crate::{
    dmarc::DmarcResult,
    finding::{About, Rule, Severity, bounded, quoted},
    lint::KeyPublished,
    name::shown,
    spf::{SpfReport, SpfResult},
};
use std::net::IpAddr;

/// What came of a demand.
pub(super) fn judge(facts: &Facts<'_>, demand: &Demand) -> Requirement {
    let Judgement { is_met, says, advice } = judgement(facts, demand);
    let Demand { id, receiver, is_bulk_only, reply, what, source } = *demand;
    // Google has another code where the client came over IPv6.
    let reply = match (receiver, what, reply) {
        (Receiver::Gmail, What::Ptr, Some(_)) if facts.plan.ip().is_ipv6() => Some("5.7.1"),
        (_, _, reply) => reply,
    };
    let (says, advice) = (bounded(&says), advice.map(|advice| bounded(&advice)));
    Requirement { id, receiver, is_bulk_only, is_met, reply, says, advice, source: source.title, as_of: source.as_of }
}

fn judgement(facts: &Facts<'_>, demand: &Demand) -> Judgement {
    match demand.what {
        What::Authenticated => authenticated(facts),
        What::Spf => spf(facts),
        What::SpfRecord => spf_record(facts),
        What::Dkim => dkim(facts),
        What::KeyLength => key_length(facts),
        What::DmarcRecord => dmarc_record(facts),
        What::DmarcPasses => dmarc_passes(facts),
        What::Aligned => aligned(facts),
        What::Ptr => ptr(facts),
        What::Tls => Judgement::not_seen("whether the host speaks TLS cannot be seen from here"),
        What::SpamRate => Judgement::not_seen("how much of the mail is reported as spam cannot be seen from here")
            .advising("Keep it below 0.3 %, and better below 0.1 %."),
        What::Form => form::judge(facts),
        What::ForeignFrom => foreign_from(facts),
        What::Resolves => resolves(facts),
        What::OneClick => unsubscribe::one_click(facts),
        What::Unsubscribe => unsubscribe::any(facts, demand.receiver),
    }
}

const SIGN: &str = "Sign the mail with DKIM, with d= the domain of From.";

/// What lets the host in.
fn allow(facts: &Facts<'_>) -> String {
    let publisher = facts.looks.spf_publisher();
    let domain = &publisher.domain;
    let term = match facts.plan.ip() {
        IpAddr::V4(ip) => format!("ip4:{ip}"),
        IpAddr::V6(ip) => format!("ip6:{ip}"),
    };
    match (&facts.direct.verdict.spf.mail_from, &publisher.spf) {
        (None, _) => "Give MAIL FROM an address whose domain has an SPF record.".to_owned(),
        (Some(SpfReport { result: SpfResult::PermError(_), .. }), Some(_)) => {
            format!("Mend the SPF record of {domain}, as the findings say.")
        }
        (_, None) => format!("Publish the SPF record \"v=spf1 {term} -all\" at {domain}, with whatever else may send."),
        (_, Some(spf)) => {
            let include = spf.terms.iter().find(|term| term.depth == 0 && is_include(&term.term));
            let beside = include.map(|include| format!(", beside {}", quoted(include.term.as_bytes())));
            format!("Write \"{term}\" into the SPF record of {domain}{}.", beside.unwrap_or_default())
        }
    }
}

fn is_include(term: &str) -> bool {
    term.trim_start_matches('+').get(..8).is_some_and(|start| start.eq_ignore_ascii_case("include:"))
}

/// Whether it passed; `None` where the DNS left it open.
fn spf_passes(facts: &Facts<'_>) -> Option<bool> {
    let Some(report) = &facts.direct.verdict.spf.mail_from else { return Some(false) };
    match &report.result {
        SpfResult::Pass(_) => Some(true),
        SpfResult::TempError(_) => None,
        SpfResult::None(_)
        | SpfResult::Neutral(_)
        | SpfResult::Fail(..)
        | SpfResult::SoftFail(_)
        | SpfResult::PermError(_) => Some(false),
    }
}

fn dkim_passes(facts: &Facts<'_>) -> Option<bool> {
    let results = || facts.direct.verdict.dkim.iter().map(|report| report.result.keyword());
    match results().any(|result| result == "pass") {
        true => Some(true),
        false if results().any(|result| result == "temperror") => None,
        false => Some(false),
    }
}

fn spf_words(facts: &Facts<'_>) -> String {
    match &facts.direct.verdict.spf.mail_from {
        Some(report) => format!("SPF {} for {}: {report}", verb(report), shown_domain(report)),
        None => "SPF has no domain to check: MAIL FROM is empty, and no name is given in HELO".to_owned(),
    }
}

fn verb(report: &SpfReport) -> &'static str {
    match report.result {
        SpfResult::Pass(_) => "passes",
        SpfResult::Fail(..) => "fails",
        SpfResult::SoftFail(_) => "softly fails",
        SpfResult::Neutral(_) => "is neutral",
        SpfResult::None(_) => "has nothing to check",
        SpfResult::TempError(_) => "cannot be evaluated now",
        SpfResult::PermError(_) => "cannot be evaluated",
    }
}

fn shown_domain(report: &SpfReport) -> String {
    crate::lex::printable(report.domain().as_bytes()).into()
}

fn dkim_words(facts: &Facts<'_>) -> String {
    if let Some(report) = facts.passing().next() {
        let domain = report.signature.domain.as_ref().map_or("", |domain| domain.as_str());
        return format!("DKIM passes for {domain}");
    }
    match facts.direct.verdict.dkim.first() {
        Some(report) => {
            let domain = report.signature.domain.as_ref().map_or("its domain", |domain| domain.as_str());
            format!("DKIM does not pass for {domain}: {}", report.result)
        }
        None => "nothing signs the message with DKIM".to_owned(),
    }
}

fn authenticated(facts: &Facts<'_>) -> Judgement {
    let words = || format!("{}; {}", spf_words(facts), dkim_words(facts));
    match (spf_passes(facts), dkim_passes(facts)) {
        (Some(true), _) => Judgement::met(spf_words(facts)),
        (_, Some(true)) => Judgement::met(dkim_words(facts)),
        (Some(false), Some(false)) => Judgement::not_met(words(), allow(facts)),
        (None, _) | (_, None) => Judgement::not_seen(words()),
    }
}

fn spf(facts: &Facts<'_>) -> Judgement {
    match spf_passes(facts) {
        Some(true) => Judgement::met(spf_words(facts)),
        Some(false) => Judgement::not_met(spf_words(facts), allow(facts)),
        None => Judgement::not_seen(spf_words(facts)),
    }
}

fn dkim(facts: &Facts<'_>) -> Judgement {
    match dkim_passes(facts) {
        Some(true) => Judgement::met(dkim_words(facts)),
        Some(false) => Judgement::not_met(dkim_words(facts), SIGN),
        None => Judgement::not_seen(dkim_words(facts)),
    }
}

/// Entries that let in strangers, whatever else stands in the record, and records that nobody can evaluate. Receivers do not publish what
/// they call suspicious.
fn spf_record(facts: &Facts<'_>) -> Judgement {
    let publisher = facts.looks.spf_publisher();
    let Some(spf) = &publisher.spf else {
        return Judgement::met(format!("{} has no SPF record, and so no suspicious entry", publisher.domain));
    };
    // Of the large blocks of a provider, which all its customers share, a notice tells.
    let mut faults = publisher.findings.iter().filter(|finding| {
        let is_suspicious = matches!(finding.rule, Rule::SpfPassAll | Rule::SpfPermissive | Rule::SpfDangling);
        match finding.severity {
            Severity::Error => finding.rule.about() == About::Spf,
            Severity::Warning => is_suspicious,
            Severity::Notice => false,
        }
    });
    match faults.next() {
        Some(fault) => Judgement::not_met(
            format!(
                "the SPF record of {} has an entry that can be called suspicious: {}",
                shown(&spf.name),
                fault.says
            ),
            "Mend what the findings say of the SPF record.",
        ),
        None => Judgement::met(format!(
            "the SPF record of {} can be evaluated, and passes neither everybody nor very many addresses",
            shown(&spf.name)
        )),
    }
}

/// RSA keys alone have a length that somebody asks for.
const LEAST_BITS: usize = 1024;
const ADVISED_BITS: usize = 2048;

fn key_length(facts: &Facts<'_>) -> Judgement {
    let rsa = |key: &&KeyPublished| key.key_type.as_deref() == Some("rsa") && key.bits.is_some();
    let Some(shortest) = facts.keys().filter(rsa).min_by_key(|key| key.bits) else {
        return Judgement::not_seen("no RSA key is known that signs the message, and so no length");
    };
    let bits = shortest.bits.unwrap_or_default();
    let words = format!("the key {} has {bits} bits", shown(&shortest.name));
    match bits {
        ADVISED_BITS.. => Judgement::met(words),
        LEAST_BITS.. => Judgement::met(words).advising("Make a key of 2048 bits, which receivers advise."),
        _ => Judgement::not_met(format!("{words}, and {LEAST_BITS} are the least"), "Make a key of 2048 bits."),
    }
}

const PUBLISH: &str = "Publish a DMARC record; p=none is enough here.";

fn dmarc_record(facts: &Facts<'_>) -> Judgement {
    let dmarc = &facts.direct.verdict.dmarc;
    let author = facts.plan.author();
    match (&dmarc.result, &dmarc.record) {
        (DmarcResult::TempError(reason), None) => Judgement::not_seen(reason.to_string()),
        // Where From cannot be read, it is not DMARC's record that is missing.
        (DmarcResult::PermError(reason), None) => Judgement::not_seen(reason.to_string()),
        (DmarcResult::None(reason), _) => Judgement::not_met(reason.to_string(), PUBLISH),
        (_, Some(record)) => Judgement::met(format!("the DMARC record of {} applies to {author}", record.domain)),
        (DmarcResult::Pass(_) | DmarcResult::Fail(_), None) => {
            Judgement::not_met(format!("no DMARC record applies to {author}"), PUBLISH)
        }
    }
}

fn dmarc_passes(facts: &Facts<'_>) -> Judgement {
    let result = &facts.direct.verdict.dmarc.result;
    match result {
        DmarcResult::Pass(_) => {
            let judgement = Judgement::met(format!("DMARC passes: {result}"));
            let has_reports = facts.looks.author.dmarc.as_ref().is_none_or(|dmarc| !dmarc.destinations.is_empty());
            if has_reports { judgement } else { judgement.advising("Ask for aggregate reports as well (rua).") }
        }
        DmarcResult::TempError(_) => Judgement::not_seen(format!("DMARC cannot be evaluated now: {result}")),
        DmarcResult::None(_) => Judgement::not_met(format!("DMARC does not pass: {result}"), PUBLISH),
        DmarcResult::Fail(_) | DmarcResult::PermError(_) => {
            Judgement::not_met(format!("DMARC does not pass: {result}"), SIGN)
        }
    }
}

/// Without a record the domains are compared all the same: relaxed alignment is what receivers name.
fn aligned(facts: &Facts<'_>) -> Judgement {
    let author = facts.plan.author();
    let dmarc = &facts.direct.verdict.dmarc;
    let spf = facts.direct.spf_aligned() || is_related(facts, spf_domain(facts).as_deref());
    let dkim = facts.direct.dkim_aligned()
        || facts
            .passing()
            .any(|report| is_related(facts, report.signature.domain.as_ref().map(|domain| domain.as_str())));
    match (spf, dkim) {
        (true, true) => Judgement::met(format!("SPF and DKIM pass for domains that align with {author}")),
        (false, true) => Judgement::met(format!("DKIM passes for a domain that aligns with {author}"))
            .advising("Let MAIL FROM align as well, which is better."),
        (true, false) => Judgement::met(format!("SPF passes for a domain that aligns with {author}"))
            .advising("Sign with d= the domain of From as well, which survives forwarding."),
        (false, false) if matches!(dmarc.result, DmarcResult::TempError(_)) => {
            Judgement::not_seen(format!("whether anything aligns is not known now: {}", dmarc.result))
        }
        (false, false) => {
            let words =
                format!("nothing that passes aligns with {author}: {}; {}", spf_words(facts), dkim_words(facts));
            Judgement::not_met(words, SIGN)
        }
    }
}

/// The domain for which SPF passes.
fn spf_domain(facts: &Facts<'_>) -> Option<String> {
    let report = facts.direct.verdict.spf.mail_from.as_ref()?;
    matches!(report.result, SpfResult::Pass(_)).then(|| report.domain().to_ascii_lowercase())
}

/// Where no record says otherwise: one is the other, or stands above it within the same organization.
fn is_related(facts: &Facts<'_>, domain: Option<&str>) -> bool {
    if !matches!(facts.direct.verdict.dmarc.result, DmarcResult::None(_)) {
        return false;
    }
    let (Some(domain), author) =
        (domain.and_then(|domain| crate::name::Domain::parse(domain).ok()), facts.plan.author())
    else {
        return false;
    };
    domain.label_count() > 1 && (domain.is_at_or_below(author) || author.is_at_or_below(&domain))
}

fn ptr(facts: &Facts<'_>) -> Judgement {
    let ip = facts.plan.ip();
    const ADVICE: &str =
        "Have whoever gave you the address name it after the mail host, and publish the address at that name.";
    let Some((name, is_confirmed)) = facts.host() else {
        return Judgement::not_seen(format!("the DNS did not say what {ip} is called"));
    };
    let Some(name) = name else {
        return Judgement::not_met(format!("{ip} has no name (PTR record)"), ADVICE);
    };
    let name = shown(name);
    if !is_confirmed {
        return Judgement::not_met(format!("{ip} is called {name}, which does not lead back to it"), ADVICE);
    }
    let words = format!("{ip} is called {name}, which leads back to it");
    match facts.plan.helo() {
        Some(helo) if !helo.trim_end_matches('.').eq_ignore_ascii_case(name.trim_end_matches('.')) => {
            let helo = quoted(helo.as_bytes());
            Judgement::met(format!("{words}; HELO says {helo}")).advising("Give the name of the address in HELO.")
        }
        Some(_) | None => Judgement::met(words),
    }
}

/// Domains in which Gmail's own users write.
const OF_GMAIL: [&str; 2] = ["gmail.com", "googlemail.com"];

fn foreign_from(facts: &Facts<'_>) -> Judgement {
    let author = facts.plan.author();
    if !OF_GMAIL.contains(&author.as_str()) {
        return Judgement::met(format!("From is in {author}, which is none of Gmail's own domains"));
    }
    match facts.direct.verdict.dmarc.result {
        DmarcResult::Pass(_) => {
            Judgement::met(format!("From is in {author}, and the message is shown to be Gmail's own"))
        }
        DmarcResult::TempError(_) => Judgement::not_seen(facts.direct.verdict.dmarc.result.to_string()),
        DmarcResult::None(_) | DmarcResult::Fail(_) | DmarcResult::PermError(_) => Judgement::not_met(
            format!("From is in {author}, and the message does not come from Gmail"),
            "Write From in a domain of your own.",
        ),
    }
}

/// Yahoo asks for SOA records, which every zone has.
fn resolves(facts: &Facts<'_>) -> Judgement {
    let author = facts.plan.author();
    let path = facts.looks.return_path.as_ref().map(|report| (&report.domain, report.log()));
    let mut is_open = false;
    for (domain, log) in std::iter::once((author, facts.looks.author.log())).chain(path) {
        match exists(log, domain.as_name()) {
            Some(true) => {}
            Some(false) => {
                return Judgement::not_met(
                    format!("{domain} does not exist"),
                    "Use domains that exist in From and MAIL FROM.",
                );
            }
            None => is_open = true,
        }
    }
    match path {
        _ if is_open => Judgement::not_seen("the DNS did not say whether the domains of From and MAIL FROM exist"),
        Some((path, _)) => Judgement::met(format!("{author} and {path} exist")),
        None => Judgement::met(format!("{author} exists")),
    }
}
