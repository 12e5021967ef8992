//! Why a report could not be read.

use std::sync::Arc;

/// Why a report could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is none.
    #[error("no report: {0}")]
    NoReport(&'static str),
    /// XML that declares a document type or entities, which reports have no use for.
    #[error("line {line}: a document type or an entity is declared, which is refused, because no report needs one")]
    DocumentType {
        /// Counted from 1.
        line: u64,
    },
    /// More text without a tag than any report has.
    #[error("line {line}: more than {limit} octets stand there without a tag between them")]
    LongText {
        /// Counted from 1.
        line: u64,
        /// Octets.
        limit: usize,
    },
    /// Elements within each other.
    #[error("line {line}: more than {limit} elements stand within each other")]
    TooDeep {
        /// Counted from 1.
        line: u64,
        /// [`ReadLimits::nesting`](super::ReadLimits::nesting).
        limit: usize,
    },
    /// More rows than may be.
    #[error("line {line}: the report has more than {limit} rows")]
    TooManyRows {
        /// Counted from 1.
        line: u64,
        /// [`ReadLimits::rows`](super::ReadLimits::rows).
        limit: u64,
    },
    /// More octets than may be.
    #[error("unpacked, it has more than {limit} octets")]
    TooLarge {
        /// [`ReadLimits::unpacked`](super::ReadLimits::unpacked).
        limit: u64,
    },
    /// Octets that come to many more than they are.
    #[error("unpacked, it has more than {limit} times its octets")]
    TooDense {
        /// [`ReadLimits::ratio`](super::ReadLimits::ratio).
        limit: u64,
    },
    /// More parts than may be, of a mail or an archive.
    #[error("it has more than {limit} parts")]
    TooManyParts {
        /// [`ReadLimits::parts`](super::ReadLimits::parts).
        limit: usize,
    },
    /// Packed, and packed again.
    #[error("more than {limit} wrappings stand within each other")]
    TooWrapped {
        /// [`ReadLimits::wrappings`](super::ReadLimits::wrappings).
        limit: usize,
    },
    /// XML that a parser cannot get along with.
    #[error("line {line}: no XML: {says}")]
    Xml {
        /// Counted from 1.
        line: u64,
        /// What the parser says.
        says: Arc<str>,
    },
    /// JSON that is none, or no report.
    #[error("no TLS report: {0}")]
    Json(Arc<str>),
    /// What is packed cannot be unpacked.
    #[error("it cannot be unpacked: {0}")]
    Packed(Arc<str>),
    /// The octets cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(Arc<str>),
}

impl From<&std::io::Error> for ReadError {
    /// What was meant where it comes from one of ours.
    fn from(error: &std::io::Error) -> Self {
        let own = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>());
        own.cloned().unwrap_or_else(|| Self::Unreadable(error.to_string().into()))
    }
}
