//! Records that stand at another name than the one where receivers look.

use super::{
    Finding, Rule,
    quote::quoted,
    record_text::{RecordText, shown},
    spf::read_beside,
};
use crate::{
    dkim::KeyRecord,
    dmarc::{DmarcReport, DmarcResult, NoneReason, Record},
    dns::{AnyAnswer, RecordType},
    known::{AtHand, Beside, Entry, Log},
    lex::Span,
    name::Name,
    spf::{self, SpfReports, SpfResult},
    verdict::Verdict,
};

/// Domains at and above a name that may be the zone whose name was appended to it once more.
const MAX_ZONES: usize = 3;
/// Names without a key that are looked into.
const MAX_KEYS: usize = 4;
/// Texts of one name that are looked at.
const MAX_TEXTS: usize = 64;

/// Reads what is at hand of the records that both identities lead to, and at the other names, where SPF found none.
pub(crate) fn read_for_spf(reports: &SpfReports, log: &mut Log, at_hand: AtHand<'_>) {
    let beside = &mut Beside::new(log, at_hand);
    for report in [&reports.helo, &reports.mail_from].into_iter().flatten() {
        if let Ok(domain) = &report.domain {
            read_beside(beside, domain.as_name());
        }
    }
    let names: Vec<Name> = without_spf(reports).flat_map(of_spf).collect();
    read(&names, log, at_hand);
}

/// The same of a whole message.
pub(crate) fn read_for(verdict: &Verdict, log: &mut Log, at_hand: AtHand<'_>) {
    read_for_spf(&verdict.spf, log, at_hand);
    let mut names: Vec<Name> = without_dmarc(&verdict.dmarc).map(of_dmarc).unwrap_or_default();
    let keys = log.entries().iter().filter(|entry| lacks_key(entry)).take(MAX_KEYS);
    names.extend(keys.flat_map(|entry| of_key(&entry.question().name)));
    read(&names, log, at_hand);
}

fn read(names: &[Name], log: &mut Log, at_hand: AtHand<'_>) {
    let mut beside = Beside::new(log, at_hand);
    for name in names {
        beside.txt(name);
    }
}

/// SPF records of domains that have none.
pub(super) fn spf(reports: &SpfReports, log: &Log) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut seen: Vec<&Name> = Vec::new();
    for domain in without_spf(reports) {
        if !seen.contains(&domain) {
            seen.push(domain);
            found.extend(spf_of(domain, log));
        }
    }
    found
}

/// A DMARC record of a domain for which none was found.
pub(super) fn dmarc(report: &DmarcReport, log: &Log) -> Option<Finding> {
    dmarc_of(without_dmarc(report)?, log)
}

/// Where a key stands that is not at its name, in words that go on behind a semicolon.
pub(super) fn key(name: &Name, log: &Log) -> Option<String> {
    let text = find(log, &of_key(name), |text| KeyRecord::parse(text).is_ok())?;
    Some(format!("a key record stands at {}, where nobody looks for it{}", shown(text.name), why(text.name, name)))
}

/// About a record that stands where nobody looks.
fn wrong_place(rule: Rule, what: &str, text: &RecordText<'_>, domain: &Name, wanted: &Name) -> Finding {
    let says = format!(
        "{what}, {}, stands at {}, where nobody looks for that of {}{}",
        quoted(text.text),
        shown(text.name),
        shown(domain),
        why(text.name, wanted)
    );
    let advice = format!("Publish it at {}.", shown(wanted));
    text.finding(rule, Span::new(0, text.text.len()), &says, &advice)
}

/// In a zone file, the name of the zone is appended to a name that does not end in a dot (RFC 1035 §5.1).
fn why(name: &Name, wanted: &Name) -> &'static str {
    let is_doubled = name.as_str().strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with('.'));
    if is_doubled { ": the name of the zone was appended once more, as where a dot at the end is missing" } else { "" }
}

/// The text of a record at the first of these names that has one, as far as that is known or at hand.
fn find<'l>(log: &'l Log, names: &[Name], is_record: impl Fn(&[u8]) -> bool) -> Option<RecordText<'l>> {
    names.iter().find_map(|name| {
        // Beside, all questions are for TXT.
        let entry = log.entry_or_beside(name)?;
        let text = entry.texts().iter().take(MAX_TEXTS).find(|text| is_record(text))?;
        Some(RecordText { name: &entry.question().name, text })
    })
}

/// An SPF record of this domain that stands where nobody looks.
pub(crate) fn spf_of(domain: &Name, log: &Log) -> Option<Finding> {
    let text = find(log, &of_spf(domain), spf::Record::has_version)?;
    Some(wrong_place(Rule::SpfWrongPlace, "an SPF record", &text, domain, domain))
}

/// A DMARC record of this domain that stands where nobody looks.
pub(crate) fn dmarc_of(domain: &Name, log: &Log) -> Option<Finding> {
    let text = find(log, &of_dmarc(domain), |text| Record::parse(text).is_ok())?;
    Some(wrong_place(Rule::DmarcWrongPlace, "a DMARC record", &text, domain, &domain.prepend("_dmarc").ok()?))
}

/// The domains that exist and have no SPF record. Below a name that does not exist there is nothing (RFC 8020 §2).
fn without_spf(reports: &SpfReports) -> impl Iterator<Item = &Name> {
    let reports = [&reports.mail_from, &reports.helo].into_iter().flatten();
    reports.filter_map(|report| match &report.result {
        SpfResult::None(spf::NoneReason::NoRecord) => report.domain.as_ref().ok().map(|domain| domain.as_name()),
        SpfResult::None(_)
        | SpfResult::Neutral(_)
        | SpfResult::Pass(_)
        | SpfResult::Fail(..)
        | SpfResult::SoftFail(_)
        | SpfResult::TempError(_)
        | SpfResult::PermError(_) => None,
    })
}

/// The author domain to which no DMARC record applies.
pub(super) fn without_dmarc(report: &DmarcReport) -> Option<&Name> {
    match &report.result {
        DmarcResult::None(NoneReason::NoRecord { author_domain }) => Some(author_domain.as_name()),
        DmarcResult::None(_)
        | DmarcResult::Pass(_)
        | DmarcResult::Fail(_)
        | DmarcResult::TempError(_)
        | DmarcResult::PermError(_) => None,
    }
}

fn lacks_key(entry: &Entry) -> bool {
    let question = entry.question();
    question.record_type == RecordType::Txt
        && question.name.as_str().contains("._domainkey.")
        && matches!(entry.answer(), Some(Ok(AnyAnswer::Txt(_))))
        && entry.texts().is_empty()
}

/// Other names at which the SPF record of a domain may stand.
pub(crate) fn of_spf(domain: &Name) -> Vec<Name> {
    let below = ["_spf", "spf", "www"].into_iter().filter_map(|label| domain.prepend(label).ok());
    below.chain(doubled(domain, domain)).collect()
}

/// The same of its DMARC record.
pub(crate) fn of_dmarc(domain: &Name) -> Vec<Name> {
    let mut names = vec![domain.clone()];
    names.extend(domain.prepend("dmarc").ok());
    names.extend(domain.prepend("_dmarc").ok().map(|wanted| doubled(&wanted, domain)).unwrap_or_default());
    names
}

fn of_key(name: &Name) -> Vec<Name> {
    let Some((selector, domain)) = name.as_str().split_once("._domainkey.") else { return Vec::new() };
    let Ok(domain) = Name::parse(domain) else { return Vec::new() };
    let mut names = doubled(name, &domain);
    names.extend(domain.prepend(selector).ok());
    names.extend(domain.prepend(&format!("_domainkey.{selector}")).ok());
    names.extend(domain.prepend("_domainkey").ok());
    names.push(domain);
    names
}

/// The name with that of its zone once more, which may be the domain or one above it.
fn doubled(name: &Name, domain: &Name) -> Vec<Name> {
    let zones = std::iter::successors(Some(domain.clone()), Name::parent).take_while(|zone| zone.label_count() > 1);
    zones.take(MAX_ZONES).filter_map(|zone| zone.prepend(name.as_str()).ok()).collect()
}
