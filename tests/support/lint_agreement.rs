//! Whether a look at a domain says permerror exactly where evaluation does for some client.

use crate::ready::now;
use mailverdict::{
    Authenticator, Policy, Session,
    dns::Resolver,
    finding::Severity,
    lint::{Lint, Report, Scope},
    name::Domain,
    spf::{Limit, Observers, PermError, SpfReport, SpfResult},
};
use std::net::IpAddr;

/// The findings that say permerror, where they are errors.
const CLAIMS: [&str; 16] = [
    "spf-multiple",
    "spf-syntax",
    "spf-mechanism-typo",
    "spf-separator",
    "spf-ip4",
    "spf-ip6",
    "spf-cidr",
    "spf-domain-spec",
    "spf-macro",
    "spf-duplicate-modifier",
    "spf-lookups",
    "spf-void",
    "spf-mx-limit",
    "spf-target-none",
    "spf-loop",
    "spf-size",
];

/// Clients that no record of a suite names.
const STRANGERS: [&str; 2] = ["9.9.9.9", "2620:fe::9"];

/// What evaluation comes to for one client, against what is said of the domain; the reason where they do not agree.
pub(crate) fn disagreement<R: Resolver>(
    zone: &R,
    policy: &Policy,
    session: &Session,
    report: &SpfReport,
) -> Option<String> {
    let domain = Domain::parse(report.domain()).ok()?;
    let look = Lint::new(zone).with_policy(policy.clone()).look_at_once(&Scope::of(domain.clone()));
    let claims: Vec<String> = look
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error && CLAIMS.contains(&finding.rule.id()))
        .map(ToString::to_string)
        .collect();
    if let SpfResult::PermError(error) = &report.result {
        return (claims.is_empty() && !depends_on_client(error, &look)).then(|| format!("lint does not say: {report}"));
    }
    if claims.is_empty() || matches!(report.result, SpfResult::TempError(_)) {
        return None;
    }
    let authenticator = Authenticator::new(zone).with_policy(policy.clone());
    let fails = |session: Session| {
        let reports = now(authenticator.check_spf(&session, &mut Observers { helo: (), mail_from: () }));
        [reports.mail_from, reports.helo]
            .into_iter()
            .flatten()
            .any(|report| matches!(report.result, SpfResult::PermError(_) | SpfResult::TempError(_)))
    };
    let stranger = |ip: &str| {
        let session = session.clone().with_peer(ip.parse::<IpAddr>().unwrap());
        session.with_mail_from(&format!("stranger@{domain}"))
    };
    let is_so = STRANGERS.iter().any(|ip| fails(stranger(ip)));
    (!is_so).then(|| format!("lint says what no client meets: {claims:?}"))
}

/// Whether the names that are asked for are made of what one client or sender is, which nobody can foresee.
fn depends_on_client(error: &PermError, look: &Report) -> bool {
    match error {
        // Records to which macros led are not looked at.
        PermError::Syntax { domain, .. } | PermError::ManyRecords { domain, .. } => {
            !look.log().entries().iter().any(|entry| entry.question().name == *domain)
        }
        PermError::NoRecordAtTarget { term, .. } => term.contains('%'),
        PermError::LimitExceeded { limit: Limit::Expansion(_), .. } => true,
        PermError::LimitExceeded { term, .. } => term.contains('%') || term.contains("ptr"),
        _ => false,
    }
}
