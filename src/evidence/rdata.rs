//! The data of records as text, in the form of master files (RFC 1035 §5.1).

use crate::{
    dns::{Answer, AnyAnswer, Details, Mx, Question, RecordType, Resolver as _, Zone},
    lex::{character_string, excerpt},
    name::Name,
};
use std::fmt::Write as _;

/// Octets of a character-string (RFC 1035 §3.3).
const MAX_STRING_LEN: usize = 255;

/// Each record of an answer.
pub(super) fn written(answer: &AnyAnswer) -> Vec<String> {
    match answer {
        AnyAnswer::Txt(answer) => answer.records().iter().map(|text| strings(text)).collect(),
        AnyAnswer::A(answer) => answer.records().iter().map(ToString::to_string).collect(),
        AnyAnswer::Aaaa(answer) => answer.records().iter().map(ToString::to_string).collect(),
        AnyAnswer::Mx(answer) => {
            let written = |Mx { preference, exchange }: &Mx| format!("{preference} {}", domain_name(exchange));
            answer.records().iter().map(written).collect()
        }
        AnyAnswer::Ptr(answer) => answer.records().iter().map(domain_name).collect(),
    }
}

/// The answer of these records; why they cannot be read.
pub(super) fn read(record_type: RecordType, records: &[String], details: Details) -> Result<AnyAnswer, String> {
    let read = records.iter().map(|record| one(record_type, record)).collect::<Result<Vec<_>, _>>()?;
    macro_rules! answer {
        ($kind:ident) => {{
            let data = read.iter().filter_map(|read| match read {
                AnyAnswer::$kind(answer) => answer.records().first().cloned(),
                _ => None,
            });
            AnyAnswer::$kind(Answer::Records(data.collect()).with_details(details))
        }};
    }
    Ok(match record_type {
        RecordType::Txt => answer!(Txt),
        RecordType::A => answer!(A),
        RecordType::Aaaa => answer!(Aaaa),
        RecordType::Mx => answer!(Mx),
        RecordType::Ptr => answer!(Ptr),
    })
}

/// An answer of one record.
fn one(record_type: RecordType, record: &str) -> Result<AnyAnswer, String> {
    let refused = |why: &dyn std::fmt::Display| format!("{} is no {record_type} record: {why}", quoted(record));
    // A line end would begin another record.
    if record.contains(['\n', '\r']) {
        return Err(refused(&"it has a line end"));
    }
    let owner = Name::parse("x").map_err(|error| refused(&error))?;
    let zone = Zone::parse(format!("x. {record_type} {record}"), "it").map_err(|error| refused(&error))?;
    match zone.at_hand(&Question { name: owner, record_type }) {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) => Err(refused(&error)),
        None => Err(refused(&"it has no data")),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", excerpt(text.as_bytes()))
}

/// A text in character-strings.
fn strings(text: &[u8]) -> String {
    if text.is_empty() {
        return character_string(text);
    }
    text.chunks(MAX_STRING_LEN).map(character_string).collect::<Vec<_>>().join(" ")
}

/// A name with its final dot.
fn domain_name(name: &Name) -> String {
    let mut written = String::new();
    for octet in name.as_str().bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                written.push(char::from(octet))
            }
            // Writing to a `String` cannot fail.
            _ => drop(write!(written, "\\{octet:03}")),
        }
    }
    written.push('.');
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(answer: &AnyAnswer, record_type: RecordType) -> AnyAnswer {
        read(record_type, &written(answer), Details::default()).unwrap()
    }

    #[test]
    fn texts_of_any_octets_are_read_as_they_were_written() {
        let all: Vec<u8> = (0..=255).collect();
        let texts: Vec<Box<[u8]>> =
            [&b""[..], b"v=spf1 \"-all\" \\", &all, &[b'x'; 600], &[0xff; 65_000]].map(Box::from).into_iter().collect();
        let answer = AnyAnswer::Txt(Answer::Records(texts.into()));
        assert_eq!(again(&answer, RecordType::Txt), answer);
        assert_eq!(written(&answer)[1], r#""v=spf1 \"-all\" \\""#);
        assert_eq!(written(&answer)[3].matches("\" \"").count(), 2);
    }

    #[test]
    fn names_of_odd_octets_and_the_root_are_read_as_they_were_written() {
        for name in ["", "mail.example.com", "a b.example", "x\u{1}\"(;)$@.example", "*.example", "@", "1\\.example"] {
            let Ok(exchange) = Name::parse(name) else { continue };
            let answer = AnyAnswer::Mx(Answer::Records([Mx { preference: 10, exchange: exchange.clone() }].into()));
            assert_eq!(again(&answer, RecordType::Mx), answer, "{name}");
            let answer = AnyAnswer::Ptr(Answer::Records([exchange].into()));
            assert_eq!(again(&answer, RecordType::Ptr), answer, "{name}");
        }
    }

    #[test]
    fn what_is_no_record_is_quoted() {
        for (record_type, record, why) in [
            (RecordType::A, "192.0.2.256", "\"192.0.2.256\" is no A record: it:1: expected an IPv4 address"),
            (RecordType::A, "192.0.2.1\nx. A 192.0.2.2", "is no A record: it has a line end"),
            (RecordType::Txt, "\"open", "is no TXT record"),
            (RecordType::Mx, "10", "is no MX record"),
            (RecordType::A, "192.0.2.1 x", "is no A record"),
        ] {
            let refused = read(record_type, &[record.to_owned()], Details::default()).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
