//! What other readers make of a malformed header: fields that begin or end elsewhere, and ends of the header.

use super::{
    HeaderField, Malformation, MalformationKind,
    block::{Blocks, mbox_separator},
    malformation::{BYTE_ORDER_MARK, line_separator},
};

/// A malformed header, with what is wrong with it.
#[derive(Clone, Debug)]
pub(super) struct Malformed<'m> {
    /// The first of each kind, in their order.
    pub(super) malformations: Vec<Malformation>,
    /// The header without its empty line.
    pub(super) raw: &'m [u8],
    /// What stands behind the empty line, where the header goes on there for readers to whom that line is none.
    pub(super) beyond: &'m [u8],
}

/// A field that only some readers see, or that only they see so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'m> {
    /// As those readers see it.
    pub(crate) field: HeaderField<'m>,
    /// How many fields of the header stand above what holds it: the place of that, where it is a field.
    pub(crate) fields_above: usize,
    /// Where it stands.
    pub(crate) holder: Holder,
    /// Whether it is the reading before once more, which goes on to the end of what holds it.
    goes_on: bool,
}

impl Reading<'_> {
    /// Whether it is a field more, and not one that was met before and ends elsewhere.
    pub(crate) fn is_another_field(&self) -> bool {
        self.holder != Holder::Itself && !self.goes_on
    }
}

/// What holds a field that only some readers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A field of this name, of which it is the beginning.
    Itself,
    /// The text of a field.
    Field,
    /// Lines that are no field, or what follows the header.
    Other,
}

impl Malformed<'_> {
    /// Whether readers may see other From fields than those of the header.
    pub(super) fn disputes_from(&self) -> bool {
        let bare_lf = self.malformations.iter().any(|malformation| malformation.kind == MalformationKind::BareLf);
        let first_end = self.first_end();
        let is_disputed = |offset: usize, raw: &[u8]| {
            // Whoever takes CRLF alone for the end of a line sees neither this begin nor a line in it end.
            let odd_lines = offset > 0 && !self.raw.get(..offset).is_some_and(|above| above.ends_with(b"\r\n"))
                || raw
                    .split_inclusive(|octet| *octet == b'\n')
                    .any(|line| line.ends_with(b"\n") && !line.ends_with(b"\r\n"));
            // Whoever ends the header above, or within, does not see it.
            first_end.is_some_and(|end| end < offset + raw.len()) || bare_lf && odd_lines
        };
        let is_from = |raw| HeaderField::parse(raw).is_some_and(|field| field.is("From"));
        let start = mbox_separator(self.raw);
        Blocks::starting_at(self.raw, start).any(|block| is_from(block.raw) && is_disputed(block.offset, block.raw))
            || !self.readings("From").is_empty()
    }

    /// Where the first reader ends the header above its end, in octets from the start of the message: at a line that is no field,
    /// or at a NUL.
    fn first_end(&self) -> Option<usize> {
        let separator = mbox_separator(self.raw);
        let nul = memchr::memchr(0, self.raw);
        let mut lines = Pieces::of(self.raw).filter(|piece| piece.is_line && (piece.offset > 0 || separator == 0));
        let line = lines.find(|line| {
            let field = self.raw.get(line.offset..).and_then(HeaderField::parse);
            let goes_on = line.offset > separator && line.is_continuation();
            !goes_on && field.is_none_or(|field| field.has_space_before_colon())
        });
        let line = line.map(|line| line.offset);
        nul.into_iter().chain(line).min()
    }

    /// The fields of this name that only some readers see, in their order: those that begin at a bare CR, or behind another control, and
    /// those that end at one. Where it is not plain how far one goes, it is there twice.
    pub(super) fn readings(&self, name: &str) -> Vec<Reading<'_>> {
        let mut readings = Vec::new();
        let separator = mbox_separator(self.raw);
        let mut within = |raw, place| readings_within(raw, name, place, &mut readings);
        within(self.raw.get(..separator).unwrap_or_default(), (0, Holder::Other));
        let mut fields_above = 0;
        for block in Blocks::starting_at(self.raw, separator) {
            let is_field = HeaderField::parse(block.raw).is_some();
            within(block.raw, (fields_above, if is_field { Holder::Field } else { Holder::Other }));
            fields_above += usize::from(is_field);
        }
        within(self.beyond, (fields_above, Holder::Other));
        readings
    }
}

/// The fields of this name that some readers see in lines that are held to be one field, or none.
fn readings_within<'m>(
    raw: &'m [u8],
    name: &str,
    (fields_above, holder): (usize, Holder),
    readings: &mut Vec<Reading<'m>>,
) {
    let field = |start: usize, end: usize| {
        let raw = raw.get(start..end)?;
        HeaderField::parse_leniently(raw.get(margin(raw)..)?, name)
    };
    let mut add = |start, end, holder, goes_on| {
        readings.extend(field(start, end).map(|field| Reading { field, fields_above, holder, goes_on }));
    };
    let mut is_itself = holder == Holder::Field && HeaderField::parse(raw).is_some_and(|field| field.is(name));
    let mut is_first = true;
    // Where one begins, and where its value does.
    let mut open: Option<(usize, usize)> = None;
    // What continues a line that is no field may begin one, to whoever passes over that line.
    let begins = |piece: &Piece<'_>| holder == Holder::Other || !piece.is_continuation();
    let ends = Pieces::of(raw).filter(begins).map(Some).chain([None]);
    for piece in ends {
        let (end, ends_line) = piece.map_or((raw.len(), false), |piece| (piece.offset, piece.is_line));
        // A form feed or a CR may stand before the colon.
        if let Some((start, _)) = open.take_if(|(_, value)| *value <= end) {
            add(start, end, holder, false);
            // As far as it may go, for the first one alone: for each of them, that would be a square of text.
            if std::mem::take(&mut is_first) && end < raw.len() {
                add(start, raw.len(), holder, true);
            }
        }
        let is_end = end > 0 && end < raw.len() && (ends_line || raw.get(end - 1) == Some(&0));
        if is_itself && is_end {
            is_itself = false;
            add(0, end, Holder::Itself, false);
        }
        if open.is_none()
            && (end > 0 || holder == Holder::Other)
            && let Some(field) = field(end, raw.len())
        {
            open = Some((end, raw.len() - field.value().len()));
        }
    }
}

/// Octets ahead of a name that some readers trim: white space, and what is not ASCII and no break. Breaks begin pieces of their own, so
/// that no octet is passed over for more than one of them.
fn margin(raw: &[u8]) -> usize {
    let is_trimmed = |at: &usize| match raw.get(*at) {
        Some(b' ' | b'\t') => true,
        Some(0x80..) => break_at(raw, *at).is_none(),
        Some(_) | None => false,
    };
    (0..raw.len()).find(|at| !is_trimmed(at)).unwrap_or(raw.len())
}

/// What stands between two places at which some reader ends a line, or begins to read.
#[derive(Clone, Copy, Debug)]
struct Piece<'m> {
    offset: usize,
    raw: &'m [u8],
    /// Whether it is a line to some readers, and not merely what stands behind a control.
    is_line: bool,
}

impl Piece<'_> {
    fn is_continuation(&self) -> bool {
        self.offset > 0 && matches!(self.raw.first(), Some(b' ' | b'\t'))
    }
}

/// The pieces of a text, each with the octets that end it.
#[derive(Clone, Debug)]
struct Pieces<'m> {
    raw: &'m [u8],
    at: usize,
    is_line: bool,
}

impl<'m> Pieces<'m> {
    fn of(raw: &'m [u8]) -> Self {
        Self { raw, at: 0, is_line: true }
    }
}

impl<'m> Iterator for Pieces<'m> {
    type Item = Piece<'m>;

    fn next(&mut self) -> Option<Piece<'m>> {
        let (offset, is_line) = (self.at, self.is_line);
        let rest = self.raw.get(offset..).filter(|rest| !rest.is_empty())?;
        let (at, octets, ends_line) = (0..rest.len())
            .find_map(|at| break_at(rest, at).map(|(octets, line)| (at, octets, line)))
            .unwrap_or((rest.len(), 0, true));
        let len = at + octets;
        self.at += len;
        self.is_line = ends_line;
        Some(Piece { offset, raw: rest.get(..len).unwrap_or_default(), is_line })
    }
}

/// How many octets from `at` on some reader takes for the end of a line, or passes over, and whether it is the former.
fn break_at(text: &[u8], at: usize) -> Option<(usize, bool)> {
    let rest = text.get(at..)?;
    if let Some(octets) = line_separator(rest) {
        return Some((octets, true));
    }
    if rest.starts_with(BYTE_ORDER_MARK) {
        return Some((BYTE_ORDER_MARK.len(), false));
    }
    match rest {
        [b'\r', b'\n', ..] => Some((2, true)),
        // VT, FF, FS, GS and RS end lines to Python's `splitlines` and its like.
        [b'\r' | b'\n' | 0x0b | 0x0c | 0x1c..=0x1e, ..] => Some((1, true)),
        // NEL of ISO 8859 as well, though it may be a part of another character here.
        [0..=0x08 | 0x0e..=0x1f | 0x7f | 0x85, ..] => Some((1, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Header;

    fn readings(raw: &[u8], name: &str) -> Vec<String> {
        let header = Header::parse(raw).unwrap();
        let readings = header.readings(name);
        readings
            .iter()
            .map(|reading| format!("{} {:?} {:?}", reading.fields_above, reading.holder, reading.field))
            .collect()
    }

    #[test]
    fn a_well_formed_header_has_one_reading() {
        assert_eq!(readings(b"Subject: x\r\n From: b\r\nFrom: a\r\n\r\nFrom: c", "From"), [] as [&str; 0]);
        assert_eq!(readings(b"Subject: x\nFrom: a\n\nFrom: c\n", "From"), [] as [&str; 0]);
    }

    #[test]
    fn a_field_is_seen_behind_each_control_and_line_end() {
        let breaks = (0..0x20).chain([0x7f, 0x85]).filter(|octet| !b"\t\n".contains(octet)).map(|octet| vec![octet]);
        for octets in
            breaks.chain([b"\xc2\x85".to_vec(), b"\xe2\x80\xa8".to_vec(), b"\xe2\x80\xa9".to_vec(), b"\r\r".to_vec()])
        {
            // Octets of 0x85 alone are common in UTF-8: they count where something else is wrong.
            let raw = [b"A: \x00\r\nSubject: x", &octets[..], b"from: b\r\n c\r\n\r\n"].concat();
            assert_eq!(readings(&raw, "From"), ["1 Field \"from: b\\r\\n c\\r\\n\""], "{octets:?}");
        }
    }

    #[test]
    fn a_field_ends_where_some_reader_ends_it() {
        let found = readings(b"From: a\rX: b\r\nSubject: c\rFrom: d\x0be\r f\x00From: g\r\n\r\n", "From");
        let expected = [
            r#"0 Itself "From: a\r""#,
            r#"1 Field "From: d\x0b""#,
            r#"1 Field "From: d\x0be\r f\x00From: g\r\n""#,
            r#"1 Field "From: g\r\n""#,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_field_reaches_its_colon_over_what_may_stand_before_it() {
        let found = readings(b"Subject: c\rFrom\x0c: d\rfrom\r\x0c : e\r\n\r\n", "From");
        let expected = [
            r#"0 Field "From\x0c: d\r""#,
            r#"0 Field "From\x0c: d\rfrom\r\x0c : e\r\n""#,
            r#"0 Field "from\r\x0c : e\r\n""#,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_field_may_hold_one() {
        assert_eq!(readings(b"\xef\xbb\xbfFrom: a\r\nTo: b\r\n\r\n", "From"), ["0 Other \"From: a\\r\\n\""]);
        assert_eq!(readings(b"To: b\r\njunk\rFrom: a\r\n\r\n", "From"), ["1 Other \"From: a\\r\\n\""]);
        assert_eq!(readings(b"From x\rFrom: a\r\nTo: b\r\n\r\n", "From"), ["0 Other \"From: a\\r\\n\""]);
    }

    #[test]
    fn a_name_is_read_over_whatever_some_reader_drops() {
        for field in [
            "From\0: b",
            "Fr\0om: b",
            "F\0r\0o\0m\0:\0 b",
            "From\u{1}: b",
            "From\u{1b}: b",
            "Fr\u{7f}om: b",
            "Fro\rm: b",
            "From\u{a0}: b",
            "From\u{2028}: b",
            "From \0: b",
            "From \u{b}: b",
            "\u{a0}From: b",
            "\u{feff} From: b",
            "junk\r\n From: b",
            "X: y\r\u{feff}From: b",
            "X: y\rFrom\0: b",
            "X: y\0\u{a0} From: b",
        ] {
            let (above, below) = (format!("{field}\r\nTo: c\r\n\r\n"), format!("To: c\r\n{field}\r\n\r\n"));
            for raw in [above, below] {
                assert!(!readings(raw.as_bytes(), "From").is_empty() && is_disputed(raw.as_bytes()), "{raw:?}");
            }
        }
        assert!(!readings(b" From: b\r\nTo: c\r\n\r\n", "From").is_empty());
        // Other letters, and a line that is folded to everybody.
        for raw in [
            "Fr\0om\0e: b\r\n\r\n",
            "Fr om: b\r\n\r\n",
            "A: \0\r\n From: b\r\n\r\n",
            "Fro\nm: b\r\n\r\n",
            "XFrom\0: b\r\n\r\n",
        ] {
            assert!(readings(raw.as_bytes(), "From").is_empty(), "{raw:?}");
        }
    }

    #[test]
    fn to_readers_of_crlf_alone_the_header_goes_on_behind_an_empty_line_of_lf() {
        let raw = b"To: a\r\nSubject: x\n\nhello\r\nFrom: b\r\n\r\nFrom: c\r\n";
        assert_eq!(readings(raw, "From"), ["2 Other \"From: b\\r\\n\""]);
    }

    fn is_disputed(raw: &[u8]) -> bool {
        Header::parse(raw).unwrap().disputed_from().is_some()
    }

    #[test]
    fn readers_agree_on_a_from_field_above_what_is_wrong() {
        for raw in [
            &b"From: a\r\njunk\r\n\r\n"[..],
            b"From: a\r\nSubject: b\rc\r\n\r\n",
            b"From: a\r\nSubject : b\r\n\r\n",
            b"From: a\r\nSubject: b\n\r\n",
            b"From: a\r\nSubject: b\x00\r\n\r\n",
            // Nobody ends a line there.
            b"Subject: \x1b\r\nFrom: \x1b a\r\n\r\n",
            b"Subject: b\r c\r\nFrom: a\r\n\r\n",
            b"Subject: b\rX: c\r\nFrom: a\r\n\r\n",
            // Nor is there any to disagree on.
            b"Subject: b\rX: c\r\nTo: a\r\n\r\n",
        ] {
            assert!(!is_disputed(raw), "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn readers_do_not_agree_on_a_from_field_that_some_do_not_see_or_see_elsewhere() {
        for raw in [
            &b"junk\r\nFrom: a\r\n\r\n"[..],
            b"\xef\xbb\xbfTo: b\r\nFrom: a\r\n\r\n",
            b" junk\r\nFrom: a\r\n\r\n",
            b"From : a\r\n\r\n",
            b"Subject : x\r\nFrom: a\r\n\r\n",
            b"Subject: b\rc\r\nFrom: a\r\n\r\n",
            b"Subject: b\r\r\nFrom: a\r\n\r\n",
            b"Subject: b\x0bc\r\nFrom: a\r\n\r\n",
            b"Subject: b\xe2\x80\xa8c\r\nFrom: a\r\n\r\n",
            b"Subject: b\x00\r\nFrom: a\r\n\r\n",
            b"Subject: b\nFrom: a\r\n\r\n",
            b"From: a\n b\r\n\r\n",
            b"From: a\rb\r\n\r\n",
            b"From: a\x00b\r\n\r\n",
            b"From: a\r\nSubject: b\rFrom: c\r\n\r\n",
            b"From: a\r\nSubject: b\rFrom: a\r\n\r\n",
            b"From: a\r\n\x01From: c\r\n\r\n",
            b"Subject: b\rFrom: c\r\n\r\n",
        ] {
            assert!(is_disputed(raw), "{}", raw.escape_ascii());
        }
    }
}
