//! One row of an aggregate report (`RecordType` of RFC 9990): messages of one client that fared alike.

use super::words::{Aligned, Applied, DkimWord, ReasonType, Scope, SpfWord};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Messages of one client that fared alike.
///
/// Texts are as the report has them, without white space around them: nobody promises that a domain in them is one. What is missing,
/// empty, or cannot be read is `None`; the findings of the report tell which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    /// The client.
    pub source_ip: Option<IpAddr>,
    /// Messages.
    pub count: u64,
    /// What was done with them.
    pub disposition: Option<Applied>,
    /// Whether DKIM gave an aligned pass.
    pub dkim: Option<Aligned>,
    /// Whether SPF gave an aligned pass.
    pub spf: Option<Aligned>,
    /// Why another disposition was applied than the policy's.
    pub reasons: Vec<Reason>,
    /// The author domain.
    pub header_from: Option<Box<str>>,
    /// The domain of MAIL FROM; an empty text is the null reverse-path.
    pub envelope_from: Option<Box<str>>,
    /// The domain of the recipient.
    pub envelope_to: Option<Box<str>>,
    /// What DKIM came to, signature by signature.
    pub dkim_results: Vec<DkimRow>,
    /// What SPF came to; more than one in RFC 7489's reports alone.
    pub spf_results: Vec<SpfRow>,
    /// What else stands in the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
}

/// Why another disposition was applied than the policy's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason {
    /// Which of the known kinds.
    #[serde(rename = "type")]
    pub kind: Option<ReasonType>,
    /// What the receiver says of it.
    pub comment: Option<Box<str>>,
}

/// What one signature came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DkimRow {
    /// `d=`.
    pub domain: Option<Box<str>>,
    /// `s=`.
    pub selector: Option<Box<str>>,
    /// The result.
    pub result: Option<DkimWord>,
    /// More words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_result: Option<Box<str>>,
}

/// What SPF came to for one identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpfRow {
    /// The domain that was checked.
    pub domain: Option<Box<str>>,
    /// Whose it was.
    pub scope: Option<Scope>,
    /// The result.
    pub result: Option<SpfWord>,
    /// More words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_result: Option<Box<str>>,
}

/// An element that the schema does not have, or that an extension brings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Extension {
    /// Its name, behind those of the unknown elements that it stands in, with slashes between.
    pub name: Box<str>,
    /// Its text, cut after 1,000 characters.
    pub text: Box<str>,
}

impl Row {
    /// Whether DMARC passed: an aligned pass of either mechanism.
    pub fn passes(&self) -> bool {
        self.dkim == Some(Aligned::Pass) || self.spf == Some(Aligned::Pass)
    }
}
