//! Verdicts as JSON (feature `serde`): the promised form, the same for programs and on the command line.
//!
//! Names of members are in snake case, words in lower case; what does not apply is null. Members may be added, never renamed or removed.
//!
//! * A [`Verdict`](crate::Verdict) is written and read back: what was written comes back equal. The words (`reason`, `matched` and the
//!   like) are made anew of the typed `cause` and `path`, and passed over when read.
//! * [`Evaluated`] writes the same with all that belongs beside it: what was evaluated, header fields, findings.
//!
//! ```
//! use mailverdict::{Evaluation, Message, Policy, Progress, Session, Verdict, dns::{Resolver, Zone}, json::Evaluated};
//! use std::net::Ipv4Addr;
//! let zone = Zone::parse("_dmarc.example.com. TXT \"v=DMARC1; p=reject\"", "example.zone").unwrap();
//! let session = Session::new(Ipv4Addr::new(192, 0, 2, 1));
//! let policy = Policy::default();
//! let message = Message::parse(b"From: a@example.com\r\n\r\n")?;
//! let mut evaluation = Evaluation::new(&policy, session.clone());
//! evaluation.message(&message);
//! let Progress::Verdict(verdict) = evaluation.advance_with(|question| zone.at_hand(question)) else { panic!() };
//! let json = serde_json::to_value(Evaluated::new(&message, &verdict, &session, evaluation.log(), "mx.example.net"))?;
//! assert_eq!(json["version"], 1);
//! assert_eq!(json["evaluated"]["ip"], "192.0.2.1");
//! assert_eq!(json["dmarc"]["disposition"], "reject");
//! assert_eq!(serde_json::from_value::<Verdict>(json)?, *verdict);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arc;
mod dkim;
mod dmarc;
mod evaluated;
mod inputs;
mod shown;
mod spf;
mod verdict;

#[cfg(feature = "reports")]
pub use evaluated::Reported;
pub use evaluated::{Evaluated, EvaluatedSpf};
pub use inputs::Inputs;
pub use verdict::VERSION;
