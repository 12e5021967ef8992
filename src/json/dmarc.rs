//! DMARC by one edition.

use super::shown::Shown;
use crate::{
    dmarc::{
        Comparison, Disposition, DmarcReport, DmarcResult, Edition, Existence, IdentifierReport, Lowered, PolicyTag,
        PublishedRecord, Record, Step, unprinted,
    },
    name::{Domain, Name},
    session::Session,
    spf::SpfReports,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, sync::Arc};

/// As it is written and read. The words between are made of the rest.
#[derive(Serialize, Deserialize)]
pub(super) struct Shape<'r> {
    #[serde(flatten)]
    result: Cow<'r, DmarcResult>,
    from_domain: Option<Cow<'r, Domain>>,
    organizational_domain: Option<Cow<'r, Domain>>,
    policy_domain: Option<Cow<'r, Domain>>,
    policy: Option<Disposition>,
    disposition: Disposition,
    #[serde(skip_deserializing)]
    spf_aligned: bool,
    #[serde(skip_deserializing)]
    dkim_aligned: bool,
    /// Where it is known what SPF came to in which session.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    #[serde(skip_deserializing)]
    reason: Option<Shown<'r>>,
    edition: Edition,
    policy_tag: Option<PolicyTag>,
    lowered: Option<Lowered>,
    existence: Option<Existence>,
    identifiers: Cow<'r, [IdentifierReport]>,
    record: Option<Cow<'r, Arc<PublishedRecord>>>,
    steps: Cow<'r, [Step]>,
    authors: Vec<Shape<'r>>,
}

impl<'r> Shape<'r> {
    /// Where it is given what SPF came to in which session, they tell whether the report is complete.
    pub(super) fn of(report: &'r DmarcReport, seen: Option<(&SpfReports, &Session)>) -> Self {
        Self {
            result: Cow::Borrowed(&report.result),
            from_domain: report.author_domain.as_ref().map(Cow::Borrowed),
            organizational_domain: report.organizational_domain.as_ref().map(Cow::Borrowed),
            policy_domain: report.policy_domain.as_ref().map(Cow::Borrowed),
            policy: report.policy,
            disposition: report.disposition,
            spf_aligned: report.spf_aligned(),
            dkim_aligned: report.dkim_aligned(),
            complete: seen.map(|(spf, session)| report.is_complete(spf, session)),
            reason: Some(Shown(&report.result)),
            edition: report.edition,
            policy_tag: report.policy_tag,
            lowered: report.lowered,
            existence: report.existence.clone(),
            identifiers: Cow::Borrowed(&report.identifiers),
            record: report.record.as_ref().map(Cow::Borrowed),
            steps: Cow::Borrowed(&report.steps),
            authors: report.authors.iter().map(|author| Self::of(author, seen)).collect(),
        }
    }
}

impl Serialize for DmarcReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shape::of(self, None).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DmarcReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shape::deserialize(deserializer).map(Self::from)
    }
}

impl From<Shape<'_>> for DmarcReport {
    fn from(shape: Shape<'_>) -> Self {
        Self {
            edition: shape.edition,
            author_domain: shape.from_domain.map(Cow::into_owned),
            organizational_domain: shape.organizational_domain.map(Cow::into_owned),
            policy_domain: shape.policy_domain.map(Cow::into_owned),
            policy: shape.policy,
            policy_tag: shape.policy_tag,
            lowered: shape.lowered,
            disposition: shape.disposition,
            result: shape.result.into_owned(),
            identifiers: shape.identifiers.into_owned(),
            record: shape.record.map(Cow::into_owned),
            steps: shape.steps.into_owned(),
            existence: shape.existence,
            // An author stands in no report of authors: they are not nested again.
            authors: shape.authors.into_iter().map(Self::from).collect(),
        }
    }
}

/// What the editions of DMARC differ in, and why, in words; both lists are empty where they agree.
#[derive(Serialize)]
pub(super) struct Differences {
    differences: Vec<String>,
    causes: Vec<String>,
}

impl Differences {
    pub(super) fn of(current: &DmarcReport, older: &DmarcReport) -> Self {
        let Comparison { differences, causes } = Comparison::of(current, older);
        Self {
            differences: differences.iter().map(ToString::to_string).collect(),
            causes: causes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A record, which is read of its text.
#[derive(Serialize, Deserialize)]
struct RecordShape<'r> {
    domain: Cow<'r, Domain>,
    name: Cow<'r, Name>,
    text: Cow<'r, str>,
}

impl Serialize for PublishedRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { domain, name, text, record: _ } = self;
        RecordShape { domain: Cow::Borrowed(domain), name: Cow::Borrowed(name), text: Cow::Borrowed(text) }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublishedRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RecordShape { domain, name, text } = RecordShape::deserialize(deserializer)?;
        let octets = unprinted(&text).ok_or_else(|| D::Error::custom("a record has an escape that there is not"))?;
        let record = Record::parse(&octets).map_err(D::Error::custom)?;
        Ok(Self { domain: domain.into_owned(), name: name.into_owned(), text: (*text).into(), record })
    }
}
