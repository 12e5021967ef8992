//! Addresses as logs and Received fields write them, and which of them a host on the Internet may have.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4},
};

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

/// What kind of host has an address, by the registry of RFC 6890.
///
/// Addresses that stand for examples (RFC 5737, RFC 3849) count as public, as they do where they are used.
///
/// ```
/// use mailverdict::received::AddressKind;
/// use std::net::{IpAddr, Ipv4Addr};
/// let kind = AddressKind::of(Ipv4Addr::new(172, 17, 0, 1).into());
/// assert_eq!((kind, kind.to_string().as_str()), (AddressKind::Private, "a private address"));
/// assert!(AddressKind::of(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))).is_public());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressKind {
    /// A host that others on the Internet may reach.
    Public,
    /// The host itself (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
    Loopback,
    /// A host on the same link (RFC 3927, RFC 4291 §2.5.6).
    LinkLocal,
    /// A host of a private network (RFC 1918, RFC 4193), as containers have them as well.
    Private,
    /// A customer behind the translation of a provider (RFC 6598).
    Shared,
    /// No single host: unspecified, multicast, broadcast or reserved.
    NoHost,
}

impl AddressKind {
    /// Of this address; IPv4 mapped into IPv6 counts as IPv4.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [127, ..] => Self::Loopback,
            [169, 254, ..] => Self::LinkLocal,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Self::Private,
            [100, 64..=127, ..] => Self::Shared,
            // "This network", protocol assignments, benchmarks, multicast and reserved addresses with the limited broadcast.
            [0, ..] | [192, 0, 0, _] | [198, 18..=19, ..] | [224..=255, ..] => Self::NoHost,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if address.is_loopback() {
            return Self::Loopback;
        }
        match address.segments() {
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            // Unique local, and site local as it was before (RFC 3879).
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Self::Private,
            [0, 0, 0, 0, 0, 0, 0, 0] | [0xff00..=0xffff, ..] | [0x100, 0, 0, 0, ..] => Self::NoHost,
            _ => Self::Public,
        }
    }

    /// Whether a host on the Internet may have it.
    pub fn is_public(self) -> bool {
        self == Self::Public
    }
}

/// With its article: `a loopback address`.
impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Private => "a private address",
            Self::Shared => "an address within the network of a provider",
            Self::NoHost => "an address that no host has",
        })
    }
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

    /// Both sides of each border.
    #[test]
    fn kinds_have_borders() {
        use AddressKind::*;
        for (text, kind) in [
            ("0.255.255.255", NoHost),
            ("1.0.0.0", Public),
            ("9.255.255.255", Public),
            ("10.0.0.0", Private),
            ("11.0.0.0", Public),
            ("100.63.255.255", Public),
            ("100.64.0.0", Shared),
            ("100.127.255.255", Shared),
            ("100.128.0.0", Public),
            ("126.255.255.255", Public),
            ("127.0.0.1", Loopback),
            ("127.255.255.255", Loopback),
            ("128.0.0.0", Public),
            ("169.253.255.255", Public),
            ("169.254.0.1", LinkLocal),
            ("169.255.0.0", Public),
            ("172.15.255.255", Public),
            ("172.16.0.0", Private),
            ("172.31.255.255", Private),
            ("172.32.0.0", Public),
            ("192.0.0.255", NoHost),
            ("192.0.1.0", Public),
            ("192.0.2.1", Public),
            ("192.167.255.255", Public),
            ("192.168.0.0", Private),
            ("192.169.0.0", Public),
            ("198.17.255.255", Public),
            ("198.18.0.0", NoHost),
            ("198.20.0.0", Public),
            ("223.255.255.255", Public),
            ("224.0.0.0", NoHost),
            ("255.255.255.255", NoHost),
            ("::", NoHost),
            ("::1", Loopback),
            ("::2", Public),
            ("::ffff:127.0.0.1", Loopback),
            ("100::1", NoHost),
            ("100:0:0:1::1", Public),
            ("2001:db8::1", Public),
            ("fbff::1", Public),
            ("fc00::1", Private),
            ("fdff::1", Private),
            ("fe7f::1", Public),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("fec0::1", Private),
            ("ff02::1", NoHost),
        ] {
            assert_eq!(AddressKind::of(text.parse().unwrap()), kind, "{text}");
        }
    }
}
