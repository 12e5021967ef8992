//! What canonicalization makes of a body, RFC 6376 §3.4.3 and §3.4.4: streaming, exact to the octet, without a copy of the text.

use super::canonicalize::{Algorithm, is_wsp};

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

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The same with another algorithm, which would have given out the same until now and holds back no white space.
    pub(super) fn turned_to(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
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

/// Where the algorithms begin to differ on a text that follows text or a line end; an SP at its end may turn out to be alike.
pub(super) fn first_difference(text: &[u8]) -> Option<usize> {
    let at_end = || text.len().checked_sub(1).filter(|last| text.get(*last).is_some_and(|octet| is_wsp(*octet)));
    next_run(text, 0).or_else(at_end)
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

    /// Bodies of what canonicalization cares for, and a little else.
    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        const PIECES: [&[u8]; 12] =
            [b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\r", b"\n", b"a", b"word", b" \r\n", b"\0", b"\xff", b". b"];
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
