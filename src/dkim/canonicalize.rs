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
        let mut at = 0;
        while let Some(&octet) = chunk.get(at) {
            if self.cr {
                self.cr = false;
                if octet == b'\n' {
                    // WSP at the end of the line is dropped.
                    self.space = false;
                    self.line_ends += 1;
                    at += 1;
                    continue;
                }
                // A bare CR is text like any other.
                self.text(b"\r", out);
            }
            if octet == b'\r' {
                self.cr = true;
                at += 1;
            } else if self.algorithm == Algorithm::Relaxed && is_wsp(octet) {
                self.space = true;
                at += 1;
            } else {
                let rest = chunk.get(at..).unwrap_or_default();
                let len = match self.algorithm {
                    Algorithm::Simple => verbatim_simple(rest),
                    Algorithm::Relaxed => verbatim_relaxed(rest),
                };
                self.text(rest.get(..len).unwrap_or_default(), out);
                at += len;
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
        while self.line_ends > 0 {
            let octets = usize::try_from(self.line_ends.saturating_mul(2)).unwrap_or(usize::MAX).min(LINE_ENDS.len());
            out(LINE_ENDS.get(..octets).unwrap_or_default());
            self.line_ends = self.line_ends.saturating_sub(LINE_ENDS.len() as u64 / 2);
        }
        if std::mem::take(&mut self.space) {
            out(b" ");
        }
        self.started = true;
        out(text);
    }
}

/// How many octets, at least one, are canonical as they stand: all up to the line ends (and a CR) at the end of `text`.
fn verbatim_simple(text: &[u8]) -> usize {
    let mut rest = text;
    if let Some(before) = rest.strip_suffix(b"\r") {
        rest = before;
    }
    while let Some(before) = rest.strip_suffix(b"\r\n") {
        rest = before;
    }
    rest.len().max(1)
}

/// How many octets, at least one, are canonical as they stand: up to white space that is not one SP between two words, and up to
/// line ends that are not between two lines that begin with text.
fn verbatim_relaxed(text: &[u8]) -> usize {
    let plain = |at: usize| text.get(at).is_some_and(|octet| !matches!(octet, b' ' | b'\t' | b'\r'));
    for at in memchr::memchr3_iter(b' ', b'\t', b'\r', text) {
        let verbatim = match text.get(at) {
            Some(b' ') => plain(at + 1),
            Some(b'\r') => text.get(at + 1) == Some(&b'\n') && plain(at + 2),
            _ => false,
        };
        if !verbatim {
            return at.max(1);
        }
    }
    text.len()
}
