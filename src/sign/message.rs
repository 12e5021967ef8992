//! A message is signed, if it is fit for it.

use super::{
    draft::Kind,
    sign_error::SignError,
    signer::Signer,
    signing::{Signing, Unsigned},
    signing_key::SigningKey,
};
use crate::{
    message::{Header, HeaderField, LineEndings, Message},
    time::UnixTime,
};

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
        if !self.is_forced && !LineEndings::of(message.body()).are_crlf() {
            return Err(SignError::BareLineEnds);
        }
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
