//! What the domains of planned mail publish.

use super::plan::Plan;
use crate::{
    finding::{About, Finding, findings, findings_of_header},
    known::Log,
    lint::Report,
    message::Header,
    verdict::Verdict,
};

/// A look at the author domain, and one at the domain of the reverse-path where that is another.
#[derive(Debug)]
pub(super) struct Looks {
    pub(super) author: Report,
    pub(super) return_path: Option<Report>,
}

impl Looks {
    /// Who publishes the SPF record for MAIL FROM.
    pub(super) fn spf_publisher(&self) -> &Report {
        self.return_path.as_ref().unwrap_or(&self.author)
    }

    /// What is wrong with records, and what the evaluation of the message met; the worst first, each once.
    pub(super) fn findings(
        &self,
        plan: &Plan,
        direct: &Verdict,
        planned: usize,
        log: &Log,
        header: &Header<'_>,
    ) -> Vec<Finding> {
        // Planned signatures stand on top, and are none; the records of their keys were looked at.
        let mut verdict = direct.clone();
        verdict.dkim.retain(|report| report.field_index >= planned);
        let session = super::way::Way::Direct.session(plan);
        let of_path = self.return_path.iter().flat_map(|report| &report.findings);
        let all =
            self.author.findings.iter().chain(of_path.filter(|finding| finding.rule.about() == About::Spf)).cloned();
        let all = all.chain(findings(&verdict, &session, log));
        let all = all.chain(findings_of_header(&verdict, &session, log, header, None));
        let mut found: Vec<Finding> = Vec::new();
        for finding in all {
            if !found.iter().any(|known| is_same(known, &finding)) {
                found.push(finding);
            }
        }
        found.sort_by_key(|finding| finding.severity);
        found
    }

    /// All that was asked for them, and for the message.
    pub(super) fn log(&self, of_message: &Log) -> Log {
        let mut log = self.author.log().clone();
        if let Some(report) = &self.return_path {
            log.add(report.log());
        }
        log.add(of_message);
        log
    }
}

/// Of the same place in the same record; words differ where an evaluation tells of one client, and a look of all.
fn is_same(one: &Finding, other: &Finding) -> bool {
    one.rule == other.rule && one.name == other.name && one.quote == other.quote
}
