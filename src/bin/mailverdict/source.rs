//! Where answers of the DNS come from: zones in memory, or the network.

use crate::{args, failure::Failure};
use mailverdict::{
    dns::{Answer, Hickory, HickoryError, Lookup, Mx, RecordType, Resolver, Zone, reverse_name},
    name::Name,
};
use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The resolver that the command line asks for; writes down what is asked and answered where that is wanted.
#[derive(Debug)]
pub(crate) struct Source {
    answers: Answers,
    asked: Option<Mutex<Vec<String>>>,
}

#[derive(Debug)]
enum Answers {
    /// Master files, and no network.
    Zone(Box<Zone>),
    /// Servers of the DNS.
    Network(Box<Hickory>),
}

impl Source {
    /// Reads the zones, or prepares the resolver; asks nothing yet.
    pub(crate) fn open(args: &args::Source) -> Result<Self, Failure> {
        let network = |opened: Result<Hickory, HickoryError>| match opened {
            Ok(hickory) => Ok(Answers::Network(Box::new(hickory))),
            Err(error) => Err(Failure::Resolver(error)),
        };
        let answers = match args.dns {
            _ if !args.zones.is_empty() => Answers::Zone(Box::new(Zone::read(&args.zones)?)),
            Some(server) => network(Hickory::server(server))?,
            None => network(Hickory::system())?,
        };
        Ok(Self { answers, asked: None })
    }

    /// The same, which writes down each question and its answer where `wanted`.
    pub(crate) fn recording(self, wanted: bool) -> Self {
        Self { asked: wanted.then(Mutex::default), ..self }
    }

    /// The questions so far with their answers, a line each, in the order of the answers.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.asked.as_ref().map(|asked| asked.lock().unwrap_or_else(PoisonError::into_inner).clone());
        asked.unwrap_or_default()
    }

    fn record<T>(
        &self,
        name: &Name,
        record_type: RecordType,
        answer: Lookup<T>,
        show: impl Fn(&T) -> String,
    ) -> Lookup<T> {
        if let Some(asked) = &self.asked {
            let answer = match &answer {
                Ok(Answer::Records(records)) => records.iter().map(show).collect::<Vec<_>>().join(", "),
                Ok(Answer::NoData) => "no record of this type".to_owned(),
                Ok(Answer::NxDomain) => "the name does not exist".to_owned(),
                Err(error) => error.to_string(),
            };
            let line = format!("{record_type:4}  {name}: {answer}");
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
        answer
    }
}

impl Resolver for Source {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        let answer = match &self.answers {
            Answers::Zone(zone) => zone.txt(name).await,
            Answers::Network(hickory) => hickory.txt(name).await,
        };
        self.record(name, RecordType::Txt, answer, |text| format!("\"{}\"", text.escape_ascii()))
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        let answer = match &self.answers {
            Answers::Zone(zone) => zone.a(name).await,
            Answers::Network(hickory) => hickory.a(name).await,
        };
        self.record(name, RecordType::A, answer, ToString::to_string)
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        let answer = match &self.answers {
            Answers::Zone(zone) => zone.aaaa(name).await,
            Answers::Network(hickory) => hickory.aaaa(name).await,
        };
        self.record(name, RecordType::Aaaa, answer, ToString::to_string)
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        let answer = match &self.answers {
            Answers::Zone(zone) => zone.mx(name).await,
            Answers::Network(hickory) => hickory.mx(name).await,
        };
        self.record(name, RecordType::Mx, answer, |mx| format!("{} {}", mx.preference, mx.exchange))
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        let answer = match &self.answers {
            Answers::Zone(zone) => zone.ptr(ip).await,
            Answers::Network(hickory) => hickory.ptr(ip).await,
        };
        self.record(&reverse_name(ip), RecordType::Ptr, answer, ToString::to_string)
    }
    async fn within<F: Future + Send>(&self, limit: Duration, question: F) -> Option<F::Output>
    where
        F::Output: Send,
    {
        match &self.answers {
            Answers::Zone(zone) => zone.within(limit, question).await,
            Answers::Network(hickory) => hickory.within(limit, question).await,
        }
    }
}
