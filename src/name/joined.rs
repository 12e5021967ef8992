//! Domains on their way into a longer name.

use super::{Domain, MAX_NAME_LEN, Name, NameError, is_at_or_below};
use std::borrow::Cow;

/// A domain that was read and has no memory of its own yet: in lower case, with A-labels, without a final dot.
#[derive(Clone, Debug)]
pub(crate) struct DomainText<'t>(pub(super) Cow<'t, str>);

impl<'t> DomainText<'t> {
    /// Reads a domain.
    ///
    /// # Errors
    /// As [`Domain::parse`].
    pub(crate) fn parse(text: &'t str) -> Result<Self, NameError> {
        Domain::read(text).map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn label_count(&self) -> usize {
        1 + memchr::memchr_iter(b'.', self.0.as_bytes()).count()
    }

    /// Whether this is `domain` itself or a domain above it.
    pub(crate) fn is_at_or_above(&self, domain: &Domain) -> bool {
        is_at_or_below(domain.as_str(), &self.0)
    }

    /// With memory of its own.
    pub(crate) fn to_domain(&self) -> Domain {
        Domain(Name::of_read(&self.0))
    }
}

/// A name made of two domains with labels between them, and those domains, which share its memory.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    pub(crate) whole: Name,
    pub(crate) first: Name,
    pub(crate) last: Domain,
}

impl Joined {
    /// `<first>.<labels>.<last>`.
    ///
    /// # Errors
    /// [`NameError::TooLong`] where that is longer than a name can be.
    pub(crate) fn of(first: &DomainText<'_>, labels: &str, last: &DomainText<'_>) -> Result<Self, NameError> {
        let whole = joined([first.as_str(), labels, last.as_str()])?;
        let before_last = whole.as_str().len() - last.0.len();
        let (first, last) = (whole.part(0, first.0.len()), Domain(whole.after(before_last)));
        Ok(Self { whole, first, last })
    }
}

/// Joins names that were read, in lower case already, with dots between them.
///
/// # Errors
/// [`NameError::TooLong`] where that is longer than a name can be.
pub(super) fn joined<const N: usize>(parts: [&str; N]) -> Result<Name, NameError> {
    let mut room = [0; MAX_NAME_LEN];
    let mut end = 0;
    for (number, part) in parts.into_iter().enumerate() {
        for piece in [if number == 0 { "" } else { "." }, part] {
            let start = end;
            end += piece.len();
            room.get_mut(start..end).ok_or(NameError::TooLong)?.copy_from_slice(piece.as_bytes());
        }
    }
    // They are ASCII.
    let text = room.get(..end).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
    Ok(Name::of_read(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_domains_are_joined_into_a_name_that_all_three_share() {
        let (first, last) = (DomainText::parse("Sel.One").unwrap(), DomainText::parse("bücher.example.").unwrap());
        let Joined { whole, first, last } = Joined::of(&first, "_domainkey", &last).unwrap();
        assert_eq!(whole.as_str(), "sel.one._domainkey.xn--bcher-kva.example");
        assert_eq!((first.as_str(), last.as_str()), ("sel.one", "xn--bcher-kva.example"));
        assert_eq!((first.parent(), last.parent()), (Name::parse("one").ok(), Domain::parse("example").ok()));
        assert_eq!(first.rightmost(1).as_str(), "one");
        assert_eq!(first.parent().and_then(|name| name.parent()), Some(Name::root()));
    }

    #[test]
    fn what_is_joined_is_no_longer_than_a_name() {
        let last = ["a".repeat(63), "b".repeat(63), "c".repeat(63)].join(".");
        let joined = |first: &str| Joined::of(&DomainText::parse(first)?, "_d", &DomainText::parse(&last)?);
        let longest = joined(&"d".repeat(58)).unwrap();
        assert_eq!((longest.whole.as_str().len(), longest.last.as_str()), (MAX_NAME_LEN, &*last));
        assert_eq!(joined(&"d".repeat(59)).unwrap_err(), NameError::TooLong);
    }
}
