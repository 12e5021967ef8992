//! What is to be done with mail that fails.

/// What a domain owner asks receivers to do with mail that fails (RFC 9989 §4.7, `p`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Disposition {
    /// Nothing.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Disposition {
    pub(super) const ALL: [Self; 3] = [Self::None, Self::Quarantine, Self::Reject];

    /// The word of the record's tags.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// One step milder (RFC 9989 §4.7, `t`); `none` stays.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::None | Self::Quarantine => Self::None,
            Self::Reject => Self::Quarantine,
        }
    }
}
