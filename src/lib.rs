#![doc = include_str!("../README.md")]

// Lets the ground floors land before those who use them; goes when the evaluators are in.
#![allow(dead_code)]

pub mod arc;
pub mod authentication_results;
pub mod authenticator;
pub mod crypto;
pub mod dkim;
pub mod dmarc;
pub mod dns;
mod join;
mod lex;
pub mod message;
pub mod name;
pub mod policy;
pub mod received_spf;
mod registered_methods;
pub mod session;
pub mod spf;
pub mod time;
pub mod verdict;

pub use authenticator::Authenticator;
pub use lex::SyntaxError;
pub use message::Message;
pub use policy::Policy;
pub use session::Session;
pub use verdict::Verdict;
