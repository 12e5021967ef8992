//! From what was gathered to a report.

use super::{context::Context, dmarc, gather::Gathered, report::Report, scope::Scope, spf};
use crate::{known::Log, policy::Policy};

/// All that is to be said of a domain.
pub(super) fn judge(scope: &Scope, policy: &Policy, gathered: &Gathered, log: Log) -> Report {
    let context = Context::new(scope, policy, gathered, &log);
    let mut mx = context.mail_hosts(context.domain()).unwrap_or_default().to_vec();
    mx.sort_by_key(|mx| mx.preference);
    let (spf, mut findings) = spf::look(&context);
    let (dmarc, of_dmarc) = dmarc::look(&context);
    findings.extend(of_dmarc);
    findings.sort_by_key(|finding| finding.severity);
    Report { domain: scope.domain().clone(), spf, dmarc, mx, findings, log }
}
