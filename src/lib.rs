#![doc = include_str!("../README.md")]
// The floors, from the roof down; tests/architecture.rs keeps imports pointing downward.
//
//     7  authenticator   driver
//     6  evaluation      registered_methods   received_spf
//     5  policy          verdict
//     4  arc             dmarc
//     3  spf             dkim             authentication_results         received
//     2½ known           budget
//     2  message         session          dns             crypto
//     1  name            text             time
//     0  lex

pub mod arc;
pub mod authentication_results;
pub mod authenticator;
pub mod budget;
pub mod crypto;
pub mod dkim;
pub mod dmarc;
pub mod dns;
mod driver;
mod evaluation;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
pub mod known;
mod lex;
pub mod message;
pub mod name;
pub mod policy;
#[cfg(test)]
#[path = "../tests/support/ready.rs"]
mod ready;
pub mod received;
pub mod received_spf;
mod registered_methods;
pub mod session;
pub mod spf;
pub mod text;
pub mod time;
pub mod verdict;

pub use authenticator::Authenticator;
pub use budget::{Budget, Share};
pub use evaluation::{Evaluation, Progress};
pub use lex::SyntaxError;
pub use message::Message;
pub use policy::Policy;
pub use session::Session;
pub use verdict::Verdict;
