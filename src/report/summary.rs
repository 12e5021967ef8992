//! What the reports on a domain say together: who sends as the domain, how much of it passes, and why the rest does not.

use super::{
    aggregate::{Aggregate, PublishedPolicy},
    row::Row,
    words::{Aligned, Applied, DkimWord, ReasonType, SpfWord},
};
use crate::time::UnixTime;
use ipnet::IpNet;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

/// Domains that are told apart.
const MAX_DOMAINS: usize = 10_000;
/// Sources of one domain that are told apart.
const MAX_SOURCES: usize = 20_000;
/// Names of each kind that are kept of a source.
const MAX_NAMES: usize = 8;
/// Reports that are remembered, so that none counts twice.
const MAX_REPORTS: usize = 1_000_000;
/// Days that are told apart, of one domain.
const MAX_DAYS: usize = 4_000;
/// Seconds of a day.
const DAY: u64 = 86_400;

/// What reports say together. Memory is bounded, whatever they say.
///
/// ```
/// use mailverdict::report::{ReadLimits, Report, Summary, read};
/// let xml = b"<feedback><report_metadata><org_name>R</org_name><report_id>1</report_id></report_metadata>\
///     <policy_published><domain>contoso.com</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip>\
///     <count>7</count><policy_evaluated><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row></record></feedback>";
/// let mut summary = Summary::default();
/// for found in read(&&xml[..], ReadLimits::default()) {
///     if let Ok(Report::Aggregate(report)) = &found.report
///         && summary.begin(&report.about)
///     {
///         report.for_each_row(|row| Ok::<(), mailverdict::report::ReadError>(summary.add(&report.about, &row)))?;
///     }
/// }
/// let domain = summary.domains().next().unwrap();
/// assert_eq!((domain.name.as_str(), domain.mail.messages, domain.mail.failed()), ("contoso.com", 7, 7));
/// # Ok::<(), mailverdict::report::ReadError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Summary {
    domains: BTreeMap<String, DomainSummary>,
    /// Who reported on which domain under which id.
    seen: BTreeSet<(Box<str>, Box<str>, Box<str>)>,
    duplicates: u64,
}

/// What reports say of one domain.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DomainSummary {
    /// The policy domain, in lower case.
    pub name: String,
    /// Reports, each counted once.
    pub reports: u64,
    /// Who reported, with how many reports.
    pub reporters: BTreeMap<Box<str>, u64>,
    /// Where the first period begins.
    pub begin: Option<UnixTime>,
    /// Where the last one ends.
    pub end: Option<UnixTime>,
    /// The policy that was seen last.
    pub policy: PublishedPolicy,
    /// All mail.
    pub mail: Mail,
    /// The mail of each day (UTC) in which a period begins, by the day's first second.
    pub days: BTreeMap<u64, Mail>,
    /// Reports whose period overlaps that of another one by the same reporter: some mail may be counted twice.
    pub overlaps: Vec<Overlap>,
    sources: HashMap<SourceKey, SourceSummary>,
    /// The periods of each reporter, by their beginning.
    periods: BTreeMap<Box<str>, Vec<(UnixTime, UnixTime)>>,
}

/// Two periods of one reporter that overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The reporter.
    pub reporter: Box<str>,
    /// Where the later period begins.
    pub begin: UnixTime,
    /// Where the earlier one ends.
    pub end: UnixTime,
}

/// Messages, by what DMARC came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// All of them.
    pub messages: u64,
    /// DKIM and SPF gave an aligned pass.
    pub by_both: u64,
    /// DKIM alone did, and SPF does not speak against forwarding: its own domain passed elsewhere.
    pub by_dkim: u64,
    /// DKIM alone did, and SPF failed, as it does where a message is forwarded.
    pub forwarded: u64,
    /// SPF alone did.
    pub by_spf: u64,
    /// Neither did, and they were put into quarantine.
    pub quarantined: u64,
    /// Neither did, and they were refused.
    pub rejected: u64,
}

/// Mail of one network, authenticated as one domain.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SourceSummary {
    /// The network: /24 of IPv4, /48 of IPv6; none where the addresses could not be read.
    pub network: Option<IpNet>,
    /// The domain by which DKIM, or else SPF, authenticated the mail, aligned or not.
    pub authenticated: Option<Box<str>>,
    /// The client with the most messages in one row.
    pub client: Option<IpAddr>,
    most: u64,
    /// Its mail.
    pub mail: Mail,
    /// Domains for which SPF passed.
    pub spf_pass: BTreeSet<Box<str>>,
    /// Domains for which SPF did not, with the result seen last.
    pub spf_other: BTreeMap<Box<str>, SpfWord>,
    /// Domains and selectors of signatures that verified.
    pub dkim_pass: BTreeSet<(Box<str>, Box<str>)>,
    /// Those of signatures that did not, with the result seen last.
    pub dkim_other: BTreeMap<(Box<str>, Box<str>), DkimWord>,
    /// Author domains.
    pub header_from: BTreeSet<Box<str>>,
    /// Reasons for which receivers made exceptions.
    pub reasons: BTreeSet<ReasonType>,
    /// Where the first period begins in which it was seen.
    pub begin: Option<UnixTime>,
    /// Where the last one ends.
    pub end: Option<UnixTime>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct SourceKey {
    network: Option<IpNet>,
    authenticated: Option<Box<str>>,
}

impl Mail {
    /// Messages for which neither mechanism gave an aligned pass.
    pub fn failed(&self) -> u64 {
        self.messages.saturating_sub(self.passed())
    }

    /// The others.
    pub fn passed(&self) -> u64 {
        self.by_both.saturating_add(self.by_dkim).saturating_add(self.forwarded).saturating_add(self.by_spf)
    }

    fn join(&mut self, other: &Self) {
        let Self { messages, by_both, by_dkim, forwarded, by_spf, quarantined, rejected } = self;
        for (sum, more) in [
            (messages, other.messages),
            (by_both, other.by_both),
            (by_dkim, other.by_dkim),
            (forwarded, other.forwarded),
            (by_spf, other.by_spf),
            (quarantined, other.quarantined),
            (rejected, other.rejected),
        ] {
            *sum = sum.saturating_add(more);
        }
    }

    fn add(&mut self, row: &Row) {
        let count = row.count;
        let more = |to: &mut u64| *to = to.saturating_add(count);
        more(&mut self.messages);
        match (row.dkim, row.spf) {
            (Some(Aligned::Pass), Some(Aligned::Pass)) => more(&mut self.by_both),
            (Some(Aligned::Pass), _) if was_forwarded(row) => more(&mut self.forwarded),
            (Some(Aligned::Pass), _) => more(&mut self.by_dkim),
            (_, Some(Aligned::Pass)) => more(&mut self.by_spf),
            (Some(Aligned::Fail) | None, Some(Aligned::Fail) | None) => match row.disposition {
                Some(Applied::Quarantine) => more(&mut self.quarantined),
                Some(Applied::Reject) => more(&mut self.rejected),
                Some(Applied::None | Applied::Pass) | None => {}
            },
        }
    }
}

/// Whether SPF fails where DKIM passes, as it does for mail that is forwarded; or the receiver says that it was.
fn was_forwarded(row: &Row) -> bool {
    let is_told = row.reasons.iter().any(|reason| match reason.kind {
        Some(ReasonType::Forwarded | ReasonType::MailingList | ReasonType::TrustedForwarder) => true,
        Some(ReasonType::SampledOut | ReasonType::LocalPolicy | ReasonType::Other | ReasonType::PolicyTestMode)
        | None => false,
    });
    let passes = row.spf_results.iter().any(|spf| spf.result == Some(SpfWord::Pass));
    is_told || !row.spf_results.is_empty() && !passes
}

impl Summary {
    /// A report is to be added. `false` where it was already: then its rows are not to be added again.
    pub fn begin(&mut self, about: &Aggregate) -> bool {
        let lower = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_ascii_lowercase();
        let (domain, reporter) = (lower(&about.domain), lower(&about.org_name));
        if let Some(id) = &about.report_id {
            let key = (reporter.into_boxed_str(), domain.clone().into_boxed_str(), id.clone());
            if self.seen.contains(&key) {
                self.duplicates += 1;
                return false;
            }
            if self.seen.len() < MAX_REPORTS {
                self.seen.insert(key);
            }
        }
        let Some(summary) = self.domain(&domain) else { return true };
        summary.begin_report(about);
        true
    }

    /// Adds a row of that report.
    pub fn add(&mut self, about: &Aggregate, row: &Row) {
        let domain = about.domain.as_deref().unwrap_or_default().to_ascii_lowercase();
        if let Some(summary) = self.domain(&domain) {
            summary.add(about, row);
        }
    }

    /// What is said of each domain, by name.
    pub fn domains(&self) -> impl Iterator<Item = &DomainSummary> {
        self.domains.values()
    }

    /// Reports that were left out because they had been added already.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    fn domain(&mut self, name: &str) -> Option<&mut DomainSummary> {
        if !self.domains.contains_key(name) {
            if self.domains.len() >= MAX_DOMAINS {
                return None;
            }
            let summary = DomainSummary { name: name.to_owned(), ..DomainSummary::default() };
            self.domains.insert(name.to_owned(), summary);
        }
        self.domains.get_mut(name)
    }
}

impl DomainSummary {
    /// The sources: those of which nothing passes first, then the larger ones.
    pub fn sources(&self) -> Vec<&SourceSummary> {
        let mut sources: Vec<&SourceSummary> = self.sources.values().collect();
        sources.sort_by(|a, b| {
            let known = |source: &SourceSummary| source.mail.passed() > 0;
            let name = |source: &SourceSummary| (source.network, source.authenticated.clone());
            known(a).cmp(&known(b)).then(b.mail.messages.cmp(&a.mail.messages)).then_with(|| name(a).cmp(&name(b)))
        });
        sources
    }

    /// The mail by the domain as which it is authenticated (`None`: as nobody), the largest first.
    pub fn by_authenticated(&self) -> Vec<(Option<&str>, Mail)> {
        let mut sums: BTreeMap<Option<&str>, Mail> = BTreeMap::new();
        for source in self.sources.values() {
            sums.entry(source.authenticated.as_deref()).or_default().join(&source.mail);
        }
        let mut sums: Vec<(Option<&str>, Mail)> = sums.into_iter().collect();
        sums.sort_by_key(|(_, mail)| Reverse(mail.messages));
        sums
    }

    fn begin_report(&mut self, about: &Aggregate) {
        self.reports += 1;
        let reporter: Box<str> = about.org_name.as_deref().unwrap_or_default().into();
        if self.reporters.len() < MAX_SOURCES || self.reporters.contains_key(&reporter) {
            *self.reporters.entry(reporter.clone()).or_default() += 1;
        }
        if self.end <= about.end || self.policy == PublishedPolicy::default() {
            self.policy = about.policy.clone();
        }
        widen(&mut self.begin, &mut self.end, about);
        if let (Some(begin), Some(end)) = (about.begin, about.end)
            && begin < end
        {
            self.see_period(reporter, begin, end);
        }
    }

    /// Periods of one reporter that overlap by more than a second: many end in the second in which the next begins.
    fn see_period(&mut self, reporter: Box<str>, begin: UnixTime, end: UnixTime) {
        if self.periods.len() >= MAX_SOURCES && !self.periods.contains_key(&reporter) {
            return;
        }
        let periods = self.periods.entry(reporter.clone()).or_default();
        let at = periods.partition_point(|(other, _)| *other <= begin);
        let before = at.checked_sub(1).and_then(|at| periods.get(at)).filter(|(_, other)| other.0 > begin.0 + 1);
        let after = periods.get(at).filter(|(other, _)| other.0 + 1 < end.0);
        let overlap = match (before, after) {
            (Some((_, other)), _) => Some((begin, *other)),
            (None, Some((other, _))) => Some((*other, end)),
            (None, None) => None,
        };
        if let Some((begin, end)) = overlap.filter(|_| self.overlaps.len() < MAX_NAMES) {
            self.overlaps.push(Overlap { reporter, begin, end });
        }
        if periods.len() < MAX_DAYS {
            periods.insert(at, (begin, end));
        }
    }

    fn add(&mut self, about: &Aggregate, row: &Row) {
        self.mail.add(row);
        if let Some(begin) = about.begin {
            let day = begin.0 / DAY * DAY;
            if self.days.len() < MAX_DAYS || self.days.contains_key(&day) {
                self.days.entry(day).or_default().add(row);
            }
        }
        let mut key = SourceKey { network: row.source_ip.and_then(network), authenticated: authenticated(row) };
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains_key(&key) {
            // What comes too late is one source without a name.
            key = SourceKey::default();
        }
        let source = self.sources.entry(key.clone()).or_default();
        source.network = key.network;
        source.authenticated = key.authenticated;
        source.add(about, row);
    }
}

impl SourceSummary {
    fn add(&mut self, about: &Aggregate, row: &Row) {
        self.mail.add(row);
        widen(&mut self.begin, &mut self.end, about);
        if row.count > self.most || self.client.is_none() {
            self.most = row.count;
            self.client = row.source_ip;
        }
        for spf in &row.spf_results {
            let domain = lower(spf.domain.as_deref());
            match spf.result {
                Some(SpfWord::Pass) => keep(&mut self.spf_pass, domain),
                Some(other) => keep_with(&mut self.spf_other, domain, other),
                None => {}
            }
        }
        for dkim in &row.dkim_results {
            let name = (lower(dkim.domain.as_deref()), dkim.selector.clone().unwrap_or_default());
            match dkim.result {
                Some(DkimWord::Pass) => keep(&mut self.dkim_pass, name),
                Some(other) => keep_with(&mut self.dkim_other, name, other),
                None => {}
            }
        }
        if let Some(domain) = &row.header_from {
            keep(&mut self.header_from, lower(Some(domain)));
        }
        self.reasons.extend(row.reasons.iter().filter_map(|reason| reason.kind));
    }
}

fn lower(text: Option<&str>) -> Box<str> {
    text.unwrap_or_default().to_ascii_lowercase().into()
}

fn keep<T: Ord>(set: &mut BTreeSet<T>, item: T) {
    if set.len() < MAX_NAMES {
        set.insert(item);
    }
}

fn keep_with<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V) {
    if map.len() < MAX_NAMES || map.contains_key(&key) {
        map.insert(key, value);
    }
}

fn widen(begin: &mut Option<UnixTime>, end: &mut Option<UnixTime>, about: &Aggregate) {
    if let Some(own) = about.begin {
        *begin = Some(begin.map_or(own, |other| other.min(own)));
    }
    *end = (*end).max(about.end);
}

/// The network that belongs to one operator, as a rule.
fn network(ip: IpAddr) -> Option<IpNet> {
    let length = if ip.is_ipv4() { 24 } else { 48 };
    IpNet::new(ip, length).ok().map(|network| network.trunc())
}

/// The domain for which a signature verified, that of the author first; else the one for which SPF passed.
fn authenticated(row: &Row) -> Option<Box<str>> {
    let author = lower(row.header_from.as_deref());
    let passing = row.dkim_results.iter().filter(|dkim| dkim.result == Some(DkimWord::Pass));
    let mut domains: Vec<Box<str>> =
        passing.map(|dkim| lower(dkim.domain.as_deref())).filter(|domain| !domain.is_empty()).collect();
    // Stable: of those that are the author's own, and of the others, the first.
    domains.sort_by_key(|domain| !is_near(domain, &author));
    let spf = row.spf_results.iter().find(|spf| spf.result == Some(SpfWord::Pass));
    let spf = spf.map(|spf| lower(spf.domain.as_deref())).filter(|domain| !domain.is_empty());
    domains.into_iter().next().or(spf)
}

/// Whether one is the other, or stands below it.
fn is_near(domain: &str, author: &str) -> bool {
    let below =
        |one: &str, other: &str| one.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    below(domain, author) || below(author, domain)
}
