//! What one report is about.

use super::super::aggregate::PublishedPolicy;
use crate::{
    dmarc::{PublishedRecord, RecordError},
    name::Domain,
};
use serde::{Deserialize, Serialize};

/// What one report is about: a policy domain under one policy (RFC 9990 §3.1: "A single report MUST contain data for one policy
/// configuration").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Topic {
    /// The policy domain.
    pub domain: Box<str>,
    /// The policy.
    pub policy: PublishedPolicy,
    /// Where reports are wanted.
    pub rua: Vec<Box<str>>,
    /// What is wrong with the record.
    pub errors: Vec<Box<str>>,
}

impl Topic {
    /// The record as far as it says where reports are wanted, for
    /// [`Authenticator::report_destinations`](crate::Authenticator::report_destinations).
    ///
    /// # Errors
    /// Where the domain is none, or no name of a record can be made of it.
    pub fn record(&self) -> Result<PublishedRecord, RecordError> {
        let domain = Domain::parse(&self.domain).map_err(|_| RecordError::NotAName)?;
        PublishedRecord::parse(domain, format!("v=DMARC1; p=none; rua={}", self.rua.join(",")).as_bytes())
    }
}
