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
            format!("Write \"{meant}\"; where a TXT record has several strings, they are joined without a blank."),
        ),
        // What would be cut is no advice.
        Some(meant) if *excerpt(meant.as_bytes()) == **meant => finding.advising(format!("Write \"{meant}\".")),
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
        Mistake::AddressAlone | Mistake::ColonOfModifier | Mistake::QualifierOfModifier | Mistake::AddressForDomain => {
            Rule::SpfMechanismTypo
        }
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
        Mistake::Punctuation(_) | Mistake::WhiteSpace => "Put a blank, and nothing else, between two terms.",
        Mistake::Glued => {
            "Put a blank between the two terms; where a TXT record has several strings, they are joined without one."
        }
        Mistake::Dash => "Write \"-\" (the hyphen of the keyboard).",
        Mistake::QualifierAlone => {
            "Write the mechanism right behind the qualifier, without a blank, or take the qualifier out."
        }
        Mistake::ManyQualifiers => "Leave one qualifier: \"-\", \"~\", \"?\" or \"+\".",
        Mistake::NotPrintable(_) => "Write it in ASCII; an internationalized domain in its A-label form (xn--).",
        Mistake::UnknownMechanism => "Take it out, or write a mechanism: ip4, ip6, a, mx, include, exists or all.",
        Mistake::AddressAlone => "Write \"ip4:\" or \"ip6:\" before the address.",
        Mistake::DomainAlone => {
            "Write \"include:\" before the name of another's record, \"a:\" before that of a host; without a blank."
        }
        Mistake::ColonOfModifier => "Write \"=\" behind the name of a modifier.",
        Mistake::QualifierOfModifier => "Write the name of the modifier without a sign before it.",
        Mistake::NoColon => "Write \":\" and a value right behind the name, without a blank.",
        Mistake::NoDomain => "Write the domain right behind the sign, without a blank, or take the term out.",
        Mistake::NoAddress => "Write the address right behind the colon, without a blank, or take the term out.",
        Mistake::AddressForDomain => "Write \"ip4:\" or \"ip6:\" before an address.",
        Mistake::DomainForAddress => "Write \"a:\" before the name of a host.",
        Mistake::OtherFamily => "Write \"ip4:\" before an IPv4 address, \"ip6:\" before one of IPv6.",
        Mistake::LeadingZero => "Write the number without zeros before it.",
        Mistake::NumberTooGreat | Mistake::NotIp4 => {
            "Write four numbers from 0 to 255; a network with its prefix length, as 192.0.2.0/24."
        }
        Mistake::NotIp6 => "Write an IPv6 address; a network with its prefix length, as 2001:db8::/32.",
        Mistake::Ip4Prefix => "Write a number from 0 to 32 without zeros before it.",
        Mistake::Ip6Prefix => "Write a number from 0 to 128 without zeros before it.",
        Mistake::SecondPrefix => {
            "Write \"//\" before the prefix length for IPv6, as in a/24//64; ip4: and ip6: have one prefix length."
        }
        Mistake::OneLabel => "Write the whole name of the host, with its domain.",
        Mistake::LastLabel => "Write a whole domain name: its last label has a letter, and no sign but the hyphen.",
        Mistake::Percent => "Write a macro as %{d}.",
        Mistake::MacroLetter(_) | Mistake::MacroZero | Mistake::MacroEnd => "Write a macro as %{d}, %{i} or %{ir}.",
        Mistake::ExplanationMacro(_) => "Take another macro: %{c}, %{r} and %{t} stand in explanations only.",
        Mistake::Repeated => "Leave one of them.",
        Mistake::GoesOn => "Take out what stands behind the end of the term, or put a blank before it.",
        Mistake::Other => "Take the term out, or write it as RFC 7208 has it.",
    }
}
