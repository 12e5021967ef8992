//! `mailverdict seal`.

use super::{EXIT_DIFFERS, KeyFile, forced, outgoing::Outgoing};
use crate::{args::Seal as Args, block_on, failure::Failure, request, source::Source, tell};
use mailverdict::{
    Authenticator, Message, Session,
    arc::{ArcReport, ArcResult},
    authentication_results::AuthenticationResults,
    sign::{SealError, Sealer, Signer, SigningKey as _},
};
use std::process::ExitCode;

/// Seals one message, and writes it with the new set on top; as it was, where its chain cannot be continued.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let authserv_id = request::authserv_id(Some(&args.authserv_id), None)?;
    let key = KeyFile::read(&args.key)?.key;
    let bad = |error: mailverdict::sign::SignerError| Failure::Usage(error.to_string());
    let mut signer = Signer::new(&args.domain, &args.selector, key.algorithm()).map_err(bad)?;
    if let Some(names) = &args.headers {
        signer = signer.with_fields(names.split(':')).map_err(bad)?;
    }
    if args.force {
        signer = signer.forced();
    }
    let outgoing = Outgoing::read(&args.message)?;
    let crlf = outgoing.crlf();
    let message = outgoing.parse(&crlf)?;

    let authenticator =
        Authenticator::new(Source::open(&args.source)?).with_policy(request::message_policy(&args.source, &args.rules));
    let session = request::session(args.ip, &args.client, args.rules.at);
    let at = session.received_at;
    let verdict = block_on(authenticator.authenticate(&message, session))?;
    let results = match args.ip {
        Some(ip) => AuthenticationResults::new(&authserv_id, &verdict).with_remote_ip(ip),
        None => own_results(&message, &authserv_id, &outgoing),
    };
    let sealed = block_on(Sealer::new(signer).seal(&message, &verdict.arc, &results, &key, at))?;
    let set = match sealed {
        Ok(set) => set,
        Err(error @ (SealError::ChainFailed(_) | SealError::Full)) => {
            tell(&outgoing.usage(format!("not sealed, and written as it is: {error}")));
            outgoing.print_below("")?;
            return Ok(ExitCode::from(EXIT_DIFFERS));
        }
        Err(SealError::Sign(error)) => {
            return Err(outgoing.usage(format!("not sealed: {error}{}", forced(&error, "seals"))));
        }
        Err(error) => return Err(outgoing.usage(format!("not sealed: {error}"))),
    };
    if args.check {
        let whole = [set.as_bytes(), &crlf].concat();
        let sealed = outgoing.parse(&whole)?;
        let session = Session::without_peer().received_at(at);
        let ArcReport { result, .. } = block_on(authenticator.authenticate(&sealed, session))?.arc;
        if !matches!(result, ArcResult::Pass { .. }) {
            tell(
                &outgoing.usage(format!("nothing is written: by what the DNS says the chain does not hold: {result}")),
            );
            return Ok(ExitCode::from(EXIT_DIFFERS));
        }
    }
    outgoing.print_below(&set)?;
    Ok(ExitCode::SUCCESS)
}

/// What the fields of the message say under this name.
fn own_results(message: &Message<'_>, authserv_id: &str, outgoing: &Outgoing) -> AuthenticationResults {
    AuthenticationResults::combined(message.header(), authserv_id).unwrap_or_else(|| {
        let none = format!(
            "it has no Authentication-Results of {authserv_id}, and so the set says none; with --ip it is evaluated"
        );
        tell(&outgoing.usage(none));
        AuthenticationResults::none(authserv_id)
    })
}
