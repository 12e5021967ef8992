//! What a domain publishes, as receivers will read it: a look at all of it, before anybody sends.
//!
#![doc = include_str!("../../docs/lint.md")]

mod allowed;
mod context;
mod correct;
mod dmarc;
mod gather;
mod judge;
mod keys;
mod mend;
mod mx;
mod parked;
mod range_set;
mod report;
mod scope;
mod senders;
mod signatures;
mod signed;
mod spf;
mod texts;

pub use gather::MAX_RECORDS;
pub use report::{
    Correction, DmarcPublished, KeyPublished, OlderPolicies, OtherText, Report, Sender, SpfPublished, SpfTerm,
};
pub use scope::{KeyName, MAX_GIVEN, Scope};

use crate::{
    dns::Resolver,
    driver::{Clock, drive, drive_at_once},
    known::{AtHand, Log},
    policy::Policy,
};

/// Looks at domains. Make one and keep it: it may serve any number of domains, from any number of threads.
///
/// ```
/// use mailverdict::{dns::Zone, lint::{Lint, Scope}, name::Domain};
/// let zone = Zone::parse("contoso.com. TXT \"v=spf1 ip4:192.0.2.1 +all\"", "contoso.zone").unwrap();
/// let report = Lint::new(zone).look_at_once(&Scope::of(Domain::parse("contoso.com")?));
/// let found = &report.findings[0];
/// assert_eq!((found.rule.id(), found.quote.as_ref().unwrap().text()), ("spf-pass-all", "+all"));
/// # Ok::<(), mailverdict::name::NameError>(())
/// ```
#[derive(Debug)]
pub struct Lint<R> {
    resolver: R,
    policy: Policy,
}

impl<R: Resolver> Lint<R> {
    /// With the default [`Policy`].
    pub fn new(resolver: R) -> Self {
        Self { resolver, policy: Policy::default() }
    }

    /// With other limits of time, other limits of SPF, or other editions of DMARC. Nothing else of a policy matters here.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    pub(crate) fn resolver(&self) -> &R {
        &self.resolver
    }

    /// Asks for all that a domain publishes, side by side, and says what is found. Never fails: what cannot be asked is a finding.
    ///
    /// No more than 1000 questions are asked.
    pub async fn look(&self, scope: &Scope) -> Report {
        let mut log = Log::default();
        let mut gather = gather::Gather::new(scope);
        let clock = Clock::new(self.policy.time_limit, self.policy.question_time_limit);
        drive(&self.resolver, &clock, &mut log, |log: &mut Log, at_hand: AtHand<'_>| gather.run(log, at_hand)).await;
        judge::judge(scope, &self.policy, &gather.gathered, log)
    }

    /// The same for resolvers that answer without waiting, as a [`Zone`](crate::dns::Zone) does, and for programs without a runtime. A
    /// question whose answer has to be waited for is answered by [`LookupError::OutOfTime`](crate::dns::LookupError::OutOfTime).
    pub fn look_at_once(&self, scope: &Scope) -> Report {
        let mut log = Log::default();
        let mut gather = gather::Gather::new(scope);
        drive_at_once(&self.resolver, &mut log, |log: &mut Log, at_hand: AtHand<'_>| gather.run(log, at_hand));
        judge::judge(scope, &self.policy, &gather.gathered, log)
    }
}
