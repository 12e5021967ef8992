//! Stretches of a body that may have been added: which they are, and what the body hashes to without them.

use super::super::work::Work;
use crate::{
    crypto::Digest,
    dkim::trial::BodyTrial,
    mime::{Part, Structure, lines},
};
use std::ops::Range;

/// Octets between two places at which the state of the hash is kept, at least.
const GAP: usize = 1024;
/// States that are kept at most.
const MAX_STATES: usize = 16_384;

/// Lines at an end of the body or of a part that are taken away, at most.
const MAX_LINES: usize = 120;
/// Cuts near a place of HTML at which text is put in.
const MAX_CUTS: usize = 60;

/// A body, and the state of its hash at many places: what comes before a stretch is hashed once.
pub(super) struct Windows<'t> {
    pub(super) text: &'t [u8],
    /// In ascending order, the first one at 0.
    states: Vec<(usize, BodyTrial)>,
}

impl<'t> Windows<'t> {
    /// `None` where hashing the body once is too much.
    pub(super) fn new(text: &'t [u8], fresh: BodyTrial, work: &mut Work) -> Option<Self> {
        if !work.pay(text.len()) {
            return None;
        }
        let gap = GAP.max(text.len() / MAX_STATES);
        let mut states = Vec::with_capacity(text.len() / gap + 1);
        let mut trial = fresh;
        for (number, piece) in text.chunks(gap).enumerate() {
            states.push((number * gap, trial.clone()));
            trial.update(piece);
        }
        if states.is_empty() {
            states.push((0, trial));
        }
        Some(Self { text, states })
    }

    /// The hash of all before `offset`.
    pub(super) fn before(&self, offset: usize) -> Option<BodyTrial> {
        let (at, trial) = self.state(offset)?;
        let mut trial = trial.clone();
        trial.update(self.text.get(*at..offset)?);
        Some(trial)
    }

    /// What that costs, in octets.
    pub(super) fn cost_before(&self, offset: usize) -> usize {
        self.state(offset).map_or(0, |(at, _)| offset.saturating_sub(*at))
    }

    /// The last state that is kept before this place.
    fn state(&self, offset: usize) -> Option<&(usize, BodyTrial)> {
        self.states.get(self.states.partition_point(|(at, _)| *at <= offset).checked_sub(1)?)
    }

    /// The hash of the body without these stretches, which are in order; `None` where it cannot be afforded.
    pub(super) fn without(&self, ranges: &[Range<usize>], work: &mut Work) -> Option<Option<Digest>> {
        let first = ranges.first()?;
        let next = |place: usize| ranges.get(place + 1).map_or(self.text.len(), |next| next.start);
        let kept = || {
            ranges.iter().enumerate().map(|(place, range)| self.text.get(range.end..next(place)).unwrap_or_default())
        };
        let cost = self.cost_before(first.start) + kept().map(<[u8]>::len).sum::<usize>();
        if !work.pay(cost) {
            return None;
        }
        let mut trial = self.before(first.start)?;
        kept().for_each(|kept| trial.update(kept));
        Some(trial.finish())
    }
}

/// Where lines begin, and the end.
pub(super) fn starts(text: &[u8]) -> Vec<usize> {
    let mut starts: Vec<usize> = lines(text).map(|(start, _)| start).collect();
    starts.push(text.len());
    starts
}

/// The stretches that are most often added, around the parts and within them.
pub(super) fn usual(text: &[u8], structure: &Structure) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    // Whole parts, from a delimiter to another one.
    let delimiters = &structure.delimiters;
    for (place, from) in delimiters.iter().enumerate() {
        for to in delimiters.iter().skip(place + 1).take(8) {
            ranges.push(from.start..to.start);
            // With the line end that belongs to the delimiter.
            ranges.push(from.start.saturating_sub(2)..to.start.saturating_sub(2));
        }
    }
    for part in structure.leaves().filter(|part| part.is_text) {
        ranges.extend(of_part(text, part));
    }
    ranges
}

/// The stretches at both ends of a part, and around the places of HTML at which text is put in.
pub(super) fn of_part(text: &[u8], part: &Part) -> Vec<Range<usize>> {
    let content = text.get(part.content.clone()).unwrap_or_default();
    let shifted = |range: Range<usize>| range.start + part.content.start..range.end + part.content.start;
    of_content(content, part.is_html).into_iter().map(shifted).collect()
}

/// The same for text by itself.
pub(super) fn of_content(content: &[u8], is_html: bool) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    if is_html {
        ranges.extend(of_html(content));
    }
    let starts = starts(content);
    let end = content.len();
    for start in starts.iter().rev().skip(1).take(MAX_LINES) {
        ranges.push(*start..end);
        // The line end before belongs to what was added.
        if *start >= 2 {
            ranges.push(start - 2..end);
            if end >= start + 2 {
                ranges.push(start - 2..end - 2);
            }
        }
    }
    ranges.extend(starts.iter().skip(1).take(MAX_LINES).map(|start| 0..*start));
    ranges
}

/// After `<body>` and before its end, and what mail stores put into `<head>`.
fn of_html(content: &[u8]) -> Vec<Range<usize>> {
    let lower = content.to_ascii_lowercase();
    let mut ranges = Vec::new();
    // What Exchange puts there.
    for at in memchr::memmem::find_iter(&lower, b"<meta http-equiv=\"content-type\"").take(4) {
        let Some(end) = memchr::memchr(b'>', lower.get(at..).unwrap_or_default()).map(|end| at + end + 1) else {
            continue;
        };
        let after = if lower.get(end..).is_some_and(|rest| rest.starts_with(b"\r\n")) { end + 2 } else { end };
        let before = if lower.get(..at).is_some_and(|head| head.ends_with(b"\r\n")) { at - 2 } else { at };
        ranges.extend([at..end, at..after, before..end, before..after]);
    }
    let tag = |name: &[u8], from: usize| memchr::memmem::find(lower.get(from..)?, name).map(|at| at + from);
    let behind = |at: usize| memchr::memchr(b'>', lower.get(at..)?).map(|end| at + end + 1);
    let mut openings: Vec<usize> = vec![0];
    for name in [&b"<body"[..], b"<html", b"</head", b"<center"] {
        let end = tag(name, 0).and_then(behind);
        openings.extend(end);
        openings.extend(
            end.filter(|end| lower.get(*end..).is_some_and(|rest| rest.starts_with(b"\r\n"))).map(|end| end + 2),
        );
    }
    for from in openings {
        ranges.extend(cuts(content, from).take(MAX_CUTS).map(|to| from..to));
    }
    let closings =
        [&b"</body"[..], b"</html", b"</center"].into_iter().filter_map(|name| memchr::memmem::rfind(&lower, name));
    for to in closings.chain([content.trim_ascii_end().len()]) {
        for to in [Some(to), content.get(..to).and_then(|head| head.strip_suffix(b"\r\n")).map(<[u8]>::len)]
            .into_iter()
            .flatten()
        {
            ranges.extend(cuts_before(content, to).into_iter().map(|from| from..to));
        }
    }
    ranges
}

/// Where a tag ends or a line begins, from `from` on.
fn cuts(content: &[u8], from: usize) -> impl Iterator<Item = usize> {
    let rest = content.get(from..).unwrap_or_default();
    memchr::memchr2_iter(b'>', b'\n', rest).flat_map(move |at| {
        let end = from + at + 1;
        let is_folded =
            content.get(at + from) == Some(&b'>') && content.get(end..).is_some_and(|rest| rest.starts_with(b"\r\n"));
        [Some(end), is_folded.then_some(end + 2)].into_iter().flatten()
    })
}

/// Where a tag or a line begins, before `to`, the nearest first.
fn cuts_before(content: &[u8], to: usize) -> Vec<usize> {
    let head = content.get(..to).unwrap_or_default();
    let mut found = Vec::new();
    for at in memchr::memrchr2_iter(b'<', b'\n', head).take(MAX_CUTS) {
        if content.get(at) == Some(&b'<') {
            found.push(at);
        } else {
            found.push(at + 1);
            found.push(at.saturating_sub(1));
        }
    }
    found.retain(|from| *from < to);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crypto::HashAlgorithm, dkim::Algorithm};

    #[test]
    fn a_body_without_stretches_hashes_as_one_that_never_had_them() {
        let text: Vec<u8> = (0..5000_u32).flat_map(|n| format!("line {n} \r\n").into_bytes()).collect();
        for algorithm in [Algorithm::Simple, Algorithm::Relaxed] {
            let fresh = BodyTrial::new(algorithm, HashAlgorithm::Sha256, None);
            let mut work = Work::new(u64::MAX);
            let windows = Windows::new(&text, fresh.clone(), &mut work).unwrap();
            for ranges in
                [vec![0..10, 10..12], vec![3..3, 3..3], vec![1500..2600, 2600..40_000], vec![0..0, 1023..text.len()]]
            {
                let mut plain = fresh.clone();
                let mut at = 0;
                for range in &ranges {
                    plain.update(&text[at..range.start]);
                    at = range.end;
                }
                plain.update(&text[at..]);
                assert_eq!(windows.without(&ranges, &mut work), Some(plain.finish()), "{ranges:?}");
            }
        }
    }

    #[test]
    fn banners_of_html_are_among_the_stretches() {
        let html = b"<html><body class=x><div>Careful!</div><p>Hi</p><hr>list</body></html>";
        let found = of_html(html);
        let is_found = |text: &str| {
            let at = memchr::memmem::find(html, text.as_bytes()).unwrap();
            found.contains(&(at..at + text.len()))
        };
        assert!(is_found("<div>Careful!</div>"), "{found:?}");
        assert!(is_found("<hr>list"));
    }
}
