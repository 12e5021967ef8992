//! Which mistake a term is that cannot be read, and what was probably meant.

use super::{mistake::Mistake, parse, record::Record};
use crate::lex::parse_all;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What is wrong with a term.
pub(super) struct Judgement {
    pub(super) mistake: Mistake,
    /// Octets from the start of the term.
    pub(super) at: usize,
    pub(super) meant: Option<Box<str>>,
}

/// Octets of a term about which anything is guessed: longer ones are nobody's slip of the pen.
const MAX_GUESSED: usize = 300;

/// Mechanisms that have a value, as they begin.
const BEGINNINGS: [&str; 7] = ["ip4:", "ip6:", "include:", "exists:", "redirect=", "exp=", "ptr:"];
/// Names for which another one may be a slip of the pen.
const NAMES: [&str; 8] = ["include", "exists", "all", "ip4", "ip6", "mx", "ptr", "a"];

/// Of a term that `expected` could not go on `at` an octet, and what stands behind it.
///
/// Punctuation and missing blanks come first, then the name, then the value: whoever writes "ip4:192.0.2.1," knows what an address is.
pub(super) fn judge(term: &[u8], behind: &[u8], at: usize, expected: &str) -> Judgement {
    let here = |mistake| Judgement { mistake, at, meant: None };
    if expected == parse::AT_MOST_ONCE {
        return here(Mistake::Repeated);
    }
    // What is looked through more than once is bounded.
    let whole = term.len() <= MAX_GUESSED;
    let found = if whole { unprintable(term).or_else(|| punctuation(term)) } else { None };
    let (qualifier, body) = match term {
        [b'+' | b'-' | b'?' | b'~', body @ ..] => (term.get(..1).unwrap_or_default(), body),
        _ => (&b""[..], term),
    };
    let found = found.or_else(|| qualifiers(qualifier, body, behind));
    let found = found.or_else(|| if whole { glued(term, at, expected) } else { None });
    if let Some(judgement) = found {
        return judgement;
    }
    let name = body.iter().take_while(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(octet)).count();
    let (name, value) = body.split_at_checked(name).unwrap_or_default();
    if expected == "mechanism" {
        let (mistake, meant) = if whole { unknown(qualifier, body, name, value) } else { Default::default() };
        return Judgement { mistake: mistake.unwrap_or(Mistake::UnknownMechanism), at, meant };
    }
    let value = value.get(1..).unwrap_or_default();
    let (mistake, meant) = self::value(qualifier, name, value, term.get(at..).unwrap_or_default(), expected);
    Judgement { mistake, at, meant: meant.filter(|_| whole) }
}

/// Whether this is a term, or several with single blanks between: by the very grammar that records are read by.
fn reads(terms: &[u8]) -> bool {
    let mut record = Record::default();
    terms.split(|octet| *octet == b' ').all(|term| parse_all(term, |term| parse::term(term, 0, &mut record)).is_ok())
}

/// These parts as what was meant, where they are a term or several.
fn meant(parts: &[&[u8]]) -> Option<Box<str>> {
    let terms = parts.concat();
    let text = std::str::from_utf8(&terms).ok().filter(|text| !text.contains('"') && reads(&terms))?;
    Some(text.into())
}

/// Octets that are not printable ASCII: none of them may stand in any term.
fn unprintable(term: &[u8]) -> Option<Judgement> {
    const SPACES: [&[u8]; 13] = [
        b"\t",
        b"\n",
        b"\x0b",
        b"\x0c",
        b"\r",
        "\u{a0}".as_bytes(),
        "\u{2002}".as_bytes(),
        "\u{2003}".as_bytes(),
        "\u{2009}".as_bytes(),
        "\u{200b}".as_bytes(),
        "\u{202f}".as_bytes(),
        "\u{3000}".as_bytes(),
        "\u{feff}".as_bytes(),
    ];
    const DASHES: [&[u8]; 6] = [
        "\u{2010}".as_bytes(),
        "\u{2011}".as_bytes(),
        "\u{2012}".as_bytes(),
        "\u{2013}".as_bytes(),
        "\u{2014}".as_bytes(),
        "\u{2212}".as_bytes(),
    ];
    let at = term.iter().position(|octet| !octet.is_ascii_graphic())?;
    let (before, rest) = term.split_at_checked(at)?;
    let cut = |signs: &[&[u8]]| signs.iter().find_map(|sign| rest.strip_prefix(*sign));
    Some(match (cut(&SPACES), cut(&DASHES)) {
        (Some(rest), _) if before.is_empty() || rest.is_empty() => {
            Judgement { mistake: Mistake::WhiteSpace, at, meant: meant(&[before, rest]) }
        }
        (Some(rest), _) => Judgement { mistake: Mistake::WhiteSpace, at, meant: meant(&[before, b" ", rest]) },
        (None, Some(rest)) if before.is_empty() => {
            Judgement { mistake: Mistake::Dash, at, meant: meant(&[b"-", rest]) }
        }
        (None, _) => {
            Judgement { mistake: Mistake::NotPrintable(rest.first().copied().unwrap_or_default()), at, meant: None }
        }
    })
}

/// Signs around a term, or between two: commas, semicolons, quotation marks, and a dot behind a term.
fn punctuation(term: &[u8]) -> Option<Judgement> {
    let is_sign = |octet: &u8| b",;\"'".contains(octet);
    let judgement = |at: usize, meant| {
        let sign = char::from(*term.get(at)?);
        Some(Judgement { mistake: Mistake::Punctuation(sign), at, meant })
    };
    let start = term.iter().take_while(|octet| is_sign(octet)).count();
    let end = term.iter().rposition(|octet| !is_sign(octet)).map_or(0, |last| last + 1);
    if start > 0 || end < term.len() {
        return judgement(if start > 0 { 0 } else { end }, meant(&[term.get(start..end).unwrap_or_default()]));
    }
    if let Some(before) = term.strip_suffix(b".").filter(|before| reads(before)) {
        return judgement(before.len(), meant(&[before]));
    }
    let at = term.iter().position(|octet| b",;".contains(octet))?;
    let (before, rest) = term.split_at_checked(at)?;
    reads(before).then(|| judgement(at, meant(&[before, b" ", rest.get(1..)?])))?
}

/// Qualifiers without a mechanism, behind it, or too many.
fn qualifiers(qualifier: &[u8], body: &[u8], behind: &[u8]) -> Option<Judgement> {
    let at = qualifier.len();
    if body.is_empty() {
        // What stands behind the blank may be its mechanism.
        let behind = behind.trim_ascii_start();
        let next = behind.split(|octet| *octet == b' ').next().unwrap_or_default();
        let next = next.get(..MAX_GUESSED).unwrap_or(next);
        let meant = meant(&[qualifier, next]).filter(|_| !next.is_empty());
        return Some(Judgement { mistake: Mistake::QualifierAlone, at, meant });
    }
    let more = body.iter().take_while(|octet| b"+-?~".contains(octet)).count();
    if more > 0 && !qualifier.is_empty() {
        let (more, mechanism) = body.split_at_checked(more)?;
        // Of several the last one stands at the mechanism.
        let last = more.last_chunk::<1>().map_or(qualifier, |last| last);
        return Some(Judgement { mistake: Mistake::ManyQualifiers, at, meant: meant(&[last, mechanism]) });
    }
    None
}

/// Two terms without a blank between: what stands before reads by itself, and what goes on begins as a term does.
fn glued(term: &[u8], at: usize, expected: &str) -> Option<Judgement> {
    // Behind an address "a" and "mx" begin a term, and in a domain they may be a part of it.
    let is_address = |before: &[u8]| {
        let mechanism = before.strip_prefix(b"-").unwrap_or(before).get(..4);
        mechanism.is_some_and(|name| [b"ip4:", b"ip6:"].iter().any(|address| name.eq_ignore_ascii_case(*address)))
    };
    let begins = |rest: &[u8]| {
        let has_qualifier = matches!(rest, [b'+' | b'-' | b'?' | b'~', ..]);
        let body = if has_qualifier { rest.get(1..).unwrap_or_default() } else { rest };
        let named =
            |name: &&str| body.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()));
        BEGINNINGS.iter().any(named) || has_qualifier && reads(rest) || body.eq_ignore_ascii_case(b"all")
    };
    let split = |at: usize| {
        let (before, rest) = term.split_at_checked(at).filter(|(before, _)| !before.is_empty())?;
        let glued = (begins(rest) || is_address(before) && reads(rest)) && reads(before);
        glued.then(|| Judgement { mistake: Mistake::Glued, at, meant: meant(&[before, b" ", rest]) })
    };
    // Where the grammar says that one term ends; or a domain in which another was lost.
    if ["SP", "end of text"].contains(&expected) {
        return split(at);
    }
    let may_begin = |octet: &u8| b"+-?~iIeErRpPaAmM".contains(octet);
    let places = term.iter().enumerate().skip(1).filter(|(_, octet)| may_begin(octet)).map(|(at, _)| at);
    let is_one = |at: &usize| {
        let (before, rest) = term.split_at_checked(*at).unwrap_or_default();
        begins(rest) || is_address(before) && reads(rest)
    };
    places.filter(is_one).take(4).find_map(split)
}

/// A name that is that of no mechanism.
fn unknown(qualifier: &[u8], body: &[u8], name: &[u8], value: &[u8]) -> (Option<Mistake>, Option<Box<str>>) {
    let (text, value_text) = (text(name), value.get(1..).unwrap_or_default());
    // ":" where "=" belongs, or a qualifier where none does (RFC 7208 §4.6.1: only directives have one).
    let modifier = ["redirect", "exp"].into_iter().find(|known| text.eq_ignore_ascii_case(known));
    let mistake = match value.first() {
        Some(b':') => Some(Mistake::ColonOfModifier),
        Some(b'=') if !qualifier.is_empty() => Some(Mistake::QualifierOfModifier),
        Some(_) | None => None,
    };
    if let (Some(known), Some(mistake)) = (modifier, mistake) {
        return (Some(mistake), meant(&[known.as_bytes(), b"=", value_text]));
    }
    let address = body.split(|octet| *octet == b'/').next().unwrap_or_default();
    if let Some(mechanism) = mechanism_of(address) {
        return (Some(Mistake::AddressAlone), meant(&[qualifier, mechanism, body]));
    }
    // A qualifier behind its mechanism, as in "all-".
    if let Some((last, before)) = body.split_last().filter(|(last, _)| b"+-?~".contains(last)) {
        return (None, meant(&[&[*last], before]));
    }
    // A slip of the pen in the name: "inlcude:", "ipv4:", "ip:"; the value shows which one was meant.
    let mut similar = NAMES.iter().filter(|known| known.len() > 1 && is_one_slip(&text, known));
    if let Some(meant) = similar.find_map(|known| meant(&[qualifier, known.as_bytes(), value])) {
        return (None, Some(meant));
    }
    if let Some(meant) = ["redirect", "exp"]
        .iter()
        .filter(|known| value.first() == Some(&b':') && is_one_slip(&text, known))
        .find_map(|known| meant(&[known.as_bytes(), b"=", value_text]))
    {
        return (None, Some(meant));
    }
    // Another sign, or none, where a colon belongs: "include._spf.example.com", "ip4192.0.2.1".
    let forgot = ["include", "exists", "ip4", "ip6"].iter().find_map(|known| {
        let rest = name
            .get(known.len()..)
            .filter(|_| text.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known)))?;
        let value_of = body.get(known.len()..)?;
        let without_sign = value_of.strip_prefix(b".").unwrap_or(value_of);
        meant(&[qualifier, known.as_bytes(), b":", without_sign]).filter(|_| !rest.is_empty())
    });
    if forgot.is_some() {
        return (None, forgot);
    }
    let is_domain = value.is_empty() && name.contains(&b'.') && reads(&[b"include:", name].concat());
    (is_domain.then_some(Mistake::DomainAlone), None)
}

/// The value of a mechanism or a modifier that exists; `rest` is what could not be read.
fn value(qualifier: &[u8], name: &[u8], value: &[u8], rest: &[u8], expected: &str) -> (Mistake, Option<Box<str>>) {
    let is_ip = [b"ip4", b"ip6"].iter().any(|known| name.eq_ignore_ascii_case(*known));
    let address = value.split(|octet| *octet == b'/').next().unwrap_or_default();
    let letter = rest.first().map_or(' ', |octet| char::from(*octet));
    match expected {
        "\":\"" if rest.is_empty() => (Mistake::NoColon, None),
        "\":\"" => (Mistake::NoColon, meant(&[qualifier, name, b":", value])),
        "macro-expand" => (Mistake::Percent, None),
        "macro-letter" if ['c', 'r', 't'].contains(&letter.to_ascii_lowercase()) => {
            (Mistake::ExplanationMacro(letter), None)
        }
        "macro-letter" if letter.is_ascii_graphic() => (Mistake::MacroLetter(letter), None),
        "a number that is not 0" => (Mistake::MacroZero, None),
        "macro-letter" | "delimiter or \"}\"" => (Mistake::MacroEnd, None),
        "ip4-cidr-length" => (Mistake::Ip4Prefix, None),
        "ip6-cidr-length" => (Mistake::Ip6Prefix, None),
        _ if is_ip && value.is_empty() => (Mistake::NoAddress, None),
        _ if is_ip => address_mistake(qualifier, name, value, address, rest, expected),
        _ if value.is_empty() && expected == "domain-spec" => (Mistake::NoDomain, None),
        "toplabel" | "domain-end" | "macro-literal" | "domain-spec" => match mechanism_of(address) {
            Some(mechanism) => (Mistake::AddressForDomain, meant(&[qualifier, mechanism, value])),
            None if expected == "domain-end" && !value.contains(&b'%') => (Mistake::OneLabel, None),
            None => (Mistake::LastLabel, None),
        },
        _ if rest.starts_with(b"/") => {
            let before = value.len().saturating_sub(rest.len());
            let fixed = meant(&[qualifier, name, b":", value.get(..before).unwrap_or_default(), b"/", rest]);
            let bare = [qualifier, name, b"/", value.get(..before).unwrap_or_default(), b"/", rest];
            (Mistake::SecondPrefix, fixed.or_else(|| meant(&bare)))
        }
        "SP" | "end of text" => (Mistake::GoesOn, None),
        _ => (Mistake::Other, None),
    }
}

/// The value of `ip4:` or `ip6:` that is none.
fn address_mistake(
    qualifier: &[u8],
    name: &[u8],
    value: &[u8],
    address: &[u8],
    rest: &[u8],
    expected: &str,
) -> (Mistake, Option<Box<str>>) {
    let is_ip4 = name.eq_ignore_ascii_case(b"ip4");
    let goes_on = ["SP", "end of text"].contains(&expected);
    match mechanism_of(address) {
        Some(mechanism) if !mechanism.starts_with(&name.to_ascii_lowercase()) => {
            return (Mistake::OtherFamily, meant(&[qualifier, mechanism, value]));
        }
        _ if goes_on => {
            return (if is_ip4 && !value.contains(&b'/') { Mistake::NotIp4 } else { Mistake::GoesOn }, None);
        }
        _ => {}
    }
    let is_name = address.iter().any(|octet| matches!(octet, b'g'..=b'z' | b'G'..=b'Z'));
    if is_name && reads(&[b"a:", value].concat()) {
        return (Mistake::DomainForAddress, meant(&[qualifier, b"a:", value]));
    }
    if !is_ip4 {
        return (Mistake::NotIp6, None);
    }
    let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let mistake = match rest.get(..digits).unwrap_or_default() {
        [b'0', _, ..] => Mistake::LeadingZero,
        [_, _, _, ..] => Mistake::NumberTooGreat,
        _ => Mistake::NotIp4,
    };
    let without_zeros = |number: &[u8]| {
        let zeros = number.iter().take_while(|octet| **octet == b'0').count();
        number.get(zeros.min(number.len().saturating_sub(1))..).unwrap_or_default().to_vec()
    };
    let meant = (mistake == Mistake::LeadingZero).then(|| {
        let numbers: Vec<Vec<u8>> = address.split(|octet| *octet == b'.').map(without_zeros).collect();
        let prefix = value.get(address.len()..).unwrap_or_default();
        meant(&[qualifier, name, b":", &numbers.join(&b'.'), prefix])
    });
    (mistake, meant.flatten())
}

/// The mechanism that takes such an address.
fn mechanism_of(address: &[u8]) -> Option<&'static [u8]> {
    let text = std::str::from_utf8(address).ok()?;
    let ip4 = text.parse::<Ipv4Addr>().ok().map(|_| &b"ip4:"[..]);
    ip4.or_else(|| text.parse::<Ipv6Addr>().ok().map(|_| &b"ip6:"[..]))
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// Whether one is the other with a letter too many, one missing, another one, or two in the wrong order.
fn is_one_slip(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let start = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (one.get(start..).unwrap_or_default(), other.get(start..).unwrap_or_default());
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle = |text: &[u8]| text.get(..text.len().saturating_sub(end)).unwrap_or_default().to_vec();
    match (&*middle(one), &*middle(other)) {
        ([_], [_]) | ([_], []) | ([], [_]) => true,
        ([a, b], [c, d]) => (a, b) == (d, c),
        _ => false,
    }
}
