//! The limits of RFC 7208 §4.6.4, and what is left of them.

use std::fmt;

/// How much one check may ask of the DNS. The defaults are the RFC's numbers.
///
/// The time for a check is the resolver's to keep (RFC 7208 §4.6.4 asks for `temperror` once it is used up): see
/// [`Policy::time_limit`](crate::Policy::time_limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Terms that cause questions (`include`, `a`, `mx`, `ptr`, `exists`, `redirect`, and each term with a `%{p}` once more).
    pub lookups: u8,
    /// Terms for which an answer without records came.
    pub void_lookups: u8,
    /// Hosts of one `mx`.
    pub mx_hosts: u8,
    /// Names of one `ptr`, or of one `%{p}`.
    pub ptr_names: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lookups: 10, void_lookups: 2, mx_hosts: 10, ptr_names: 10 }
    }
}

/// The [`size`](super::publication::size) of all records that one check reads. Beyond what is met (ten includes of large providers come to
/// 20,000), and enough for a record of 60 kB.
pub(crate) const MAX_RECORDS_SIZE: usize = 1 << 17;
/// Octets of a local part that is evaluated: four times what RFC 5321 §4.5.3.1.1 allows.
pub(super) const MAX_LOCAL_PART: usize = 4 * 64;
/// Octets of a domain that is evaluated, as it was written: four times what RFC 5321 §4.5.3.1.2 allows, for U-labels.
pub(super) const MAX_DOMAIN: usize = 4 * 255;

/// A limit that was exceeded, with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Limit {
    /// [`Limits::lookups`].
    Lookups(u8),
    /// [`Limits::void_lookups`].
    VoidLookups(u8),
    /// [`Limits::mx_hosts`].
    MxHosts(u8),
    /// How deep records may be included in each other. Out of reach unless [`Limits::lookups`] is raised above it.
    Nesting(u8),
    /// Octets that the macros of all terms stand for.
    Expansion(usize),
}

/// The number of [`Limit::Nesting`].
const MAX_NESTING: u8 = 32;

/// The number of [`Limit::Expansion`]. Ten terms of ten macros each, with the longest of senders, come to half of it.
const MAX_EXPANSION: usize = 1 << 17;

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookups(limit) => write!(f, "more than {limit} terms that ask the DNS"),
            Self::VoidLookups(limit) => write!(f, "more than {limit} terms that ask the DNS for what is not there"),
            Self::MxHosts(limit) => write!(f, "more than {limit} mail hosts"),
            Self::Expansion(limit) => write!(f, "macros that stand for more than {limit} octets"),
            Self::Nesting(limit) => write!(f, "more than {limit} records included in each other"),
        }
    }
}

/// What a check has spent of its [`Limits`] so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Spent {
    /// Terms that count against [`Limits::lookups`].
    pub lookups: usize,
    /// Terms that count against [`Limits::void_lookups`].
    pub void_lookups: usize,
}

/// What is left of the limits; one for each check, all its includes and redirects together (RFC 7208 §4.1).
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    spent: Spent,
    /// What the records that may still be read may come to.
    records_size: usize,
    /// Octets that the macros stood for.
    expanded: usize,
    /// Whether the term under evaluation has counted as void already.
    term_is_void: bool,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, spent: Spent::default(), records_size: MAX_RECORDS_SIZE, expanded: 0, term_is_void: false }
    }

    pub(super) fn spent(&self) -> Spent {
        self.spent
    }

    /// A term that causes questions is about to be evaluated.
    pub(super) fn consume_lookup(&mut self) -> Result<(), Limit> {
        if self.spent.lookups >= usize::from(self.limits.lookups) {
            return Err(Limit::Lookups(self.limits.lookups));
        }
        self.spent.lookups += 1;
        Ok(())
    }

    /// Another term begins.
    pub(super) fn begin_term(&mut self) {
        self.term_is_void = false;
    }

    /// An answer without records came.
    ///
    /// RFC 7208 §4.6.4 limits 'the number of "terms" for which DNS queries return' nothing: a term counts once, however many of
    /// its questions (an `mx` has one for each host) are answered so.
    pub(super) fn consume_void(&mut self) -> Result<(), Limit> {
        if self.term_is_void {
            return Ok(());
        }
        self.term_is_void = true;
        self.spent.void_lookups += 1;
        if self.spent.void_lookups > usize::from(self.limits.void_lookups) {
            return Err(Limit::VoidLookups(self.limits.void_lookups));
        }
        Ok(())
    }

    /// How large the records are that may still be read.
    pub(super) fn records_size(&self) -> usize {
        self.records_size
    }

    /// Records of this size were found.
    pub(super) fn consume_records(&mut self, size: usize) {
        self.records_size = self.records_size.saturating_sub(size);
    }

    /// Macros that stand for so many octets are about to be expanded.
    ///
    /// RFC 7208 has no such limit; but a record may name thousands of macros in each of its terms, and all of them would be expanded.
    pub(super) fn consume_expansion(&mut self, octets: usize) -> Result<(), Limit> {
        self.expanded = self.expanded.saturating_add(octets);
        if self.expanded > MAX_EXPANSION { Err(Limit::Expansion(MAX_EXPANSION)) } else { Ok(()) }
    }

    /// Whether a record may be included where so many are open already.
    pub(super) fn allow_include(open: usize) -> Result<(), Limit> {
        if open >= usize::from(MAX_NESTING) { Err(Limit::Nesting(MAX_NESTING)) } else { Ok(()) }
    }

    /// Whether an `mx` may have that many hosts.
    pub(super) fn allow_mx_hosts(&self, hosts: usize) -> Result<(), Limit> {
        if hosts > usize::from(self.limits.mx_hosts) { Err(Limit::MxHosts(self.limits.mx_hosts)) } else { Ok(()) }
    }

    /// How many names of an address are looked at; the others are ignored (RFC 7208 §4.6.4).
    pub(super) fn ptr_names(&self) -> usize {
        usize::from(self.limits.ptr_names)
    }
}
