//! Files that people take for messages, told by how they begin.

use crate::mbox::is_field;
use std::fmt;

/// A kind of file that is no message in the format of RFC 5322, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Within what was unpacked already.
    Gzip,
    Zip,
    /// OLE, as Outlook saves its items (`.msg`).
    OutlookItem,
    Utf16,
    Html,
    Pdf,
    Image,
    /// A message of Apple Mail: a line with its length, and a property list behind it (`.emlx`).
    AppleMail,
}

impl FileKind {
    /// The kind of file that begins like this, if it is one of these: none of them begins as a header field does.
    pub(crate) fn of(octets: &[u8]) -> Option<Self> {
        let begins = |start: &[u8]| octets.starts_with(start);
        if begins(b"\x1f\x8b") {
            return Some(Self::Gzip);
        }
        if begins(b"PK\x03\x04") {
            return Some(Self::Zip);
        }
        if begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            return Some(Self::OutlookItem);
        }
        if begins(b"%PDF-") {
            return Some(Self::Pdf);
        }
        if begins(b"\x89PNG\r\n") || begins(b"\xff\xd8\xff") || begins(b"GIF8") {
            return Some(Self::Image);
        }
        let mut lines = octets.splitn(2, |octet| *octet == b'\n');
        if let (Some(first), Some(rest)) = (lines.next(), lines.next()) {
            let length = first.trim_ascii_end();
            if !length.is_empty() && length.iter().all(u8::is_ascii_digit) && is_field(rest) {
                return Some(Self::AppleMail);
            }
        }
        let is_letter = |octet: &u8| octet.is_ascii_alphabetic();
        match octets {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some(Self::Utf16),
            [a, 0, b, 0, ..] | [0, a, 0, b, ..] if is_letter(a) && is_letter(b) => return Some(Self::Utf16),
            _ => {}
        }
        let text = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets).trim_ascii_start();
        let is_html = |start: &[u8]| text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start));
        (is_html(b"<!doctype html") || is_html(b"<html")).then_some(Self::Html)
    }
}

/// What it is, and what to give in its place.
impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => {
                "the file is packed by gzip, and what is in it again; unpack it first, as in `gzip -dc FILE | mailverdict check`"
            }
            Self::Zip => "the file is a zip archive; unpack it first",
            Self::OutlookItem => {
                "the file is an Outlook item (.msg), which does not hold the message as it came; save the message as .eml, or \
                 copy its source"
            }
            Self::Utf16 => {
                "the file is text in UTF-16, and a message is octets as they came; save it without converting it, as .eml"
            }
            Self::Pdf => "the file is a PDF, which shows a message and does not hold it; save the source of the message",
            Self::Image => "the file is a picture, which shows a message and does not hold it; save the source of the message",
            Self::AppleMail => {
                "the file is of Apple Mail (.emlx), with more than the message in it; save the message as raw source (.eml)"
            }
            Self::Html => "the file is an HTML page, as of a mailbox in a browser; save the source of the message in its place",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_how_they_begin() {
        for (octets, kind) in [
            (&b"\x1f\x8b\x08\0"[..], Some(FileKind::Gzip)),
            (b"PK\x03\x04", Some(FileKind::Zip)),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", Some(FileKind::OutlookItem)),
            (b"\xff\xfeF\0r\0o\0m\0:\0", Some(FileKind::Utf16)),
            (b"\xfe\xff\0F\0r\0o\0m\0:", Some(FileKind::Utf16)),
            (b"F\0r\0o\0m\0:\0", Some(FileKind::Utf16)),
            (b"\0F\0r\0o\0m\0:", Some(FileKind::Utf16)),
            (b"\xef\xbb\xbf\r\n <!DOCTYPE html>", Some(FileKind::Html)),
            (b"<HTML><body>", Some(FileKind::Html)),
            (b"%PDF-1.4\n", Some(FileKind::Pdf)),
            (b"\x89PNG\r\n\x1a\n", Some(FileKind::Image)),
            (b"\xff\xd8\xff\xe0", Some(FileKind::Image)),
            (b"1234      \nFrom: a@example.com\n", Some(FileKind::AppleMail)),
            (b"1234\n\nFrom: a@example.com\n", None),
            (b"1234", None),
            (b"From: a@example.com\r\n", None),
            (b"\xef\xbb\xbfFrom: a@example.com\r\n", None),
            (b"PK: x\r\n", None),
            (b"F\0rom: a@example.com\r\n", None),
            (b"<p>x</p>", None),
            (b"", None),
        ] {
            assert_eq!(FileKind::of(octets), kind, "{}", octets.escape_ascii());
        }
    }
}
