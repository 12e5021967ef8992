//! Key records that are no key, with their text.

use super::octets::replaced;
use crate::{
    crypto::{InvalidKey, SignatureAlgorithm, wanted_octets},
    dkim::{Change, ChangeKind, ChangePart, DkimResult, KeyRecord, KeyRecordError, KeyRestriction, PermReason},
    dns::{Answer, AnyAnswer, RecordType},
    known::{Entry, Log},
    lex::{excerpt, printable},
    name::{Name, shown},
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Key records at one name that are looked at.
pub(super) const MAX_RECORDS: usize = 4;

/// Octets of a record that is repaired.
const MAX_OCTETS: usize = 16_384;

/// What was answered at the name of the key.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyAnswer<'l> {
    name: &'l Name,
    entry: Option<&'l Entry>,
}

impl<'l> KeyAnswer<'l> {
    pub(super) fn of(name: &'l Name, log: &'l Log) -> Self {
        Self { name, entry: log.entry(name, RecordType::Txt) }
    }

    /// The texts at the name.
    pub(super) fn texts(&self) -> &'l [Box<[u8]>] {
        let texts = self.entry.map(Entry::texts).unwrap_or_default();
        texts.get(..MAX_RECORDS).unwrap_or(texts)
    }

    /// The texts as they were probably meant, for those that cannot be read.
    pub(super) fn repaired(&self) -> Vec<Vec<u8>> {
        self.texts()
            .iter()
            .filter(|text| KeyRecord::parse(text).is_err())
            .filter_map(|text| repaired(text))
            .map(|(text, _)| text)
            .collect()
    }

    /// What is wrong with the key, where the result says that it cannot be used.
    pub(super) fn changes(&self, result: &DkimResult, algorithm: Option<&dyn SignatureAlgorithm>) -> Vec<Change> {
        let DkimResult::PermError(reason) = result else { return Vec::new() };
        let text = self.texts().first().map(|text| &**text);
        match reason {
            PermReason::NoKey => vec![self.missing()],
            PermReason::Revoked => {
                let says = format!("the key at {} was revoked: the record is \"{}\"", shown(self.name), quoted(text));
                vec![proven(
                    ChangeKind::KeyRevoked,
                    &says,
                    "Sign with a key that is published, or publish this one again.",
                )]
            }
            PermReason::KeyNotAllowed(KeyRestriction::KeyType) => {
                let says = format!(
                    "the key at {} is of another type than the signature, {}: the record is \"{}\"",
                    shown(self.name),
                    algorithm.map_or("which is not known", |algorithm| algorithm.name()),
                    quoted(text)
                );
                vec![proven(
                    ChangeKind::WrongKey,
                    &says,
                    "Publish the key that signs at this selector, or sign with another selector.",
                )]
            }
            PermReason::KeyRecord(error) => {
                text.map(|text| vec![self.unusable(text, error, algorithm)]).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn missing(&self) -> Change {
        let name = shown(self.name);
        let lack = match self.entry.and_then(Entry::answer) {
            Some(Ok(AnyAnswer::Txt(Answer::NxDomain(_)))) => "does not exist",
            _ => "has no TXT record",
        };
        let (says, advice) = match self.entry.map(Entry::aliases).unwrap_or_default().last() {
            None => (
                format!("there is no key: {name} {lack}"),
                "Publish the key record at this name, or sign with a selector that has one.",
            ),
            Some(target) => (
                format!("there is no key: {name} is an alias that leads to {}, which {lack}", shown(target)),
                "Have the one who runs the alias's target publish the key there, or correct the alias.",
            ),
        };
        proven(ChangeKind::KeyMissing, &says, advice)
    }

    /// A text that is there, and no key.
    fn unusable(&self, text: &[u8], error: &KeyRecordError, algorithm: Option<&dyn SignatureAlgorithm>) -> Change {
        let name = shown(self.name);
        if let Some(what) = other_record(text) {
            let says = format!("there is no key at {name}: {what} stands there, \"{}\"", excerpt(text));
            return proven(
                ChangeKind::KeyMissing,
                &says,
                "Publish the key record at this name, and move the other one to its own.",
            );
        }
        let key_of = |text: &[u8]| KeyRecord::parse(text).ok().map(|record| record.key);
        let repaired = repaired(text);
        let octets = key_of(text).or_else(|| repaired.as_ref().and_then(|(text, _)| key_of(text)));
        let octets = octets.unwrap_or_else(|| start_of_key(text).into());
        if let Some(wanted) = wanted_octets(&octets).filter(|wanted| *wanted > octets.len()) {
            let says = format!(
                "the key at {name} is cut off: its first octets say that it has {wanted} octets, and {} are there, in a record of {} \
                 characters that ends in \"{}\"",
                octets.len(),
                text.len(),
                printable(text.get(text.len().saturating_sub(20)..).unwrap_or(text))
            );
            let advice = "Publish the whole key, in several character-strings of no more than 255 octets each.";
            return proven(ChangeKind::KeyTruncated, &says, advice);
        }
        if matches!(error, KeyRecordError::InvalidKey(_)) {
            return of_other_type(&name, &octets, text, error, algorithm);
        }
        match repaired {
            Some((_, what)) => {
                let says = format!("the key at {name} is mistyped: {what}, and the record is \"{}\"", excerpt(text));
                proven(ChangeKind::KeyTypo, &says, "Correct the record: without this it is the key.")
            }
            None => {
                let says = format!("the record at {name} is no key, because {error}: \"{}\"", excerpt(text));
                proven(ChangeKind::KeyTypo, &says, "Publish the key record as the program that signs gives it out.")
            }
        }
    }
}

/// Octets that are no key of the type that the record says.
fn of_other_type(
    name: &str,
    octets: &[u8],
    text: &[u8],
    error: &KeyRecordError,
    algorithm: Option<&dyn SignatureAlgorithm>,
) -> Change {
    let is_rsa = algorithm.is_some_and(|algorithm| algorithm.key_type() == "rsa");
    let is_of_other = match error {
        KeyRecordError::InvalidKey(InvalidKey::Ed25519Length { .. }) => octets.first() == Some(&0x30),
        KeyRecordError::InvalidKey(InvalidKey::Encoding) => is_rsa && octets.len() == 32,
        _ => false,
    };
    if is_of_other {
        let says = format!(
            "the octets of the key at {name} are those of another type of key than k= says: \"{}\"",
            excerpt(text)
        );
        return proven(ChangeKind::WrongKey, &says, "Write the type of the key in k=, or publish the key that signs.");
    }
    let says = format!("the record at {name} holds no key that can be used, because {error}: \"{}\"", excerpt(text));
    proven(ChangeKind::KeyTypo, &says, "Publish the key as its file has it.")
}

/// A record of another kind that stands where the key should.
fn other_record(text: &[u8]) -> Option<&'static str> {
    let starts = |with: &[u8]| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if starts(b"v=spf1") || starts(b"v=spf2") || starts(b"spf2.0/") {
        Some("an SPF record")
    } else if starts(b"v=dmarc1") {
        Some("a DMARC record")
    } else if starts(b"v=tlsrpt") || starts(b"v=sts") {
        Some("a record about TLS")
    } else {
        None
    }
}

/// The record as it was probably meant, and what was wrong; `None` where that does not make it a record.
fn repaired(text: &[u8]) -> Option<(Vec<u8>, &'static str)> {
    let text = text.get(..MAX_OCTETS).unwrap_or(text);
    let without = |octets: &[u8]| text.iter().copied().filter(|octet| !octets.contains(octet)).collect::<Vec<u8>>();
    let has = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    let repairs: [(Vec<u8>, &'static str, bool); 12] = [
        (without(b"\\"), "it has backslashes, which belong to a zone file and not to the record", has(b"\\")),
        (without(b"\""), "it has quotation marks in it", has(b"\"")),
        (without(b"'`"), "it has quotation marks in it", has(b"'") || has(b"`")),
        (with_semicolons(text), "it has commas in place of semicolons", has(b",")),
        (without(b","), "it has commas in it", has(b",")),
        (
            without_pem_lines(text),
            "it has the lines of a key file in it, such as -----BEGIN PUBLIC KEY-----",
            has(b"-----"),
        ),
        (replaced(text, b"p=p=", b"p="), "it has p= twice", has(b"p=p=")),
        (
            replaced(&replaced(text, b"-", b"+"), b"_", b"/"),
            "its key is written in the base64 of URLs",
            has(b"-") || has(b"_"),
        ),
        (replaced(text, b"v=DKIM1 ", b"v=DKIM1; "), "it has no semicolon behind v=DKIM1", has(b"v=DKIM1 ")),
        (
            first_version(text),
            "its v= is not \"DKIM1\"",
            text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"v=")),
        ),
        (without(b"\\\"'`"), "it has backslashes and quotation marks in it", has(b"\\") || has(b"\"")),
        (key_alone(text), "it has characters in it that belong to no key", true),
    ];
    repairs.into_iter().find_map(|(repaired, what, is_meant)| {
        let record = KeyRecord::parse(&repaired).ok().filter(|_| is_meant && repaired != text)?;
        // RFC 6376 §3.6.1: an empty p= says something else than what was meant.
        (!record.is_revoked()).then_some((repaired, what))
    })
}

/// `v=DKIM1, k=rsa, p=…`: commas between tags.
fn with_semicolons(text: &[u8]) -> Vec<u8> {
    text.iter().map(|octet| if *octet == b',' { b';' } else { *octet }).collect()
}

fn without_pem_lines(text: &[u8]) -> Vec<u8> {
    // `-----BEGIN … -----` and `-----END … -----`: every second piece is the inside of such a line.
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"-----") {
        let (before, from) = rest.split_at(at);
        let inner = from.get(5..).unwrap_or_default();
        out.extend_from_slice(before);
        rest = memchr::memmem::find(inner, b"-----").and_then(|end| inner.get(end + 5..)).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// `v=dkim1`, `v=DKIM`, `v= DKIM1.0` and so on.
fn first_version(text: &[u8]) -> Vec<u8> {
    let end = text.iter().position(|octet| *octet == b';').unwrap_or(0);
    [b"v=DKIM1", text.get(end..).unwrap_or_default()].concat()
}

/// `p=` with nothing but the characters of base64.
fn key_alone(text: &[u8]) -> Vec<u8> {
    let Some(at) = memchr::memmem::find(text, b"p=") else { return Vec::new() };
    let (before, key) = text.split_at(at + 2);
    let key = key.iter().copied().filter(|octet| octet.is_ascii_alphanumeric() || b"+/=".contains(octet));
    let before: Vec<u8> = before.iter().copied().filter(u8::is_ascii_graphic).collect();
    before.into_iter().chain(key).collect()
}

/// A cut that falls within a group of four leaves bits over.
const CUT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The octets of a `p=` of which the end is missing.
fn start_of_key(text: &[u8]) -> Vec<u8> {
    let at = memchr::memmem::find(text, b"p=").map_or(text.len(), |at| at + 2);
    let key = text.get(at..).unwrap_or_default().iter().copied();
    let key =
        key.take_while(|octet| *octet != b';').filter(|octet| octet.is_ascii_alphanumeric() || b"+/".contains(octet));
    let mut symbols: Vec<u8> = key.take(MAX_OCTETS).collect();
    if symbols.len() % 4 == 1 {
        symbols.pop();
    }
    CUT_BASE64.decode(symbols).unwrap_or_default()
}

fn quoted(text: Option<&[u8]>) -> Box<str> {
    excerpt(text.unwrap_or_default())
}

fn proven(kind: ChangeKind, says: &str, advice: &str) -> Change {
    Change {
        kind,
        part: ChangePart::Key,
        is_proven: true,
        field: None,
        says: says.into(),
        advice: Some(advice.into()),
        undo: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_repaired_as_they_were_meant() {
        for (text, what) in [
            ("v=DKIM1\\; k=rsa\\; p=AAAA", "backslashes"),
            ("\"v=DKIM1; k=rsa; p=AAAA\"", "quotation marks"),
            ("v=DKIM1, k=rsa, p=AAAA", "commas in place"),
            ("v=DKIM1; p=AA,AA", "commas in it"),
            ("v=DKIM1; p=-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----", "key file"),
            ("v=DKIM1; p=p=AAAA", "p= twice"),
            ("v=DKIM1; p=AA-_", "base64 of URLs"),
            ("v=DKIM1 k=rsa; p=AAAA", "no semicolon"),
            ("v=dkim1; p=AAAA", "not \"DKIM1\""),
            ("v=DKIM1; p=AA*AA", "belong to no key"),
        ] {
            let found = repaired(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert!(found.1.contains(what), "{text}: {}", found.1);
        }
        for text in ["", "v=DKIM1; p=", "v=spf1 -all", "p", "nothing at all"] {
            assert_eq!(repaired(text.as_bytes()).map(|(_, what)| what), None, "{text}");
        }
    }

    #[test]
    fn the_start_of_a_key_is_read_as_far_as_it_goes() {
        assert_eq!(start_of_key(b"v=DKIM1; p=MIIB; t=s"), [0x30, 0x82, 0x01]);
        assert_eq!(start_of_key(b"v=DKIM1; p=MIIBx"), [0x30, 0x82, 0x01]);
    }
}
