//! Why a message is not signed.

use super::signing_key::KeyFault;
use crate::message::{FromError, Malformation, MessageError};

/// Why a message is not signed: what verifiers would refuse, or read in different ways, is not vouched for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// It is none.
    #[error("{0}")]
    NoMessage(MessageError),
    /// It has no From field, which every signature must cover (RFC 6376 §5.4).
    #[error("the message has no From field")]
    NoFrom,
    /// It has several From fields (RFC 5322 §3.6).
    #[error("the message has {0} From fields; one is allowed")]
    ManyFrom(usize),
    /// Its From field cannot be read.
    #[error("the From field is malformed: {0}")]
    MalformedFrom(FromError),
    /// Its From field names no author domain that can be read, or several.
    #[error("the From field does not name one author domain")]
    NoAuthorDomain,
    /// Readers disagree on what its header says.
    #[error("{0}")]
    MalformedHeader(Malformation),
    /// It has lines that end in CR or LF alone, which hosts on the way write anew (RFC 5321 §2.3.8).
    #[error("the message has lines that do not end in CRLF, which hosts on the way write anew")]
    BareLineEnds,
    /// The key is for another algorithm than the signer.
    #[error("the key signs with {key}, and the signer with {signer}")]
    OtherAlgorithm {
        /// What the key signs with.
        key: &'static str,
        /// What the signer says.
        signer: &'static str,
    },
    /// The key did not sign.
    #[error("{0}")]
    Key(KeyFault),
}
