//! What may be written for those who sign.

use super::{Client, Rules, SESSION, Source};
use clap::{Args, ValueEnum};
use mailverdict::{
    dkim::{Algorithm, Canonicalization},
    sign::{NewKey, SigningAlgorithm},
    time::UnixTime,
};
use std::{net::IpAddr, path::PathBuf};

// The headings of the help.
const KEY: &str = "Who signs";
const WHAT: &str = "What is signed";

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The domain that signs (d=).
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: String,
    /// The selector (s=).
    #[arg(long, value_name = "S")]
    pub(crate) selector: String,
    /// The kind of key.
    #[arg(long, value_enum, default_value = "rsa-2048")]
    pub(crate) algorithm: KeyKind,
    /// Write the private key to this file, which must not be there; its owner alone can read it.
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) out: PathBuf,
}

/// Kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyKind {
    #[value(name = "rsa-2048")]
    Rsa2048,
    #[value(name = "rsa-3072")]
    Rsa3072,
    #[value(name = "rsa-4096")]
    Rsa4096,
    #[value(name = "ed25519")]
    Ed25519,
}

impl KeyKind {
    pub(crate) fn kind(self) -> NewKey {
        match self {
            Self::Rsa2048 => NewKey::Rsa2048,
            Self::Rsa3072 => NewKey::Rsa3072,
            Self::Rsa4096 => NewKey::Rsa4096,
            Self::Ed25519 => NewKey::Ed25519,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The message, a file in the format of RFC 5322; `-` reads standard input.
    #[arg(value_name = "MESSAGE")]
    pub(crate) message: PathBuf,
    /// The domain that signs (d=).
    #[arg(long = "domain", value_name = "DOMAIN", required = true, help_heading = KEY)]
    pub(crate) domains: Vec<String>,
    /// The selector (s=).
    #[arg(long = "selector", value_name = "S", required = true, help_heading = KEY)]
    pub(crate) selectors: Vec<String>,
    /// The private key: PEM of PKCS#1 or PKCS#8, or 32 octets of an Ed25519 seed in base64.
    #[arg(long = "key", value_name = "KEYFILE", required = true, help_heading = KEY)]
    pub(crate) keys: Vec<PathBuf>,
    /// Sign with this alone, rsa-sha256 or ed25519-sha256: a key of another kind is an error.
    #[arg(long, value_parser = algorithm, value_name = "ALGORITHM", help_heading = KEY)]
    pub(crate) algorithm: Option<Wanted>,
    /// How header and body are brought to one form (c=); relaxed/relaxed where not given.
    #[arg(long, value_parser = canonicalization, value_name = "C/C", help_heading = WHAT)]
    pub(crate) canonicalization: Option<Canonicalization>,
    /// Sign these fields where they are there, names with colons between; those of RFC 6376 §5.4.1 and a few more where not given.
    #[arg(long, value_name = "LIST", help_heading = WHAT)]
    pub(crate) headers: Option<String>,
    /// Name these fields once more than they are there, so that none can be added; From, Subject and others where not given.
    #[arg(long, value_name = "LIST", help_heading = WHAT)]
    pub(crate) oversign: Option<String>,
    /// On behalf of this address, at or below the domain (i=).
    #[arg(long, value_name = "I", help_heading = WHAT)]
    pub(crate) identity: Option<String>,
    /// Good for so long (x=); for ever where not given.
    #[arg(long, value_name = "SECS", help_heading = WHAT)]
    pub(crate) expires_in: Option<u64>,
    /// Signed at this time (t=): seconds since 1970, or as in 2025-10-06T08:15:05Z. Now, where not given.
    #[arg(long, value_name = "TIME", value_parser = super::time, help_heading = WHAT)]
    pub(crate) at: Option<UnixTime>,
    /// Copy the signed fields into the signature (z=), by which can be said later what was changed.
    #[arg(long, help_heading = WHAT)]
    pub(crate) copy_headers: bool,
    /// Sign also what readers take in different ways, or hosts write anew; never a message without one From.
    #[arg(long, help_heading = WHAT)]
    pub(crate) force: bool,
    /// Verify what was signed by what the DNS says, and write nothing where it does not pass.
    #[arg(long, help_heading = super::DNS)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) source: Source,
}

#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// The message as it leaves, a file in the format of RFC 5322; `-` reads standard input.
    #[arg(value_name = "MESSAGE")]
    pub(crate) message: PathBuf,
    /// The domain that seals (d=).
    #[arg(long, value_name = "DOMAIN", help_heading = KEY)]
    pub(crate) domain: String,
    /// The selector (s=).
    #[arg(long, value_name = "S", help_heading = KEY)]
    pub(crate) selector: String,
    /// The private key: PEM of PKCS#1 or PKCS#8, or 32 octets of an Ed25519 seed in base64.
    #[arg(long, value_name = "KEYFILE", help_heading = KEY)]
    pub(crate) key: PathBuf,
    /// The name under which the results are reported, and that of the Authentication-Results fields that are taken for own ones.
    #[arg(long, value_name = "NAME", help_heading = KEY)]
    pub(crate) authserv_id: String,
    /// Sign these fields where they are there, names with colons between; as `sign` does, and DKIM-Signature, where not given.
    #[arg(long, value_name = "LIST", help_heading = WHAT)]
    pub(crate) headers: Option<String>,
    /// Seal also what readers take in different ways, or hosts write anew; never a message without one From.
    #[arg(long, help_heading = WHAT)]
    pub(crate) force: bool,
    /// Evaluate the message, from this client; the own Authentication-Results of the message are reported where not given.
    #[arg(long, value_name = "IP", value_parser = super::address, help_heading = SESSION)]
    pub(crate) ip: Option<IpAddr>,
    #[command(flatten)]
    pub(crate) client: Client,
    #[command(flatten)]
    pub(crate) rules: Rules,
    /// Validate what was sealed by what the DNS says, and write nothing where the chain does not hold.
    #[arg(long, help_heading = super::DNS)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) source: Source,
}

/// An algorithm of the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted(pub(crate) SigningAlgorithm);

fn algorithm(text: &str) -> Result<Wanted, String> {
    let known = [SigningAlgorithm::RsaSha256, SigningAlgorithm::Ed25519Sha256];
    let found = known.into_iter().find(|algorithm| algorithm.name() == text);
    found.map(Wanted).ok_or_else(|| "expected rsa-sha256 or ed25519-sha256".to_owned())
}

/// `c=` as it is written.
fn canonicalization(text: &str) -> Result<Canonicalization, String> {
    let read = |name: &str| match name {
        "simple" => Ok(Algorithm::Simple),
        "relaxed" => Ok(Algorithm::Relaxed),
        _ => Err("expected simple or relaxed for header and body, such as relaxed/simple".to_owned()),
    };
    // RFC 6376 §3.5, c=: the body is simple where nobody says.
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    Ok(Canonicalization { header: read(header)?, body: read(body)? })
}
