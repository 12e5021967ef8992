//! Zones, sessions and messages made of octets, so that the octets decide over structure and not over spelling alone.

use arbitrary::{Result, Unstructured};
use mailverdict::{
    dns::{LookupError, RecordType, Zone},
    name::Name,
    session::Session,
    time::UnixTime,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[path = "../signer.rs"]
pub(super) mod signer;

use signer::{Key, SignOptions, seal, sign};

/// The time of every session.
pub(super) const NOW: UnixTime = UnixTime(1_800_000_000);

const NAMES: &[&str] = &[
    "example.com",
    "a.example.com",
    "b.example.com",
    "c.b.example.com",
    "_spf.example.com",
    "example.net",
    "mail.example.net",
    "_spf.example.net",
    "example.org",
    "x.a.b.c.d.e.f.g.h.example.org",
    "2.0.192.in-addr._spf.example.com",
    "user._spf.example.com",
    "com",
    "xn--bcher-kva.example",
];

const ADDRESSES: &[&str] = &[
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.200",
    "198.51.100.1",
    "::ffff:192.0.2.1",
    "2001:db8::1",
    "2001:db8::2",
    "2001:db8:1::1",
];

const DOMAIN_SPECS: &[&str] = &[
    "%{d}",
    "%{i}._spf.%{d2}",
    "%{ir}.%{v}._spf.example.com",
    "%{l}._spf.example.com",
    "%{p}",
    "%{p2}.example.net",
    "%{h}",
    "%{s}",
    "%{o1r-}.example.com",
    "%{L5r+-}.%{d3}",
    "a%%%_%-.example.com",
    "%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}.%{d2}",
    "nowhere.example.com",
    "nowhere.example.net",
];

/// A bogus signature that stands in a header many times, and has long values for its field in the results.
const MANY: &str =
    " v=1; a=rsa-sha256; d=example.com; i=\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\"@example.com; s=s1";

const EXPLANATIONS: &[&str] = &["See http://%{d}/?s=%{S}&i=%{c}&t=%{t}&r=%{R}", "%{p} is not %{h}", "no %", "\u{fc}"];

pub(super) fn pick<'s>(u: &mut Unstructured<'_>, texts: &[&'s str]) -> Result<&'s str> {
    u.choose(texts).copied()
}

fn text(u: &mut Unstructured<'_>, most: usize) -> Result<String> {
    let len = u.int_in_range(0..=most)?;
    let len = len.min(u.len());
    Ok(String::from_utf8_lossy(u.bytes(len)?).into_owned())
}

fn octets<'o>(u: &mut Unstructured<'o>, most: usize) -> Result<&'o [u8]> {
    let len = u.int_in_range(0..=most)?;
    let len = len.min(u.len());
    u.bytes(len)
}

pub(super) fn name(u: &mut Unstructured<'_>) -> Result<Name> {
    let prefix = pick(u, &["", "", "", "_dmarc.", "s1._domainkey.", "s2._domainkey.", "*."])?;
    let text = format!("{prefix}{}", pick(u, NAMES)?);
    Ok(Name::parse(&text).expect("all of these are names"))
}

pub(super) fn address(u: &mut Unstructured<'_>) -> Result<IpAddr> {
    Ok(pick(u, ADDRESSES)?.parse().expect("all of these are addresses"))
}

fn domain_spec(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=4_u8)? {
        0..=2 => pick(u, NAMES)?.to_owned(),
        3 => pick(u, DOMAIN_SPECS)?.to_owned(),
        _ => text(u, 40)?,
    })
}

/// An SPF record; most of them follow the grammar.
pub(super) fn spf_record(u: &mut Unstructured<'_>) -> Result<String> {
    let mut record = pick(u, &["v=spf1", "v=spf1", "v=spf1", "V=SPF1", "v=spf1 ", "v=spf10"])?.to_owned();
    for _ in 0..u.int_in_range(0..=14_u8)? {
        record += " ";
        record += pick(u, &["", "+", "-", "~", "?"])?;
        let prefix = pick(u, &["", "", "/24", "/32//64", "//127", "/0", "/33"])?;
        record += &match u.int_in_range(0..=13_u8)? {
            0 => "all".to_owned(),
            1 | 2 => format!("include:{}", domain_spec(u)?),
            3 => format!("a{prefix}"),
            4 => format!("a:{}{prefix}", domain_spec(u)?),
            5 => format!("mx{prefix}"),
            6 => format!("mx:{}{prefix}", domain_spec(u)?),
            7 => pick(u, &["ptr", "ptr:example.net"])?.to_owned(),
            8 => format!("ip4:{}{prefix}", pick(u, ADDRESSES)?),
            9 => format!("ip6:{}{}", pick(u, ADDRESSES)?, pick(u, &["", "/64", "/0", "/129"])?),
            10 => format!("exists:{}", domain_spec(u)?),
            11 => format!("redirect={}", domain_spec(u)?),
            12 => format!("exp={}", domain_spec(u)?),
            _ => text(u, 20)?,
        };
    }
    Ok(record)
}

fn dmarc_record(u: &mut Unstructured<'_>) -> Result<String> {
    let mut record = pick(u, &["v=DMARC1", "v=DMARC1", "v=DMARC1;", "v=DMARC2", "v = DMARC1 "])?.to_owned();
    for _ in 0..u.int_in_range(0..=7_u8)? {
        record += "; ";
        record += pick(u, &["p=", "sp=", "np=", "adkim=", "aspf=", "psd=", "t=", "rua=", "fo=", "pct=", "", "zz="])?;
        record += pick(
            u,
            &["none", "quarantine", "reject", "s", "r", "y", "n", "u", "mailto:d@example.com!10m", "0:d:s", "50", ""],
        )?;
    }
    Ok(record)
}

/// Two keys, of the domains and selectors that signatures here name.
pub(super) fn keys() -> [Key; 2] {
    [[7; 32], [8; 32]].map(|secret| Key::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&secret))))
}

/// A zone; the octets decide what stands in it.
pub(super) fn zone(u: &mut Unstructured<'_>) -> Result<Zone> {
    let mut zone = Zone::new();
    let keys = keys();
    if u.ratio(3, 4)? {
        for (selector, key) in ["s1", "s2"].iter().zip(&keys) {
            for domain in ["example.com", "a.example.com", "example.net"] {
                let name = Name::parse(&format!("{selector}._domainkey.{domain}")).expect("a name");
                zone.add_txt(&name, key.record().into_bytes());
            }
        }
    }
    if u.ratio(1, 8)? {
        many_terms(u, &mut zone)?;
    }
    for _ in 0..u.int_in_range(0..=24_u8)? {
        let at = name(u)?;
        match u.int_in_range(0..=15_u8)? {
            0..=4 => zone.add_txt(&at, spf_record(u)?.into_bytes()),
            5 => zone.add_txt(&at.prepend("_dmarc").unwrap_or(at), dmarc_record(u)?.into_bytes()),
            6 => zone.add_txt(&at, dmarc_record(u)?.into_bytes()),
            7 => zone.add_txt(&at, octets(u, 60)?),
            8 => match address(u)? {
                IpAddr::V4(ip) => zone.add_a(&at, ip),
                IpAddr::V6(ip) => zone.add_aaaa(&at, ip),
            },
            9 => {
                // Many hosts: of one mx, of one name, of one address.
                for host in 0..u.int_in_range(0..=12_u8)? {
                    let exchange = Name::parse(&format!("h{host}.{}", pick(u, NAMES)?)).expect("a name");
                    if u.arbitrary()? {
                        zone.add_a(&exchange, Ipv4Addr::new(192, 0, 2, host));
                    }
                    zone.add_mx(&at, u16::from(host), exchange);
                }
                zone.add_name(&at)
            }
            10 => {
                let ip = address(u)?;
                let host = name(u)?;
                match ip {
                    IpAddr::V4(v4) => zone.add_a(&host, v4),
                    IpAddr::V6(v6) => zone.add_aaaa(&host, v6),
                };
                zone.add_ptr(ip, host)
            }
            11 => zone.add_mx(&at, 10, Name::root()),
            12 => zone.add_cname(&at, name(u)?),
            13 => {
                let types = [RecordType::Txt, RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Ptr];
                let error = match u.int_in_range(0..=3_u8)? {
                    0 => LookupError::Timeout,
                    1 => LookupError::ServerFailure,
                    2 => LookupError::Malformed,
                    _ => LookupError::Other(text(u, 20)?.into()),
                };
                zone.plant(&at, *u.choose(&types)?, error)
            }
            14 => zone.add_txt(&at, keys[usize::from(u.arbitrary::<bool>()?)].record().into_bytes()),
            _ => zone.add_txt(&at, pick(u, EXPLANATIONS)?.as_bytes()),
        };
    }
    Ok(zone)
}

/// Records that lead from name to name, made to take long.
fn many_terms(u: &mut Unstructured<'_>, zone: &mut Zone) -> Result<()> {
    let parts =
        ["a:%{l}.x ", "exists:%{h}..x ", "mx ", "x= ", "ip4:198.51.100.1 ", "exists:%{l1-}%{l1-}%{l1-}%{L}.x.x "];
    let part = pick(u, &parts)?.repeat(u.int_in_range(0..=100)?);
    let redirects = u.arbitrary()?;
    for pair in NAMES.windows(2) {
        let [at, next] = pair else { continue };
        let record =
            if redirects { format!("v=spf1 {part}redirect={next}") } else { format!("v=spf1 include:{next} {part}") };
        zone.add_txt(&Name::parse(at).expect("all of these are names"), record.into_bytes());
    }
    Ok(())
}

/// A session; what the client said may be anything.
pub(super) fn session(u: &mut Unstructured<'_>) -> Result<Session> {
    let ip = match u.int_in_range(0..=7_u8)? {
        0..=5 => Some(address(u)?),
        6 => Some(IpAddr::V6(Ipv6Addr::from_bits(u.arbitrary()?))),
        _ => None,
    };
    let mut session = ip.map_or_else(Session::without_peer, Session::new).received_at(NOW);
    match u.int_in_range(0..=4_u8)? {
        0 => {}
        1..=3 => session = session.with_helo(pick(u, NAMES)?),
        _ => session = session.with_helo(&text(u, 40)?),
    }
    match u.int_in_range(0..=6_u8)? {
        0 => {}
        1 => session = session.with_mail_from(""),
        2..=4 => {
            // As long as may be, as long as is evaluated, and longer.
            let long = ["a.", "-", "%", "\u{fc}"].map(|part| part.repeat(256 / part.len()));
            let local_part = match u.int_in_range(0..=8_u8)? {
                0..=4 => pick(u, &["user", "a.b", "a-b+c", ""])?.to_owned(),
                5 => u.choose(&long)?[..64].to_owned(),
                6 | 7 => u.choose(&long)?.clone(),
                _ => format!("{}-", u.choose(&long)?),
            };
            session = session.with_mail_from(&format!("{local_part}@{}", pick(u, NAMES)?))
        }
        _ => session = session.with_mail_from(&text(u, 60)?),
    }
    if u.arbitrary()? {
        session = session.with_receiver(&text(u, 20)?);
    }
    Ok(session)
}

/// A zone, a session and a message, which is now and then none of the usual kind.
pub(super) fn scene(u: &mut Unstructured<'_>) -> Option<(Zone, Session, Vec<u8>)> {
    let (zone, session) = (zone(u).ok()?, session(u).ok()?);
    let invented_message = u.ratio(7, 8).ok()?;
    let raw = if invented_message { message(u).unwrap_or_default() } else { u.bytes(u.len()).ok()?.to_vec() };
    Some((zone, session, raw))
}

/// The template of a signature whose key is in the zone, and the key.
pub(super) fn signature(u: &mut Unstructured<'_>) -> Result<(String, Key)> {
    let second = u.arbitrary::<bool>()?;
    let [one, two] = keys();
    let (selector, key) = if second { ("s2", two) } else { ("s1", one) };
    let domain = pick(u, &["example.com", "example.com", "a.example.com", "example.net"])?;
    let c = pick(u, &["simple/simple", "relaxed/relaxed", "simple/relaxed", "relaxed/simple", "relaxed"])?;
    let h = pick(
        u,
        &["from", "From:To:Subject", "from:from:subject", "x:From : dkim-signature", "subject:subject:from:to:x"],
    )?;
    let extra = pick(
        u,
        &["", "", " l=0;", " l=5;", " l=1000;", " t=1; x=2000000000;", " i=@x.example.com;", "\r\n\tq=dns/txt;"],
    )?;
    let template =
        format!(" v=1; a=ed25519-sha256; c={c}; d={domain}; s={selector}; h={h};{extra}\r\n bh={{bh}};\r\n b={{b}}");
    Ok((template, key))
}

/// What readers of a header disagree on, one for each kind, and what some of them stumble at.
const ODD_LINES: &[&str] = &[
    "junk\r\n",
    "X : y\r\n",
    "From a@example.com Thu Jan  1 00:00:00 1970\r\n",
    "\u{feff}From: a@example.com\r\n",
    "X: y\0From: a@example.com\r\n",
    "X: y\u{b}From: a@example.com\r\n",
    "X: y\rFrom: a@example.com\r\n",
    "X: y\nFrom: a@example.com\r\n",
    "X: y\u{2028}From: a@example.com\r\n",
    "X: y\r\r\nFrom: a@example.com\r\n",
    "X: y\r\n \t\r\n z\r\n",
    "Subject: another\r\n",
];

/// Two mailboxes, well-formed or in a way in which readers may disagree on them.
fn mailboxes(u: &mut Unstructured<'_>) -> Result<String> {
    let (one, other) = (pick(u, NAMES)?, pick(u, NAMES)?);
    Ok(match u.int_in_range(0..=9_u8)? {
        0 => format!("<a@{one}\u{1}>, c@{other}"),
        1 => format!("\u{2039}a\u{ff20}{one}>, c@{other}"),
        2 => format!("=?x?q?a=40{one}?=@{other}"),
        3 => format!("a@{one}\u{a0}<c@{other}>"),
        4 => format!("a@{one}, <c@>"),
        _ => format!("a@{one}, \"b@example.org\" <c@{other}>"),
    })
}

/// Lines of a header, each with its CRLF.
fn field(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let from = |address: &str| format!("From: {address}\r\n").into_bytes();
    Ok(match u.int_in_range(0..=13_u8)? {
        0..=2 => from(&format!("A <a@{}>", pick(u, NAMES)?)),
        3 => from(&mailboxes(u)?),
        4 => from(&text(u, 40)?.replace(['\r', '\n'], " ")),
        5 => b"Subject: folded\r\n \t over  lines \r\n".to_vec(),
        6 => format!("Return-Path: <user@{}>\r\n", pick(u, NAMES)?).into_bytes(),
        7 => {
            let value = pick(u, &["", " v=1; a=rsa-sha256; d=example.com; s=s1; h=from; bh=AAAA; b=AAAA", MANY])?;
            let times = if value == MANY { 12 } else { 1 };
            format!("DKIM-Signature:{value}\r\n").repeat(times).into_bytes()
        }
        8 => {
            let instance = pick(u, &["1", "2", "3", "0", "51"])?;
            let cv = pick(u, &["none", "pass", "fail"])?;
            format!(
                "ARC-Seal: i={instance}; a=ed25519-sha256; cv={cv}; d=example.com; s=s1; b=AAAA\r\nARC-Message-Signature: i={instance}; \
                 a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from; bh=AAAA; b=AAAA\r\n\
                 ARC-Authentication-Results: i={instance}; example.com; spf=pass\r\n"
            )
            .into_bytes()
        }
        9 => b"Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.com\r\n".to_vec(),
        10 => [octets(u, 60)?, b"\r\n"].concat(),
        11 => b"X: \r\n".to_vec(),
        12 => pick(u, ODD_LINES)?.as_bytes().to_vec(),
        _ => b"To: you@example.net\r\n".to_vec(),
    })
}

/// A message; the octets decide its fields and its body, and signatures are made over what is there.
pub(super) fn message(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut header = Vec::new();
    for _ in 0..u.int_in_range(0..=6_u8)? {
        header.extend(field(u)?);
    }
    let signatures = u.int_in_range(0..=2_u8)?;
    let signatures = (0..signatures).map(|_| signature(u)).collect::<Result<Vec<_>>>()?;
    let more = if u.ratio(1, 3)? { Some(field(u)?) } else { None };
    let body = if u.arbitrary()? { &b"Hi.\r\n\r\nA  line \r\n\r\n"[..] } else { octets(u, 80)? };
    let mut message = [&header, &b"\r\n"[..], body].concat();
    for (template, key) in &signatures {
        // The signer reads fields that have a colon, with CRLF at the end of their lines.
        if is_plain(&message) {
            message = [sign(&message, &SignOptions::dkim(template), key), message].concat();
        }
    }
    for instance in 1..=u.int_in_range(0..=3_u8)? {
        if is_plain(&message) {
            message = sealed(u, instance, &message)?;
        }
    }
    Ok([more.unwrap_or_default(), message].concat())
}

/// The message with one more ARC set; now and then with something that has no place in one.
fn sealed(u: &mut Unstructured<'_>, instance: u8, message: &[u8]) -> Result<Vec<u8>> {
    let [key, _] = keys();
    let cv = if instance == 1 { "none" } else { pick(u, &["pass", "pass", "pass", "fail", "none"])? };
    let h = pick(u, &["from", "from:subject:dkim-signature", "From : To"])?;
    let c = pick(u, &["relaxed/relaxed", "simple/simple", "simple"])?;
    let extra = pick(u, &["", "", "", " h=from;", " t=1;", " l=0;"])?;
    let instance_tag =
        if u.ratio(1, 12)? { pick(u, &["0", "1", "02", "51", ""])?.to_owned() } else { instance.to_string() };
    let i = format!(" i={instance_tag}; a=ed25519-sha256;{extra} d=example.com; s=s1;");
    let results = format!("ARC-Authentication-Results: i={instance_tag}; example.com; spf=pass\r\n").into_bytes();
    let template = format!("{i} c={c}; h={h}; bh={{bh}}; b={{b}}");
    let signature = sign(message, &SignOptions { field_name: "ARC-Message-Signature", template: &template }, &key);
    let mut fields = arc_fields(message);
    fields.extend([results.clone(), signature.clone()]);
    let template = format!("{i} cv={cv}; b={{b}}");
    let own = seal(&fields, &SignOptions { field_name: "ARC-Seal", template: &template }, &key);
    Ok([own, signature, results, message.to_vec()].concat())
}

/// The fields of ARC that a message has, in the order in which seals sign them: by instance, and results, signature, seal in each.
pub(super) fn arc_fields(message: &[u8]) -> Vec<Vec<u8>> {
    let Ok(message) = mailverdict::Message::parse(message) else { return Vec::new() };
    let mut fields: Vec<(u32, usize, Vec<u8>)> = Vec::new();
    for field in message.header().fields() {
        let names = ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"];
        if let Some(kind) = names.iter().position(|name| field.is(name)) {
            let text = String::from_utf8_lossy(field.value());
            let instance = text.split(';').find_map(|spec| spec.trim().strip_prefix("i=")?.trim().parse().ok());
            fields.push((instance.unwrap_or(0), kind, field.raw().to_vec()));
        }
    }
    fields.sort_by_key(|(instance, kind, _)| (*instance, *kind));
    fields.into_iter().map(|(_, _, raw)| raw).collect()
}

/// Whether every line of the header is a field or belongs to one, ends with CRLF, and holds nothing on which readers disagree; then the
/// signer and the library agree on what the fields are.
pub(super) fn is_plain(message: &[u8]) -> bool {
    let Some(end) = message.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let header = &message[..end + 2];
    let lines: Vec<&[u8]> = header.split_inclusive(|octet| *octet == b'\n').collect();
    let is_text = |line: &&[u8]| {
        let text = line.strip_suffix(b"\r\n");
        text.is_some_and(|text| !text.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t'))
    };
    let begins_field = |line: &&[u8]| {
        let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
        name.len() < line.len() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
    };
    let separators = ["\u{85}", "\u{2028}", "\u{2029}"].map(str::as_bytes);
    let separated = separators.iter().any(|separator| header.windows(separator.len()).any(|part| part == *separator));
    !separated
        && lines.iter().all(is_text)
        && lines.first().is_some_and(begins_field)
        && lines.iter().all(|line| line.starts_with(b" ") || line.starts_with(b"\t") || begins_field(line))
}
