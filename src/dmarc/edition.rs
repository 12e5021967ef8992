//! Which DMARC: RFC 9989, or RFC 7489 before it.

use super::public_suffix::PublicSuffixes;
use std::sync::Arc;

/// The text that a result follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
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
