//! Who sends for others: two large providers, 300 services, and forwarders.

use super::{
    networks::Network,
    random::Random,
    records::{Reader, Records},
};
use crate::zone::Zone;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub const SERVICES: usize = 300;
pub const FORWARDERS: usize = 40;

/// One whose networks are named by the records of others.
pub struct Service {
    /// Its own domain, which its signatures name.
    pub domain: String,
    /// What others include.
    pub include: String,
    networks: Vec<Network>,
    /// The names of its hosts: what stands ahead of and behind a number.
    host: [String; 2],
    hosts: usize,
}

impl Service {
    /// An address of its networks, and the name of its host.
    pub fn client(&self, random: &mut Random) -> (IpAddr, String) {
        let ip = random.among(&self.networks).address(random);
        (ip, self.host(random.below(self.hosts)))
    }

    fn host(&self, number: usize) -> String {
        let [ahead, behind] = &self.host;
        format!("{ahead}{number}{behind}")
    }

    /// Gives all hosts an address, and a record of their own where there is one for them.
    fn publish_hosts(&self, records: &mut Records, spf: Option<&str>) {
        let mut random = Random::of(0, &self.domain, 1);
        for name in (0..self.hosts).map(|number| self.host(number)) {
            match random.among(&self.networks).address(&mut random) {
                IpAddr::V4(ip) => records.host(&name, &[ip], &[]),
                IpAddr::V6(ip) => records.host(&name, &[], &[ip]),
            }
            if let Some(text) = spf {
                records.publish(&name, Reader::Spf, text);
            }
        }
    }
}

pub struct Services {
    pub microsoft: Service,
    pub google: Service,
    pub services: Vec<Service>,
    pub forwarders: Vec<Service>,
}

impl Services {
    pub fn published_in(records: &mut Records, seed: u64) -> Self {
        let zone = Zone::published();
        Self {
            microsoft: microsoft(records, &zone),
            google: google(records, &zone),
            services: (0..SERVICES).map(|number| service(records, seed, number)).collect(),
            forwarders: (0..FORWARDERS).map(|number| forwarder(records, number)).collect(),
        }
    }
}

/// One record of eleven networks; the hosts, of which there are 400, publish an include of it.
fn microsoft(records: &mut Records, zone: &Zone) -> Service {
    let include = "spf.protection.example.net";
    records.publish(include, Reader::Spf, &*zone.txt[include]);
    let service = Service {
        domain: "protection.example.net".into(),
        include: include.into(),
        networks: Network::all_in(&zone.txt[include]),
        host: ["mail-eopbgr60".into(), ".outbound.protection.example.net".into()],
        hosts: 400,
    };
    service.publish_hosts(records, Some("v=spf1 include:spf.protection.example.net -all"));
    service
}

/// An include of three includes; the hosts publish nothing.
fn google(records: &mut Records, zone: &Zone) -> Service {
    let include = "_spf.google.example";
    let blocks = ["_netblocks.google.example", "_netblocks2.google.example", "_netblocks3.google.example"];
    for name in blocks.into_iter().chain([include]) {
        records.publish(name, Reader::Spf, &*zone.txt[name]);
    }
    let service = Service {
        domain: "google.example".into(),
        include: include.into(),
        networks: blocks.iter().flat_map(|name| Network::all_in(&zone.txt[*name])).collect(),
        host: ["mail-lf1-f".into(), ".google.example".into()],
        hosts: 400,
    };
    service.publish_hosts(records, None);
    service
}

/// Three to ten networks, in one record or, for one in seven, in two. Every second has records for its hosts.
fn service(records: &mut Records, seed: u64, number: usize) -> Service {
    let mut random = Random::of(seed, "service", number as u64);
    let domain = format!("{}{number}.test", syllables(&mut random));
    let include = format!("_spf.{domain}");
    let [first, second] = if number < 256 { [10, number as u8] } else { [100, 64 + (number - 256) as u8] };
    let v4 = |network: usize| Network::V4(Ipv4Addr::new(first, second, 16 * network as u8, 0), 20);
    let mut networks: Vec<Network> = (0..3 + random.below(8)).map(v4).collect();
    if random.chance(0.3) {
        networks.push(Network::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x1000 + number as u16, 0, 0, 0, 0, 0), 48));
    }
    let (mut here, mut there) = (networks.as_slice(), [].as_slice());
    if random.chance(1.0 / 7.0) {
        (here, there) = networks.split_at(networks.len() / 2);
        records.publish(&format!("_spf2.{domain}"), Reader::Spf, format!("v=spf1 {} ~all", terms(there)));
    }
    let nested = if there.is_empty() { String::new() } else { format!("include:_spf2.{domain} ") };
    records.publish(&include, Reader::Spf, format!("v=spf1 {} {nested}~all", terms(here)));
    records.publish(&domain, Reader::Spf, format!("v=spf1 include:{include} ~all"));
    let host = ["o".into(), format!(".mail.{domain}")];
    let of_hosts = random.chance(0.5).then(|| format!("v=spf1 include:{include} -all"));
    let service = Service { domain, include, networks, host, hosts: 64 };
    service.publish_hosts(records, of_hosts.as_deref());
    service
}

/// A small network.
fn forwarder(records: &mut Records, number: usize) -> Service {
    let domain = format!("forwarder{number}.test");
    let networks = vec![Network::V4(Ipv4Addr::new(192, 168, number as u8, 0), 24)];
    records.publish(&domain, Reader::Spf, format!("v=spf1 {} -all", terms(&networks)));
    let host = ["out".into(), format!(".{domain}")];
    let service = Service { include: domain.clone(), domain, networks, host, hosts: 4 };
    service.publish_hosts(records, None);
    service
}

fn terms(networks: &[Network]) -> String {
    networks.iter().map(Network::to_string).collect::<Vec<_>>().join(" ")
}

/// A word that could be a name.
pub fn syllables(random: &mut Random) -> String {
    const SYLLABLES: [&str; 24] = [
        "bo", "car", "den", "el", "fa", "gri", "hal", "in", "jo", "kel", "lu", "mar", "nor", "ol", "pri", "qua", "ris",
        "sol", "ta", "ur", "ven", "wes", "yor", "zen",
    ];
    (0..2 + random.below(3)).map(|_| *random.among(&SYLLABLES)).collect()
}
