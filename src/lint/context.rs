//! What the rules look at.

use super::{gather::Gathered, scope::Scope};
use crate::{
    dmarc::{Disposition, Edition, PublishedRecord},
    dns::{Answer, AnyAnswer, Mx, RecordType},
    finding::{Bounds, Finding, Numbers, Place, Records, Walk, record_target, target},
    known::{Entry, Log},
    name::{Name, shown},
    policy::Policy,
};
use std::{borrow::Cow, sync::Arc};

/// What is looked at of the SPF records.
const BOUNDS: Bounds = Bounds { names: super::MAX_RECORDS, octets: 4 << 20 };

/// All that was gathered of a domain, and what follows from it for several rules.
pub(super) struct Context<'l> {
    pub(super) scope: &'l Scope,
    pub(super) policy: &'l Policy,
    pub(super) gathered: &'l Gathered,
    pub(super) log: &'l Log,
    pub(super) records: Records<'l>,
    pub(super) walk: Walk,
    /// The domain to which names of the same owner belong.
    pub(super) organization: Name,
}

impl<'l> Context<'l> {
    pub(super) fn new(scope: &'l Scope, policy: &'l Policy, gathered: &'l Gathered, log: &'l Log) -> Self {
        let mut records = Records::new(log, BOUNDS);
        let numbers = Numbers { lookups: policy.spf.lookups.into(), void_lookups: policy.spf.void_lookups.into() };
        let walk = Walk::over(&mut records, scope.domain().as_name(), numbers);
        let organization = super::gather::registrable(scope.domain().as_name());
        let organization = organization.unwrap_or_else(|| scope.domain().as_name().clone());
        Self { scope, policy, gathered, log, records, walk, organization }
    }

    pub(super) fn domain(&self) -> &'l Name {
        self.scope.domain().as_name()
    }

    /// Whether a name is the owner's own.
    pub(super) fn is_own(&self, name: &Name) -> bool {
        name.is_at_or_below(&self.organization)
    }

    /// The name that a term asks for.
    pub(super) fn target(&self, place: Place) -> Option<Cow<'_, Name>> {
        target(self.records.term(place)?, &self.records.nodes().get(place.node)?.name)
    }

    /// The name whose record a term goes on with.
    pub(super) fn record_target(&self, place: Place) -> Option<Cow<'_, Name>> {
        self.records.term(place).and_then(record_target)?;
        self.target(place)
    }

    /// What was answered.
    pub(super) fn answer(&self, name: &Name, record_type: RecordType) -> Option<&'l AnyAnswer> {
        self.entry(name, record_type)?.answer()?.as_ref().ok()
    }

    pub(super) fn entry(&self, name: &Name, record_type: RecordType) -> Option<&'l Entry> {
        self.log.entry(name, record_type)
    }

    /// The texts of a name.
    pub(super) fn texts(&self, name: &Name) -> &'l [Box<[u8]>] {
        self.entry(name, RecordType::Txt).map(Entry::texts).unwrap_or_default()
    }

    /// The texts of a name below the domain.
    pub(super) fn texts_below(&self, labels: &str) -> Option<(Name, &'l [Box<[u8]>])> {
        let name = self.domain().prepend(labels).ok()?;
        let texts = self.texts(&name);
        Some((name, texts))
    }

    /// The mail hosts of a name; `None` where that is not known.
    pub(super) fn mail_hosts(&self, name: &Name) -> Option<&'l [Mx]> {
        match self.answer(name, RecordType::Mx)? {
            AnyAnswer::Mx(answer) => Some(answer.records()),
            AnyAnswer::Txt(_) | AnyAnswer::A(_) | AnyAnswer::Aaaa(_) | AnyAnswer::Ptr(_) => None,
        }
    }

    /// Whether mail can be sent to a name, as far as that is known (RFC 5321 §5.1): by MX, or by its own addresses.
    pub(super) fn takes_mail(&self, name: &Name) -> Option<bool> {
        match self.mail_hosts(name)? {
            [] => self.has_address(name),
            hosts => Some(hosts.iter().any(|mx| mx.exchange.label_count() > 0)),
        }
    }

    /// Whether a name has an address, as far as that is known.
    pub(super) fn has_address(&self, name: &Name) -> Option<bool> {
        let [ip4, ip6] = [RecordType::A, RecordType::Aaaa].map(|record_type| self.answer(name, record_type));
        match (ip4.map(|answer| !answer.is_void()), ip6.map(|answer| !answer.is_void())) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            (None, _) | (_, None) => None,
        }
    }

    /// Whether a name does not exist, for whatever of it was asked.
    pub(super) fn is_gone(&self, name: &Name) -> bool {
        let types = [RecordType::Txt, RecordType::A, RecordType::Mx];
        types.into_iter().any(|record_type| match self.answer(name, record_type) {
            Some(AnyAnswer::Txt(answer)) => matches!(answer, Answer::NxDomain(_)),
            Some(AnyAnswer::A(answer)) => matches!(answer, Answer::NxDomain(_)),
            Some(AnyAnswer::Mx(answer)) => matches!(answer, Answer::NxDomain(_)),
            Some(AnyAnswer::Aaaa(_) | AnyAnswer::Ptr(_)) | None => false,
        })
    }

    /// The DMARC record that applies to the domain.
    pub(super) fn dmarc(&self) -> Option<&'l Arc<PublishedRecord>> {
        self.gathered.walk.as_ref()?.applicable_record().ok()?
    }

    /// What receivers are asked to do with mail of the domain that fails DMARC.
    pub(super) fn enforced(&self) -> Disposition {
        let Some(published) = self.dmarc() else { return Disposition::None };
        let below = (published.domain != *self.scope.domain()).then_some(&crate::dmarc::Existence::Exists);
        published.record.policy_for(Edition::Rfc9989, below).0
    }
}

/// Where a finding stands in its record; what is about all of it comes first.
pub(super) fn offset(finding: &Finding) -> Option<usize> {
    Some(finding.quote.as_ref()?.span()?.offset())
}

/// The worst first, so that they are never cut off; then in the order of these names, and of each record.
pub(super) fn ordered<'n>(found: &mut Vec<Finding>, names: impl Iterator<Item = &'n Name>, most: usize) {
    let names: Vec<Box<str>> = names.map(shown).collect();
    let place = |finding: &Finding| {
        let name = finding.name.as_ref()?;
        names.iter().position(|known| known == name)
    };
    found.sort_by_cached_key(|finding| (finding.severity, place(finding).unwrap_or(usize::MAX), offset(finding)));
    found.truncate(most);
}
