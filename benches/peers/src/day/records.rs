//! What the DNS of the day holds.

use super::random::Random;
use std::{
    collections::HashMap,
    net::{Ipv4Addr, Ipv6Addr},
};

/// Seconds that emptiness is kept.
const NEGATIVE_TTL: u64 = 1800;
/// Octets that an answer in a cache costs beside its name and data.
const ENTRY_OVERHEAD: usize = 160;

/// TTLs in seconds, and how often they are seen.
const TTLS: [(u64, f64); 6] = [(300, 0.2), (1800, 0.1), (3600, 0.4), (14_400, 0.1), (43_200, 0.05), (86_400, 0.15)];

/// What a text is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Spf,
    Dmarc,
    DomainKey,
}

/// All records of a name.
#[derive(Default)]
pub struct Node {
    pub txt: Option<(Reader, String)>,
    pub a: Vec<Ipv4Addr>,
    pub aaaa: Vec<Ipv6Addr>,
    pub mx: Vec<String>,
    pub ttl: u64,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub enum Type {
    Txt,
    A,
    Aaaa,
    Mx,
}

/// How many octets of a cache's bound the answer to a question takes up, and how many seconds it lives: the same for both sides, whatever
/// they make of it. `name` is the length of the name without a final dot.
pub fn octets_and_ttl(name: usize, node: Option<&Node>, of: Type) -> (usize, u64) {
    let data = node.map_or(0, |node| match of {
        Type::Txt => node.txt.as_ref().map_or(0, |(_, text)| text.len()),
        Type::A => 4 * node.a.len(),
        Type::Aaaa => 16 * node.aaaa.len(),
        Type::Mx => node.mx.iter().map(|host| 2 + host.len()).sum(),
    });
    let ttl = node.filter(|_| data > 0).map_or(NEGATIVE_TTL, |node| node.ttl);
    (ENTRY_OVERHEAD + name + data, ttl)
}

/// Records by name, without a final dot. A name that is not here does not exist.
pub struct Records {
    seed: u64,
    pub nodes: HashMap<String, Node>,
}

impl Records {
    pub fn new(seed: u64) -> Self {
        Self { seed, nodes: HashMap::new() }
    }

    pub fn publish(&mut self, name: &str, reader: Reader, text: impl Into<String>) {
        self.node(name).txt = Some((reader, text.into()));
    }

    /// A host with its addresses.
    pub fn host(&mut self, name: &str, a: &[Ipv4Addr], aaaa: &[Ipv6Addr]) {
        let node = self.node(name);
        (node.a, node.aaaa) = (a.to_vec(), aaaa.to_vec());
    }

    pub fn mx(&mut self, name: &str, hosts: Vec<String>) {
        self.node(name).mx = hosts;
    }

    fn node(&mut self, name: &str) -> &mut Node {
        let seed = self.seed;
        self.nodes.entry(name.into()).or_insert_with(|| Node { ttl: ttl(seed, name), ..Node::default() })
    }
}

fn ttl(seed: u64, name: &str) -> u64 {
    let weights = TTLS.map(|(_, weight)| weight);
    TTLS[Random::of(seed, name, 0).weighted(&weights)].0
}
