//! What a receiver may decide about DMARC.

use super::{disposition::Disposition, edition::Editions};

/// What a receiver may decide about DMARC.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// By which editions messages are evaluated.
    pub editions: Editions,
    /// Decides `pct` under RFC 7489: the policy applies where this number, from 0 to 99, is below `pct`. Callers who want to
    /// sample give each message a number of its own; with the default, 0, every policy applies but that of `pct=0`.
    pub sample: u8,
    /// How many author domains of one message are evaluated (RFC 9989 §11.5). A message that names more is treated as
    /// [`unevaluated`](Self::unevaluated) says.
    pub max_author_domains: usize,
    /// The least that is done with a message of which not every author domain was evaluated, because there are more than
    /// [`max_author_domains`](Self::max_author_domains), because they took more of the DNS than a message may cost, or because one of
    /// them cannot be read from a malformed From field. What was not evaluated may ask for anything, so it is `reject` by default. (An
    /// author domain whose policy the DNS did not tell counts as one that asks for `reject`, whatever stands here.)
    pub unevaluated: Disposition,
    /// Whether questions are asked before it is known that they are needed, once a message has to wait for an answer: then a tree walk
    /// takes the time of one answer instead of up to eight. It costs a few questions more and changes no result;
    /// [`dmarc`](crate::dmarc) says which. What is at hand without waiting is never asked ahead.
    pub asks_ahead: bool,
}

impl Default for Policy {
    fn default() -> Self {
        let (sample, max_author_domains, unevaluated) = (0, 10, Disposition::Reject);
        Self { editions: Editions::default(), sample, max_author_domains, unevaluated, asks_ahead: true }
    }
}

impl Policy {
    /// The default, by other editions.
    #[must_use]
    pub fn by(editions: Editions) -> Self {
        Self { editions, ..Self::default() }
    }
}
