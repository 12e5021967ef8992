//! The message of evidence: whole, or its header and what was hashed of it.

use crate::{
    crypto::{Digest, HashAlgorithm},
    dkim::{
        Algorithm, Hashes,
        body_hash::{BodyHash, Wanted},
    },
    message::Message,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The message that was evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// All of it, with line ends as they were.
    Whole(Vec<u8>),
    /// The header in which local parts are marks, and what is needed beside it to judge signatures.
    Redacted(Redacted),
}

/// A message without its body and without the local parts in its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    pub(super) header: Vec<u8>,
    pub(super) hashes: Hashes,
    pub(super) body_octets: u64,
    pub(super) sha256: Digest,
}

impl Content {
    /// The octets that there are: of the message, or of its header with an empty line behind it.
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Whole(octets) => octets,
            Self::Redacted(redacted) => &redacted.header,
        }
    }

    /// The message, where all of it is there.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Redacted(_) => false,
        }
    }
}

impl Redacted {
    /// Of a message, with the header as it is shown and what was hashed before.
    pub(super) fn new(whole: &[u8], message: &Message<'_>, header: Vec<u8>, hashes: Hashes) -> Self {
        let mut hasher = HashAlgorithm::Sha256.hasher();
        hasher.update(whole);
        Self { header, hashes, body_octets: message.body().len() as u64, sha256: hasher.finish() }
    }

    /// Octets of the body that is not here.
    pub fn body_octets(&self) -> u64 {
        self.body_octets
    }

    /// The SHA-256 of the message as it was evaluated.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }
}

/// As it is written and read.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Shape {
    Whole { base64: String },
    Redacted(RedactedShape),
}

#[derive(Serialize, Deserialize)]
struct RedactedShape {
    header_base64: String,
    header_digests: Vec<HeaderDigest>,
    body_hashes: Vec<BodyHashShape>,
    body_octets: u64,
    sha256: Digest,
}

#[derive(Serialize, Deserialize)]
struct HeaderDigest {
    field: usize,
    digest: Digest,
}

#[derive(Serialize, Deserialize)]
struct BodyHashShape {
    canonicalization: Algorithm,
    hash: HashAlgorithm,
    /// `l=`
    length: Option<u64>,
    /// Null where the body is shorter than that.
    digest: Option<Digest>,
    /// Octets of the canonicalized body behind that length.
    #[serde(default)]
    unsigned_octets: u64,
    /// Octets of a canonicalized body that is shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    octets: Option<u64>,
}

impl BodyHashShape {
    fn of((Wanted { canonicalization, hash, length }, found): &(Wanted, BodyHash)) -> Self {
        let (digest, unsigned_octets, octets) = match found {
            BodyHash::Computed { digest, unsigned_octets } => (Some(*digest), *unsigned_octets, None),
            BodyHash::TooShort { octets } => (None, 0, Some(*octets)),
        };
        Self { canonicalization: *canonicalization, hash: *hash, length: *length, digest, unsigned_octets, octets }
    }

    fn read(self) -> (Wanted, BodyHash) {
        let Self { canonicalization, hash, length, digest, unsigned_octets, octets } = self;
        let found = match digest {
            Some(digest) => BodyHash::Computed { digest, unsigned_octets },
            None => BodyHash::TooShort { octets: octets.unwrap_or_default() },
        };
        (Wanted { canonicalization, hash, length }, found)
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shape = match self {
            Self::Whole(octets) => Shape::Whole { base64: STANDARD.encode(octets) },
            Self::Redacted(Redacted { header, hashes, body_octets, sha256 }) => Shape::Redacted(RedactedShape {
                header_base64: STANDARD.encode(header),
                header_digests: hashes
                    .header
                    .iter()
                    .map(|(field, digest)| HeaderDigest { field: *field, digest: *digest })
                    .collect(),
                body_hashes: hashes.body.iter().map(BodyHashShape::of).collect(),
                body_octets: *body_octets,
                sha256: *sha256,
            }),
        };
        shape.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let decoded = |name: &str, text: String| {
            STANDARD.decode(text).map_err(|error| D::Error::custom(format_args!("message.{name}: {error}")))
        };
        Ok(match Shape::deserialize(deserializer)? {
            Shape::Whole { base64 } => Self::Whole(decoded("base64", base64)?),
            Shape::Redacted(shape) => Self::Redacted(Redacted {
                header: decoded("header_base64", shape.header_base64)?,
                hashes: Hashes {
                    header: shape.header_digests.into_iter().map(|of| (of.field, of.digest)).collect(),
                    body: shape.body_hashes.into_iter().map(BodyHashShape::read).collect(),
                },
                body_octets: shape.body_octets,
                sha256: shape.sha256,
            }),
        })
    }
}
