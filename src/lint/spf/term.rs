//! What is to be said of single terms, where evaluation does not stop at them.

use crate::{
    dns::RecordType,
    finding::{Finding, Node, Place, RecordText, Rule, quoted, spf_finding},
    lex::Span,
    lint::{allowed::Allowed, context::Context, gather::registrable},
    name::shown,
    spf::{DomainSpec, Macro, MacroLetter, MacroPart, Mechanism, Qualifier, Record, Term, is_explanation},
};
use ipnet::IpNet;

/// Terms of one record that are looked at.
const MAX_TERMS: usize = 300;

/// Of the record at a place.
pub(super) fn findings(context: &Context<'_>, allowed: &Allowed, place: usize) -> Vec<Finding> {
    let Some(node) = context.records.nodes().get(place) else { return Vec::new() };
    let mut found: Vec<Finding> = sender_id(context, node).into_iter().collect();
    let Some((text, record)) = node.record() else { return found };
    let of = OfRecord { context, text: RecordText { name: &node.name, text }, record };
    for index in 0..=record.directives.len().min(MAX_TERMS) {
        let place = Place { node: place, index };
        found.extend(dangling(context, place));
        found.extend(of.needless(allowed, place));
    }
    for term in record.terms().into_iter().take(MAX_TERMS) {
        found.extend(of.term(term));
    }
    found
}

/// RFC 4406, which RFC 7208 has nothing to do with.
fn sender_id(context: &Context<'_>, node: &Node<'_>) -> Option<Finding> {
    let text = context.texts(&node.name).iter().find(|text| text.starts_with(b"spf2.0/"))?;
    let text = RecordText { name: &node.name, text };
    let says = format!("{} is a record of Sender ID, which nobody evaluates any more", quoted(text.text));
    Some(text.finding(Rule::SpfSenderId, Span::new(0, text.text.len()), &says, "Take it out."))
}

/// A term that lets pass what a domain says that nobody has registered.
fn dangling(context: &Context<'_>, place: Place) -> Option<Finding> {
    let passes = match context.records.reached(place)? {
        Term::Directive(directive) => directive.qualifier == Qualifier::Pass,
        Term::Redirect(_) => true,
        Term::Exp(_) | Term::UnknownModifier(_) => false,
    };
    let target = &*context.target(place)?;
    let above = registrable(target)?;
    if !passes || context.is_own(target) || !context.is_gone(&above) {
        return None;
    }
    let says = format!(
        "\"{}\" trusts {}, which nobody has registered: whoever does can send as {}",
        context.records.shown(place),
        shown(&above),
        shown(context.domain())
    );
    spf_finding(&context.records, Rule::SpfDangling, place, &says, "Take the term out.")
}

struct OfRecord<'a, 'l> {
    context: &'a Context<'l>,
    text: RecordText<'a>,
    record: &'a Record,
}

impl OfRecord<'_, '_> {
    fn finding(&self, rule: Rule, term: Term<'_>, says: &str, advice: &str) -> Finding {
        let says = format!("{} {says}", quoted(self.text.at(term.span())));
        self.text.finding(rule, term.span(), &says, advice)
    }

    fn term(&self, term: Term<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        let spec = match term {
            Term::Directive(directive) => {
                found.extend(self.host_bits(term, &directive.mechanism));
                match &directive.mechanism {
                    Mechanism::Include(spec) | Mechanism::Exists(spec) => Some(spec),
                    Mechanism::A(host) | Mechanism::Mx(host) => host.domain.as_ref(),
                    Mechanism::Ptr(spec) => spec.as_ref(),
                    Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => None,
                }
            }
            Term::Redirect(modifier) => Some(&modifier.domain),
            Term::Exp(modifier) => {
                found.extend(self.explanation(term, &modifier.domain));
                Some(&modifier.domain)
            }
            Term::UnknownModifier(modifier) => {
                found.extend(self.unknown(term, modifier.name()));
                None
            }
        };
        found.extend(spec.and_then(|spec| self.macros(term, spec)));
        found
    }

    /// RFC 7208 §5.6: the bits behind the prefix are not compared.
    fn host_bits(&self, term: Term<'_>, mechanism: &Mechanism) -> Option<Finding> {
        let (whole, address) = match mechanism {
            Mechanism::Ip4(net) => (IpNet::V4(net.trunc()), IpNet::V4(*net)),
            Mechanism::Ip6(net) => (IpNet::V6(net.trunc()), IpNet::V6(*net)),
            Mechanism::All
            | Mechanism::Include(_)
            | Mechanism::A(_)
            | Mechanism::Mx(_)
            | Mechanism::Ptr(_)
            | Mechanism::Exists(_) => return None,
        };
        let says = format!("means the whole of {whole}, and not {} alone", address.addr());
        let advice = format!("Write {whole}, or the address without a prefix length.");
        (address != whole).then(|| self.finding(Rule::SpfHostBits, term, &says, &advice))
    }

    /// A term that decides nothing.
    fn needless(&self, allowed: &Allowed, place: Place) -> Option<Finding> {
        let term @ Term::Directive(directive) = self.context.records.reached(place)? else { return None };
        if directive.mechanism == Mechanism::All {
            return None;
        }
        if allowed.brought_by(place)?.is_needless {
            let says = "matches nobody whom no term before it matches";
            return Some(self.finding(Rule::SpfRedundant, term, says, "Take it out."));
        }
        let mine = net(&directive.mechanism).filter(|_| directive.qualifier == Qualifier::Pass)?;
        let later = self.record.directives.get(place.index + 1..)?.iter().take(MAX_TERMS);
        // Behind one with another qualifier, the wider one would come too late.
        let mut later = later.take_while(|other| other.qualifier == Qualifier::Pass);
        let is_wider = |other: IpNet| other != mine && other.contains(&mine);
        let wider = later.find(|other| net(&other.mechanism).is_some_and(is_wider))?;
        let says = format!("is a part of \"{}\", which stands behind it", Term::Directive(wider));
        Some(self.finding(Rule::SpfRedundant, term, &says, "Take it out."))
    }

    /// RFC 7208 §6; `ra`, `rp` and `rr` are those of RFC 6652 §3.
    fn unknown(&self, term: Term<'_>, name: &str) -> Option<Finding> {
        // By the names of mechanisms something else is meant, which is told by its own rule.
        const TOLD: [&str; 13] =
            ["ra", "rp", "rr", "include", "ip4", "ip6", "ipv4", "ipv6", "ip", "a", "mx", "exists", "ptr"];
        if TOLD.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            return None;
        }
        let advice = match ["redirect", "exp"].into_iter().find(|known| is_nearly(name, known)) {
            Some(known) => format!("Write \"{known}=\", if that was meant."),
            None => "Take it out.".to_owned(),
        };
        let says = "is a modifier that nobody knows: it has no effect";
        Some(self.finding(Rule::SpfUnknownModifier, term, says, &advice))
    }

    /// RFC 7208 §6.2.
    fn explanation(&self, term: Term<'_>, spec: &DomainSpec) -> Option<Finding> {
        let name = spec.literal()?;
        // Whether there is a text has to be known.
        self.context.answer(name, RecordType::Txt)?;
        let texts = self.context.texts(name);
        let why = match texts {
            [] => format!("and {} has no text", shown(name)),
            [text] if is_explanation(text) => return None,
            [text] if !text.is_ascii() => format!("and the text at {} is not ASCII", shown(name)),
            [text] => format!("and a macro of {} at {} cannot be read", quoted(text), shown(name)),
            _ => format!("and {} has {} texts, where one is expected", shown(name), texts.len()),
        };
        let says = format!("is to explain a failure, {why}: receivers pass it over");
        Some(self.finding(Rule::SpfExp, term, &says, "Publish one text of ASCII there, or take the modifier out."))
    }

    fn macros(&self, term: Term<'_>, spec: &DomainSpec) -> Option<Finding> {
        let letters = || {
            spec.macro_string().parts().iter().filter_map(|part| match part {
                MacroPart::Expand(Macro { letter, .. }) => Some(*letter),
                MacroPart::Literal(_) | MacroPart::Percent | MacroPart::Space | MacroPart::UrlSpace => None,
            })
        };
        // RFC 7208 §7.2: "SHOULD NOT be used".
        if letters().any(|letter| letter == MacroLetter::ValidatedDomain) {
            let says = "has the macro \"p\", which asks for the name of each client; RFC 7208 says not to use it";
            return Some(self.finding(Rule::SpfPMacro, term, says, "Write it without %{p}."));
        }
        if matches!(term, Term::Exp(_)) || letters().all(|letter| letter == MacroLetter::Domain) {
            return None;
        }
        let is_local = |letter| matches!(letter, MacroLetter::LocalPart | MacroLetter::Sender);
        let local = if letters().any(is_local) {
            "; local parts that are not ASCII never match (RFC 8616 section 4)"
        } else {
            ""
        };
        let says =
            format!("asks for another name for each client or sender: whom it matches cannot be seen from here{local}");
        Some(self.finding(Rule::SpfExistsOpaque, term, &says, "See whether addresses can be named instead."))
    }
}

/// The network that a term names.
fn net(mechanism: &Mechanism) -> Option<IpNet> {
    match mechanism {
        Mechanism::Ip4(net) => Some(IpNet::V4(net.trunc())),
        Mechanism::Ip6(net) => Some(IpNet::V6(net.trunc())),
        Mechanism::All
        | Mechanism::Include(_)
        | Mechanism::A(_)
        | Mechanism::Mx(_)
        | Mechanism::Ptr(_)
        | Mechanism::Exists(_) => None,
    }
}

/// Whether a name is another with a letter more, less, or otherwise.
fn is_nearly(name: &str, known: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let same = name.bytes().zip(known.bytes()).take_while(|(a, b)| a == b).count();
    let end = name.bytes().rev().zip(known.bytes().rev()).take_while(|(a, b)| a == b).count();
    let longest = name.len().max(known.len());
    name != known && name.len().abs_diff(known.len()) <= 1 && same + end + 1 >= longest
}
