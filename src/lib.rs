//! Says whether a mail message is what it claims to be: SPF, DKIM, DMARC and ARC behind one call, with reasons.
//!
#![doc = include_str!("../docs/library.md")]
//!
//! # Where to go on
//!
//! * [`Authenticator`]: the one call. [`Message`] and [`Session`] go in, a [`Verdict`] comes out.
//! * [`Evaluation`]: the same without I/O, by stages.
//! * [`Policy`] and [`Budget`]: what a receiver may decide, and all limits.
//! * [`spf`], [`dkim`], [`dmarc`], [`arc`]: what each rule became, and their results.
//! * [`dns`]: resolvers, and what becomes of a message when the DNS goes wrong.
//! * [`authentication_results`], [`received_spf`], [`received`]: header fields.
//! * `json` and `evidence` (feature `serde`): verdicts for programs, and what a verdict rests on, to be replayed.
//! * [`change`]: what happened to a message whose signatures do not verify.
//! * [`lint`]: what a domain publishes, before anybody sends.
//! * [`preflight`]: whether mail would pass, before it is sent.
//! * [`sign`]: signatures are made.
//! * [`report`]: which reports domain owners ask for, and where these may be sent.

// docs/architecture.md draws the floors; tests/architecture.rs keeps imports pointing downward.

pub mod arc;
pub mod authentication_results;
pub mod authenticator;
pub mod budget;
pub mod change;
pub mod crypto;
pub mod dkim;
pub mod dmarc;
pub mod dns;
mod driver;
mod evaluation;
#[cfg(feature = "serde")]
pub mod evidence;
pub mod finding;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "serde")]
pub mod json;
pub mod known;
mod lex;
pub mod lint;
pub mod message;
mod mime;
pub mod name;
pub mod policy;
pub mod preflight;
#[cfg(test)]
#[path = "../tests/support/ready.rs"]
mod ready;
pub mod received;
pub mod received_spf;
mod registered_methods;
pub mod reply;
pub mod report;
pub mod session;
pub mod sign;
pub mod spf;
pub mod text;
pub mod time;
pub mod verdict;

pub use authenticator::Authenticator;
pub use budget::{Budget, Share};
pub use evaluation::{Evaluation, Progress};
pub use lex::{Span, SyntaxError, TagSpan};
pub use message::Message;
pub use policy::Policy;
pub use session::Session;
pub use verdict::Verdict;

/// The README's example is tried as the others are.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
