//! The mechanisms of RFC 7208 §5, all but `include`.

use super::{
    check_host::CheckHost,
    expand::Target,
    observe::Observe,
    record::{HostSpec, Mechanism},
    term::{Place, Stop},
};
use crate::{
    dns::{Answer, LookupError, reverse_name},
    known::Unknown,
    name::Name,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a host has an address within the prefix of the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Addresses {
    /// There are none.
    Void,
    Other,
    Matching,
}

/// What `%{p}` stands for where no name of the client is valid (RFC 7208 §7.3).
const NO_VALIDATED_DOMAIN: &str = "unknown";

/// Whether a mechanism matches the client, where no question has to be asked to know it.
#[inline]
pub(super) fn at_hand(mechanism: &Mechanism, ip: IpAddr) -> Option<bool> {
    match (mechanism, ip) {
        (Mechanism::Ip4(net), IpAddr::V4(ip)) => Some(same_ip4(ip, net.addr(), net.prefix_len())),
        (Mechanism::Ip6(net), IpAddr::V6(ip)) => Some(same_ip6(ip, net.addr(), net.prefix_len())),
        (Mechanism::Ip4(_), IpAddr::V6(_)) | (Mechanism::Ip6(_), IpAddr::V4(_)) => Some(false),
        (Mechanism::All, _) => Some(true),
        (Mechanism::Include(_) | Mechanism::A(_) | Mechanism::Mx(_) | Mechanism::Ptr(_) | Mechanism::Exists(_), _) => {
            None
        }
    }
}

impl<O: Observe> CheckHost<'_, '_, O> {
    /// Whether a mechanism other than `include` matches.
    pub(super) fn matches(&mut self, mechanism: &Mechanism, place: Place<'_>) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::A(host) => self.a(host, place),
            Mechanism::Mx(host) => self.mx(host, place),
            Mechanism::Ptr(spec) => {
                self.begin_lookup(place)?;
                match self.target(spec.as_ref(), place)? {
                    Target::Name(target) => self.ptr(&target, place),
                    Target::Malformed(..) | Target::NonAsciiLocalPart => Ok(false),
                }
            }
            Mechanism::Exists(spec) => {
                self.begin_lookup(place)?;
                match self.target(Some(spec), place)? {
                    Target::Name(target) => self.exists(&target, place),
                    Target::Malformed(..) | Target::NonAsciiLocalPart => Ok(false),
                }
            }
            Mechanism::Include(_) | Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => {
                Ok(at_hand(mechanism, self.values.ip).unwrap_or_default())
            }
        }
    }

    /// RFC 7208 §5.3
    fn a(&mut self, host: &HostSpec, place: Place<'_>) -> Result<bool, Stop> {
        self.begin_lookup(place)?;
        // §4.8 leaves it open what a malformed target name comes to, here and in the other mechanisms: it does not match, for
        // there is no such name in the DNS.
        let Target::Name(target) = self.target(host.domain.as_ref(), place)? else { return Ok(false) };
        let addresses = self.host_addresses(&target, host)?.map_err(|error| Stop::lookup(&target, error))?;
        self.count_void(addresses == Addresses::Void, place)?;
        Ok(addresses == Addresses::Matching)
    }

    /// RFC 7208 §5.4
    fn mx(&mut self, host: &HostSpec, place: Place<'_>) -> Result<bool, Stop> {
        self.begin_lookup(place)?;
        let Target::Name(target) = self.target(host.domain.as_ref(), place)? else { return Ok(false) };
        let answer = self.known.mx(&target)?.map_err(|error| Stop::lookup(&target, error))?;
        self.count_void(answer.is_void(), place)?;
        // §4.6.4: judged before the first host is asked, for the order of an answer is chance and must not decide.
        self.budget.allow_mx_hosts(answer.records().len()).map_err(|limit| place.exceeded(limit))?;
        let (mut void, mut failure) = (false, None);
        // §5.4: no implicit MX where there are no records.
        for mx in answer.records() {
            // RFC 7505: the null MX is no host.
            if mx.exchange.label_count() == 0 {
                continue;
            }
            match self.host_addresses(&mx.exchange, host)? {
                // §5.4: "If any address matches, the mechanism matches", whatever became of the hosts before it: the order of an
                // answer is chance.
                Ok(Addresses::Matching) => return Ok(true),
                Ok(Addresses::Other) => {}
                Ok(Addresses::Void) => void = true,
                Err(error) => failure = failure.or_else(|| Some(Stop::lookup(&mx.exchange, error))),
            }
        }
        // §5: a host that was not answered for might have matched. So its error comes before a void answer that is one too many.
        if let Some(failure) = failure {
            return Err(failure);
        }
        self.count_void(void, place)?;
        Ok(false)
    }

    /// RFC 7208 §5.5
    fn ptr(&mut self, target: &Name, place: Place<'_>) -> Result<bool, Stop> {
        // §5.5: on a DNS error while doing the PTR lookup the mechanism fails to match.
        let Some(answer) = self.client_names()? else { return Ok(false) };
        self.count_void(answer.is_void(), place)?;
        let (mut void, mut failure) = (false, None);
        for name in answer.records().iter().take(self.budget.ptr_names()) {
            let addresses = self.addresses(name, 32, 128)?;
            // §5.5 says "the <target-name> is a subdomain of a validated domain name" at one place; all the rest of the section,
            // its example included, has it the other way round, and so it is.
            match answered(name, addresses) {
                // §5.5: "If any do, this mechanism matches", whichever name comes first.
                Ok(Some(Addresses::Matching)) if name.is_at_or_below(target) => return Ok(true),
                // §5.5: on a DNS error while doing an address lookup the name is skipped.
                Ok(Some(Addresses::Matching | Addresses::Other) | None) => {}
                Ok(Some(Addresses::Void)) => void = true,
                Err(stop) => failure = failure.or(Some(stop)),
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        self.count_void(void, place)?;
        Ok(false)
    }

    /// RFC 7208 §5.7: A records, even for an IPv6 client.
    fn exists(&mut self, target: &Name, place: Place<'_>) -> Result<bool, Stop> {
        let is_void = self.known.read_a(target, |answer| answer.map(Answer::is_void).map_err(LookupError::clone))?;
        let is_void = is_void.map_err(|error| Stop::lookup(target, error))?;
        self.count_void(is_void, place)?;
        Ok(!is_void)
    }

    fn host_addresses(&mut self, name: &Name, host: &HostSpec) -> Result<Result<Addresses, LookupError>, Unknown> {
        self.addresses(name, host.ip4_prefix_len.bits(), host.ip6_prefix_len.bits())
    }

    /// RFC 7208 §5: A records for an IPv4 client, AAAA records for an IPv6 client.
    fn addresses(
        &mut self,
        name: &Name,
        ip4_prefix: u8,
        ip6_prefix: u8,
    ) -> Result<Result<Addresses, LookupError>, Unknown> {
        match self.values.ip {
            IpAddr::V4(ip) => {
                let found =
                    |answer: &Answer<_>| Addresses::of(answer.records(), |address| same_ip4(ip, *address, ip4_prefix));
                self.known.read_a(name, |answer| answer.map(found).map_err(LookupError::clone))
            }
            IpAddr::V6(ip) => {
                let found =
                    |answer: &Answer<_>| Addresses::of(answer.records(), |address| same_ip6(ip, *address, ip6_prefix));
                self.known.read_aaaa(name, |answer| answer.map(found).map_err(LookupError::clone))
            }
        }
    }

    fn count_void(&mut self, is_void: bool, place: Place<'_>) -> Result<(), Stop> {
        if is_void { self.budget.consume_void().map_err(|limit| place.exceeded(limit)) } else { Ok(()) }
    }

    /// What `%{p}` stands for in a term (RFC 7208 §7.3); its void answers count as the term's own.
    pub(super) fn validated_domain_of_term(&mut self, place: Place<'_>) -> Result<Box<str>, Stop> {
        let (validated, void) = self.validate(place.domain)?;
        self.count_void(void, place)?;
        Ok(validated)
    }

    /// What `%{p}` stands for in an explanation; `None` where it can no longer be found out.
    pub(super) fn validated_domain(&mut self, domain: &Name) -> Result<Option<Box<str>>, Unknown> {
        match self.validate(domain) {
            Ok((validated, _)) => Ok(Some(validated)),
            Err(Stop::Unknown) => Err(Unknown),
            Err(Stop::TempError(_) | Stop::PermError(_)) => Ok(None),
        }
    }

    /// The validated domain name of the client, and whether one of the answers was void.
    fn validate(&mut self, domain: &Name) -> Result<(Box<str>, bool), Stop> {
        let unknown = || NO_VALIDATED_DOMAIN.into();
        let Some(answer) = self.client_names()? else { return Ok((unknown(), false)) };
        let mut void = answer.is_void();
        let mut best: Option<(Rank, &Name)> = None;
        for name in answer.records().iter().take(self.budget.ptr_names()) {
            let rank = Rank::of(name, domain);
            let addresses = self.addresses(name, 32, 128)?;
            match answered(name, addresses)? {
                Some(Addresses::Matching) if best.is_none_or(|(best, _)| rank > best) => best = Some((rank, name)),
                Some(Addresses::Void) => void = true,
                Some(Addresses::Matching | Addresses::Other) | None => {}
            }
        }
        Ok((best.map_or_else(unknown, |(_, name)| name.as_str().into()), void))
    }

    /// The names of the client's address, not yet validated; `None` on a DNS error.
    fn client_names(&mut self) -> Result<Option<Answer<Name>>, Stop> {
        let ip = self.values.ip;
        match self.known.ptr(ip)? {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => answered(&reverse_name(ip), Err(error)),
        }
    }
}

/// The answer; `None` on a DNS error, which RFC 7208 §5.5 and §7.3 pass over. What could not even be asked, because the time or the
/// questions of the message were used up or there is nobody who could ask, is none of these: §4.6.4 makes it a temperror.
fn answered<T>(name: &Name, answer: Result<T, LookupError>) -> Result<Option<T>, Stop> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(
            error @ (LookupError::NoRuntime
            | LookupError::OutOfTime
            | LookupError::OutOfQuestions
            | LookupError::OutOfOctets),
        ) => Err(Stop::lookup(name, error)),
        Err(
            LookupError::Timeout
            | LookupError::ServerFailure
            | LookupError::Refused
            | LookupError::Malformed
            | LookupError::EndlessAliases(_)
            | LookupError::Other(_),
        ) => Ok(None),
    }
}

/// RFC 7208 §7.3: the domain itself before a subdomain before any other name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Other,
    Subdomain,
    Domain,
}

impl Rank {
    fn of(name: &Name, domain: &Name) -> Self {
        match name.is_at_or_below(domain) {
            true if name == domain => Self::Domain,
            true => Self::Subdomain,
            false => Self::Other,
        }
    }
}

impl Addresses {
    fn of<T>(addresses: &[T], matches: impl Fn(&T) -> bool) -> Self {
        if addresses.is_empty() {
            Self::Void
        } else if addresses.iter().any(matches) {
            Self::Matching
        } else {
            Self::Other
        }
    }
}

/// Whether the first `len` bits are the same.
fn same_ip4(a: Ipv4Addr, b: Ipv4Addr, len: u8) -> bool {
    let differing = a.to_bits() ^ b.to_bits();
    differing.checked_shr(32_u32.saturating_sub(u32::from(len))).unwrap_or(0) == 0
}

/// Whether the first `len` bits are the same.
fn same_ip6(a: Ipv6Addr, b: Ipv6Addr, len: u8) -> bool {
    let differing = a.to_bits() ^ b.to_bits();
    differing.checked_shr(128_u32.saturating_sub(u32::from(len))).unwrap_or(0) == 0
}
