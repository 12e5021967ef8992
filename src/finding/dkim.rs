//! What is wrong with key records and signatures, as findings.

mod header;
mod key;
mod signature;
mod strict;
mod unreadable;

pub(super) use header::of_header;
pub(crate) use header::of_signatures;
pub(crate) use strict::forbids_subdomains;

use super::{Finding, alias, elsewhere};
use crate::{
    dkim::keys::ReadRecords,
    dns::{Answer, AnyAnswer, RecordType},
    finding::{
        Rule,
        record_text::{RecordText, of_name, shown},
    },
    known::{Entry, Log},
    verdict::Verdict,
};

/// Key records of one name that are looked at.
const MAX_RECORDS: usize = 8;

/// Those of all key records that were read, and of the signatures.
pub(super) fn findings(verdict: &Verdict, log: &Log) -> Vec<Finding> {
    let is_of_key = |entry: &&Entry| {
        let question = entry.question();
        entry.is_needed() && question.record_type == RecordType::Txt && question.name.as_str().contains("._domainkey.")
    };
    let mut found: Vec<Finding> =
        log.entries().iter().filter(is_of_key).flat_map(|entry| of_entry(entry, log, true)).collect();
    found.extend(signature::findings(verdict));
    found.extend(strict::findings(verdict, log));
    found
}

/// What stands at one name; whether a signature uses it.
pub(crate) fn of_entry(entry: &Entry, log: &Log, is_used: bool) -> Vec<Finding> {
    let name = &entry.question().name;
    let texts = entry.texts();
    let mut found = Vec::new();
    if let Some(Ok(AnyAnswer::Txt(answer))) = entry.answer()
        && texts.is_empty()
    {
        found.push(no_record(entry, answer, log));
    }
    // RFC 6376 §3.6.2.2: the results are undefined.
    if texts.len() > 1 {
        let says = format!("{} TXT records stand at {}, where one is expected", texts.len(), shown(name));
        found.push(of_name(name, Rule::DkimMultiple, &says, "Publish one key for a selector."));
    }
    if let Some(Ok(AnyAnswer::Txt(Answer::Records(records)))) = entry.answer() {
        let read = ReadRecords::kept(records);
        let each = texts.iter().zip(read.each()).take(MAX_RECORDS);
        found.extend(each.flat_map(|(text, read)| key::findings(&RecordText { name, text }, read, is_used)));
    }
    found
}

/// RFC 6376 §6.1.2, step 3.
fn no_record(entry: &Entry, answer: &Answer<Box<[u8]>>, log: &Log) -> Finding {
    let name = &entry.question().name;
    if let Some(dangling) = alias::dangling(entry, "key") {
        let says = format!("{} {dangling}", shown(name));
        let advice = "Have the one who runs the alias's target publish the key there, or correct the alias.";
        return of_name(name, Rule::DkimCnameBroken, &says, advice);
    }
    let lack = match answer {
        Answer::NxDomain(_) => "does not exist",
        Answer::NoData(_) | Answer::Records(_) => "has no TXT record",
    };
    let says = match elsewhere::key(name, log) {
        Some(elsewhere) => format!("{} {lack}; {elsewhere}", shown(name)),
        None => format!("{} {lack}, so there is no key to verify a signature with", shown(name)),
    };
    let advice = "Publish the key record at this name, or sign with a selector that has one.";
    of_name(name, Rule::DkimNone, &says, advice)
}
