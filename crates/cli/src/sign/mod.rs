//! `mailverdict sign` and `mailverdict keygen`.

mod check;
mod key_file;
mod keygen;

pub(crate) use keygen::keygen;

use crate::{
    args::Sign as Args,
    block_on,
    failure::{Failure, FirstLine},
    messages::Messages,
    standard,
};
use key_file::KeyFile;
use mailverdict::{
    Message, Session,
    message::{LineEndings, to_crlf},
    sign::{SignError, Signer, SigningAlgorithm, SigningKey as _},
    time::UnixTime,
};
use std::{borrow::Cow, io::Write as _, path::Path, process::ExitCode};

/// What was signed does not verify by what the DNS says.
const EXIT_DIFFERS: u8 = 1;

/// Signs one message, and writes it with the new fields on top.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let keys = keys(args)?;
    let message = one(&args.message)?;
    let ends = LineEndings::of(&message);
    // A file saved on Unix; what mixes them is refused.
    let is_of_unix = ends.crlf == 0 && ends.bare_lf > 0;
    let crlf: Cow<'_, [u8]> = if is_of_unix { to_crlf(&message) } else { Cow::Borrowed(&message) };
    let at = args.at.unwrap_or_else(|| Session::without_peer().received_at);
    let fields = signed(&keys, &crlf, at, &args.message)?;
    if args.check
        && let Some(differs) = check::difference(args, &keys, &fields, &crlf, at)?
    {
        crate::tell(&Failure::Usage(differs));
        return Ok(ExitCode::from(EXIT_DIFFERS));
    }
    let fields = if is_of_unix { fields.replace("\r\n", "\n") } else { fields };
    write(&[fields.as_bytes(), &message])?;
    Ok(ExitCode::SUCCESS)
}

/// A key, and who signs with it.
struct Pair {
    signer: Signer,
    key: KeyFile,
}

/// Those of the command line; RSA stands above Ed25519, because every verifier knows it.
fn keys(args: &Args) -> Result<Vec<Pair>, Failure> {
    let count = args.keys.len();
    if args.domains.len() != count || args.selectors.len() != count {
        let usage = "--domain, --selector and --key belong together, each as often as the others";
        return Err(Failure::Usage(usage.to_owned()));
    }
    let mut pairs = Vec::new();
    for ((domain, selector), path) in args.domains.iter().zip(&args.selectors).zip(&args.keys) {
        let key = KeyFile::read(path)?;
        if let Some(wanted) = args.algorithm.filter(|wanted| wanted.0 != key.key.algorithm()) {
            let (is, wanted) = (key.key.algorithm().name(), wanted.0.name());
            return Err(Failure::Usage(format!("{}: the key signs with {is}, and not with {wanted}", path.display())));
        }
        pairs.push(Pair { signer: signer(args, domain, selector, key.key.algorithm())?, key });
    }
    pairs.sort_by_key(|pair| pair.signer.algorithm() != SigningAlgorithm::RsaSha256);
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

/// The fields, the first key's on top.
fn signed(keys: &[Pair], crlf: &[u8], at: UnixTime, path: &Path) -> Result<String, Failure> {
    let no_message = |error| Failure::NoMessage { path: path.to_owned(), error, line: FirstLine::of(crlf) };
    let message = Message::parse(crlf).map_err(no_message)?;
    let mut fields = String::new();
    for Pair { signer, key } in keys {
        let field = block_on(signer.sign(&message, &key.key, at))?;
        fields += &field.map_err(|error| Failure::Usage(not_signed(path, &error)))?;
    }
    Ok(fields)
}

fn not_signed(path: &Path, error: &SignError) -> String {
    let forced = match error {
        SignError::MalformedFrom(_)
        | SignError::NoAuthorDomain
        | SignError::MalformedHeader(_)
        | SignError::BareLineEnds => "; --force signs it all the same",
        _ => "",
    };
    format!("{}: not signed: {error}{forced}", path.display())
}

/// The octets of the one message that a file holds.
fn one(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut messages = Messages::open(path, true)?;
    let message = messages.next().transpose()?;
    if messages.next().is_some() {
        let usage = format!("{}: expected one message, and there are several", path.display());
        return Err(Failure::Usage(usage));
    }
    Ok(message.map(|message| message.input.octets).unwrap_or_default())
}

fn write(parts: &[&[u8]]) -> Result<(), Failure> {
    let written = standard::output().and_then(|mut out| {
        parts.iter().try_for_each(|part| out.write_all(part))?;
        out.flush()
    });
    written.map_err(Failure::Output)
}
