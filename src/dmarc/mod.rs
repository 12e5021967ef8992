//! Domain-based Message Authentication, Reporting, and Conformance, RFC 9989 (and RFC 7489 for those who ask).

mod result;

pub use result::{
    Disposition, DmarcReport, DmarcResult, IdentifierReport, Mechanism, NoneReason, PermReason, TempErrorReason,
};
