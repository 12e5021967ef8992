//! What is odd about the client, as findings.

use super::{Finding, Rule, quote::quoted, record_text::spf_record};
use crate::{
    budget::Budget,
    dns::{Answer, AnyAnswer, RecordType},
    known::{Known, Log, Part},
    received::{AddressKind, Hop},
    session::{MailFrom, Session},
    spf::{self, Identities, Limits, Mechanism, NoneReason, SharedRecord, SpfReport, SpfReports, SpfResult},
    text::Text,
};
use std::{net::IpAddr, ops::Deref};

/// The hops of a header, which are read when they are looked at first.
pub(super) type Hops<'h> = dyn Deref<Target = Vec<Hop>> + 'h;

/// Earlier clients that are tried; the fields that name them are the less to be believed the further down they stand.
const MAX_EARLIER: usize = 4;

/// Those that the session tells of.
pub(super) fn of_session(spf: &SpfReports, session: &Session, log: &Log) -> Vec<Finding> {
    [not_public(session), helo_not_a_name(spf, session), only_ipv4(spf, session, log)].into_iter().flatten().collect()
}

fn not_public(session: &Session) -> Option<Finding> {
    let ip = session.peer_ip?.to_canonical();
    let kind = AddressKind::of(ip);
    let never = match kind {
        AddressKind::Public | AddressKind::Documentation => return None,
        AddressKind::NoHost => "",
        AddressKind::Loopback | AddressKind::LinkLocal | AddressKind::Private | AddressKind::Shared => {
            ", which no client from outside has"
        }
    };
    let says = format!("{ip} is {kind}{never}: the address of the real client was lost on the way");
    let advice = "Give the address that the first own host saw, or have the relay, proxy or container before this host pass it on.";
    Some(Finding { advice: Some(advice.into()), ..Finding::new(Rule::ClientNotPublic, &says) })
}

fn helo_not_a_name(spf: &SpfReports, session: &Session) -> Option<Finding> {
    let helo = session.helo.as_deref()?;
    let report = spf.helo.as_ref()?;
    let quoted = || quoted(helo.as_bytes());
    let says = match &report.result {
        // Its last label is a number, which no top-level domain is; four numbers pass for labels.
        _ if helo.parse::<IpAddr>().is_ok() => format!("HELO {} is an address and no name", quoted()),
        SpfResult::None(NoneReason::NotAName(_)) if helo.starts_with('[') => {
            format!("HELO {} is an address literal and no name", quoted())
        }
        SpfResult::None(NoneReason::NotAName(error)) => format!("HELO {} is no name: {error}", quoted()),
        SpfResult::None(NoneReason::NotFullyQualified) => {
            format!("HELO {} is a single label and no full name", quoted())
        }
        SpfResult::None(NoneReason::LocalPartTooLong { .. } | NoneReason::NxDomain | NoneReason::NoRecord)
        | SpfResult::Neutral(_)
        | SpfResult::Pass(_)
        | SpfResult::Fail(..)
        | SpfResult::SoftFail(_)
        | SpfResult::TempError(_)
        | SpfResult::PermError(_) => return None,
    };
    let advice = "Let the client give its own full name, such as mail.example.com.";
    let says = format!("{says}, so that SPF cannot check it");
    Some(Finding { advice: Some(advice.into()), ..Finding::new(Rule::HeloNotAName, &says) })
}

/// RFC 7208 §5.6: `ip4` never matches a client over IPv6, and §5: nor does a host that has no AAAA record.
fn only_ipv4(spf: &SpfReports, session: &Session, log: &Log) -> Option<Finding> {
    let report = spf.mail_from.as_ref().or(spf.helo.as_ref()).filter(|report| is_refused(&report.result))?;
    let (IpAddr::V6(ip), Ok(domain)) = (report.ip, &report.domain) else { return None };
    // Only a host of the domain's own is one that its record means; the name in HELO claims to be one.
    let helo = crate::name::Domain::parse(session.helo.as_deref()?).ok()?;
    if !helo.is_at_or_below(domain) {
        return None;
    }
    let record = published(log, domain.as_name().as_str())?;
    let mut has_ipv4 = false;
    for directive in &record.directives {
        match &directive.mechanism {
            Mechanism::Ip4(..) => has_ipv4 = true,
            Mechanism::Ip6(..) => return None,
            Mechanism::All
            | Mechanism::Include(_)
            | Mechanism::A(..)
            | Mechanism::Mx(..)
            | Mechanism::Ptr(_)
            | Mechanism::Exists(_) => {}
        }
    }
    let has_aaaa = log
        .entries()
        .iter()
        .any(|entry| entry.is_needed() && matches!(entry.answer(), Some(Ok(AnyAnswer::Aaaa(Answer::Records(_))))));
    if !has_ipv4 || has_aaaa {
        return None;
    }
    let says = format!("the client came over IPv6 ({ip}), and the record of {domain} names addresses of IPv4 alone");
    let advice = format!("If it is a host of {domain}, add ip6:{ip} to the record, or let the host send over IPv4.");
    Some(Finding {
        name: Some(domain.as_str().into()),
        advice: Some(advice.into()),
        ..Finding::new(Rule::ClientIpv6OnlyIpv4, &says)
    })
}

/// The one SPF record that the log has for a name.
fn published(log: &Log, name: &str) -> Option<SharedRecord> {
    let is_asked = |entry: &&crate::known::Entry| {
        entry.question().record_type == RecordType::Txt && entry.question().name.as_str() == name
    };
    spf_record(log.entries().iter().find(is_asked)?)
}

/// Whether the domain's record says so, and not that it allows the client.
fn is_refused(result: &SpfResult) -> bool {
    match result {
        SpfResult::Fail(..) | SpfResult::SoftFail(_) | SpfResult::Neutral(_) => true,
        SpfResult::None(_) | SpfResult::Pass(_) | SpfResult::TempError(_) | SpfResult::PermError(_) => false,
    }
}

/// The client fails, and one that handed the message on before it would pass; as far as that can be told without another question.
pub(super) fn own_relay(spf: &SpfReports, session: &Session, log: &Log, hops: &Hops<'_>) -> Option<Finding> {
    let report = spf.mail_from.as_ref().filter(|report| is_refused(&report.result))?;
    let sender = match &session.mail_from {
        MailFrom::Null => return None,
        MailFrom::Address(address) => address.clone(),
        MailFrom::FromReturnPath if is_stand_in(report, session) => return None,
        MailFrom::FromReturnPath => report.sender.clone(),
    };
    // Above its own field stand those of hosts that got the message later.
    let below = border(hops, session).map_or(0, |at| at + 1);
    let earlier = hops.iter().skip(below).filter_map(|hop| Some((hop, hop.address?.to_canonical())));
    let mut earlier = earlier.filter(|(_, ip)| AddressKind::of(*ip).is_public() && *ip != report.ip).take(MAX_EARLIER);
    let (hop, ip) = earlier.find(|(hop, ip)| passes(*ip, hop, session, &sender, log))?;
    let by = hop.by.as_deref().map(|by| format!(" by {}", quoted(by.as_bytes()))).unwrap_or_default();
    let says = format!(
        "SPF does not pass for {}, but would for {ip}, from which the message was received before{by}",
        report.ip
    );
    let advice = format!("If {} is a host of your own, name it with --own-network; else it forwards mail.", report.ip);
    let name = report.domain.as_ref().ok().map(|domain| domain.as_str().into());
    Some(Finding { name, advice: Some(advice.into()), ..Finding::new(Rule::ClientOwnRelay, &says) })
}

/// The place of the hop whose client is that of the session.
pub(super) fn border(hops: &[Hop], session: &Session) -> Option<usize> {
    let ip = session.peer_ip?.to_canonical();
    hops.iter().position(|hop| hop.address.map(|address| address.to_canonical()) == Some(ip))
}

/// Whether the report is of the HELO name, because the reverse-path is null (RFC 7208 §2.4).
pub(super) fn is_null(report: &SpfReport, session: &Session) -> bool {
    match session.mail_from {
        MailFrom::Null => true,
        MailFrom::FromReturnPath => is_stand_in(report, session),
        MailFrom::Address(_) => false,
    }
}

/// Whether the report is of the HELO name, which stands in for a null Return-Path (RFC 7208 §2.4).
fn is_stand_in(report: &SpfReport, session: &Session) -> bool {
    session.helo.as_deref().is_some_and(|helo| *report.sender == *format!("postmaster@{helo}"))
}

/// What `check_host()` comes to for another client, by the answers that are there.
fn passes(ip: IpAddr, hop: &Hop, session: &Session, sender: &Text, log: &Log) -> bool {
    let mut session = session.clone().with_peer(ip);
    session.helo = hop.from.as_deref().map(Text::from);
    let Some(arguments) = Identities::of(&session, Some(sender)).mail_from else { return false };
    // What would have to be asked is written down in a copy, and goes with it.
    let mut log = log.clone();
    let known = &mut Known::new(&mut log, &|_| None, Part::MailFrom, Budget::default().mail_from);
    let report = spf::check(known, &Limits::default(), arguments, &mut ());
    report.is_ok_and(|report| matches!(report.result, SpfResult::Pass(_)))
}
