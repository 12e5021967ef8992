//! What a mailing list makes of a message: a tag before the subject, a footer below the text.

use crate::message::{Header, HeaderField, Message};

const TAG: &[u8] = b" [list]";
const LIST_ID: &[u8] = b"List-Id: <list.list.invalid>\r\n";
const FOOTER: &[u8] = b"-- \r\nThis message was sent to the list list@list.invalid.\r\n";
/// Columns of a line of quoted-printable, RFC 2045 §6.7.
const MAX_LINE: usize = 76;
const BOUNDARY: &[u8] = b"=_list.invalid_footer";

/// How the footer comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Footing {
    /// Behind the last line.
    Below,
    /// The same, and the whole is written in quoted-printable, as for hosts that take seven bits alone.
    Converted,
    /// As a part of its own, behind the message as it was.
    Part,
}

/// The message, as the list hands it on.
pub(super) fn through(message: &Message<'_>) -> Vec<u8> {
    let header = message.header();
    let footing = Footing::of(header, message.body());
    let mut out = Vec::with_capacity(2 * (message.body().len() + 1024));
    out.extend(LIST_ID);
    // What says how the body is written.
    let mut of_body: Vec<u8> = Vec::new();
    for field in header.fields() {
        if is_of_body(field) && footing != Footing::Below {
            of_body.extend(field.raw());
        } else if field.is("Subject") {
            write_tagged(&mut out, field);
        } else {
            out.extend(field.raw());
        }
    }
    match footing {
        Footing::Below => {
            out.extend(b"\r\n");
            write_lines(&mut out, message.body());
            out.extend(FOOTER);
        }
        Footing::Converted => {
            header.named("Content-Type").for_each(|field| out.extend(field.raw()));
            out.extend(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
            write_quoted_printable(&mut out, message.body());
            out.extend(FOOTER);
        }
        Footing::Part => {
            out.extend(b"Content-Type: multipart/mixed; boundary=\"");
            out.extend(BOUNDARY);
            out.extend(b"\"\r\n\r\n");
            write_boundary(&mut out, b"");
            out.extend(of_body);
            out.extend(b"\r\n");
            write_lines(&mut out, message.body());
            write_boundary(&mut out, b"");
            out.extend(b"Content-Type: text/plain\r\n\r\n");
            out.extend(FOOTER);
            write_boundary(&mut out, b"--");
        }
    }
    out
}

impl Footing {
    fn of(header: &Header<'_>, body: &[u8]) -> Self {
        let first = |name| header.named(name).next().map(|field| field.value().trim_ascii().to_ascii_lowercase());
        let is_text = first("Content-Type").is_none_or(|value| value.starts_with(b"text/plain"));
        if !is_text {
            return Self::Part;
        }
        match first("Content-Transfer-Encoding").as_deref() {
            None | Some(b"7bit" | b"8bit" | b"binary") if !body.is_ascii() => Self::Converted,
            None | Some(b"7bit" | b"8bit" | b"binary" | b"quoted-printable") => Self::Below,
            Some(_) => Self::Part,
        }
    }
}

fn is_of_body(field: &HeaderField<'_>) -> bool {
    field.is("Content-Type") || field.is("Content-Transfer-Encoding")
}

fn write_tagged(out: &mut Vec<u8>, subject: &HeaderField<'_>) {
    out.extend(subject.name());
    out.extend(b":");
    out.extend(TAG);
    if !subject.value().starts_with(b" ") {
        out.extend(b" ");
    }
    out.extend(subject.value());
}

fn write_boundary(out: &mut Vec<u8>, end: &[u8]) {
    out.extend(b"--");
    out.extend(BOUNDARY);
    out.extend(end);
    out.extend(b"\r\n");
}

/// With a line end behind the last line.
fn write_lines(out: &mut Vec<u8>, body: &[u8]) {
    out.extend(body);
    if !body.is_empty() && !body.ends_with(b"\r\n") {
        out.extend(b"\r\n");
    }
}

/// RFC 2045 §6.7, with a line end behind the last line.
fn write_quoted_printable(out: &mut Vec<u8>, body: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |four: u8| DIGITS.get(usize::from(four)).copied().unwrap_or_default();
    if body.is_empty() {
        return;
    }
    for line in body.strip_suffix(b"\n").unwrap_or(body).split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut column = 0;
        for (at, octet) in line.iter().enumerate() {
            let is_last = at + 1 == line.len();
            let is_plain = matches!(octet, b'!'..=b'<' | b'>'..=b'~') || (matches!(octet, b' ' | b'\t') && !is_last);
            let columns = if is_plain { 1 } else { 3 };
            if column + columns >= MAX_LINE {
                out.extend(b"=\r\n");
                column = 0;
            }
            if is_plain {
                out.push(*octet);
            } else {
                out.extend([b'=', digit(octet >> 4), digit(octet & 15)]);
            }
            column += columns;
        }
        out.extend(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through_list(message: &str) -> String {
        let message = message.replace('\n', "\r\n");
        let out = through(&Message::parse(message.as_bytes()).unwrap());
        String::from_utf8(out).unwrap().replace("\r\n", "\n")
    }

    #[test]
    fn a_text_gets_a_footer_below() {
        assert_eq!(
            through_list("From: a@b.example\nSubject: Hello\n\nHello"),
            "List-Id: <list.list.invalid>\nFrom: a@b.example\nSubject: [list] Hello\n\nHello\n-- \nThis message was \
             sent to the list list@list.invalid.\n"
        );
    }

    #[test]
    fn a_text_of_eight_bits_is_converted() {
        let out = through_list(
            "From: a@b.example\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße = \n",
        );
        assert!(
            out.contains("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n")
        );
        assert!(out.contains("\n\nGr=C3=BC=C3=9Fe =3D=20\n"), "{out}");
        assert_eq!(out.matches("Content-T").count(), 2);
    }

    #[test]
    fn what_is_no_plain_text_becomes_a_part() {
        for fields in [
            "Content-Type: text/html",
            "Content-Type: multipart/alternative; boundary=x",
            "Content-Transfer-Encoding: base64",
        ] {
            let out = through_list(&format!("From: a@b.example\n{fields}\n\nSGVsbG8=\n"));
            assert!(
                out.contains(&format!(
                    "Content-Type: multipart/mixed; boundary=\"=_list.invalid_footer\"\n\n--=_list.invalid_footer\n{fields}\n\n\
                     SGVsbG8=\n--=_list.invalid_footer\nContent-Type: text/plain\n\n-- \n"
                )),
                "{out}"
            );
            assert!(out.ends_with("--=_list.invalid_footer--\n"));
        }
    }

    #[test]
    fn lines_of_quoted_printable_are_short_enough() {
        let out = through_list(&format!("From: a@b.example\n\n{}\n", "ü ".repeat(500)));
        assert!(out.lines().all(|line| line.len() <= MAX_LINE));
        assert!(!out.lines().skip(4).any(|line| line.ends_with(' ') && line != "-- "));
    }
}
