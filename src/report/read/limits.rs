//! How much a report may be.

/// How much a file of reports may come to: whoever sends one decides about its octets.
///
/// ```
/// use mailverdict::report::ReadLimits;
/// let limits = ReadLimits { unpacked: 1 << 30, ..ReadLimits::default() };
/// assert_eq!(limits.ratio, 500);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Octets of all that a file holds, unpacked; 50 MB.
    pub unpacked: u64,
    /// How many times as many octets something packed may come to, where these are more than 1 MB; 500.
    pub ratio: u64,
    /// Entries of an archive, parts of a mail; 1,000.
    pub parts: usize,
    /// Wrappings within each other: an archive in a mail are two; 8.
    pub wrappings: usize,
    /// Elements within each other; 32.
    pub nesting: usize,
    /// Rows of a report; 5,000,000.
    pub rows: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { unpacked: 50_000_000, ratio: 500, parts: 1000, wrappings: 8, nesting: 32, rows: 5_000_000 }
    }
}
