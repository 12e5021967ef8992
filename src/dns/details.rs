//! What a resolver tells of an answer, beside what the answer says.

use crate::name::Name;
use smallvec::SmallVec;
use std::sync::Arc;

/// CNAME records that one answer may pass through. RFC 1034 §3.6.2 wants chains followed and loops signalled, without a number;
/// the common servers and resolvers stop between 8 and 17.
pub const MAX_CNAME_CHAIN: usize = 16;

/// How long an answer is good for, and the aliases (CNAME records) that led to it, as far as the resolver knows. No result depends on
/// it; the log of a message ([`known::Log`](crate::known::Log)) tells it.
///
/// The default is that nothing is known. It is cheap to clone, and takes no memory of its own without aliases.
///
/// ```
/// use mailverdict::{dns::{Answer, Details}, name::Name};
/// use std::net::Ipv4Addr;
/// let details = Details::default().with_ttl(300).with_aliases([Name::parse("mx.provider.example")?]);
/// let answer = Answer::Records([Ipv4Addr::new(192, 0, 2, 1)].into()).with_details(details);
/// assert_eq!(answer.details().ttl(), Some(300));
/// assert_eq!(answer.details().aliases()[0].as_str(), "mx.provider.example");
/// # Ok::<(), mailverdict::name::NameError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    ttl: Option<u32>,
    /// Never empty. Behind a thin pointer, because answers are moved often, and few have aliases.
    aliases: Option<Arc<SmallVec<[Name; 2]>>>,
}

impl Details {
    /// How long the answer is good for, in seconds: the shortest TTL of its records and of the aliases before them, for emptiness the one
    /// of RFC 2308 §5. `None` where that is not known.
    pub fn ttl(&self) -> Option<u32> {
        self.ttl
    }

    /// The names that aliases led to, in order: from the first alias's target to the name that the answer is about. Empty where there was
    /// no alias, or the resolver does not tell. At most [`MAX_CNAME_CHAIN`].
    pub fn aliases(&self) -> &[Name] {
        self.aliases.as_deref().map_or(&[], |names| names)
    }

    /// With this TTL, in seconds.
    #[must_use]
    pub fn with_ttl(self, seconds: impl Into<Option<u32>>) -> Self {
        Self { ttl: seconds.into(), ..self }
    }

    /// With the names that aliases led to, in order. Those behind [`MAX_CNAME_CHAIN`] are left out.
    #[must_use]
    pub fn with_aliases(self, names: impl IntoIterator<Item = Name>) -> Self {
        let mut names = names.into_iter().take(MAX_CNAME_CHAIN).peekable();
        let aliases = names.peek().is_some().then(|| Arc::new(names.collect()));
        Self { aliases, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_takes_no_memory_and_aliases_are_bounded() {
        assert_eq!(Details::default().with_aliases([]), Details::default());
        let names = |count: usize| (0..count).map(|number| Name::parse(&format!("n{number}.example")).unwrap());
        for (given, kept) in [(1, 1), (MAX_CNAME_CHAIN, MAX_CNAME_CHAIN), (MAX_CNAME_CHAIN + 1, MAX_CNAME_CHAIN)] {
            let details = Details::default().with_aliases(names(given)).with_ttl(None);
            assert!(details.aliases().iter().cloned().eq(names(kept)), "{details:?}");
            assert_eq!(details.ttl(), None);
        }
    }
}
