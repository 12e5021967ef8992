//! Macro expansion (RFC 7208 §7.3).

use super::macro_string::{DomainSpec, Macro, MacroLetter, MacroPart, MacroString, truncate};
use crate::name::{MAX_NAME_LEN, Name, NameError};
use std::{
    borrow::Cow,
    fmt::Write as _,
    net::{IpAddr, Ipv6Addr},
};

/// What macros stand for, as far as it is known without asking the DNS.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'v> {
    pub(super) ip: IpAddr,
    /// `<sender>`.
    pub(super) sender: &'v str,
    /// The local part of `<sender>`.
    pub(super) local_part: &'v str,
    /// The domain of `<sender>`.
    pub(super) sender_domain: &'v Name,
    /// The argument of HELO, as the client wrote it.
    pub(super) helo: &'v str,
    /// The host that performs the check.
    pub(super) receiver: &'v str,
    /// Seconds since 1970.
    pub(super) now: u64,
}

/// A target name (RFC 7208 §4.8), or what the macros made that is no name.
#[derive(Debug)]
pub(super) enum Target {
    Name(Name),
    Malformed(Box<str>, NameError),
    /// The specification names a local part that is not ASCII: such a term matches nothing (RFC 8616 §4).
    NonAsciiLocalPart,
}

/// The most that an explanation may grow to (RFC 7208 §6.2 leaves the number to us): four full lines of an SMTP reply.
const MAX_EXPLANATION_LEN: usize = 2048;

/// As many parts of a macro string are expanded without a thought for their length.
const FEW_PARTS: usize = 16;
/// Octets that a macro counts as, where it stands for fewer: it takes its time whatever becomes of it.
const LEAST_OCTETS: usize = 16;
/// Octets of an IPv6 address as nibbles with dots.
const MAX_ADDRESS_LEN: usize = 63;
/// Digits of the last second that can be told.
const MAX_TIMESTAMP_LEN: usize = 20;

impl DomainSpec {
    /// The target name in a record of `domain`, where it is the same for each client and sender: without a macro, or with `%{d}` alone
    /// (RFC 7208 §7.2).
    pub(crate) fn target_in<'s>(&'s self, domain: &Name) -> Option<Cow<'s, Name>> {
        if let Some(name) = self.literal() {
            return Some(Cow::Borrowed(name));
        }
        let is_known = |part: &MacroPart| match part {
            MacroPart::Expand(used) => used.letter == MacroLetter::Domain,
            MacroPart::Literal(_) | MacroPart::Percent | MacroPart::Space | MacroPart::UrlSpace => true,
        };
        let parts = self.macro_string().parts();
        let uses_domain = parts.iter().any(|part| matches!(part, MacroPart::Expand(_)));
        if !uses_domain || !parts.iter().all(is_known) {
            return None;
        }
        let root = Name::root();
        let ip = IpAddr::from([0; 4]);
        let nobody = Values { ip, sender: "", local_part: "", sender_domain: &root, helo: "", receiver: "", now: 0 };
        match nobody.target(self, domain, "") {
            Target::Name(name) => Some(Cow::Owned(name)),
            Target::Malformed(..) | Target::NonAsciiLocalPart => None,
        }
    }
}

impl Values<'_> {
    /// Octets that the macros of a string stand for, before any of them is expanded: the most that this reads.
    pub(super) fn octets(&self, string: &MacroString) -> usize {
        let macros = string.parts().iter().filter_map(|part| match part {
            MacroPart::Expand(expand) => Some(expand.letter),
            MacroPart::Literal(_) | MacroPart::Percent | MacroPart::Space | MacroPart::UrlSpace => None,
        });
        let octets = macros.map(|letter| match letter {
            MacroLetter::LocalPart => self.local_part.len(),
            MacroLetter::Sender => self.sender.len(),
            MacroLetter::Helo => self.helo.len(),
            MacroLetter::Receiver => self.receiver.len(),
            MacroLetter::SenderDomain | MacroLetter::Domain | MacroLetter::ValidatedDomain => MAX_NAME_LEN,
            MacroLetter::Ip | MacroLetter::ReadableIp => MAX_ADDRESS_LEN,
            MacroLetter::Timestamp => MAX_TIMESTAMP_LEN,
            MacroLetter::IpVersion => LEAST_OCTETS,
        });
        octets.fold(0, |sum, octets| sum.saturating_add(octets.max(LEAST_OCTETS)))
    }

    /// The target name of a domain specification; `validated` is what `%{p}` stands for.
    pub(super) fn target(&self, spec: &DomainSpec, domain: &Name, validated: &str) -> Target {
        let string = spec.macro_string();
        // RFC 8616 §4, whatever URL-escaping or transformers would make of it.
        if !self.local_part.is_ascii() && (string.uses(MacroLetter::LocalPart) || string.uses(MacroLetter::Sender)) {
            return Target::NonAsciiLocalPart;
        }
        let text = self.end_of(string.parts(), domain, validated);
        let text = truncate(&text);
        Name::parse(text).map_or_else(|error| Target::Malformed(text.into(), error), Target::Name)
    }

    /// The parts expanded; of many parts at least the last 253 octets, for nothing else can become part of a name.
    fn end_of(&self, parts: &[MacroPart], domain: &Name, validated: &str) -> String {
        let mut text = String::with_capacity(64);
        if parts.len() <= FEW_PARTS {
            parts.iter().for_each(|part| self.push(&mut text, part, domain, validated));
            return text;
        }
        // From the right, so that thousands of macros and a long local part do not multiply.
        let mut expanded = Vec::new();
        let mut len = 0;
        for part in parts.iter().rev() {
            self.push(&mut text, part, domain, validated);
            len += text.len();
            if !text.is_empty() {
                expanded.push(std::mem::take(&mut text));
            }
            if len > 2 * MAX_NAME_LEN {
                break;
            }
        }
        expanded.iter().rev().map(String::as_str).collect()
    }

    /// The explanation, or `None` where it grows too long or does not come out as printable ASCII.
    pub(super) fn explanation(&self, string: &MacroString, domain: &Name, validated: &str) -> Option<Box<str>> {
        let mut text = String::with_capacity(128);
        for part in string.parts() {
            self.push(&mut text, part, domain, validated);
            if text.len() > MAX_EXPLANATION_LEN {
                return None;
            }
        }
        // RFC 7208 §6.2: limited to US-ASCII. Controls, which a local part may hold, would reach headers and terminals.
        text.bytes().all(|octet| matches!(octet, b' '..=b'~')).then(|| text.into_boxed_str())
    }

    fn push(&self, out: &mut String, part: &MacroPart, domain: &Name, validated: &str) {
        match part {
            MacroPart::Literal(text) => out.push_str(text),
            MacroPart::Percent => out.push('%'),
            MacroPart::Space => out.push(' '),
            MacroPart::UrlSpace => out.push_str("%20"),
            MacroPart::Expand(expand) => match expand.letter {
                MacroLetter::LocalPart => transform(out, self.local_part, *expand),
                MacroLetter::SenderDomain => transform(out, self.sender_domain.as_str(), *expand),
                MacroLetter::Domain => transform(out, domain.as_str(), *expand),
                MacroLetter::ValidatedDomain => transform(out, validated, *expand),
                MacroLetter::Helo => transform(out, self.helo, *expand),
                MacroLetter::Receiver => transform(out, self.receiver, *expand),
                MacroLetter::IpVersion => {
                    transform(out, if self.ip.is_ipv4() { "in-addr" } else { "ip6" }, *expand);
                }
                MacroLetter::Sender => transform(out, self.sender, *expand),
                MacroLetter::Ip => match self.ip {
                    IpAddr::V4(ip) => transform(out, &ip.to_string(), *expand),
                    IpAddr::V6(ip) => transform(out, &dotted(ip), *expand),
                },
                MacroLetter::ReadableIp => transform(out, &self.ip.to_string(), *expand),
                MacroLetter::Timestamp => transform(out, &self.now.to_string(), *expand),
            },
        }
    }
}

/// The nibbles of an address, each followed by a dot but the last.
///
/// In upper case: the example of RFC 7208 §7.4 has lower case, but in the DNS it is the same, and in explanations other
/// implementations (and the conformance tests of the SPF project) agree on upper case.
fn dotted(ip: Ipv6Addr) -> String {
    let mut text = String::with_capacity(63);
    for octet in ip.octets() {
        let dot = if text.is_empty() { "" } else { "." };
        // Writing to a string cannot fail.
        let _ = write!(text, "{dot}{:X}.{:X}", octet >> 4, octet & 15);
    }
    text
}

/// Splits, reverses, keeps and rejoins as the macro says, and appends what comes of it.
fn transform(out: &mut String, value: &str, expand: Macro) {
    let start = out.len();
    if expand.keep_right.is_none() && !expand.reverse && expand.delimiters.is_empty() {
        out.push_str(value);
    } else {
        let is_delimiter = |c| if expand.delimiters.is_empty() { c == '.' } else { expand.delimiters.contains(c) };
        let kept = expand.keep_right.map(|kept| usize::try_from(kept).unwrap_or(usize::MAX));
        // What is not kept is not looked at: a macro costs no more than it gives.
        match (expand.reverse, kept) {
            (false, None) => join(out, value.split(is_delimiter)),
            (true, None) => join(out, value.rsplit(is_delimiter)),
            (false, Some(kept)) => {
                let last: Vec<&str> = value.rsplit(is_delimiter).take(kept).collect();
                join(out, last.into_iter().rev());
            }
            (true, Some(kept)) => {
                let first: Vec<&str> = value.split(is_delimiter).take(kept).collect();
                join(out, first.into_iter().rev());
            }
        }
    }
    if expand.url_escape {
        let escaped = out.split_off(start);
        url_escape(out, &escaped);
    }
}

/// RFC 7208 §7.3: the parts are rejoined using "." and not the original splitting characters.
fn join<'v>(out: &mut String, parts: impl Iterator<Item = &'v str>) {
    for (index, part) in parts.enumerate() {
        if index > 0 {
            out.push('.');
        }
        out.push_str(part);
    }
}

/// All but the "unreserved" set of RFC 3986 §2.3 is escaped.
fn url_escape(out: &mut String, value: &str) {
    for octet in value.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(octet));
        } else {
            let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase();
            out.extend(['%', digit(octet >> 4), digit(octet & 15)]);
        }
    }
}

#[cfg(test)]
mod tests;
