//! Files of many messages (mbox, RFC 4155): which line stands before a message, and the messages between such lines.

use crate::input::ByteOrderMark;
use memchr::{memchr, memmem};
use std::{
    io::{self, BufRead, Read as _},
    mem,
};

/// Octets of the longest line that is taken for a separator, its line end included: those of SMTP (RFC 5321 §4.5.3.1.6).
const MAX_SEPARATOR: usize = 1000;
/// What is too large is passed over in pieces of so many octets.
const PIECE: u64 = 64 * 1024;

/// By what a line is taken for a separator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    /// A date as asctime writes it.
    Date,
    /// An address alone. A text may have such a line as well, so a header field has to follow.
    Address,
}

impl Separator {
    /// RFC 4155, Appendix A: `From `, who sent the message, and when. Some programs put a zone before the year, or more behind it.
    fn of(line: &[u8]) -> Option<Self> {
        let text = line.strip_prefix(b"From ").filter(|_| line.len() <= MAX_SEPARATOR)?;
        let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let words: Vec<&[u8]> = words.collect();
        if (0..words.len()).any(|at| words.get(at..).is_some_and(is_date)) {
            return Some(Self::Date);
        }
        match words.as_slice() {
            [address] if is_address(address) => Some(Self::Address),
            _ => None,
        }
    }
}

/// Whether the words begin with a date such as `Mon Oct  6 08:15:05 2025`.
fn is_date(words: &[&[u8]]) -> bool {
    const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let is_number = |word: &[u8]| word.iter().all(u8::is_ascii_digit);
    let is_year = |word: &&[u8]| word.len() == 4 && is_number(word);
    let is_time = |word: &[u8]| word.contains(&b':') && word.split(|octet| *octet == b':').all(is_number);
    match words {
        [day, month, of_month, time, rest @ ..] => {
            DAYS.contains(day)
                && MONTHS.contains(month)
                && of_month.len() <= 2
                && is_number(of_month)
                && is_time(time)
                && rest.iter().take(2).any(is_year)
        }
        _ => false,
    }
}

fn is_address(word: &[u8]) -> bool {
    let at = memchr::memrchr(b'@', word);
    at.is_some_and(|at| at > 0 && at + 1 < word.len()) && word.iter().all(u8::is_ascii_graphic)
}

/// Whether a line begins as a header field does (RFC 5322 §2.2).
pub(crate) fn is_field(line: &[u8]) -> bool {
    let name = memchr(b':', line).and_then(|colon| line.get(..colon)).unwrap_or_default();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// A message as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// None where there are more than may be.
    pub(crate) octets: Option<Vec<u8>>,
    empty_lines: u64,
}

impl Entry {
    /// The octets without what the file adds: the empty line before the next separator, but not the one that ends the header.
    pub(crate) fn into_message(self) -> Option<Vec<u8>> {
        let mut octets = self.octets?;
        let end = [&b"\n\r\n"[..], b"\n\n"].into_iter().find(|end| octets.ends_with(end));
        if let Some(end) = end.filter(|_| self.empty_lines > 1) {
            octets.truncate(octets.len() - end.len() + 1);
        }
        Some(octets)
    }
}

/// A file of which the beginning was read.
#[derive(Debug)]
pub(crate) enum Opened<R> {
    /// It begins with a separator.
    Mbox { separator: Vec<u8>, mbox: Mbox<R> },
    /// It does not.
    Other { beginning: Vec<u8>, rest: R },
}

/// Reads a file message by message.
#[derive(Debug)]
pub(crate) struct Mbox<R> {
    reader: R,
    /// What was read beyond a line to know what that line is.
    ahead: Vec<u8>,
    is_at_end: bool,
}

impl<R: BufRead> Mbox<R> {
    /// Reads the beginning of a file.
    pub(crate) fn open(mut reader: R) -> io::Result<Opened<R>> {
        let mut first = Vec::new();
        let most = u64::try_from(MAX_SEPARATOR).unwrap_or(u64::MAX);
        reader.by_ref().take(most).read_until(b'\n', &mut first)?;
        let mut mbox = Self { reader, ahead: Vec::new(), is_at_end: false };
        // As some editors begin files.
        if mbox.is_separator(first.strip_prefix(&ByteOrderMark::OCTETS).unwrap_or(&first))? {
            return Ok(Opened::Mbox { separator: first, mbox });
        }
        first.append(&mut mbox.ahead);
        Ok(Opened::Other { beginning: first, rest: mbox.reader })
    }

    /// Whether the file has no further message.
    pub(crate) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Reads to the next separator, which goes, or to the end. A message of more than `most` octets is passed over.
    pub(crate) fn entry(&mut self, most: usize) -> io::Result<Entry> {
        let mut octets = mem::take(&mut self.ahead);
        let (mut is_too_large, mut empty_lines) = (false, 0);
        let mut place = Place::LineStart.behind(&octets);
        loop {
            let start = octets.len();
            let room = most.saturating_sub(start).saturating_add(MAX_SEPARATOR);
            let room = if is_too_large { PIECE } else { u64::try_from(room).unwrap_or(u64::MAX) };
            if self.reader.by_ref().take(room).read_until(b'\n', &mut octets)? == 0 {
                self.is_at_end = true;
                break;
            }
            let line = octets.get(start..).unwrap_or_default();
            if place == Place::AfterEmptyLine && self.is_separator(line)? {
                octets.truncate(start);
                break;
            }
            place = place.behind(line).behind(&self.ahead);
            octets.append(&mut self.ahead);
            empty_lines += u64::from(place == Place::AfterEmptyLine);
            if is_too_large || octets.len() > most {
                is_too_large = true;
                octets = Vec::new();
            }
        }
        // What was read ahead may be all there is.
        let fits = !is_too_large && octets.len() <= most;
        Ok(Entry { octets: fits.then_some(octets), empty_lines })
    }

    /// Whether the line, which was read last, is one. What was read for that and is no separator's is left in `ahead`.
    fn is_separator(&mut self, line: &[u8]) -> io::Result<bool> {
        match Separator::of(line) {
            None => Ok(false),
            Some(Separator::Date) => Ok(true),
            Some(Separator::Address) => {
                let most = u64::try_from(MAX_SEPARATOR).unwrap_or(u64::MAX);
                self.reader.by_ref().take(most).read_until(b'\n', &mut self.ahead)?;
                Ok(is_field(&self.ahead))
            }
        }
    }
}

/// Where reading has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    AfterEmptyLine,
    WithinLine,
}

impl Place {
    /// Behind a line, or a piece of one.
    fn behind(self, line: &[u8]) -> Self {
        match line {
            b"" => self,
            b"\n" | b"\r\n" if self != Self::WithinLine => Self::AfterEmptyLine,
            _ if line.ends_with(b"\n") => Self::LineStart,
            _ => Self::WithinLine,
        }
    }
}

/// Takes one `>` from each line of `>From `, however many there are: what writes mbox files put it there (mboxrd), because such a line
/// would have been a separator.
pub(crate) fn unquoted(octets: Vec<u8>) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut from = 0;
    for at in memmem::find_iter(&octets, b">From ") {
        let before = octets.get(from..at).unwrap_or_default();
        let line = before.iter().rposition(|octet| *octet != b'>');
        let is_at_line_start = match line {
            Some(end) => before.get(end) == Some(&b'\n'),
            None => from == 0,
        };
        if is_at_line_start {
            kept.extend_from_slice(before);
            from = at + 1;
        }
    }
    if from == 0 {
        return octets;
    }
    kept.extend_from_slice(octets.get(from..).unwrap_or_default());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use std::io::BufReader;

    #[test]
    fn a_separator_has_a_date_or_is_an_address_alone() {
        for (line, expected) in [
            ("From alice@example.com Mon Oct  6 08:15:05 2025\n", Some(Separator::Date)),
            ("From MAILER-DAEMON Mon Oct 16 08:15:05 2025\r\n", Some(Separator::Date)),
            ("From - Mon Oct  6 08:15:05 2025", Some(Separator::Date)),
            ("From alice at example.com  Mon Oct  6 08:15 2025\n", Some(Separator::Date)),
            ("From 18446744@xxx Mon Oct 06 08:15:05 +0000 2025\n", Some(Separator::Date)),
            ("From a!b Mon Oct  6 08:15:05 CEST 2025 remote from host\n", Some(Separator::Date)),
            ("From  Mon Oct  6 08:15:05 2025\n", Some(Separator::Date)),
            ("From alice@example.com\n", Some(Separator::Address)),
            ("From alice@example.com we know that\n", None),
            ("From @example.com\n", None),
            ("From alice@\n", None),
            ("From alice\n", None),
            ("From Monday on, Oct 6 08:15:05 2025\n", None),
            ("From a Mon Oct  6 08:15:05\n", None),
            ("From a Mon Oct  6 in the year 2025\n", None),
            ("From a Mon Oct 106 08:15:05 2025\n", None),
            ("From a Mon Okt  6 08:15:05 2025\n", None),
            ("From: alice@example.com\n", None),
            (">From alice@example.com Mon Oct  6 08:15:05 2025\n", None),
            ("from alice@example.com Mon Oct  6 08:15:05 2025\n", None),
        ] {
            assert_eq!(Separator::of(line.as_bytes()), expected, "{line:?}");
        }
        let long = |len: usize| {
            let date = " Mon Oct  6 08:15:05 2025\n";
            format!("From {}{date}", "x".repeat(len - 5 - date.len()))
        };
        assert_eq!(Separator::of(long(1000).as_bytes()), Some(Separator::Date));
        assert_eq!(Separator::of(long(1001).as_bytes()), None);
    }

    fn entries(file: impl BufRead, most: usize) -> Option<Vec<Option<String>>> {
        let Opened::Mbox { mut mbox, .. } = Mbox::open(file).unwrap() else { return None };
        let mut entries = Vec::new();
        while !mbox.is_at_end() {
            let message = mbox.entry(most).unwrap().into_message();
            entries.push(message.map(|octets| String::from_utf8(octets).unwrap()));
        }
        Some(entries)
    }

    #[test]
    fn messages_stand_between_separators_behind_empty_lines() {
        let date = "Mon Oct  6 08:15:05 2025";
        let file = format!(
            "From a {date}\nA: 1\n\none\nFrom b {date}\n\n\nFrom c@example.com\nA: 2\r\n\r\nFrom d@example.com\r\ntwo\r\n\r\n\
             From e {date}\nA: 3\n\nFrom f {date}\nA: 4"
        );
        let expected = [
            // One empty line belongs to the file.
            &format!("A: 1\n\none\nFrom b {date}\n\n"),
            // An address alone is followed by a field.
            "A: 2\r\n\r\nFrom d@example.com\r\ntwo\r\n",
            // The only empty line ends the header.
            "A: 3\n\n",
            "A: 4",
        ];
        assert_eq!(entries(file.as_bytes(), 1000).unwrap(), expected.map(|message| Some(message.to_owned())));
    }

    #[test]
    fn other_files_are_given_back() {
        for file in
            ["", "A: 1\n\nFrom x Mon Oct  6 08:15:05 2025\n", "From a@example.com\nno field\n\nFrom", "From a@b"]
        {
            let Opened::Other { mut beginning, mut rest } = Mbox::open(file.as_bytes()).unwrap() else {
                panic!("{file:?}")
            };
            rest.read_to_end(&mut beginning).unwrap();
            assert_eq!(beginning, file.as_bytes());
        }
    }

    #[test]
    fn what_is_too_large_is_passed_over() {
        let separator = "From a Mon Oct  6 08:15:05 2025\n";
        let file = |first: &str| format!("{separator}A: {first}\n\n{separator}A: 2\n\n");
        let most = 200_000;
        // The two empty lines count.
        let (fits, large) = ("x".repeat(most - 5), "x".repeat(most - 4));
        assert_eq!(
            entries(file(&fits).as_bytes(), most).unwrap(),
            [Some(format!("A: {fits}\n\n")), Some("A: 2\n\n".to_owned())]
        );
        assert_eq!(entries(file(&large).as_bytes(), most).unwrap(), [None, Some("A: 2\n\n".to_owned())]);
        // In lines as well, and a piece is no line.
        let lines = format!("{}\n\n{}From a Mon Oct  6 08:15:05 2025\n", "x\n".repeat(most), "x".repeat(65_536));
        assert_eq!(entries(file(&lines).as_bytes(), most).unwrap(), [None, Some("A: 2\n\n".to_owned())]);
    }

    #[test]
    fn quoted_lines_lose_one_mark() {
        for (quoted, expected) in [
            (">From a", "From a"),
            ("x\n>From a\n>>From b\r\n>>>From c", "x\nFrom a\n>From b\r\n>>From c"),
            ("x >From a\n>from\n>From\n> From a\n", "x >From a\n>from\n>From\n> From a\n"),
            (">From >From a\n>From b", "From >From a\nFrom b"),
            ("", ""),
        ] {
            assert_eq!(unquoted(quoted.as_bytes().to_vec()), expected.as_bytes(), "{quoted:?}");
        }
    }

    proptest! {
        /// However little of it comes at once.
        #[test]
        fn a_file_in_pieces_is_the_file(
            lines in vec(0..LINES.len(), 0..40),
            most in prop_oneof![Just(1000_usize), 0..100_usize],
            piece in 1..40_usize,
        ) {
            let file: String = [0].into_iter().chain(lines).map(|line| LINES[line]).collect();
            let whole = entries(file.as_bytes(), most).unwrap();
            let pieces = entries(BufReader::with_capacity(piece, file.as_bytes()), most).unwrap();
            prop_assert_eq!(&whole, &pieces);
            let kept: usize = whole.iter().flatten().map(String::len).sum();
            prop_assert!(kept <= file.len() && whole.iter().flatten().all(|message| message.len() <= most));
        }
    }

    const LINES: [&str; 10] = [
        "From a Mon Oct  6 08:15:05 2025\n",
        "From a@example.com\n",
        "From a@example.com\r\n",
        "A: 1\r\n",
        "A: 1\n",
        "\n",
        "\r\n",
        "text",
        "From ",
        "\r",
    ];
}
