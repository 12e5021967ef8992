//! What is wrong with the tree of SPF records as a whole.

use crate::{
    dmarc::Disposition,
    dns::{AnyAnswer, RecordType},
    finding::{Finding, Place, Rule, Severity, Visit, loops, of_name, spf_finding, too_many, voids},
    lex::excerpt,
    lint::{
        allowed::{Allowed, Clients},
        context::Context,
        gather::NOBODY,
    },
    name::{Name, shown},
    spf::{DomainSpec, Mechanism, Qualifier, Record},
};
use std::borrow::Cow;
use std::net::IpAddr;

/// Addresses above which somebody who sends mail of others has one of them.
const MANY_ADDRESSES: u128 = 100_000;
/// Lookups from which the next include of a provider may be one too many.
const NEARLY: usize = 9;
/// Names that a sentence lists, and hosts that are told of.
const MAX_LISTED: usize = 5;

pub(super) fn findings(context: &Context<'_>, allowed: &Allowed) -> Vec<Finding> {
    let Context { records, walk, .. } = context;
    let mut found = loops(records, walk);
    found.extend(lookups(context));
    found.extend(too_many_voids(context));
    found.extend(too_large(context));
    found.extend(twice(context));
    if let Some((text, record)) = records.nodes().first().and_then(|node| node.record()) {
        found.extend(permissive(context, allowed));
        found.extend(ending(context, record));
        found.extend(only_ipv4(context, allowed));
        found.extend(without_helo(context, record));
        found.extend(no_mail(context, allowed, text));
    }
    found.extend(wildcard(context));
    found
}

fn lookups(context: &Context<'_>) -> Option<Finding> {
    let Context { records, walk, policy, .. } = context;
    let limit = policy.spf.lookups.into();
    match walk.broke {
        // A circle breaks the limit as well, and is told as one.
        Some(_) if !walk.loops.is_empty() => None,
        Some(place) => too_many(records, walk, place, limit, false),
        None if (NEARLY..=limit).contains(&walk.total) => {
            let says = format!(
                "{} of the {limit} terms that may ask the DNS are used: when an included record grows, all fails",
                walk.total
            );
            let advice = "Take out an include that is not needed any more.";
            Some(of_name(context.domain(), Rule::SpfLookupsNear, &says, advice))
        }
        None => None,
    }
}

fn too_many_voids(context: &Context<'_>) -> Option<Finding> {
    let Context { records, walk, policy, .. } = context;
    let (visit, is_ip4, who) = match (walk.broke_voids.ip4, walk.broke_voids.ip6) {
        (Some(visit), Some(_)) => (visit, true, "clients"),
        (Some(visit), None) => (visit, true, "clients of IPv4"),
        (None, Some(visit)) => (visit, false, "clients of IPv6"),
        (None, None) => return None,
    };
    let place = walk.visits.get(visit)?.place;
    let says = format!(
        "more than {} terms ask the DNS for what is not there: {}; {who} that no term before matches get permerror",
        policy.spf.void_lookups,
        voids(records, walk, is_ip4).join(", ")
    );
    let advice = "Take out the terms whose names have no such record, or write addresses as ip4: and ip6:.";
    spf_finding(records, Rule::SpfVoid, place, &says, advice)
}

/// More than one evaluation reads.
fn too_large(context: &Context<'_>) -> Option<Finding> {
    let name = context.walk.too_large.as_ref()?;
    let says = format!(
        "with the record of {}, the SPF records of {} are larger together than an evaluation reads: permerror",
        shown(name),
        shown(context.domain())
    );
    let finding = of_name(context.domain(), Rule::SpfSize, &says, "Make the records shorter.");
    Some(Finding { severity: Severity::Error, ..finding })
}

/// The same record asked for by two terms, the second of which is the owner's own.
fn twice(context: &Context<'_>) -> Vec<Finding> {
    let Context { records, walk, .. } = context;
    let mut seen: Vec<(Cow<'_, Name>, Place)> = Vec::new();
    let mut found: Vec<Finding> = Vec::new();
    for Visit { place, .. } in &walk.visits {
        let Some(name) = context.record_target(*place) else { continue };
        let Some((_, first)) = seen.iter().find(|(known, _)| *known == name) else {
            seen.push((name, *place));
            continue;
        };
        let is_own = records.nodes().get(place.node).is_some_and(|node| context.is_own(&node.name));
        if first == place || !is_own || found.len() >= MAX_LISTED {
            continue;
        }
        let owner = records.nodes().get(first.node).map(|node| shown(&node.name)).unwrap_or_default();
        let says = format!(
            "\"{}\" asks for a record which \"{}\" of {owner} has asked for before: its lookups are wasted",
            records.shown(*place),
            records.shown(*first)
        );
        let finding = spf_finding(records, Rule::SpfDuplicateInclude, *place, &says, "Take one of the two out.");
        found.extend(finding.filter(|finding| !found.contains(finding)));
    }
    found
}

/// Very many addresses. Those that an include of another's record brings are shared by all its customers, and the owner cannot change
/// that: a notice.
fn permissive(context: &Context<'_>, allowed: &Allowed) -> Option<Finding> {
    let Context { walk, .. } = context;
    let all = allowed.passed(0)?.ip4.count();
    // Where everybody passes, that is told.
    if all <= MANY_ADDRESSES || all == 1 << 32 {
        return None;
    }
    let mut others = Vec::new();
    let mut of_others = 0;
    for visit in walk.visits.iter().filter(|visit| visit.depth == 0) {
        let target = context.record_target(visit.place);
        let brought = allowed.brought_by(visit.place).map_or(0, |brought| brought.addresses);
        if let Some(target) = target.filter(|target| !context.is_own(target) && brought > 0) {
            of_others += brought;
            others.push(format!("{brought} by {}", shown(&target)));
        }
    }
    others.truncate(MAX_LISTED);
    let is_own = all.saturating_sub(of_others) > MANY_ADDRESSES;
    let by = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let name = shown(context.domain());
    let says = format!("{all} IPv4 addresses pass{by}; whoever sends from one of them passes as {name}");
    let advice = if is_own {
        "Name the hosts that send, and no more."
    } else {
        "Such blocks are shared by all customers of a provider: sign with DKIM, and take out what is not used."
    };
    let finding = of_name(context.domain(), Rule::SpfPermissive, &says, advice);
    Some(Finding { severity: if is_own { Severity::Warning } else { Severity::Notice }, ..finding })
}

/// How the record ends.
fn ending(context: &Context<'_>, record: &Record) -> Option<Finding> {
    let Some(index) = record.directives.iter().position(|directive| directive.mechanism == Mechanism::All) else {
        return not_inherited(context, record);
    };
    let directive = record.directives.get(index)?;
    // Where DMARC enforces, "~all" is as good as "-all".
    if directive.qualifier != Qualifier::SoftFail || context.enforced() > Disposition::None {
        return None;
    }
    let says = "\"~all\" marks mail from other hosts as suspicious, and no DMARC policy says what to do with it";
    let advice = "Publish a DMARC record with p=quarantine or p=reject.";
    spf_finding(&context.records, Rule::SpfSoftfail, Place { node: 0, index }, says, advice)
}

/// A record without an end that includes one with an end (RFC 7208 §5.2).
fn not_inherited(context: &Context<'_>, record: &Record) -> Option<Finding> {
    let Context { records, .. } = context;
    if record.redirect.is_some() {
        return None;
    }
    let refuses = |record: &Record| {
        record.directives.iter().any(|other| {
            other.mechanism == Mechanism::All && matches!(other.qualifier, Qualifier::Fail | Qualifier::SoftFail)
        })
    };
    let index = record.directives.iter().position(|directive| {
        let Mechanism::Include(spec) = &directive.mechanism else { return false };
        let target = spec.target_in(context.domain()).and_then(|name| records.at(&name)).and_then(|node| node.record());
        target.is_some_and(|(_, record)| refuses(record))
    })?;
    let place = Place { node: 0, index };
    let says = format!(
        "\"{}\" has a record that ends in \"-all\" or \"~all\", which does not end this one: an include brings what passes, and nothing else",
        records.shown(place)
    );
    let advice = "End the record with \"~all\" or \"-all\" of its own.";
    spf_finding(records, Rule::SpfIncludeAllNotInherited, place, &says, advice)
}

/// Mail hosts of the domain's own that are allowed over IPv4 alone.
fn only_ipv4(context: &Context<'_>, allowed: &Allowed) -> Vec<Finding> {
    let Some(passed) = allowed.passed(0) else { return Vec::new() };
    let hosts = context.mail_hosts(context.domain()).unwrap_or_default().iter().map(|mx| &mx.exchange);
    let finding = |host: &Name| {
        let Some(AnyAnswer::A(ip4)) = context.answer(host, RecordType::A) else { return None };
        let Some(AnyAnswer::Aaaa(ip6)) = context.answer(host, RecordType::Aaaa) else { return None };
        let ip4 = ip4.records().iter().find(|ip| Clients::of(IpAddr::V4(**ip)).is_within(passed))?;
        let ip6 = ip6.records().iter().find(|ip| !Clients::of(IpAddr::V6(**ip)).is_within(passed))?;
        let says = format!(
            "{} may send over IPv4 ({ip4}) and has the IPv6 address {ip6} as well, from which its mail fails",
            shown(host)
        );
        Some(of_name(context.domain(), Rule::SpfIpv6Missing, &says, &format!("Add ip6:{ip6} to the record.")))
    };
    hosts.filter(|host| context.is_own(host)).take(MAX_LISTED).filter_map(finding).collect()
}

/// Hosts of the domain's own that the record names as senders: receivers check the name in HELO by itself.
fn without_helo(context: &Context<'_>, record: &Record) -> Vec<Finding> {
    let mut hosts: Vec<&Name> = Vec::new();
    for directive in record.directives.iter().filter(|directive| directive.qualifier == Qualifier::Pass) {
        match &directive.mechanism {
            Mechanism::A(host) => hosts.extend(host.domain.as_ref().and_then(DomainSpec::literal)),
            Mechanism::Mx(host) if host.domain.is_none() => {
                let all = context.mail_hosts(context.domain()).unwrap_or_default();
                hosts.extend(all.iter().map(|mx| &mx.exchange));
            }
            Mechanism::All
            | Mechanism::Include(_)
            | Mechanism::Mx(_)
            | Mechanism::Ptr(_)
            | Mechanism::Ip4(_)
            | Mechanism::Ip6(_)
            | Mechanism::Exists(_) => {}
        }
    }
    hosts.sort_unstable();
    hosts.dedup();
    let is_below = |host: &&Name| host.is_at_or_below(context.domain()) && *host != context.domain();
    let lacks = |host: &&Name| {
        let is_known = context.answer(host, RecordType::Txt).is_some();
        is_known && !context.texts(host).iter().any(|text| Record::has_version(text))
    };
    let finding = |host: &Name| {
        let says = format!(
            "{} sends for {} and has no SPF record of its own, by which receivers check the name in HELO",
            shown(host),
            shown(context.domain())
        );
        of_name(host, Rule::SpfHelo, &says, "Publish \"v=spf1 a -all\" at the name of the host.")
    };
    hosts.into_iter().filter(is_below).filter(lacks).take(MAX_LISTED).map(finding).collect()
}

/// A domain that takes no mail and yet lets somebody send.
fn no_mail(context: &Context<'_>, allowed: &Allowed, text: &[u8]) -> Option<Finding> {
    let name = context.domain();
    if allowed.passed(0)?.is_empty() || context.takes_mail(name) != Some(false) {
        return None;
    }
    let says = format!(
        "{} takes no mail, and \"{}\" lets hosts send as it: nobody can be answered, or told of failures",
        shown(name),
        excerpt(text)
    );
    Some(of_name(name, Rule::SpfNoMail, &says, "Publish \"v=spf1 -all\", or an MX record."))
}

/// A record at every name below the domain.
fn wildcard(context: &Context<'_>) -> Option<Finding> {
    let (name, texts) = context.texts_below(NOBODY)?;
    let text = texts.iter().find(|text| Record::has_version(text))?;
    let record = Record::parse(text).ok()?;
    // RFC 7208 §10.1.2: one that says that none of them sends mail is good practice.
    if record.redirect.is_none() && record.directives.iter().all(|directive| directive.qualifier == Qualifier::Fail) {
        return None;
    }
    let says = format!(
        "\"{}\" stands at every name below {} that has no records, such as {}: names that nobody uses may send",
        excerpt(text),
        shown(context.domain()),
        shown(&name)
    );
    Some(of_name(context.domain(), Rule::SpfWildcard, &says, "Publish the record at the names that send alone."))
}
