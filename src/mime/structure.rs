//! The parts of a body (RFC 2045, RFC 2046), read once from top to bottom, and no more of it than changes are searched in.

use std::ops::Range;

/// Parts that are told apart; what comes beyond belongs to the last of them.
const MAX_PARTS: usize = 64;
/// Multiparts within each other.
const MAX_DEPTH: usize = 8;
/// Octets of a boundary (RFC 2046 §5.1.1 has 70).
const MAX_BOUNDARY: usize = 200;

/// How a part is encoded (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// 7bit, 8bit, binary, none named, or one that is not known.
    Plain,
    QuotedPrintable,
    Base64,
}

/// A part without parts, or a multipart; the whole body is the first one.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Octets of the body; empty for the whole body.
    pub(crate) header: Range<usize>,
    /// All of it, without the line end before the delimiter that ends it.
    pub(crate) content: Range<usize>,
    pub(crate) encoding: Encoding,
    pub(crate) is_multipart: bool,
    pub(crate) is_html: bool,
    pub(crate) is_text: bool,
    pub(crate) is_message: bool,
}

/// The parts of a body, and where its delimiters stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Structure {
    pub(crate) parts: Vec<Part>,
    /// Where the lines begin that tell parts apart, each with its end.
    pub(crate) delimiters: Vec<Range<usize>>,
    /// Whether the outermost multipart has its last delimiter.
    pub(crate) is_closed: bool,
}

/// A multipart that is open.
struct Open {
    boundary: Vec<u8>,
    part: usize,
}

impl Structure {
    /// Of a body whose header says this of it.
    pub(crate) fn of(content_type: &[u8], transfer_encoding: &[u8], body: &[u8]) -> Self {
        let mut structure = Self { is_closed: true, ..Self::default() };
        let mut open: Vec<Open> = Vec::new();
        structure.begin(0..0, 0..body.len(), content_type, transfer_encoding, &mut open);
        if open.is_empty() {
            return structure;
        }
        structure.is_closed = false;
        // The part that is being read, and where the header of the next one begins.
        let mut leaf: Option<usize> = None;
        let mut header: Option<usize> = None;
        for (start, end) in lines(body) {
            let line = body.get(start..end).unwrap_or_default();
            let text = line.trim_ascii_end();
            if let Some((level, is_last)) = line.strip_prefix(b"--").and_then(|rest| delimits(rest, &open)) {
                let before = start.saturating_sub(2);
                structure.end(leaf.take(), before);
                for closed in open.drain(level + 1..) {
                    structure.end(Some(closed.part), before);
                }
                structure.delimiters.push(start..end);
                header = Some(end);
                if is_last {
                    header = None;
                    if let Some(closed) = open.pop() {
                        // What follows the last delimiter still belongs to the multipart, but for the outermost, which is all there is.
                        structure.end((!open.is_empty()).then_some(closed.part), end);
                    }
                    if open.is_empty() {
                        structure.is_closed = true;
                        break;
                    }
                }
                if structure.parts.len() >= MAX_PARTS {
                    break;
                }
            } else if let Some(from) = header.filter(|_| text.is_empty()) {
                header = None;
                let fields = body.get(from..start).unwrap_or_default();
                let content_type = field(fields, b"content-type").unwrap_or_else(|| b"text/plain".to_vec());
                let encoding = field(fields, b"content-transfer-encoding").unwrap_or_default();
                let depth = open.len();
                let place = structure.begin(from..start, end..body.len(), &content_type, &encoding, &mut open);
                leaf = (open.len() == depth).then_some(place);
            }
        }
        structure
    }

    /// A part begins; its place.
    fn begin(
        &mut self,
        header: Range<usize>,
        content: Range<usize>,
        content_type: &[u8],
        encoding: &[u8],
        open: &mut Vec<Open>,
    ) -> usize {
        let kind = content_type.trim_ascii_start().to_ascii_lowercase();
        let boundary = if kind.starts_with(b"multipart/") { boundary(content_type) } else { None };
        let encoding = encoding.trim_ascii();
        let part = Part {
            header,
            content,
            encoding: if encoding.eq_ignore_ascii_case(b"quoted-printable") {
                Encoding::QuotedPrintable
            } else if encoding.eq_ignore_ascii_case(b"base64") {
                Encoding::Base64
            } else {
                Encoding::Plain
            },
            is_multipart: boundary.is_some(),
            is_html: kind.starts_with(b"text/html"),
            is_text: kind.is_empty() || kind.starts_with(b"text/"),
            is_message: kind.starts_with(b"message/rfc822"),
        };
        self.parts.push(part);
        let place = self.parts.len() - 1;
        if let Some(boundary) = boundary.filter(|_| open.len() < MAX_DEPTH) {
            open.push(Open { boundary, part: place });
        }
        place
    }

    fn end(&mut self, part: Option<usize>, at: usize) {
        if let Some(part) = part.and_then(|part| self.parts.get_mut(part)) {
            part.content.end = at.max(part.content.start);
        }
    }

    /// Those that have text of their own.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.is_multipart)
    }
}

/// The level of the multipart that the line behind `--` delimits, and whether it is the last of its delimiters.
fn delimits(rest: &[u8], open: &[Open]) -> Option<(usize, bool)> {
    open.iter().enumerate().rev().find_map(|(level, open)| {
        let after = rest.strip_prefix(&open.boundary[..])?.trim_ascii_end();
        match after {
            b"" => Some((level, false)),
            b"--" => Some((level, true)),
            _ => None,
        }
    })
}

/// The lines of a text with their line ends: from where to where.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    let mut ends = memchr::memchr_iter(b'\n', text).map(|at| at + 1);
    std::iter::from_fn(move || {
        let end = ends.next().unwrap_or(text.len());
        let line = (start, end);
        (start < end).then(|| {
            start = end;
            line
        })
    })
}

/// The value of the first field of this name, given in lower case, unfolded.
pub(crate) fn field(fields: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let range = field_range(fields, name)?;
    let text = fields.get(range)?;
    let value = text.get(name.len()..)?.trim_ascii_start().strip_prefix(b":")?;
    Some(value.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect())
}

/// Where the first field of this name, given in lower case, stands, its line end included.
pub(crate) fn field_range(fields: &[u8], name: &[u8]) -> Option<Range<usize>> {
    let mut found: Option<Range<usize>> = None;
    for (start, end) in lines(fields) {
        let line = fields.get(start..end)?;
        let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
        if let Some(range) = &mut found {
            if !is_folded {
                break;
            }
            range.end = end;
        } else if line.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name))
            && line.get(name.len()..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
        {
            found = Some(start..end);
        }
    }
    found
}

/// The parameter `boundary` (RFC 2046 §5.1.1).
fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let lower = content_type.to_ascii_lowercase();
    let at = memchr::memmem::find(&lower, b"boundary")? + b"boundary".len();
    let value = content_type.get(at..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let text = match value.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|octet| *octet == b'"').next()?,
        None => value.split(|octet| matches!(octet, b';' | b' ' | b'\t' | b'\r' | b'\n')).next()?,
    };
    (!text.is_empty() && text.len() <= MAX_BOUNDARY).then(|| text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"preamble\r\n--a\r\nContent-Type: multipart/alternative;\r\n boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\n\
        Content-Type: text/html\r\nContent-Transfer-Encoding: Base64\r\n\r\nPGI+\r\n--b--\r\n\r\n--a\r\nContent-Type: image/png\r\n\r\n\
        x\r\n\r\n--a--\r\nepilogue\r\n";

    #[test]
    fn parts_are_told_apart_by_their_delimiters() {
        let structure = Structure::of(b" multipart/mixed; boundary=\"a\"", b"", BODY);
        let leaves: Vec<_> =
            structure.leaves().map(|part| BODY[part.content.clone()].escape_ascii().to_string()).collect();
        assert_eq!(leaves, ["plain", "PGI+", "x\\r\\n"]);
        let kinds: Vec<_> = structure.leaves().map(|part| (part.is_text, part.is_html, part.encoding)).collect();
        use Encoding::{Base64, Plain};
        assert_eq!(kinds, [(true, false, Plain), (true, true, Base64), (false, false, Plain)]);
        assert_eq!(structure.delimiters.len(), 6);
        assert!(structure.is_closed);
        let inner = &structure.parts[1];
        assert!(inner.is_multipart && BODY[inner.content.clone()].ends_with(b"--b--\r\n"));
    }

    #[test]
    fn what_is_no_multipart_is_one_part() {
        for content_type in ["", "text/plain", "multipart/mixed", "multipart/mixed; boundary=\"\""] {
            let structure = Structure::of(content_type.as_bytes(), b"base64", BODY);
            assert_eq!(structure.parts.len(), 1);
            assert_eq!(structure.parts[0].content, 0..BODY.len());
        }
        let cut = Structure::of(b"multipart/mixed; boundary=a", b"", &BODY[..60]);
        assert!(!cut.is_closed);
    }

    #[test]
    fn fields_are_found_with_their_folds() {
        let fields = b"A: 1\r\nContent-Type: x;\r\n\ty\r\nB: 2\r\n";
        assert_eq!(field_range(fields, b"content-type"), Some(6..28));
        assert_eq!(field(fields, b"content-type").unwrap(), b" x;\ty");
        assert_eq!(field(fields, b"content"), None);
    }
}
