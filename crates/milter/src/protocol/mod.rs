//! The milter protocol, without I/O: packets, what a mail server says, and what a filter answers.
//!
//! Versions 2 to 6, as Sendmail defined them and Postfix speaks them.

mod answer;
mod command;
mod frames;
mod macros;
mod options;

pub use answer::Answer;
pub use command::{Command, CommandError, Peer};
pub use frames::{Frame, FrameError, Frames, MAX_FRAME};
pub use macros::Macros;
pub use options::{Actions, Offer, OptionsError, Steps};
