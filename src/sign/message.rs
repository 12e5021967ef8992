//! A message is signed, if it is fit for it.

use super::{
    draft::Kind,
    sign_error::SignError,
    signer::Signer,
    signing::{Signing, Unsigned},
    signing_key::{SigningAlgorithm, SigningKey},
};
use crate::{
    message::{Header, HeaderField, LineEndings, Message},
    time::UnixTime,
};

/// Octets of the body that every signer takes before the next.
const PIECE: usize = 16 << 10;

/// The DKIM-Signature fields of several signers with a key each, to be put on top of the message, in one pass over its body. Those of RSA
/// stand above the others, because every verifier knows it; else they stand as they are given.
///
/// ```
/// # use mailverdict::{Message, sign::{SignError, Signer, SigningAlgorithm, SigningKey, sign_with_keys}, time::UnixTime};
/// # async fn example<K: SigningKey>(rsa: K, ed25519: K, message: &Message<'_>) -> Result<(), Box<dyn std::error::Error>> {
/// let keys = [
///     (Signer::new("contoso.com", "s1", SigningAlgorithm::RsaSha256)?, rsa),
///     (Signer::new("contoso.com", "s2", SigningAlgorithm::Ed25519Sha256)?, ed25519),
/// ];
/// let fields = sign_with_keys(message, &keys, UnixTime(1_760_000_000)).await?;
/// assert!(fields.starts_with("DKIM-Signature: v=1; a=rsa-sha256;"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`SignError`], where one of them does not sign; nothing is signed then.
pub async fn sign_with_keys<K: SigningKey>(
    message: &Message<'_>,
    keys: &[(Signer, K)],
    at: UnixTime,
) -> Result<String, SignError> {
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_by_key(|(signer, _)| signer.algorithm != SigningAlgorithm::RsaSha256);
    let mut signings = Vec::with_capacity(keys.len());
    for (signer, key) in &keys {
        signer.assert_fits(key)?;
        signer.assert_body_fit(message)?;
        signings.push(signer.begin(message.header(), at)?);
    }
    for piece in message.body().chunks(PIECE) {
        signings.iter_mut().for_each(|signing| signing.body(piece));
    }
    let mut fields = String::new();
    for (signing, (_, key)) in signings.into_iter().zip(keys) {
        let unsigned = signing.end();
        let signature = key.sign(unsigned.digest()).await.map_err(SignError::Key)?;
        fields += &unsigned.signed(&signature);
    }
    Ok(fields)
}

impl Signer {
    /// Begins with the header; the body follows in pieces. `at` is the time of signing.
    ///
    /// # Errors
    /// [`SignError`] where the message is not fit to be signed.
    pub fn begin(&self, header: &Header<'_>, at: UnixTime) -> Result<Signing, SignError> {
        self.begin_as(Kind::Signature, header, at)
    }

    fn begin_as(&self, kind: Kind, header: &Header<'_>, at: UnixTime) -> Result<Signing, SignError> {
        self.assert_fit(header)?;
        Ok(Signing::new(kind, self, header, at))
    }

    /// Of a whole message: what is to be signed, and the field that waits for it.
    ///
    /// # Errors
    /// [`SignError`] where the message is not fit to be signed.
    pub fn prepare(&self, message: &Message<'_>, at: UnixTime) -> Result<Unsigned, SignError> {
        self.prepare_as(Kind::Signature, message, at)
    }

    pub(super) fn prepare_as(&self, kind: Kind, message: &Message<'_>, at: UnixTime) -> Result<Unsigned, SignError> {
        self.assert_body_fit(message)?;
        let mut signing = self.begin_as(kind, message.header(), at)?;
        signing.body(message.body());
        Ok(signing.end())
    }

    /// The DKIM-Signature field of a whole message, with its CRLF, to be put on top.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn sign<K: SigningKey>(&self, message: &Message<'_>, key: &K, at: UnixTime) -> Result<String, SignError> {
        self.assert_fits(key)?;
        let unsigned = self.prepare(message, at)?;
        let signature = key.sign(unsigned.digest()).await.map_err(SignError::Key)?;
        Ok(unsigned.signed(&signature))
    }

    pub(super) fn assert_fits(&self, key: &impl SigningKey) -> Result<(), SignError> {
        if key.algorithm() == self.algorithm {
            return Ok(());
        }
        let (key, signer) = (key.algorithm().name(), self.algorithm.name());
        Err(SignError::OtherAlgorithm { key, signer })
    }

    fn assert_body_fit(&self, message: &Message<'_>) -> Result<(), SignError> {
        if self.is_forced || LineEndings::of(message.body()).are_crlf() {
            return Ok(());
        }
        Err(SignError::BareLineEnds)
    }

    fn assert_fit(&self, header: &Header<'_>) -> Result<(), SignError> {
        let authors = header.authors();
        match authors.from_fields() {
            0 => return Err(SignError::NoFrom),
            1 => {}
            several => return Err(SignError::ManyFrom(several)),
        }
        if self.is_forced {
            return Ok(());
        }
        if let Some(malformation) = header.malformations().first() {
            return Err(SignError::MalformedHeader(malformation.clone()));
        }
        let ends = header.fields().iter().map(HeaderField::raw);
        if !ends.into_iter().all(|raw| LineEndings::of(raw).are_crlf()) {
            return Err(SignError::BareLineEnds);
        }
        if let Some(error) = authors.error() {
            return Err(SignError::MalformedFrom(error.clone()));
        }
        match authors.domains() {
            [_] if !authors.is_ambiguous() && !authors.is_incomplete() => Ok(()),
            _ => Err(SignError::NoAuthorDomain),
        }
    }
}
