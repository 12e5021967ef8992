//! mailverdict measured side by side with its peers.

pub mod cases;
pub mod cold;
pub mod contender;
pub mod day;
pub mod keys;
pub mod messages;
pub mod ours;
pub mod peer_mail_auth;
#[cfg(feature = "gpl-peers")]
pub mod peer_viadkim;
#[cfg(feature = "gpl-peers")]
pub mod peer_viaspf;
pub mod report;
pub mod responder;
pub mod rounds;
pub mod sign;
pub mod zone;
