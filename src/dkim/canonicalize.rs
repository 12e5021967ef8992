//! Canonicalization, RFC 6376 §3.4: the algorithms, and what they make of a header field. All is exact to the octet and without a copy
//! of the text.

use super::{block::BLOCK, block_buffer::Sink};
use std::fmt;

/// A canonicalization algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
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
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.header, self.body)
    }
}

pub(super) fn is_wsp(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Canonicalizes one header field, without its final CRLF, into `out`.
///
/// `value` is given in pieces, so that the value of `b=` can be left out; no CRLF may be cut in two.
pub(crate) fn header_field<'v>(
    algorithm: Algorithm,
    raw_name: &[u8],
    value: impl IntoIterator<Item = &'v [u8]>,
    out: &mut impl Sink,
) {
    match algorithm {
        Algorithm::Simple => {
            out.text(raw_name);
            out.text(b":");
            value.into_iter().for_each(|piece| out.text(piece));
        }
        Algorithm::Relaxed => {
            // White space before the colon is dropped as well.
            for part in raw_name.trim_ascii_end().chunks(BLOCK) {
                let mut name = [0; BLOCK];
                name.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
                out.start_of(&name.map(|octet| octet.to_ascii_lowercase()), part.len());
            }
            out.start_of(&[b':'; BLOCK], 1);
            relaxed_value(value, out);
        }
    }
}

/// RFC 6376 §3.4.2: unfolds, makes runs of WSP one SP, and drops those at both ends of the value.
fn relaxed_value<'v>(pieces: impl IntoIterator<Item = &'v [u8]>, out: &mut impl Sink) {
    let (mut started, mut space) = (false, false);
    for piece in pieces {
        let mut at = 0;
        while let Some(&octet) = piece.get(at) {
            if is_wsp(octet) {
                space = true;
                at += 1;
                continue;
            }
            let rest = piece.get(at..).unwrap_or_default();
            // Every CRLF within a field is one of folding.
            if rest.starts_with(b"\r\n") {
                at += 2;
                continue;
            }
            if space && started {
                out.start_of(&[b' '; BLOCK], 1);
            }
            (started, space) = (true, false);
            let clean = clean_len(rest);
            out.text(rest.get(..clean).unwrap_or_default());
            at += clean;
        }
    }
}

/// How many octets of a value that begins with text stay as they are: words with one SP between them. At least one: a bare CR is
/// text.
fn clean_len(text: &[u8]) -> usize {
    const BLOCK: usize = 16;
    // In arithmetic of octets, as in `next_run`.
    let ends = |octet: u8, next: u8| {
        let white = u8::from(next == b' ') | u8::from(next == b'\t') | u8::from(next == b'\r');
        u8::from(octet == b'\t') | u8::from(octet == b'\r') | (u8::from(octet == b' ') & white)
    };
    let mut at = 1;
    while let (Some(block), Some(next)) = (
        text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()),
        text.get(at + 1..).and_then(|rest| rest.first_chunk::<BLOCK>()),
    ) {
        if block.iter().zip(next).fold(0, |any, (octet, next)| any | ends(*octet, *next)) != 0 {
            break;
        }
        at += BLOCK;
    }
    let (rest, after) = (text.get(at..).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
    // The last octet has none after it.
    let at_end =
        if rest.last().copied().is_some_and(|octet| ends(octet, b' ') != 0) { text.len() - 1 } else { text.len() };
    rest.iter().zip(after).position(|(octet, next)| ends(*octet, *next) != 0).map_or(at_end, |run| at + run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    fn field(algorithm: Algorithm, raw: &[u8]) -> Vec<u8> {
        let colon = raw.iter().position(|octet| *octet == b':').unwrap();
        let mut canonical = Vec::new();
        header_field(algorithm, &raw[..colon], [&raw[colon + 1..]], &mut canonical);
        canonical
    }

    /// RFC 6376 §3.4.2, word by word.
    fn plainly_of_value(value: &[u8]) -> Vec<u8> {
        let mut canonical = Vec::new();
        for octet in String::from_utf8_lossy(value).replace("\r\n", "").bytes() {
            match octet {
                b' ' | b'\t' if canonical.last().is_none_or(|last| *last == b' ') => {}
                b' ' | b'\t' => canonical.push(b' '),
                _ => canonical.push(octet),
            }
        }
        canonical.strip_suffix(b" ").map(<[u8]>::to_vec).unwrap_or(canonical)
    }

    const LONG_VALUE_PIECES: [&[u8]; 9] =
        [b"\r\n ", b" ", b"  ", b"\t", b"\r", b"\n", b"a", b"a b", b"a longer text, of words"];
    const VALUE_PIECES: [&[u8]; 9] = [b"\r\n ", b"\r\n\t", b" ", b"\t", b"\r", b"a", b"Word", b":", b"\xe4"];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn relaxed_values_are_canonicalized_to_the_letter(
            value in vec(select(&LONG_VALUE_PIECES[..]), 0..30),
            cut in 0_usize..60,
        ) {
            let value = value.concat();
            // No CRLF is cut in two.
            let cut = (0..=cut.min(value.len())).rev().find(|at| !value[..*at].ends_with(b"\r")).unwrap();
            let mut canonical = Vec::new();
            relaxed_value([&value[..cut], &value[cut..]], &mut canonical);
            prop_assert_eq!(canonical, plainly_of_value(&value));
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
    fn the_example_of_the_rfc() {
        // RFC 6376 §3.4.5.
        assert_eq!(field(Algorithm::Relaxed, b"A: X"), b"a:X");
        assert_eq!(field(Algorithm::Relaxed, b"B : Y\t\r\n\tZ  "), b"b:Y Z");
    }
}
