//! Reports of others, read.

mod conclusion;
mod decoded;
mod draft;
mod error;
mod failure;
mod limits;
mod lines;
mod mail;
mod markup;
mod place;
mod reader;
mod source;
mod tls;
mod unwrap;

pub use error::ReadError;
pub use failure::FailureReport;
pub use limits::ReadLimits;
pub use reader::Reader;
pub use source::Source;
pub use tls::{TlsFailure, TlsPolicy, TlsPolicyType, TlsReport};
pub use unwrap::{AggregateReport, Found, Report, read};
