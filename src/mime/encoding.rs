//! quoted-printable and base64 (RFC 2045 §6.7, §6.8): read as strictly as they were written, and written as programs write them.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// How a program writes quoted-printable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QpStyle {
    /// Octets of a line, its soft line break included.
    limit: usize,
    /// Whether the last octet of a line may stand where a soft line break would.
    fills_last: bool,
}

/// The styles that are tried.
pub(crate) const QP_STYLES: [QpStyle; 4] = [
    QpStyle { limit: 76, fills_last: true },
    QpStyle { limit: 76, fills_last: false },
    QpStyle { limit: 75, fills_last: false },
    QpStyle { limit: 73, fills_last: false },
];

/// Characters of a line of base64, as programs write it.
pub(crate) const BASE64_WIDTHS: [usize; 5] = [76, 72, 64, 60, usize::MAX];

/// The octets. What is no quoted-printable stays as it is (RFC 2045 §6.7, note 2): text may have been added that knows nothing of it.
pub(crate) fn qp_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((octet, after)) = rest.split_first() {
        if *octet != b'=' {
            out.push(*octet);
            rest = after;
            continue;
        }
        if let Some(after) = after.strip_prefix(b"\r\n") {
            rest = after;
            continue;
        }
        let coded = hexadecimal(after);
        out.push(coded.map_or(b'=', |(octet, _)| octet));
        rest = coded.map_or(after, |(_, after)| after);
    }
    out
}

/// Two digits, and what follows.
fn hexadecimal(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = text.split_at_checked(2)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    Some((u8::from_str_radix(digits, 16).ok().filter(|_| are_digits)?, after))
}

/// The octets as quoted-printable.
pub(crate) fn qp_encoded(octets: &[u8], style: QpStyle) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 8);
    let mut length = 0;
    let mut rest = octets;
    while let Some((octet, after)) = rest.split_first() {
        if let Some(next) = rest.strip_prefix(b"\r\n") {
            out.extend_from_slice(b"\r\n");
            length = 0;
            rest = next;
            continue;
        }
        let is_last = after.is_empty() || after.starts_with(b"\r\n");
        let is_plain = match octet {
            b' ' | b'\t' => !is_last,
            b'=' => false,
            octet => octet.is_ascii_graphic(),
        };
        let size = if is_plain { 1 } else { 3 };
        let room = if is_last && style.fills_last { style.limit } else { style.limit - 1 };
        if length + size > room {
            out.extend_from_slice(b"=\r\n");
            length = 0;
        }
        if is_plain {
            out.push(*octet);
        } else {
            let digit = |value: u8| {
                char::from_digit(u32::from(value), 16).map_or(b'0', |digit| digit.to_ascii_uppercase() as u8)
            };
            out.extend_from_slice(&[b'=', digit(octet >> 4), digit(octet & 15)]);
        }
        length += size;
        rest = after;
    }
    out
}

/// The octets; `None` for what is no base64. White space is passed over.
pub(crate) fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    STANDARD.decode(digits).ok()
}

/// The octets, as far as there are any: signs of no digit are passed over, and padding may be missing.
#[cfg(feature = "reports")]
pub(crate) fn base64_octets(text: &[u8]) -> Vec<u8> {
    use base64::{alphabet, engine};
    let lenient = engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let lenient = engine::GeneralPurpose::new(&alphabet::STANDARD, lenient);
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    // What follows the padding is no base64 (RFC 2045 §6.8).
    let end = memchr::memchr(b'=', text).unwrap_or(text.len());
    let mut digits: Vec<u8> = text.iter().take(end).copied().filter(is_digit).collect();
    // One digit alone is no octet.
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    lenient.decode(digits).unwrap_or_default()
}

/// The octets as base64 in lines of this width, without a line end at the end.
pub(crate) fn base64_encoded(octets: &[u8], width: usize) -> Vec<u8> {
    let text = STANDARD.encode(octets).into_bytes();
    if width >= text.len() {
        return text;
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / width * 2 + 2);
    for (number, line) in text.chunks(width.max(4)).enumerate() {
        if number > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(line);
    }
    out
}

/// The width of the lines that base64 stands in.
pub(crate) fn base64_width(text: &[u8]) -> usize {
    memchr::memchr(b'\r', text).filter(|width| *width >= 4).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(octets in proptest::collection::vec(any::<u8>(), 0..300), style in 0_usize..4) {
            let encoded = qp_encoded(&octets, QP_STYLES[style]);
            prop_assert_eq!(qp_decoded(&encoded), octets.clone());
            let long = encoded.split(|octet| *octet == b'\n').map(<[u8]>::len).max().unwrap_or(0);
            prop_assert!(long <= 77);
            for width in BASE64_WIDTHS {
                prop_assert_eq!(base64_decoded(&base64_encoded(&octets, width)), Some(octets.clone()));
            }
        }
    }

    #[test]
    fn lines_are_broken_where_programs_break_them() {
        let encoded = qp_encoded(&[b'x'; 77], QP_STYLES[0]);
        assert_eq!(encoded.split(|octet| *octet == b'\r').map(<[u8]>::len).collect::<Vec<_>>(), [76, 3]);
        assert_eq!(qp_encoded(&[b'x'; 76], QP_STYLES[0]).len(), 76);
        assert_eq!(qp_encoded(&[b'x'; 76], QP_STYLES[1]).len(), 79);
        assert_eq!(qp_encoded("ü \r\n=".as_bytes(), QP_STYLES[0]), b"=C3=BC=20\r\n=3D");
        assert_eq!(base64_encoded(&[0; 60], 76).len(), 82);
        assert_eq!(base64_width(b"AAAA\r\nAAAA"), 4);
        assert_eq!(qp_decoded(b"=G1=="), b"=G1==");
    }
}
