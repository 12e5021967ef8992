//! Whatever is put into a From field that names somebody: it buys nothing.
//!
//! The oracle knows well-formed fields by a grammar of its own, much smaller than that of the library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/ready.rs"]
mod ready;

use mailverdict::{Authenticator, Message, Session, Verdict, dmarc::Disposition, dns::Zone, name::Domain};
use ready::now;
use std::net::Ipv4Addr;

const ZONE: &str = r#"
_dmarc.victim.test. TXT "v=DMARC1; p=reject"
_dmarc.evil.test. TXT "v=DMARC1; p=none"
evil.test. TXT "v=spf1 ip4:192.0.2.1 -all"
"#;

/// Fields with a place for the address of the victim, which is two pieces: local part with at sign, and domain.
const VARIANTS: [&str; 10] = [
    "{}",
    "<{}>",
    "Boss <{}>",
    "\"Boss\" <{}> (x)",
    "{}, a@evil.test",
    "<{}>, Attacker <a@evil.test>",
    "Boss <{}>,<a@evil.test>",
    "a@evil.test, {}",
    "Attacker <a@evil.test>, <{}>",
    "G: {}, a@evil.test;",
];

/// Fields that are malformed with any at sign in the place, which is not that of an address.
const MALFORMED_VARIANTS: [&str; 4] =
    ["{}<a@evil.test>", "{} <a@evil.test>", "\"{} <a@evil.test>", "\u{2039}{}>, a@evil.test"];

const WORDS: [&str; 33] = [
    "\u{ff20}",
    "\u{fe6b}",
    "\u{ff0e}",
    "\u{3002}",
    "\u{ff61}",
    "\u{ad}",
    "\u{200b}",
    "\u{200d}",
    "\u{2060}",
    "\u{feff}",
    "\u{a0}",
    "\u{3000}",
    "\u{2028}",
    "\u{202e}",
    "\u{2066}",
    "\u{fffd}",
    "\u{ff1e}",
    "\u{ff1c}",
    "\u{ff0c}",
    "\u{1b}[2J",
    "\r\n ",
    "\r\n\t",
    "\0\0",
    "()",
    "(x)",
    "(\\))",
    "\"\"",
    "\\\"",
    "[]",
    "<>",
    "><",
    "=?x?q??=",
    "\u{c0}\u{80}",
];

/// What is put around the domain.
const WRAPPINGS: [(&str, &str); 12] = [
    ("\"", "\""),
    ("'", "'"),
    ("[", "]"),
    ("(", ")"),
    ("<", ">"),
    ("{", "}"),
    ("\u{201c}", "\u{201d}"),
    ("\u{2039}", "\u{203a}"),
    ("=?utf-8?q?", "?="),
    ("\\", "\\"),
    ("(x)\"", "\""),
    ("[\0", "\0]"),
];

fn verdict(authenticator: &Authenticator<&Zone>, from: &[u8]) -> Verdict {
    let raw = [b"From: ", from, b"\r\nSubject: x\r\n\r\nHello\r\n"].concat();
    let message = Message::parse(&raw).unwrap();
    now(authenticator.authenticate(&message, Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from("a@evil.test")))
}

/// The domain of a `dot-atom "@" dot-atom` of RFC 5322 and RFC 6532, if it can be one in the DNS, which may end in a dot.
fn domain_of_address(address: &str) -> Option<Domain> {
    let is_dot_atom = |text: &str| {
        let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii();
        text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
    };
    let (local_part, domain) = address.trim_matches([' ', '\t']).split_once('@')?;
    let hides_at_sign = ["\u{ff20}", "\u{fe6b}", "=?"].iter().any(|hint| local_part.contains(hint));
    let is_well_formed = is_dot_atom(local_part) && is_dot_atom(domain.strip_suffix('.').unwrap_or(domain));
    Domain::parse(domain).ok().filter(|_| is_well_formed && !hides_at_sign)
}

/// The domains of a list of plain mailboxes; `None` where it is anything else. What has no at sign is no mailbox, and passed over.
fn domains_of_list(from: &str) -> Option<Vec<Domain>> {
    let from = from.strip_prefix("G: ").and_then(|list| list.strip_suffix(";")).unwrap_or(from);
    let mut domains = Vec::new();
    for member in from.split(',') {
        let member = member.trim_matches([' ', '\t']).trim_end_matches(" (x)");
        let is_name =
            |text: &str| text == "\"Boss\" " || text.chars().all(|c| c.is_ascii_alphanumeric() || "._- ".contains(c));
        match member.strip_suffix('>').and_then(|member| member.split_once('<')) {
            _ if !member.contains(['@', '\u{ff20}', '\u{fe6b}']) && !member.contains("=?") => {}
            Some((name, address)) if is_name(name) => domains.push(domain_of_address(address)?),
            Some(_) => return None,
            None => domains.push(domain_of_address(member)?),
        }
    }
    Some(domains)
}

/// A field, and the address that was put into it.
struct Field {
    from: Vec<u8>,
    address: Vec<u8>,
}

impl Field {
    /// `variant` with the address in its place.
    fn new(variant: &str, address: Vec<u8>) -> Self {
        let (before, after) = variant.split_once("{}").unwrap();
        Self { from: [before.as_bytes(), &address, after.as_bytes()].concat(), address }
    }

    /// Whether the address, or all of the field, is well-formed and names others than the victim.
    fn names_others(&self) -> bool {
        let address = std::str::from_utf8(&self.address).ok().and_then(domain_of_address);
        let list = std::str::from_utf8(&self.from).ok().and_then(domains_of_list);
        let is_other = |domain: &Domain| domain.as_str() != "victim.test";
        address.as_ref().is_some_and(is_other) || list.is_some_and(|domains| domains.iter().all(is_other))
    }
}

/// What is wrong with a verdict, if anything is.
fn fault(field: &Field, verdict: &Verdict) -> Option<String> {
    let (result, disposition) = (verdict.dmarc.result.keyword(), verdict.dmarc.disposition);
    let is_bought = disposition < Disposition::Reject || result == "pass";
    let shown = || format!("{}: {result} / {}", field.from.escape_ascii(), disposition.keyword());
    (is_bought && !field.names_others()).then(shown)
}

/// Every place of the victim's address from within its local part on, in every variant.
fn fields(piece: &[u8]) -> Vec<Field> {
    let address = "ceo@victim.test";
    let put = |place| {
        let (before, after) = address.as_bytes().split_at(place);
        [before, piece, after].concat()
    };
    let fields =
        |variant: &&'static str| (2..=address.len()).map(|place| Field::new(variant, put(place))).collect::<Vec<_>>();
    // With another quote, the last but one holds a display name.
    let malformed = MALFORMED_VARIANTS.iter().filter(|variant| !variant.starts_with('"') || !piece.contains(&b'"'));
    VARIANTS.iter().chain(malformed).flat_map(fields).collect()
}

fn assert_nothing_is_bought(fields: impl Iterator<Item = Field>, least: usize) {
    let zone = Zone::parse(ZONE, "author_suite").unwrap();
    let authenticator = Authenticator::new(&zone);
    let mut count = 0;
    let faults: Vec<_> = fields
        .filter_map(|field| {
            count += 1;
            fault(&field, &verdict(&authenticator, &field.from))
        })
        .collect();
    println!("{count} fields");
    assert!(count >= least, "only {count} fields");
    let shown = faults.iter().take(60).map(String::as_str).collect::<Vec<_>>().join("\n  ");
    assert!(faults.is_empty(), "{} of {count} fields buy something:\n  {shown}", faults.len());
}

#[test]
fn the_plain_address_is_to_be_rejected_and_another_one_passes() {
    let zone = Zone::parse(ZONE, "author_suite").unwrap();
    let authenticator = Authenticator::new(&zone);
    for variant in VARIANTS {
        let verdict = verdict(&authenticator, variant.replace("{}", "ceo@victim.test").as_bytes());
        assert_eq!(verdict.dmarc.disposition, Disposition::Reject, "{variant}");
    }
    assert_eq!(verdict(&authenticator, b"a@evil.test").dmarc.result.keyword(), "pass");
    assert!(domains_of_list("Boss <ceo@victim.test>, a@evil.test").is_some_and(|domains| domains.len() == 2));
    assert_eq!(domains_of_list("<ceo@vic tim.test>"), None);
    assert_eq!(domains_of_list("<ceo@vic$tim.test>"), None);
}

/// As they were found, beside the domain and within it.
#[test]
fn what_bought_something_once_does_so_no_more() {
    let fields: [&[u8]; 6] = [
        b"<ceo@victim.test\xa0>",
        b"<ceo@\0victim.test>",
        b"<ceo@victim\0.test>",
        b"ceo@victim.test\xa0<a@evil.test>",
        "\u{2039}ceo\u{ff20}victim.test>, a@evil.test".as_bytes(),
        b"ceo@victim\".test",
    ];
    let zone = Zone::parse(ZONE, "author_suite").unwrap();
    let authenticator = Authenticator::new(&zone);
    for from in fields {
        let dmarc = verdict(&authenticator, from).dmarc;
        let shown = (dmarc.result.keyword(), dmarc.disposition.keyword());
        assert_eq!(shown, ("permerror", "reject"), "{}", from.escape_ascii());
    }
}

/// But for LF, which ends the field: what follows is a line of its own.
#[test]
fn no_octet_in_or_around_a_domain_buys_anything() {
    let octets = (0..=u8::MAX).filter(|octet| *octet != b'\n');
    assert_nothing_is_bought(octets.flat_map(|octet| fields(&[octet])), 45_000);
}

#[test]
fn no_oddity_in_or_around_a_domain_buys_anything() {
    let odd_octets =
        [&b"\xa0\xa0"[..], b"\xe2\x80", b"\xef\xbc", b"\xc0\xc0", b"\xff\0", b"\r\r", b"\0@", b"\x80>", b"\" "];
    let pieces = WORDS.iter().map(|word| word.as_bytes()).chain(odd_octets);
    assert_nothing_is_bought(pieces.flat_map(fields), 8_000);
}

/// As many oddities as there are places, and another at sign behind them.
#[test]
fn oddities_everywhere_buy_nothing() {
    let odd =
        ["\0", "\u{1}", "\u{a0}", "\u{2028}", "\\", "\"", "\u{ad}", "()", "\u{202e}", "\u{8}", "\t"].map(str::as_bytes);
    let fields = odd.into_iter().chain([&b"\xa0"[..], b"\xe9", b"\xff"]).flat_map(|piece| {
        let domain: Vec<u8> = b"victim.test".iter().flat_map(|octet| [piece, &[*octet]].concat()).collect();
        let address = [b"ceo@", &*domain, piece].concat();
        ["<{}>", "{}", "<{}@evil.test>", "{}<a@evil.test>", "{}, a@evil.test"]
            .map(|variant| Field::new(variant, address.clone()))
    });
    assert_nothing_is_bought(fields, 70);
}

#[test]
fn nothing_around_a_domain_buys_anything() {
    let domains = WRAPPINGS.iter().flat_map(|(before, after)| {
        ["{}", "vic{}tim.test", "{}.test"].map(|domain| match domain {
            "{}" => format!("{before}victim.test{after}"),
            "{}.test" => format!("{before}victim{after}.test"),
            _ => format!("vic{before}{after}tim.test"),
        })
    });
    let domains = domains.chain(["=?x?b?dmljdGltLnRlc3Q=?=".to_owned(), "=?utf-7?q?victim+AC4-test?=".to_owned()]);
    // With the others for an at sign, the place of a display name holds one.
    let in_all = VARIANTS.iter().chain(&MALFORMED_VARIANTS).map(|variant| ("ceo@", *variant));
    let in_some = VARIANTS.iter().chain(&MALFORMED_VARIANTS[3..]);
    let in_some = in_some.flat_map(|variant| [("ceo\u{ff20}", *variant), ("ceo\u{fe6b}", *variant)]);
    let places: Vec<_> = in_all.chain(in_some).collect();
    let fields = domains.flat_map(|domain| {
        let fits = |variant: &str| !variant.starts_with("\"{}") || !domain.contains('"');
        let places = places.iter().filter(|(_, variant)| fits(variant));
        places
            .map(|(before, variant)| Field::new(variant, format!("{before}{domain}").into_bytes()))
            .collect::<Vec<_>>()
    });
    assert_nothing_is_bought(fields, 1_300);
}

#[test]
fn no_encoded_word_buys_anything() {
    let words = [
        "=?utf-8?q?ceo=40victim.test?=",
        "=?x?Q?ceo=40victim=2Etest=3E?=",
        "=?utf-8?b?Y2VvQHZpY3RpbS50ZXN0?=",
        "=?utf-8?b?Y2VvQHZpY3RpbS50ZXN0Pg?=",
        "=?utf-7?q?ceo+AEA-victim.test?=",
        "=?utf-8?q?ceo=EF=BC=A0victim.test?=",
        "=?utf-8?q?ceo?= =?utf-8?q?=40victim.test?=",
        "=?x?q?=3D=3Fx=3Fq=3Fceo=40victim.test=3F=3D?=",
        "=?utf-16le?b?Y2VvAEAAdgBpAGMAdABpAG0ALgB0AGUAcwB0AA==?=",
        "=?gbk?q?ceo=81=40victim.test?=",
        "=?utf-8?q?ceo=40vic=00tim.test?=",
    ];
    let places = [
        "{}@evil.test",
        "<{}@evil.test>",
        "A <\"{}\"@evil.test>",
        "A <x.{}@evil.test>",
        "{}, a@evil.test",
        "<{}>, a@evil.test",
        "<{}>",
        "{}",
    ];
    let fields = words.iter().flat_map(|word| places.map(|place| Field::new(place, word.as_bytes().to_vec())));
    assert_nothing_is_bought(fields, 80);
}
