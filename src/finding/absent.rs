//! Records that are nowhere.

use super::{
    Finding, Rule,
    client::is_null,
    elsewhere::without_dmarc,
    record_text::{of_name, shown},
};
use crate::{
    dmarc::DmarcReport,
    name::Name,
    session::Session,
    spf::{self, SpfReports, SpfResult},
};

/// The domain of MAIL FROM sends mail and has no SPF record, where nothing that was found says more of it. Hosts in HELO have none most
/// often, and little depends on it.
pub(super) fn spf(reports: &SpfReports, session: &Session, found: &[Finding]) -> Option<Finding> {
    const EXPLAIN: [Rule; 3] = [Rule::SpfNone, Rule::SpfWrongPlace, Rule::SpfNotARecord];
    let report = reports.mail_from.as_ref()?;
    let SpfResult::None(spf::NoneReason::NoRecord) = report.result else { return None };
    let name = report.domain.as_ref().ok()?.as_name();
    if found.iter().any(|finding| EXPLAIN.contains(&finding.rule)) {
        return None;
    }
    // RFC 7208 §2.4, and §10.1.3 for the record.
    if is_null(report, session) {
        let says =
            format!("MAIL FROM is empty, so {}, the name in HELO, is checked: it has no SPF record", shown(name));
        return Some(of_name(name, Rule::SpfNone, &says, "Publish one at this name, such as \"v=spf1 a -all\"."));
    }
    Some(no_spf_of_sender(name))
}

/// What to do where there is no SPF record.
pub(crate) const PUBLISH_SPF: &str = "Publish one that names the hosts which send for it, such as \"v=spf1 mx -all\".";

/// A domain of MAIL FROM has none.
pub(crate) fn no_spf_of_sender(name: &Name) -> Finding {
    let says = format!("{} stands in MAIL FROM and has no SPF record", shown(name));
    of_name(name, Rule::SpfNone, &says, PUBLISH_SPF)
}

/// No DMARC record applies to the author domain, where nothing that was found says more of it.
pub(super) fn dmarc(report: &DmarcReport, found: &[Finding]) -> Option<Finding> {
    const EXPLAIN: [Rule; 4] = [Rule::DmarcNone, Rule::DmarcWrongPlace, Rule::DmarcNotARecord, Rule::DmarcMultiple];
    let author = without_dmarc(report)?;
    if found.iter().any(|finding| EXPLAIN.contains(&finding.rule)) {
        return None;
    }
    let name = author.prepend("_dmarc").ok()?;
    Some(no_dmarc(&name, report.steps.iter().map(|step| step.domain.as_name()), ""))
}

/// No DMARC record was found at a name, nor below any of those that were asked; `why` says what follows.
pub(crate) fn no_dmarc<'n>(name: &Name, asked: impl Iterator<Item = &'n Name>, why: &str) -> Finding {
    let asked: Vec<_> = asked.map(shown).take(8).collect();
    let says = match asked.as_slice() {
        [] | [_] => format!("no DMARC record stands at {}{why}", shown(name)),
        _ => format!("no DMARC record stands at _dmarc below any of {}{why}", asked.join(", ")),
    };
    let advice =
        format!("Publish \"v=DMARC1; p=none; rua=mailto:...\" at {}, to be told who sends as it.", shown(name));
    of_name(name, Rule::DmarcNone, &says, &advice)
}
