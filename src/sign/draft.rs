//! A field that waits for its signature.

use super::{folding::Folded, signer::Signer};
use crate::time::UnixTime;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::ops::Range;

/// `t=` and `x=` have no more than 12 digits (RFC 6376 §3.5).
pub(super) const LAST_TIME: u64 = 999_999_999_999;

/// Which field it is: both sign the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// DKIM-Signature (RFC 6376 §3.5).
    Signature,
    /// ARC-Message-Signature of this instance (RFC 8617 §4.1.2).
    ArcMessageSignature(u8),
}

/// What the field says, but for `b=`.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) signer: Signer,
    pub(super) names: Vec<Box<str>>,
    pub(super) copies: Vec<String>,
    pub(super) at: UnixTime,
    pub(super) body_hash: String,
}

impl Draft {
    /// The whole field with its CRLF. Of RFC 8617's two orders of tags, that of its examples.
    pub(super) fn with(&self, signature: &[u8]) -> String {
        let Self { kind, signer, names, copies, at, body_hash } = self;
        let names = names.iter().map(|name| &**name);
        let time = at.0.min(LAST_TIME).to_string();
        let field = match kind {
            Kind::Signature => {
                let mut field = Folded::behind("DKIM-Signature");
                field.tag("v", "1");
                field.tag("a", signer.algorithm.name());
                field.tag("c", &signer.canonicalization.to_string());
                field.tag("d", signer.domain.as_str());
                field.tag("s", signer.selector.as_str());
                if let Some(identity) = &signer.identity {
                    field.tag("i", identity);
                }
                field.tag("t", &time);
                if let Some(seconds) = signer.expires_in {
                    field.tag("x", &at.0.saturating_add(seconds).min(LAST_TIME).to_string());
                }
                field.list("h", names, ':');
                if !copies.is_empty() {
                    field.copies("z", &copies.join("|"));
                }
                field
            }
            Kind::ArcMessageSignature(instance) => {
                let mut field = Folded::behind("ARC-Message-Signature");
                field.tag("i", &instance.to_string());
                field.tag("a", signer.algorithm.name());
                field.tag("c", &signer.canonicalization.to_string());
                field.tag("d", signer.domain.as_str());
                field.list("h", names, ':');
                field.tag("s", signer.selector.as_str());
                field.tag("t", &time);
                field
            }
        };
        finish(field, body_hash, signature)
    }
}

fn finish(mut field: Folded, body_hash: &str, signature: &[u8]) -> String {
    field.tag("bh", body_hash);
    field.last_base64("b", &STANDARD.encode(signature));
    field.text() + "\r\n"
}

/// Where the value of `b=`, the last tag, stands in the value of a field.
pub(super) fn data_span(value: &[u8]) -> Range<usize> {
    let start = memchr::memmem::rfind(value, b"b=").map_or(value.len(), |at| at + 2);
    start..value.len()
}
