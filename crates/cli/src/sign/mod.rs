//! `mailverdict sign`, `mailverdict seal` and `mailverdict keygen`.

mod check;
mod key_file;
mod keygen;
mod outgoing;
mod seal;

pub(crate) use keygen::keygen;
pub(crate) use seal::run as seal;

use crate::{args::Sign as Args, block_on, failure::Failure};
use key_file::KeyFile;
use mailverdict::{
    Session,
    sign::{PrivateKey, SignError, Signer, SigningAlgorithm, SigningKey as _, sign_with_keys},
    time::UnixTime,
};
use outgoing::Outgoing;
use std::process::ExitCode;

/// What was signed does not verify by what the DNS says, or a chain cannot be continued.
const EXIT_DIFFERS: u8 = 1;

/// Signs one message, and writes it with the new fields on top.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let keys = keys(args)?;
    let outgoing = Outgoing::read(&args.message)?;
    let crlf = outgoing.crlf();
    let at = args.at.unwrap_or_else(|| Session::without_peer().received_at);
    let fields = signed(&keys, &outgoing, &crlf, at)?;
    if args.check
        && let Some(differs) = check::difference(args, &keys, &fields, &crlf, at)?
    {
        crate::tell(&Failure::Usage(differs));
        return Ok(ExitCode::from(EXIT_DIFFERS));
    }
    outgoing.print_below(&fields)?;
    Ok(ExitCode::SUCCESS)
}

/// Those of the command line, in the order in which their fields will stand.
fn keys(args: &Args) -> Result<Vec<(Signer, PrivateKey)>, Failure> {
    let count = args.keys.len();
    if args.domains.len() != count || args.selectors.len() != count {
        let usage = "--domain, --selector and --key belong together, each as often as the others";
        return Err(Failure::Usage(usage.to_owned()));
    }
    let mut pairs = Vec::new();
    for ((domain, selector), path) in args.domains.iter().zip(&args.selectors).zip(&args.keys) {
        let KeyFile { key } = KeyFile::read(path)?;
        if let Some(wanted) = args.algorithm.filter(|wanted| wanted.0 != key.algorithm()) {
            let (is, wanted) = (key.algorithm().name(), wanted.0.name());
            return Err(Failure::Usage(format!("{}: the key signs with {is}, and not with {wanted}", path.display())));
        }
        pairs.push((signer(args, domain, selector, key.algorithm())?, key));
    }
    pairs.sort_by_key(|(signer, _)| signer.algorithm() != SigningAlgorithm::RsaSha256);
    Ok(pairs)
}

fn signer(args: &Args, domain: &str, selector: &str, algorithm: SigningAlgorithm) -> Result<Signer, Failure> {
    let bad = |error: mailverdict::sign::SignerError| Failure::Usage(error.to_string());
    let mut signer = Signer::new(domain, selector, algorithm).map_err(bad)?;
    if let Some(canonicalization) = args.canonicalization {
        signer = signer.with_canonicalization(canonicalization);
    }
    if let Some(names) = &args.headers {
        signer = signer.with_fields(names.split(':')).map_err(bad)?;
    }
    if let Some(names) = &args.oversign {
        signer = signer.with_oversigned(names.split(':').filter(|name| !name.is_empty())).map_err(bad)?;
    }
    if let Some(identity) = &args.identity {
        signer = signer.with_identity(identity).map_err(bad)?;
    }
    if let Some(seconds) = args.expires_in {
        signer = signer.with_expiry(seconds);
    }
    if args.copy_headers {
        signer = signer.with_copies();
    }
    Ok(if args.force { signer.forced() } else { signer })
}

/// The fields, to be put on top.
fn signed(keys: &[(Signer, PrivateKey)], outgoing: &Outgoing, crlf: &[u8], at: UnixTime) -> Result<String, Failure> {
    let message = outgoing.parse(crlf)?;
    let not_signed = |error| outgoing.usage(format!("not signed: {error}{}", forced(&error, "signs")));
    block_on(sign_with_keys(&message, keys, at))?.map_err(not_signed)
}

/// What --force would do, where it helps.
fn forced(error: &SignError, does: &str) -> String {
    match error {
        SignError::MalformedFrom(_)
        | SignError::NoAuthorDomain
        | SignError::MalformedHeader(_)
        | SignError::BareLineEnds => format!("; --force {does} it all the same"),
        _ => String::new(),
    }
}
