//! What a receiver may decide for itself.

use crate::{arc, budget::Budget, dkim, dmarc, spf};
use std::time::Duration;

/// Everything a receiver may decide for itself. The defaults are the RFCs' numbers, or reasoned where the RFCs have none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// The limits of SPF (RFC 7208 §4.6.4).
    pub spf: spf::Limits,
    /// What signatures are accepted, of DKIM and of ARC.
    pub dkim: dkim::Policy,
    /// Whose word about the original results is taken.
    pub arc: arc::Policy,
    /// Which DMARC, and what it leaves to receivers.
    pub dmarc: dmarc::Policy,
    /// What one message may cost as a whole, beside the limits of each protocol.
    pub budget: Budget,
    /// The time for the evaluation of one message (RFC 7208 §4.6.4 asks for at least 20 seconds), from the first answer of the DNS
    /// that has to be waited for. It is the resolver that keeps time ([`Resolver::within`](crate::dns::Resolver::within)): one without a
    /// clock of its own, as the default of that method is, waits as long as an answer takes.
    pub time_limit: Duration,
    /// The time for one question to the DNS, kept by the resolver as [`time_limit`](Self::time_limit) is.
    pub question_time_limit: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            spf: spf::Limits::default(),
            dkim: dkim::Policy::default(),
            arc: arc::Policy::default(),
            dmarc: dmarc::Policy::default(),
            budget: Budget::default(),
            time_limit: Duration::from_secs(20),
            question_time_limit: Duration::from_secs(5),
        }
    }
}

impl Policy {
    /// The default, with all arithmetic of signatures, of DKIM and of ARC, left to the crates `rsa` and `ed25519-dalek`: the same verdicts,
    /// later ([`dkim::Policy::conservative`]).
    ///
    /// ```
    /// let policy = mailverdict::Policy::conservative();
    /// assert_eq!(policy.dkim.algorithms.len(), 2);
    /// ```
    pub fn conservative() -> Self {
        Self { dkim: dkim::Policy::conservative(), ..Self::default() }
    }
}
