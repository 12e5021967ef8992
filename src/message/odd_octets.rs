//! Whether a header holds octets that are looked at more closely: a question that is asked of every message, and which most answer at once.

use super::{line_endings::differ, malformation::has_line_separators};

/// Octets that are looked at without a way out between them, so that vector instructions do it.
const BLOCK: usize = 64;

/// Octets that are counted at once: no more than an octet can count, so that the sums of vector instructions may be octets too.
const COUNTED: usize = 128;

/// Whether a text has no more octets than these that are no printable ASCII, white space apart: for most headers, those of their line ends
/// are all.
pub(super) fn is_plain(text: &[u8], line_end_octets: usize) -> bool {
    let of_block =
        |octets: &[u8]| usize::from(octets.iter().fold(0_u8, |sum, octet| sum.wrapping_add(is_special(*octet))));
    let (blocks, rest) = text.as_chunks::<COUNTED>();
    blocks.iter().map(|block| of_block(block)).sum::<usize>() + of_block(rest) == line_end_octets
}

/// Whether an octet is a control other than the tab, or one of 8 bits.
fn is_special(octet: u8) -> u8 {
    // As a number with a sign, one of 8 bits is below zero.
    (u8::from(octet.cast_signed() < 0x20) & u8::from(octet != b'\t')) | u8::from(octet == 0x7f)
}

/// What octets a text holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OddOctets {
    /// A CR or an LF without the other.
    pub(super) bare_ends: bool,
    /// A control that is neither tab nor line end.
    pub(super) controls: bool,
    /// U+0085, U+2028 or U+2029.
    pub(super) line_separators: bool,
}

/// What was seen so far, in bits that are ored together.
#[derive(Clone, Copy, Default)]
struct Seen {
    bare_ends: u8,
    controls: u8,
    octets: u8,
}

impl Seen {
    /// `next` are the octets that follow, each in its place.
    fn and(self, octets: &[u8], next: &[u8]) -> Self {
        octets.iter().zip(next).fold(self, |seen, (octet, next)| Self {
            bare_ends: seen.bare_ends | differ(*octet, *next),
            controls: seen.controls | is_control(*octet),
            octets: seen.octets | octet,
        })
    }
}

impl OddOctets {
    /// Those of a text, in one pass.
    pub(super) fn of(text: &[u8]) -> Self {
        let (Some(first), Some(last)) = (text.first(), text.last()) else { return Self::default() };
        let after = text.get(1..).unwrap_or_default();
        let before = text.get(..after.len()).unwrap_or_default();
        let (blocks, rest) = before.as_chunks::<BLOCK>();
        let (next_blocks, next_rest) = after.as_chunks::<BLOCK>();
        let mut seen = Seen::default();
        for (octets, next) in blocks.iter().zip(next_blocks) {
            seen = seen.and(octets, next);
        }
        seen = seen.and(rest, next_rest);
        Self {
            bare_ends: seen.bare_ends != 0 || *first == b'\n' || *last == b'\r',
            controls: (seen.controls | is_control(*last)) != 0,
            line_separators: (seen.octets | last) >= 0x80 && has_line_separators(text),
        }
    }
}

fn is_control(octet: u8) -> u8 {
    (u8::from(octet < b' ') & u8::from(octet != b'\t') & u8::from(octet != b'\r') & u8::from(octet != b'\n'))
        | u8::from(octet == 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_counted_as_there_are() {
        let text = b"\r\n".repeat(70_000);
        assert!(is_plain(&text, text.len()) && !is_plain(&text, text.len() - 256));
    }

    #[test]
    fn each_kind_is_found_at_each_place() {
        for length in (1..5).chain(BLOCK - 2..=2 * BLOCK + 2) {
            let plain = vec![b'a'; length];
            assert_eq!(OddOctets::of(&plain), OddOctets::default(), "{length}");
            for place in 0..length {
                for octet in 0..=u8::MAX {
                    let mut text = plain.clone();
                    text[place] = octet;
                    let bare_ends = matches!(octet, b'\r' | b'\n');
                    let controls = octet != b'\t' && octet.is_ascii_control() && !bare_ends;
                    let expected = OddOctets { bare_ends, controls, line_separators: false };
                    assert_eq!(OddOctets::of(&text), expected, "{octet} at {place} of {length}");
                    assert_eq!(
                        is_plain(&text, 0),
                        matches!(octet, b'\t' | b' '..=b'~'),
                        "{octet} at {place} of {length}"
                    );
                    assert_eq!(is_plain(&text, 1), !is_plain(&text, 0));
                }
                for separator in ["\u{85}", "\u{2028}", "\u{2029}"] {
                    let text = [&plain[..place], separator.as_bytes(), &plain[place..]].concat();
                    assert!(OddOctets::of(&text).line_separators, "{place} of {length}");
                }
                let text = [&plain[..place], b"\t\r\n", "Å\u{2027}".as_bytes(), &plain[place..]].concat();
                assert_eq!(OddOctets::of(&text), OddOctets::default(), "{place} of {length}");
            }
        }
    }
}
