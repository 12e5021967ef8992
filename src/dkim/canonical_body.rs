//! What canonicalization makes of a body, RFC 6376 §3.4.3 and §3.4.4: streaming, exact to the octet, without a copy of the text.

use super::{
    block::{BLOCK, filled_up, first_block, first_run, white_space_len},
    block_buffer::Sink,
    canonicalize::{Algorithm, is_wsp},
};

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

impl Body {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, cr: false, space: false, line_ends: 0, started: false }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The same with another algorithm, which would have given out the same until now and holds back no white space.
    pub(super) fn turned_to(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Takes the next chunk.
    pub(crate) fn update(&mut self, chunk: &[u8], out: &mut impl Sink) {
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
            out.text(settled)
        }
        self.edge(chunk.get(end..).unwrap_or_default(), out);
    }

    /// Takes octets that are CR, LF, or white space in "relaxed".
    fn edge(&mut self, octets: &[u8], out: &mut impl Sink) {
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
    pub(crate) fn finish(mut self, out: &mut impl Sink) {
        if std::mem::take(&mut self.cr) {
            self.text(b"\r", out);
        }
        // RFC 6376 §3.4.3: an empty body is one CRLF in "simple"; §3.4.4: and nothing at all in "relaxed".
        if self.started || self.algorithm == Algorithm::Simple {
            out.text(b"\r\n");
        }
    }

    /// Gives out text and what was held back before it.
    fn text(&mut self, text: &[u8], out: &mut impl Sink) {
        self.release(out);
        out.text(text);
    }

    /// Gives out what was held back, as text follows.
    fn release(&mut self, out: &mut impl Sink) {
        while self.line_ends > 0 {
            let octets = usize::try_from(self.line_ends.saturating_mul(2)).unwrap_or(usize::MAX).min(LINE_ENDS.len());
            out.text(LINE_ENDS.get(..octets).unwrap_or_default());
            self.line_ends = self.line_ends.saturating_sub(LINE_ENDS.len() as u64 / 2);
        }
        if std::mem::take(&mut self.space) {
            out.text(b" ");
        }
        self.started = true;
    }
}

/// RFC 6376 §3.4.4 for octets of which the last one is text.
fn relaxed_text(mut text: &[u8], out: &mut impl Sink) {
    let mut clean = 0;
    while let Some((block, next)) = first_block(text) {
        if let Some(run) = first_run(block, next) {
            out.start_of(block, run);
            text = after_white_space(text.get(run..).unwrap_or_default(), out);
            clean = 0;
            continue;
        }
        out.start_of(block, BLOCK);
        text = text.get(BLOCK..).unwrap_or_default();
        clean += 1;
        if clean == MANY {
            let (words, rest) = text.split_at(without_white_space(text));
            out.text(words);
            text = rest;
            clean = 0;
        }
    }
    while !text.is_empty() {
        let end = filled_up(text);
        let run = first_block(&end).and_then(|(block, next)| first_run(block, next));
        let (words, rest) = text.split_at(run.unwrap_or(text.len()));
        out.text(words);
        text = if run.is_some() { after_white_space(rest, out) } else { rest };
    }
}

/// Gives out what stays of the WSP that a text begins with: one SP before text, and nothing at the end of a line.
#[inline(always)]
fn after_white_space<'t>(text: &'t [u8], out: &mut impl Sink) -> &'t [u8] {
    let rest = text.get(white_space_len(text)..).unwrap_or_default();
    if !rest.starts_with(b"\r\n") {
        out.start_of(&[b' '; BLOCK], 1);
    }
    rest
}

/// Where the algorithms begin to differ on a text that follows text or a line end, or may begin to; an SP at its end may turn out to be
/// alike.
pub(super) fn first_difference(text: &[u8]) -> Option<usize> {
    let (mut at, mut clean) = (0, 0);
    loop {
        let rest = text.get(at..)?;
        let run = match first_block(rest) {
            Some((block, next)) => first_run(block, next),
            None => {
                let end = filled_up(rest);
                return first_block(&end).and_then(|(block, next)| first_run(block, next)).map(|run| at + run);
            }
        };
        if let Some(run) = run {
            return Some(at + run);
        }
        at += BLOCK;
        clean += 1;
        if clean == MANY {
            clean = 0;
            at += without_white_space(text.get(at..)?);
        }
    }
}

/// After as many blocks without such a run the text may be an attachment, which has no white space for long.
const MANY: usize = 16;

fn without_white_space(text: &[u8]) -> usize {
    memchr::memchr2(b' ', b'\t', text).unwrap_or(text.len())
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
        chunks.into_iter().for_each(|chunk| body.update(chunk, &mut canonical));
        body.finish(&mut canonical);
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

    /// Bodies of what canonicalization cares for, and a little else.
    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        const PIECES: [&[u8]; 15] = [
            b"\r\n",
            b"\r\n\r\n",
            b" ",
            b"\t",
            b"\r",
            b"\n",
            b"a",
            b"word",
            b" \r\n",
            b"\0",
            b"\xff",
            b". b",
            b"!",
            b"\x08",
            b"eight of",
        ];
        vec(select(&PIECES[..]), 0..60).prop_map(|pieces| pieces.concat())
    }

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
    }

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 6376 §3.4.5.
        let raw = b" C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(in_chunks(Algorithm::Relaxed, [&raw[..]]), b" C\r\nD E\r\n");
        assert_eq!(in_chunks(Algorithm::Simple, [&raw[..]]), b" C \r\nD \t E\r\n");
    }
}
