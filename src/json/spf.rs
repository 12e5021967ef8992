//! SPF for one identity.

use super::shown::Shown;
use crate::{
    name::{Domain, Name},
    spf::{
        Directive, Explanation, Identity, Matched, NeutralReason, NoneReason, PermError, Qualifier, SpfReport,
        SpfResult, TempError,
    },
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{borrow::Cow, net::IpAddr};

/// More records than may include each other.
const MAX_PATH: usize = 64;

/// As it is written and read. The words between are made of the rest.
#[derive(Serialize, Deserialize)]
struct Shape<'r> {
    #[serde(flatten)]
    outcome: Outcome<'r>,
    domain: Cow<'r, str>,
    explanation: Option<Cow<'r, str>>,
    #[serde(skip_deserializing)]
    matched: Option<Shown<'r>>,
    dns_lookups: usize,
    void_lookups: usize,
    #[serde(skip_deserializing)]
    reason: Option<Shown<'r>>,
    identity: Identity,
    ip: IpAddr,
    sender: Cow<'r, str>,
    /// The directives that decided, from the outermost record to the innermost.
    path: Vec<Step<'r>>,
}

/// `result` and `cause`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "result", content = "cause", rename_all = "lowercase")]
enum Outcome<'r> {
    None(Cow<'r, NoneReason>),
    Neutral(Option<NoMatch<'r>>),
    Pass(()),
    Fail(()),
    SoftFail(()),
    TempError(Cow<'r, TempError>),
    PermError(Cow<'r, PermError>),
}

/// No directive of this domain matched.
#[derive(Serialize, Deserialize)]
struct NoMatch<'r> {
    domain: Cow<'r, Name>,
}

/// A directive that matched, and whose record it stands in.
#[derive(Serialize, Deserialize)]
struct Step<'r> {
    domain: Cow<'r, Name>,
    directive: Cow<'r, Directive>,
}

impl Serialize for Directive {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Directive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for SpfReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let matched = self.result.matched();
        let path = matched
            .into_iter()
            .flat_map(Matched::path)
            .map(|at| Step { domain: Cow::Borrowed(at.domain()), directive: Cow::Borrowed(at.directive()) });
        let outcome = match &self.result {
            SpfResult::None(reason) => Outcome::None(Cow::Borrowed(reason)),
            SpfResult::Neutral(NeutralReason::Matched(_)) => Outcome::Neutral(None),
            SpfResult::Neutral(NeutralReason::NoMatch { domain }) => {
                Outcome::Neutral(Some(NoMatch { domain: Cow::Borrowed(domain) }))
            }
            SpfResult::Pass(_) => Outcome::Pass(()),
            SpfResult::Fail(..) => Outcome::Fail(()),
            SpfResult::SoftFail(_) => Outcome::SoftFail(()),
            SpfResult::TempError(error) => Outcome::TempError(Cow::Borrowed(error)),
            SpfResult::PermError(error) => Outcome::PermError(Cow::Borrowed(error)),
        };
        let shape = Shape {
            outcome,
            domain: Cow::Borrowed(self.domain()),
            explanation: self.result.published_explanation().map(Cow::Borrowed),
            matched: matched.map(|matched| Shown(matched.directive())),
            dns_lookups: self.dns_lookups,
            void_lookups: self.void_lookups,
            reason: Some(Shown(&self.result)),
            identity: self.identity,
            ip: self.ip,
            sender: Cow::Borrowed(&self.sender),
            path: path.collect(),
        };
        shape.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SpfReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Shape { outcome, domain, explanation, dns_lookups, void_lookups, identity, ip, sender, path, .. } =
            Shape::deserialize(deserializer)?;
        if path.len() > MAX_PATH {
            return Err(D::Error::custom("the path is longer than records may include each other"));
        }
        let decided = |wanted: Qualifier| {
            let matched = matched(&path).filter(|matched| matched.directive().qualifier == wanted);
            matched.ok_or_else(|| D::Error::custom("the path does not lead to this result of SPF"))
        };
        let result = match outcome {
            Outcome::None(reason) => SpfResult::None(reason.into_owned()),
            Outcome::Neutral(None) => SpfResult::Neutral(NeutralReason::Matched(decided(Qualifier::Neutral)?)),
            Outcome::Neutral(Some(NoMatch { domain })) => {
                SpfResult::Neutral(NeutralReason::NoMatch { domain: domain.into_owned() })
            }
            Outcome::Pass(()) => SpfResult::Pass(decided(Qualifier::Pass)?),
            Outcome::Fail(()) => {
                let explanation = explanation.map(|text| Explanation::Published(text.into()));
                SpfResult::Fail(decided(Qualifier::Fail)?, explanation.unwrap_or(Explanation::Default))
            }
            Outcome::SoftFail(()) => SpfResult::SoftFail(decided(Qualifier::SoftFail)?),
            Outcome::TempError(error) => SpfResult::TempError(error.into_owned()),
            Outcome::PermError(error) => SpfResult::PermError(error.into_owned()),
        };
        let domain = match &result {
            // What is not checked is not read.
            SpfResult::None(
                NoneReason::LocalPartTooLong { .. } | NoneReason::NotAName(_) | NoneReason::NotFullyQualified,
            ) => Err(domain.len()),
            _ => Ok(Domain::parse(&domain).map_err(D::Error::custom)?),
        };
        Ok(Self { identity, ip, sender: (*sender).into(), domain, result, dns_lookups, void_lookups })
    }
}

/// What matched in the innermost record, with what led there. Of each record the directive alone is known.
fn matched(path: &[Step<'_>]) -> Option<Matched> {
    path.iter().rev().fold(None, |inner, Step { domain, directive }| {
        Some(Matched::around(inner, Name::clone(domain), Directive::clone(directive)))
    })
}
