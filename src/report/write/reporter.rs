//! Who reports, and on what time.

use crate::{name::Domain, time::UnixTime};

/// Who reports, and on what time.
///
/// ```
/// use mailverdict::{name::Domain, report::Reporter, time::UnixTime};
/// let reporter = Reporter::new(Domain::parse("mx.example.net")?, "Example", "dmarc@example.net", UnixTime(0), UnixTime(86_399));
/// # Ok::<(), mailverdict::name::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reporter {
    /// The domain that reports.
    pub submitter: Domain,
    /// The name of the organization.
    pub org_name: String,
    /// Its address, from which mail with reports comes: that mail has to pass DMARC (RFC 9990 §3.5.2).
    pub email: String,
    /// More of how to reach it.
    pub extra_contact_info: Option<String>,
    /// Where the period begins.
    pub begin: UnixTime,
    /// Where it ends.
    pub end: UnixTime,
}

impl Reporter {
    /// Who reports (their domain, name and address), and the period.
    pub fn new(submitter: Domain, org_name: &str, email: &str, begin: UnixTime, end: UnixTime) -> Self {
        let (org_name, email) = (org_name.to_owned(), email.to_owned());
        Self { submitter, org_name, email, extra_contact_info: None, begin, end }
    }
}
