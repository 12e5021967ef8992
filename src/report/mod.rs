//! Reports to domain owners: which they ask for, and where these may be sent (RFC 9990, RFC 9991).
//!
#![doc = include_str!("../../docs/reports.md")]

mod destination;
mod failure_reports;

pub(crate) use destination::destinations;
pub use destination::{Destination, MAX_DESTINATIONS, Permission, Refusal, ReportKind};
pub use failure_reports::FailureReports;
