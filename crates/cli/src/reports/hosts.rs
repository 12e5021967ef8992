//! The names of hosts, where a resolver is given.

use crate::{args, block_on, failure::Failure, source::Source};
use mailverdict::dns::Resolver;
use std::{collections::BTreeMap, net::IpAddr, time::Duration};
use tokio::time::{Instant, timeout_at};

/// Hosts that are asked for.
pub(super) const MAX_HOSTS: usize = 200;

/// What PTR records say of clients; nothing of those that have none, or for which there was no time.
#[derive(Debug, Default)]
pub(crate) struct Hosts(BTreeMap<IpAddr, String>);

impl Hosts {
    /// Asks for each, one after the other, within that time.
    pub(super) fn of(clients: &[IpAddr], args: &args::ReportRead) -> Result<Self, Failure> {
        if args.zones.is_empty() && args.dns.is_none() {
            return Ok(Self::default());
        }
        let source = args::Source { zones: args.zones.clone(), dns: args.dns, timeout: args.timeout };
        let resolver = Source::open(&source)?;
        block_on(ask(&resolver, clients, args.timeout))
    }

    pub(crate) fn name(&self, ip: IpAddr) -> Option<&str> {
        self.0.get(&ip).map(String::as_str)
    }
}

async fn ask(resolver: &Source, clients: &[IpAddr], time: Duration) -> Hosts {
    let end = Instant::now() + time;
    let mut names = BTreeMap::new();
    for client in clients.iter().take(MAX_HOSTS) {
        let Ok(answer) = timeout_at(end, resolver.ptr(*client)).await else { break };
        if let Some(name) = answer.ok().and_then(|answer| answer.records().first().map(ToString::to_string)) {
            names.insert(*client, name);
        }
    }
    Hosts(names)
}
