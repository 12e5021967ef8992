//! An SPF record, taken apart.

/// A mechanism with its qualifier (RFC 7208 §4.6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Directive {}
