//! The SPF record among what a domain publishes.

use super::record::Record;
use crate::{
    dns::{Reading, Records},
    lex::SyntaxError,
};
use std::sync::Arc;

/// Why the texts at a name are no SPF record (RFC 7208 §4.5, §4.6).
#[derive(Clone, Debug)]
pub(super) enum NotARecord {
    NoRecord,
    ManyRecords { count: usize },
    Syntax(SyntaxError),
}

/// What the texts at a name come to; it stays with them.
struct Published(Result<Arc<Record>, NotARecord>);

impl Reading for Published {
    fn octets(&self) -> usize {
        self.0.as_ref().map_or(0, |record| record.weight())
    }
}

/// Octets that a term of a record counts as beside its own: it takes its time and its memory, however short it is.
const TERM: usize = 16;

/// How large the SPF records among the texts at a name are to those who have to read them: their octets, and [`TERM`] for each of
/// their terms.
#[inline]
pub(super) fn size(texts: &[Box<[u8]>]) -> usize {
    let records = texts.iter().filter(|text| Record::has_version(text));
    records.map(|text| text.len() + TERM * memchr::memchr_iter(b' ', text).count()).sum()
}

/// RFC 7208 §4.5 and §4.6: the one SPF record among the texts at a name.
#[inline]
pub(super) fn the_record(texts: &Records<Box<[u8]>>) -> Result<Arc<Record>, NotARecord> {
    texts.read_as(|texts| Published(read(texts)), |Published(read)| read.clone())
}

fn read(texts: &[Box<[u8]>]) -> Result<Arc<Record>, NotARecord> {
    let mut records = texts.iter().filter(|text| Record::has_version(text));
    match (records.next(), records.count()) {
        (None, _) => Err(NotARecord::NoRecord),
        (Some(text), 0) => Record::parse(text).map(Arc::new).map_err(NotARecord::Syntax),
        (Some(_), others) => Err(NotARecord::ManyRecords { count: others + 1 }),
    }
}
