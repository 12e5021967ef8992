//! What was read of all reports together, for people.

use super::hosts::MAX_HOSTS;
use mailverdict::report::{DomainSummary, FailureReport, ReportFinding, Summary, TlsReport};
use std::net::IpAddr;

/// What was read, for people.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    pub(crate) summary: Summary,
    /// Failure reports and TLS reports, as far as they are shown.
    pub(crate) failures: Vec<FailureReport>,
    pub(crate) tls: Vec<TlsReport>,
    /// What is not shown of these.
    pub(crate) more: u64,
    /// Reports that were read.
    pub(crate) read: u64,
    /// Findings, and how many reports have some.
    pub(crate) findings: u64,
    pub(crate) with_findings: u64,
}

/// Failure reports, and TLS reports, that are kept for people.
const MAX_SHOWN: usize = 100;

impl Readings {
    pub(super) fn add_failure(&mut self, report: &FailureReport) {
        if self.failures.len() < MAX_SHOWN {
            self.failures.push(report.clone());
        } else {
            self.more += 1;
        }
        self.add_findings(&report.findings);
    }

    pub(super) fn add_tls(&mut self, report: &TlsReport) {
        if self.tls.len() < MAX_SHOWN {
            self.tls.push(report.clone());
        } else {
            self.more += 1;
        }
        self.add_findings(&report.findings);
    }

    pub(super) fn add_findings(&mut self, findings: &[ReportFinding]) {
        self.findings += u64::try_from(findings.len()).unwrap_or(u64::MAX);
        self.with_findings += u64::from(!findings.is_empty());
    }

    /// The clients whose hosts are worth a name.
    pub(super) fn clients(&self) -> Vec<IpAddr> {
        let sources = self.summary.domains().flat_map(DomainSummary::sources);
        sources.filter_map(|source| source.client).take(MAX_HOSTS).collect()
    }
}
