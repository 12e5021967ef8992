//! What is asked: a name and a type.

use crate::name::Name;
use std::{fmt, net::IpAddr};

/// The types of records that mail authentication asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum RecordType {
    /// Texts: SPF, DKIM keys, DMARC.
    Txt,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Mail exchanges.
    Mx,
    /// The names of an address.
    Ptr,
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Txt => "TXT",
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Ptr => "PTR",
        })
    }
}

/// A question to the DNS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Question {
    /// The name; for addresses the one of [`reverse_name`].
    pub name: Name,
    /// The type.
    pub record_type: RecordType,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name.as_str().escape_debug(), self.record_type)
    }
}

impl Question {
    /// The question for the names of an address.
    pub fn ptr(ip: IpAddr) -> Self {
        Self { name: reverse_name(ip), record_type: RecordType::Ptr }
    }
}

/// The name at which the names of an address are found (RFC 1035 §3.5, RFC 3596 §2.5).
///
/// ```
/// use mailverdict::dns::reverse_name;
/// let ip = "192.0.2.1".parse().unwrap();
/// assert_eq!(reverse_name(ip).as_str(), "1.2.0.192.in-addr.arpa");
/// ```
pub fn reverse_name(ip: IpAddr) -> Name {
    use fmt::Write as _;
    let mut text = String::with_capacity(72);
    // Writing to a `String` cannot fail.
    let _ = match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            write!(text, "{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(ip) => {
            let octets = ip.octets();
            let mut nibbles = octets.iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.try_for_each(|nibble| write!(text, "{nibble:x}.")).and_then(|()| text.write_str("ip6.arpa"))
        }
    };
    // Labels of one to three octets, at most 72 octets in all: always a name.
    Name::parse(&text).unwrap_or_else(|_| Name::root())
}

/// The address of such a name; `None` where it is none, or not in the form of [`reverse_name`].
///
/// ```
/// use mailverdict::dns::{address_of, reverse_name};
/// let ip = "2001:db8::1".parse().unwrap();
/// assert_eq!(address_of(&reverse_name(ip)), Some(ip));
/// ```
pub fn address_of(name: &Name) -> Option<IpAddr> {
    let text = name.as_str();
    let ip = if let Some(octets) = text.strip_suffix(".in-addr.arpa") {
        let mut reversed = octets.rsplit('.');
        let mut next = || reversed.next()?.parse().ok();
        IpAddr::from([next()?, next()?, next()?, next()?])
    } else {
        let mut bits = 0_u128;
        for nibble in text.strip_suffix(".ip6.arpa")?.rsplit('.') {
            bits = bits << 4 | u128::from_str_radix(nibble, 16).ok()?;
        }
        IpAddr::from(std::net::Ipv6Addr::from_bits(bits))
    };
    // Too many labels, or octets with zeros ahead, are another name.
    (reverse_name(ip) == *name).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reversed_by_octet_and_by_nibble() {
        let reversed = |ip: &str| reverse_name(ip.parse().unwrap()).as_str().to_owned();
        assert_eq!(reversed("192.0.2.255"), "255.2.0.192.in-addr.arpa");
        assert_eq!(
            reversed("2001:db8::cb01"),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }

    #[test]
    fn an_address_is_read_from_its_name_alone() {
        for ip in ["0.0.0.0", "192.0.2.255", "2001:db8::cb01", "::", "::ffff:192.0.2.1"] {
            let ip = ip.parse().unwrap();
            assert_eq!(address_of(&reverse_name(ip)), Some(ip));
        }
        let longer = format!("1.{}", reverse_name("2001:db8::1".parse().unwrap()));
        for name in [
            "in-addr.arpa",
            "2.0.192.in-addr.arpa",
            "1.1.2.0.192.in-addr.arpa",
            "01.2.0.192.in-addr.arpa",
            "256.2.0.192.in-addr.arpa",
            "x.2.0.192.in-addr.arpa",
            "1.ip6.arpa",
            "+1.ip6.arpa",
            "example.com",
            &longer,
        ] {
            assert_eq!(address_of(&Name::parse(name).unwrap()), None, "{name}");
        }
    }
}
