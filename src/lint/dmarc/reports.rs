//! Where a DMARC record wants reports, and whether they come there.

use super::record::OfRecord;
use crate::{
    dmarc::ReportUri,
    finding::{Finding, Rule, quoted},
    name::shown,
    report::{Destination, Permission, Refusal},
};

/// Destinations that receivers of RFC 7489 serve (RFC 9989 C.7).
const SERVED: usize = 2;

pub(super) fn findings(of: &OfRecord<'_, '_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (tag, given) in [("rua", &of.context.gathered.aggregate), ("ruf", &of.context.gathered.failure)] {
        found.extend(many(of, tag, given));
        for (place, destination) in given.iter().enumerate() {
            let before = given.get(..place).unwrap_or_default();
            found.extend(of_one(of, tag, destination, before));
        }
    }
    if of.record.aggregate_reports.is_empty()
        && of.record.policy != crate::dmarc::Request::Valid(crate::dmarc::Disposition::None)
    {
        let says = "the record asks for no aggregate reports: nobody tells its owner whose mail fails";
        found.push(of.text.finding(Rule::DmarcNoRua, None, says, "Add rua=mailto: and an address."));
    }
    if !of.record.failure_reports.is_empty() {
        let says =
            format!("{} asks for copies of messages that fail; few receivers send any, for privacy", of.quoted("ruf"));
        let advice = "Take it out, unless reports come and somebody reads them.";
        found.push(of.finding(Rule::DmarcRuf, "ruf", &says, advice));
    }
    found
}

fn many(of: &OfRecord<'_, '_>, tag: &str, given: &[Destination]) -> Option<Finding> {
    if given.len() <= SERVED {
        return None;
    }
    let says = format!(
        "{} has {} addresses; receivers that follow RFC 7489 need serve two alone",
        of.quoted(tag),
        given.len()
    );
    Some(of.finding(Rule::DmarcManyUris, tag, &says, "Write the two that matter first."))
}

fn of_one(of: &OfRecord<'_, '_>, tag: &str, destination: &Destination, before: &[Destination]) -> Vec<Finding> {
    let Destination { uri, permission, .. } = destination;
    let mut found = Vec::new();
    let about = |rule, says: String, advice: &str| of.text.finding(rule, uri.span(), &says, advice);
    let written = quoted(of.text.at(uri.span()));
    if before.iter().any(|other| same(&other.uri, uri)) {
        found.push(about(
            Rule::DmarcUriTwice,
            format!("{written} stands in {tag}= a second time"),
            "Take one of the two out.",
        ));
        return found;
    }
    if let Some(size) = &uri.obsolete_size {
        let says = format!("the size \"!{size}\" of {written} means nothing any more");
        found.push(about(Rule::DmarcSize, says, "Take it out, with the exclamation mark."));
    }
    if let Some((why, advice)) = refused(permission) {
        found.push(about(Rule::DmarcExternal, format!("{written} gets no reports, because {why}"), &advice));
    }
    if let Some(host) = uri.host().filter(|host| of.context.takes_mail(host.as_name()) == Some(false)) {
        let has_hosts = of.context.mail_hosts(host.as_name()).is_some_and(|hosts| !hosts.is_empty());
        let why = if has_hosts { "has a null MX" } else { "has neither a mail host nor an address" };
        let says = format!("{written} takes no mail: {} {why}", shown(host.as_name()));
        found.push(about(Rule::DmarcRuaHost, says, "Write an address that mail can be sent to."));
    }
    found
}

fn same(one: &ReportUri, other: &ReportUri) -> bool {
    one.uri.eq_ignore_ascii_case(&other.uri)
}

/// Why nothing is sent to a destination of another organization (RFC 9990 §4), and what to do.
fn refused(permission: &Permission) -> Option<(String, String)> {
    match permission {
        Permission::Refused(Refusal::NoRecord { name }) => {
            let why = format!("its domain has not agreed: there is no DMARC record at {}", shown(name));
            Some((
                why,
                format!("Have \"v=DMARC1;\" published at {}, or write an address of the own domain.", shown(name)),
            ))
        }
        Permission::Refused(Refusal::OverriddenToAnotherHost { name }) => {
            let why = format!("the record at {} names another host", shown(name));
            Some((why, "Have that record corrected, or write another address.".to_owned()))
        }
        Permission::Refused(refusal @ (Refusal::NameTooLong | Refusal::PublicSuffixDomain)) => {
            Some((refusal.to_string(), "Write an address of the own domain.".to_owned()))
        }
        // Of addresses without a host, what is said of the scheme says all.
        Permission::Refused(Refusal::NoHost)
        | Permission::Internal
        | Permission::Granted { .. }
        | Permission::Unknown { .. }
        | Permission::NotEvaluated => None,
    }
}
