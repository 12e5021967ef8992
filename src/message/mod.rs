//! A message as it was received: header fields and body, borrowed, never copied.

mod author;
mod block;
mod body_line_ends;
mod distinct;
mod field;
mod from_error;
mod from_text;
mod line_endings;
mod malformation;
#[cfg(feature = "serde")]
mod marks;
mod odd_octets;
mod oddity;
mod pairs;
mod possible_domains;
mod reading;
mod return_path;
mod singular;

pub use author::Authors;
pub use field::HeaderField;
pub use from_error::{FromError, FromProblem};
pub use from_text::FromText;
pub use line_endings::{LineEndings, to_crlf};
pub use malformation::{Malformation, MalformationKind};
pub use oddity::Oddity;
pub use pairs::HeaderPairs;
pub use singular::SingularFields;

pub(crate) use body_line_ends::BodyLineEnds;
#[cfg(feature = "serde")]
pub(crate) use marks::Marks;
pub(crate) use reading::{Holder, Reading};
pub(crate) use return_path::return_path;
pub(crate) use singular::SingularCounts;

use block::{Blocks, mbox_separator};
use odd_octets::OddOctets;
use reading::Malformed;

/// Why octets are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// No octet at all.
    #[error("the message is empty")]
    Empty,
    /// Not one header field before the first empty line (or the end). [`Message::parse`] takes that for a message all the same; it is
    /// for programs that know better what they were given.
    #[error("the message has no header: its first line is no header field (\"Name: value\")")]
    NoHeader,
}

/// The header of a message.
///
/// Lines end at LF, with or without a CR before it: what a reader's mail program takes for a field is a field here as well, so
/// that no second `From` hides behind a bare LF. The octets themselves stay as they are, for hashing. What readers disagree on is
/// a [`Malformation`].
#[derive(Clone, Debug)]
pub struct Header<'m> {
    fields: Vec<HeaderField<'m>>,
    oddities: Vec<Oddity>,
    /// What is wrong with it, and what readers may make of it; nothing of that is there for the mail of every day.
    malformed: Option<Box<Malformed<'m>>>,
}

impl<'m> Header<'m> {
    /// Reads the fields of a header; an empty line at its end is optional. What follows that is looked at only where the header has bare
    /// LFs, because some readers go on there.
    ///
    /// # Errors
    /// [`MessageError`] where there is no octet at all.
    pub fn parse(raw: &'m [u8]) -> Result<Self, MessageError> {
        if raw.is_empty() { Err(MessageError::Empty) } else { Ok(Self::split(raw).0) }
    }

    fn split(raw: &'m [u8]) -> (Self, &'m [u8]) {
        let mut header = Self { fields: Vec::with_capacity(32), oddities: Vec::new(), malformed: None };
        let separator = mbox_separator(raw);
        if separator > 0 {
            header.oddities.push(Oddity::MboxSeparator);
        }
        let mut blank_line = None;
        let mut is_odd = false;
        let mut blocks = Blocks::starting_at(raw, separator);
        for block in &mut blocks {
            blank_line = blank_line.or(block.blank_line);
            match HeaderField::parse(block.raw) {
                Some(field) => {
                    is_odd |= field.has_space_before_colon();
                    header.fields.push(field);
                }
                None => is_odd = true,
            }
        }
        let start_of_body = blocks.start_of_body();
        if header.fields.is_empty() {
            header.oddities.push(Oddity::NoField);
        }
        let (lines, body) = raw.split_at_checked(start_of_body.unwrap_or(raw.len())).unwrap_or_default();
        let mut ends = blocks.line_ends();
        let mut oddities = OddOctets::default();
        if separator > 0 || !odd_octets::is_plain(lines, 2 * ends.crlf + ends.bare_lf) {
            oddities = OddOctets::of(lines);
            ends = if oddities.bare_ends { LineEndings::of(lines) } else { LineEndings::default() };
        }
        // LF throughout is a file of Unix.
        let bare_lf = ends.bare_lf > 0 && (ends.crlf > 0 || memchr::memmem::find(body, b"\r\n").is_some());
        if is_odd || bare_lf || ends.bare_cr > 0 || oddities.controls || oddities.line_separators {
            let malformations = malformation::find(lines, bare_lf);
            header.oddities.extend(malformations.iter().cloned().map(Oddity::MalformedHeader));
            // To readers of CRLF alone, no other line is empty.
            let goes_on = bare_lf && !lines.ends_with(b"\r\n\r\n");
            let beyond =
                if goes_on { memchr::memmem::find(body, b"\r\n\r\n").map_or(body.len(), |at| at + 2) } else { 0 };
            header.malformed = Some(Box::new(Malformed {
                malformations,
                raw: lines.get(..blocks.end_of_fields()).unwrap_or_default(),
                beyond: body.get(..beyond).unwrap_or_default(),
            }));
        }
        if let Some(offset) = blank_line {
            header.oddities.push(Oddity::BlankLineInField { offset });
        }
        if !ends.are_crlf() {
            header.oddities.push(Oddity::LineEndings(ends));
        }
        if start_of_body.is_none() {
            header.oddities.push(Oddity::NoBody);
        }
        (header, body)
    }

    /// What makes the header malformed in such a way that readers disagree on what it says: the first of each kind, in their order.
    /// Empty for all but very few messages.
    pub fn malformations(&self) -> &[Malformation] {
        self.malformed.as_ref().map_or(&[], |malformed| &malformed.malformations)
    }

    /// The fields of this name that only some readers see; none but where the header is malformed.
    pub(crate) fn readings(&self, name: &str) -> Vec<Reading<'_>> {
        self.malformed.as_ref().map_or_else(Vec::new, |malformed| malformed.readings(name))
    }

    /// What is wrong with the header, where readers may see other From fields than those that are there.
    pub(crate) fn disputed_from(&self) -> Option<&Malformation> {
        let malformed = self.malformed.as_ref().filter(|malformed| malformed.disputes_from())?;
        malformed.malformations.first()
    }

    /// The fields from the top down.
    pub fn fields(&self) -> &[HeaderField<'m>] {
        &self.fields
    }

    /// The fields of this name, in whatever case, from the top down.
    pub fn named<'h>(&'h self, name: &'h str) -> impl DoubleEndedIterator<Item = HeaderField<'m>> + 'h {
        self.fields.iter().copied().filter(move |field| field.is(name))
    }

    /// The author domains that the From fields name.
    pub fn authors(&self) -> Authors {
        Authors::read(self)
    }

    /// What is odd about the header.
    pub fn oddities(&self) -> &[Oddity] {
        &self.oddities
    }

    /// The same, with the fields that stand more often than they may.
    pub(crate) fn oddities_of_fields(&self) -> Vec<Oddity> {
        let counts = SingularCounts::of_header(self);
        let repeated = counts.repeated().filter(|(name, _)| *name != "From");
        let repeated = repeated.map(|(name, count)| Oddity::RepeatedField { name: name.into(), count });
        self.oddities.iter().cloned().chain(repeated).collect()
    }
}

/// A message: header and body, borrowed from the octets it was read from.
///
/// ```
/// use mailverdict::message::Message;
/// let message = Message::parse(b"From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n")?;
/// assert_eq!(message.header().fields().len(), 2);
/// assert_eq!(message.body(), b"Hello\r\n");
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Message<'m> {
    header: Header<'m>,
    body: &'m [u8],
}

impl<'m> Message<'m> {
    /// Splits a message into fields and body; nothing is decoded, converted or copied.
    ///
    /// # Errors
    /// [`MessageError`] where there is no octet at all; everything else that is odd becomes a [`Oddity`].
    pub fn parse(raw: &'m [u8]) -> Result<Self, MessageError> {
        if raw.is_empty() { Err(MessageError::Empty) } else { Ok(Self::written(raw)) }
    }

    /// The same of octets that were written here, and are some.
    pub(crate) fn written(raw: &'m [u8]) -> Self {
        let (header, body) = Header::split(raw);
        Self { header, body }
    }

    /// The header.
    pub fn header(&self) -> &Header<'m> {
        &self.header
    }

    /// What is odd about the header and about the line ends of the body, which is read once for it.
    pub fn oddities(&self) -> Vec<Oddity> {
        let mut oddities = self.header.oddities_of_fields();
        let mut line_ends = BodyLineEnds::default();
        line_ends.whole(self.body);
        oddities.extend(line_ends.oddity());
        oddities
    }

    /// All after the empty line that ends the header, octet for octet.
    pub fn body(&self) -> &'m [u8] {
        self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(raw: &[u8]) -> Vec<String> {
        let header = Header::parse(raw).unwrap();
        header.fields().iter().map(|f| String::from_utf8(f.name().to_vec()).unwrap()).collect()
    }

    /// Kind, place and number of all that is wrong.
    fn kinds(raw: &[u8]) -> Vec<(MalformationKind, usize, usize)> {
        let header = Header::parse(raw).unwrap();
        header.malformations().iter().map(|found| (found.kind, found.offset, found.count)).collect()
    }

    #[test]
    fn fields_run_over_folded_lines_and_the_body_starts_after_the_empty_line() {
        let message = Message::parse(b"A: 1\r\n 2\r\nb : 3\r\n\r\n\r\nbody").unwrap();
        let raw: Vec<_> = message.header().fields().iter().map(HeaderField::raw).collect();
        assert_eq!(raw, [&b"A: 1\r\n 2\r\n"[..], b"b : 3\r\n"]);
        assert_eq!(message.header().fields()[1].name(), b"b");
        assert_eq!(message.header().fields()[1].value(), b" 3\r\n");
        assert_eq!(message.body(), b"\r\nbody");
        assert_eq!(kinds(b"A: 1\r\n 2\r\nb : 3\r\n\r\n\r\nbody"), [(MalformationKind::SpaceBeforeColon, 10, 1)]);
        assert_eq!(Header::parse(b"A: 1\r\n 2\r\nb: 3\r\n\r\n").unwrap().oddities(), []);
    }

    #[test]
    fn a_bare_lf_ends_a_line_and_is_reported() {
        let header = Header::parse(b"A: 1\nFrom: b\r\n\r\n").unwrap();
        assert_eq!(header.fields().len(), 2);
        let ends = LineEndings { crlf: 2, bare_lf: 1, bare_cr: 0 };
        assert_eq!(header.oddities()[1..], [Oddity::LineEndings(ends)]);
        assert_eq!(kinds(b"A: 1\nFrom: b\r\n\r\n"), [(MalformationKind::BareLf, 4, 1)]);
    }

    #[test]
    fn lf_throughout_is_a_file_of_unix_and_beside_crlf_it_is_malformed() {
        let message = Message::parse(b"A: 1\n\nbody\n").unwrap();
        assert_eq!(message.body(), b"body\n");
        assert_eq!(message.header().malformations(), []);
        assert_eq!(kinds(b"A: 1\n\nbody\r\n"), [(MalformationKind::BareLf, 4, 2)]);
        assert_eq!(kinds(b"A: 1\r\n\nbody\r\n"), [(MalformationKind::BareLf, 6, 1)]);
        assert_eq!(kinds(b"A: 1\r\n\r\nbody\n"), []);
    }

    #[test]
    fn bare_line_ends_of_the_body_are_reported() {
        let oddities = |raw| Message::parse(raw).unwrap().oddities();
        assert_eq!(oddities(b"A: 1\r\n\r\na\r\n\r\nb"), []);
        let ends = LineEndings { crlf: 1, bare_lf: 1, bare_cr: 1 };
        assert_eq!(oddities(b"A: 1\r\n\r\na\nb\rc\r\n"), [Oddity::BodyLineEndings(ends)]);
        let shown = Oddity::BodyLineEndings(ends).to_string();
        assert_eq!(shown, "the body has 1 bare LF and 1 bare CR beside 1 CRLF");
    }

    #[test]
    fn a_bare_cr_ends_nothing_and_is_reported() {
        let header = Header::parse(b"A: 1\rFrom: b\r\n\r\n").unwrap();
        assert_eq!(header.fields().len(), 1);
        assert!(matches!(
            header.oddities(),
            [Oddity::MalformedHeader(_), Oddity::LineEndings(LineEndings { bare_cr: 1, .. })]
        ));
        assert_eq!(kinds(b"A: 1\rFrom: b\r\n\r\n"), [(MalformationKind::BareCr, 4, 1)]);
    }

    #[test]
    fn lines_that_are_no_fields_are_passed_over_and_reported_once() {
        let raw = b"A: 1\r\njunk\r\n more\r\nB: 2\r\n: 3\r\nN\xc3\xa4: 4\r\n\r\n";
        assert_eq!(names(raw), ["A", "B"]);
        let header = Header::parse(raw).unwrap();
        let texts: Vec<_> = header.oddities().iter().map(ToString::to_string).collect();
        let wanted = "the header is malformed at octet 6: a line that is no header field, \"junk\" (the first of 3)";
        assert_eq!(texts, [wanted]);
    }

    #[test]
    fn each_kind_of_malformation_is_told_at_its_first_place() {
        use MalformationKind::*;
        for (raw, wanted) in [
            (&b"A: 1\r\nB C: 2\r\n\r\n"[..], &[(NotAField, 6, 1)][..]),
            (b"A: 1\r\nB\x01: 2\r\n\r\n", &[(NotAField, 6, 1), (Control, 7, 1)]),
            (b" A: 1\r\nB: 2\r\n\r\n", &[(NotAField, 0, 1)]),
            (b"A: 1\r\nB\t : 2\r\nC : 3\r\n\r\n", &[(SpaceBeforeColon, 6, 2)]),
            (b"A: 1\r\nB\r\n : 2\r\n\r\n", &[(SpaceBeforeColon, 6, 1)]),
            (b"A: 1\r\nFrom a@b Thu\r\n\r\n", &[(MboxSeparator, 6, 1)]),
            (b"From a@b Thu\r\n folded\r\nA: 1\r\n\r\n", &[(NotAField, 14, 1)]),
            (b"From a@b\x00Thu\r\nA: 1\r\n\r\n", &[(Nul, 8, 1)]),
            (b"\xef\xbb\xbfA: 1\r\nB: 1\r\n\r\n", &[(ByteOrderMark, 0, 1)]),
            (b"A: 1\r\nB: \x00\x00\r\n\r\n", &[(Nul, 9, 2)]),
            (b"A: \x0b\r\nB: \x7f\x1b\r\n\r\n", &[(Control, 3, 3)]),
            (b"A: 1\r\r\nB: 2\r\n\r\n", &[(BareCr, 4, 1)]),
            (b"A: 1\r\n\r\r\n\r\n", &[(NotAField, 6, 1), (BareCr, 6, 1)]),
            (b"A: 1\r\nB: 2\r", &[(BareCr, 10, 1)]),
            (b"A: \xe2\x80\xa8\r\nB: \xc2\x85\r\n\r\n", &[(LineSeparator, 3, 2)]),
            // What real mail has.
            (b"From a@b Thu\r\nA: 1\r\n\r\n", &[]),
            (b"A: J\xf6rg \xc3\xa4\xe2\x80\xa6 \x85\tx\r\n\t \r\n x\r\n\r\n\x00\r", &[]),
            (b"A: 1\r\nB: 2\r\n", &[]),
        ] {
            assert_eq!(kinds(raw), wanted, "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn a_malformation_quotes_a_part_of_a_line() {
        let raw = [&b"A: 1\r\n"[..], &[b'"'; 100], b"\x1b[31m\r\n\r\n"].concat();
        let quoted: Vec<_> =
            Header::parse(&raw).unwrap().malformations().iter().map(|found| found.text.clone()).collect();
        assert_eq!(quoted, ["\"".repeat(48).into(), format!(r"{}\027[31m", "\"".repeat(24)).into()]);
    }

    #[test]
    fn a_line_of_white_space_within_a_field_is_a_finding_and_no_more() {
        let header = Header::parse(b"A: 1\r\n \t\r\n 2\r\nB: 3\r\n \r\n\r\n").unwrap();
        assert_eq!(header.fields().len(), 2);
        assert_eq!(header.malformations(), []);
        assert_eq!(header.oddities(), [Oddity::BlankLineInField { offset: 6 }]);
        assert_eq!(Header::parse(b"A: 1\r\n \t.\r\n\r\n").unwrap().oddities(), []);
    }

    #[test]
    fn fields_that_must_stand_once_are_told_where_they_do_not() {
        let oddities = |raw| Message::parse(raw).unwrap().oddities();
        let raw = b"Subject: a\r\nsubject: b\r\nTo: c\r\nFrom: d\r\nFrom: e\r\nReceived: f\r\nReceived: g\r\n\r\n";
        assert_eq!(oddities(raw), [Oddity::RepeatedField { name: "Subject".into(), count: 2 }]);
    }

    #[test]
    fn the_separator_of_an_mbox_file_is_no_field() {
        let header = Header::parse(b"From a@b Thu Jan  1 00:00:00 1970\r\nA: 1\r\n\r\n").unwrap();
        assert_eq!(header.fields().len(), 1);
        assert_eq!(header.oddities(), [Oddity::MboxSeparator]);
        assert_eq!(names(b"From : a@b\r\nA: 1\r\n\r\n"), ["From", "A"]);
    }

    #[test]
    fn what_has_no_octet_is_no_message() {
        assert_eq!(Message::parse(b"").unwrap_err(), MessageError::Empty);
    }

    #[test]
    fn a_message_without_a_field_has_a_body_and_no_author() {
        for (raw, body) in [
            (&b"\r\nbody"[..], &b"body"[..]),
            (b"no colon here", b""),
            (b"\0\xff\x80", b""),
            (b"\n\n\n", b"\n\n"),
            (b" folded: first\r\n", b""),
            (b"From a@b Thu\r\n", b""),
        ] {
            let message = Message::parse(raw).unwrap();
            assert_eq!((message.header().fields(), message.body()), (&[][..], body), "{raw:?}");
            assert!(message.oddities().contains(&Oddity::NoField), "{raw:?}");
            assert_eq!(message.header().authors().oddities(), [Oddity::NoAuthorDomain { value: None }], "{raw:?}");
        }
    }

    #[test]
    fn a_header_without_an_end_has_no_body() {
        let message = Message::parse(b"A: 1\r\nB: 2").unwrap();
        assert_eq!(message.header().fields().len(), 2);
        assert_eq!(message.body(), b"");
        assert_eq!(message.header().oddities(), [Oddity::NoBody]);
    }
}
