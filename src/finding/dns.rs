//! Questions without an answer, as findings.

use super::{
    Finding, Rule,
    record_text::{of_name, shown},
};
use crate::{
    dns::{LookupError, Question, RecordType, address_of},
    known::Log,
};

/// Each question without an answer that a result rests on, and what is therefore not known.
pub(super) fn findings(log: &Log) -> Vec<Finding> {
    let mut found = Vec::new();
    for entry in log.entries().iter().filter(|entry| entry.is_needed()) {
        let Some(Err(error)) = entry.answer() else { continue };
        let question = entry.question();
        let says = format!("{question} has no answer: {error}; so {} not known", unknown(question));
        found.push(of_name(&question.name, Rule::DnsUnanswered, &says, advice(error)));
        if question.record_type == RecordType::Txt && is_fault(error) {
            let says =
                format!("whoever serves {} answers a question for TXT with a failure: {error}", shown(&question.name));
            found.push(of_name(&question.name, Rule::DnsFaults, &says, repair(error)));
        }
    }
    found
}

/// What the answer would have told.
fn unknown(question: &Question) -> String {
    let name = question.name.as_str();
    match question.record_type {
        RecordType::Txt => match (name.strip_prefix("_dmarc."), name.split_once("._domainkey.")) {
            (Some(domain), _) => format!("the DMARC record of {} is", domain.escape_debug()),
            (None, Some((selector, domain))) => {
                format!("the key of the selector {} of {} is", selector.escape_debug(), domain.escape_debug())
            }
            (None, None) => format!("the SPF record of {} is", name.escape_debug()),
        },
        RecordType::A => format!("the IPv4 addresses of {} are", name.escape_debug()),
        RecordType::Aaaa => format!("the IPv6 addresses of {} are", name.escape_debug()),
        RecordType::Mx => format!("the mail hosts of {} are", name.escape_debug()),
        RecordType::Ptr => match address_of(&question.name) {
            Some(ip) => format!("the names of {ip} are"),
            None => "the names of the client are".to_owned(),
        },
    }
}

/// Whether a server answered, and the answer was a failure.
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
