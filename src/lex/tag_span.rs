//! Where a tag stands in its list.

use super::{
    Span,
    tag_list::{Tag, Tags},
};
use std::num::NonZeroU32;

/// Where a tag stands in its record, or in the value of its field, without the white space around it.
///
/// ```
/// use mailverdict::dkim::KeyRecord;
/// let text = b"v=DKIM1; t = y:s ; p=";
/// let tag = KeyRecord::parse(text)?.span_of("t").expect("there is such a tag");
/// assert_eq!(tag.whole().of(text), Some(&b"t = y:s"[..]));
/// assert_eq!(tag.value().of(text), Some(&b"y:s"[..]));
/// # Ok::<(), mailverdict::dkim::KeyRecordError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TagSpan {
    start: u32,
    value: u32,
    /// A tag has a name, and so never ends where its text begins.
    end: NonZeroU32,
}

impl TagSpan {
    /// A tag from `start` to the end of its value, which begins at `value`; `None` where that does not fit.
    pub(crate) fn new(start: usize, value: usize, value_len: usize) -> Option<Self> {
        let end = u32::try_from(value.checked_add(value_len)?).ok()?;
        let value = u32::try_from(value).ok()?;
        let start = u32::try_from(start).ok().filter(|start| *start <= value)?;
        Some(Self { start, value, end: NonZeroU32::new(end)? })
    }

    /// The tag, from its name to the end of its value.
    pub fn whole(self) -> Span {
        Span::between(self.start, self.end.get())
    }

    /// The value; it may be empty.
    pub fn value(self) -> Span {
        Span::between(self.value, self.end.get())
    }
}

/// Where the tags stand that have one of `N` names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TagSpans<const N: usize> {
    names: &'static [&'static str; N],
    spans: [Option<TagSpan>; N],
}

impl<const N: usize> TagSpans<N> {
    /// None has been read yet.
    pub(crate) fn new(names: &'static [&'static str; N]) -> Self {
        Self { names, spans: [None; N] }
    }

    /// Those of a list without duplicates.
    pub(crate) fn of(names: &'static [&'static str; N], tags: &Tags<'_>) -> Self {
        let mut spans = Self::new(names);
        for tag in tags.iter() {
            if let Some(at) = names.iter().position(|name| name.as_bytes() == tag.name) {
                spans.see(at, tag.span());
            }
        }
        spans
    }

    /// Where a tag stands whose name is the one `at` this place among the names; of several the first counts.
    pub(crate) fn see(&mut self, at: usize, span: Option<TagSpan>) {
        if let Some(first) = self.spans.get_mut(at) {
            *first = first.or(span);
        }
    }

    /// Where the tag of this name stands.
    pub(crate) fn named(&self, name: &str) -> Option<TagSpan> {
        let mut known = self.names.iter().zip(self.spans);
        known.find_map(|(known, span)| span.filter(|_| *known == name))
    }
}

impl Tag<'_> {
    pub(crate) fn span(&self) -> Option<TagSpan> {
        // White space behind the equals sign is not before the value where there is none.
        let value = if self.value.is_empty() { self.raw_start } else { self.value_offset };
        TagSpan::new(self.name_offset, value, self.value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_no_span() {
        let most = u32::MAX as usize;
        let ranges = |span: TagSpan| (span.whole().range(), span.value().range());
        assert_eq!(TagSpan::new(3, 5, 2).map(ranges), Some((3..7, 5..7)));
        assert_eq!(TagSpan::new(0, 2, 0).map(ranges), Some((0..2, 2..2)));
        assert_eq!(TagSpan::new(0, 2, most - 2).map(ranges), Some((0..most, 2..most)));
        assert_eq!(TagSpan::new(0, 2, most - 1), None);
        assert_eq!(TagSpan::new(0, usize::MAX, 1), None);
        assert_eq!(TagSpan::new(3, 2, 1), None);
        assert_eq!(size_of::<Option<TagSpan>>(), 12);
    }

    #[test]
    fn tags_without_a_known_name_have_no_span() {
        let tags = Tags::read(b"a=1; A=2; ab=3; b= ;").unwrap();
        let spans = TagSpans::of(&["a", "b", "c"], &tags);
        let whole = |name| spans.named(name).map(|span| span.whole().range());
        assert_eq!([whole("a"), whole("b"), whole("c")], [Some(0..3), Some(16..18), None]);
        assert!(["A", "ab", ""].into_iter().all(|name| whole(name).is_none()));
    }
}
