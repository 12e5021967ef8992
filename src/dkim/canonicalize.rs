//! Canonicalization, RFC 6376 §3.4: exact to the octet, streaming, without a copy of the text.

use std::fmt;

/// A canonicalization algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Algorithm {
    /// Tolerates almost no change (RFC 6376 §3.4.1, §3.4.3).
    #[default]
    Simple,
    /// Tolerates changes of white space (RFC 6376 §3.4.2, §3.4.4).
    Relaxed,
}

/// `c=`: the algorithms for the header and for the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Canonicalization {
    /// For header fields.
    pub header: Algorithm,
    /// For the body.
    pub body: Algorithm,
}

impl Algorithm {
    /// Canonicalizes a body (RFC 6376 §3.4.3, §3.4.4), as it is before `l=` cuts it; `out` is given the text in pieces.
    ///
    /// ```
    /// use mailverdict::dkim::Algorithm;
    /// let mut canonical = Vec::new();
    /// Algorithm::Relaxed.canonicalize_body(b"Hi. \t you \r\n\r\n", |piece| canonical.extend_from_slice(piece));
    /// assert_eq!(canonical, b"Hi. you\r\n");
    /// ```
    pub fn canonicalize_body(self, body: &[u8], mut out: impl FnMut(&[u8])) {
        let mut canonicalizer = Body::new(self);
        canonicalizer.update(body, &mut out);
        canonicalizer.finish(&mut out);
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        })
    }
}

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.header, self.body)
    }
}

fn is_wsp(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Canonicalizes one header field, without its final CRLF, into `out`.
///
/// `value` is given in pieces, so that the value of `b=` can be left out; no CRLF may be cut in two.
pub(crate) fn header_field<'v>(
    algorithm: Algorithm,
    raw_name: &[u8],
    value: impl IntoIterator<Item = &'v [u8]>,
    out: &mut impl FnMut(&[u8]),
) {
    match algorithm {
        Algorithm::Simple => {
            out(raw_name);
            out(b":");
            value.into_iter().for_each(out);
        }
        Algorithm::Relaxed => {
            let mut name = [0_u8; 64];
            // White space before the colon is dropped as well.
            for part in raw_name.trim_ascii_end().chunks(name.len()) {
                let lower = name.iter_mut().zip(part).map(|(to, from)| *to = from.to_ascii_lowercase()).count();
                out(name.get(..lower).unwrap_or_default());
            }
            out(b":");
            relaxed_value(value, out);
        }
    }
}

/// RFC 6376 §3.4.2: unfolds, makes runs of WSP one SP, and drops those at both ends of the value.
fn relaxed_value<'v>(pieces: impl IntoIterator<Item = &'v [u8]>, out: &mut impl FnMut(&[u8])) {
    let (mut started, mut space) = (false, false);
    for piece in pieces {
        let mut at = 0;
        while let Some(&octet) = piece.get(at) {
            if is_wsp(octet) {
                space = true;
                at += 1;
                continue;
            }
            // Every CRLF within a field is one of folding.
            if piece.get(at..).unwrap_or_default().starts_with(b"\r\n") {
                at += 2;
                continue;
            }
            if space && started {
                out(b" ");
            }
            (started, space) = (true, false);
            let rest = piece.get(at..).unwrap_or_default();
            // At least one octet: a bare CR is text.
            let word =
                1 + memchr::memchr3(b' ', b'\t', b'\r', rest.get(1..).unwrap_or_default()).unwrap_or(rest.len() - 1);
            out(rest.get(..word).unwrap_or_default());
            at += word;
        }
    }
}

/// Canonicalizes a body that comes in chunks of any size; gives out pieces of the chunks, and keeps none of them.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    algorithm: Algorithm,
    /// A CR at the end of the last chunk that may be the first half of a CRLF.
    cr: bool,
    /// WSP that counts only if text follows on the same line; relaxed alone.
    space: bool,
    /// Line ends that count only if text follows.
    line_ends: u64,
    /// Whether anything was given out.
    started: bool,
}

/// What line ends are given out from.
const LINE_ENDS: &[u8] = b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

impl Body {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, cr: false, space: false, line_ends: 0, started: false }
    }

    /// Takes the next chunk.
    pub(crate) fn update(&mut self, chunk: &[u8], out: &mut impl FnMut(&[u8])) {
        let relaxed = self.algorithm == Algorithm::Relaxed;
        let is_text = |octet: &u8| !(matches!(octet, b'\r' | b'\n') || relaxed && is_wsp(*octet));
        // What line ends and white space come to depends on the text after them, and so all before the last text is settled.
        let first = chunk.iter().position(is_text);
        let end = chunk.iter().rposition(is_text).map(|last| last + 1);
        let (Some(first), Some(end)) = (first, end) else { return self.edge(chunk, out) };
        self.edge(chunk.get(..first).unwrap_or_default(), out);
        if std::mem::take(&mut self.cr) {
            // A bare CR is text like any other.
            self.text(b"\r", out);
        }
        self.release(out);
        let settled = chunk.get(first..end).unwrap_or_default();
        if relaxed {
            relaxed_text(settled, out)
        } else {
            out(settled)
        }
        self.edge(chunk.get(end..).unwrap_or_default(), out);
    }

    /// Takes octets that are CR, LF, or white space in "relaxed".
    fn edge(&mut self, octets: &[u8], out: &mut impl FnMut(&[u8])) {
        for octet in octets {
            match (std::mem::replace(&mut self.cr, *octet == b'\r'), octet) {
                (true, b'\n') => {
                    // WSP at the end of the line is dropped.
                    self.space = false;
                    self.line_ends += 1;
                    continue;
                }
                (true, _) => self.text(b"\r", out),
                (false, _) => {}
            }
            match octet {
                b'\r' => {}
                // A bare LF is text as well.
                b'\n' => self.text(b"\n", out),
                _ => self.space = true,
            }
        }
    }

    /// Ends the body.
    pub(crate) fn finish(mut self, out: &mut impl FnMut(&[u8])) {
        if std::mem::take(&mut self.cr) {
            self.text(b"\r", out);
        }
        // RFC 6376 §3.4.3: an empty body is one CRLF in "simple"; §3.4.4: and nothing at all in "relaxed".
        if self.started || self.algorithm == Algorithm::Simple {
            out(b"\r\n");
        }
    }

    /// Gives out text and what was held back before it.
    fn text(&mut self, text: &[u8], out: &mut impl FnMut(&[u8])) {
        self.release(out);
        out(text);
    }

    /// Gives out what was held back, as text follows.
    fn release(&mut self, out: &mut impl FnMut(&[u8])) {
        while self.line_ends > 0 {
            let octets = usize::try_from(self.line_ends.saturating_mul(2)).unwrap_or(usize::MAX).min(LINE_ENDS.len());
            out(LINE_ENDS.get(..octets).unwrap_or_default());
            self.line_ends = self.line_ends.saturating_sub(LINE_ENDS.len() as u64 / 2);
        }
        if std::mem::take(&mut self.space) {
            out(b" ");
        }
        self.started = true;
    }
}

/// RFC 6376 §3.4.4 for octets of which the last one is text: given out in stretches as long as nothing is to be changed.
fn relaxed_text(text: &[u8], out: &mut impl FnMut(&[u8])) {
    let (mut start, mut at) = (0, 0);
    while let Some(run) = next_run(text, at) {
        let rest = text.get(run..).unwrap_or_default();
        let length = rest.iter().position(|octet| !is_wsp(*octet)).unwrap_or(rest.len());
        at = run + length;
        let at_line_end = rest.get(length..).is_some_and(|rest| rest.starts_with(b"\r\n"));
        // One SP is kept where it stands: before text, and a bare CR is text.
        let kept = usize::from(!at_line_end && rest.first() == Some(&b' '));
        if length > kept {
            out(text.get(start..run + kept).unwrap_or_default());
            start = at;
            if !at_line_end && kept == 0 {
                out(b" ");
            }
        }
    }
    out(text.get(start..).unwrap_or_default());
}

/// The next white space that may be more than one SP between two words: a TAB, or SP before WSP or CR.
fn next_run(text: &[u8], from: usize) -> Option<usize> {
    const BLOCK: usize = 32;
    // In arithmetic of octets and without a way out, so that a block is compared by vector instructions.
    let is_run = |octet: u8, next: u8| {
        let before_white = u8::from(next == b' ') | u8::from(next == b'\t') | u8::from(next == b'\r');
        u8::from(octet == b'\t') | (u8::from(octet == b' ') & before_white)
    };
    let mut at = from;
    for blocks in 1_usize.. {
        let (rest, after) = (text.get(at..)?, text.get(at + 1..)?);
        let clean = match (rest.first_chunk::<BLOCK>(), after.first_chunk::<BLOCK>()) {
            (Some(block), Some(next)) => {
                block.iter().zip(next).fold(0, |any, (octet, next)| any | is_run(*octet, *next)) == 0
            }
            _ => false,
        };
        if !clean {
            return rest.iter().zip(after).position(|(octet, next)| is_run(*octet, *next) != 0).map(|run| at + run);
        }
        at += BLOCK;
        if blocks % 16 == 0 {
            // Long texts without any white space are attachments.
            at += memchr::memchr2(b' ', b'\t', text.get(at..)?)?;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    /// RFC 6376 §3.4.3 and §3.4.4, word by word.
    fn plainly(algorithm: Algorithm, body: &[u8]) -> Vec<u8> {
        let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
        let mut rest = body;
        while let Some((octet, after)) = rest.split_first() {
            rest = after;
            if let Some(next) = after.strip_prefix(b"\n").filter(|_| *octet == b'\r') {
                lines.push(Vec::new());
                rest = next;
                continue;
            }
            let line = lines.last_mut().unwrap();
            match octet {
                b' ' | b'\t' if algorithm == Algorithm::Relaxed => {
                    if line.last() != Some(&b' ') {
                        line.push(b' ');
                    }
                }
                _ => line.push(*octet),
            }
        }
        if algorithm == Algorithm::Relaxed {
            for line in lines.iter_mut().filter(|line| line.last() == Some(&b' ')) {
                line.pop();
            }
        }
        while lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        if lines.is_empty() && algorithm == Algorithm::Relaxed {
            return Vec::new();
        }
        lines
            .iter()
            .flat_map(|line| [line, &b"\r\n"[..]].concat())
            .chain(lines.is_empty().then_some([13, 10]).into_iter().flatten())
            .collect()
    }

    fn in_chunks<'c>(algorithm: Algorithm, chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<u8> {
        let mut body = Body::new(algorithm);
        let mut canonical = Vec::new();
        chunks.into_iter().for_each(|chunk| body.update(chunk, &mut |piece| canonical.extend_from_slice(piece)));
        body.finish(&mut |piece| canonical.extend_from_slice(piece));
        canonical
    }

    fn check(body: &[u8]) {
        for algorithm in [Algorithm::Simple, Algorithm::Relaxed] {
            let expected = plainly(algorithm, body);
            for cut in 0..=body.len() {
                let (before, after) = body.split_at(cut);
                let canonical = in_chunks(algorithm, [before, after]);
                assert_eq!(canonical, expected, "{algorithm} of \"{}\" cut at {cut}", body.escape_ascii());
            }
            assert_eq!(in_chunks(algorithm, body.chunks(1)), expected, "{algorithm} of {body:?} by octets");
        }
    }

    #[test]
    fn every_short_body_is_canonicalized_to_the_letter_however_it_is_cut() {
        const OCTETS: &[u8] = b"a \t\r\n";
        for length in 0..=6 {
            for number in 0..OCTETS.len().pow(length) {
                let body: Vec<u8> =
                    (0..length).map(|place| OCTETS[number / OCTETS.len().pow(place) % OCTETS.len()]).collect();
                check(&body);
            }
        }
    }

    #[test]
    fn white_space_is_found_at_every_place_of_a_long_body() {
        for place in 0..70 {
            for white in ["\t", "  ", " \t ", " \r\n", "\r\n\r\n  ", " \r", "\r", "\n"] {
                check([&"x".repeat(place), white, &"y z".repeat(24 - place / 3)].concat().as_bytes());
            }
        }
    }

    fn field(algorithm: Algorithm, raw: &[u8]) -> Vec<u8> {
        let colon = raw.iter().position(|octet| *octet == b':').unwrap();
        let mut canonical = Vec::new();
        header_field(algorithm, &raw[..colon], [&raw[colon + 1..]], &mut |text| canonical.extend_from_slice(text));
        canonical
    }

    /// Bodies of what canonicalization cares for, and a little else.
    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        const PIECES: [&[u8]; 12] =
            [b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\r", b"\n", b"a", b"word", b" \r\n", b"\0", b"\xff", b". b"];
        vec(select(&PIECES[..]), 0..60).prop_map(|pieces| pieces.concat())
    }

    const VALUE_PIECES: [&[u8]; 9] = [b"\r\n ", b"\r\n\t", b" ", b"\t", b"\r", b"a", b"Word", b":", b"\xe4"];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn any_chunking_of_a_body_equals_the_whole(raw in bodies(), cuts in vec(0_usize..120, 0..8)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(raw.len())).chain([0, raw.len()]).collect();
            cuts.sort_unstable();
            for algorithm in [Algorithm::Simple, Algorithm::Relaxed] {
                let whole = in_chunks(algorithm, [&raw[..]]);
                prop_assert_eq!(&whole, &plainly(algorithm, &raw));
                prop_assert_eq!(&in_chunks(algorithm, cuts.windows(2).map(|cut| &raw[cut[0]..cut[1]])), &whole);
                prop_assert_eq!(&in_chunks(algorithm, [&whole[..]]), &whole, "idempotent");
            }
        }

        #[test]
        fn relaxed_canonicalization_of_fields_is_idempotent(value in vec(select(&VALUE_PIECES[..]), 0..30)) {
            let raw = [&b"Sub-Ject \t: "[..], &value.concat()].concat();
            let once = field(Algorithm::Relaxed, &raw);
            prop_assert!(once.starts_with(b"sub-ject:"));
            prop_assert!(!once.ends_with(b" ") && !once.windows(2).any(|two| two == b"  " || two == b"\r\n"));
            prop_assert_eq!(field(Algorithm::Relaxed, &once), once);
            prop_assert_eq!(field(Algorithm::Simple, &raw), raw);
        }
    }

    #[test]
    fn the_examples_of_the_rfc() {
        // RFC 6376 §3.4.5.
        assert_eq!(field(Algorithm::Relaxed, b"A: X"), b"a:X");
        assert_eq!(field(Algorithm::Relaxed, b"B : Y\t\r\n\tZ  "), b"b:Y Z");
        let raw = b" C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(in_chunks(Algorithm::Relaxed, [&raw[..]]), b" C\r\nD E\r\n");
        assert_eq!(in_chunks(Algorithm::Simple, [&raw[..]]), b" C \r\nD \t E\r\n");
    }
}
