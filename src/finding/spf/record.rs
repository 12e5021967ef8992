//! What is wrong at one name: with its record, or because there is none.

use super::{
    Finding, Rule, at,
    near_miss::NearMiss,
    of,
    published::{Node, Published, Records, record_target, target},
    shown, term,
};
use crate::{
    dns::{AnyAnswer, LookupError, RecordType},
    finding::{Severity, quote::quoted},
    lex::{Span, excerpt},
    received::AddressKind,
    spf::{Limits, MacroPart, Mechanism, Qualifier, Record, Term},
};
use ipnet::IpNet;

/// Terms of one record that are looked at.
const MAX_TERMS: usize = 2000;
/// Findings of one record.
const MAX_FINDINGS: usize = 32;

/// All at one name; `client` is the kind of address that the client of the check has.
pub(crate) fn findings(records: &Records<'_>, place: usize, client: AddressKind, numbers: &Limits) -> Vec<Finding> {
    let Some(node) = records.nodes().get(place).filter(|node| !node.is_beside) else { return Vec::new() };
    let name = &node.name;
    match &node.published {
        Published::None(texts) => texts.iter().find_map(|text| near_miss(node, text)).into_iter().collect(),
        Published::Many(count) => {
            let says =
                format!("{} has {count} SPF records, and one is allowed: receivers answer permerror", shown(name));
            vec![of(Rule::SpfMultiple, name, &says).advising("Publish one record that has the terms of all.")]
        }
        Published::Broken(text, faults) => faults.iter().map(|fault| term::finding(fault, name, text)).collect(),
        Published::Record(text, record) => of_record(records, node, (text, record), client, numbers),
        Published::Unknown | Published::Failed(_) | Published::NxDomain => Vec::new(),
    }
}

/// A text that was probably meant to be a record.
fn near_miss(node: &Node<'_>, text: &[u8]) -> Option<Finding> {
    let miss = NearMiss::of(text)?;
    // As far as the version goes, whatever blanks stand in it.
    let len = text.iter().skip(6).position(|octet| *octet == b' ').map_or(text.len(), |blank| blank + 6);
    let start = text.get(..len)?;
    let says = format!(
        "a TXT record of {} begins with \"{}\" and is no SPF record, because {}: receivers see none",
        shown(&node.name),
        excerpt(start),
        miss.words()
    );
    let finding = at(Rule::SpfNotARecord, &node.name, text, Span::new(0, len), &says);
    Some(finding.advising("Let the text begin with \"v=spf1\" and a blank."))
}

/// Those of a record that can be read.
struct Reading<'r> {
    node: &'r Node<'r>,
    text: &'r [u8],
    found: Vec<Finding>,
}

impl Reading<'_> {
    /// Of a term, which `says` quotes first.
    fn tell(&mut self, rule: Rule, term: Term<'_>, says: &str, advice: &str) {
        let quoted = term.span().and_then(|span| span.of(self.text)).unwrap_or_default();
        let says = format!("\"{}\" {says}", excerpt(quoted));
        self.found.push(at(rule, &self.node.name, self.text, term.span(), &says).advising(advice));
    }
}

fn of_record(
    records: &Records<'_>,
    node: &Node<'_>,
    (text, record): (&[u8], &Record),
    client: AddressKind,
    numbers: &Limits,
) -> Vec<Finding> {
    let mut reading = Reading { node, text, found: Vec::new() };
    let all = record.directives.get(node.reached.saturating_sub(1));
    let all = all.filter(|directive| directive.mechanism == Mechanism::All).map(Term::Directive);
    let all_span = all.and_then(Term::span).map(Span::offset);
    let mut open = Open::default();
    for term in record.terms().into_iter().take(MAX_TERMS) {
        if reading.found.len() >= MAX_FINDINGS {
            break;
        }
        let is_glued = glued(&mut reading, term);
        match (term, all, all_span) {
            // RFC 7208 §5.1: "Mechanisms after "all" will never be tested."
            (Term::Directive(_), Some(all), Some(end)) if term.span().is_some_and(|span| span.offset() > end) => {
                let says = format!("stands behind \"{all}\" and is never tried");
                reading.tell(Rule::SpfAfterAll, term, &says, "Put it before, or take it out.");
            }
            // §5.1: any "redirect" modifier "MUST be ignored when there is an "all" mechanism in the record".
            (Term::Redirect(_), Some(all), _) => {
                let says = format!("stands beside \"{all}\" and is ignored");
                reading.tell(Rule::SpfRedirectUnused, term, &says, "Take one of the two out.");
            }
            (Term::UnknownModifier(modifier), ..) => unknown_modifier(&mut reading, term, modifier.name()),
            (Term::Directive(directive), ..) => {
                effect(&mut reading, records, term, is_glued);
                limits(&mut reading, records, term, numbers);
                if client == AddressKind::Public {
                    special(&mut reading, term);
                }
                pass_all(&mut reading, records, term, &mut open);
                match (&directive.mechanism, directive.qualifier) {
                    (Mechanism::Ptr(_), _) => {
                        let says = "asks for the name of each client, which is slow and not reliable; RFC 7208 says not to publish it";
                        reading.tell(
                            Rule::SpfPtr,
                            term,
                            says,
                            "Write the addresses as ip4: and ip6: terms, or the hosts as a: terms.",
                        );
                    }
                    (Mechanism::All, Qualifier::Neutral) if node.is_top => {
                        let says = "says nothing of clients that no term matches: anybody may use the domain";
                        reading.tell(Rule::SpfNeutralAll, term, says, "Write \"~all\" or \"-all\".");
                    }
                    _ => {}
                }
            }
            (Term::Redirect(_) | Term::Exp(_), ..) => effect(&mut reading, records, term, is_glued),
        }
    }
    // §4.7. In an included record it is right: nothing but a pass counts.
    if node.is_top && all.is_none() && record.redirect.is_none() {
        let name = shown(&node.name);
        let says = format!(
            "the SPF record of {name} says nothing of clients that no term matches: it has neither \"all\" nor \"redirect=\""
        );
        reading.found.push(of(Rule::SpfNoEnd, &node.name, &says).advising("End the record with \"~all\" or \"-all\"."));
    }
    reading.found
}

/// A modifier by the name of a mechanism does nothing (RFC 7208 §6).
fn unknown_modifier(reading: &mut Reading<'_>, term: Term<'_>, name: &str) {
    const MECHANISMS: [&str; 10] = ["include", "ip4", "ip6", "ipv4", "ipv6", "ip", "a", "mx", "exists", "ptr"];
    if MECHANISMS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        let says =
            format!("has no effect, because \"{name}=\" is no modifier that anybody knows; the mechanism has a colon");
        reading.tell(Rule::SpfMechanismTypo, term, &says, "Write \":\" instead of \"=\".");
        if let Some(finding) = reading.found.last_mut() {
            finding.severity = Severity::Warning;
        }
    }
}

/// An include or a redirect whose target has no record, or none that can match.
fn effect(reading: &mut Reading<'_>, records: &Records<'_>, term: Term<'_>, is_glued: bool) {
    let Some(spec) = record_target(term) else { return };
    let Some(target) = spec.target_in(&reading.node.name) else {
        // RFC 7208 §4.3: a name that is malformed has no record.
        if let [MacroPart::Literal(text)] = spec.macro_string().parts() {
            let says = format!(
                "leads to {}, which is no name of the DNS: receivers answer permerror",
                quoted(text.as_bytes())
            );
            reading.tell(Rule::SpfTargetNone, term, &says, "Write the name of a domain, or take the term out.");
        }
        return;
    };
    let target = &*target;
    let Some(node) = records.at(target).filter(|node| !node.is_beside) else { return };
    let name = || match records.alias(target) {
        Some(alias) => format!("{}, an alias of {}", shown(target), shown(alias)),
        None => shown(target).into(),
    };
    let mut tell_none = |why: &str| {
        let says = format!("leads to {}, {why}: receivers answer permerror", name());
        let advice = if is_glued { SPLIT } else { "Take the term out, or have the record there mended." };
        reading.tell(Rule::SpfTargetNone, term, &says, advice);
    };
    match &node.published {
        Published::NxDomain => tell_none("which does not exist"),
        Published::None(_) => tell_none("which has no SPF record"),
        Published::Many(_) => tell_none("which has several SPF records"),
        Published::Broken(..) => tell_none("whose SPF record cannot be read"),
        // What could not be asked for our own limits says nothing of the target.
        Published::Failed(
            error @ (LookupError::Timeout
            | LookupError::ServerFailure
            | LookupError::Refused
            | LookupError::Malformed
            | LookupError::EndlessAliases(_)
            | LookupError::Other(_)),
        ) => {
            let says =
                format!("leads to {}, whose record could not be had ({error}): receivers answer temperror", name());
            reading.tell(
                Rule::SpfTargetError,
                term,
                &says,
                "Have the name servers of that domain mended, or take the term out.",
            );
        }
        // §5.2: an include matches where the check of its target passes, and nowhere else.
        Published::Record(..) if matches!(term, Term::Directive(_)) && !node.can_pass => {
            let says = format!("matches nobody, because the record of {} passes nobody", name());
            reading.tell(Rule::SpfIncludeNoEffect, term, &says, "Take the term out.");
        }
        Published::Record(..) | Published::Unknown | Published::Failed(_) => {}
    }
}

/// RFC 7208 §4.6.4: an `mx` with more than ten hosts.
fn limits(reading: &mut Reading<'_>, records: &Records<'_>, term: Term<'_>, numbers: &Limits) {
    let Term::Directive(directive) = term else { return };
    let Some(asked) = target(term, &reading.node.name).filter(|_| matches!(directive.mechanism, Mechanism::Mx(_)))
    else {
        return;
    };
    let Some(Ok(AnyAnswer::Mx(answer))) = records.answer(&asked, RecordType::Mx) else { return };
    let (hosts, limit) = (answer.records().len(), numbers.mx_hosts);
    if hosts > usize::from(limit) {
        let says = format!(
            "finds {hosts} mail hosts of {}, and {limit} are allowed: receivers answer permerror",
            shown(&asked)
        );
        reading.tell(Rule::SpfMxLimit, term, &says, "Write their addresses as ip4: and ip6: terms.");
    }
}

/// What is to be done with two terms in one.
const SPLIT: &str =
    "Put a blank between the two terms: where the record has several strings, at the end of each but the last.";

/// Two terms in one: where character-strings are joined there is no blank (RFC 7208 §3.3). Whether there are.
fn glued(reading: &mut Reading<'_>, term: Term<'_>) -> bool {
    const WITHIN: [&str; 6] = ["include:", "ip4:", "ip6:", "redirect=", "exists:", "exp="];
    let spec = match term {
        Term::Directive(directive) => match &directive.mechanism {
            Mechanism::Include(spec) | Mechanism::Exists(spec) => Some(spec),
            Mechanism::A(host) | Mechanism::Mx(host) => host.domain.as_ref(),
            Mechanism::Ptr(spec) => spec.as_ref(),
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => None,
        },
        Term::Redirect(modifier) | Term::Exp(modifier) => Some(&modifier.domain),
        Term::UnknownModifier(_) => None,
    };
    let parts = spec.map(|spec| spec.macro_string().parts()).unwrap_or_default();
    let is_glued = |part: &MacroPart| match part {
        // No name of a host has these.
        MacroPart::Literal(text) if !text.contains([':', '=', '-']) => false,
        MacroPart::Literal(text) => {
            let text = text.to_ascii_lowercase();
            WITHIN.iter().any(|name| text.contains(name)) || text.ends_with("-all")
        }
        MacroPart::Expand(_) | MacroPart::Percent | MacroPart::Space | MacroPart::UrlSpace => false,
    };
    let is_glued = parts.iter().any(is_glued);
    // Punctuation comes first, also where a domain may have it.
    let is_separated = |sign: char| {
        let has = |text: &str| WITHIN.iter().any(|name| text.to_ascii_lowercase().contains(&format!("{sign}{name}")));
        parts.iter().any(|part| matches!(part, MacroPart::Literal(text) if has(text)))
    };
    if let Some(sign) = [',', ';'].into_iter().find(|sign| is_glued && is_separated(*sign)) {
        let says = format!("has \"{sign}\" between two terms, where only a blank may stand");
        reading.tell(Rule::SpfSeparator, term, &says, "Put a blank, and nothing else, between two terms.");
    } else if is_glued {
        let says = "is two terms in one: a blank is missing, perhaps because the strings of the TXT record are joined without one";
        reading.tell(Rule::SpfGluedStrings, term, says, SPLIT);
    }
    is_glued
}

/// What passes without a test: both halves of a network pass all as well as `+all` does.
#[derive(Default)]
struct Open {
    halves: Vec<IpNet>,
}

fn pass_all(reading: &mut Reading<'_>, records: &Records<'_>, term: Term<'_>, open: &mut Open) {
    let Term::Directive(directive) = term else { return };
    let (net, whom) = match &directive.mechanism {
        Mechanism::All => (None, "everybody"),
        Mechanism::Ip4(net) => (Some(IpNet::V4(*net)), "every IPv4 client"),
        Mechanism::Ip6(net) => (Some(IpNet::V6(*net)), "every IPv6 client"),
        Mechanism::Include(_) | Mechanism::A(_) | Mechanism::Mx(_) | Mechanism::Ptr(_) | Mechanism::Exists(_) => return,
    };
    if directive.qualifier != Qualifier::Pass || !reading.node.passes_on || net.is_some_and(|net| net.prefix_len() > 1)
    {
        return;
    }
    if let Some(net) = net.filter(|net| net.prefix_len() == 1) {
        let net = net.trunc();
        let is_other = |known: &IpNet| known.supernet() == net.supernet() && *known != net;
        if !open.halves.iter().any(is_other) {
            open.halves.push(net);
            return;
        }
    }
    let includes = reading.node.through.filter(|_| !reading.node.is_top);
    let through = includes.and_then(|through| {
        let name = shown(&records.nodes().get(through.node)?.name);
        Some(format!(", for {name} as well, through \"{}\"", records.shown(through)))
    });
    let through = through.unwrap_or_default();
    let says = format!("lets {whom} pass{through}");
    reading.tell(
        Rule::SpfPassAll,
        term,
        &says,
        "Name the hosts that send, and end the record with \"~all\" or \"-all\".",
    );
}

/// An address that no client on the Internet has (RFC 6890). Not where the client of this check has one itself: then it is not the
/// Internet that is checked.
fn special(reading: &mut Reading<'_>, term: Term<'_>) {
    let Term::Directive(directive) = term else { return };
    let network = match &directive.mechanism {
        Mechanism::Ip4(net) => IpNet::V4(*net),
        Mechanism::Ip6(net) => IpNet::V6(*net),
        Mechanism::All
        | Mechanism::Include(_)
        | Mechanism::A(_)
        | Mechanism::Mx(_)
        | Mechanism::Ptr(_)
        | Mechanism::Exists(_) => return,
    };
    let says = match AddressKind::of_network(network) {
        AddressKind::Public => return,
        kind @ AddressKind::NoHost => format!("has {kind}"),
        kind => format!("has {kind}, which no client on the Internet has"),
    };
    let advice = "Write the public address by which the host sends, or take the term out.";
    reading.tell(Rule::SpfSpecialAddress, term, &says, advice);
}
