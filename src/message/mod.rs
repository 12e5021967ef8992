//! A message as it was received: header fields and body, borrowed, never copied.

mod author;
mod field;
mod line_endings;
mod possible_domains;

pub use author::Authors;
pub use field::HeaderField;
pub use line_endings::{LineEndings, to_crlf};

/// Why octets are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// No octet at all.
    #[error("the message is empty")]
    Empty,
    /// Not one header field before the first empty line (or the end).
    #[error("the message has no header: its first line is no header field (\"Name: value\")")]
    NoHeader,
}

/// What is odd about a message, though it could be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Finding {
    /// A line of the header that is neither a field nor the continuation of one (RFC 5322 §2.2); passed over.
    NotAField {
        /// Octets from the start of the message.
        offset: usize,
    },
    /// The mailbox separator `From …` of an mbox file stands before the header; passed over.
    MboxSeparator,
    /// The header holds line ends other than CRLF.
    LineEndings(LineEndings),
    /// The body holds line ends other than CRLF; DKIM and ARC hash them as they stand.
    BodyLineEndings(LineEndings),
    /// There is no empty line after the header, and so no body (RFC 5322 §3.5).
    NoBody,
    /// The header has more than one From field (RFC 5322 §3.6 allows one).
    ManyFromFields {
        /// How many.
        count: usize,
    },
    /// The From fields name more than one author domain (RFC 9989 §5.3.1, §11.5).
    ManyAuthorDomains {
        /// How many distinct ones.
        count: usize,
    },
    /// A From field does not follow the grammar of RFC 5322 §3.4.
    MalformedFrom {
        /// Where, in octets from the field's colon, and what was expected there.
        error: crate::lex::SyntaxError,
    },
    /// No author domain could be read (RFC 9989 §5.3.1).
    NoAuthorDomain,
    /// The local part of an address in From holds an encoded word, which RFC 2047 §5 forbids; some readers decode it.
    EncodedLocalPart {
        /// Its beginning, with everything but printable ASCII escaped.
        local_part: Box<str>,
    },
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAField { offset } => write!(f, "the line at octet {offset} of the header is no header field"),
            Self::MboxSeparator => f.write_str("the separator line of an mbox file stands before the header"),
            Self::LineEndings(ends) => write!(
                f,
                "the header has {} bare LF and {} bare CR beside {} CRLF",
                ends.bare_lf, ends.bare_cr, ends.crlf
            ),
            Self::BodyLineEndings(ends) => write!(
                f,
                "the body has {} bare LF and {} bare CR beside {} CRLF",
                ends.bare_lf, ends.bare_cr, ends.crlf
            ),
            Self::NoBody => f.write_str("no empty line ends the header, so there is no body"),
            Self::ManyFromFields { count } => write!(f, "there are {count} From fields; one is allowed"),
            Self::ManyAuthorDomains { count } => {
                write!(f, "the From field names {count} author domains; one is expected")
            }
            Self::MalformedFrom { error } => write!(f, "the From field is malformed: {error}"),
            Self::NoAuthorDomain => f.write_str("no author domain could be read from a From field"),
            Self::EncodedLocalPart { local_part } => write!(
                f,
                "the local part \"{local_part}\" in the From field holds an encoded word, which some readers decode"
            ),
        }
    }
}

/// The header of a message.
///
/// Lines end at LF, with or without a CR before it: what a reader's mail program takes for a field is a field here as well, so
/// that no second `From` hides behind a bare LF. The octets themselves stay as they are, for hashing.
#[derive(Clone, Debug)]
pub struct Header<'m> {
    fields: Vec<HeaderField<'m>>,
    findings: Vec<Finding>,
}

impl<'m> Header<'m> {
    /// Reads the fields of a header; an empty line at its end is optional, what follows it is not looked at.
    ///
    /// # Errors
    /// [`MessageError`] where there is no field at all.
    pub fn parse(raw: &'m [u8]) -> Result<Self, MessageError> {
        Self::split(raw).map(|(header, _)| header)
    }

    fn split(raw: &'m [u8]) -> Result<(Self, &'m [u8]), MessageError> {
        if raw.is_empty() {
            return Err(MessageError::Empty);
        }
        let mut header = Self { fields: Vec::with_capacity(32), findings: Vec::new() };
        // Octets before `field_start` are done with; a field runs until a line that does not begin with white space.
        let mut line_start = 0;
        let mut field_start = None;
        let mut body = None;
        while let Some(rest) = raw.get(line_start..).filter(|rest| !rest.is_empty()) {
            let line_len = memchr::memchr(b'\n', rest).map_or(rest.len(), |lf| lf + 1);
            let line = rest.get(..line_len).unwrap_or_default();
            let folded = matches!(line.first(), Some(b' ' | b'\t'));
            if !folded || field_start.is_none() {
                header.close_field(raw, field_start.take(), line_start);
                if matches!(line, b"\r\n" | b"\n") {
                    body = Some(rest.get(line_len..).unwrap_or_default());
                    line_start += line_len;
                    break;
                }
                // RFC 5322 §4.5: `From : …` is a field, and a separator is not.
                if line_start == 0 && line.starts_with(b"From ") && HeaderField::parse(line).is_none() {
                    header.findings.push(Finding::MboxSeparator);
                } else {
                    field_start = Some(line_start);
                }
            }
            line_start += line_len;
        }
        header.close_field(raw, field_start, line_start);
        if header.fields.is_empty() {
            return Err(MessageError::NoHeader);
        }
        let lines = raw.get(..line_start).unwrap_or_default();
        if line_endings::has_bare_ends(lines) {
            header.findings.push(Finding::LineEndings(LineEndings::of(lines)));
        }
        if body.is_none() {
            header.findings.push(Finding::NoBody);
        }
        Ok((header, body.unwrap_or_default()))
    }

    fn close_field(&mut self, raw: &'m [u8], start: Option<usize>, end: usize) {
        let Some(start) = start else { return };
        match raw.get(start..end).and_then(HeaderField::parse) {
            Some(field) => self.fields.push(field),
            // One finding speaks for many such lines.
            None if self.findings.iter().any(|f| matches!(f, Finding::NotAField { .. })) => {}
            None => self.findings.push(Finding::NotAField { offset: start }),
        }
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
    pub fn findings(&self) -> &[Finding] {
        &self.findings
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
    /// [`MessageError`] where there is no header field at all; everything else that is odd becomes a [`Finding`].
    pub fn parse(raw: &'m [u8]) -> Result<Self, MessageError> {
        Header::split(raw).map(|(header, body)| Self { header, body })
    }

    /// The header.
    pub fn header(&self) -> &Header<'m> {
        &self.header
    }

    /// What is odd about the header and about the line ends of the body, which is read once for it.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.header.findings.clone();
        if line_endings::has_bare_ends(self.body) {
            findings.push(Finding::BodyLineEndings(LineEndings::of(self.body)));
        }
        findings
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

    #[test]
    fn fields_run_over_folded_lines_and_the_body_starts_after_the_empty_line() {
        let message = Message::parse(b"A: 1\r\n 2\r\nb : 3\r\n\r\n\r\nbody").unwrap();
        let raw: Vec<_> = message.header().fields().iter().map(HeaderField::raw).collect();
        assert_eq!(raw, [&b"A: 1\r\n 2\r\n"[..], b"b : 3\r\n"]);
        assert_eq!(message.header().fields()[1].name(), b"b");
        assert_eq!(message.header().fields()[1].value(), b" 3\r\n");
        assert_eq!(message.body(), b"\r\nbody");
        assert_eq!(message.header().findings(), []);
    }

    #[test]
    fn a_bare_lf_ends_a_line_and_is_reported() {
        let header = Header::parse(b"A: 1\nFrom: b\r\n\r\n").unwrap();
        assert_eq!(header.fields().len(), 2);
        let ends = LineEndings { crlf: 2, bare_lf: 1, bare_cr: 0 };
        assert_eq!(header.findings(), [Finding::LineEndings(ends)]);
        let message = Message::parse(b"A: 1\n\nbody\n").unwrap();
        assert_eq!(message.body(), b"body\n");
    }

    #[test]
    fn bare_line_ends_of_the_body_are_reported() {
        let findings = |raw| Message::parse(raw).unwrap().findings();
        assert_eq!(findings(b"A: 1\r\n\r\na\r\n\r\nb"), []);
        let ends = LineEndings { crlf: 1, bare_lf: 1, bare_cr: 1 };
        assert_eq!(findings(b"A: 1\r\n\r\na\nb\rc\r\n"), [Finding::BodyLineEndings(ends)]);
        let shown = Finding::BodyLineEndings(ends).to_string();
        assert_eq!(shown, "the body has 1 bare LF and 1 bare CR beside 1 CRLF");
    }

    #[test]
    fn a_bare_cr_ends_nothing_and_is_reported() {
        let header = Header::parse(b"A: 1\rFrom: b\r\n\r\n").unwrap();
        assert_eq!(header.fields().len(), 1);
        assert!(matches!(header.findings(), [Finding::LineEndings(LineEndings { bare_cr: 1, .. })]));
    }

    #[test]
    fn lines_that_are_no_fields_are_passed_over_and_reported_once() {
        let raw = b"A: 1\r\njunk\r\n more\r\nB: 2\r\n: 3\r\nN\xc3\xa4: 4\r\n\r\n";
        assert_eq!(names(raw), ["A", "B"]);
        let header = Header::parse(raw).unwrap();
        assert_eq!(header.findings(), [Finding::NotAField { offset: 6 }]);
    }

    #[test]
    fn the_separator_of_an_mbox_file_is_no_field() {
        let header = Header::parse(b"From a@b Thu Jan  1 00:00:00 1970\r\nA: 1\r\n\r\n").unwrap();
        assert_eq!(header.fields().len(), 1);
        assert_eq!(header.findings(), [Finding::MboxSeparator]);
        assert_eq!(names(b"From : a@b\r\nA: 1\r\n\r\n"), ["From", "A"]);
    }

    #[test]
    fn what_has_no_header_is_no_message() {
        assert_eq!(Message::parse(b"").unwrap_err(), MessageError::Empty);
        for raw in [&b"\r\nbody"[..], b"no colon here", b"\0\xff\x80", b"\n\n\n", b" folded: first\r\n"] {
            assert_eq!(Message::parse(raw).unwrap_err(), MessageError::NoHeader, "{raw:?}");
        }
    }

    #[test]
    fn a_header_without_an_end_has_no_body() {
        let message = Message::parse(b"A: 1\r\nB: 2").unwrap();
        assert_eq!(message.header().fields().len(), 2);
        assert_eq!(message.body(), b"");
        assert_eq!(message.header().findings(), [Finding::NoBody]);
    }
}
