//! The grammar of tag values, one function per rule, named as in RFC 6376 §2.10, §2.11 and §3.5.

use crate::{
    lex::{
        SyntaxError,
        tag_list::{Tag, fws_len, trim_fws_end},
    },
    name::{Domain, DomainText},
    text::{Stretch, Texts},
    time::UnixTime,
};
use base64::{
    DecodeSliceError, Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use std::borrow::Cow;

/// base64string makes its padding optional; bits that belong to no octet must be zero, so that one value has one spelling.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(false),
);

/// The error that `expected` was wanted `at` octets into the value.
pub(crate) fn error_at(tag: &Tag<'_>, at: usize, expected: &'static str) -> SyntaxError {
    SyntaxError::new(tag.value_offset + at, expected)
}

/// The value without white space. The tag list's grammar has seen to it that CR and LF stand in FWS alone.
pub(crate) fn without_fws(value: &[u8]) -> Cow<'_, [u8]> {
    let white = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    if value.iter().any(white) {
        Cow::Owned(value.iter().copied().filter(|octet| !white(octet)).collect())
    } else {
        Cow::Borrowed(value)
    }
}

/// `base64string`: the octets it stands for; not empty.
pub(crate) fn base64string(tag: &Tag<'_>) -> Result<Box<[u8]>, SyntaxError> {
    let text = without_fws(tag.value);
    let octets = BASE64.decode(&*text).map_err(|_| no_base64(tag, &text))?;
    if octets.is_empty() { Err(error_at(tag, 0, "base64string")) } else { Ok(octets.into()) }
}

/// `base64string`, not empty, written to `texts` without white space and with its padding: so that equal octets are equal texts.
pub(crate) fn base64_text(tag: &Tag<'_>, texts: &mut Texts) -> Result<Stretch, SyntaxError> {
    let start = texts.len();
    let mut rest = tag.value;
    // The tag list's grammar has seen to it that CR and LF stand in FWS alone.
    while let Some(at) = memchr::memchr3(b' ', b'\t', b'\r', rest) {
        let (symbols, after) = rest.split_at(at);
        texts.push_octets(symbols);
        rest = after.trim_ascii_start();
    }
    texts.push_octets(rest);
    let written = texts.octets_since(start);
    let symbols = written.iter().rposition(|octet| *octet != b'=').map_or(0, |last| last + 1);
    if !is_base64(written) {
        let error = no_base64(tag, written);
        texts.truncate(start);
        return Err(error);
    }
    texts.truncate(start + symbols);
    texts.push(match symbols % 4 {
        2 => "==",
        3 => "=",
        _ => "",
    });
    Ok(texts.stretch(start))
}

/// What is wrong with a text that cannot be decoded: where it has nothing but symbols, it ends where no octet does.
fn no_base64(tag: &Tag<'_>, text: &[u8]) -> SyntaxError {
    let is_cut = !text.is_empty() && only_symbols(text);
    error_at(tag, 0, if is_cut { "end of base64string" } else { "base64string" })
}

/// Whether a text is base64 and stands for an octet at least, without all the work of decoding it.
fn is_base64(text: &[u8]) -> bool {
    // Each four symbols are decoded by themselves, and only the last ones can be other than three whole octets.
    let (whole, last) = text.split_at(text.len().saturating_sub(4) / 4 * 4);
    let mut octets = [0; 6];
    only_symbols(whole) && BASE64.decode_slice(last, &mut octets).is_ok_and(|len| len > 0)
}

/// Whether all octets are symbols of base64, without padding.
fn only_symbols(text: &[u8]) -> bool {
    // In arithmetic of octets and in blocks without a way out, so that vector instructions are made of it.
    let beyond = |octet: u8, from: u8, to: u8| u8::from(octet.wrapping_sub(from) > to - from);
    let is_other = |octet: u8| {
        let no_letter = beyond(octet | 0x20, b'a', b'z');
        no_letter & beyond(octet, b'0', b'9') & u8::from(octet != b'+') & u8::from(octet != b'/')
    };
    let (blocks, rest) = text.as_chunks::<32>();
    let clean = |octets: &[u8]| octets.iter().fold(0, |any, octet| any | is_other(*octet)) == 0;
    blocks.iter().all(|block| clean(block)) && clean(rest)
}

/// Gives the octets of a base64 text, or `None` where it is none; those of a signature or a hash need no allocation.
pub(crate) fn with_decoded<T>(base64: &str, then: impl FnOnce(Option<&[u8]>) -> T) -> T {
    let mut octets = [0; 768];
    match BASE64.decode_slice(base64, &mut octets) {
        Ok(len) => then(octets.get(..len)),
        Err(DecodeSliceError::OutputSliceTooSmall) => then(BASE64.decode(base64).ok().as_deref()),
        Err(DecodeSliceError::DecodeError(_)) => then(None),
    }
}

/// `1*<most>DIGIT`; what does not fit into 64 bits is as good as infinite.
pub(crate) fn digits(tag: &Tag<'_>, most: usize, expected: &'static str) -> Result<u64, SyntaxError> {
    if tag.value.is_empty() || tag.value.len() > most {
        return Err(error_at(tag, 0, expected));
    }
    tag.value.iter().enumerate().try_fold(0_u64, |number, (at, octet)| match octet {
        b'0'..=b'9' => Ok(number.saturating_mul(10).saturating_add(u64::from(octet - b'0'))),
        _ => Err(error_at(tag, at, expected)),
    })
}

/// `sig-t-tag` and `sig-x-tag`: `1*12DIGIT`.
pub(crate) fn timestamp(tag: &Tag<'_>) -> Result<UnixTime, SyntaxError> {
    digits(tag, 12, "1*12DIGIT").map(UnixTime)
}

/// `sub-domain` of RFC 5321 §4.1.2 in each label, U-labels allowed (RFC 8616 §2); the underscore is let pass, as in [`Domain`].
fn sub_domains(text: &[u8]) -> Option<DomainText<'_>> {
    let edge = |pair: &[u8]| matches!(pair, [b'.', b'-'] | [b'-', b'.']);
    if matches!(text, [b'-', ..] | [.., b'-' | b'.']) || text.windows(2).any(edge) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if text.is_ascii() {
        return DomainText::parse(text).ok();
    }
    // A dot is "." alone: UTS 46 would take these for one as well.
    if text.ends_with(['\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{2024}']) {
        return None;
    }
    DomainText::parse(text).ok().filter(|domain| domain.label_count() == text.split('.').count())
}

/// `domain-name = sub-domain 1*("." sub-domain)`.
pub(crate) fn domain_name<'t>(tag: &Tag<'t>) -> Result<DomainText<'t>, SyntaxError> {
    sub_domains(tag.value).filter(|domain| domain.label_count() > 1).ok_or_else(|| error_at(tag, 0, "domain-name"))
}

/// `selector = sub-domain *( "." sub-domain )`.
pub(crate) fn selector<'t>(tag: &Tag<'t>) -> Result<DomainText<'t>, SyntaxError> {
    sub_domains(tag.value).ok_or_else(|| error_at(tag, 0, "selector"))
}

/// Splits `item *( [FWS] separator [FWS] item )`; the items come with their offsets in the value. More white space than one FWS on a
/// side stays in the item, whose rule refuses it.
fn list(value: &[u8], separator: u8) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    value.split(move |octet| *octet == separator).map(move |item| {
        let lead = fws_len(item);
        let offset = start + lead;
        start += item.len() + 1;
        (offset, trim_fws_end(item.get(lead..).unwrap_or_default()))
    })
}

/// `hdr-name *( [FWS] ":" [FWS] hdr-name )`, written to `texts` without white space; `gaps` lets a name be empty, which then names no
/// field.
pub(crate) fn hdr_names(tag: &Tag<'_>, gaps: Gaps, texts: &mut Texts) -> Result<Stretch, SyntaxError> {
    let ftext = |octet: &u8| matches!(octet, 33..=57 | 59..=126);
    let start = texts.len();
    if is_plain_list(tag.value) {
        texts.push_octets(tag.value);
        return Ok(texts.stretch(start));
    }
    for (number, (offset, name)) in list(tag.value, b':').enumerate() {
        if number > 0 {
            texts.push(":");
        }
        match std::str::from_utf8(name) {
            Ok(text) if (!name.is_empty() || gaps == Gaps::Allowed) && name.iter().all(ftext) => texts.push(text),
            _ => return Err(error_at(tag, offset, "hdr-name")),
        }
    }
    Ok(texts.stretch(start))
}

/// Whether this is a list of names as most signers write it: without white space, and no name empty. In arithmetic of octets, so that
/// it is done by vector instructions.
fn is_plain_list(value: &[u8]) -> bool {
    let outside_ftext = |octet: u8| u8::from(octet.wrapping_sub(33) > 126 - 33);
    let colon = |octet: u8| u8::from(octet == b':');
    let others = value.iter().fold(0, |any, octet| any | outside_ftext(*octet));
    let after = value.get(1..).unwrap_or_default();
    let pairs = value.iter().zip(after).fold(0, |any, (octet, next)| any | (colon(*octet) & colon(*next)));
    others | pairs == 0 && !matches!(value, [] | [b':', ..] | [.., b':'])
}

/// Whether two colons of a list may stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gaps {
    Allowed,
    Forbidden,
}

/// `hyphenated-word = ALPHA [ *(ALPHA / DIGIT / "-") (ALPHA / DIGIT) ]`.
pub(crate) fn is_hyphenated_word(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_alphabetic)
        && word.last().is_some_and(u8::is_ascii_alphanumeric)
        && word.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
}

/// A list of words separated by colons, as in `h=`, `s=` and `t=` of key records.
pub(crate) fn words(
    tag: &Tag<'_>,
    is_word: impl Fn(&[u8]) -> bool,
    expected: &'static str,
) -> Result<Box<[Box<str>]>, SyntaxError> {
    list(tag.value, b':')
        .map(|(offset, word)| match std::str::from_utf8(word) {
            Ok(text) if is_word(word) => Ok(text.into()),
            _ => Err(error_at(tag, offset, expected)),
        })
        .collect()
}

/// `sig-a-tag-alg = sig-a-tag-k "-" sig-a-tag-h`, known or not.
pub(crate) fn sig_a_tag_alg<'t>(tag: &Tag<'t>) -> Result<&'t str, SyntaxError> {
    let word =
        |word: &[u8]| word.first().is_some_and(u8::is_ascii_alphabetic) && word.iter().all(u8::is_ascii_alphanumeric);
    let mut words = tag.value.split(|octet| *octet == b'-');
    match (words.next(), words.next(), words.next(), std::str::from_utf8(tag.value)) {
        (Some(k), Some(h), None, Ok(text)) if word(k) && word(h) => Ok(text),
        _ => Err(error_at(tag, 0, "sig-a-tag-alg")),
    }
}

/// The two names of `sig-c-tag`, known or not; the second is `None` where there is one alone.
pub(crate) fn sig_c_tag<'t>(tag: &Tag<'t>) -> Result<(&'t [u8], Option<&'t [u8]>), SyntaxError> {
    let (header, body) = match memchr::memchr(b'/', tag.value) {
        Some(slash) => (tag.value.get(..slash).unwrap_or_default(), tag.value.get(slash + 1..)),
        None => (tag.value, None),
    };
    if is_hyphenated_word(header) && body.is_none_or(is_hyphenated_word) {
        Ok((header, body))
    } else {
        Err(error_at(tag, 0, "sig-c-tag-alg"))
    }
}

/// `sig-q-tag`: whether `dns/txt` is among the methods.
pub(crate) fn sig_q_tag(tag: &Tag<'_>) -> Result<bool, SyntaxError> {
    let mut found = false;
    for (offset, method) in list(tag.value, b':') {
        let (name, options) = match memchr::memchr(b'/', method) {
            Some(slash) => (method.get(..slash).unwrap_or_default(), method.get(slash + 1..)),
            None => (method, None),
        };
        let options_read = options.is_none_or(|options| dkim_quoted_printable(options).is_some());
        if !is_hyphenated_word(name) || !options_read {
            return Err(error_at(tag, offset, "sig-q-tag-method"));
        }
        // RFC 6376 §3.5: the option "txt" of "dns" must be there.
        found |= method == b"dns/txt";
    }
    Ok(found)
}

/// `dkim-quoted-printable`, decoded; `None` where it is not. UTF-8 may stand in it as it is (RFC 8616 §3).
pub(crate) fn dkim_quoted_printable(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    if value.iter().all(|octet| matches!(octet, b'!'..=b'~' | 0x80.. if !matches!(octet, b';' | b'='))) {
        return Some(Cow::Borrowed(value));
    }
    let mut decoded = Vec::with_capacity(value.len());
    let text = without_fws(value);
    let mut octets = text.iter();
    while let Some(&octet) = octets.next() {
        match octet {
            b'=' => {
                // RFC 6376 §2.11: no lower case.
                let mut digit = || match octets.next()? {
                    digit @ b'0'..=b'9' => Some(digit - b'0'),
                    digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
                    _ => None,
                };
                decoded.push(digit()? * 16 + digit()?);
            }
            b'!'..=b'~' if octet != b';' => decoded.push(octet),
            0x80.. => decoded.push(octet),
            _ => return None,
        }
    }
    Some(Cow::Owned(decoded))
}

/// `sig-i-tag`: the decoded identity, written to `texts`, and its domain where that is not `signing_domain` itself.
pub(crate) fn sig_i_tag(
    tag: &Tag<'_>,
    signing_domain: Option<&DomainText<'_>>,
    texts: &mut Texts,
) -> Result<(Stretch, Option<Domain>), SyntaxError> {
    let decoded = dkim_quoted_printable(tag.value).ok_or_else(|| error_at(tag, 0, "dkim-quoted-printable"))?;
    let text = std::str::from_utf8(&decoded).map_err(|_| error_at(tag, 0, "UTF-8"))?;
    let (local_part, domain) = text.rsplit_once('@').ok_or_else(|| error_at(tag, 0, "\"@\""))?;
    if !local_part.is_empty() && !is_local_part(local_part) {
        return Err(error_at(tag, 0, "Local-part"));
    }
    let domain = match signing_domain {
        Some(same) if same.as_str() == domain => None,
        _ => Some(sub_domains(domain.as_bytes()).ok_or_else(|| error_at(tag, 0, "domain-name"))?.to_domain()),
    };
    Ok((texts.add(text), domain))
}

/// `Local-part = Dot-string / Quoted-string` of RFC 5321 §4.1.2, with the UTF-8 of RFC 6531 §3.3.
pub(crate) fn is_local_part(text: &str) -> bool {
    let atext =
        |c: char| !c.is_ascii() && !c.is_control() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if let Some(quoted) = text.strip_prefix('"') {
        let mut chars = quoted.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => return chars.next().is_none(),
                '\\' if chars.next().is_some_and(|c| matches!(c, ' '..='~')) => {}
                ' '..='~' if c != '\\' => {}
                c if !c.is_ascii() && !c.is_control() => {}
                _ => return false,
            }
        }
        return false;
    }
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(atext))
}

/// A copied field of `z=`: its name, and its value decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CopiedField {
    pub(crate) name: Box<[u8]>,
    pub(crate) value: Box<[u8]>,
}

/// `sig-z-tag`. RFC 6376 §3.5 lets FWS stand at any place after encoding, in names as well.
pub(crate) fn sig_z_tag(tag: &Tag<'_>) -> Result<Vec<CopiedField>, SyntaxError> {
    let ftext = |octet: &u8| matches!(octet, 33..=57 | 59..=126);
    list(tag.value, b'|')
        .map(|(offset, copy)| {
            let copy = without_fws(copy);
            let colon = memchr::memchr(b':', &copy).ok_or_else(|| error_at(tag, offset, "sig-z-tag-copy"))?;
            let name = copy.get(..colon).unwrap_or_default();
            let value = dkim_quoted_printable(copy.get(colon + 1..).unwrap_or_default());
            match value {
                Some(value) if !name.is_empty() && name.iter().all(ftext) => {
                    Ok(CopiedField { name: name.into(), value: value.into() })
                }
                _ => Err(error_at(tag, offset, "sig-z-tag-copy")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn base64_is_told_as_by_decoding_it(
            symbols in vec(select(&b"AQgwz09+/"[..]), 0..80),
            other in select(&b"A=.:@[`{-_\x80 "[..]),
            at in 0_usize..200,
            padding in 0_usize..6,
        ) {
            let mut text = symbols;
            if let Some(octet) = text.get_mut(at) {
                *octet = other;
            }
            text.extend(std::iter::repeat_n(b'=', padding));
            let decoded = BASE64.decode(&text).is_ok_and(|octets| !octets.is_empty());
            prop_assert_eq!(is_base64(&text), decoded, "{}", text.escape_ascii());
        }

        #[test]
        fn a_plain_list_of_names_is_one_that_white_space_does_not_change(
            names in vec(select(&["From", "to", "", "X-A_!~", "a b", "\u{e4}", "\x7f", "x\tz"][..]), 0..12),
            separator in select(&[":", " : "][..]),
        ) {
            let value = names.join(separator);
            let read = |value: &str| {
                let value = value.as_bytes();
                let tag = Tag { name: b"h", value, name_offset: 0, value_offset: 0, raw_start: 0, raw_end: 0 };
                let mut texts = Texts::default();
                hdr_names(&tag, Gaps::Forbidden, &mut texts).ok().map(|_| texts.since(0).to_owned())
            };
            prop_assert_eq!(is_plain_list(value.as_bytes()), read(&value).is_some_and(|text| text == value));
            prop_assert_eq!(read(&value), read(&names.join(" :")));
        }
    }
}
