//! Reports to domain owners: which they ask for, and where these may be sent (RFC 9990, RFC 9991).
//!
#![doc = include_str!("../../docs/reports.md")]

#[cfg(feature = "reports")]
mod aggregate;
mod destination;
#[cfg(feature = "reports")]
mod deviation;
mod failure_reports;
#[cfg(feature = "reports")]
mod read;
#[cfg(feature = "reports")]
mod row;
#[cfg(feature = "reports")]
mod summary;
#[cfg(feature = "reports")]
mod words;
#[cfg(feature = "reports")]
mod write;

pub(crate) use destination::destinations;
pub use destination::{Destination, MAX_DESTINATIONS, Permission, Refusal, ReportKind};
pub use failure_reports::FailureReports;
#[cfg(feature = "reports")]
pub use write::{Aggregator, FailureNotice, FailureReporter, Observation, Reporter, Topic, WrittenReport};
#[cfg(feature = "reports")]
pub use {
    aggregate::{Aggregate, PublishedPolicy, ReportEdition},
    deviation::ReportFinding,
    read::{
        AggregateReport, FailureReport, Found, ReadError, ReadLimits, Reader, Report, Source, TlsFailure, TlsPolicy,
        TlsPolicyType, TlsReport, read,
    },
    row::{DkimRow, Extension, Reason, Row, SpfRow},
    summary::{DomainSummary, Mail, Overlap, SourceSummary, Summary},
    words::{Aligned, AlignmentMode, Applied, DiscoveryMethod, DkimWord, ReasonType, Scope, SpfWord, Testing},
};
