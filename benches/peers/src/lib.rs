//! mailverdict measured side by side with its peers.

pub mod cases;
pub mod contender;
pub mod keys;
pub mod messages;
pub mod ours;
pub mod peer_mail_auth;
pub mod rounds;
pub mod sign;
pub mod zone;
