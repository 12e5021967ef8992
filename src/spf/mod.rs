//! Sender Policy Framework, RFC 7208.

mod limits;
mod record;
mod result;

pub use limits::{Limit, Limits};
pub use record::Directive;
pub use result::{
    Explanation, Matched, NeutralReason, NoneReason, PermError, SpfReport, SpfReports, SpfResult, TempError,
};

use crate::{dns::Resolver, message::Header, session::Session};

/// Told of each step of an evaluation; `()` listens to none, at no cost.
pub trait Observe: Send {}
impl Observe for () {}

/// Evaluates both identities side by side. `header` offers its Return-Path where the session does not know the reverse-path.
pub(crate) async fn check<R: Resolver, O: Observe>(
    resolver: &R,
    limits: &Limits,
    session: &Session,
    header: Option<&Header<'_>>,
    observer: &mut O,
) -> SpfReports {
    let _ = (resolver, limits, session, header, observer);
    SpfReports { helo: None, mail_from: None }
}
