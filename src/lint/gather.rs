//! What is asked of a domain: a walk past the limits of evaluation, within bounds of its own.

use super::{mend::mended, scope::Scope};
use crate::{
    budget::Share,
    dmarc::{TreeWalk, targets, tree_walk},
    dns::{Answer, LookupError},
    driver::Run,
    finding::{places_of_dmarc, places_of_spf, record_target},
    known::{AtHand, Known, Log, Part, Unknown},
    name::{Domain, Name},
    report::{Destination, ReportKind, destinations},
    spf::{DomainSpec, HostSpec, Mechanism, Record, SharedRecord, Term, find_record},
};
use std::{
    collections::{BTreeSet, VecDeque},
    net::IpAddr,
};

/// SPF records that are read.
pub const MAX_RECORDS: usize = 200;
/// Questions of one domain.
const MAX_QUESTIONS: usize = 1000;
/// Octets of all their answers: no question is asked behind that.
const MAX_OCTETS: usize = 4 << 20;
/// The size of an SPF record that is read.
const MAX_RECORD: usize = 1 << 18;
/// Terms of one SPF record that are asked for.
const MAX_TERMS: usize = 300;
/// Mail hosts of one name that are looked at.
const MAX_HOSTS: usize = 20;
/// Names of an address that are looked at.
const MAX_NAMES: usize = 10;

/// A label that nobody publishes: what answers for it answers for every name.
pub(super) const NOBODY: &str = "no-such-name-c1f0e8";

/// The names of texts beside SPF, DKIM and DMARC.
pub(super) const TLS_REPORTS: &str = "_smtp._tls";
pub(super) const STRICT_TRANSPORT: &str = "_mta-sts";
pub(super) const INDICATORS: &str = "default._bimi";

/// Something to be asked, and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Want {
    /// The texts of a name, and where they are an SPF record what it leads to.
    Spf(Name),
    /// The domain's own record; where there is none, the places where it may stand.
    Root(Name),
    Texts(Name),
    /// Mail hosts, and their addresses.
    Hosts(Name),
    Addresses(Name),
    /// A records alone.
    Ip4(Name),
    /// The names of an address, and their addresses.
    Names(IpAddr),
    /// The walk for the DMARC record, and where it wants reports.
    Dmarc,
    Destinations,
}

/// What was found on the way that the log does not say by itself.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) walk: Option<TreeWalk>,
    pub(super) aggregate: Vec<Destination>,
    pub(super) failure: Vec<Destination>,
    /// Whether there were more records than are read, or more questions than are asked.
    pub(super) is_cut: bool,
}

/// The questions of one domain.
#[derive(Debug)]
pub(super) struct Gather {
    open: VecDeque<Want>,
    seen: BTreeSet<Want>,
    domain: Domain,
    records: usize,
    left: Share,
    octets: usize,
    pub(super) gathered: Gathered,
}

impl Gather {
    pub(super) fn new(scope: &Scope) -> Self {
        let share = Share { questions: MAX_QUESTIONS, octets: usize::MAX, signatures: 0, work: 0 };
        let mut gather = Self {
            open: VecDeque::new(),
            seen: BTreeSet::new(),
            domain: scope.domain().clone(),
            records: 0,
            left: share,
            octets: 0,
            gathered: Gathered::default(),
        };
        let domain = scope.domain().as_name();
        gather.want(Want::Root(domain.clone()));
        gather.want(Want::Dmarc);
        gather.want(Want::Hosts(domain.clone()));
        gather.want(Want::Addresses(domain.clone()));
        for labels in [
            TLS_REPORTS,
            STRICT_TRANSPORT,
            INDICATORS,
            NOBODY,
            "_adsp._domainkey",
            "_domainkey",
            &format!("{NOBODY}._domainkey"),
        ] {
            gather.below(domain, labels);
        }
        scope.keys().iter().for_each(|key| gather.want(Want::Texts(key.name().clone())));
        for path in scope.reverse_paths() {
            gather.want(Want::Spf(path.as_name().clone()));
            gather.want(Want::Hosts(path.as_name().clone()));
            gather.want(Want::Addresses(path.as_name().clone()));
        }
        scope.senders().iter().for_each(|ip| gather.want(Want::Names(*ip)));
        gather
    }

    fn want(&mut self, want: Want) {
        if let Want::Spf(_) = want
            && !self.seen.contains(&want)
        {
            if self.records >= MAX_RECORDS {
                self.gathered.is_cut = true;
                return;
            }
            self.records += 1;
        }
        if self.seen.insert(want.clone()) {
            self.open.push_back(want);
        }
    }

    fn below(&mut self, domain: &Name, labels: &str) {
        if let Ok(name) = domain.prepend(labels) {
            self.want(Want::Texts(name));
        }
    }

    /// Asks what is open; what was asked stays so, and each answer is looked at once.
    pub(super) fn run(&mut self, log: &mut Log, at_hand: AtHand<'_>) -> Run<()> {
        let mut known = Known::going_on(log, at_hand, Part::Lint, self.left);
        let mut waiting = VecDeque::new();
        while let Some(want) = self.open.pop_front() {
            if self.octets > MAX_OCTETS || known.left().questions == 0 {
                self.gathered.is_cut = true;
                self.open.clear();
                break;
            }
            if self.step(&mut known, &want).is_err() {
                waiting.push_back(want);
            }
        }
        self.left = known.left();
        self.open = waiting;
        if self.open.is_empty() { Run::Done(()) } else { Run::Waits }
    }

    fn step(&mut self, known: &mut Known<'_>, want: &Want) -> Result<(), Unknown> {
        match want {
            Want::Spf(name) => {
                if let Some(record) = self.record(known, name)? {
                    self.terms(&record, name);
                }
            }
            Want::Root(name) => match self.record(known, name)? {
                Some(record) => self.terms(&record, name),
                None => {
                    places_of_spf(name).into_iter().for_each(|place| self.want(Want::Texts(place)));
                    // What would be offered in its place is looked at as well.
                    let mended = known.read_txt(name, |answer| mended(answer.ok().map(Answer::records)))?;
                    if let Some(record) = mended.and_then(|text| Record::parse(text.as_bytes()).ok()) {
                        self.terms(&record, name);
                    }
                }
            },
            Want::Texts(name) => {
                self.octets += known.read_txt(name, texts_len)?;
            }
            Want::Hosts(name) => {
                if let Ok(Answer::Records(hosts)) = known.mx(name)? {
                    for host in hosts.iter().take(MAX_HOSTS).filter(|mx| mx.exchange.label_count() > 0) {
                        self.want(Want::Addresses(host.exchange.clone()));
                        if host.exchange.is_at_or_below(self.domain.as_name()) {
                            self.want(Want::Texts(host.exchange.clone()));
                        }
                    }
                }
            }
            Want::Addresses(name) => {
                let ip4 = known.read_a(name, is_gone);
                known.read_aaaa(name, |_| ())?;
                let is_gone = ip4?;
                self.above(name, is_gone);
            }
            Want::Ip4(name) => {
                let is_gone = known.read_a(name, is_gone)?;
                self.above(name, is_gone);
            }
            Want::Names(ip) => {
                if let Ok(Answer::Records(names)) = known.ptr(*ip)? {
                    for name in names.iter().take(MAX_NAMES) {
                        self.want(Want::Addresses(name.clone()));
                        self.want(Want::Texts(name.clone()));
                    }
                }
            }
            Want::Dmarc => self.dmarc(known)?,
            Want::Destinations => self.destinations(known)?,
        }
        Ok(())
    }

    /// The one SPF record at a name.
    fn record(&mut self, known: &mut Known<'_>, name: &Name) -> Result<Option<SharedRecord>, Unknown> {
        let (octets, record, is_gone) = known.read_txt(name, |answer| {
            let record = match answer {
                Ok(Answer::Records(texts)) => find_record(texts, MAX_RECORD).record.and_then(Result::ok),
                Ok(Answer::NoData(_) | Answer::NxDomain(_)) | Err(_) => None,
            };
            (texts_len(answer), record, is_gone(answer))
        })?;
        self.octets += octets;
        self.above(name, is_gone);
        Ok(record)
    }

    /// What the terms of a record ask for, whoever the client is.
    fn terms(&mut self, record: &Record, domain: &Name) {
        let all = record.directives.iter().position(|directive| directive.mechanism == Mechanism::All);
        let directives = record.directives.iter().take(all.unwrap_or(MAX_TERMS).min(MAX_TERMS));
        self.gathered.is_cut |= all.unwrap_or(record.directives.len()) > MAX_TERMS;
        for directive in directives {
            self.directive(&directive.mechanism, domain);
        }
        if let Some(target) = record.effective_redirect().map(Term::Redirect).and_then(record_target) {
            self.target(target, domain, Want::Spf);
        }
        if let Some(exp) = &record.exp {
            self.target(&exp.domain, domain, Want::Texts);
        }
    }

    fn directive(&mut self, mechanism: &Mechanism, domain: &Name) {
        let mut of_host = |host: &HostSpec, want: fn(Name) -> Want| match &host.domain {
            Some(spec) => self.target(spec, domain, want),
            None => self.want(want(domain.clone())),
        };
        match mechanism {
            Mechanism::Include(spec) => self.target(spec, domain, Want::Spf),
            Mechanism::A(host) => of_host(host, Want::Addresses),
            Mechanism::Mx(host) => of_host(host, Want::Hosts),
            Mechanism::Exists(spec) => self.target(spec, domain, Want::Ip4),
            Mechanism::All | Mechanism::Ptr(_) | Mechanism::Ip4(_) | Mechanism::Ip6(_) => {}
        }
    }

    /// Of a term in the record of a domain.
    fn target(&mut self, spec: &DomainSpec, domain: &Name, want: fn(Name) -> Want) {
        if let Some(name) = spec.target_in(domain) {
            let name = name.into_owned();
            self.want(want(name.clone()));
            // A host of the domain's own may say in HELO who it is.
            if matches!(want(name.clone()), Want::Addresses(_)) && name.is_at_or_below(self.domain.as_name()) {
                self.want(Want::Texts(name));
            }
        }
    }

    /// Where a name does not exist: whether the domain does that somebody could register to have it.
    fn above(&mut self, name: &Name, is_gone: bool) {
        if let Some(registrable) = registrable(name).filter(|above| is_gone && above != name) {
            self.want(Want::Ip4(registrable));
        }
    }

    fn dmarc(&mut self, known: &mut Known<'_>) -> Result<(), Unknown> {
        // All steps at once: a domain with a record of its own has most often none above.
        let names = targets(&self.domain).filter_map(|step| step.as_name().prepend("_dmarc").ok());
        let mut are_known = true;
        for name in names {
            are_known &= known.read_txt(&name, |_| ()).is_ok();
        }
        if !are_known {
            return Err(Unknown);
        }
        let walk = tree_walk(known, &self.domain)?;
        match walk.applicable_record() {
            Ok(Some(_)) => self.want(Want::Destinations),
            Ok(None) => {
                places_of_dmarc(self.domain.as_name()).into_iter().for_each(|place| self.want(Want::Texts(place)))
            }
            Err(_) => {}
        }
        self.gathered.walk = Some(walk);
        Ok(())
    }

    fn destinations(&mut self, known: &mut Known<'_>) -> Result<(), Unknown> {
        let Some(walk) = &self.gathered.walk else { return Ok(()) };
        let Ok(Some(published)) = walk.applicable_record() else { return Ok(()) };
        let published = published.clone();
        let aggregate = destinations(known, &published, ReportKind::Aggregate);
        let failure = destinations(known, &published, ReportKind::Failure);
        (self.gathered.aggregate, self.gathered.failure) = (aggregate?, failure?);
        let given = self.gathered.aggregate.iter().chain(&self.gathered.failure);
        let hosts: Vec<Name> =
            given.filter_map(|to| to.uri.host()).take(MAX_HOSTS).map(|host| host.as_name().clone()).collect();
        for host in hosts {
            self.want(Want::Hosts(host.clone()));
            self.want(Want::Addresses(host));
        }
        Ok(())
    }
}

/// The domain that somebody registers to have a name: a label more than a public suffix, as far as these are known.
pub(super) fn registrable(name: &Name) -> Option<Name> {
    let domain = Domain::parse(name.as_str()).ok()?;
    #[cfg(feature = "psl")]
    let suffix = crate::dmarc::PublicSuffixes::suffix_labels(&crate::dmarc::BuiltInSuffixes, &domain);
    #[cfg(not(feature = "psl"))]
    let suffix = 1;
    (domain.label_count() > suffix).then(|| domain.rightmost(suffix + 1).as_name().clone())
}

fn is_gone<T>(answer: Result<&Answer<T>, &LookupError>) -> bool {
    matches!(answer, Ok(Answer::NxDomain(_)))
}

fn texts_len(answer: Result<&Answer<Box<[u8]>>, &LookupError>) -> usize {
    answer.map_or(0, |answer| answer.records().iter().map(|text| text.len()).sum())
}
