//! DKIM-Signature fields in the name of keys that are not here.

use super::{plan::PlannedKey, planned_key};
use crate::{
    crypto::HashAlgorithm,
    dkim::{
        Algorithm,
        body_hash::{BodyHash, BodyHasher, Wanted},
        header_hash::{FieldIndex, HeaderHasher},
        signature::Signature,
    },
    message::{Header, HeaderField, Message},
    time::UnixTime,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What signers name in `h=` where it is there (RFC 6376 §5.4.1).
const SIGNED: [&str; 20] = [
    "From",
    "Reply-To",
    "Subject",
    "Date",
    "To",
    "Cc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Sender",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Archive",
];

/// The field with its line end, by the algorithm of this name; empty where it would be none.
pub(super) fn field(message: &Message<'_>, key: &PlannedKey, algorithm: &str, at: UnixTime) -> Vec<u8> {
    let header = message.header();
    let value = format!(
        " v=1; a={algorithm}; c=relaxed/relaxed; d={}; s={}; t={};\r\n\th={};\r\n\tbh={};\r\n\tb=",
        key.domain(),
        key.selector(),
        at.0,
        signed_fields(header),
        body_hash(message.body()),
    );
    let with_data = |data: &str| format!("DKIM-Signature:{value}{data}\r\n");
    let unsigned = with_data("AA==");
    let Some(own) = HeaderField::parse(unsigned.as_bytes()) else { return Vec::new() };
    let Ok(signature) = Signature::parse(own.value()) else { return Vec::new() };
    let index = FieldIndex::new(header);
    let mut hasher = HeaderHasher::new(Algorithm::Relaxed, HashAlgorithm::Sha256);
    index.select(signature.signed_fields.octets(), usize::MAX).for_each(|field| hasher.field(field));
    let digest = hasher.finish(own, &signature.data_span.0);
    with_data(&STANDARD.encode(planned_key::signature(digest.as_bytes()))).into_bytes()
}

/// Each name as often as it stands, and From once more, so that none can be added.
fn signed_fields(header: &Header<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in SIGNED {
        names.extend(header.named(name).map(|_| name));
    }
    names.push("From");
    names.join(":\r\n\t ")
}

fn body_hash(body: &[u8]) -> String {
    let wanted = Wanted { canonicalization: Algorithm::Relaxed, hash: HashAlgorithm::Sha256, length: None };
    let mut hasher = BodyHasher::new([wanted]);
    hasher.update(body);
    match hasher.finish().of(&wanted) {
        Some(BodyHash::Computed { digest, .. }) => STANDARD.encode(digest.as_bytes()),
        Some(BodyHash::TooShort { .. }) | None => String::new(),
    }
}
