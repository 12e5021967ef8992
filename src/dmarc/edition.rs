//! Which DMARC: RFC 9989, or RFC 7489 before it.

use super::{public_suffix::PublicSuffixes, result::Disposition};
use std::sync::Arc;

/// The text that a result follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Edition {
    /// RFC 9989 (May 2026): the DNS tree walk, `np`, `psd`, `t`.
    #[default]
    Rfc9989,
    /// RFC 7489 (March 2015): a public suffix list, `pct`.
    Rfc7489,
}

impl Edition {
    /// Its name in text, such as `RFC 9989`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rfc9989 => "RFC 9989",
            Self::Rfc7489 => "RFC 7489",
        }
    }
}

/// By which editions a message is evaluated. RFC 7489 cannot be had without a public suffix list.
#[derive(Clone, Debug, Default)]
pub enum Editions {
    /// RFC 9989 alone.
    #[default]
    Rfc9989,
    /// RFC 7489 alone.
    Rfc7489(Arc<dyn PublicSuffixes>),
    /// Both, on the same answers of the DNS; the verdict's `dmarc` is that of RFC 9989, `dmarc_rfc7489` the other.
    Both(Arc<dyn PublicSuffixes>),
}

impl Editions {
    /// Whether RFC 9989 is among them.
    pub(super) fn use_tree_walk(&self) -> bool {
        match self {
            Self::Rfc9989 | Self::Both(_) => true,
            Self::Rfc7489(_) => false,
        }
    }

    /// The public suffix list, where RFC 7489 is among them.
    pub(super) fn suffixes(&self) -> Option<&dyn PublicSuffixes> {
        match self {
            Self::Rfc9989 => None,
            Self::Rfc7489(suffixes) | Self::Both(suffixes) => Some(&**suffixes),
        }
    }
}

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
