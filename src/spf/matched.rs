//! The directive that decided, and the includes that led to it.

use super::{
    publication::SharedRecord,
    record::{Directive, Mechanism, Qualifier, Record},
};
use crate::{lex::Printable, name::Name};
use smallvec::SmallVec;
use std::fmt;

/// The directive that decided, and those of the included records through which it did.
///
/// Two are equal where the same directives of the same domains decided, whatever else stands in their records.
#[derive(Clone, PartialEq, Eq)]
pub struct Matched(Path);

/// A directive, and those of included records within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) outermost: DirectiveAt,
    /// What matched in the included records, from the outside in.
    pub(super) included: SmallVec<[DirectiveAt; 1]>,
}

/// A directive and the domain whose record holds it. Cheap to clone: the record is shared.
#[derive(Clone)]
pub struct DirectiveAt {
    pub(super) domain: Name,
    pub(super) record: SharedRecord,
    /// Which of the record's directives.
    pub(super) place: usize,
}

/// What stands where a record has no directive, which [`Matched::new`] and the evaluation rule out.
static NO_DIRECTIVE: Directive = Directive::new(Qualifier::Neutral, Mechanism::All);

impl Matched {
    /// The directive at `place` of a domain's record, with nothing included; `None` where the record has no such directive.
    pub fn new(domain: Name, record: Record, place: usize) -> Option<Self> {
        let record = SharedRecord::from(record);
        record.directives.get(place)?;
        Some(Path::new(DirectiveAt { domain, record, place }, None).into())
    }

    /// A directive of a domain's record, in whose target `inner` matched; nothing is known of the rest of the record.
    #[cfg(feature = "serde")]
    pub(crate) fn around(inner: Option<Self>, domain: Name, directive: Directive) -> Self {
        let record = Record { directives: vec![directive], redirect: None, exp: None, unknown_modifiers: Vec::new() };
        Path::new(DirectiveAt { domain, record: record.into(), place: 0 }, inner.map(|inner| inner.0)).into()
    }

    /// The domain whose record holds the directive; differs from the domain that was checked behind a `redirect`.
    pub fn domain(&self) -> &Name {
        self.0.outermost.domain()
    }

    /// The directive.
    pub fn directive(&self) -> &Directive {
        self.0.outermost.directive()
    }

    /// The directive, and where it is an `include`, what matched in the included record, and so on.
    pub fn path(&self) -> impl DoubleEndedIterator<Item = &DirectiveAt> {
        self.0.path()
    }
}

impl From<Path> for Matched {
    fn from(path: Path) -> Self {
        Self(path)
    }
}

impl Path {
    /// A directive, and what matched inside it where it is an `include`.
    pub(super) fn new(outermost: DirectiveAt, inside: Option<Self>) -> Self {
        let included = inside.map_or_else(SmallVec::new, |Self { outermost, mut included }| {
            included.insert(0, outermost);
            included
        });
        Self { outermost, included }
    }

    /// From the outside in.
    pub(super) fn path(&self) -> impl DoubleEndedIterator<Item = &DirectiveAt> {
        std::iter::once(&self.outermost).chain(&self.included)
    }

    /// What the directive says of a client that it matches.
    pub(super) fn qualifier(&self) -> Qualifier {
        self.outermost.directive().qualifier
    }
}

impl DirectiveAt {
    /// Whose record holds the directive.
    pub fn domain(&self) -> &Name {
        &self.domain
    }

    /// The record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The directive.
    pub fn directive(&self) -> &Directive {
        self.record.directives.get(self.place).unwrap_or(&NO_DIRECTIVE)
    }
}

impl PartialEq for DirectiveAt {
    fn eq(&self, other: &Self) -> bool {
        self.domain == other.domain && self.directive() == other.directive()
    }
}

impl Eq for DirectiveAt {}

impl fmt::Debug for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Matched ")?;
        f.debug_list().entries(self.path()).finish()
    }
}

impl fmt::Debug for DirectiveAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectiveAt").field("domain", &self.domain).field("directive", self.directive()).finish()
    }
}

/// The directive that matched and the domains that led to it, from the inside out.
impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, at) in self.path().rev().enumerate() {
            let (directive, domain) = (at.directive(), Printable(at.domain.as_str()));
            // Every verdict says this, and pieces one by one are quicker than a format string.
            if index == 0 {
                directive.fmt(f)?;
                f.write_str(" of ")?;
                domain.fmt(f)?;
            } else {
                f.write_str(", included by ")?;
                domain.fmt(f)?;
                f.write_str(" through ")?;
                directive.fmt(f)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(domain: &str, record: &str, place: usize) -> Matched {
        Matched::new(domain.parse().unwrap(), record.parse::<Record>().unwrap(), place).unwrap()
    }

    fn nested() -> Matched {
        let inner = at("b.example", "v=spf1 -a ip4:192.0.2.1 -all", 1);
        let outer = at("a.example", "v=spf1 mx include:b.example", 1);
        Path::new(outer.0.outermost, Some(inner.0)).into()
    }

    #[test]
    fn a_directive_that_is_not_there_matched_nothing() {
        assert_eq!(Matched::new("a.example".parse().unwrap(), "v=spf1 -all".parse::<Record>().unwrap(), 1), None);
    }

    #[test]
    fn the_same_directives_are_equal_whatever_stands_beside_them() {
        assert_eq!(at("a.example", "v=spf1 mx -all", 1), at("a.example", "v=spf1 -all", 0));
        assert_ne!(at("a.example", "v=spf1 mx -all", 1), at("b.example", "v=spf1 mx -all", 1));
        assert_ne!(at("a.example", "v=spf1 mx -all", 1), at("a.example", "v=spf1 mx ~all", 1));
        assert_eq!(nested(), nested());
        assert_ne!(nested(), at("a.example", "v=spf1 mx include:b.example", 1));
        let domains: Vec<_> = nested().path().map(|at| at.domain().to_string()).collect();
        assert_eq!(domains, ["a.example", "b.example"]);
    }
}
