//! What programs do to the lines of a whole body, undone.

use crate::{dkim::ChangeKind, mime::lines};

/// One thing that may have been done to a body.
pub(super) struct Repair {
    pub(super) kind: ChangeKind,
    pub(super) says: &'static str,
    /// Whether only "simple" minds it.
    pub(super) is_of_white_space: bool,
    /// The body as it was; `None` where it would be the same.
    pub(super) undo: fn(&[u8]) -> Option<Vec<u8>>,
}

/// In the order of trying.
pub(super) const REPAIRS: [Repair; 19] = [
    Repair {
        kind: ChangeKind::FromStuffing,
        says: "a > was put before lines that begin with \"From \", as a store in mbox format does",
        is_of_white_space: false,
        undo: |body| {
            each_line(body, |line, out| {
                if is_stuffed(line) { out.extend_from_slice(tail(line)) } else { out.extend_from_slice(line) }
            })
        },
    },
    Repair {
        kind: ChangeKind::DotStuffing,
        says: "dots at the starts of lines were doubled, as SMTP does on its way, and not taken away again",
        is_of_white_space: false,
        undo: |body| {
            each_line(body, |line, out| out.extend_from_slice(if line.starts_with(b"..") { tail(line) } else { line }))
        },
    },
    Repair {
        kind: ChangeKind::DotStuffing,
        says: "dots at the starts of lines were lost, as a host that reads SMTP wrongly loses them",
        is_of_white_space: false,
        undo: |body| put_before(body, b".", b"."),
    },
    Repair {
        kind: ChangeKind::FromStuffing,
        says: "the > before lines that begin with \"From \" was taken away",
        is_of_white_space: false,
        undo: |body| put_before(body, b">", b"From "),
    },
    Repair {
        kind: ChangeKind::TrailingWhiteSpace,
        says: "white space was added at the ends of lines",
        is_of_white_space: true,
        undo: |body| each_line(body, |line, out| out.extend_from_slice(without_blanks(line))),
    },
    Repair {
        kind: ChangeKind::TrailingWhiteSpace,
        says: "the blank behind the two hyphens before a signature of mail (\"-- \") was removed",
        is_of_white_space: true,
        undo: |body| each_line(body, |line, out| out.extend_from_slice(if line == b"--" { b"-- " } else { line })),
    },
    Repair {
        kind: ChangeKind::TrailingWhiteSpace,
        says: "the blanks at the ends of lines that flow (format=flowed) were removed",
        is_of_white_space: true,
        undo: flowed,
    },
    Repair {
        kind: ChangeKind::LineEnds,
        says: "line ends became CR CR LF",
        is_of_white_space: false,
        undo: |body| each_line(body, |line, out| out.extend_from_slice(without_cr(line))),
    },
    Repair {
        kind: ChangeKind::LineEnds,
        says: "line ends were doubled: an empty line follows each line",
        is_of_white_space: false,
        undo: halved,
    },
    Repair {
        kind: ChangeKind::LineEnds,
        says: "bare CRs were left as they are, and were line ends",
        is_of_white_space: false,
        undo: bare_cr,
    },
    Repair {
        kind: ChangeKind::LineEnds,
        says: "the empty line at the start of the body was removed",
        is_of_white_space: false,
        undo: |body| Some([b"\r\n", body].concat()),
    },
    Repair {
        kind: ChangeKind::LineEnds,
        says: "the two empty lines at the start of the body were removed",
        is_of_white_space: false,
        undo: |body| Some([b"\r\n\r\n", body].concat()),
    },
    Repair {
        kind: ChangeKind::TrailingWhiteSpace,
        says: "a blank was put before lines, as format=flowed does, and not taken away again",
        is_of_white_space: false,
        undo: |body| {
            each_line(body, |line, out| out.extend_from_slice(if line.starts_with(b" ") { tail(line) } else { line }))
        },
    },
    Repair {
        kind: ChangeKind::TransferEncoding,
        says: "the digits of quoted-printable were written in the other case",
        is_of_white_space: false,
        undo: |body| hex_digits(body, |digit| digit.to_ascii_uppercase()),
    },
    Repair {
        kind: ChangeKind::TransferEncoding,
        says: "the digits of quoted-printable were written in the other case",
        is_of_white_space: false,
        undo: |body| hex_digits(body, |digit| digit.to_ascii_lowercase()),
    },
    Repair {
        kind: ChangeKind::CharsetOrBoundary,
        says: "the text was recoded from ISO 8859-1 to UTF-8",
        is_of_white_space: false,
        undo: to_latin_1,
    },
    Repair {
        kind: ChangeKind::CharsetOrBoundary,
        says: "the text was recoded from UTF-8 to ISO 8859-1",
        is_of_white_space: false,
        undo: from_latin_1,
    },
    Repair {
        kind: ChangeKind::CharsetOrBoundary,
        says: "a byte order mark was put before the body",
        is_of_white_space: false,
        undo: |body| body.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec),
    },
    Repair {
        kind: ChangeKind::FromStuffing,
        says: "a > was put before lines that begin with \"From \" or with > and that word",
        is_of_white_space: false,
        undo: |body| put_before(body, b">", b">From "),
    },
];

fn tail(line: &[u8]) -> &[u8] {
    line.get(1..).unwrap_or_default()
}

/// `>From `, with any number of marks.
fn is_stuffed(line: &[u8]) -> bool {
    let marks = line.iter().take_while(|octet| **octet == b'>').count();
    marks > 0 && line.get(marks..).is_some_and(|rest| rest.starts_with(b"From "))
}

/// The body with each line, which is given without its CRLF, written anew; `None` where nothing changes.
fn each_line(body: &[u8], mut write: impl FnMut(&[u8], &mut Vec<u8>)) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len() + 64);
    for (start, end) in lines(body) {
        let line = body.get(start..end)?;
        match line.strip_suffix(b"\r\n") {
            Some(text) => {
                write(text, &mut out);
                out.extend_from_slice(b"\r\n");
            }
            None => write(line, &mut out),
        }
    }
    (out != body).then_some(out)
}

fn put_before(body: &[u8], mark: &[u8], start: &[u8]) -> Option<Vec<u8>> {
    each_line(body, |line, out| {
        if line.starts_with(start) {
            out.extend_from_slice(mark);
        }
        out.extend_from_slice(line);
    })
}

fn without_blanks(mut line: &[u8]) -> &[u8] {
    while let [shorter @ .., b' ' | b'\t'] = line {
        line = shorter;
    }
    line
}

fn without_cr(mut line: &[u8]) -> &[u8] {
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line
}

/// RFC 3676 §4.2: lines that flow on end in a blank.
fn flowed(body: &[u8]) -> Option<Vec<u8>> {
    let mut all = lines(body).peekable();
    let mut out = Vec::with_capacity(body.len() + 64);
    while let Some((start, end)) = all.next() {
        let line = body.get(start..end)?;
        let next = all.peek().and_then(|(start, end)| body.get(*start..*end)).unwrap_or(b"\r\n");
        match line.strip_suffix(b"\r\n") {
            Some(text) if !text.is_empty() && !text.ends_with(b" ") && !next.starts_with(b"\r\n") => {
                out.extend_from_slice(text);
                out.extend_from_slice(b" \r\n");
            }
            _ => out.extend_from_slice(line),
        }
    }
    (out != body).then_some(out)
}

fn halved(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    for (number, (start, end)) in lines(body).enumerate() {
        let line = body.get(start..end)?;
        if number % 2 == 0 {
            out.extend_from_slice(line);
        } else if line != b"\r\n" {
            return None;
        }
    }
    (out.len() < body.len()).then_some(out)
}

fn bare_cr(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len() + 64);
    for (at, octet) in body.iter().enumerate() {
        out.push(*octet);
        if *octet == b'\r' && body.get(at + 1) != Some(&b'\n') {
            out.push(b'\n');
        }
    }
    (out.len() > body.len()).then_some(out)
}

fn hex_digits(body: &[u8], case: fn(&u8) -> u8) -> Option<Vec<u8>> {
    let mut out = body.to_vec();
    for at in memchr::memchr_iter(b'=', body) {
        let is_coded = body.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        if let Some(digits) = out.get_mut(at + 1..at + 3).filter(|_| is_coded) {
            digits.iter_mut().for_each(|digit| *digit = case(digit));
        }
    }
    (out != body).then_some(out)
}

fn to_latin_1(body: &[u8]) -> Option<Vec<u8>> {
    if body.is_ascii() {
        return None;
    }
    std::str::from_utf8(body).ok()?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

fn from_latin_1(body: &[u8]) -> Option<Vec<u8>> {
    if body.is_ascii() || std::str::from_utf8(body).is_ok() {
        return None;
    }
    Some(body.iter().map(|octet| char::from(*octet)).collect::<String>().into_bytes())
}

/// How a long line was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// By a line end alone.
    Plain,
    /// By a line end and a blank.
    Blank,
    /// By an exclamation mark, a line end and a blank, as Sendmail does.
    Exclamation,
}

/// A line that may have been broken has as many octets at least.
const MIN_LINE: usize = 60;

/// The lengths at which lines may have been broken: that of the longest, and those that programs have.
pub(super) fn break_lengths(body: &[u8]) -> Vec<usize> {
    let lengths = || lines(body).filter_map(|(start, end)| Some(body.get(start..end)?.trim_ascii_end().len()));
    let longest = lengths().max().unwrap_or(0);
    if longest < MIN_LINE {
        return Vec::new();
    }
    let mut known = vec![longest];
    // RFC 5322 §2.1.1 allows 998; others are programs' own.
    for length in [998, 990, 1000, 997, 996, 2046, 1022, 510] {
        if length != longest && length < longest {
            known.push(length);
        }
    }
    known
}

/// The body with lines joined that were broken at this length.
pub(super) fn joined(body: &[u8], length: usize, broken: Break) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    // Whether the line before was broken, and so goes on.
    let mut goes_on = false;
    for (start, end) in lines(body) {
        let line = body.get(start..end)?;
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        let is_continued = goes_on && (broken == Break::Plain || text.starts_with(b" "));
        if goes_on && !is_continued {
            // It only happened to have that length.
            out.extend_from_slice(b"\r\n");
        }
        let kept = if is_continued && broken != Break::Plain { tail(text) } else { text };
        let is_full = text.len() == length || (is_continued && kept.len() == length);
        goes_on = is_full && line.len() > text.len();
        match broken {
            Break::Exclamation if text.ends_with(b"!") && line.len() > text.len() && text.len() + 12 > length => {
                goes_on = true;
                out.extend_from_slice(kept.get(..kept.len().saturating_sub(1)).unwrap_or_default());
            }
            Break::Exclamation => {
                goes_on = false;
                out.extend_from_slice(kept);
                out.extend_from_slice(line.get(text.len()..).unwrap_or_default());
                continue;
            }
            Break::Plain | Break::Blank => out.extend_from_slice(kept),
        }
        if !goes_on {
            out.extend_from_slice(line.get(text.len()..).unwrap_or_default());
        }
    }
    if goes_on {
        out.extend_from_slice(b"\r\n");
    }
    (out != body).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(says: &str, body: &str) -> Option<String> {
        let repair = REPAIRS.iter().find(|repair| repair.says.contains(says)).unwrap();
        (repair.undo)(body.as_bytes()).map(|body| String::from_utf8_lossy(&body).into_owned())
    }

    #[test]
    fn each_repair_undoes_what_it_says() {
        for (says, body, was) in [
            (">", ">From me\r\n>>From you\r\nFrom\r\n", "From me\r\n>From you\r\nFrom\r\n"),
            ("doubled, as SMTP", "..\r\n..a\r\n.b\r\n", ".\r\n.a\r\n.b\r\n"),
            ("lost", ".\r\na\r\n", "..\r\na\r\n"),
            ("CR CR LF", "a\r\r\nb\r\r\n", "a\r\nb\r\n"),
            ("follows each line", "a\r\n\r\n\r\n\r\nb\r\n\r\n", "a\r\n\r\nb\r\n"),
            ("were line ends", "a\rb\r\n", "a\r\nb\r\n"),
            ("two hyphens", "--\r\nx\r\n", "-- \r\nx\r\n"),
            ("that flow", "a\r\nb\r\n\r\nc\r\n", "a \r\nb\r\n\r\nc\r\n"),
            ("added at the ends", "a \r\n", "a\r\n"),
            ("to ISO", "\u{fc}", "\u{fc}"),
        ] {
            let wanted = (was != body).then(|| was.to_owned());
            assert_eq!(undone(says, body), wanted, "{says}");
        }
    }

    #[test]
    fn broken_lines_are_joined() {
        let long = "x".repeat(998);
        let plain = format!("{long}\r\n{long}\r\nyy\r\n");
        assert_eq!(joined(plain.as_bytes(), 998, Break::Plain).unwrap(), format!("{long}{long}yy\r\n").as_bytes());
        let blank = format!("{long}\r\n yy\r\n");
        assert_eq!(joined(blank.as_bytes(), 998, Break::Blank).unwrap(), format!("{long}yy\r\n").as_bytes());
        let exclamation = format!("{}!\r\n yy\r\nz!\r\n", "x".repeat(989));
        let was = format!("{}yy\r\nz!\r\n", "x".repeat(989));
        assert_eq!(joined(exclamation.as_bytes(), 990, Break::Exclamation).unwrap(), was.as_bytes());
        assert_eq!(break_lengths(plain.as_bytes()), [998, 990, 997, 996, 510]);
        assert!(break_lengths(b"short\r\n").is_empty());
    }
}
