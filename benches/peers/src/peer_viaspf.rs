//! viaspf: SPF alone. Used by its public documentation; it is GPL, which is why this file is behind the feature `gpl-peers`.

use crate::{
    cases::{Client, Task},
    contender::{Contender, Prepared, at_once},
    zone::Zone,
};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};
use viaspf::{
    Config, DomainName, Sender, SpfResult, evaluate_sender,
    lookup::{Lookup, LookupError, LookupResult, Name},
};

/// Records, as its resolvers give them; it reads them anew each time, for it keeps none.
struct Answers {
    txt: HashMap<String, String>,
    a: HashMap<String, Vec<Ipv4Addr>>,
    mx: HashMap<String, Vec<Name>>,
}

fn found<T: Clone>(records: &HashMap<String, T>, name: &Name) -> LookupResult<T> {
    records.get(name.as_str()).cloned().ok_or(LookupError::NoRecords)
}

#[async_trait]
impl Lookup for Answers {
    async fn lookup_a(&self, name: &Name) -> LookupResult<Vec<Ipv4Addr>> {
        found(&self.a, name)
    }
    async fn lookup_aaaa(&self, _: &Name) -> LookupResult<Vec<Ipv6Addr>> {
        Err(LookupError::NoRecords)
    }
    async fn lookup_mx(&self, name: &Name) -> LookupResult<Vec<Name>> {
        found(&self.mx, name)
    }
    async fn lookup_txt(&self, name: &Name) -> LookupResult<Vec<String>> {
        found(&self.txt, name).map(|text| vec![text])
    }
    async fn lookup_ptr(&self, _: IpAddr) -> LookupResult<Vec<Name>> {
        Err(LookupError::NoRecords)
    }
}

pub struct Viaspf {
    answers: Answers,
    config: Config,
}

impl Viaspf {
    pub fn new(zone: &Zone) -> Self {
        let key = |name: &String| format!("{name}.");
        let host = |name: &String| Name::new(name).expect("a name");
        let answers = Answers {
            txt: zone.txt.iter().map(|(name, text)| (key(name), text.clone())).collect(),
            a: zone.a.iter().map(|(name, addresses)| (key(name), addresses.clone())).collect(),
            mx: zone.mx.iter().map(|(name, hosts)| (key(name), hosts.iter().map(host).collect())).collect(),
        };
        Self { answers, config: Config::default() }
    }
}

impl Contender for Viaspf {
    fn name(&self) -> &'static str {
        "viaspf"
    }

    fn prepare<'t>(&'t self, task: &'t Task) -> Option<Box<dyn Prepared + 't>> {
        match task {
            Task::Spf(client) => Some(Box::new(Spf { viaspf: self, client })),
            Task::Dkim(_) | Task::Arc(_) | Task::Dmarc(..) | Task::All(..) => None,
        }
    }
}

struct Spf<'t> {
    viaspf: &'t Viaspf,
    client: &'t Client,
}

impl Spf<'_> {
    fn result(&self) -> SpfResult {
        let sender: Sender = self.client.mail_from.parse().expect("a sender");
        let helo: Option<DomainName> = self.client.helo.parse().ok();
        let Viaspf { answers, config } = self.viaspf;
        at_once(evaluate_sender(answers, config, self.client.ip, &sender, helo.as_ref())).spf_result
    }
}

impl Prepared for Spf<'_> {
    fn verdict(&mut self) -> String {
        let keyword = match self.result() {
            SpfResult::None => "none",
            SpfResult::Neutral => "neutral",
            SpfResult::Pass => "pass",
            SpfResult::Fail(_) => "fail",
            SpfResult::Softfail => "softfail",
            SpfResult::Temperror => "temperror",
            SpfResult::Permerror => "permerror",
        };
        keyword.into()
    }

    fn run(&mut self) -> usize {
        usize::from(self.result() == SpfResult::Pass)
    }
}
