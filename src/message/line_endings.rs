//! Line ends: what is there, and how a file saved on Unix becomes a message.

use std::borrow::Cow;

/// How many line ends of each kind a text has.
///
/// A message as SMTP carries it has `crlf` alone (RFC 5321 §2.3.8: bare CR and bare LF must not be sent).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LineEndings {
    /// CR LF.
    pub crlf: usize,
    /// LF without a CR before it.
    pub bare_lf: usize,
    /// CR without an LF after it.
    pub bare_cr: usize,
}

impl LineEndings {
    /// Counts the line ends of `text` in one pass.
    pub fn of(text: &[u8]) -> Self {
        let mut found = Self::default();
        for at in memchr::memchr2_iter(b'\r', b'\n', text) {
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            match text.get(at) {
                Some(b'\n') if before == Some(&b'\r') => found.crlf += 1,
                Some(b'\n') => found.bare_lf += 1,
                _ if text.get(at + 1) == Some(&b'\n') => {}
                _ => found.bare_cr += 1,
            }
        }
        found
    }

    /// Whether every line ends as SMTP demands.
    pub fn are_crlf(&self) -> bool {
        self.bare_lf == 0 && self.bare_cr == 0
    }
}

/// Octets that are compared without a way out between them, so that vector instructions do it.
const BLOCK: usize = 64;

/// Whether `text` has a bare CR or a bare LF; several times faster than counting them.
pub(super) fn has_bare_ends(text: &[u8]) -> bool {
    let after = text.get(1..).unwrap_or_default();
    let before = text.get(..after.len()).unwrap_or_default();
    let (blocks, rest) = before.as_chunks::<BLOCK>();
    let (next_blocks, next_rest) = after.as_chunks::<BLOCK>();
    let inside = blocks.iter().zip(next_blocks).any(|(octets, next)| have_bare_ends(octets, next));
    inside || have_bare_ends(rest, next_rest) || text.first() == Some(&b'\n') || text.last() == Some(&b'\r')
}

/// Whether a CR among `octets` has no LF in its place in `next`, or an LF there no CR here.
fn have_bare_ends(octets: &[u8], next: &[u8]) -> bool {
    octets.iter().zip(next).fold(0, |any, (octet, next)| any | differ(*octet, *next)) != 0
}

/// Whether the one is a CR and the other no LF, or the reverse; a number, as vector instructions have it.
pub(super) fn differ(octet: u8, next: u8) -> u8 {
    u8::from(octet == b'\r') ^ u8::from(next == b'\n')
}

/// The text with each bare LF made a CRLF, as for a message that was saved as a Unix file; borrowed where nothing is to be done.
///
/// Bare CRs stay: they are no line end of any system that saves mail today, and hiding them would change what was signed.
///
/// ```
/// use mailverdict::message::to_crlf;
/// assert_eq!(&*to_crlf(b"a\nb\r\nc\r"), b"a\r\nb\r\nc\r");
/// ```
pub fn to_crlf(text: &[u8]) -> Cow<'_, [u8]> {
    if !has_bare_ends(text) {
        return Cow::Borrowed(text);
    }
    let endings = LineEndings::of(text);
    if endings.bare_lf == 0 {
        return Cow::Borrowed(text);
    }
    let mut converted = Vec::with_capacity(text.len() + endings.bare_lf);
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(content) => {
                converted.extend_from_slice(content.strip_suffix(b"\r").unwrap_or(content));
                converted.extend_from_slice(b"\r\n");
            }
            None => converted.extend_from_slice(line),
        }
    }
    Cow::Owned(converted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_end_is_counted_once() {
        let endings = LineEndings::of(b"a\r\nb\nc\rd\r\r\n\n\r");
        assert_eq!(endings, LineEndings { crlf: 2, bare_lf: 2, bare_cr: 3 });
        assert!(!endings.are_crlf());
        assert!(LineEndings::of(b"a\r\n").are_crlf());
    }

    #[test]
    fn bare_ends_are_found_wherever_they_are_counted() {
        const OCTETS: &[u8] = b"a\r\n";
        for length in 0..=6 {
            for number in 0..OCTETS.len().pow(length) {
                let text: Vec<u8> =
                    (0..length).map(|place| OCTETS[number / OCTETS.len().pow(place) % OCTETS.len()]).collect();
                assert_eq!(has_bare_ends(&text), !LineEndings::of(&text).are_crlf(), "{text:?}");
            }
        }
    }

    #[test]
    fn bare_ends_are_found_at_the_borders_of_blocks() {
        for length in BLOCK - 2..=2 * BLOCK + 2 {
            let plain = vec![b'a'; length];
            assert!(!has_bare_ends(&plain), "{length}");
            for place in 0..length {
                for octet in [b'\r', b'\n'] {
                    let mut text = plain.clone();
                    text[place] = octet;
                    assert!(has_bare_ends(&text), "{octet} at {place} of {length}");
                }
                let mut text = plain.clone();
                if let Some(pair) = text.get_mut(place..place + 2) {
                    pair.copy_from_slice(b"\r\n");
                    assert!(!has_bare_ends(&text), "CRLF at {place} of {length}");
                }
            }
        }
    }

    #[test]
    fn only_bare_lf_becomes_crlf() {
        assert_eq!(&*to_crlf(b"a\n\nb\r\r\n\nc"), b"a\r\n\r\nb\r\r\n\r\nc");
        assert!(matches!(to_crlf(b"a\r\nb\rc"), Cow::Borrowed(_)));
    }
}
