//! Encoded words (RFC 2047), decoded as the most lenient readers do it.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Readers come upon base64 cut off and carelessly made; bits that belong to no octet are dropped.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How often a text is decoded: some programs decode what another one decoded before.
const ROUNDS: usize = 2;

/// Whether anything begins as an encoded word does, also for readers who drop what stands between its first two octets.
pub(crate) fn may_hold_one(text: &[u8]) -> bool {
    memchr::memchr_iter(b'=', text).any(|at| {
        let mut after = text.get(at + 1..).unwrap_or_default().iter();
        after.find(|octet| !is_dropped(**octet)) == Some(&b'?')
    })
}

/// Controls, which some readers pass over, and backslashes, because what is quoted is unquoted before it is decoded.
fn is_dropped(octet: u8) -> bool {
    octet == b'\\' || octet.is_ascii_control() && octet != b'\t'
}

/// The text with its encoded words decoded; `None` where nothing begins as one does.
///
/// It shows what somebody may read, so what resembles an encoded word is one: anywhere (RFC 2047 §5 allows none in an address or a quoted
/// string), of any length and with white space in it (§2 has neither), in a charset nobody knows, and without its end. Octets stay as the
/// charset has them, but for UTF-7. The result is no longer than the text, or than one and a half times that where it is in UTF-7.
pub(crate) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    if !may_hold_one(text) {
        return None;
    }
    let kept = text.iter().filter(|octet| !is_dropped(**octet));
    let mut text: Vec<u8> = kept.map(|octet| if *octet == b'\t' { b' ' } else { *octet }).collect();
    for _ in 0..ROUNDS {
        text = decoded_once(&text);
    }
    Some(text)
}

fn decoded_once(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, found)) = split_at_pair(rest, *b"=?") {
        decoded.extend_from_slice(before);
        let Some((octets, after)) = encoded_word(found) else {
            decoded.extend_from_slice(b"=?");
            rest = found;
            continue;
        };
        decoded.extend_from_slice(&octets);
        // RFC 2047 §6.2: white space between encoded words is not shown.
        let next = after.trim_ascii_start();
        rest = if next.starts_with(b"=?") { next } else { after };
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// What stands before an octet and behind it.
fn split_at(text: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let (before, from) = text.split_at_checked(memchr::memchr(mark, text)?)?;
    Some((before, from.get(1..)?))
}

/// What stands before a pair of octets and behind it.
fn split_at_pair(text: &[u8], [first, second]: [u8; 2]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr_iter(first, text).find(|at| text.get(at + 1) == Some(&second))?;
    text.get(..at).zip(text.get(at + 2..))
}

/// `charset "?" encoding "?" encoded-text "?="` of RFC 2047 §2: its octets, and what follows.
fn encoded_word(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (charset, text) = split_at(text, b'?')?;
    let (encoding, text) = split_at(text, b'?')?;
    // Known before the end is looked for, which may be far away.
    let octets_of = match encoding.trim_ascii() {
        b"q" | b"Q" => q_decoded,
        b"b" | b"B" => b_decoded,
        _ => return None,
    };
    let (encoded, after) = split_at_pair(text, *b"?=").unwrap_or((text, b""));
    let octets = octets_of(encoded);
    let is_utf_7 = charset.windows(5).any(|name| name.eq_ignore_ascii_case(b"utf-7"))
        || charset.windows(4).any(|name| name.eq_ignore_ascii_case(b"utf7"));
    let mut octets = if is_utf_7 { utf_7_decoded(&octets) } else { octets };
    // As UTF-16 has them beside ASCII.
    octets.retain(|octet| *octet != 0);
    Some((without_halves_of_characters(octets), after))
}

/// RFC 2047 §4.2.
fn q_decoded(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [octet, after @ ..] = rest {
        let escaped = (*octet == b'=').then(|| after.split_at_checked(2)).flatten();
        let escaped = escaped.and_then(|(digits, after)| Some((hexadecimal(digits)?, after)));
        let plain = if *octet == b'_' { b' ' } else { *octet };
        let (octet, after) = escaped.unwrap_or((plain, after));
        octets.push(octet);
        rest = after;
    }
    octets
}

/// Digits in either case, though RFC 2047 §4.2 recommends one.
fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.iter().try_fold(0, |octet, digit| Some(octet << 4 | value(digit)?))
}

/// RFC 2047 §4.1, with other characters passed over (RFC 2045 §6.8), and each piece that ends in padding by itself.
fn b_decoded(text: &[u8]) -> Vec<u8> {
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    let pieces = text.split(|octet| *octet == b'=');
    let decoded = pieces.flat_map(|piece| {
        let mut digits: Vec<u8> = piece.iter().copied().filter(is_digit).collect();
        // A single digit more is no octet.
        digits.truncate(digits.len() - usize::from(digits.len() % 4 == 1));
        BASE64.decode(&digits).unwrap_or_default()
    });
    decoded.collect()
}

/// RFC 2152: `+`, UTF-16 in base64, and `-`.
fn utf_7_decoded(text: &[u8]) -> Vec<u8> {
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'/' || *octet == b'+';
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, shifted)) = split_at(rest, b'+') {
        decoded.extend_from_slice(before);
        let (digits, after) =
            shifted.split_at_checked(shifted.iter().take_while(|octet| is_digit(octet)).count()).unwrap_or_default();
        let units: Vec<u16> = b_decoded(digits)
            .chunks_exact(2)
            .map(|unit| unit.iter().fold(0, |unit, octet| unit << 8 | u16::from(*octet)))
            .collect();
        decoded.extend_from_slice(String::from_utf16_lossy(&units).as_bytes());
        rest = after.strip_prefix(b"-").unwrap_or(after);
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// Blanks `@` where it is more likely one half of a character in ISO-2022, Shift JIS, GBK or Big5 than an at sign: in text that is no
/// UTF-8, behind an octet outside ASCII or between escapes, unless a domain of several labels follows for whoever reads it as ASCII.
fn without_halves_of_characters(mut octets: Vec<u8>) -> Vec<u8> {
    let is_shifting = memchr::memmem::find(&octets, b"\x1b$").is_some();
    if !is_shifting && std::str::from_utf8(&octets).is_ok() {
        return octets;
    }
    let (mut before, mut shifted) = (0, false);
    for at in 0..octets.len() {
        let Some(rest) = octets.get(at..) else { break };
        shifted = if rest.starts_with(b"\x1b") { rest.starts_with(b"\x1b$") } else { shifted };
        let is_half = rest.starts_with(b"@")
            && (shifted || before >= 0x80)
            && !starts_with_domain(rest.get(1..).unwrap_or_default());
        if let Some(octet) = octets.get_mut(at) {
            before = *octet;
            *octet = if is_half { b' ' } else { *octet };
        }
    }
    octets
}

fn starts_with_domain(text: &[u8]) -> bool {
    let is_label = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    let label = text.iter().take_while(|octet| is_label(octet)).count();
    label > 0 && matches!(text.get(label..), Some([b'.', next, ..]) if is_label(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8]) -> Option<String> {
        decoded(text).map(|decoded| decoded.escape_ascii().to_string())
    }

    #[test]
    fn encoded_words_are_decoded_as_the_most_lenient_readers_do_it() {
        for (text, expected) in [
            ("<a@b>", None),
            ("=?utf-8?q?ceo=40victim=2etest?=@evil.test", Some("ceo@victim.test@evil.test")),
            ("=?UTF-8*en?Q?a_b=?= c", Some("a b= c")),
            ("=?x?q?a b=zz=4?=", Some("a b=zz=4")),
            ("=?x?B?Y2VvQHZpY3RpbQ==?=", Some("ceo@victim")),
            ("=?x? b ?Y2VvQHZpY3RpbQ?=", Some("ceo@victim")),
            ("=?x?b?Y2Vv QHZp-Y3RpbR==?=", Some("ceo@victim")),
            ("=?x?b?Y2Vv=QA==QA?=", Some("ceo@@")),
            ("=?x?q?a?= \r\n\t=?x?q?b?= =?x?q?c?= d", Some("abc d")),
            ("=?x?q?a?= b", Some("a b")),
            // Quoted, cut off, and with what some readers drop.
            ("\"=\\?x?q?a=\\40b?=\"", Some(r#"\"a@b\""#)),
            ("=?x?q?a=40b", Some("a@b")),
            ("=?x?q\u{7f}?a=4\x010b?=", Some("a@b")),
            ("a\tb =?x?q?c?=", Some("a b c")),
            ("=\0?x?q?a=40b?=", Some("a@b")),
            ("=\\\\\0?x?q?a=40b?=", Some("a@b")),
            ("=\t?x?q?a=40b?=", None),
            // None of them.
            ("=?x?y?a=40b?=", Some("=?x?y?a=40b?=")),
            ("=?x?q", Some("=?x?q")),
            ("=?=?=?=?", Some("=?=?=?=?")),
            ("=??q?=40?=", Some("@")),
            // Encoded twice.
            ("=?x?q?=3D=3Fx=3Fq=3Fa=40b=3F=3D?=", Some("a@b")),
            // Whatever the charset, but for that which writes other octets for ASCII.
            ("=?utf-16be?b?AEA=?=", Some("@")),
            ("=?utf-7?q?ceo+AEA-victim+-?=", Some("ceo@victim")),
            ("=?unicode-1-1-UTF-7?b?K0FFQS0=?=", Some("@")),
        ] {
            assert_eq!(shown(text.as_bytes()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn half_a_character_is_no_at_sign_unless_a_domain_follows_it() {
        for (word, expected) in [
            // ISO-2022-JP and Shift JIS for names.
            ("=?iso-2022-jp?q?=1B$B@n@P=1B(B?=", "\\x1b$B n P\\x1b(B"),
            ("=?iso-2022-jp?q?=1B$B@n=1B(B@?=", "\\x1b$B n\\x1b(B@"),
            ("=?shift_jis?q?=8Fa=83@?=", "\\x8fa\\x83 "),
            ("=?gbk?q?=81@a?=", "\\x81 a"),
            // Who does not know the charset reads an address.
            ("=?gbk?q?ceo=81@victim.test?=", "ceo\\x81@victim.test"),
            ("=?iso-2022-jp?q?=1B$B@victim.test?=", "\\x1b$B@victim.test"),
            ("=?iso-8859-1?q?=e9a@b?=", "\\xe9a@b"),
            ("=?utf-8?q?=c3=a9@b?=", "\\xc3\\xa9@b"),
        ] {
            assert_eq!(shown(word.as_bytes()).as_deref(), Some(expected), "{word}");
        }
    }

    #[test]
    fn decoding_costs_no_square_of_time() {
        for piece in
            ["=?", "=?a?q?", "=?a?", "=?a?q?=40?=", "=?a?b?=", "=?utf-7?q?+", "=?a?q?=e9@a", "=?x?q?=40", "=?a?y?"]
        {
            let text = piece.repeat(200_000 / piece.len());
            assert!(decoded(text.as_bytes()).is_some_and(|decoded| decoded.len() <= 2 * text.len()), "{piece}");
        }
    }
}
