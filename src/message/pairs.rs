//! Header fields as a mail filter gets them: names and values.

/// The octets of a header whose fields come one by one, as names and values.
///
/// A mail server hands a filter values without the octet of the colon, and with LF alone where a field is folded. Here they become a
/// header with CRLF, to be read by [`Header::parse`](super::Header::parse), hashed and signed. Nothing that a value holds begins another
/// field.
///
/// ```
/// use mailverdict::message::{Header, HeaderPairs};
/// let mut pairs = HeaderPairs::with_leading_space();
/// pairs.push(b"From", b" alice@example.com");
/// pairs.push(b"Subject", b" a long\n story");
/// assert_eq!(pairs.octets(), b"From: alice@example.com\r\nSubject: a long\r\n story\r\n");
/// assert_eq!(Header::parse(pairs.octets())?.fields().len(), 2);
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct HeaderPairs {
    octets: Vec<u8>,
    has_space: bool,
}

impl HeaderPairs {
    /// Of values whose white space behind the colon was taken away: one blank stands there then, as in most fields. What was signed with
    /// simple canonicalization and other white space does not verify.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of values that have all that stands behind the colon, octet for octet (`SMFIP_HDR_LEADSPC` of the milter protocol).
    pub fn with_leading_space() -> Self {
        Self { octets: Vec::new(), has_space: true }
    }

    /// The next field. Each LF or CRLF in a value is a line end, written as CRLF; a line that does not begin with white space gets a
    /// blank before it, because it would be a field of its own else.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let Self { octets, has_space } = self;
        octets.reserve(name.len() + value.len() + 4);
        octets.extend_from_slice(name);
        octets.push(b':');
        if !*has_space && !value.is_empty() {
            octets.push(b' ');
        }
        let value = trim_end(value);
        let mut lines = value.split(|octet| *octet == b'\n');
        octets.extend_from_slice(without_cr(lines.next().unwrap_or_default()));
        for line in lines {
            octets.extend_from_slice(b"\r\n");
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                octets.push(b' ');
            }
            octets.extend_from_slice(without_cr(line));
        }
        octets.extend_from_slice(b"\r\n");
    }

    /// The fields so far, each with its line end, and no empty line behind them.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// How many octets they have.
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}

fn trim_end(value: &[u8]) -> &[u8] {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    without_cr(value)
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Header;
    use proptest::prelude::*;

    fn octets(pairs: HeaderPairs, fields: &[(&str, &str)]) -> String {
        let mut pairs = pairs;
        fields.iter().for_each(|(name, value)| pairs.push(name.as_bytes(), value.as_bytes()));
        String::from_utf8(pairs.octets).unwrap()
    }

    #[test]
    fn values_become_fields_with_crlf() {
        for (value, field, with_space) in [
            ("x", "A: x\r\n", "A:x\r\n"),
            ("", "A:\r\n", "A:\r\n"),
            (" x", "A:  x\r\n", "A: x\r\n"),
            ("x\n y", "A: x\r\n y\r\n", "A:x\r\n y\r\n"),
            ("x\r\n\ty", "A: x\r\n\ty\r\n", "A:x\r\n\ty\r\n"),
            ("x\n", "A: x\r\n", "A:x\r\n"),
            ("x\nB: y", "A: x\r\n B: y\r\n", "A:x\r\n B: y\r\n"),
            ("x\n\ny", "A: x\r\n \r\n y\r\n", "A:x\r\n \r\n y\r\n"),
        ] {
            assert_eq!(octets(HeaderPairs::new(), &[("A", value)]), field);
            assert_eq!(octets(HeaderPairs::with_leading_space(), &[("A", value)]), with_space);
        }
    }

    proptest! {
        #[test]
        fn a_pair_is_one_field(values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..5)) {
            let mut pairs = HeaderPairs::with_leading_space();
            values.iter().for_each(|value| pairs.push(b"X", value));
            let header = Header::parse(pairs.octets()).unwrap();
            prop_assert_eq!(header.fields().len(), values.len());
        }
    }
}
