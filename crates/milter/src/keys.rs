//! The keys that mail from inside is signed with.

use crate::{cannot_run::CannotRun, config::Sign};
use ipnet::IpNet;
use mailverdict::{
    message::Header,
    name::Domain,
    sign::{
        DEFAULT_OVERSIGNED, PrivateKey, SignError, Signer, SignerError, Signing, SigningAlgorithm, SigningKey as _,
    },
    time::UnixTime,
};
use std::{fs, net::IpAddr};

/// A key, with the domains that it signs for and the clients whose mail it signs.
#[derive(Debug)]
pub struct SigningEntry {
    signers: Vec<Signers>,
    key: PrivateKey,
    from_networks: Vec<IpNet>,
    authenticated: bool,
}

/// Those of one domain.
#[derive(Debug)]
struct Signers {
    /// Of messages that have all fields that mail servers add where they are missing.
    whole: Signer,
    /// Of others: it leaves room for these fields, which the mail server adds behind the filter.
    with_room: Signer,
}

/// Fields that mail servers add where they are missing (RFC 6409 §8).
const ADDED: [&str; 2] = ["Date", "Message-ID"];

/// A signature that is being made.
#[derive(Debug)]
pub struct Begun<'r> {
    entry: &'r SigningEntry,
    signing: Signing,
}

impl SigningEntry {
    /// Reads the key of a `[[sign]]`.
    ///
    /// # Errors
    /// [`CannotRun`], with nothing of the key in it.
    pub fn open(config: &Sign) -> Result<Self, CannotRun> {
        let Sign { domains, selector, key: path, from_networks, authenticated } = config;
        let file = fs::read(path).map_err(|error| CannotRun::of_file("[[sign]]: cannot read the key", path, &error))?;
        let key = PrivateKey::read(&file)
            .map_err(|error| CannotRun::of(format!("[[sign]]: the key {} cannot be used: {error}", path.display())))?;
        let signers = |domain: &String| {
            let whole = Signer::new(domain, selector, key.algorithm())?;
            let oversigned = DEFAULT_OVERSIGNED.iter().filter(|name| !ADDED.contains(name));
            let with_room = whole.clone().with_oversigned(oversigned.copied())?;
            Ok::<Signers, SignerError>(Signers { whole, with_room })
        };
        let signers = domains.iter().map(signers).collect::<Result<Vec<Signers>, SignerError>>();
        let signers = signers.map_err(|error| CannotRun::of(format!("[[sign]]: {error}")))?;
        if signers.is_empty() {
            return Err(CannotRun::of(format!("[[sign]]: the key {} signs for no domain", path.display())));
        }
        Ok(Self { signers, key, from_networks: from_networks.clone(), authenticated: *authenticated })
    }

    /// Whether mail of this client is signed.
    pub fn is_for(&self, ip: Option<IpAddr>, is_authenticated: bool) -> bool {
        is_authenticated && self.authenticated
            || ip.is_some_and(|ip| self.from_networks.iter().any(|network| network.contains(&ip)))
    }

    /// Begins a signature, where the key signs for exactly this domain.
    pub fn begin(&self, author: &Domain, header: &Header<'_>, at: UnixTime) -> Option<Result<Begun<'_>, SignError>> {
        let signers = self.signers.iter().find(|signers| signers.whole.domain() == author)?;
        let has = |name: &&str| header.named(name).next().is_some();
        let signer = if ADDED.iter().all(has) { &signers.whole } else { &signers.with_room };
        Some(signer.begin(header, at).map(|signing| Begun { entry: self, signing }))
    }
}

impl Begun<'_> {
    /// A piece of the body.
    pub fn body(&mut self, piece: &[u8]) {
        self.signing.body(piece);
    }

    /// The field, where the key does its work.
    pub fn end(self) -> Result<String, String> {
        let unsigned = self.signing.end();
        match self.entry.key.sign_digest(unsigned.digest()) {
            Ok(signature) => Ok(unsigned.signed(&signature)),
            Err(fault) => Err(fault.to_string()),
        }
    }

    /// Whether many receivers cannot verify it (RFC 8463): it stands below one that all can.
    pub fn is_new(&self) -> bool {
        self.entry.key.algorithm() == SigningAlgorithm::Ed25519Sha256
    }
}
