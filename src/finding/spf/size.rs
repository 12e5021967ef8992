//! Answers with an SPF record that are larger than a packet.

use super::of;
use crate::{
    finding::{Finding, Rule},
    known::{Entry, Log},
    name::Name,
};

/// Octets of an answer that every resolver takes over UDP (RFC 1035 §2.3.4, RFC 7208 §3.4).
const MAX_PACKET: usize = 512;
/// Octets of an answer that most servers send over UDP (the size that is agreed on since DNS Flag Day 2020); others are asked for over TCP.
const MAX_USUAL_PACKET: usize = 1232;

/// Of the domains that were checked. Records that they include are another's to make smaller.
pub(crate) fn findings(domains: &[&Name], log: &Log) -> Vec<Finding> {
    log.entries().iter().filter(|entry| domains.contains(&&entry.question().name)).filter_map(too_large).collect()
}

fn too_large(entry: &Entry) -> Option<Finding> {
    let texts = entry.texts();
    let is_spf = |text: &[u8]| text.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case(b"v=spf1 "));
    let record = texts.iter().find(|text| is_spf(text))?;
    let name = &entry.question().name;
    let octets = message_len(name.as_str().len(), texts.iter().map(|text| text.len()));
    if octets <= MAX_PACKET {
        return None;
    }
    let among = match texts.len() {
        1 => "its record".to_owned(),
        count => format!("its {count} TXT records, of which SPF's has {}", record.len()),
    };
    let over = if octets > MAX_USUAL_PACKET {
        "it comes over TCP alone"
    } else {
        "a packet without EDNS0 has no more than 512"
    };
    let says = format!("the answer for {} takes about {octets} octets with {among}; {over}", super::shown(name));
    let advice = "Make the record shorter, or have texts that are not SPF's stand at names of their own.";
    Some(of(Rule::SpfSize, name, &says).advising(advice))
}

/// Octets of the DNS message: RFC 1035 §4.1 has 12 of the header, the question, and for each record 12 before its strings, which have one
/// more each.
fn message_len(name: usize, texts: impl Iterator<Item = usize>) -> usize {
    let record = |octets: usize| 12 + octets + octets.div_ceil(255).max(1);
    12 + name + 2 + 4 + texts.map(record).sum::<usize>()
}
