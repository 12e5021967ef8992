//! What was concluded about a message: the result of DMARC, why, and what the domain owner asks for.

use crate::{
    report::Report,
    style::{Style, printable, wrapped},
};
use mailverdict::{
    Verdict,
    dmarc::{Alignment, Disposition, DmarcReport, DmarcResult, TempErrorReason},
    dns::LookupError,
};
use std::fmt::{self, Write};

/// What people are told first.
#[derive(Debug)]
pub(crate) struct Conclusion {
    /// The keyword of DMARC's result; what is not known has none, and the sentence says so.
    pub(crate) result: Option<&'static str>,
    /// A sentence or two; printable.
    pub(crate) sentence: String,
    /// The keyword of DMARC's disposition, where it is known.
    pub(crate) disposition: Option<&'static str>,
    pub(crate) offer: Option<Offer>,
}

/// A disposition that the receiver may take in place of DMARC's.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) disposition: &'static str,
    /// Why; printable.
    pub(crate) words: String,
}

impl Conclusion {
    pub(crate) fn of(report: &Report<'_>) -> Self {
        let Verdict { dmarc, policy_override, disposition, .. } = report.verdict;
        let wanted = report.wanted();
        let is_complete = wanted.is_none();
        let is_known = is_complete || !matches!(dmarc.result, DmarcResult::Fail(_));
        let offer = policy_override.as_ref().map(|offer| Offer {
            disposition: disposition.keyword(),
            words: printable(&format!("({}: {offer})", offer.reason.keyword())),
        });
        Self {
            result: is_known.then(|| dmarc.result.keyword()),
            sentence: printable(&conclusion(report.verdict, wanted)),
            disposition: is_complete.then(|| dmarc.disposition.keyword()),
            offer,
        }
    }
}

/// Writes the result, a sentence or two, and the disposition.
pub(crate) fn write(out: &mut impl Write, report: &Report<'_>, style: Style) -> fmt::Result {
    let Conclusion { result, sentence, disposition, offer } = Conclusion::of(report);
    if let Some(result) = result {
        writeln!(out, "{}: {}", style.bold("DMARC"), style.keyword(result))?;
    }
    writeln!(out, "{}", wrapped(&sentence, 0))?;
    if let Some(disposition) = disposition {
        writeln!(out, "Disposition: {}", style.keyword(disposition))?;
    }
    let Some(Offer { disposition, words }) = offer else { return Ok(()) };
    writeln!(out, "Override: {}\n{}", style.keyword(disposition), wrapped(&words, 0))
}

/// What the domain owner asks for by the policy that applies, as it stands in the record, and what is read in its place.
pub(crate) fn policy(dmarc: &DmarcReport) -> Option<String> {
    if let Some(replaced) = dmarc.replaced() {
        return Some(replaced.to_string());
    }
    let (owner, policy, tag) = (dmarc.policy_domain.as_ref()?, dmarc.policy?, dmarc.policy_tag?);
    let what = match policy {
        Disposition::None => "do nothing about",
        Disposition::Quarantine => "treat as suspicious",
        Disposition::Reject => "reject",
    };
    Some(format!("{owner} asks receivers to {what} what fails ({}={})", tag.keyword(), policy.keyword()))
}

/// The result's reason, and the policy where that does not tell it already.
pub(crate) fn reason_and_policy(dmarc: &DmarcReport) -> String {
    let reason = dmarc.result.to_string();
    let is_told = matches!(dmarc.result, DmarcResult::Fail(_)) && dmarc.replaced().is_some();
    match policy(dmarc).filter(|_| !is_told) {
        Some(policy) => format!("{reason}; {policy}"),
        None => reason,
    }
}

/// What DMARC makes of SPF and DKIM, in a sentence or two; where it is not complete, what is wanted.
fn conclusion(verdict: &Verdict, wanted: Option<&str>) -> String {
    let dmarc = &verdict.dmarc;
    let author = dmarc.author_domain.as_ref().map_or("an author domain", |domain| domain.as_str());
    let asked = || policy(dmarc).map(|policy| format!("; {policy}")).unwrap_or_default();
    let lowered = dmarc.lowered.as_ref().map(|lowered| format!(" The policy is not applied in full: {lowered}."));
    match &dmarc.result {
        DmarcResult::Pass(_) => {
            format!("The message comes from {author}, as its From field says: {}.", aligned(dmarc))
        }
        DmarcResult::Fail(_) => match wanted {
            Some(wanted) => format!(
                "DMARC is not known without {wanted}: it fails unless SPF passes. Nothing else shows that the message comes \
                 from {author}, as its From field says{}.",
                asked()
            ),
            None => format!(
                "Nothing shows that the message comes from {author}, as its From field says: {}.{}",
                reason_and_policy(dmarc),
                lowered.unwrap_or_default(),
            ),
        },
        DmarcResult::None(reason) => format!("DMARC has no say: {reason}."),
        DmarcResult::TempError(reason) => {
            format!("DMARC could not be evaluated now: {reason}. {}", trying_again(reason))
        }
        DmarcResult::PermError(reason) => {
            let open = wanted.map(|wanted| format!(" What is to be done is not known without {wanted}."));
            let [lowered, open] = [lowered, open].map(Option::unwrap_or_default);
            format!("DMARC cannot be evaluated: {reason}.{lowered}{open}")
        }
    }
}

/// Whether the DNS may answer another time.
fn trying_again(reason: &TempErrorReason) -> &'static str {
    match reason {
        TempErrorReason::Record { error: LookupError::EndlessAliases(_), .. }
        | TempErrorReason::Alignment { error: LookupError::EndlessAliases(_), .. } => {
            "Trying again does not help: the records there must be corrected."
        }
        _ => "Trying again may help.",
    }
}

/// Who authenticated what, as far as it aligns.
fn aligned(dmarc: &DmarcReport) -> String {
    let mut said: Vec<String> = Vec::new();
    for identifier in dmarc.identifiers.iter().filter(|identifier| identifier.is_aligned()) {
        let related = match &identifier.alignment {
            Alignment::SameOrganization { organizational_domain } => {
                format!(", which belongs to {organizational_domain} as well")
            }
            _ => String::new(),
        };
        let sentence = format!("{} authenticated {}{related}", identifier.mechanism.name(), identifier.domain);
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    said.join(", and ")
}
