//! A request that is written plainly: one object of texts in ASCII without escapes, whose id may be a number as well. It is read
//! without looking at the message in it for anything else; serde_json reads all that is written in another way.

use super::request::{Request, Text};
use memchr::memchr2;
use std::{borrow::Cow, str};

/// The same as serde_json reads; nothing where it is left to that.
pub(crate) fn read(line: &[u8]) -> Option<Request<'_>> {
    let mut request = Request::default();
    let mut rest = after(line, b'{')?;
    loop {
        let (name, value) = text(rest)?;
        let value = after(value, b':')?;
        // Of several fields of one name the last counts.
        rest = if name == b"id" {
            let (id, rest) = id(value)?;
            request.id = Some(str::from_utf8(id).ok()?);
            rest
        } else {
            let (text, rest) = text(value)?;
            match name {
                b"ip" => request.ip = present(text)?,
                b"helo" => request.helo = present(text)?,
                b"mail_from" => request.mail_from = present(text)?,
                b"message" => request.message = present(text)?,
                b"message_base64" => request.message_base64 = Text::Present(Cow::Borrowed(text)),
                _ => return None,
            }
            rest
        };
        match next(rest)? {
            (b',', end) => rest = end,
            (b'}', end) => return next(end).is_none().then_some(request),
            _ => return None,
        }
    }
}

fn present(text: &[u8]) -> Option<Text<Cow<'_, str>>> {
    str::from_utf8(text).ok().map(|text| Text::Present(Cow::Borrowed(text)))
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
    let (first, others) = next(rest)?;
    let rest = rest.get(rest.len() - others.len() - 1..)?;
    let len = match first {
        b'"' => text(rest)?.0.len() + 2,
        b'0' => 1,
        b'1'..=b'9' => 1 + others.iter().take_while(|octet| octet.is_ascii_digit()).count(),
        _ => return None,
    };
    rest.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    /// Compact, and as the standard libraries of other languages write it.
    #[test]
    fn common_requests_are_read_here() {
        for line in [
            r#"{"id":1,"ip":"192.0.2.1","helo":"mail.example","mail_from":"a@example.com","message":"/m/1.eml"}"#,
            r#"{"id": "a", "ip": "2001:db8::1", "helo": "mail.example", "mail_from": "", "message_base64": "RnJvbTogYUBi"}"#,
            " { \"id\"\t:\r0 , \"message_base64\" : \"\" } \n",
            r#"{"message":"first","message":"last","id":"first","id":12345678901234567890123}"#,
        ] {
            assert_eq!(read(line.as_bytes()), Some(Request::read(line.as_bytes()).unwrap()), "{line}");
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
            r#"{"id":1,"other":"x"}"#,
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

    const NAMES: [&str; 7] = ["id", "ip", "helo", "mail_from", "message", "message_base64", "other"];
    const TEXTS: [&str; 6] = [r#""""#, r#""a""#, r#""dGV4dA==""#, r#"" {}:,[] ""#, "\"~\u{7f}\"", r#""0""#];
    const NUMBERS: [&str; 4] = ["0", "7", "10", "12345678901234567890123"];
    const SPACES: [&str; 4] = ["", "", " ", "\t\r\n "];

    /// An object of such fields, and white space between all its parts.
    fn line(fields: &[(&str, &str)], spaces: &[&str]) -> String {
        let mut spaces = spaces.iter().cycle().copied();
        let mut space = || spaces.next().unwrap();
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}\"{name}\"{}:{}{value}{}", space(), space(), space(), space()))
            .collect();
        format!("{}{{{}}}{}", space(), fields.join(","), space())
    }

    fn fields(values: Vec<&'static str>) -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
        vec((select(&NAMES[..]), select(values)), 1..9)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn what_is_written_plainly_is_read_here_and_as_serde_json_reads_it(
            fields in fields(TEXTS.into()),
            number in select(&NUMBERS[..]),
            spaces in vec(select(&SPACES[..]), 1..7),
        ) {
            for id in [None, Some(("id", number))] {
                let fields: Vec<(&str, &str)> = fields.iter().copied().chain(id).collect();
                let line = line(&fields, &spaces);
                // Members that there are not are left to serde_json, which tells their names.
                let expected = Some(Request::read(line.as_bytes()).unwrap()).filter(|request| request.unknown.is_none());
                prop_assert_eq!(read(line.as_bytes()), expected, "{}", line);
            }
        }

        /// Something else in one place of a good line.
        #[test]
        fn where_something_is_amiss_nothing_else_is_read_than_serde_json_reads(
            fields in fields([&TEXTS[..], &NUMBERS, &["null", "true", "[]", "{}", "1.5", "-1", "01", "1e3"]].concat()),
            spaces in vec(select(&SPACES[..]), 1..7),
            at in any::<prop::sample::Index>(),
            len in 0_usize..3,
            piece in select(&PIECES[..]),
        ) {
            let mut line = line(&fields, &spaces).into_bytes();
            let at = at.index(line.len());
            line.splice(at..line.len().min(at + len), piece.iter().copied());
            if let Some(request) = read(&line) {
                prop_assert_eq!(Request::read(&line), Ok(request), "{}", line.escape_ascii());
            }
        }
    }
}
