//! Names that are aliases (CNAME records) of what is not there.

use super::{
    Finding, Rule,
    dmarc::walked,
    elsewhere::without_dmarc,
    record_text::{of_name, shown},
};
use crate::{
    dmarc::DmarcReport,
    dns::{Answer, AnyAnswer, RecordType},
    known::{Entry, Log},
    spf::{self, SpfReports, SpfResult},
};

/// Names of one walk that are looked at.
const MAX_NAMES: usize = 8;

/// What the name of an answer without the record is an alias of, in words that go on behind the name; `None` where it is no alias.
pub(super) fn dangling(entry: &Entry, record: &str) -> Option<String> {
    let lack = match entry.answer() {
        Some(Ok(AnyAnswer::Txt(Answer::NxDomain(_)))) => "does not exist".to_owned(),
        Some(Ok(AnyAnswer::Txt(_))) if entry.texts().is_empty() => "has no TXT record".to_owned(),
        Some(Ok(_)) => format!("has no {record}"),
        Some(Err(_)) | None => return None,
    };
    let aliases: Vec<_> = entry.aliases().iter().map(shown).collect();
    match aliases.as_slice() {
        [] => None,
        [alias] => Some(format!("is an alias of {alias}, which {lack}")),
        several => {
            Some(format!("is an alias that leads by way of {}, and the last of them {lack}", several.join(", ")))
        }
    }
}

/// Where MAIL FROM has no SPF record because its domain is an alias. Hosts in HELO have no record either way.
pub(super) fn spf(reports: &SpfReports, log: &Log) -> Option<Finding> {
    let report = reports.mail_from.as_ref()?;
    let SpfResult::None(spf::NoneReason::NoRecord | spf::NoneReason::NxDomain) = report.result else { return None };
    let name = report.domain.as_ref().ok()?.as_name();
    finding(Rule::SpfNone, log.entry(name, RecordType::Txt)?, "SPF record")
}

/// Where no DMARC record was found because a name of the walk is an alias.
pub(super) fn dmarc(report: &DmarcReport, log: &Log) -> Vec<Finding> {
    if without_dmarc(report).is_none() {
        return Vec::new();
    }
    let entries = walked(log).take(MAX_NAMES);
    entries.filter_map(|entry| finding(Rule::DmarcNone, entry, "DMARC record")).collect()
}

fn finding(rule: Rule, entry: &Entry, record: &str) -> Option<Finding> {
    let name = &entry.question().name;
    let says = format!("{} {}: there is no {record}", shown(name), dangling(entry, record)?);
    let advice = "Have the record published at the end of the aliases, or at the name itself in place of the alias.";
    Some(of_name(name, rule, &says, advice))
}
