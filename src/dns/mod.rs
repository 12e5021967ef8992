//! Questions to the DNS and their answers, as far as mail authentication needs them.
//!
#![doc = include_str!("../../docs/dns-faults.md")]

mod ask;
#[cfg(feature = "hickory")]
mod cache;
mod details;
mod endless_aliases;
#[cfg(feature = "hickory")]
mod hickory;
mod master_file;
mod question;
mod record;
mod records;
mod zone;
mod zone_error;
mod zone_text;

pub use details::{Details, MAX_CNAME_CHAIN};
pub use endless_aliases::EndlessAliases;
#[cfg(feature = "hickory")]
pub use hickory::{Hickory, HickoryError};
pub use question::{Question, RecordType, address_of, reverse_name};
pub use record::{AnyAnswer, AnyLookup};
pub(crate) use record::{Record, octets};
pub use records::Records;
pub(crate) use records::{BLOCK, Reading};
pub use zone::Zone;
pub use zone_error::{ZoneError, ZoneProblem};

use crate::{lex::Printable, name::Name};
use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

/// Whoever answers questions: a zone in memory, the DNS, a decorator around another resolver.
///
/// Answers are raw: what a text means is decided by each protocol for itself. CNAMEs are followed by the resolver, which tells what it
/// followed in the [`Details`] of the answer, where it can.
pub trait Resolver: Send + Sync {
    /// The TXT records of a name; the character-strings of each record are joined without a separator.
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send;
    /// The A records of a name.
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send;
    /// The AAAA records of a name.
    fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send;
    /// The MX records of a name, in the order of the answer.
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send;
    /// The PTR records of an address (`in-addr.arpa`, `ip6.arpa`).
    fn ptr(&self, ip: IpAddr) -> impl Future<Output = Lookup<Name>> + Send;

    /// Waits for `question` no longer than `limit`; `None` when it took longer.
    ///
    /// A resolver that has its answers at hand needs no clock, and so the default waits as long as it takes; a resolver that goes
    /// to the network answers with its runtime's timer.
    fn within<F: Future + Send>(&self, limit: Duration, question: F) -> impl Future<Output = Option<F::Output>> + Send
    where
        F::Output: Send,
    {
        let _ = limit;
        async move { Some(question.await) }
    }

    /// The answer to `question`, if it can be given without waiting; `None`, the default, says nothing, and the question is asked.
    ///
    /// It is called in the midst of an evaluation, and so must neither wait nor ask anybody. What it gives is what asking would give: a
    /// zone in memory has all its answers at hand, a resolver that keeps answers those that still live. Whoever hands out the same
    /// [`Records`] each time has them read once.
    fn at_hand(&self, question: &Question) -> Option<AnyLookup> {
        let _ = question;
        None
    }
}

/// What became of a question.
pub type Lookup<T> = Result<Answer<T>, LookupError>;

/// An answer of the DNS. Emptiness is an answer, not an error, and has two kinds (RFC 2308 §2).
///
/// Two answers are equal where they say the same, whatever [`Details`] are told of them. So a resolver that keeps answers sees that one
/// came again, though its TTL is another, and goes on with what was read of it.
#[derive(Clone, Debug)]
pub enum Answer<T> {
    /// At least one record.
    Records(Records<T>),
    /// The name, or the last of its aliases, exists and has no record of this type.
    NoData(Details),
    /// The name, or the last of its aliases, does not exist (RFC 6604 §2.1).
    NxDomain(Details),
}

impl<T> Answer<T> {
    /// The records, which are none for the two kinds of emptiness.
    pub fn records(&self) -> &[T] {
        match self {
            Self::Records(records) => records,
            Self::NoData(_) | Self::NxDomain(_) => &[],
        }
    }

    /// Whether this counts as a void lookup (RFC 7208 §4.6.4).
    pub fn is_void(&self) -> bool {
        self.records().is_empty()
    }

    /// What the resolver tells of it.
    pub fn details(&self) -> &Details {
        match self {
            Self::Records(records) => records.details(),
            Self::NoData(details) | Self::NxDomain(details) => details,
        }
    }

    /// The same answer, with these details instead.
    #[must_use]
    pub fn with_details(self, details: Details) -> Self {
        match self {
            Self::Records(records) => Self::Records(records.with_details(details)),
            Self::NoData(_) => Self::NoData(details),
            Self::NxDomain(_) => Self::NxDomain(details),
        }
    }
}

impl<T: PartialEq> PartialEq for Answer<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Records(these), Self::Records(those)) => these == those,
            (Self::NoData(_), Self::NoData(_)) | (Self::NxDomain(_), Self::NxDomain(_)) => true,
            (Self::Records(_) | Self::NoData(_) | Self::NxDomain(_), _) => false,
        }
    }
}

impl<T: Eq> Eq for Answer<T> {}

/// One MX record (RFC 1035 §3.3.9).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mx {
    /// Lower is preferred.
    pub preference: u16,
    /// The host; the root for the null MX (RFC 7505).
    pub exchange: Name,
}

/// Why a question has no answer. All of these are temporary to mail authentication: none of them says what the DNS holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LookupError {
    /// No answer within the limit for one question.
    #[error("no answer in time")]
    Timeout,
    /// The server answered SERVFAIL.
    #[error("the server failed (SERVFAIL)")]
    ServerFailure,
    /// The server answered REFUSED.
    #[error("the server refused to answer (REFUSED)")]
    Refused,
    /// The answer could not be read, or is about something else.
    #[error("the answer is malformed")]
    Malformed,
    /// The name is an alias, and its CNAME records lead in a circle or too far: to ask again does not help.
    #[error("{0}")]
    EndlessAliases(EndlessAliases),
    /// The server could not be reached or answered with an error of another kind; the text is the resolver's, and is made printable
    /// where it is displayed.
    #[error("{}", Printable(.0))]
    Other(Box<str>),
    /// The resolver needs a tokio runtime, and was asked outside of one; see the docs of `Hickory`.
    #[error("the question could not be asked outside of a tokio runtime")]
    NoRuntime,
    /// The time for the whole evaluation was used up before this question.
    #[error("the time for the evaluation ran out")]
    OutOfTime,
    /// The DNS questions that one message may cost were used up before this question.
    #[error("the message used up its DNS questions")]
    OutOfQuestions,
    /// The octets of DNS answers that one message may cost were used up by this answer or before it.
    #[error("the message used up the octets of its DNS answers")]
    OutOfOctets,
}

/// Whoever holds a resolver by a pointer can ask it.
macro_rules! resolver_behind {
    ($($pointer:ty),*) => {$(
        impl<R: Resolver> Resolver for $pointer {
            fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
                (**self).txt(name)
            }
            fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
                (**self).a(name)
            }
            fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
                (**self).aaaa(name)
            }
            fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
                (**self).mx(name)
            }
            fn ptr(&self, ip: IpAddr) -> impl Future<Output = Lookup<Name>> + Send {
                (**self).ptr(ip)
            }
            fn within<F: Future + Send>(
                &self,
                limit: Duration,
                question: F,
            ) -> impl Future<Output = Option<F::Output>> + Send
            where
                F::Output: Send,
            {
                (**self).within(limit, question)
            }
            fn at_hand(&self, question: &Question) -> Option<AnyLookup> {
                (**self).at_hand(question)
            }
        }
    )*};
}

resolver_behind!(&R, Arc<R>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_resolver_are_made_printable() {
        assert_eq!(LookupError::Other("no\r\nroute\0".into()).to_string(), r"no\r\nroute\u{0}");
    }
}
