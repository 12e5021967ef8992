//! The octets of a record and its values: without the white space around them, and in printable ASCII.

pub(super) fn skip_wsp(text: &[u8]) -> &[u8] {
    let wsp = text.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    text.get(wsp..).unwrap_or_default()
}

/// The text without white space at its ends; line ends are no white space here (RFC 9989 §4.8: *WSP).
pub(super) fn trim_wsp(text: &[u8]) -> &[u8] {
    let text = skip_wsp(text);
    let wsp = text.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    text.get(..text.len() - wsp).unwrap_or_default()
}

/// The text with every octet outside printable ASCII written as `\xNN`, and the backslash doubled.
pub(super) fn printable(text: &[u8]) -> Box<str> {
    let mut written = String::with_capacity(text.len());
    for octet in text {
        match octet {
            b'\\' => written.push_str("\\\\"),
            0x20..=0x7e => written.push(char::from(*octet)),
            _ => written.push_str(&format!("\\x{octet:02x}")),
        }
    }
    written.into()
}
