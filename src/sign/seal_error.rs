//! Why a message is not sealed.

use super::sign_error::SignError;
use crate::arc::FailReason;

/// Why a message is not sealed. It goes on as it is: what is not sealed is no worse than what has no chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Its chain is broken, and cannot be continued (RFC 8617 §5.1.3).
    #[error("its chain does not hold: {0}")]
    ChainFailed(FailReason),
    /// It has 50 sets (RFC 8617 §4.2.1).
    #[error("it has 50 sets, and there is no room for another")]
    Full,
    /// The chain that was validated is not this message's.
    #[error("the chain that was validated is that of another message")]
    OtherMessage,
    /// It is not fit to be signed, or the key did not sign.
    #[error("{0}")]
    Sign(SignError),
}
