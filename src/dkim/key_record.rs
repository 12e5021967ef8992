//! Key records, RFC 6376 §3.6.1.

use super::{KeyRecordError, parse, tag_error::TagError};
use crate::lex::{
    Origin, SyntaxError, TagSpan, TagSpans,
    tag_list::{TagListError, Tags},
};

/// A key record that follows the rules of RFC 6376 §3.6.1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRecord {
    /// `h=`, the hash algorithms that may be used; all of them without `h=`.
    pub hash_algorithms: Option<Box<[Box<str>]>>,
    /// `k=`, the type of the key; `rsa` without `k=`.
    pub key_type: Box<str>,
    /// `p=`, decoded; empty for a key that has been revoked.
    pub key: Box<[u8]>,
    /// `s=`, the services the key may be used for; `*` without `s=`.
    pub services: Box<[Box<str>]>,
    /// `t=y`: the domain is testing DKIM.
    pub testing: bool,
    /// `t=s`: the domain of `i=` must be that of `d=`.
    pub strict_identity: bool,
    spans: Origin<TagSpans<7>>,
}

/// The tags of RFC 6376 §3.6.1.
const TAGS: [&str; 7] = ["v", "k", "p", "t", "s", "h", "n"];

impl KeyRecord {
    /// Reads the text of a TXT record, its strings joined.
    ///
    /// # Errors
    /// [`KeyRecordError`] says which rule was broken first. Whether the octets of `p=` are a key is not judged here.
    ///
    /// ```
    /// use mailverdict::dkim::KeyRecord;
    /// let record = KeyRecord::parse(b"v=DKIM1; t=y:s; p=")?;
    /// assert!(record.is_revoked() && record.testing && record.strict_identity);
    /// # Ok::<(), mailverdict::dkim::KeyRecordError>(())
    /// ```
    pub fn parse(text: &[u8]) -> Result<Self, KeyRecordError> {
        Self::read(text).map_err(|error| match error {
            KeyRecordError::Syntax(tag) => KeyRecordError::Syntax(Box::new(TagError::of(tag.error, text))),
            other => other,
        })
    }

    fn read(text: &[u8]) -> Result<Self, KeyRecordError> {
        let tags = Tags::read(text).map_err(|error| match error {
            TagListError::Syntax(error) => error.into(),
            TagListError::Duplicate(name) => KeyRecordError::DuplicateTag(String::from_utf8_lossy(name).into()),
        })?;
        if let Some(version) = tags.tag("v") {
            // RFC 6376 §3.6.1: the first tag, and "DKIM1" octet for octet.
            if version.value != b"DKIM1" {
                return Err(KeyRecordError::Version);
            }
            if tags.iter().next().is_none_or(|first| first.name != b"v") {
                return Err(KeyRecordError::VersionNotFirst);
            }
        }
        let words = |name: &str, expected: &'static str| {
            tags.tag(name).map(|tag| parse::words(&tag, parse::is_hyphenated_word, expected)).transpose()
        };
        let hash_algorithms = words("h", "key-h-tag-alg")?;
        let flags = words("t", "key-t-tag-flag")?.unwrap_or_default();
        let flag = |name: &str| flags.iter().any(|flag| &**flag == name);
        let services = tags
            .tag("s")
            .map(|tag| parse::words(&tag, |word| word == b"*" || parse::is_hyphenated_word(word), "key-s-tag-type"));
        let key_type: Box<str> = match tags.tag("k") {
            None => "rsa".into(),
            Some(tag) => match std::str::from_utf8(tag.value) {
                Ok(text) if parse::is_hyphenated_word(tag.value) => text.into(),
                _ => return Err(parse::error_at(&tag, 0, "key-k-tag-type").into()),
            },
        };
        let key_tag = tags.tag("p").ok_or(KeyRecordError::MissingKey)?;
        // An empty value says that the key has been revoked.
        let key = if key_tag.value.is_empty() { Box::default() } else { parse::base64string(&key_tag)? };
        Ok(Self {
            hash_algorithms,
            key_type,
            key,
            services: services.transpose()?.unwrap_or_else(|| ["*".into()].into()),
            testing: flag("y"),
            strict_identity: flag("s"),
            spans: Origin(TagSpans::of(&TAGS, &tags)),
        })
    }

    /// Where the tag of this name, such as `p`, stands in the text that was read. `None` where there is none, or RFC 6376 §3.6.1 does
    /// not define it.
    pub fn span_of(&self, tag: &str) -> Option<TagSpan> {
        self.spans.0.named(tag)
    }

    /// Whether the key has been revoked (`p=` is empty).
    pub fn is_revoked(&self) -> bool {
        self.key.is_empty()
    }

    /// Whether the key may be used for mail: `s=` lists `*` or `email`.
    pub fn is_for_email(&self) -> bool {
        self.services.iter().any(|service| matches!(&**service, "*" | "email"))
    }

    /// Whether `h=` allows a hash algorithm, such as `sha256`.
    pub fn allows_hash(&self, name: &str) -> bool {
        self.hash_algorithms.as_ref().is_none_or(|names| names.iter().any(|allowed| &**allowed == name))
    }
}

/// Without the tag, which [`KeyRecord::parse`] adds.
impl From<SyntaxError> for KeyRecordError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(Box::new(TagError { error, tag: Box::default() }))
    }
}
