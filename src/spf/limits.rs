//! The limits of RFC 7208 §4.6.4.

/// How much one check may ask of the DNS. The defaults are the RFC's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Terms that cause questions (`include`, `a`, `mx`, `ptr`, `exists`, `redirect`).
    pub lookups: usize,
    /// Answers without records.
    pub void_lookups: usize,
    /// Hosts of one `mx`.
    pub mx_hosts: usize,
    /// Names of one `ptr`, or of one `%{p}`.
    pub ptr_names: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lookups: 10, void_lookups: 2, mx_hosts: 10, ptr_names: 10 }
    }
}

/// A limit that was exceeded, with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Limit {
    /// [`Limits::lookups`].
    Lookups(usize),
    /// [`Limits::void_lookups`].
    VoidLookups(usize),
    /// [`Limits::mx_hosts`].
    MxHosts(usize),
}
