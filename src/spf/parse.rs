//! The grammar of RFC 7208 §12, one function per rule, in the RFC's order.
//!
//! What follows the name of a term tells its kind (§4.6.1): `=` makes a modifier, anything else a mechanism. The functions of the
//! single mechanisms and modifiers are given what follows the name.

use super::{
    macro_string::{Delimiters, DomainSpec, Macro, MacroLetter, MacroPart, MacroString},
    record::{Directive, HostSpec, Mechanism, Modifier, PrefixLen, Qualifier, Record, UnknownModifier},
};
use crate::lex::{Origin, Parsed, Span, Stop, rule};
use ipnet::{Ipv4Net, Ipv6Net};
use nom::{
    Parser as _,
    bytes::complete::{tag, tag_no_case, take_while, take_while_m_n, take_while1},
    combinator::{map_opt, opt, recognize, verify},
    sequence::{pair, preceded},
};
use smallvec::SmallVec;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What is expected where a modifier stands that stood before.
pub(super) const AT_MOST_ONCE: &str = "each of \"redirect\" and \"exp\" at most once";

/// An error at the start of `rest`.
fn stop<'t, T>(rest: &'t [u8], expected: &'static str) -> Parsed<'t, T> {
    Err(nom::Err::Error(Stop { rest, expected }))
}

/// What the rules have matched is ASCII.
fn text(octets: &[u8]) -> Option<&str> {
    std::str::from_utf8(octets).ok()
}

/// `record = version terms *SP`
pub(super) fn record(input: &[u8]) -> Parsed<'_, Record> {
    let (rest, version) = version(input)?;
    let (rest, record) = terms(rest, version.len())?;
    let (rest, _) = take_while(|octet| octet == b' ').parse(rest)?;
    Ok((rest, record))
}

/// `version = "v=spf1"`
fn version(input: &[u8]) -> Parsed<'_, &[u8]> {
    rule("version", tag_no_case(&b"v=spf1"[..])).parse(input)
}

/// `terms = *( 1*SP ( directive / modifier ) )`; they begin at `offset` of their record.
fn terms(input: &[u8], offset: usize) -> Parsed<'_, Record> {
    let mut record = Record::default();
    let (mut input, mut offset) = (input, offset);
    loop {
        let (term, spaces) = take_while(|octet| octet == b' ').parse(input)?;
        if term.is_empty() {
            return Ok((input, record));
        }
        if spaces.is_empty() {
            return stop(input, "SP");
        }
        offset += spaces.len();
        let (rest, ()) = self::term(term, offset, &mut record)?;
        offset += term.len() - rest.len();
        input = rest;
    }
}

/// `directive / modifier`, which begins at `offset` of its record and joins what was read of it.
#[inline]
pub(super) fn term<'t>(term: &'t [u8], offset: usize, record: &mut Record) -> Parsed<'t, ()> {
    // Where the term stands, which ends where `rest` begins.
    let place = |rest: &[u8]| Origin(Span::new(offset, term.len() - rest.len()));
    // §4.6.1: modifiers have an equals sign right after their name.
    if let Ok((rest @ [b'=', ..], name)) = name(term) {
        return modifier(rest, term, name, place, record);
    }
    let (rest, directive) = directive(term)?;
    record.directives.push(Directive { span: place(rest), ..directive });
    Ok((rest, ()))
}

/// `directive = [ qualifier ] mechanism`
pub(super) fn directive(input: &[u8]) -> Parsed<'_, Directive> {
    let (rest, qualifier) = qualifier(input)?;
    let (rest, mechanism) = mechanism(rest)?;
    Ok((rest, Directive::new(qualifier, mechanism)))
}

/// `[ qualifier ]`, where `qualifier = "+" / "-" / "?" / "~"`
fn qualifier(input: &[u8]) -> Parsed<'_, Qualifier> {
    Ok(match input {
        [b'+', rest @ ..] => (rest, Qualifier::Pass),
        [b'-', rest @ ..] => (rest, Qualifier::Fail),
        [b'?', rest @ ..] => (rest, Qualifier::Neutral),
        [b'~', rest @ ..] => (rest, Qualifier::SoftFail),
        _ => (input, Qualifier::Pass),
    })
}

/// `mechanism = ( all / include / a / mx / ptr / ip4 / ip6 / exists )`
fn mechanism(input: &[u8]) -> Parsed<'_, Mechanism> {
    let Ok((rest, name)) = name(input) else { return stop(input, "mechanism") };
    let named = |known: &[u8]| name.eq_ignore_ascii_case(known);
    if named(b"ip4") {
        ip4(rest)
    } else if named(b"ip6") {
        ip6(rest)
    } else if named(b"include") {
        include(rest)
    } else if named(b"all") {
        Ok((rest, Mechanism::All))
    } else if named(b"a") {
        host(rest).map(|(rest, host)| (rest, Mechanism::A(host)))
    } else if named(b"mx") {
        host(rest).map(|(rest, host)| (rest, Mechanism::Mx(host)))
    } else if named(b"exists") {
        exists(rest)
    } else if named(b"ptr") {
        ptr(rest)
    } else {
        stop(input, "mechanism")
    }
}

/// `include = "include" ":" domain-spec`
fn include(input: &[u8]) -> Parsed<'_, Mechanism> {
    let (rest, domain) = preceded(colon, to_end_of_term).parse(input)?;
    Ok((rest, Mechanism::Include(domain)))
}

/// What `a` and `mx` have in common: `[ ":" domain-spec ] [ dual-cidr-length ]`
fn host(input: &[u8]) -> Parsed<'_, HostSpec> {
    let (rest, domain) = match input {
        [b':', rest @ ..] => {
            // A slash may stand in a domain-spec as well. A domain-spec ends in a toplabel or a macro-expand, neither of which
            // ends in a slash and digits: so these, at the end of a term, are the dual-cidr-length.
            let term = term_len(rest);
            let len = rest.get(..term).map_or(term, |term| without_dual_cidr_length(term).len());
            domain_spec(rest, len).map(|(rest, domain)| (rest, Some(domain)))?
        }
        _ => (input, None),
    };
    let (rest, (ip4_prefix_len, ip6_prefix_len)) = dual_cidr_length(rest)?;
    Ok((rest, HostSpec { domain, ip4_prefix_len, ip6_prefix_len }))
}

/// `ptr = "ptr" [ ":" domain-spec ]`
fn ptr(input: &[u8]) -> Parsed<'_, Mechanism> {
    match input {
        [b':', rest @ ..] => to_end_of_term(rest).map(|(rest, domain)| (rest, Mechanism::Ptr(Some(domain)))),
        _ => Ok((input, Mechanism::Ptr(None))),
    }
}

/// `ip4 = "ip4" ":" ip4-network [ ip4-cidr-length ]`
fn ip4(input: &[u8]) -> Parsed<'_, Mechanism> {
    let networks = (preceded(colon, ip4_network), ip4_cidr_length);
    map_opt(networks, |(address, len)| Ipv4Net::new(address, len.bits()).ok().map(Mechanism::Ip4)).parse(input)
}

/// `ip6 = "ip6" ":" ip6-network [ ip6-cidr-length ]`
fn ip6(input: &[u8]) -> Parsed<'_, Mechanism> {
    let networks = (preceded(colon, ip6_network), ip6_cidr_length);
    map_opt(networks, |(address, len)| Ipv6Net::new(address, len.bits()).ok().map(Mechanism::Ip6)).parse(input)
}

/// `exists = "exists" ":" domain-spec`
fn exists(input: &[u8]) -> Parsed<'_, Mechanism> {
    let (rest, domain) = preceded(colon, to_end_of_term).parse(input)?;
    Ok((rest, Mechanism::Exists(domain)))
}

/// `modifier = redirect / explanation / unknown-modifier`, from the equals sign on; `term` is where the term begins, and `place` says
/// where it stands.
fn modifier<'t>(
    equals: &'t [u8],
    term: &'t [u8],
    name: &[u8],
    place: impl Fn(&[u8]) -> Origin<Option<Span>>,
    record: &mut Record,
) -> Parsed<'t, ()> {
    let value = equals.get(1..).unwrap_or_default();
    let known = if name.eq_ignore_ascii_case(b"redirect") {
        &mut record.redirect
    } else if name.eq_ignore_ascii_case(b"exp") {
        &mut record.exp
    } else {
        let (rest, modifier) = unknown_modifier(value, name)?;
        record.unknown_modifiers.extend(modifier.map(|mut modifier| {
            modifier.span = place(rest);
            modifier
        }));
        return Ok((rest, ()));
    };
    // RFC 7208 §6: these two modifiers must not appear more than once each.
    if known.is_some() {
        return stop(term, AT_MOST_ONCE);
    }
    let (rest, domain) = to_end_of_term(value)?;
    *known = Some(Modifier { span: place(rest), ..Modifier::new(domain) });
    Ok((rest, ()))
}

/// `unknown-modifier = name "=" macro-string ; where name is not any known modifier`
fn unknown_modifier<'t>(value: &'t [u8], name: &[u8]) -> Parsed<'t, Option<UnknownModifier>> {
    let (rest, value) = macro_string(value)?;
    Ok((rest, text(name).and_then(|name| UnknownModifier::new(name, value).ok())))
}

/// The `name` of an unknown-modifier.
pub(super) fn unknown_name(input: &[u8]) -> Parsed<'_, &str> {
    let unknown = |name: &&[u8]| !name.eq_ignore_ascii_case(b"redirect") && !name.eq_ignore_ascii_case(b"exp");
    rule("the name of an unknown modifier", map_opt(verify(name, unknown), text)).parse(input)
}

/// `[ ip4-cidr-length ]`, where `ip4-cidr-length = "/" ("0" / %x31-39 0*1DIGIT) ; value range 0-32`
fn ip4_cidr_length(input: &[u8]) -> Parsed<'_, PrefixLen<32>> {
    let len = preceded(tag(&b"/"[..]), rule("ip4-cidr-length", map_opt(number, PrefixLen::new)));
    opt_unless_failed(input, b"/", len)
}

/// `[ ip6-cidr-length ]`, where `ip6-cidr-length = "/" ("0" / %x31-39 0*2DIGIT) ; value range 0-128`
fn ip6_cidr_length(input: &[u8]) -> Parsed<'_, PrefixLen<128>> {
    let len = preceded(tag(&b"/"[..]), rule("ip6-cidr-length", map_opt(number, PrefixLen::new)));
    opt_unless_failed(input, b"/", len)
}

/// `dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]`
fn dual_cidr_length(input: &[u8]) -> Parsed<'_, (PrefixLen<32>, PrefixLen<128>)> {
    let (rest, ip4) = match input {
        [b'/', b'/', ..] => (input, PrefixLen::default()),
        _ => ip4_cidr_length(input)?,
    };
    let ip6 = preceded(tag(&b"/"[..]), ip6_cidr_length);
    let (rest, ip6) = opt_unless_failed(rest, b"//", ip6)?;
    Ok((rest, (ip4, ip6)))
}

/// What `parser` reads, or the default where the input does not begin with `sign`: once it does, errors are errors.
fn opt_unless_failed<'t, T: Default>(
    input: &'t [u8],
    sign: &[u8],
    mut parser: impl nom::Parser<&'t [u8], Output = T, Error = Stop<'t>>,
) -> Parsed<'t, T> {
    if input.starts_with(sign) { parser.parse(input) } else { Ok((input, T::default())) }
}

/// A term without the `dual-cidr-length` at its end.
fn without_dual_cidr_length(term: &[u8]) -> &[u8] {
    let without = |term, slashes: &[u8]| {
        let mut before: &[u8] = term;
        while let [rest @ .., b'0'..=b'9'] = before {
            before = rest;
        }
        if before.len() < term.len() { before.strip_suffix(slashes) } else { None }
    };
    let term = without(term, b"//").unwrap_or(term);
    without(term, b"/").unwrap_or(term)
}

/// A decimal number without needless zeros, up to 255.
fn number(input: &[u8]) -> Parsed<'_, u8> {
    let canonical = |digits: &&[u8]| digits.len() == 1 || !digits.starts_with(b"0");
    let digits = verify(take_while1(|octet: u8| octet.is_ascii_digit()), canonical);
    map_opt(digits, |digits| text(digits)?.parse().ok()).parse(input)
}

/// `ip4-network = qnum "." qnum "." qnum "." qnum`
fn ip4_network(input: &[u8]) -> Parsed<'_, Ipv4Addr> {
    let dot = || rule("ip4-network", tag(&b"."[..]));
    let (rest, (a, _, b, _, c, _, d)) = (qnum, dot(), qnum, dot(), qnum, dot(), qnum).parse(input)?;
    Ok((rest, Ipv4Addr::new(a, b, c, d)))
}

/// `qnum`: 0 to 255 without leading zeros.
fn qnum(input: &[u8]) -> Parsed<'_, u8> {
    rule("qnum", number).parse(input)
}

/// `ip6-network = <as per Section 2.2 of [RFC4291]>`
fn ip6_network(input: &[u8]) -> Parsed<'_, Ipv6Addr> {
    let address = take_while1(|octet: u8| octet.is_ascii_hexdigit() || matches!(octet, b':' | b'.'));
    rule("ip6-network", map_opt(address, |address| text(address)?.parse().ok())).parse(input)
}

/// A `domain-spec` that takes up all that is left of its term.
fn to_end_of_term(input: &[u8]) -> Parsed<'_, DomainSpec> {
    domain_spec(input, term_len(input))
}

/// Octets up to the next space.
fn term_len(input: &[u8]) -> usize {
    memchr::memchr(b' ', input).unwrap_or(input.len())
}

/// `domain-spec = macro-string domain-end`, in exactly the first `len` octets.
pub(super) fn domain_spec(input: &[u8], len: usize) -> Parsed<'_, DomainSpec> {
    let Some((spec, rest)) = input.split_at_checked(len) else { return stop(input, "domain-spec") };
    // Errors tell their place by what is left of the whole text.
    let at = |left: &[u8]| input.get(len.saturating_sub(left.len())..).unwrap_or_default();
    match macro_parts(spec, Text::Term) {
        Ok(([], parts)) => {
            let literal = match parts.last() {
                Some(MacroPart::Literal(literal)) => literal.len(),
                _ => 0,
            };
            match domain_end(spec.get(spec.len() - literal..).unwrap_or_default(), parts.last()) {
                Ok(_) => Ok((rest, DomainSpec::new(MacroString::new(parts)))),
                Err(error) => Err(error.map(|error| Stop { rest: at(error.rest), ..error })),
            }
        }
        Ok((left, _)) => stop(at(left), "macro-literal"),
        Err(error) => Err(error.map(|error| Stop { rest: at(error.rest), ..error })),
    }
}

/// `domain-end = ( "." toplabel [ "." ] ) / macro-expand`; `input` is the literal at the end, and empty behind a macro-expand.
fn domain_end<'t>(input: &'t [u8], last: Option<&MacroPart>) -> Parsed<'t, ()> {
    match last {
        None => stop(input, "domain-spec"),
        Some(MacroPart::Expand(_) | MacroPart::Percent | MacroPart::Space | MacroPart::UrlSpace) => Ok((input, ())),
        Some(MacroPart::Literal(_)) => {
            let name = input.strip_suffix(b".").unwrap_or(input);
            match memchr::memrchr(b'.', name) {
                Some(dot) => {
                    toplabel(name.get(dot + 1..).unwrap_or_default(), input.get(dot + 1..).unwrap_or_default())
                }
                None => stop(input, "domain-end"),
            }
        }
    }
}

/// `toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )`; an error stands at `rest`.
fn toplabel<'t>(label: &[u8], rest: &'t [u8]) -> Parsed<'t, ()> {
    let ldh = label.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-');
    let ends = |octet: Option<&u8>| octet.is_some_and(u8::is_ascii_alphanumeric);
    let not_all_digits = !label.iter().all(u8::is_ascii_digit);
    if ldh && ends(label.first()) && ends(label.last()) && not_all_digits {
        Ok((rest, ()))
    } else {
        stop(rest, "toplabel")
    }
}

/// Where a macro string stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    /// In a term of a record.
    Term,
    /// In a modifier that is not known, and so not read further.
    UnknownModifier,
    /// In an explanation.
    Explanation,
}

/// `explain-string = *( macro-string / SP )`
pub(super) fn explain_string(input: &[u8]) -> Parsed<'_, MacroString> {
    macro_parts(input, Text::Explanation).map(|(rest, parts)| (rest, MacroString::new(parts)))
}

/// `macro-string = *( macro-expand / macro-literal )`, with any letter: that of an unknown-modifier.
pub(super) fn macro_string(input: &[u8]) -> Parsed<'_, MacroString> {
    macro_parts(input, Text::UnknownModifier).map(|(rest, parts)| (rest, MacroString::new(parts)))
}

/// `*( macro-expand / macro-literal )`, and spaces in an explanation.
fn macro_parts(input: &[u8], place: Text) -> Parsed<'_, SmallVec<[MacroPart; 1]>> {
    let mut parts = SmallVec::new();
    let mut input = input;
    loop {
        let literal = opt(map_opt(take_while1(|octet| is_macro_literal(octet, place)), text));
        let (rest, part) = match input {
            [b'%', ..] => macro_expand(input, place).map(|(rest, part)| (rest, Some(part)))?,
            _ => literal.map(|literal| literal.map(|text: &str| MacroPart::Literal(text.into()))).parse(input)?,
        };
        match part {
            Some(part) => parts.push(part),
            None => return Ok((rest, parts)),
        }
        input = rest;
    }
}

/// `macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"`
fn macro_expand(input: &[u8], place: Text) -> Parsed<'_, MacroPart> {
    let body = match input {
        [b'%', b'%', rest @ ..] => return Ok((rest, MacroPart::Percent)),
        [b'%', b'_', rest @ ..] => return Ok((rest, MacroPart::Space)),
        [b'%', b'-', rest @ ..] => return Ok((rest, MacroPart::UrlSpace)),
        [b'%', b'{', rest @ ..] => rest,
        _ => return stop(input, "macro-expand"),
    };
    let (rest, (letter, url_escape)) = macro_letter(body, place)?;
    let (rest, (keep_right, reverse)) = transformers(rest)?;
    let (rest, delimiters) = delimiters(rest)?;
    let (rest, _) = rule("delimiter or \"}\"", tag(&b"}"[..])).parse(rest)?;
    Ok((rest, MacroPart::Expand(Macro { letter, url_escape, keep_right, reverse, delimiters })))
}

/// `macro-literal = %x21-24 / %x26-7E`
fn is_macro_literal(octet: u8, place: Text) -> bool {
    matches!(octet, 0x21..=0x24 | 0x26..=0x7E) || (octet == b' ' && place == Text::Explanation)
}

/// `macro-letter = "s" / "l" / "o" / "d" / "i" / "p" / "h" / "c" / "r" / "t" / "v"`, and whether it is upper case.
fn macro_letter(input: &[u8], place: Text) -> Parsed<'_, (MacroLetter, bool)> {
    match input {
        [octet, rest @ ..] => match MacroLetter::of(*octet) {
            // RFC 7208 §7.2: "c", "r" and "t" are allowed only in "exp" text. In a modifier that is not known nobody can tell.
            Some(letter) if place != Text::Term || !letter.is_for_explanations() => {
                Ok((rest, (letter, octet.is_ascii_uppercase())))
            }
            _ => stop(input, "macro-letter"),
        },
        [] => stop(input, "macro-letter"),
    }
}

/// `transformers = *DIGIT [ "r" ]`
fn transformers(input: &[u8]) -> Parsed<'_, (Option<u32>, bool)> {
    let (rest, digits) = take_while(|octet: u8| octet.is_ascii_digit()).parse(input)?;
    let value = digits
        .iter()
        .fold(0_u32, |value, digit| value.saturating_mul(10).saturating_add(u32::from(digit.saturating_sub(b'0'))));
    // RFC 7208 §7.3: if a DIGIT is specified, the value must be nonzero.
    if !digits.is_empty() && value == 0 {
        return stop(input, "a number that is not 0");
    }
    let (rest, reverse) = opt(tag_no_case(&b"r"[..])).parse(rest)?;
    Ok((rest, ((!digits.is_empty()).then_some(value), reverse.is_some())))
}

/// `*delimiter`, where `delimiter = "." / "-" / "+" / "," / "/" / "_" / "="`
fn delimiters(input: &[u8]) -> Parsed<'_, Delimiters> {
    let delimiter = |octet: u8| b".-+,/_=".contains(&octet);
    map_opt(take_while(delimiter), |set| Delimiters::parse(text(set)?)).parse(input)
}

/// `name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )`
fn name(input: &[u8]) -> Parsed<'_, &[u8]> {
    let first = take_while_m_n(1, 1, |octet: u8| octet.is_ascii_alphabetic());
    let others = take_while(|octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.'));
    rule("name", recognize(pair(first, others))).parse(input)
}

/// The colon between a mechanism's name and its value.
fn colon(input: &[u8]) -> Parsed<'_, &[u8]> {
    rule("\":\"", tag(&b":"[..])).parse(input)
}
