//! Points in time, as mail and the DNS count them.

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// The system's clock; a clock that stands before 1970 reads as 0.
    pub(crate) fn now() -> Self {
        Self(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}
