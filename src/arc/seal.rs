//! The ARC-Seal field, RFC 8617 §4.1.3.

use super::result::ChainStatus;
use crate::{
    dkim::{
        SignatureError,
        parse::{self, error_at},
        signature::{key_name, list_error, list_text, required},
    },
    lex::tag_list::{Tag, Tags},
    name::{Domain, Joined, Name},
    text::{Text, Texts},
    time::UnixTime,
};
use std::ops::Range;

/// A seal whose every tag follows the rules.
#[derive(Clone, Debug)]
pub(super) struct Seal {
    pub(super) algorithm: Text,
    /// `b=` in base64.
    pub(super) data: Text,
    pub(super) domain: Domain,
    pub(super) selector: Name,
    pub(super) timestamp: Option<UnixTime>,
    pub(super) chain_status: ChainStatus,
    pub(super) key_name: Name,
    /// RFC 8617 §4.1.3: "the DKIM "h" tag is NOT allowed and, if found, MUST result in a cv status of "fail"".
    pub(super) has_field_list: bool,
    pub(super) data_span: Range<usize>,
}

impl Seal {
    /// Reads the value of the field. Tags that are not of ARC-Seal are ignored (RFC 6376 §3.2), but for `h=`.
    pub(super) fn parse(value: &[u8]) -> Result<Self, SignatureError> {
        let tags = &Tags::read(list_text(value)).map_err(list_error)?;
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
            data: texts.text(data),
            timestamp,
            chain_status,
            key_name,
            has_field_list: tags.tag("h").is_some(),
            data_span: data_tag.raw_start..data_tag.raw_end,
            domain,
            selector,
        })
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
