//! A term that cannot be read, as a finding.

use super::{Finding, Rule, at, shown};
use crate::{
    lex::excerpt,
    name::Name,
    spf::{Fault, Mistake},
};

/// Of one term of the record at a name.
pub(super) fn finding(fault: &Fault, name: &Name, record: &[u8]) -> Finding {
    let says = format!("the SPF record of {} cannot be read: {fault}", shown(name));
    let finding = at(rule(fault, record), name, record, fault.span(), &says);
    match &fault.meant {
        Some(meant) if fault.mistake == Mistake::Glued && *excerpt(meant.as_bytes()) == **meant => finding.advising(
            format!("write \"{meant}\"; where a TXT record has several strings, they are joined without a blank"),
        ),
        // What would be cut is no advice.
        Some(meant) if *excerpt(meant.as_bytes()) == **meant => finding.advising(format!("write \"{meant}\"")),
        Some(_) | None => finding.advising(advice(fault.mistake)),
    }
}

/// The most specific one.
fn rule(fault: &Fault, record: &[u8]) -> Rule {
    let term = fault.span().and_then(|span| span.of(record)).unwrap_or_default();
    let term = term.strip_prefix(b"-").unwrap_or(term);
    let begins_with = |name: &[u8]| term.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let of_value = match term {
        _ if begins_with(b"ip4:") => Some(Rule::SpfIp4),
        _ if begins_with(b"ip6:") => Some(Rule::SpfIp6),
        _ => None,
    };
    if let (
        Some(rule),
        Mistake::Ip4Prefix
        | Mistake::Ip6Prefix
        | Mistake::GoesOn
        | Mistake::OtherFamily
        | Mistake::DomainForAddress
        | Mistake::NoAddress
        | Mistake::SecondPrefix,
    ) = (of_value, fault.mistake)
    {
        return rule;
    }
    match fault.mistake {
        Mistake::Punctuation(_) | Mistake::WhiteSpace | Mistake::Dash | Mistake::Glued | Mistake::QualifierAlone => {
            Rule::SpfSeparator
        }
        Mistake::AddressAlone | Mistake::ColonOfModifier | Mistake::AddressForDomain => Rule::SpfMechanismTypo,
        Mistake::UnknownMechanism | Mistake::NoColon if fault.meant.is_some() => Rule::SpfMechanismTypo,
        Mistake::NotIp4 | Mistake::LeadingZero | Mistake::NumberTooGreat => Rule::SpfIp4,
        Mistake::NotIp6 => Rule::SpfIp6,
        Mistake::Ip4Prefix | Mistake::Ip6Prefix | Mistake::SecondPrefix => Rule::SpfCidr,
        Mistake::NoDomain | Mistake::OneLabel | Mistake::LastLabel => Rule::SpfDomainSpec,
        Mistake::Percent
        | Mistake::MacroLetter(_)
        | Mistake::ExplanationMacro(_)
        | Mistake::MacroZero
        | Mistake::MacroEnd => Rule::SpfMacro,
        Mistake::Repeated => Rule::SpfDuplicateModifier,
        Mistake::NotPrintable(_)
        | Mistake::ManyQualifiers
        | Mistake::UnknownMechanism
        | Mistake::DomainAlone
        | Mistake::NoColon
        | Mistake::OtherFamily
        | Mistake::DomainForAddress
        | Mistake::NoAddress
        | Mistake::GoesOn
        | Mistake::Other => Rule::SpfSyntax,
    }
}

fn advice(mistake: Mistake) -> &'static str {
    match mistake {
        Mistake::Punctuation(_) | Mistake::WhiteSpace => "put a blank, and nothing else, between two terms",
        Mistake::Glued => {
            "put a blank between the two terms; where a TXT record has several strings, they are joined without one"
        }
        Mistake::Dash => "write \"-\" (the hyphen of the keyboard)",
        Mistake::QualifierAlone => {
            "write the mechanism right behind the qualifier, without a blank, or take the qualifier out"
        }
        Mistake::ManyQualifiers => "leave one qualifier: \"-\", \"~\", \"?\" or \"+\"",
        Mistake::NotPrintable(_) => "write it in ASCII; an internationalized domain in its A-label form (xn--)",
        Mistake::UnknownMechanism => "take it out, or write a mechanism: ip4, ip6, a, mx, include, exists or all",
        Mistake::AddressAlone => "write \"ip4:\" or \"ip6:\" before the address",
        Mistake::DomainAlone => {
            "write \"include:\" before the name of another's record, \"a:\" before that of a host; without a blank"
        }
        Mistake::ColonOfModifier => "write \"=\" behind the name of a modifier",
        Mistake::NoColon => "write \":\" and a value right behind the name, without a blank",
        Mistake::NoDomain => "write the domain right behind the sign, without a blank, or take the term out",
        Mistake::NoAddress => "write the address right behind the colon, without a blank, or take the term out",
        Mistake::AddressForDomain => "write \"ip4:\" or \"ip6:\" before an address",
        Mistake::DomainForAddress => "write \"a:\" before the name of a host",
        Mistake::OtherFamily => "write \"ip4:\" before an IPv4 address, \"ip6:\" before one of IPv6",
        Mistake::LeadingZero => "write the number without zeros before it",
        Mistake::NumberTooGreat | Mistake::NotIp4 => {
            "write four numbers from 0 to 255; a network with its prefix length, as 192.0.2.0/24"
        }
        Mistake::NotIp6 => "write an IPv6 address; a network with its prefix length, as 2001:db8::/32",
        Mistake::Ip4Prefix => "write a number from 0 to 32 without zeros before it",
        Mistake::Ip6Prefix => "write a number from 0 to 128 without zeros before it",
        Mistake::SecondPrefix => {
            "write \"//\" before the prefix length for IPv6, as in a/24//64; ip4: and ip6: have one prefix length"
        }
        Mistake::OneLabel => "write the whole name of the host, with its domain",
        Mistake::LastLabel => "write a whole domain name: its last label has a letter, and no sign but the hyphen",
        Mistake::Percent => "write a macro as %{d}",
        Mistake::MacroLetter(_) | Mistake::MacroZero | Mistake::MacroEnd => "write a macro as %{d}, %{i} or %{ir}",
        Mistake::ExplanationMacro(_) => "take another macro: %{c}, %{r} and %{t} stand in explanations only",
        Mistake::Repeated => "leave one of them",
        Mistake::GoesOn => "take out what stands behind the end of the term, or put a blank before it",
        Mistake::Other => "take the term out, or write it as RFC 7208 has it",
    }
}
