//! How long a key says that it is.

/// How many octets the DER of a key says that it has, its head included (X.690 §8.1.3); `None` where it does not begin as a key does.
pub(crate) fn wanted_octets(key: &[u8]) -> Option<usize> {
    const MOST: usize = 8192;
    let (tag, rest) = key.split_first()?;
    let (first, rest) = rest.split_first().filter(|_| *tag == 0x30)?;
    let length = match first {
        0..=0x7f => return Some(2 + usize::from(*first)),
        0x81 | 0x82 => usize::from(first - 0x80),
        _ => return None,
    };
    let content = rest.get(..length)?.iter().fold(0, |sum: usize, octet| sum * 256 + usize::from(*octet));
    Some(2 + length + content).filter(|wanted| *wanted <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_octets_of_a_key_say_how_long_it_is() {
        assert_eq!(wanted_octets(b"\x30\x82\x01\x22"), Some(294));
        assert_eq!(wanted_octets(b"\x30\x81\x9f"), Some(162));
        assert_eq!(wanted_octets(b"\x30\x05"), Some(7));
        assert_eq!(wanted_octets(b"\x04\x05"), None);
    }
}
