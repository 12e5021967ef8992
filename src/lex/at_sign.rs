//! At signs, and what readers take for one.

use super::encoded_word;

/// The fullwidth and the small commercial at, which compatibility mappings (UTS 46, NFKC) fold into `@`.
const FOLDED: [&str; 2] = ["\u{ff20}", "\u{fe6b}"];

/// Where the at signs of a text end, folded ones among them.
pub(crate) fn ends_of_at_signs(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    // The first octet of both folded ones is the same.
    memchr::memchr2_iter(b'@', 0xef, text).filter_map(|at| {
        let rest = text.get(at..)?;
        let folded =
            || FOLDED.iter().find(|folded| rest.starts_with(folded.as_bytes())).map(|folded| at + folded.len());
        if rest.starts_with(b"@") { Some(at + 1) } else { folded() }
    })
}

/// Whether some reader finds an at sign: as it stands, folded, or in an encoded word.
pub(crate) fn has_at_sign(text: &[u8]) -> bool {
    ends_of_at_signs(text).next().is_some() || has_decoded_at_sign(text)
}

/// Whether lenient readers find an at sign in a text that has none for others, or another one than they do.
pub(crate) fn has_hidden_at_sign(text: &[u8]) -> bool {
    has_folded_at_sign(text) || has_decoded_at_sign(text)
}

/// Whether there is something that readers may take for an at sign, by its looks alone: any encoded word is.
pub(crate) fn may_hide_at_sign(text: &[u8]) -> bool {
    has_folded_at_sign(text) || encoded_word::may_hold_one(text)
}

fn has_folded_at_sign(text: &[u8]) -> bool {
    FOLDED.iter().any(|folded| memchr::memmem::find(text, folded.as_bytes()).is_some())
}

/// Whether decoding encoded words gives at signs that do not stand in the text.
fn has_decoded_at_sign(text: &[u8]) -> bool {
    encoded_word::decoded(text)
        .is_some_and(|decoded| ends_of_at_signs(&decoded).count() > ends_of_at_signs(text).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_signs_are_found_as_they_stand_and_folded() {
        let ends = |text: &str| ends_of_at_signs(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(ends("a@b\u{ff20}c\u{fe6b}d"), [2, 6, 10]);
        assert!(ends("\u{ff21}\u{fe6a}\u{feff}a").is_empty());
        assert_eq!(ends_of_at_signs(b"\xef@\xef\xbc").collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn at_signs_are_found_in_encoded_words() {
        for (text, is_found) in [
            ("=?utf-8?q?a=40b?=", true),
            ("=?utf-8?q?a=EF=BC=A0b?=", true),
            ("=?utf-8?q?a?=", false),
            ("\"=?utf-8?b?QA==?=\"", true),
            ("=40", false),
        ] {
            assert_eq!(
                (has_at_sign(text.as_bytes()), has_hidden_at_sign(text.as_bytes())),
                (is_found, is_found),
                "{text}"
            );
        }
        // What stands there for all to see is not hidden.
        assert!(has_at_sign(b"a@b =?utf-8?q?c?=") && !has_hidden_at_sign(b"a@b =?utf-8?q?c?="));
        assert!(may_hide_at_sign(b"a@b =?utf-8?q?c?=") && !may_hide_at_sign(b"a@b"));
    }
}
