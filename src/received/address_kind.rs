//! Which addresses a host on the Internet may have.

use ipnet::IpNet;
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// What kind of host has an address, by the registry of RFC 6890.
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
    /// A host of an example (RFC 5737, RFC 3849); it counts as public, as it does where examples are used.
    Documentation,
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

/// RFC 6890 §2.2.2; the last one has multicast and reserved addresses with the limited broadcast.
const V4: [(Ipv4Addr, u8, AddressKind); 13] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, AddressKind::NoHost),
    (Ipv4Addr::new(10, 0, 0, 0), 8, AddressKind::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, AddressKind::Shared),
    (Ipv4Addr::new(127, 0, 0, 0), 8, AddressKind::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, AddressKind::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, AddressKind::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, AddressKind::NoHost),
    (Ipv4Addr::new(192, 0, 2, 0), 24, AddressKind::Documentation),
    (Ipv4Addr::new(192, 168, 0, 0), 16, AddressKind::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, AddressKind::NoHost),
    (Ipv4Addr::new(198, 51, 100, 0), 24, AddressKind::Documentation),
    (Ipv4Addr::new(203, 0, 113, 0), 24, AddressKind::Documentation),
    (Ipv4Addr::new(224, 0, 0, 0), 3, AddressKind::NoHost),
];

/// RFC 6890 §2.2.3, multicast, and what was site local before (RFC 3879).
const V6: [(Ipv6Addr, u8, AddressKind); 8] = [
    (Ipv6Addr::UNSPECIFIED, 128, AddressKind::NoHost),
    (Ipv6Addr::LOCALHOST, 128, AddressKind::Loopback),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, AddressKind::NoHost),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, AddressKind::Documentation),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, AddressKind::Private),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, AddressKind::LinkLocal),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, AddressKind::Private),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, AddressKind::NoHost),
];

impl AddressKind {
    /// Of this address; IPv4 mapped into IPv6 counts as IPv4.
    pub fn of(address: IpAddr) -> Self {
        Self::of_network(address.to_canonical().into())
    }

    /// Of all addresses of a network; public where they are not all of one kind.
    pub(crate) fn of_network(network: IpNet) -> Self {
        let kind = match network {
            IpNet::V4(network) => {
                let bits = network.addr().to_bits();
                V4.iter()
                    .find(|(start, length, _)| {
                        *length <= network.prefix_len()
                            && (bits ^ start.to_bits()).leading_zeros() >= u32::from(*length)
                    })
                    .map(|(.., kind)| *kind)
            }
            IpNet::V6(network) => {
                let bits = network.addr().to_bits();
                V6.iter()
                    .find(|(start, length, _)| {
                        *length <= network.prefix_len()
                            && (bits ^ start.to_bits()).leading_zeros() >= u32::from(*length)
                    })
                    .map(|(.., kind)| *kind)
            }
        };
        kind.unwrap_or(Self::Public)
    }

    /// Whether a host on the Internet may have it.
    pub fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::Documentation)
    }
}

/// With its article: `a loopback address`.
impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Documentation => "an address that is for documentation",
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
            ("192.0.1.255", Public),
            ("192.0.2.1", Documentation),
            ("192.0.3.0", Public),
            ("198.51.99.255", Public),
            ("198.51.100.0", Documentation),
            ("203.0.113.255", Documentation),
            ("203.0.114.0", Public),
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
            ("2001:db7:ffff::1", Public),
            ("2001:db8::1", Documentation),
            ("2001:db9::1", Public),
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

    #[test]
    fn a_network_of_several_kinds_has_none() {
        for (text, kind) in [
            ("10.0.0.0/8", AddressKind::Private),
            ("10.0.0.0/7", AddressKind::Public),
            ("0.0.0.0/0", AddressKind::Public),
            ("224.0.0.0/4", AddressKind::NoHost),
            ("fd00::/8", AddressKind::Private),
            ("fe80::/9", AddressKind::Public),
            ("::/0", AddressKind::Public),
        ] {
            assert_eq!(AddressKind::of_network(text.parse().unwrap()), kind, "{text}");
        }
    }
}
