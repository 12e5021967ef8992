//! Who seals what it hands on (RFC 8617 §5.1).

use super::{
    draft::{Kind, LAST_TIME, data_span},
    folding::Folded,
    seal_error::SealError,
    sign_error::SignError,
    signer::Signer,
    signing_key::SigningKey,
};
use crate::{
    arc::{ArcReport, ArcResult, ChainStatus, MAX_INSTANCE, sets},
    authentication_results::AuthenticationResults,
    crypto::{Digest, HashAlgorithm},
    dkim::{Algorithm, header_hash::HeaderHasher},
    message::{HeaderField, Message},
    time::UnixTime,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Columns of a line, and of the start of the first one.
const MAX_COLUMNS: usize = 78;
const START: &str = "ARC-Authentication-Results: i=50; ";

/// Seals messages: adds an ARC set that says what the sealer found before it hands a message on.
///
/// A seal belongs on the message as it leaves, behind all changes and signatures (RFC 8617 §5.1).
///
/// ```
/// # use mailverdict::{
/// #     Authenticator, Message, Session, authentication_results::AuthenticationResults, dns::Resolver,
/// #     sign::{Sealer, SealError, Signer, SigningAlgorithm, SigningKey},
/// # };
/// # async fn example<R: Resolver, K: SigningKey>(
/// #     authenticator: &Authenticator<R>, raw: &[u8], session: Session, key: &K,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let sealer = Sealer::new(Signer::new("fabrikam.com", "arc1", SigningAlgorithm::RsaSha256)?);
/// let (message, at) = (Message::parse(raw)?, session.received_at);
/// let verdict = authenticator.authenticate(&message, session).await;
/// let results = AuthenticationResults::new("mx.fabrikam.com", &verdict);
/// match sealer.seal(&message, &verdict.arc, &results, key, at).await {
///     Ok(set) => print!("{set}"),
///     Err(SealError::ChainFailed(reason)) => println!("handed on as it is: {reason}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sealer {
    signer: Signer,
}

impl Sealer {
    /// With the domain, selector, algorithm, canonicalization and fields of a signer. The DKIM-Signature fields that are there are
    /// signed as well (RFC 8617 §4.1.2), and no field of ARC; an identity, an expiry and copies have no place in a set.
    pub fn new(mut signer: Signer) -> Self {
        signer.fields.signed.push("DKIM-Signature".into());
        let is_of_arc = |name: &str| name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("ARC-"));
        signer.fields.signed.retain(|name| !is_of_arc(name));
        signer.fields.oversigned.retain(|name| !is_of_arc(name));
        Self { signer }
    }

    /// The three fields of the next set, each with its CRLF, to be put on top of the message: ARC-Seal, ARC-Message-Signature,
    /// ARC-Authentication-Results.
    ///
    /// `chain` is what validation said of this very message, and gives `cv=`; `results` are all results of the sealer's own
    /// (RFC 8617 §4.1.1). `at` is the time of sealing.
    ///
    /// # Errors
    /// [`SealError`]; nothing is added then, and the message goes on as it is.
    pub async fn seal<K: SigningKey>(
        &self,
        message: &Message<'_>,
        chain: &ArcReport,
        results: &AuthenticationResults,
        key: &K,
        at: UnixTime,
    ) -> Result<String, SealError> {
        let header = message.header();
        let status = match &chain.result {
            ArcResult::None => ChainStatus::None,
            ArcResult::Pass { .. } => ChainStatus::Pass,
            ArcResult::Fail(reason) => return Err(SealError::ChainFailed(reason.clone())),
        };
        let sets = sets(header).map_err(SealError::ChainFailed)?;
        if sets.is_empty() != (status == ChainStatus::None) || sets.len() != chain.instances {
            return Err(SealError::OtherMessage);
        }
        let instance = u8::try_from(sets.len() + 1).ok().filter(|instance| *instance <= MAX_INSTANCE);
        let instance = instance.ok_or(SealError::Full)?;
        self.signer.assert_fits(key).map_err(SealError::Sign)?;

        let results = results_field(instance, results);
        let unsigned = self.signer.prepare_as(Kind::ArcMessageSignature(instance), message, at);
        let unsigned = unsigned.map_err(SealError::Sign)?;
        let failed = |fault| SealError::Sign(SignError::Key(fault));
        let message_signature = unsigned.signed(&key.sign(unsigned.digest()).await.map_err(failed)?);
        let covered = sets.iter().flatten().copied();
        let own = [&results, &message_signature].into_iter().filter_map(|field| HeaderField::parse(field.as_bytes()));
        let draft = self.seal_with(instance, status, at, &[0; 32]);
        let digest = seal_digest(covered.chain(own), draft.as_bytes());
        let signature = key.sign(digest.as_bytes()).await.map_err(failed)?;
        Ok(self.seal_with(instance, status, at, &signature) + &message_signature + &results)
    }

    /// The ARC-Seal field, with its tags in the order of RFC 8617's examples.
    fn seal_with(&self, instance: u8, status: ChainStatus, at: UnixTime, signature: &[u8]) -> String {
        let mut field = Folded::behind("ARC-Seal");
        field.tag("i", &instance.to_string());
        field.tag("a", self.signer.algorithm.name());
        field.tag("cv", status.keyword());
        field.tag("d", self.signer.domain.as_str());
        field.tag("s", self.signer.selector.as_str());
        field.tag("t", &at.0.min(LAST_TIME).to_string());
        field.last_base64("b", &STANDARD.encode(signature));
        field.text() + "\r\n"
    }
}

/// What a seal signs: the sets from the first on, and itself without its signature (RFC 8617 §5.1.1), in relaxed form (§4.1.3).
fn seal_digest<'f>(covered: impl Iterator<Item = HeaderField<'f>>, seal: &[u8]) -> Digest {
    let mut hasher = HeaderHasher::new(Algorithm::Relaxed, HashAlgorithm::Sha256);
    covered.for_each(|field| hasher.field(field));
    match HeaderField::parse(seal) {
        Some(own) => hasher.finish(own, &data_span(own.value())),
        // The name is that of a field.
        None => HashAlgorithm::Sha256.hasher().finish(),
    }
}

/// ARC-Authentication-Results, with its CRLF.
fn results_field(instance: u8, results: &AuthenticationResults) -> String {
    let value = results.to_string();
    let first_line = value.split('\r').next().map_or(0, str::len);
    // What follows is folded for a shorter name.
    let behind = if START.len() + first_line > MAX_COLUMNS { "\r\n\t" } else { " " };
    format!("ARC-Authentication-Results: i={instance};{behind}{value}\r\n")
}
