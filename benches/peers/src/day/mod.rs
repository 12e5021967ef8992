//! A day of mail: a stream of messages from a seed, as a server sees it, for mailverdict and mail-auth side by side.

pub mod bodies;
pub mod cache;
pub mod differences;
pub mod domains;
pub mod header;
pub mod held;
pub mod keyring;
pub mod letters;
pub mod measure;
pub mod networks;
pub mod ours;
pub mod peer_mail_auth;
pub mod random;
pub mod records;
pub mod services;
pub mod side;
pub mod stream;
