//! The zones of SPF cases, in the form of the SPF project's suite: a name, and under it a list of records.
#![allow(dead_code)]

use mailverdict::{
    dns::{Answer, Details, Lookup, LookupError, Mx, Resolver},
    name::Name,
};
use saphyr::Yaml;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Names, and what becomes of questions for them; a name that is not listed does not exist.
#[derive(Debug, Default)]
pub(crate) struct SpfZone(HashMap<String, Entry>);

#[derive(Debug, Default)]
struct Entry {
    txt: Vec<Box<[u8]>>,
    a: Vec<Ipv4Addr>,
    aaaa: Vec<Ipv6Addr>,
    mx: Vec<Mx>,
    ptr: Vec<Name>,
    cname: Option<String>,
    /// The type that fails, or `*` for every type that is not listed.
    failures: Vec<(String, LookupError)>,
}

impl SpfZone {
    /// Reads `zonedata`.
    pub(crate) fn read(zonedata: &Yaml<'_>) -> Self {
        let names = zonedata.as_mapping().expect("zonedata is a mapping");
        Self(names.iter().map(|(name, records)| (key(&text(name)), Entry::read(records))).collect())
    }

    /// Adds TXT records to a name.
    pub(crate) fn publish(&mut self, name: &str, texts: impl IntoIterator<Item = Box<[u8]>>) {
        self.0.entry(key(name)).or_default().txt.extend(texts);
    }

    fn ask<T: Clone>(&self, name: &str, record_type: &str, records: impl Fn(&Entry) -> &[T]) -> Lookup<T> {
        let mut name = key(name);
        for _ in 0..8 {
            let Some(entry) = self.0.get(&name) else { return Ok(Answer::NxDomain(Details::default())) };
            let found = records(entry);
            if !found.is_empty() {
                return Ok(Answer::Records(found.iter().cloned().collect()));
            }
            let failed = |(failing, _): &&(String, LookupError)| failing == record_type || failing == "*";
            if let Some((_, error)) = entry.failures.iter().find(failed) {
                return Err(error.clone());
            }
            match &entry.cname {
                Some(target) => name = key(target),
                None => return Ok(Answer::NoData(Details::default())),
            }
        }
        Err(LookupError::Malformed)
    }
}

impl SpfZone {
    /// The names of an address, under the address's own name.
    pub(crate) fn ptr_of(&self, name: &Name) -> Lookup<Name> {
        self.ask(name.as_str(), "PTR", |entry| &entry.ptr)
    }
}

impl Resolver for SpfZone {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        self.ask(name.as_str(), "TXT", |entry| &entry.txt)
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.ask(name.as_str(), "A", |entry| &entry.a)
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.ask(name.as_str(), "AAAA", |entry| &entry.aaaa)
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        self.ask(name.as_str(), "MX", |entry| &entry.mx)
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        let name = match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            IpAddr::V6(ip) => {
                let nibbles = ip.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
                let mut name: String = nibbles.map(|nibble| format!("{nibble:x}.")).collect();
                name.push_str("ip6.arpa");
                name
            }
        };
        self.ask(&name, "PTR", |entry| &entry.ptr)
    }
}

impl Entry {
    fn read(records: &Yaml<'_>) -> Self {
        let mut entry = Self::default();
        let mut spf = Vec::new();
        let mut lists_txt = false;
        for record in records.as_vec().expect("records are a list") {
            let Some(record) = record.as_mapping() else {
                entry.failures.push(("*".into(), failure(&text(record)).expect("a failure")));
                continue;
            };
            for (record_type, value) in record {
                let record_type = text(record_type);
                lists_txt |= record_type == "TXT";
                if let Some(error) = value.as_str().and_then(failure) {
                    entry.failures.push((record_type, error));
                    continue;
                }
                match record_type.as_str() {
                    "A" => entry.a.push(text(value).parse().expect("an IPv4 address")),
                    "AAAA" => entry.aaaa.push(text(value).parse().expect("an IPv6 address")),
                    "CNAME" => entry.cname = Some(text(value)),
                    "PTR" => entry.ptr.extend(Name::parse(&text(value))),
                    "MX" => {
                        let [preference, exchange] = value.as_vec().expect("a list").as_slice() else { panic!("MX") };
                        let preference = preference.as_integer().unwrap().try_into().unwrap();
                        let exchange = text(exchange);
                        let exchange = if exchange.is_empty() { Name::root() } else { Name::parse(&exchange).unwrap() };
                        entry.mx.push(Mx { preference, exchange });
                    }
                    "TXT" if value.as_str() == Some("NONE") => {}
                    "TXT" => entry.txt.push(octets(value)),
                    "SPF" => spf.push(octets(value)),
                    other => panic!("unknown type {other}"),
                }
            }
        }
        if !lists_txt {
            entry.txt = spf;
        }
        entry
    }
}

fn failure(word: &str) -> Option<LookupError> {
    match word {
        "TIMEOUT" => Some(LookupError::Timeout),
        "SERVFAIL" => Some(LookupError::ServerFailure),
        "REFUSED" => Some(LookupError::Refused),
        "OUT OF TIME" => Some(LookupError::OutOfTime),
        "OUT OF QUESTIONS" => Some(LookupError::OutOfQuestions),
        "NO RUNTIME" => Some(LookupError::NoRuntime),
        "OUT OF OCTETS" => Some(LookupError::OutOfOctets),
        _ => None,
    }
}

/// The character-strings of one record, joined.
fn octets(value: &Yaml<'_>) -> Box<[u8]> {
    match value.as_vec() {
        Some(strings) => octets_of(&strings.iter().map(text).collect::<String>()),
        None => octets_of(&text(value)),
    }
}

/// Characters up to U+00FF stand for octets.
pub(crate) fn octets_of(text: &str) -> Box<[u8]> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("an octet")).collect()
}

fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The text of a scalar, whatever YAML takes it for.
pub(crate) fn text(value: &Yaml<'_>) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.as_integer().unwrap_or_else(|| panic!("no text: {value:?}")).to_string(),
    }
}
