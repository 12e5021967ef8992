//! Reports of what was seen here, written.

mod aggregator;
mod failure;
mod mail;
mod observation;
mod reporter;
mod runs;
mod topic;
mod written;
mod xml;

pub use aggregator::Aggregator;
pub use failure::{FailureNotice, FailureReporter};
pub use observation::Observation;
pub use reporter::Reporter;
pub use topic::Topic;
pub use written::WrittenReport;
