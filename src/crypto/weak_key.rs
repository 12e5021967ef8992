//! Keys that anybody can sign with.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Factors that are tried lie below.
const BOUND: usize = 1 << 16;

/// The keys of examples, whose private halves are published: RFC 6376 appendix C, and RFC 8463 appendix A.2 (its first one is that of
/// RFC 8032 section 7.1, test 1).
const PUBLISHED: [(&str, &str); 3] = [
    (
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
        "RFC 6376",
    ),
    ("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "RFC 8463"),
    (
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
        "RFC 8463",
    ),
];

/// Where the private half of a key is published, by the octets of `p=`.
pub(crate) fn is_published(key: &[u8]) -> Option<&'static str> {
    let is_as_long = |text: &str| text.len() == key.len().div_ceil(3) * 4;
    let is_it = |text: &str| is_as_long(text) && STANDARD.decode(text).is_ok_and(|known| known == key);
    PUBLISHED.iter().find(|(text, _)| is_it(text)).map(|(_, name)| *name)
}

/// A prime below 65536 that divides a number whose most significant octet comes first. By trial: a millisecond at most.
pub(crate) fn small_factor(number: &[u8]) -> Option<usize> {
    let is_divided = |prime: usize| {
        let remainder = number.iter().fold(0, |remainder, octet| ((remainder << 8) | usize::from(*octet)) % prime);
        remainder == 0 && !number.is_empty()
    };
    primes().find(|prime| is_divided(*prime))
}

/// Those below the bound (the sieve of Eratosthenes).
fn primes() -> impl Iterator<Item = usize> {
    let mut is_composite = vec![false; BOUND];
    (2..BOUND).filter(move |number| {
        if is_composite.get(*number).copied().unwrap_or(true) {
            return false;
        }
        for multiple in (number * number..BOUND).step_by(*number) {
            if let Some(place) = is_composite.get_mut(multiple) {
                *place = true;
            }
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_those_below_the_bound() {
        assert_eq!(primes().take(8).collect::<Vec<_>>(), [2, 3, 5, 7, 11, 13, 17, 19]);
        assert_eq!((primes().count(), primes().last()), (6542, Some(65521)));
    }

    #[test]
    fn small_factors_are_found_and_others_are_not() {
        assert_eq!(small_factor(&[0xff, 0xf1]), Some(65521));
        // 65537 is prime, and 4294967297 is 641 times 6700417.
        assert_eq!(small_factor(&[1, 0, 1]), None);
        assert_eq!(small_factor(&[1, 0, 0, 0, 1]), Some(641));
        assert_eq!(small_factor(&[]), None);
    }

    #[test]
    fn published_keys_are_known_by_their_octets() {
        for (text, name) in PUBLISHED {
            assert_eq!(is_published(&STANDARD.decode(text).unwrap()), Some(name));
        }
        assert_eq!(is_published(b""), None);
    }
}
