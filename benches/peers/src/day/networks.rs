//! Networks that mail comes from.

use super::random::Random;
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Addresses that share their first bits.
#[derive(Clone, Copy)]
pub enum Network {
    V4(Ipv4Addr, u8),
    V6(Ipv6Addr, u8),
}

impl Network {
    /// One of its addresses.
    pub fn address(self, random: &mut Random) -> IpAddr {
        let host = random.draw();
        match self {
            Self::V4(address, len) => {
                let bits = u32::MAX.checked_shr(u32::from(len)).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() | (host as u32 & bits)).into()
            }
            Self::V6(address, len) => {
                let bits = u128::MAX.checked_shr(u32::from(len)).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() | (u128::from(host) & bits)).into()
            }
        }
    }

    /// Those that an SPF record names.
    pub fn all_in(record: &str) -> Vec<Self> {
        record.split(' ').filter_map(Self::read).collect()
    }

    fn read(term: &str) -> Option<Self> {
        let (kind, network) = term.split_once(':')?;
        let (address, len) = network.split_once('/')?;
        let len = len.parse().ok()?;
        match kind {
            "ip4" => Some(Self::V4(address.parse().ok()?, len)),
            "ip6" => Some(Self::V6(address.parse().ok()?, len)),
            _ => None,
        }
    }
}

/// As an SPF term.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address, len) => write!(f, "ip4:{address}/{len}"),
            Self::V6(address, len) => write!(f, "ip6:{address}/{len}"),
        }
    }
}
