//! Octets written anew.

/// The text with every `from` made `to`.
pub(super) fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(to);
        rest = rest.get(at + from.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn each_place_is_replaced_once() {
        assert_eq!(replaced(b"aXbXX", b"X", b"--"), b"a--b----");
        assert_eq!(replaced(b"aab", b"aa", b"a"), b"ab");
    }
}
