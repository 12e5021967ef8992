//! The DMARC Policy Record among what stands at a `_dmarc` name.

use super::{octets::printable, record::Record, uri::ReportUri};
use crate::{
    dns::{Answer, LookupError, Reading, Records},
    known::{Known, Unknown},
    lex::SyntaxError,
    name::{Domain, Name},
};
use std::sync::Arc;

/// What the TXT records of one `_dmarc` name come to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Found {
    /// One DMARC Policy Record.
    Record(Arc<PublishedRecord>),
    /// No TXT record that is a DMARC Policy Record.
    Nothing {
        /// TXT records that are something else, and were passed over.
        unrelated: usize,
        /// The name does not exist (NXDOMAIN).
        nxdomain: bool,
    },
    /// Several DMARC Policy Records, which count as none (RFC 9989 §4.10, steps 2 and 6).
    ManyRecords {
        /// How many.
        count: usize,
    },
    /// The name would be longer than the DNS allows, so there is nothing to ask.
    NotAName,
    /// The DNS did not answer.
    Error(LookupError),
}

/// A DMARC Policy Record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedRecord {
    /// The domain it is published for.
    pub domain: Domain,
    /// The name of the TXT record.
    pub name: Name,
    /// Its text, octets outside printable ASCII escaped. Spans count in the text as published, in which each such octet is one.
    pub text: Box<str>,
    /// What it says.
    pub record: Record,
}

impl PublishedRecord {
    /// The record of a domain, as it would stand below it.
    ///
    /// # Errors
    /// Where the text is no DMARC record, or the domain is too long for a name to be asked for.
    pub fn parse(domain: Domain, text: &[u8]) -> Result<Self, RecordError> {
        let name = domain.as_name().prepend("_dmarc").map_err(|_| RecordError::NotAName)?;
        let record = Record::parse(text)?;
        Ok(Self { domain, name, text: printable(text), record })
    }
}

/// Why there is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The text is none.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The name would be longer than the DNS allows.
    #[error("the name of the record would be longer than the DNS allows")]
    NotAName,
}

/// What stands at `_dmarc` below a domain.
pub(super) fn find_record(known: &mut Known<'_>, domain: &Domain) -> Result<Found, Unknown> {
    let Ok(name) = domain.as_name().prepend("_dmarc") else { return Ok(Found::NotAName) };
    known.read_txt(&name, |answer| published(domain, &name, answer))
}

fn published(domain: &Domain, name: &Name, answer: Result<&Answer<Box<[u8]>>, &LookupError>) -> Found {
    match answer {
        Ok(Answer::Records(texts)) => the_record(domain, name, texts),
        Ok(Answer::NoData(_)) => Found::Nothing { unrelated: 0, nxdomain: false },
        Ok(Answer::NxDomain(_)) => Found::Nothing { unrelated: 0, nxdomain: true },
        Err(error) => Found::Error(error.clone()),
    }
}

/// What the texts at a name come to; it stays with them.
struct Published(Found);

impl Reading for Published {
    fn octets(&self) -> usize {
        let Found::Record(published) = &self.0 else { return 0 };
        let Record { aggregate_reports, failure_reports, ignored, .. } = &published.record;
        let uris = aggregate_reports.iter().chain(failure_reports).map(ReportUri::weight);
        let ignored = ignored.iter().map(|ignored| size_of_val(ignored) + ignored.text.len());
        size_of_val(&**published) + published.text.len() + uris.chain(ignored).sum::<usize>()
    }
}

/// The one record among texts that were read already.
pub(crate) fn kept_record(texts: &Records<Box<[u8]>>) -> Option<Arc<PublishedRecord>> {
    match &texts.kept::<Published>()?.0 {
        Found::Record(published) => Some(Arc::clone(published)),
        Found::Nothing { .. } | Found::ManyRecords { .. } | Found::NotAName | Found::Error(_) => None,
    }
}

fn the_record(domain: &Domain, name: &Name, texts: &Records<Box<[u8]>>) -> Found {
    let Published(found) = &*texts.read_as(|texts| Published(read(domain, name, texts)));
    match found {
        // The same texts were found for another domain, as an alias or a wildcard makes it.
        Found::Record(published) if published.domain != *domain => {
            let PublishedRecord { text, record, .. } = &**published;
            let (domain, name, text, record) = (domain.clone(), name.clone(), text.clone(), record.clone());
            Found::Record(Arc::new(PublishedRecord { domain, name, text, record }))
        }
        found => found.clone(),
    }
}

/// RFC 9989 §4.10, steps 2 and 6.
fn read(domain: &Domain, name: &Name, texts: &[Box<[u8]>]) -> Found {
    let mut records = texts.iter().filter_map(|text| Some((text, Record::parse(text).ok()?)));
    match (records.next(), records.count()) {
        (None, _) => Found::Nothing { unrelated: texts.len(), nxdomain: false },
        (Some((text, record)), 0) => {
            let (domain, name, text) = (domain.clone(), name.clone(), printable(text));
            Found::Record(Arc::new(PublishedRecord { domain, name, text, record }))
        }
        (Some(_), more) => Found::ManyRecords { count: more + 1 },
    }
}
