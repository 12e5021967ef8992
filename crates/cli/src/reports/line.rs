//! A report as a line of JSON.

use mailverdict::{
    json::VERSION,
    report::{
        Aggregate, AggregateReport, FailureReport, Found, PublishedPolicy, ReadError, Report, ReportEdition,
        ReportFinding, TlsPolicy, TlsReport,
    },
    time::UnixTime,
};
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeSeq as _},
};

/// What stands in a file.
pub(super) fn of<'r>(file: &'r str, found: &'r Result<Found<'r>, String>) -> Line<'r> {
    let found = match found {
        Ok(found) => &found.report,
        Err(error) => return Line::Failed { version: VERSION, file, error: error.clone() },
    };
    match found {
        Err(error) => Line::Failed { version: VERSION, file, error: error.to_string() },
        Ok(report) => Line::Read(Box::new(Members::of(file, report))),
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Line<'r> {
    Read(Box<Members<'r>>),
    Failed { version: u32, file: &'r str, error: String },
}

/// What is printed of each kind; what does not apply is null, and its own members are left away for other kinds.
#[derive(Serialize)]
pub(super) struct Members<'r> {
    version: u32,
    file: &'r str,
    kind: &'static str,
    edition: ReportEdition,
    org_name: Option<&'r str>,
    email: Option<&'r str>,
    report_id: Option<&'r str>,
    begin: Option<UnixTime>,
    end: Option<UnixTime>,
    domain: Option<&'r str>,
    policy: Option<&'r PublishedPolicy>,
    rows: Rows<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'r FailureReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<&'r [TlsPolicy]>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    more: Option<More<'r>>,
    findings: &'r [ReportFinding],
}

/// What else an aggregate report says of itself.
#[derive(Serialize)]
struct More<'r> {
    extra_contact_info: Option<&'r str>,
    errors: &'r [Box<str>],
    generator: Option<&'r str>,
    extensions: &'r [mailverdict::report::Extension],
}

impl<'r> Members<'r> {
    fn of(file: &'r str, report: &'r Report<'r>) -> Self {
        match report {
            Report::Aggregate(report) => Self::of_aggregate(file, report),
            Report::Failure(report) => Self {
                kind: "failure",
                edition: report.edition,
                domain: report.reported_domain.as_deref(),
                failure: Some(report),
                findings: &report.findings,
                ..Self::empty(file)
            },
            Report::Tls(report) => Self::of_tls(file, report),
            _ => Self::empty(file),
        }
    }

    fn of_aggregate(file: &'r str, report: &'r AggregateReport<'r>) -> Self {
        let about: &Aggregate = &report.about;
        Self {
            kind: "aggregate",
            edition: about.edition,
            org_name: about.org_name.as_deref(),
            email: about.email.as_deref(),
            report_id: about.report_id.as_deref(),
            begin: about.begin,
            end: about.end,
            domain: about.domain.as_deref(),
            policy: Some(&about.policy),
            rows: Rows(Some(report)),
            more: Some(More {
                extra_contact_info: about.extra_contact_info.as_deref(),
                errors: &about.errors,
                generator: about.generator.as_deref(),
                extensions: &about.extensions,
            }),
            findings: &report.findings,
            ..Self::empty(file)
        }
    }

    fn of_tls(file: &'r str, report: &'r TlsReport) -> Self {
        Self {
            kind: "tls",
            edition: ReportEdition::Rfc8460,
            org_name: report.org_name.as_deref(),
            email: report.contact.as_deref(),
            report_id: report.report_id.as_deref(),
            begin: report.begin,
            end: report.end,
            domain: report.policies.iter().find_map(|policy| policy.domain.as_deref()),
            policies: Some(&report.policies),
            findings: &report.findings,
            ..Self::empty(file)
        }
    }

    fn empty(file: &'r str) -> Self {
        Self {
            version: VERSION,
            file,
            kind: "other",
            edition: ReportEdition::Other,
            org_name: None,
            email: None,
            report_id: None,
            begin: None,
            end: None,
            domain: None,
            policy: None,
            rows: Rows(None),
            failure: None,
            policies: None,
            more: None,
            findings: &[],
        }
    }
}

/// The rows, read while they are printed.
struct Rows<'r>(Option<&'r AggregateReport<'r>>);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Either goes wrong.
        enum Broken<E> {
            Written(E),
            Read(ReadError),
        }
        impl<E> From<ReadError> for Broken<E> {
            fn from(error: ReadError) -> Self {
                Self::Read(error)
            }
        }
        let mut rows = serializer.serialize_seq(None)?;
        if let Some(report) = self.0 {
            let written = report.for_each_row(|row| rows.serialize_element(&row).map_err(Broken::Written));
            written.map_err(|broken| match broken {
                Broken::Written(error) => error,
                Broken::Read(error) => S::Error::custom(error),
            })?;
        }
        rows.end()
    }
}
