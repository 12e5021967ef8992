//! Which signatures can align with an author domain, judged before the DNS is asked.

use crate::name::Domain;
use std::collections::HashSet;

/// How the domain of a signature is related to the author domains; the likeliest to align come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Prospect {
    /// It is one of them, or an ancestor or a descendant of one.
    Lineal,
    /// It has an ancestor of two labels or more in common with one.
    Collateral,
    None,
}

/// The author domains.
#[derive(Debug)]
pub(super) enum AuthorDomains<'a> {
    Few(&'a [Domain]),
    /// There may be as many authors and signatures as a stranger likes.
    Many {
        authors: HashSet<&'a str>,
        above_authors: HashSet<&'a str>,
    },
}

impl<'a> AuthorDomains<'a> {
    /// More are looked up in sets.
    const FEW: usize = 4;

    pub(super) fn of(authors: &'a [Domain]) -> Self {
        if authors.len() <= Self::FEW {
            return Self::Few(authors);
        }
        Self::Many {
            authors: authors.iter().map(Domain::as_str).collect(),
            above_authors: authors.iter().flat_map(|author| up(author.as_str())).collect(),
        }
    }

    /// Relaxed alignment is by a common organizational domain, which is an ancestor of both (RFC 9989 §4.10.2), most often one of the
    /// two itself. Which of the ancestors it is, is not known yet; a top-level domain hardly is.
    pub(super) fn prospect(&self, signer: &Domain) -> Prospect {
        let (lineal, collateral) = match self {
            Self::Few(authors) => {
                let top = two_labels(signer);
                (
                    authors.iter().any(|author| signer.is_in_line_with(author)),
                    top.is_some() && authors.iter().any(|author| two_labels(author) == top),
                )
            }
            Self::Many { authors, above_authors } => (
                above_authors.contains(signer.as_str()) || up(signer.as_str()).any(|domain| authors.contains(domain)),
                up(signer.as_str()).any(|domain| domain.contains('.') && above_authors.contains(domain)),
            ),
        };
        match (lineal, collateral) {
            (true, _) => Prospect::Lineal,
            (false, true) => Prospect::Collateral,
            (false, false) => Prospect::None,
        }
    }
}

/// The domain and all that is above it.
fn up(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, parent)| parent))
}

/// The highest of its ancestors, or itself, that has two labels.
fn two_labels(domain: &Domain) -> Option<&str> {
    up(domain.as_str()).filter(|domain| domain.contains('.')).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prospects_are_the_same_among_few_and_among_many() {
        let domain = |text: &str| Domain::parse(text).unwrap();
        let few = [domain("mail.example.com")];
        // As many others, unrelated to all signers, make the authors many.
        let many: Vec<Domain> =
            (0..AuthorDomains::FEW).map(|at| domain(&format!("a{at}.invalid"))).chain(few.clone()).collect();
        assert!(matches!(
            (AuthorDomains::of(&few), AuthorDomains::of(&many)),
            (AuthorDomains::Few(_), AuthorDomains::Many { .. })
        ));
        for (signer, prospect) in [
            ("mail.example.com", Prospect::Lineal),
            ("example.com", Prospect::Lineal),
            ("com", Prospect::Lineal),
            ("a.b.mail.example.com", Prospect::Lineal),
            ("news.example.com", Prospect::Collateral),
            ("a.b.example.com", Prospect::Collateral),
            ("email.example.com", Prospect::Collateral),
            ("notexample.com", Prospect::None),
            ("example.net", Prospect::None),
            ("mail.example.com.example.net", Prospect::None),
        ] {
            for authors in [&few[..], &many] {
                assert_eq!(AuthorDomains::of(authors).prospect(&domain(signer)), prospect, "{signer}");
            }
        }
        assert_eq!(AuthorDomains::of(&[]).prospect(&domain("example.com")), Prospect::None);
    }
}
