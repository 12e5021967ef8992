//! Whether what was signed verifies by what the DNS says, before it leaves.

use crate::{args::Sign as Args, block_on, failure::Failure, request, source::Source};
use mailverdict::{
    Authenticator, Message,
    sign::{PrivateKey, Signer},
    time::UnixTime,
};

/// What is otherwise than it should be; `None` where each new signature verifies.
pub(super) fn difference(
    args: &Args,
    keys: &[(Signer, PrivateKey)],
    fields: &str,
    crlf: &[u8],
    at: UnixTime,
) -> Result<Option<String>, Failure> {
    let whole = [fields.as_bytes(), crlf].concat();
    let Ok(message) = Message::parse(&whole) else { return Ok(None) };
    let authenticator = Authenticator::new(Source::open(&args.source)?).with_policy(request::policy(&args.source));
    let reports = block_on(authenticator.check_dkim(&message, at))?;
    let checked = keys.iter().zip(&reports).try_for_each(|((signer, _), report)| signer.assert_verifies(report));
    Ok(checked.err().map(|differs| format!("nothing is written: {differs}")))
}
