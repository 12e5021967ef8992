//! What is changed of a message before it goes on.

use crate::{
    config::Action,
    decision::Decision,
    mail::{Mail, Outcome},
    protocol::Answer,
};
use mailverdict::{
    authentication_results::{AuthenticationResults, MethodResult},
    message::Header,
    received_spf::ReceivedSpf,
};

/// The field that says what would have been done.
const ACTION: &str = "X-Mailverdict-Action";

/// The changes, in the order in which they are to be told. `has_space` says whether values have the white space behind the colon.
pub fn changes(mail: &Mail<'_>, outcome: &Outcome, decision: &Decision, has_space: bool) -> Vec<Answer> {
    let headers = mail.running().config.headers;
    let mut changes = Vec::new();
    if headers.strip_forged {
        changes.extend(removals(mail));
    }
    let mut fields = Vec::new();
    if decision.action == Action::AddHeader {
        fields.push(format!("{ACTION}: {}", decision.wanted));
    }
    if headers.received_spf
        && let Outcome::Verdict(verdict) = outcome
        && let Some(report) = verdict.spf.mail_from.as_ref().or(verdict.spf.helo.as_ref())
    {
        fields.push(ReceivedSpf::new(report, &mail.session()).to_header_field());
    }
    if headers.authentication_results {
        fields.extend(results(mail, outcome));
    }
    // What is signed is signed as it goes on.
    fields.extend(mail.signatures().iter().cloned());
    // Each above the one before, so that signatures come first, and then the own results.
    changes.extend(fields.iter().filter_map(|field| insertion(field, has_space)));
    changes
}

/// Forged fields, the last of a name first, so that the others keep their numbers.
fn removals(mail: &Mail<'_>) -> Vec<Answer> {
    let raw = mail.raw_header();
    let Ok(header) = Header::parse(&raw) else { return Vec::new() };
    let places = mail.running().boundary.forged(&header);
    let removal = |(name, number): (&[u8], usize)| {
        let number = u32::try_from(number).ok()?;
        Some(Answer::RemoveHeader { number, name: name.to_vec() })
    };
    places.iter().rev().filter_map(|forged| forged.place(&header).and_then(removal)).collect()
}

/// The own results; none for mail from inside.
fn results(mail: &Mail<'_>, outcome: &Outcome) -> Option<String> {
    let id = &mail.running().config.authserv_id;
    match outcome {
        Outcome::Own => None,
        Outcome::Verdict(verdict) => Some(match mail.client().ip {
            Some(ip) => verdict.to_header_field_with_remote_ip(id, ip),
            None => verdict.to_header_field(id),
        }),
        // What was not read as a whole was not evaluated, and is never a pass.
        Outcome::OverLimit(over) => {
            let mut results = AuthenticationResults::none(id);
            results
                .results
                .push(MethodResult::new("dmarc", "permerror").with_reason(format!("{over}, and was not evaluated")));
            Some(results.to_header_field())
        }
    }
}

/// A field as a mail server takes it: with LF where it is folded.
fn insertion(field: &str, has_space: bool) -> Option<Answer> {
    let (name, value) = field.split_once(':')?;
    let value = value.trim_end().replace("\r\n", "\n");
    let value = if has_space { value } else { value.trim_start().to_owned() };
    Some(Answer::InsertHeader { at: 0, name: name.to_owned(), value })
}
