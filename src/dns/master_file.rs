//! Master files (RFC 1035 §5), read line by line so that an error can say where it is.

use super::{
    Mx,
    zone_error::{Fault, ZoneError, ZoneProblem, fault},
    zone_text::{Token, Tokens},
};
use crate::name::{Name, NameError};
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// Octets of the RDATA of one record (RFC 1035 §3.2.1: RDLENGTH has 16 bits).
const MAX_RDATA_LEN: usize = 65_535;
/// Octets of a character-string (RFC 1035 §3.3).
const MAX_STRING_LEN: usize = 255;

/// A record of a master file.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) line: usize,
    pub(super) owner: Name,
    /// In seconds.
    pub(super) ttl: Option<u32>,
    pub(super) data: Data,
}

/// The data of a record, as far as it is kept.
#[derive(Debug)]
pub(super) enum Data {
    Txt(Box<[u8]>),
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Mx(Mx),
    Ptr(Name),
    Cname(Name),
    /// Of a type that is read over.
    Other,
}

/// All records of a file, or the first thing that is wrong with it.
pub(super) fn read(text: &[u8], file: &str) -> Result<Vec<Record>, ZoneError> {
    Reader::default().read(text).map_err(|(line, problem)| ZoneError { file: file.into(), line: Some(line), problem })
}

/// What carries over from one entry to the next.
struct Reader {
    origin: Name,
    owner: Option<Name>,
    /// That of `$TTL`.
    default_ttl: Option<u32>,
    /// The last one that a record stated.
    stated_ttl: Option<u32>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { origin: Name::root(), owner: None, default_ttl: None, stated_ttl: None }
    }
}

impl Reader {
    fn read(mut self, text: &[u8]) -> Result<Vec<Record>, Fault> {
        let mut records = Vec::new();
        let mut tokens = Tokens::new(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text));
        let mut entry = Vec::new();
        while tokens.next_entry(&mut entry)? {
            let mut entry = Entry { tokens: &entry, end: tokens.line() };
            match entry.tokens.first() {
                None => {}
                Some(first) if !first.quoted && first.raw.starts_with(b"$") => self.control(&mut entry)?,
                Some(_) => records.push(self.record(&mut entry)?),
            }
        }
        Ok(records)
    }

    /// `$ORIGIN <domain-name>` (RFC 1035 §5.1) and `$TTL <TTL>` (RFC 2308 §4).
    fn control(&mut self, entry: &mut Entry<'_, '_>) -> Result<(), Fault> {
        let control = entry.next("$ORIGIN or $TTL")?;
        if control.is("$ORIGIN") {
            self.origin = self.name(&entry.next("a domain name")?)?;
        } else if control.is("$TTL") {
            let ttl = entry.next("a TTL in seconds")?;
            let seconds = read_ttl(ttl.raw).ok_or_else(|| ttl.instead_of("a TTL in seconds"))?;
            self.default_ttl = Some(seconds);
        } else if control.is("$INCLUDE") {
            return Err(control.instead_of("$ORIGIN or $TTL (files are not included; give each by itself)"));
        } else {
            return Err(control.instead_of("$ORIGIN or $TTL"));
        }
        entry.end()
    }

    /// `[<domain-name>] [<TTL>] [<class>] <type> <RDATA>`, TTL and class in either order.
    fn record(&mut self, entry: &mut Entry<'_, '_>) -> Result<Record, Fault> {
        let line = entry.line();
        if entry.tokens.first().is_some_and(|first| first.starts_line) {
            self.owner = Some(self.name(&entry.next("an owner name")?)?);
        }
        let Some(owner) = self.owner.clone() else {
            return Err(fault(line, "an owner name at the start of the line", "white space"));
        };
        let (mut ttl, mut class) = (None, false);
        let record_type = loop {
            let token = entry.next("a record type")?;
            let seconds = if ttl.is_none() && !token.quoted { read_ttl(token.raw) } else { None };
            if seconds.is_some() {
                ttl = seconds;
            } else if !class && token.is("IN") {
                class = true;
            } else if ["CH", "HS", "CS"].iter().any(|other| token.is(other)) {
                return Err(token.instead_of("the class IN"));
            } else {
                break token;
            }
        };
        let data = self.data(&record_type, entry)?;
        entry.end()?;
        // RFC 2308 §4: a record that states no TTL has that of `$TTL`. RFC 1035 §5.1: else it has the last one that was stated.
        self.stated_ttl = ttl.or(self.stated_ttl);
        let ttl = ttl.or(self.default_ttl).or(self.stated_ttl);
        Ok(Record { line, owner, ttl, data })
    }

    fn data(&self, record_type: &Token<'_>, entry: &mut Entry<'_, '_>) -> Result<Data, Fault> {
        if record_type.is("TXT") {
            return read_txt(entry).map(Data::Txt);
        }
        let name = |entry: &mut Entry<'_, '_>| self.name(&entry.next("a domain name")?);
        Ok(if record_type.is("A") {
            Data::A(entry.parse("an IPv4 address")?)
        } else if record_type.is("AAAA") {
            Data::Aaaa(entry.parse("an IPv6 address")?)
        } else if record_type.is("MX") {
            Data::Mx(Mx { preference: entry.parse("a preference of 0 to 65535")?, exchange: name(entry)? })
        } else if record_type.is("PTR") {
            Data::Ptr(name(entry)?)
        } else if record_type.is("CNAME") {
            Data::Cname(name(entry)?)
        } else if READ_OVER.iter().any(|known| record_type.is(known)) || is_unknown_type(record_type) {
            entry.tokens = &[];
            Data::Other
        } else {
            return Err(record_type.instead_of("a record type"));
        })
    }

    /// `@` is the origin, and a name without a final dot is relative to it.
    fn name(&self, token: &Token<'_>) -> Result<Name, Fault> {
        if token.quoted {
            return Err(token.instead_of("a domain name"));
        }
        if token.raw == b"@" {
            return Ok(self.origin.clone());
        }
        let octets =
            token.octets(|octet| if octet == b'.' { Err("a label without an escaped dot") } else { Ok(octet) })?;
        let problem = |error| (token.line, ZoneProblem::Name { error, found: token.to_string().into() });
        let text = std::str::from_utf8(&octets).map_err(|_| problem(NameError::NotAscii))?;
        if text.ends_with('.') {
            Name::parse(text).map_err(problem)
        } else {
            self.origin.prepend(text).map_err(problem)
        }
    }
}

/// One or more character-strings, joined.
fn read_txt(entry: &mut Entry<'_, '_>) -> Result<Box<[u8]>, Fault> {
    let mut text = Vec::new();
    let mut wire_len = 0;
    let line = entry.line();
    loop {
        let string = entry.next("a text")?.octets(Ok)?;
        // A string that is longer than the wire's counts as if split.
        wire_len += string.len() + string.len().div_ceil(MAX_STRING_LEN).max(1);
        if wire_len > MAX_RDATA_LEN {
            return Err(fault(line, "a TXT record of at most 65535 octets", "more"));
        }
        text.extend_from_slice(&string);
        if entry.tokens.is_empty() {
            return Ok(text.into());
        }
    }
}

/// Seconds, or a sum such as `1h30m` as servers write it; at most 2^31 - 1 (RFC 2181 §8).
fn read_ttl(text: &[u8]) -> Option<u32> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let (mut sum, mut number, mut after_unit) = (0_u32, 0_u32, false);
    for octet in text {
        let unit = match octet.to_ascii_lowercase() {
            digit @ b'0'..=b'9' => {
                number = number.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?;
                after_unit = false;
                continue;
            }
            // Two units without a number between them.
            _ if after_unit => return None,
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        sum = sum.checked_add(number.checked_mul(unit)?)?;
        (number, after_unit) = (0, true);
    }
    sum.checked_add(number).filter(|ttl| *ttl <= 0x7fff_ffff)
}

/// `TYPE` and a number (RFC 3597 §5), unless it is another spelling of a type that is kept, or of DNAME.
fn is_unknown_type(token: &Token<'_>) -> bool {
    let number = token.raw.split_at_checked(4).filter(|(word, _)| word.eq_ignore_ascii_case(b"TYPE"));
    let number = number.and_then(|(_, digits)| std::str::from_utf8(digits).ok()?.parse::<u16>().ok());
    !token.quoted && number.is_some_and(|number| ![1, 5, 12, 15, 16, 28, 39].contains(&number))
}

/// The other types that IANA knows, but for DNAME: to pass over its record would give wrong answers for the names below it.
const READ_OVER: [&str; 83] = [
    "SOA",
    "NS",
    "CAA",
    "SRV",
    "DS",
    "DNSKEY",
    "RRSIG",
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "CDS",
    "CDNSKEY",
    "CSYNC",
    "TLSA",
    "SMIMEA",
    "SSHFP",
    "SVCB",
    "HTTPS",
    "SPF",
    "NAPTR",
    "HINFO",
    "MINFO",
    "LOC",
    "RP",
    "AFSDB",
    "CERT",
    "OPENPGPKEY",
    "IPSECKEY",
    "DHCID",
    "ZONEMD",
    "URI",
    "MD",
    "MF",
    "MB",
    "MG",
    "MR",
    "NULL",
    "WKS",
    "X25",
    "ISDN",
    "RT",
    "NSAP",
    "NSAP-PTR",
    "SIG",
    "KEY",
    "PX",
    "GPOS",
    "NXT",
    "EID",
    "NIMLOC",
    "ATMA",
    "KX",
    "A6",
    "SINK",
    "APL",
    "HIP",
    "NINFO",
    "RKEY",
    "TALINK",
    "UINFO",
    "UID",
    "GID",
    "UNSPEC",
    "NID",
    "L32",
    "L64",
    "LP",
    "EUI48",
    "EUI64",
    "NXNAME",
    "AVC",
    "DOA",
    "AMTRELAY",
    "RESINFO",
    "WALLET",
    "CLA",
    "IPN",
    "DSYNC",
    "HHIT",
    "BRID",
    "TA",
    "DLV",
    "OPT",
];

/// The rest of an entry.
struct Entry<'e, 't> {
    tokens: &'e [Token<'t>],
    /// The line at which the entry ends.
    end: usize,
}

impl<'t> Entry<'_, 't> {
    /// The line of the next token.
    fn line(&self) -> usize {
        self.tokens.first().map_or(self.end, |token| token.line)
    }

    fn next(&mut self, expected: &'static str) -> Result<Token<'t>, Fault> {
        let (first, rest) =
            self.tokens.split_first().ok_or_else(|| fault(self.end, expected, "the end of the line"))?;
        self.tokens = rest;
        Ok(*first)
    }

    fn parse<T: FromStr>(&mut self, expected: &'static str) -> Result<T, Fault> {
        let token = self.next(expected)?;
        let text = std::str::from_utf8(token.raw).ok().filter(|text| !token.quoted && !text.starts_with('+'));
        text.and_then(|text| text.parse().ok()).ok_or_else(|| token.instead_of(expected))
    }

    fn end(&self) -> Result<(), Fault> {
        self.tokens.first().map_or(Ok(()), |token| Err(token.instead_of("the end of the record")))
    }
}
