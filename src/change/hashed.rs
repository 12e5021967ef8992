//! What was hashed of a body, beside what the signature says of it.

use crate::{
    crypto::Digest,
    dkim::{Signature, SignatureReport},
    message::Message,
    text::Text,
};

/// The hash of a body and that which the signature holds, side by side, and how much was hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct HashedBody {
    /// The hash of the canonicalized body (its first `l=` octets, where there is `l=`).
    pub computed: Digest,
    /// `bh=`, in base64.
    pub published: Text,
    /// Octets that were hashed.
    pub octets: u64,
    /// Line ends among them.
    pub lines: u64,
}

impl HashedBody {
    /// Of a report and the message that it is about; `None` where no body was hashed for it. Reads the body once.
    ///
    /// ```
    /// use mailverdict::{Authenticator, Message, change::HashedBody, dns::Zone};
    /// let raw = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=k; h=from; bh=AAAA; b=BBBB\r\nFrom: a@example.com\r\n\r\nHello\r\n\r\n";
    /// let message = Message::parse(raw)?;
    /// let verdict = Authenticator::new(Zone::default()).authenticate_at_once(&message, mailverdict::Session::without_peer());
    /// let hashed = HashedBody::of(&verdict.dkim[0], &message).unwrap();
    /// assert_eq!((&*hashed.published, hashed.octets, hashed.lines), ("AAAA", 7, 1));
    /// # Ok::<(), mailverdict::message::MessageError>(())
    /// ```
    pub fn of(report: &SignatureReport, message: &Message<'_>) -> Option<Self> {
        let computed = report.body_hash?;
        let own = message.header().fields().get(report.field_index)?;
        let Signature { body_hash: published, canonicalization, body_length, .. } =
            Signature::parse(own.value()).ok()?;
        let mut left = body_length.unwrap_or(u64::MAX);
        let (mut octets, mut lines) = (0, 0);
        canonicalization.body.canonicalize_body(message.body(), |text| {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(text.len());
            let text = text.get(..most).unwrap_or_default();
            left -= text.len() as u64;
            octets += text.len() as u64;
            lines += memchr::memchr_iter(b'\n', text).count() as u64;
        });
        Some(Self { computed, published, octets, lines })
    }
}
