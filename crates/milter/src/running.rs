//! What is made of a configuration, and serves until the next one.

use crate::{
    cannot_run::CannotRun,
    config::{Config, Dns},
    keys::SigningEntry,
};
use mailverdict::{
    Policy,
    authentication_results::TrustBoundary,
    dns::{AnyLookup, Hickory, LookupError, Question, Zone},
};
use std::time::Duration;

/// The most that a single question may take, so that one dead server does not use up the time of the whole evaluation.
const QUESTION_TIME_LIMIT: Duration = Duration::from_secs(5);

/// A configuration with all that is opened for it.
#[derive(Debug)]
pub struct Running {
    /// What is configured.
    pub config: Config,
    /// How messages are evaluated.
    pub policy: Policy,
    /// Whose results are forged when they come in.
    pub boundary: TrustBoundary,
    /// What mail from inside is signed with.
    pub keys: Vec<SigningEntry>,
    resolver: Source,
}

/// Who answers.
#[derive(Debug)]
enum Source {
    Zone(Box<Zone>),
    Network(Box<Hickory>),
}

impl Running {
    /// Opens what is configured.
    ///
    /// # Errors
    /// [`CannotRun`], in a sentence.
    pub fn of(config: Config) -> Result<Self, CannotRun> {
        let mut policy = Policy::default();
        policy.time_limit = config.dns.timeout;
        policy.question_time_limit = QUESTION_TIME_LIMIT.min(config.dns.timeout / 4);
        policy.arc.trusted_sealers.clone_from(&config.arc.trusted_sealers);
        let ids = config.strip_authserv_ids.iter();
        let boundary = ids.fold(TrustBoundary::of(&config.authserv_id), |boundary, id| boundary.with(id));
        let resolver = Source::open(&config.dns)?;
        let keys = config.sign.iter().map(SigningEntry::open).collect::<Result<_, _>>()?;
        Ok(Self { config, policy, boundary, keys, resolver })
    }

    /// The answer to a question, within its time.
    pub async fn ask(&self, question: &Question) -> AnyLookup {
        let answer = async {
            match &self.resolver {
                Source::Zone(zone) => question.ask(zone.as_ref()).await,
                Source::Network(hickory) => question.ask(hickory.as_ref()).await,
            }
        };
        match tokio::time::timeout(self.policy.question_time_limit, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(LookupError::Timeout),
        }
    }

    /// The answer, where nobody has to be waited for.
    pub fn at_hand(&self, question: &Question) -> Option<AnyLookup> {
        use mailverdict::dns::Resolver as _;
        match &self.resolver {
            Source::Zone(zone) => zone.at_hand(question),
            Source::Network(hickory) => hickory.at_hand(question),
        }
    }
}

impl Source {
    fn open(dns: &Dns) -> Result<Self, CannotRun> {
        if !dns.zone.is_empty() {
            let zone = Zone::read(&dns.zone).map_err(|error| CannotRun::of(error.to_string()))?;
            return Ok(Self::Zone(Box::new(zone)));
        }
        let hickory = match dns.servers.as_slice() {
            [] => Hickory::system(),
            servers => Hickory::servers(servers.iter().copied()),
        };
        hickory.map(|hickory| Self::Network(Box::new(hickory))).map_err(|error| CannotRun::of(error.to_string()))
    }
}
