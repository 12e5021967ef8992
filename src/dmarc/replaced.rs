//! A policy that is taken in place of one that cannot be read (RFC 9989 §4.10.1).

use super::{
    disposition::Disposition,
    edition::Edition,
    publication::PublishedRecord,
    record::{PolicyTag, Record, Request, Usability},
};
use crate::name::Domain;
use std::fmt;

/// What a domain asks for, and why `none` is taken instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Replaced {
    /// The domain that publishes the record.
    pub domain: Domain,
    /// The text that has `none` taken.
    pub edition: Edition,
    /// The tag that is missing or malformed.
    pub tag: PolicyTag,
    /// Its value as written, printable and cut where it is long; `None` where there is no such tag.
    pub written: Option<Box<str>>,
    /// What `p` asks for, where it can be read.
    pub asked: Option<Disposition>,
}

/// Characters of a value that are shown.
const SHOWN: usize = 60;

impl PublishedRecord {
    /// Why `none` is taken instead of what the record asks for; `None` where it is read as it was written, or not at all.
    pub fn replaced(&self, edition: Edition) -> Option<Replaced> {
        match self.record.usability(edition) {
            Usability::AsNone(tag) => Some(Replaced {
                domain: self.domain.clone(),
                edition,
                tag,
                written: self.record.written(tag),
                asked: match self.record.policy {
                    Request::Valid(asked) => Some(asked),
                    Request::Absent | Request::Malformed(_) => None,
                },
            }),
            Usability::AsPublished | Usability::NotAtAll(_) => None,
        }
    }
}

impl Record {
    /// The value of a tag that is malformed, cut where it is long.
    pub(super) fn written(&self, tag: PolicyTag) -> Option<Box<str>> {
        let request = match tag {
            PolicyTag::P => &self.policy,
            PolicyTag::Sp => &self.subdomain_policy,
            PolicyTag::Np => &self.nonexistent_policy,
        };
        match request {
            Request::Malformed(value) => Some(cut(value)),
            Request::Absent | Request::Valid(_) => None,
        }
    }
}

/// A value of strangers, as much of it as a sentence shows.
pub(super) fn cut(value: &str) -> Box<str> {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", value.get(..end).unwrap_or_default()).into(),
        None => value.into(),
    }
}

/// In words, with the section.
impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, edition, tag, written, asked } = self;
        let tag = tag.keyword();
        match (asked, written) {
            (Some(asked), Some(value)) => {
                write!(f, "{domain} asks for {}; because {tag}={value} cannot be read", asked.keyword())?;
            }
            (None, Some(value)) => write!(f, "because {tag}={value} of {domain} cannot be read")?,
            (_, None) => write!(f, "because the DMARC record of {domain} has no {tag}")?,
        }
        let section = match edition {
            Edition::Rfc9989 => "RFC 9989 section 4.10.1",
            Edition::Rfc7489 => "RFC 7489 section 6.6.3",
        };
        write!(f, ", none is taken instead ({section})")
    }
}
