//! Whether what was signed verifies, before it leaves.

use super::signer::Signer;
use crate::dkim::{DkimResult, SignatureReport};

/// What is otherwise than it should be with a signature that was just made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The report is on a signature of another domain or selector.
    #[error("the report is on another signature")]
    OtherSignature,
    /// By what the DNS says it does not verify: the record is not there, cannot be asked for, or does not fit the key.
    #[error("by the record of {name} it does not verify ({}): {result}", .result.keyword())]
    DoesNotVerify {
        /// The name of the key record.
        name: Box<str>,
        /// What a verifier says.
        result: Box<DkimResult>,
    },
    /// The record says `t=y`: verifiers may treat what it signs as if it were not signed (RFC 6376 §3.6.1).
    #[error("the record of {0} says that it is a test (t=y)")]
    Testing(Box<str>),
}

impl Signer {
    /// Whether a verifier's report on a signature of this signer's is what it should be, before the message leaves: it passes by what
    /// the DNS says, and the record is no test.
    ///
    /// ```
    /// # use mailverdict::{Authenticator, Message, dns::Resolver, sign::{Signer, SigningKey}, time::UnixTime};
    /// # async fn example<R: Resolver, K: SigningKey>(
    /// #     authenticator: &Authenticator<R>, signer: &Signer, key: &K, raw: &[u8], at: UnixTime,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let field = signer.sign(&Message::parse(raw)?, key, at).await?;
    /// let signed = [field.as_bytes(), raw].concat();
    /// let reports = authenticator.check_dkim(&Message::parse(&signed)?, at).await;
    /// if let Some(report) = reports.first() {
    ///     signer.assert_verifies(report)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CheckError`] says what is otherwise.
    pub fn assert_verifies(&self, report: &SignatureReport) -> Result<(), CheckError> {
        let SignatureReport { signature, result, key, .. } = report;
        if signature.domain.as_ref() != Some(&self.domain) || signature.selector.as_ref() != Some(&self.selector) {
            return Err(CheckError::OtherSignature);
        }
        let name = || self.key_name().map(|name| name.to_string()).unwrap_or_default().into();
        match result {
            DkimResult::Pass if key.as_ref().is_some_and(|key| key.testing) => Err(CheckError::Testing(name())),
            DkimResult::Pass => Ok(()),
            result => Err(CheckError::DoesNotVerify { name: name(), result: Box::new(result.clone()) }),
        }
    }
}
