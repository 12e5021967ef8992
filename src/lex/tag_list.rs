//! `tag-list` of RFC 6376 §3.2, the syntax of DKIM signatures, key records, ARC fields and (nearly) DMARC records.

use super::SyntaxError;
use smallvec::SmallVec;

/// One `tag-spec`: `[FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]`, borrowed from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'t> {
    /// As written: tag names are case-sensitive (RFC 6376 §3.2).
    pub(crate) name: &'t [u8],
    /// Without the white space around it; white space inside is kept.
    pub(crate) value: &'t [u8],
    /// Octets from the start of the list to the name.
    pub(crate) name_offset: usize,
    /// Octets from the start of the list to the value.
    pub(crate) value_offset: usize,
    /// Octets from the start of the list to what follows the equals sign, white space included.
    pub(crate) raw_start: usize,
    /// Octets from the start of the list to the semicolon that ends the tag, or to the end of the list.
    pub(crate) raw_end: usize,
}

impl Tag<'_> {
    fn is(&self, name: &[u8]) -> bool {
        // Names are one or two letters: to compare the first one settles most.
        self.name.first() == name.first() && self.name == name
    }
}

/// Why a text is no `tag-list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TagListError<'t> {
    /// It does not follow the grammar.
    Syntax(SyntaxError),
    /// A name stands in it twice, and so the whole list is invalid (RFC 6376 §3.2).
    Duplicate(&'t [u8]),
}

/// The tags of a list, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tags<'t>(SmallVec<[Tag<'t>; 12]>);

impl<'t> Tags<'t> {
    /// Reads a whole list.
    pub(crate) fn read(text: &'t [u8]) -> Result<Self, TagListError<'t>> {
        let (tags, outcome) = Self::read_until_error(text);
        outcome.map(|()| tags)
    }

    /// Reads as far as the grammar allows; for reports about lists that are invalid.
    pub(crate) fn read_until_error(text: &'t [u8]) -> (Self, Result<(), TagListError<'t>>) {
        let mut tags = Self::default();
        for tag in TagList::new(text) {
            match tag {
                Ok(tag) => tags.0.push(tag),
                Err(error) => return (tags, Err(TagListError::Syntax(error))),
            }
        }
        let outcome = tags.duplicate().map_or(Ok(()), |name| Err(TagListError::Duplicate(name)));
        (tags, outcome)
    }

    /// A name that stands in the list more than once.
    fn duplicate(&self) -> Option<&'t [u8]> {
        // A search is the quickest for as many tags as signatures have; a stranger may send a list of any length.
        if self.0.len() <= 16 {
            // A bit for each initial that came: hardly any two tags have the same.
            let mut initials = 0_u64;
            let mut repeats = |(at, tag): (usize, &Tag<'t>)| {
                let initial = 1 << (tag.name.first().copied().unwrap_or_default() % 64);
                let met = initials & initial != 0;
                initials |= initial;
                met && self.0.iter().take(at).any(|other| other.is(tag.name))
            };
            return self.0.iter().enumerate().find(|place| repeats(*place)).map(|(_, tag)| tag.name);
        }
        let mut names: Vec<&'t [u8]> = self.0.iter().map(|tag| tag.name).collect();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [first, second] if first == second => Some(*first),
            _ => None,
        })
    }

    /// The tag of this name, the first one where there are several.
    pub(crate) fn tag(&self, name: &str) -> Option<Tag<'t>> {
        self.0.iter().copied().find(|tag| tag.is(name.as_bytes()))
    }

    /// The tags, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Tag<'t>> {
        self.0.iter().copied()
    }
}

/// Reads the tags one after another, without allocation; ends after the first error. Duplicate names are refused by [`Tags`].
#[derive(Clone, Debug)]
pub(crate) struct TagList<'t> {
    text: &'t [u8],
    at: usize,
    done: bool,
}

impl<'t> TagList<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, done: false }
    }

    fn fail(&mut self, offset: usize, expected: &'static str) -> Option<Result<Tag<'t>, SyntaxError>> {
        self.done = true;
        Some(Err(SyntaxError::new(offset, expected)))
    }
}

/// The length of `[FWS]` at the start of `text`: `[*WSP CRLF] 1*WSP` (RFC 6376 §2.8).
///
/// A text that came from the DNS or was unfolded has no CRLF; a bare CR or LF is no FWS.
pub(crate) fn fws_len(text: &[u8]) -> usize {
    if !matches!(text.first(), Some(b' ' | b'\t' | b'\r')) {
        return 0;
    }
    let wsp = |at: usize| text.get(at..).unwrap_or_default().iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let first = wsp(0);
    if text.get(first..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
        let second = wsp(first + 2);
        if second > 0 {
            return first + 2 + second;
        }
    }
    first
}

/// The text without `[FWS]` at its end.
pub(crate) fn trim_fws_end(text: &[u8]) -> &[u8] {
    if !matches!(text.last(), Some(b' ' | b'\t')) {
        return text;
    }
    let trim_wsp = |text: &'_ [u8]| text.len() - text.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let end = trim_wsp(text);
    let trimmed = text.get(..end).unwrap_or_default();
    if end < text.len()
        && let Some(before) = trimmed.strip_suffix(b"\r\n")
    {
        return before.get(..trim_wsp(before)).unwrap_or_default();
    }
    trimmed
}

/// How many octets of `tval` a text begins with. RFC 8616 §3: RFC 6532 widens the text of header fields to UTF-8.
fn tval_len(text: &[u8]) -> usize {
    const BLOCK: usize = 16;
    // In arithmetic of octets and without a way out, so that a block is looked at by vector instructions.
    let is_other = |octet: u8| u8::from(octet <= b' ') | u8::from(octet == 0x7f);
    let mut at = 0;
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        if block.iter().fold(0, |any, octet| any | is_other(*octet)) != 0 {
            break;
        }
        at += BLOCK;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|octet| is_other(*octet) != 0).unwrap_or(rest.len())
}

impl<'t> Iterator for TagList<'t> {
    type Item = Result<Tag<'t>, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let spec_len = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let spec = rest.get(..spec_len).unwrap_or_default();
        let last = spec_len == rest.len();

        let name_start = fws_len(spec);
        let name_rest = spec.get(name_start..).unwrap_or_default();
        if name_rest.is_empty() && last && self.at > 0 {
            // RFC 6376 §3.2: tag-list = tag-spec *( ";" tag-spec ) [ ";" ]
            self.done = true;
            return None;
        }
        // tag-name = ALPHA *ALNUMPUNC
        let name_len = name_rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        if !name_rest.first().is_some_and(u8::is_ascii_alphabetic) {
            return self.fail(self.at + name_start, "tag-name");
        }
        let name = name_rest.get(..name_len).unwrap_or_default();
        let after_name = name_rest.get(name_len..).unwrap_or_default();
        let equals = fws_len(after_name);
        if after_name.get(equals) != Some(&b'=') {
            return self.fail(self.at + name_start + name_len + equals, "\"=\"");
        }
        let raw_value = after_name.get(equals + 1..).unwrap_or_default();
        let lead = fws_len(raw_value);
        let value = trim_fws_end(raw_value.get(lead..).unwrap_or_default());
        let value_start = name_start + name_len + equals + 1 + lead;
        // tag-value = [ tval *( 1*(WSP / FWS) tval ) ], tval = 1*VALCHAR, VALCHAR = %x21-3A / %x3C-7E
        let white = |octet: Option<&u8>| octet.is_some_and(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'));
        if white(value.first()) || white(value.last()) {
            // One FWS may stand on either side, and no more.
            let offset = if white(value.first()) { 0 } else { value.len() };
            return self.fail(self.at + value_start + offset, "tag-value");
        }
        let mut at = 0;
        loop {
            at += tval_len(value.get(at..).unwrap_or_default());
            let rest = value.get(at..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            match fws_len(rest) {
                0 => return self.fail(self.at + value_start + at, "tag-value"),
                len => at += len,
            }
        }
        let tag = Tag {
            name,
            value,
            name_offset: self.at + name_start,
            value_offset: self.at + value_start,
            raw_start: self.at + name_start + name_len + equals + 1,
            raw_end: self.at + spec_len,
        };
        self.at += spec_len + 1;
        self.done = last;
        Some(Ok(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, SyntaxError> {
        let text_of = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        TagList::new(text.as_bytes()).map(|tag| tag.map(|tag| (text_of(tag.name), text_of(tag.value)))).collect()
    }

    #[test]
    fn white_space_around_names_and_values_is_dropped_and_inside_values_kept() {
        let tags = read(" v = 1;\r\n\th=From : \r\n To ;b=\r\n ab cd; ").unwrap();
        let expected = [("v", "1"), ("h", "From : \r\n To"), ("b", "ab cd")];
        assert_eq!(tags, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn offsets_point_into_the_list() {
        let tag = TagList::new(b"v=1; b = ab ").nth(1).unwrap().unwrap();
        assert_eq!((tag.name_offset, tag.value_offset, tag.value), (5, 9, &b"ab"[..]));
        assert_eq!((tag.raw_start, tag.raw_end), (8, 12));
    }

    #[test]
    fn a_name_that_stands_twice_makes_the_list_invalid() {
        assert_eq!(Tags::read(b"a=1; b=2; a=3").unwrap_err(), TagListError::Duplicate(b"a"));
        assert!(Tags::read(b"a=1; A=2").is_ok());
        let many: String = (0..40).map(|number| format!("a{number}=1;")).collect();
        assert!(Tags::read(many.as_bytes()).is_ok());
        assert_eq!(Tags::read(format!("{many}a7=2").as_bytes()).unwrap_err(), TagListError::Duplicate(b"a7"));
        let (tags, outcome) = Tags::read_until_error(b"a=1; b=2; ;c=3");
        assert!(matches!(outcome, Err(TagListError::Syntax(SyntaxError { offset: 10, .. }))));
        assert_eq!(tags.iter().count(), 2);
        assert_eq!(tags.tag("b").unwrap().value, b"2");
    }

    #[test]
    fn one_fws_may_stand_on_either_side_of_a_value() {
        assert!(read("a=\r\n 1 \r\n\t; b=2").is_ok());
        assert_eq!(read("a=\r\n \r\n 1").unwrap_err(), SyntaxError::new(5, "tag-value"));
        assert_eq!(read("a=1\r\n \r\n ;").unwrap_err().expected, "tag-value");
        assert!(read("a=1\r\n \r\n 2").is_ok());
    }

    #[test]
    fn one_semicolon_may_end_the_list_and_an_empty_tag_may_not_stand_in_it() {
        assert_eq!(read("v=1;").unwrap().len(), 1);
        assert_eq!(read("v=1; \t").unwrap().len(), 1);
        assert_eq!(read("v=1;;").unwrap_err(), SyntaxError::new(4, "tag-name"));
        assert_eq!(read("v=1;;b=").unwrap_err().offset, 4);
        assert_eq!(read("").unwrap_err(), SyntaxError::new(0, "tag-name"));
    }

    #[test]
    fn values_may_be_empty_and_may_hold_equals_signs() {
        assert_eq!(read("p=").unwrap(), [("p".to_owned(), String::new())]);
        assert_eq!(read("p=a==;q=").unwrap().len(), 2);
    }

    #[test]
    fn names_begin_with_a_letter() {
        assert_eq!(read("v=1;1a=2").unwrap_err().expected, "tag-name");
        assert_eq!(read("a1_=2").unwrap().len(), 1);
        assert_eq!(read("a-b=2").unwrap_err().expected, "\"=\"");
    }

    #[test]
    fn bare_line_ends_and_control_octets_are_refused() {
        assert_eq!(read("b=a\nc").unwrap_err(), SyntaxError::new(3, "tag-value"));
        assert_eq!(read("b=a\r\nc").unwrap_err().offset, 3);
        assert_eq!(read("b=a\r\n c").unwrap().len(), 1);
        assert_eq!(read("b=a\0").unwrap_err().offset, 3);
        for place in 0..40 {
            let value = format!("b={}\u{7f}{}", "a".repeat(place + 1), "b".repeat(20));
            assert_eq!(read(&value).unwrap_err(), SyntaxError::new(place + 3, "tag-value"));
            assert!(read(&value.replace('\u{7f}', " \u{e4}\u{ff} ")).is_ok());
        }
    }
}
