//! What one set of a chain says.

use crate::{
    authentication_results::AuthenticationResults,
    name::{Domain, Name},
};

/// One set of a chain that passes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SetReport {
    /// 1 to 50.
    pub instance: u8,
    /// `d=` of the seal.
    pub sealer: Domain,
    /// `s=` of the seal.
    pub selector: Name,
    /// What the sealer found when it received the message; `None` where its ARC-Authentication-Results cannot be read.
    pub results: Option<AuthenticationResults>,
}
