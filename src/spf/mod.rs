//! Sender Policy Framework, RFC 7208.
//!
#![doc = include_str!("../../docs/spf.md")]

mod ahead;
mod arguments;
mod check_host;
mod expand;
mod fault;
mod faults;
mod identity;
mod judge;
mod limits;
mod macro_string;
mod matched;
mod mechanism;
mod mistake;
mod observe;
mod parse;
mod publication;
mod record;
mod result;
mod sender;
mod term;
mod tree;

pub use fault::Fault;
pub use faults::faults;
pub use identity::Identity;
pub use limits::{Limit, Limits, Spent};
pub use macro_string::{Delimiters, DomainSpec, Macro, MacroLetter, MacroPart, MacroString};
pub use matched::{DirectiveAt, Matched};
pub use mistake::Mistake;
pub use observe::{Observe, Observers, Tried};
pub use record::{Directive, HostSpec, Mechanism, Modifier, PrefixLen, Qualifier, Record, Term, UnknownModifier};
pub use result::{Explanation, NeutralReason, NoneReason, PermError, SpfReport, SpfReports, SpfResult, TempError};
pub use tree::{Ignored, Step, Tree, Visit};

pub(crate) use ahead::ask_ahead;
pub(crate) use arguments::Identities;
pub(crate) use limits::MAX_RECORDS_SIZE;
pub(crate) use publication::{Found, NotARecord, SharedRecord, find as find_record};

use crate::known::{Known, Unknown};
use arguments::Arguments;
use check_host::CheckHost;

/// Whether a text can be an explanation (RFC 7208 §6.2).
pub(crate) fn is_explanation(text: &[u8]) -> bool {
    crate::lex::parse_all(text, parse::explain_string).is_ok()
}

/// `check_host()` for one identity.
pub(crate) fn check<O: Observe>(
    known: &mut Known<'_>,
    limits: &Limits,
    arguments: Arguments<'_>,
    observer: &mut O,
) -> Result<SpfReport, Unknown> {
    let (identity, ip) = (arguments.identity, arguments.ip);
    let report = |sender, domain, result, Spent { lookups, void_lookups }| SpfReport {
        identity,
        ip,
        sender,
        domain,
        result,
        dns_lookups: lookups,
        void_lookups,
    };
    let resolved = match arguments.resolve() {
        Ok(resolved) => resolved,
        Err(reason) => {
            let Arguments { sender, address, .. } = arguments;
            let whole = sender.with_domain(sender.domain, address);
            let domain = Err(sender.domain.len());
            return Ok(report(whole, domain, SpfResult::None(reason), Spent::default()));
        }
    };
    let values = resolved.values();
    let mut check = CheckHost::new(known, &values, *limits, observer);
    let outcome = check.check_host(resolved.domain.as_name(), 0, false);
    let (result, spent) = (SpfResult::of(outcome).ok_or(Unknown)?, check.spent());
    Ok(report(resolved.sender, Ok(resolved.domain), result, spent))
}

impl SpfReport {
    /// The report on the null reverse-path, which is checked as `postmaster@<helo>` (RFC 7208 §2.4): the very check of HELO.
    pub(crate) fn as_mail_from(&self) -> Self {
        Self { identity: Identity::MailFrom, ..self.clone() }
    }
}
