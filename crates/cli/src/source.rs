//! Where answers of the DNS come from: zones in memory, or the network.

use crate::{args, failure::Failure};
use mailverdict::{
    dns::{AnyLookup, Hickory, HickoryError, Lookup, Mx, Question, Resolver, Zone},
    name::Name,
};
use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// The resolver that the command line asks for.
#[derive(Debug)]
pub(crate) enum Source {
    /// Master files, and no network.
    Zone(Box<Zone>),
    /// Servers of the DNS.
    Network(Box<Hickory>),
}

impl Source {
    /// Reads the zones, or prepares the resolver; asks nothing yet.
    pub(crate) fn open(args: &args::Source) -> Result<Self, Failure> {
        let network = |opened: Result<Hickory, HickoryError>| match opened {
            Ok(hickory) => Ok(Self::Network(Box::new(hickory))),
            Err(error) => Err(Failure::Resolver(error)),
        };
        match args.dns {
            _ if !args.zones.is_empty() => Ok(Self::Zone(Box::new(Zone::read(&args.zones)?))),
            Some(server) => network(Hickory::server(server)),
            None => network(Hickory::system()),
        }
    }
}

impl Resolver for Source {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        match self {
            Self::Zone(zone) => zone.txt(name).await,
            Self::Network(hickory) => hickory.txt(name).await,
        }
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        match self {
            Self::Zone(zone) => zone.a(name).await,
            Self::Network(hickory) => hickory.a(name).await,
        }
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        match self {
            Self::Zone(zone) => zone.aaaa(name).await,
            Self::Network(hickory) => hickory.aaaa(name).await,
        }
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        match self {
            Self::Zone(zone) => zone.mx(name).await,
            Self::Network(hickory) => hickory.mx(name).await,
        }
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        match self {
            Self::Zone(zone) => zone.ptr(ip).await,
            Self::Network(hickory) => hickory.ptr(ip).await,
        }
    }
    async fn within<F: Future + Send>(&self, limit: Duration, question: F) -> Option<F::Output>
    where
        F::Output: Send,
    {
        match self {
            Self::Zone(zone) => zone.within(limit, question).await,
            Self::Network(hickory) => hickory.within(limit, question).await,
        }
    }
    fn at_hand(&self, question: &Question) -> Option<AnyLookup> {
        match self {
            Self::Zone(zone) => zone.at_hand(question),
            Self::Network(hickory) => hickory.at_hand(question),
        }
    }
}
