//! IPv4 addresses in words that every verdict has.

use std::{fmt, net::Ipv4Addr, str};

/// Displays an address as the standard library does, but quicker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DottedQuad(pub(crate) Ipv4Addr);

/// Octets of `255.255.255.255`.
const MAX_LEN: usize = 15;

impl fmt::Display for DottedQuad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; MAX_LEN];
        let mut places = text.iter_mut();
        let mut put = |octet| {
            if let Some(place) = places.next() {
                *place = octet;
            }
        };
        for (index, number) in self.0.octets().into_iter().enumerate() {
            if index > 0 {
                put(b'.');
            }
            if number >= 100 {
                put(b'0' + number / 100);
            }
            if number >= 10 {
                put(b'0' + number / 10 % 10);
            }
            put(b'0' + number % 10);
        }
        let len = MAX_LEN - places.len();
        f.write_str(text.get(..len).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_shown_at_every_place() {
        for number in 0..=255 {
            for place in 0..4 {
                let mut octets = [1, 20, 255, 0];
                octets[place] = number;
                let address = Ipv4Addr::from(octets);
                assert_eq!(DottedQuad(address).to_string(), address.to_string());
            }
        }
    }
}
