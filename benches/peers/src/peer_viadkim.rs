//! viadkim: DKIM alone. Used by its public documentation; it is GPL, which is why this file is behind the feature `gpl-peers`.

use crate::{
    cases::Task,
    contender::{Contender, Prepared},
    zone::Zone,
};
use std::{
    collections::HashMap,
    future::{Ready, ready},
    io::{Error, ErrorKind, Result},
    sync::Arc,
};
use tokio::runtime::{Builder, Runtime};
use viadkim::{
    Config, DkimResult, VerificationResult,
    header::HeaderFields,
    verifier::{LookupTxt, verify},
};

/// Texts, as its resolvers give them; it reads them anew each time, for it keeps no records.
#[derive(Clone)]
struct Answers(Arc<HashMap<String, Vec<u8>>>);

impl LookupTxt for Answers {
    type Answer = Vec<Result<Vec<u8>>>;
    type Query<'a> = Ready<Result<Self::Answer>>;

    fn lookup_txt(&self, domain: &str) -> Self::Query<'_> {
        ready(match self.0.get(domain) {
            Some(text) => Ok(vec![Ok(text.clone())]),
            None => Err(Error::from(ErrorKind::NotFound)),
        })
    }
}

pub struct Viadkim {
    answers: Answers,
    config: Config,
    runtime: Runtime,
}

impl Viadkim {
    pub fn new(zone: &Zone) -> Self {
        let texts = zone.txt.iter().map(|(name, text)| (format!("{name}."), text.clone().into_bytes()));
        // It asks for keys in tasks of tokio, with a time limit; this runtime runs them in the thread that waits for them.
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime in this thread");
        Self { answers: Answers(Arc::new(texts.collect())), config: Config::default(), runtime }
    }
}

impl Contender for Viadkim {
    fn name(&self) -> &'static str {
        "viadkim"
    }

    fn prepare<'t>(&'t self, task: &'t Task) -> Option<Box<dyn Prepared + 't>> {
        match task {
            Task::Dkim(raw) => Some(Box::new(Dkim { viadkim: self, raw })),
            Task::Arc(_) | Task::Spf(_) | Task::Dmarc(..) | Task::All(..) => None,
        }
    }
}

struct Dkim<'t> {
    viadkim: &'t Viadkim,
    raw: &'t str,
}

impl Dkim<'_> {
    fn results(&self) -> Vec<VerificationResult> {
        let end = self.raw.find("\r\n\r\n").expect("an empty line ends the header");
        let (header, body) = (&self.raw[..end + 2], &self.raw[end + 4..]);
        let header: HeaderFields = header.parse().expect("a header");
        let Viadkim { answers, config, runtime } = self.viadkim;
        runtime.block_on(verify(answers, &header, body.as_bytes(), config))
    }
}

impl Prepared for Dkim<'_> {
    fn verdict(&mut self) -> String {
        let mut results = self.results();
        results.sort_by_key(|result| result.index);
        let keyword = |result: &VerificationResult| match result.status.to_dkim_result() {
            DkimResult::None => "none",
            DkimResult::Pass => "pass",
            DkimResult::Fail => "fail",
            DkimResult::Policy => "policy",
            DkimResult::Neutral => "neutral",
            DkimResult::Temperror => "temperror",
            DkimResult::Permerror => "permerror",
        };
        format!("{:?}", results.iter().map(keyword).collect::<Vec<_>>())
    }

    fn run(&mut self) -> usize {
        self.results().iter().filter(|result| result.status.to_dkim_result() == DkimResult::Pass).count()
    }
}
