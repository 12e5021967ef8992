//! Whether what was signed verifies by what the DNS says, before it leaves.

use super::Pair;
use crate::{args::Sign as Args, block_on, failure::Failure, request, source::Source};
use mailverdict::{Authenticator, Message, dkim::DkimResult, time::UnixTime};

/// What is otherwise than it should be; `None` where each new signature verifies.
pub(super) fn difference(
    args: &Args,
    keys: &[Pair],
    fields: &str,
    crlf: &[u8],
    at: UnixTime,
) -> Result<Option<String>, Failure> {
    let whole = [fields.as_bytes(), crlf].concat();
    let Ok(message) = Message::parse(&whole) else { return Ok(None) };
    let authenticator = Authenticator::new(Source::open(&args.source)?).with_policy(request::policy(&args.source));
    let reports = block_on(authenticator.check_dkim(&message, at))?;
    for (pair, report) in keys.iter().zip(&reports) {
        let name = pair.signer.key_name().map(|name| name.to_string()).unwrap_or_default();
        if report.result != DkimResult::Pass {
            let result = report.result.keyword();
            return Ok(Some(format!(
                "nothing is written: by the record of {name} it does not verify ({result}): {}",
                report.result
            )));
        }
        // RFC 6376 §3.6.1, t=y: verifiers may treat what it signs as if it were not signed.
        if report.key.as_ref().is_some_and(|key| key.testing) {
            return Ok(Some(format!("nothing is written: the record of {name} says that it is a test (t=y)")));
        }
    }
    Ok(None)
}
