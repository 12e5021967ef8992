//! Addresses as logs and Received fields write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

/// Reads an address as logs and Received fields have it: in brackets or without, with a port behind it, with `IPv6:` before it, with
/// the index of a zone (RFC 4007 §11). The port and the zone are passed over; IPv4 mapped into IPv6 is IPv4.
///
/// Without brackets, an IPv6 address has no port: there is no telling it from the last group.
///
/// ```
/// use mailverdict::received::address;
/// use std::net::Ipv4Addr;
/// assert_eq!(address("[192.0.2.1]:25"), Some(Ipv4Addr::new(192, 0, 2, 1).into()));
/// assert_eq!(address("192.0.2.1:25"), address("192.0.2.1"));
/// assert_eq!(address("[IPv6:2001:db8::1]"), address("2001:db8::1"));
/// assert_eq!(address("fe80::1%eth0"), address("fe80::1"));
/// assert_eq!(address("mail.example.com"), None);
/// ```
pub fn address(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let address = match bracketed {
        Some((inner, "")) => inner,
        Some((inner, port)) => port.strip_prefix(':').filter(|port| is_port(port)).map(|_| inner)?,
        None => text,
    };
    let address = match address.split_at_checked(5) {
        Some((tag, rest)) if tag.eq_ignore_ascii_case("IPv6:") => return v6(rest).map(canonical),
        Some(_) | None => address,
    };
    let with_port = || address.parse::<SocketAddrV4>().ok().filter(|_| bracketed.is_none()).map(|socket| *socket.ip());
    let v4 = || address.parse::<Ipv4Addr>().ok().or_else(with_port);
    v4().map(IpAddr::V4).or_else(|| v6(address).map(canonical))
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// RFC 4007 §11: `<address>%<zone_id>`, where the zone is a number or the name of an interface.
fn v6(text: &str) -> Option<Ipv6Addr> {
    let is_zone = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'~');
    let address = match text.split_once('%') {
        Some((address, zone)) if !zone.is_empty() && zone.bytes().all(is_zone) => address,
        Some(_) => return None,
        None => text,
    };
    address.parse().ok()
}

fn canonical(address: Ipv6Addr) -> IpAddr {
    IpAddr::V6(address).to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_logs_have_them() {
        for (text, read) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("[192.0.2.1]", Some("192.0.2.1")),
            ("[192.0.2.1]:25", Some("192.0.2.1")),
            ("192.0.2.1:25", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]:25", Some("2001:db8::1")),
            ("IPv6:2001:db8::1", Some("2001:db8::1")),
            ("[ipv6:2001:db8::1]", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("fe80::1%6", Some("fe80::1")),
            ("[fe80::1%eth0.7]:25", Some("fe80::1")),
            // The last group is no port.
            ("2001:db8::1:25", Some("2001:db8::1:25")),
            ("", None),
            ("[]", None),
            ("[192.0.2.1", None),
            ("192.0.2.1]", None),
            ("[192.0.2.1]25", None),
            ("[192.0.2.1]:", None),
            ("[192.0.2.1]:123456", None),
            ("[192.0.2.1:25]", None),
            ("192.0.2.1:port", None),
            ("192.0.2.1%6", None),
            ("fe80::1%", None),
            ("fe80::1%a b", None),
            ("IPv6:192.0.2.1", None),
            ("192.0.2.256", None),
            ("192.0.2.1.example", None),
        ] {
            assert_eq!(address(text), read.map(|read| read.parse().unwrap()), "{text}");
        }
    }
}
