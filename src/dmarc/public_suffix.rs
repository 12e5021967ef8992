//! Public suffixes, by which RFC 7489 §3.2 finds organizational domains.

use crate::name::Domain;
use std::{collections::HashMap, fmt};

/// A public suffix list, which says the same of a domain each time while a message is evaluated.
pub trait PublicSuffixes: fmt::Debug + Send + Sync {
    /// How many labels of `domain` are a public suffix, counted from the right; at least one.
    fn suffix_labels(&self, domain: &Domain) -> usize;
}

/// The organizational domain of RFC 7489 §3.2: the public suffix and one label more; a public suffix is its own.
pub(super) fn organizational_domain(suffixes: &dyn PublicSuffixes, domain: &Domain) -> Domain {
    domain.rightmost(suffixes.suffix_labels(domain).max(1).saturating_add(1))
}

/// The list of publicsuffix.org as the crate `psl` brings it along, private suffixes included.
#[cfg(feature = "psl")]
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltInSuffixes;

#[cfg(feature = "psl")]
impl PublicSuffixes for BuiltInSuffixes {
    fn suffix_labels(&self, domain: &Domain) -> usize {
        psl::suffix(domain.as_str().as_bytes())
            .map_or(1, |suffix| suffix.as_bytes().split(|octet| *octet == b'.').count())
    }
}

/// A list in the format of publicsuffix.org: a suffix a line, `*.` for any label, `!` for an exception, `//` for remarks.
///
/// ```
/// use mailverdict::{dmarc::{PublicSuffixes, SuffixList}, name::Domain};
/// let list = SuffixList::parse("// a few\ncom\nco.example\n*.city.example\n!our.city.example\n");
/// let labels = |text| Domain::parse(text).map(|domain| list.suffix_labels(&domain));
/// assert_eq!(labels("a.b.co.example")?, 2);
/// assert_eq!(labels("a.b.city.example")?, 3);
/// assert_eq!(labels("a.our.city.example")?, 2);
/// assert_eq!(labels("a.unknown")?, 1);
/// # Ok::<(), mailverdict::name::NameError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct SuffixList {
    rules: HashMap<Box<str>, Rule>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rule {
    suffix: bool,
    any_label_below: bool,
    exception: bool,
}

impl SuffixList {
    /// Reads a list; lines that are no rule are passed over.
    pub fn parse(text: &str) -> Self {
        let mut list = Self::default();
        for line in text.lines() {
            let Some(rule) = line.split_whitespace().next().filter(|rule| !rule.starts_with("//")) else { continue };
            let (name, kind) = if let Some(name) = rule.strip_prefix('!') {
                (name, Rule { exception: true, ..Rule::default() })
            } else if let Some(name) = rule.strip_prefix("*.") {
                (name, Rule { any_label_below: true, ..Rule::default() })
            } else {
                (rule, Rule { suffix: true, ..Rule::default() })
            };
            let Ok(name) = Domain::parse(name) else { continue };
            let known = list.rules.entry(name.as_str().into()).or_default();
            known.suffix |= kind.suffix;
            known.any_label_below |= kind.any_label_below;
            known.exception |= kind.exception;
        }
        list
    }
}

impl PublicSuffixes for SuffixList {
    fn suffix_labels(&self, domain: &Domain) -> usize {
        let count = domain.label_count();
        // The longest rule prevails, and an exception over all; without any, the last label is the suffix.
        let mut found = 1;
        for labels in 1..=count {
            let Some(rule) = self.rules.get(domain.rightmost(labels).as_str()) else { continue };
            if rule.exception {
                return labels - 1;
            }
            if rule.suffix {
                found = found.max(labels);
            }
            if rule.any_label_below && labels < count {
                found = found.max(labels + 1);
            }
        }
        found
    }
}
