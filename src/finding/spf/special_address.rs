//! Addresses that no client on the Internet has (RFC 6890).

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{Ipv4Addr, Ipv6Addr};

const SPECIAL_IP4: [(Ipv4Addr, u8, &str); 10] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "an address of \"this network\""),
    (Ipv4Addr::new(10, 0, 0, 0), 8, PRIVATE),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "an address of carriers' inner networks"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "a loopback address"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "a link-local address"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, PRIVATE),
    (Ipv4Addr::new(192, 0, 2, 0), 24, DOCUMENTATION),
    (Ipv4Addr::new(192, 168, 0, 0), 16, PRIVATE),
    (Ipv4Addr::new(198, 51, 100, 0), 24, DOCUMENTATION),
    (Ipv4Addr::new(203, 0, 113, 0), 24, DOCUMENTATION),
];
const SPECIAL_IP6: [(Ipv6Addr, u8, &str); 4] = [
    (Ipv6Addr::LOCALHOST, 128, "the loopback address"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, PRIVATE),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "a link-local address"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, DOCUMENTATION),
];
const PRIVATE: &str = "a private address";
const DOCUMENTATION: &str = "an address that is for documentation";

/// What kind of special addresses the whole network has (RFC 6890 §2.2.2, §2.2.3).
pub(super) fn kind_of(net: IpNet) -> Option<&'static str> {
    match net {
        IpNet::V4(net) => SPECIAL_IP4.iter().find_map(|(address, len, kind)| {
            Ipv4Net::new(*address, *len).ok().filter(|range| range.contains(&net)).map(|_| *kind)
        }),
        IpNet::V6(net) => SPECIAL_IP6.iter().find_map(|(address, len, kind)| {
            Ipv6Net::new(*address, *len).ok().filter(|range| range.contains(&net)).map(|_| *kind)
        }),
    }
}
