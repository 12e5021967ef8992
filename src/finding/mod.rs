//! What is said to people of records, messages and sessions: what is wrong, what it means, and what to do.
//!
//! A finding never changes a verdict. It explains one, or warns beside one. [`findings`] makes those that the evaluation of a message
//! touched, from the verdict and from what was asked and answered on the way.

mod absent;
mod alias;
mod client;
mod dkim;
mod dmarc;
mod dns;
mod elsewhere;
mod header;
mod message;
mod quote;
mod record_text;
mod rule;
mod spf;

pub use quote::Quote;
pub use rule::Rule;

pub(crate) use absent::{PUBLISH_SPF, no_dmarc, no_spf_of_sender};
pub(crate) use dkim::{forbids_subdomains, of_entry as of_key_entry, of_signatures};
pub(crate) use dmarc::{MAX_LABELS, lowered, of_texts as of_dmarc_texts, too_deep, weaker};
pub(crate) use dns::findings as unanswered;
pub(crate) use elsewhere::{
    dmarc_of, of_dmarc as places_of_dmarc, of_spf as places_of_spf, read_for, read_for_spf, spf_of,
};
pub(crate) use quote::{bounded, quoted};
pub(crate) use record_text::{RecordText, of_name};
pub(crate) use spf::{
    Bounds, Node, Numbers, Place, Published, Records, Visit, Walk, finding as spf_finding, findings_of_record, loops,
    record_target, target, too_large_answers, too_many, voids,
};

use crate::{known::Log, message::Header, session::Session, spf::SpfReports, verdict::Verdict};
use std::fmt;

/// One thing that is wrong, or good to know.
///
/// ```
/// use mailverdict::{Authenticator, Message, dns::Zone, finding::{Rule, Severity, findings}, spf::Observers};
/// use std::net::Ipv4Addr;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let zone = Zone::parse("_dmarc.example.com. TXT \"v=DMARC1; p=none\"", "example.zone")?;
/// let authenticator = Authenticator::new(zone);
/// let message = Message::parse(b"Subject: one\r\nFrom: a@example.com\r\nSubject: two\r\n\r\n")?;
/// let session = mailverdict::Session::new(Ipv4Addr::new(192, 0, 2, 1));
/// let mut observers = Observers { helo: (), mail_from: () };
/// let (verdict, log) = authenticator.explain(&message, session.clone(), &mut observers).await;
/// let found = findings(&verdict, &session, &log);
/// assert_eq!((found[0].rule, found[0].severity), (Rule::HeaderDuplicate, Severity::Warning));
/// assert_eq!(found[0].says, "there are 2 Subject fields; one is allowed".into());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of finding.
    pub rule: Rule,
    /// How much it matters; most often the [`Rule::severity`].
    pub severity: Severity,
    /// The owner of the record or the field, as it was asked; printable.
    pub name: Option<Box<str>>,
    /// The term, tag or value that it is about.
    pub quote: Option<Quote>,
    /// One sentence: what is so. Printable, and bounded.
    pub says: Box<str>,
    /// One sentence: what to do.
    pub advice: Option<Box<str>>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Receivers ignore the record, answer permerror, or strangers are let in.
    Error,
    /// It works otherwise than its author seems to mean.
    Warning,
    /// Style, or good to know.
    Notice,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum About {
    /// An SPF record.
    Spf,
    /// A key record, or a DKIM-Signature field.
    Dkim,
    /// A DMARC Policy Record.
    Dmarc,
    /// An ARC chain.
    Arc,
    /// The mail hosts of a domain.
    Mx,
    /// MTA-STS and TLS-RPT.
    Tls,
    /// BIMI.
    Bimi,
    /// The message itself.
    Message,
    /// The client, and the session.
    Client,
    /// The DNS, and whoever serves it.
    Dns,
}

/// The findings that the evaluation of a message touched, the worst first.
pub fn findings(verdict: &Verdict, session: &Session, log: &Log) -> Vec<Finding> {
    let mut found = findings_of_spf(&verdict.spf, session, log);
    found.extend(dkim::findings(verdict, log));
    found.extend(dmarc::findings(verdict, log));
    found.extend(elsewhere::dmarc(&verdict.dmarc, log));
    found.extend(alias::dmarc(&verdict.dmarc, log));
    found.extend(absent::dmarc(&verdict.dmarc, &found));
    found.extend(message::findings(&verdict.oddities));
    sorted(found)
}

/// Those that only the header of the message tells of: fields that claim to be the receiver's own results, where `authserv_id` gives
/// its name, and an earlier client that would pass. The worst first.
///
/// ```
/// use mailverdict::{Authenticator, Message, Session, dns::Zone, finding::findings_of_header, spf::Observers};
/// use std::net::Ipv4Addr;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let message = Message::parse(b"Authentication-Results: mx.example.net; dmarc=pass\r\nFrom: a@example.com\r\n\r\n")?;
/// let session = Session::new(Ipv4Addr::new(192, 0, 2, 1));
/// let authenticator = Authenticator::new(Zone::default());
/// let (verdict, log) = authenticator.explain(&message, session.clone(), &mut Observers { helo: (), mail_from: () }).await;
/// let found = findings_of_header(&verdict, &session, &log, message.header(), Some("mx.example.net"));
/// assert_eq!(found[0].rule.id(), "results-forged");
/// # Ok(())
/// # }
/// ```
pub fn findings_of_header(
    verdict: &Verdict,
    session: &Session,
    log: &Log,
    header: &Header<'_>,
    authserv_id: Option<&str>,
) -> Vec<Finding> {
    sorted(header::of_header(verdict, session, log, header, authserv_id))
}

/// The same of SPF alone, where there is no message.
pub fn findings_of_spf(reports: &SpfReports, session: &Session, log: &Log) -> Vec<Finding> {
    let mut found = spf::findings(reports, session, log);
    found.extend(elsewhere::spf(reports, log));
    found.extend(alias::spf(reports, log));
    found.extend(absent::spf(reports, session, &found));
    found.extend(client::of_session(reports, session, log));
    found.extend(dns::findings(reports, log));
    sorted(found)
}

/// The worst first; those that are as bad as each other stay in their order.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.severity);
    findings
}

impl Finding {
    /// Of this kind, with the severity that is usual for it, and nothing to quote.
    pub fn new(rule: Rule, says: &impl fmt::Display) -> Self {
        let says = quote::bounded(&says.to_string());
        Self { rule, severity: rule.severity(), name: None, quote: None, says, advice: None }
    }
}

impl Severity {
    /// The severity in a word.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

impl About {
    /// What it is about in a word.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
            Self::Arc => "arc",
            Self::Mx => "mx",
            Self::Tls => "tls",
            Self::Bimi => "bimi",
            Self::Message => "message",
            Self::Client => "client",
            Self::Dns => "dns",
        }
    }
}

/// What is so, and what to do.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)?;
        self.advice.iter().try_for_each(|advice| write!(f, ". {advice}"))
    }
}

/// `id`, `severity`, `about`, `name`, `text`, `offset`, `length`, `says`, `advice`, `reference`; null where there is none.
#[cfg(feature = "serde")]
impl serde::Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let Self { rule, severity, name, quote, says, advice } = self;
        let span = quote.as_ref().and_then(Quote::span);
        let mut fields = serializer.serialize_struct("Finding", 10)?;
        fields.serialize_field("id", rule.id())?;
        fields.serialize_field("severity", severity.keyword())?;
        fields.serialize_field("about", rule.about().keyword())?;
        fields.serialize_field("name", name)?;
        fields.serialize_field("text", &quote.as_ref().map(Quote::text))?;
        fields.serialize_field("offset", &span.map(|span| span.offset()))?;
        fields.serialize_field("length", &span.map(|span| span.length()))?;
        fields.serialize_field("says", says)?;
        fields.serialize_field("advice", advice)?;
        fields.serialize_field("reference", &rule.reference())?;
        fields.end()
    }
}
