//! Texts that are nearly SPF records: evaluators see none (RFC 7208 §4.5).

use crate::spf::Record;

/// Why a text is no SPF record, though it was probably meant to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NearMiss {
    /// White space, a quotation mark or a byte order mark stands before the version.
    Before,
    /// Something other than a blank stands behind the version.
    Behind,
    /// The version is written otherwise.
    Version,
}

/// As what the version is written; behind each stands a blank, or nothing.
const OTHERWISE: [&str; 12] = [
    "v-spf1", "v:spf1", "v=spf-1", "v= spf1", "v =spf1", "v = spf1", "v=spf 1", "v==spf1", "v=sfp1", "vspf1", "spf1",
    "v=spf",
];

impl NearMiss {
    /// `None` where the text is a record, or nothing like one.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        // No version section is longer, with what may stand before it.
        const START: usize = 32;
        let start = text.get(..START).unwrap_or(text).to_ascii_lowercase();
        let mut rest = &*start;
        while let [b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'\\' | 0xef | 0xbb | 0xbf | 0xa0 | 0xc2, more @ ..] =
            rest
        {
            rest = more;
        }
        let is_moved = rest.len() < start.len();
        let ends = |rest: &[u8]| matches!(rest.first(), None | Some(b' ' | b'\t' | b'"'));
        match rest.strip_prefix(b"v=spf1") {
            _ if Record::has_version(text) => None,
            Some(_) if is_moved => Some(Self::Before),
            Some(_) => Some(Self::Behind),
            None => {
                let written = |version: &&str| rest.strip_prefix(version.as_bytes()).is_some_and(ends);
                OTHERWISE.iter().any(written).then_some(Self::Version)
            }
        }
    }

    /// In words that go on behind the name and the text.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Before => "something stands before \"v=spf1\"",
            Self::Behind => "\"v=spf1\" is followed by something other than a blank",
            Self::Version => "it does not begin with \"v=spf1\"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_a_record_is_told_from_what_is_one_and_from_all_else() {
        for (text, expected) in [
            (&b" v=spf1 -all"[..], Some(NearMiss::Before)),
            (b"\"v=spf1 -all\"", Some(NearMiss::Before)),
            (b"\xef\xbb\xbfv=spf1 -all", Some(NearMiss::Before)),
            (b"v=spf1\t-all", Some(NearMiss::Behind)),
            (b"v=spf1; -all", Some(NearMiss::Behind)),
            (b"V=SPF10 -all", Some(NearMiss::Behind)),
            (b"v-spf1 -all", Some(NearMiss::Version)),
            (b"v=spf 1 -all", Some(NearMiss::Version)),
            (b"v=spf1 -all", None),
            (b"v=spf1", None),
            (b"spf2.0/pra -all", None),
            (b"v=DMARC1; p=none", None),
            (b"spf1-verification=abc", None),
            (b"", None),
        ] {
            assert_eq!(NearMiss::of(text), expected, "{}", text.escape_ascii());
        }
    }
}
