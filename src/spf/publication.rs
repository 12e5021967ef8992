//! The SPF record among what a domain publishes.

use super::{fault::Fault, record::Record};
use crate::dns::{Reading, Records};
use std::{ops::Deref, sync::Arc};

/// Why the texts at a name are no SPF record (RFC 7208 §4.5, §4.6).
#[derive(Clone, Debug)]
pub(crate) enum NotARecord {
    NoRecord,
    ManyRecords { count: usize },
    Syntax(Box<Fault>),
}

/// What the texts at a name come to; it stays with them.
#[derive(Debug)]
struct Published {
    /// See [`size`].
    size: usize,
    record: Result<Record, NotARecord>,
}

impl Reading for Published {
    fn octets(&self) -> usize {
        self.record.as_ref().map_or(0, Record::weight)
    }
}

/// The record of a domain. Cheap to clone: it is shared with the answer that it was read of.
#[derive(Clone, Debug)]
pub(crate) struct SharedRecord(Arc<Published>);

impl SharedRecord {
    fn new(published: Arc<Published>) -> Result<Self, NotARecord> {
        match &published.record {
            Ok(_) => Ok(Self(published)),
            Err(reason) => Err(reason.clone()),
        }
    }
}

/// What stands where there is no record, which [`SharedRecord::new`] rules out.
static NO_RECORD: Record = Record { directives: Vec::new(), redirect: None, exp: None, unknown_modifiers: Vec::new() };

impl Deref for SharedRecord {
    type Target = Record;

    #[inline]
    fn deref(&self) -> &Record {
        self.0.record.as_ref().unwrap_or(&NO_RECORD)
    }
}

impl From<Record> for SharedRecord {
    fn from(record: Record) -> Self {
        Self(Arc::new(Published { size: 0, record: Ok(record) }))
    }
}

/// What was found among the texts at a name, and how large that is.
pub(crate) struct Found {
    /// The octets of the SPF records, and [`TERM`] for each of their terms: how much there is to read.
    pub(crate) size: usize,
    /// `None` where that is more than may be read.
    pub(crate) record: Option<Result<SharedRecord, NotARecord>>,
}

/// Octets that a term of a record counts as beside its own: it takes its time and its memory, however short it is.
const TERM: usize = 16;

fn size(texts: &[Box<[u8]>]) -> usize {
    let records = texts.iter().filter(|text| Record::has_version(text));
    records.map(|text| text.len() + TERM * memchr::memchr_iter(b' ', text).count()).sum()
}

/// RFC 7208 §4.5 and §4.6: the one SPF record among the texts at a name, where no more than `most` has to be read for it.
#[inline]
pub(crate) fn find(texts: &Records<Box<[u8]>>, most: usize) -> Found {
    match texts.kept::<Published>() {
        Some(published) if published.size <= most => Found::of(published),
        Some(published) => Found { size: published.size, record: None },
        None => match size(texts) {
            size if size <= most => Found::of(texts.keep(Published { size, record: read(texts) })),
            size => Found { size, record: None },
        },
    }
}

impl Found {
    #[inline]
    fn of(published: Arc<Published>) -> Self {
        Self { size: published.size, record: Some(SharedRecord::new(published)) }
    }
}

fn read(texts: &[Box<[u8]>]) -> Result<Record, NotARecord> {
    let mut records = texts.iter().filter(|text| Record::has_version(text));
    match (records.next(), records.count()) {
        (None, _) => Err(NotARecord::NoRecord),
        (Some(text), 0) => Record::parse(text).map_err(|error| NotARecord::Syntax(Box::new(Fault::of(text, &error)))),
        (Some(_), others) => Err(NotARecord::ManyRecords { count: others + 1 }),
    }
}
