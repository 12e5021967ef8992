//! What hosts meet that send for a domain.

use super::{context::Context, report::Sender};
use crate::{
    budget::Budget,
    dns::{AnyAnswer, Question, RecordType, reverse_name},
    finding::{Finding, Rule, of_name},
    known::{Known, Part},
    name::{Name, shown},
    session::Session,
    spf::{self, Identities, SpfReport},
    text::Text,
};
use std::net::IpAddr;

/// What they meet, and the findings about it.
pub(super) fn look(context: &Context<'_>) -> (Vec<Sender>, Vec<Finding>) {
    let mut senders = Vec::new();
    let mut found = Vec::new();
    for ip in context.scope.senders() {
        let (sender, findings) = of_one(context, *ip);
        senders.push(sender);
        found.extend(findings);
    }
    (senders, found)
}

fn of_one(context: &Context<'_>, ip: IpAddr) -> (Sender, Vec<Finding>) {
    let question = Question::ptr(ip);
    let (is_known, mut names) = match context.answer(&question.name, RecordType::Ptr) {
        Some(AnyAnswer::Ptr(answer)) => (true, answer.records().to_vec()),
        Some(AnyAnswer::Txt(_) | AnyAnswer::A(_) | AnyAnswer::Aaaa(_) | AnyAnswer::Mx(_)) | None => (false, Vec::new()),
    };
    names.truncate(10);
    names.sort_by_key(|name| leads_back(context, name, ip) != Some(true));
    let is_confirmed = names.first().is_some_and(|name| leads_back(context, name, ip) == Some(true));
    let mut found = Vec::new();
    if is_known && !is_confirmed {
        found.extend(not_confirmed(context, &names, ip));
    }
    if let Some(name) = names.first().filter(|name| is_generic(name, ip)) {
        let says = format!(
            "the name {} of {ip} is made of the address, as those of customers' lines are: receivers distrust it",
            shown(name)
        );
        found.push(of_name(
            &question.name,
            Rule::IpHelo,
            &says,
            "Have the address named after the mail host, and give that name in HELO.",
        ));
    }
    if let Some(name) = names.first().filter(|_| is_confirmed) {
        let has_record = context.texts(name).iter().any(|text| spf::Record::has_version(text));
        if !has_record && context.is_own(name) && context.answer(name, RecordType::Txt).is_some() {
            let says = format!(
                "{} ({ip}) has no SPF record of its own, by which receivers check the name in HELO",
                shown(name)
            );
            found.push(of_name(name, Rule::SpfHelo, &says, "Publish \"v=spf1 a -all\" at the name of the host."));
        }
    }
    (Sender { ip, names, is_confirmed, spf: would_pass(context, ip) }, found)
}

fn not_confirmed(context: &Context<'_>, names: &[Name], ip: IpAddr) -> Option<Finding> {
    let why = match names.first() {
        None => "has no name (PTR record)".to_owned(),
        Some(name) if leads_back(context, name, ip) == Some(false) => {
            format!("has the name {}, which does not lead back to it", shown(name))
        }
        Some(_) => return None,
    };
    let says = format!("{ip} {why}: large receivers refuse mail from such hosts");
    let advice = "Have whoever gave you the address name it after the mail host, and publish the address at that name.";
    Some(of_name(&reverse_name(ip), Rule::IpFcrdns, &says, advice))
}

/// Whether a name has the address (RFC 8601 §2.7.3); `None` where that is not known.
fn leads_back(context: &Context<'_>, name: &Name, ip: IpAddr) -> Option<bool> {
    match (ip, context.answer(name, if ip.is_ipv4() { RecordType::A } else { RecordType::Aaaa })?) {
        (IpAddr::V4(ip), AnyAnswer::A(answer)) => Some(answer.records().contains(&ip)),
        (IpAddr::V6(ip), AnyAnswer::Aaaa(answer)) => Some(answer.records().contains(&ip)),
        _ => None,
    }
}

/// Whether a name holds the numbers of an IPv4 address.
fn is_generic(name: &Name, ip: IpAddr) -> bool {
    let IpAddr::V4(ip) = ip else { return false };
    let numbers = name.as_str().split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    let numbers: Vec<u32> = numbers.filter_map(|number| number.parse().ok()).collect();
    let octets = ip.octets().map(u32::from);
    let reversed = [octets[3], octets[2], octets[1], octets[0]];
    numbers.windows(4).any(|window| *window == octets || *window == reversed)
}

/// What `check_host()` comes to by the answers that are there.
fn would_pass(context: &Context<'_>, ip: IpAddr) -> Option<SpfReport> {
    let sender = Text::from(&*format!("postmaster@{}", context.scope.domain()));
    let session = Session::at(context.scope.time()).with_peer(ip);
    let arguments = Identities::of(&session, Some(&sender)).mail_from?;
    // What would have to be asked is written down in a copy, and goes with it.
    let mut log = context.log.clone();
    let known = &mut Known::new(&mut log, &|_| None, Part::MailFrom, Budget::default().mail_from);
    spf::check(known, &context.policy.spf, arguments, &mut ()).ok()
}
