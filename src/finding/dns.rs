//! Questions without an answer, as findings.

use super::{
    Finding, Rule,
    record_text::{of_name, shown, spf_record},
    spf::record_target,
};
use crate::{
    dns::{LookupError, Question, RecordType, address_of},
    known::Log,
    name::Name,
    spf::{DomainSpec, SpfReport, SpfReports, SpfResult},
};

/// Each question without an answer that a result rests on, and what is therefore not known.
pub(crate) fn findings(spf: &SpfReports, log: &Log) -> Vec<Finding> {
    let mut found = Vec::new();
    for entry in log.entries().iter().filter(|entry| entry.is_needed()) {
        let Some(Err(error)) = entry.answer() else { continue };
        let question = entry.question();
        let says = format!("{question} has no answer: {error}; so {} not known", unknown(question, spf, log));
        found.push(of_name(&question.name, Rule::DnsUnanswered, &says, advice(error)));
        if question.record_type == RecordType::Txt && is_fault(error) {
            let name = shown(&question.name);
            let says = match error {
                LookupError::EndlessAliases(_) => format!("{name} leads to no TXT record: {error}"),
                _ => format!("whoever serves {name} answers a question for TXT with a failure: {error}"),
            };
            found.push(of_name(&question.name, Rule::DnsFaults, &says, repair(error)));
        }
    }
    found
}

/// What the answer would have told.
fn unknown(question: &Question, spf: &SpfReports, log: &Log) -> String {
    let name = &*shown(&question.name);
    match question.record_type {
        RecordType::Txt => {
            if let Some(domain) = name.strip_prefix("_dmarc.") {
                format!("the DMARC record of {domain} is")
            } else if let Some((selector, domain)) = name.split_once("._domainkey.") {
                format!("the key of the selector {selector} of {domain} is")
            } else if let Some((publisher, host)) = name.split_once("._report._dmarc.") {
                format!("whether {host} takes reports about {publisher} is")
            } else if is_explanation(&question.name, spf, log) {
                format!("the explanation at {name}, by which an SPF record has failures explained, is")
            } else {
                format!("the SPF record of {name} is")
            }
        }
        RecordType::A => format!("the IPv4 addresses of {name} are"),
        RecordType::Aaaa => format!("the IPv6 addresses of {name} are"),
        RecordType::Mx => format!("the mail hosts of {name} are"),
        RecordType::Ptr => match address_of(&question.name) {
            Some(ip) => format!("the names of {ip} are"),
            None => "the names of the client are".to_owned(),
        },
    }
}

/// Whether it was asked for the sake of `exp=` (RFC 7208 §6.2), and not of a record.
fn is_explanation(name: &Name, spf: &SpfReports, log: &Log) -> bool {
    let reports = || [&spf.mail_from, &spf.helo].into_iter().flatten();
    if reports().any(|report| report.domain.as_ref().is_ok_and(|domain| domain.as_name() == name)) {
        return false;
    }
    let mut is_named = false;
    for record in log.entries().iter().filter_map(spf_record) {
        let is_it = |spec: &DomainSpec| spec.literal() == Some(name);
        if record.terms().into_iter().filter_map(record_target).any(is_it) {
            return false;
        }
        is_named |= record.exp.as_ref().is_some_and(|exp| is_it(&exp.domain));
    }
    // Where the target is made by macros: a check that failed wanted no record but those that it had.
    let is_fail = |report: &SpfReport| matches!(report.result, SpfResult::Fail(..));
    is_named || reports().next().is_some() && reports().all(is_fail)
}

/// Whether a server answered, and the answer was a failure or aliases that come to no end.
fn is_fault(error: &LookupError) -> bool {
    match error {
        LookupError::ServerFailure | LookupError::Refused | LookupError::Malformed | LookupError::EndlessAliases(_) => {
            true
        }
        LookupError::Timeout
        | LookupError::Other(_)
        | LookupError::NoRuntime
        | LookupError::OutOfTime
        | LookupError::OutOfQuestions
        | LookupError::OutOfOctets => false,
    }
}

/// What the one who evaluates can do.
fn advice(error: &LookupError) -> &'static str {
    match error {
        LookupError::Timeout | LookupError::ServerFailure => "Try again later.",
        LookupError::Refused => "Ask another resolver: this one refuses, or the servers of the domain do.",
        LookupError::Malformed => {
            "Trying again does not help where the server always answers so: then it must be corrected."
        }
        LookupError::EndlessAliases(_) => "Trying again does not help: the CNAME records must be corrected.",
        LookupError::Other(_) => "See whether the resolver can be reached and answers other questions.",
        LookupError::NoRuntime => "Evaluate within a tokio runtime.",
        LookupError::OutOfTime => "Give the evaluation more time.",
        LookupError::OutOfQuestions | LookupError::OutOfOctets => "",
    }
}

/// What those who serve the name can do.
fn repair(error: &LookupError) -> &'static str {
    match error {
        LookupError::ServerFailure => {
            "See whether the servers of the domain answer, and whether its DNSSEC signatures are valid."
        }
        LookupError::Refused => "See whether the servers that the domain is delegated to are set up to serve it.",
        LookupError::Malformed => "Correct the server that answers for this name.",
        LookupError::EndlessAliases(_) => {
            "Let the last CNAME record lead to a name that has the record, or take it out."
        }
        LookupError::Timeout
        | LookupError::Other(_)
        | LookupError::NoRuntime
        | LookupError::OutOfTime
        | LookupError::OutOfQuestions
        | LookupError::OutOfOctets => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_about_reports_is_none_about_spf() {
        let name = Name::parse("a.example._report._dmarc.reports.example").unwrap();
        let question = Question { name, record_type: RecordType::Txt };
        let unknown = unknown(&question, &SpfReports::default(), &Log::default());
        assert_eq!(unknown, "whether reports.example takes reports about a.example is");
    }
}
