//! The ARC-Seal field, RFC 8617 §4.1.3.

use super::result::ChainStatus;
use crate::{
    dkim::{
        SignatureError,
        parse::{self, error_at},
        signature::{key_name, list_error, list_text, required},
    },
    lex::{
        Origin, TagSpan, TagSpans,
        tag_list::{Tag, Tags},
    },
    name::{Domain, Joined, Name},
    text::{Text, Texts},
    time::UnixTime,
};
use std::ops::Range;

/// An ARC-Seal field whose every known tag follows the rules of RFC 8617 §4.1.3.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seal {
    /// `a=`, such as `rsa-sha256`; known or not.
    pub algorithm: Text,
    /// `b=`, base64 without white space.
    pub signature_data: Text,
    /// `d=`, with A-labels.
    pub domain: Domain,
    /// `s=`, with A-labels.
    pub selector: Name,
    /// `t=`.
    pub timestamp: Option<UnixTime>,
    /// `cv=`.
    pub chain_status: ChainStatus,
    /// `<selector>._domainkey.<domain>` (RFC 6376 §3.6.2.1).
    pub key_name: Name,
    /// Whether there is an `h=`: it "is NOT allowed and, if found, MUST result in a cv status of "fail"".
    pub has_field_list: bool,
    pub(super) data_span: Origin<Range<usize>>,
    spans: Origin<TagSpans<8>>,
}

/// The tags of RFC 8617 §4.1.3, and the one that it forbids.
const TAGS: [&str; 8] = ["i", "a", "t", "cv", "d", "s", "b", "h"];

impl Seal {
    /// Reads the value of an ARC-Seal field: all after the colon, folded as it is, with or without the final CRLF. Tags that are not
    /// of ARC-Seal are ignored (RFC 6376 §3.2), but for `h=`; and `i=`, the instance, is not judged here.
    ///
    /// # Errors
    /// [`SignatureError`] says which rule was broken first. Offsets count from the octet after the colon.
    ///
    /// ```
    /// use mailverdict::arc::{ChainStatus, Seal};
    /// let value = b" i=1; a=rsa-sha256; cv=none; d=example.com; s=k1;\r\n b=BBBB\r\n";
    /// let seal = Seal::parse(value)?;
    /// assert_eq!((seal.chain_status, seal.domain.as_str()), (ChainStatus::None, "example.com"));
    /// # Ok::<(), mailverdict::dkim::SignatureError>(())
    /// ```
    pub fn parse(field_value: &[u8]) -> Result<Self, SignatureError> {
        let list = list_text(field_value);
        let seal = Tags::read(list).map_err(list_error).and_then(|tags| Self::of_tags(&tags));
        seal.map_err(|error| error.quoting(list))
    }

    fn of_tags(tags: &Tags<'_>) -> Result<Self, SignatureError> {
        let data_tag = required(tags, "b")?;
        let mut texts = Texts::default();
        let domain = parse::domain_name(&required(tags, "d")?)?;
        let selector = parse::selector(&required(tags, "s")?)?;
        let algorithm = texts.add(parse::sig_a_tag_alg(&required(tags, "a")?)?);
        let data = parse::base64_text(&data_tag, &mut texts)?;
        let texts = texts.share();
        let timestamp = tags.tag("t").map(|tag| parse::timestamp(&tag)).transpose()?;
        let chain_status = chain_status(&required(tags, "cv")?)?;
        let Joined { whole: key_name, first: selector, last: domain } = key_name(&selector, &domain)?;
        Ok(Self {
            algorithm: texts.text(algorithm),
            signature_data: texts.text(data),
            timestamp,
            chain_status,
            key_name,
            has_field_list: tags.tag("h").is_some(),
            data_span: Origin(data_tag.raw_start..data_tag.raw_end),
            spans: Origin(TagSpans::of(&TAGS, tags)),
            domain,
            selector,
        })
    }

    /// Where the tag of this name, such as `cv`, stands in the value that was read. `None` where there is none, or RFC 8617 §4.1.3 does
    /// not name it.
    pub fn span_of(&self, tag: &str) -> Option<TagSpan> {
        self.spans.0.named(tag)
    }

    /// `d=`, whatever the rest of the field is like; for reports.
    pub(super) fn salvaged_domain(value: &[u8]) -> Option<Domain> {
        let (tags, _) = Tags::read_until_error(list_text(value));
        tags.tag("d").and_then(|tag| parse::domain_name(&tag).ok()).map(|domain| domain.to_domain())
    }
}

/// `chain-status` (RFC 8617 §3.9), in lower case as RFC 6376 §3.2 has it for tag values.
fn chain_status(tag: &Tag<'_>) -> Result<ChainStatus, SignatureError> {
    match tag.value {
        b"none" => Ok(ChainStatus::None),
        b"pass" => Ok(ChainStatus::Pass),
        b"fail" => Ok(ChainStatus::Fail),
        _ => Err(error_at(tag, 0, "chain-status").into()),
    }
}
