//! What was evaluated.

use crate::{
    known::{Entry, Log},
    lex::printable,
    name::Name,
    session::{MailFrom, Session},
    spf::SpfReports,
    time::UnixTime,
};
use serde::Serialize;
use std::{borrow::Cow, net::IpAddr};

/// What was evaluated: the session, and the records of SPF, DKIM and DMARC that were read, printable.
#[derive(Debug, Serialize)]
pub struct Inputs<'e> {
    ip: Option<IpAddr>,
    helo: Option<&'e str>,
    /// Empty for the null reverse-path.
    mail_from: Option<&'e str>,
    receiver: Option<&'e str>,
    received_at: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<Vec<PublishedText<'e>>>,
}

/// A record that SPF, DKIM or DMARC read, printable, and its name as it was asked.
#[derive(Debug, Serialize)]
struct PublishedText<'e> {
    name: &'e Name,
    record: Cow<'e, str>,
}

impl<'e> Inputs<'e> {
    /// Of a session on which there are these reports, with the records of the log where it is given.
    pub fn new(reports: &'e SpfReports, session: &'e Session, log: Option<&'e Log>) -> Self {
        let mail_from = match &session.mail_from {
            MailFrom::Address(address) => Some(&**address),
            MailFrom::Null => Some(""),
            // RFC 7208 §2.4: the null reverse-path is checked in the name of HELO.
            MailFrom::FromReturnPath => reports.mail_from.as_ref().map(|report| &*report.sender),
        };
        Self {
            ip: session.peer_ip,
            helo: session.helo.as_deref(),
            mail_from,
            receiver: session.receiver.as_deref(),
            received_at: session.received_at,
            records: log.map(|log| log.entries().iter().flat_map(records).collect()),
        }
    }
}

/// The records among the texts that were answered, which may be anything.
fn records(entry: &Entry) -> impl Iterator<Item = PublishedText<'_>> {
    let name = &entry.question().name;
    let is_key = name.as_str().contains("._domainkey.");
    let is_record = move |text: &&[u8]| {
        let begins = |word: &[u8]| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
        is_key || begins(b"v=spf1") || begins(b"v=DMARC1")
    };
    entry
        .texts()
        .iter()
        .map(|text| &**text)
        .filter(is_record)
        .map(move |text| PublishedText { name, record: shown(text) })
}

/// The text, printable.
fn shown(text: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(text) {
        Ok(text) if text.bytes().all(|octet| matches!(octet, b' '..=b'~')) => text.into(),
        _ => String::from(printable(text)).into(),
    }
}
