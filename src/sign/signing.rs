//! A message on its way to be signed: its header first, then its body, of which nothing is kept.

use super::{
    draft::{Draft, Kind, data_span},
    signer::{Signer, push_quoted_printable},
};
use crate::{
    crypto::{Digest, HashAlgorithm},
    dkim::{
        body_hash::{BodyHash, BodyHasher, Wanted},
        header_hash::{FieldIndex, HeaderHasher},
    },
    message::{Header, HeaderField},
    time::UnixTime,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Octets of copied fields (`z=`).
const MAX_COPIES: usize = 16 << 10;

/// A message whose body is still to come.
#[derive(Clone, Debug)]
pub struct Signing {
    kind: Kind,
    signer: Signer,
    names: Vec<Box<str>>,
    copies: Vec<String>,
    at: UnixTime,
    hasher: HeaderHasher,
    body: BodyHasher,
    wanted: Wanted,
}

/// A message of which all is known but the signature.
#[derive(Clone, Debug)]
pub struct Unsigned {
    digest: Digest,
    draft: Draft,
}

impl Signing {
    pub(super) fn new(kind: Kind, signer: &Signer, header: &Header<'_>, at: UnixTime) -> Self {
        let names = signer.fields.of(header);
        let mut hasher = HeaderHasher::new(signer.canonicalization.header, HashAlgorithm::Sha256);
        let index = FieldIndex::new(header);
        let mut copies = Vec::new();
        let mut octets = 0;
        for field in index.select(names.iter().map(|name| name.as_bytes()), usize::MAX) {
            hasher.field(field);
            if signer.copies_fields && octets < MAX_COPIES {
                let copy = copied(field);
                octets += copy.len();
                copies.push(copy);
            }
        }
        let wanted =
            Wanted { canonicalization: signer.canonicalization.body, hash: HashAlgorithm::Sha256, length: None };
        Self {
            kind,
            signer: signer.clone(),
            names: names.into_iter().map(Box::from).collect(),
            copies,
            at,
            hasher,
            body: BodyHasher::new([wanted]),
            wanted,
        }
    }

    /// The next piece of the body, of any size.
    pub fn body(&mut self, piece: &[u8]) {
        self.body.update(piece);
    }

    /// The body has ended.
    pub fn end(self) -> Unsigned {
        let Self { kind, signer, names, copies, at, hasher, body, wanted } = self;
        let body_hash = match body.finish().of(&wanted) {
            Some(BodyHash::Computed { digest, .. }) => STANDARD.encode(digest.as_bytes()),
            // Without a length there is no body that is too short.
            Some(BodyHash::TooShort { .. }) | None => String::new(),
        };
        let draft = Draft { kind, signer, names, copies, at, body_hash };
        // What stands in `b=` is taken for empty (RFC 6376 §3.7), and so it does not matter what that is.
        let field = draft.with(&[0; 32]);
        let digest = match HeaderField::parse(field.as_bytes()) {
            Some(own) => hasher.finish(own, &data_span(own.value())),
            // The name is that of a field.
            None => HashAlgorithm::Sha256.hasher().finish(),
        };
        Unsigned { digest, draft }
    }
}

/// A field as `z=` has it (RFC 6376 §3.5).
fn copied(field: HeaderField<'_>) -> String {
    let mut copy = String::new();
    push_quoted_printable(&mut copy, field.name(), |octet| octet == b'|');
    copy.push(':');
    let value = field.value();
    let value = value.strip_suffix(b"\n").map_or(value, |value| value.strip_suffix(b"\r").unwrap_or(value));
    push_quoted_printable(&mut copy, value, |octet| octet == b'|');
    copy
}

impl Unsigned {
    /// The SHA-256 of what is to be signed: 32 octets.
    pub fn digest(&self) -> &[u8] {
        self.digest.as_bytes()
    }

    /// The field with its signature and CRLF, to be put on top of the message.
    pub fn signed(&self, signature: &[u8]) -> String {
        self.draft.with(signature)
    }
}
