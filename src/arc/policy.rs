//! What a receiver may decide about ARC.

use crate::name::Domain;

/// Whose word about the original results a receiver takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// The sealing domains (`d=` of ARC-Seal) that are trusted; none by default. Names below them are other names.
    pub trusted_sealers: Vec<Domain>,
}
