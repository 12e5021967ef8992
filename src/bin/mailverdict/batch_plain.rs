//! A request as programs write it: one object, its texts in ASCII without escapes, and no field that is not known. It is read in one
//! pass, and the message in it looked at no further than JSON demands; serde_json reads all that is written in another way.

use crate::batch_request::{Request, Text};
use memchr::memchr2;
use std::{borrow::Cow, str};

/// The same as serde_json reads; nothing where it is left to that.
pub(crate) fn read(line: &[u8]) -> Option<Request<'_>> {
    let mut request = Request::default();
    let mut rest = after(line, b'{')?;
    loop {
        let (name, value) = text(rest)?;
        let value = after(value, b':')?;
        if name == b"id" {
            let (id, end) = id(value)?;
            request.id = Some(str::from_utf8(id).ok()?);
            rest = end;
        } else {
            // Of several fields of one name the last counts.
            let field = match name {
                b"ip" => &mut request.ip,
                b"helo" => &mut request.helo,
                b"mail_from" => &mut request.mail_from,
                b"message" => &mut request.message,
                b"message_base64" => &mut request.message_base64,
                _ => return None,
            };
            let (text, end) = text(value)?;
            *field = Text::Present(Cow::Borrowed(text));
            rest = end;
        }
        match next(rest)? {
            (b',', end) => rest = end,
            (b'}', end) => return next(end).is_none().then_some(request),
            _ => return None,
        }
    }
}

/// The first octet that is no white space, and what comes after it; nothing at the end.
fn next(rest: &[u8]) -> Option<(u8, &[u8])> {
    // RFC 8259 §2 knows these four.
    let at = rest.iter().position(|octet| !matches!(octet, b' ' | b'\t' | b'\n' | b'\r'))?;
    rest.get(at..)?.split_first().map(|(octet, rest)| (*octet, rest))
}

/// What comes after `expected`, and white space before it.
fn after(rest: &[u8], expected: u8) -> Option<&[u8]> {
    next(rest).filter(|(octet, _)| *octet == expected).map(|(_, rest)| rest)
}

/// A text, without its quotation marks, and what comes after it.
fn text(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = after(rest, b'"')?;
    let (text, rest) = rest.split_at_checked(memchr2(b'"', b'\\', rest)?)?;
    let rest = rest.strip_prefix(b"\"")?;
    // What must be escaped is less than a space, and what is not ASCII is negative. Without a way out, so that vector instructions
    // compare the octets.
    let is_plain = text.iter().fold(true, |plain, octet| plain & (octet.cast_signed() >= b' '.cast_signed()));
    is_plain.then_some((text, rest))
}

/// A text with its quotation marks, or a number of digits; and what comes after it.
fn id(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, after) = next(rest)?;
    let rest = rest.get(rest.len() - after.len() - 1..)?;
    let len = match first {
        b'"' => text(rest)?.0.len() + 2,
        b'0' => 1,
        b'1'..=b'9' => 1 + after.iter().take_while(|octet| octet.is_ascii_digit()).count(),
        _ => return None,
    };
    rest.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    fn assert_same(line: &[u8]) {
        if let Some(request) = read(line) {
            assert_eq!(Request::read_any(line), Ok(request), "{}", line.escape_ascii());
        }
    }

    /// Compact, and as the standard libraries of other languages write it.
    #[test]
    fn common_requests_are_read_here() {
        for line in [
            r#"{"id":1,"ip":"192.0.2.1","helo":"mail.example","mail_from":"a@example.com","message":"/m/1.eml"}"#,
            r#"{"id": "a", "ip": "2001:db8::1", "helo": "mail.example", "mail_from": "", "message_base64": "RnJvbTogYUBi"}"#,
            " { \"id\"\t:\r0 , \"message_base64\" : \"\" } \n",
            r#"{"message":"first","message":"last","id":[],"id":12345678901234567890123}"#,
        ] {
            let is_read = read(line.as_bytes()).is_some();
            assert_eq!(is_read, !line.contains("[]"), "{line}");
            assert_same(line.as_bytes());
        }
    }

    #[test]
    fn all_else_is_left_to_serde_json() {
        for line in [
            "",
            "{",
            "{}",
            "{} x",
            "[]",
            r#"{"id":01}"#,
            r#"{"id":1.5}"#,
            r#"{"id":-1}"#,
            r#"{"id":null}"#,
            r#"{"id":1e3}"#,
            r#"{"id":1"#,
            r#"{"id":1,}"#,
            r#"{"id":1}}"#,
            r#"{"id":1} 2"#,
            r#"{"id" 1}"#,
            r#"{"id":1 "ip":"x"}"#,
            r#"{,"id":1}"#,
            r#"{"ip":1}"#,
            r#"{"ip":null}"#,
            r#"{"other":1}"#,
            r#"{"ip":"a\n"}"#,
            r#"{"i\u0070":"a"}"#,
            "{\"ip\":\"\t\"}",
            "{\"ip\":\"\u{e9}\"}",
            "{\"id\":\"\u{e9}\"}",
            r#"{"ip":"x"#,
            r#"{"ip":"x}"#,
            r#"{"id":"x"#,
            "\u{feff}{\"id\":1}",
            "{\"ip\":\u{a0}\"x\"}",
        ] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
    }

    const PIECES: [&[u8]; 30] = [
        b"{",
        b"}",
        b":",
        b",",
        b"\"",
        b"\\",
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\x0b",
        b"\x1f",
        b"\x7f",
        b"\x80",
        b"\xc3\xa9",
        b"\0",
        b"id",
        b"\"id\":",
        b"\"ip\":",
        b"\"message\":",
        b"\"message_base64\":",
        b"\"text\"",
        b"\"dGV4dA==\"",
        b"null",
        b"0",
        b"17",
        b"-",
        b".",
        b"[",
        b"]",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// Whatever stands in the line.
        #[test]
        fn what_is_read_is_what_serde_json_reads(pieces in vec(select(&PIECES[..]), 0..12)) {
            assert_same(&pieces.concat());
        }

        /// Something else in one place of a good line.
        #[test]
        fn also_where_something_is_amiss(at in 0_usize..90, len in 0_usize..3, piece in select(&PIECES[..])) {
            let line = br#"{"id": 7, "ip":"192.0.2.1","helo":"mail.example" ,"mail_from":"a@b","message_base64":"RnJv"}"#;
            let mut line = line.to_vec();
            line.splice(at..at + len, piece.iter().copied());
            assert_same(&line);
        }
    }
}
