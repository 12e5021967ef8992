//! A key is made, and its record printed.

use crate::{args::Keygen as Args, failure::Failure, print};
use mailverdict::sign::{PrivateKey, Signer, SigningAlgorithm, SigningKey as _};
use std::{fs::OpenOptions, io::Write as _, path::Path, process::ExitCode};

/// Octets of a character-string (RFC 1035 §3.3).
const MAX_STRING: usize = 255;

/// Writes the private key to a file that its owner alone can read, and prints the record.
pub(crate) fn keygen(args: &Args) -> Result<ExitCode, Failure> {
    let bad = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    // So that nothing is written where the names are bad.
    let signer = Signer::new(&args.domain, &args.selector, SigningAlgorithm::RsaSha256).map_err(|error| bad(&error))?;
    let key = PrivateKey::new(args.algorithm.kind()).map_err(|error| bad(&error))?;
    let record = key.record().map_err(|error| bad(&error))?;
    let pem = key.to_pem().map_err(|error| bad(&error))?;
    save(&args.out, pem.as_bytes()).map_err(|error| Failure::Unwritable { path: args.out.clone(), error })?;
    let name = signer.key_name().map(|name| name.to_string()).unwrap_or_default();
    print(&text(&name, &record, key.algorithm()))?;
    Ok(ExitCode::SUCCESS)
}

/// A new file: one that is there is not overwritten.
fn save(path: &Path, pem: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(pem)?;
    file.sync_all()
}

/// The record as a line of a zone, and as one text for forms of the web.
fn text(name: &str, record: &str, algorithm: SigningAlgorithm) -> String {
    let strings: Vec<String> =
        record.as_bytes().chunks(MAX_STRING).map(|string| format!("\"{}\"", String::from_utf8_lossy(string))).collect();
    let signs = match algorithm {
        SigningAlgorithm::Ed25519Sha256 => {
            "; Ed25519: several large receivers do not verify it; sign with RSA as well.\n"
        }
        _ => "",
    };
    format!(
        "; The record as a line of a zone:\n{name}. IN TXT ( {} )\n\n; The same as one text, for a form of the web:\n; name: {name}\n; \
         value: {record}\n{signs}",
        strings.join(" ")
    )
}
