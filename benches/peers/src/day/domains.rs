//! The 20,000 domains that mail comes from.

use super::{
    random::{Random, Zipf},
    records::{Reader, Records},
    services::{SERVICES, Service, Services, syllables},
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub const DOMAINS: usize = 20_000;

/// Of twenty domains that follow one another in rank, so that chance does not decide about the largest ones.
const OF_TWENTY: usize = 20;
const MICROSOFT_OF_TWENTY: usize = 2;
const GOOGLE_OF_TWENTY: usize = 2;
const DMARC_OF_TWENTY: usize = 12;

/// The share of SPF records with a typing error.
const TYPING_ERRORS: f64 = 0.005;

/// Whose record a domain's record rests on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Microsoft,
    Google,
    Own,
}

pub struct Domain {
    pub name: String,
    pub kind: Kind,
    /// Numbers of the services that it includes.
    pub services: Vec<usize>,
    pub has_dmarc: bool,
    /// The first of its eight addresses.
    own: Ipv4Addr,
    own_v6: Option<Ipv6Addr>,
    /// Whether its SPF record names some of its own addresses.
    names_own: bool,
    /// Whether there is a typing error in its SPF record.
    pub has_typing_error: bool,
    qualifier: char,
}

pub fn published_in(records: &mut Records, services: &Services, seed: u64) -> Vec<Domain> {
    let by_use = Zipf::new(SERVICES);
    let mut domains = Vec::with_capacity(DOMAINS);
    for block in 0..DOMAINS / OF_TWENTY {
        let mut random = Random::of(seed, "twenty domains", block as u64);
        let mut kinds = [Kind::Own; OF_TWENTY];
        kinds[..MICROSOFT_OF_TWENTY].fill(Kind::Microsoft);
        kinds[MICROSOFT_OF_TWENTY..MICROSOFT_OF_TWENTY + GOOGLE_OF_TWENTY].fill(Kind::Google);
        random.shuffle(&mut kinds);
        let mut dmarc = [false; OF_TWENTY];
        dmarc[..DMARC_OF_TWENTY].fill(true);
        random.shuffle(&mut dmarc);
        for (kind, has_dmarc) in kinds.into_iter().zip(dmarc) {
            let rank = domains.len();
            let mut random = Random::of(seed, "domain", rank as u64);
            domains.push(Domain::published_in(records, services, &by_use, &mut random, rank, kind, has_dmarc));
        }
    }
    domains
}

impl Domain {
    fn published_in(
        records: &mut Records,
        all: &Services,
        by_use: &Zipf,
        random: &mut Random,
        rank: usize,
        kind: Kind,
        has_dmarc: bool,
    ) -> Self {
        let top = if random.chance(0.7) { "example" } else { "test" };
        let name = format!("{}{rank}.{top}", syllables(random));
        let own = Ipv4Addr::from_bits(Ipv4Addr::new(172, 16, 0, 0).to_bits() + 8 * rank as u32);
        let has_v6 = random.chance(0.2);
        let own_v6 =
            has_v6.then(|| Ipv6Addr::new(0x2001, 0xdb8, 0x8000 + (rank >> 16) as u16, rank as u16, 0, 0, 0, 1));
        let wanted = match kind {
            Kind::Own => 1 + random.below(6),
            Kind::Microsoft | Kind::Google => usize::from(random.chance(0.3)),
        };
        let mut services: Vec<usize> = Vec::new();
        while services.len() < wanted {
            let service = by_use.rank(random);
            if !services.contains(&service) {
                services.push(service);
            }
        }
        let qualifier = if random.chance(0.5) { '-' } else { '~' };
        let mut domain =
            Self { name, kind, services, has_dmarc, own, own_v6, names_own: false, has_typing_error: false, qualifier };
        domain.publish_hosts(records);
        domain.publish_spf(records, all, random);
        domain.publish_dmarc(records, random);
        domain
    }

    fn own(&self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.own.to_bits() + number)
    }

    /// The web at the domain itself, which sends, too; two mail exchangers; a name for HELO; a subdomain of authors.
    fn publish_hosts(&self, records: &mut Records) {
        let name = &self.name;
        records.host(name, &[self.own(0)], self.own_v6.as_slice());
        for number in 1..=2 {
            records.host(&format!("mx{number}.{name}"), &[self.own(number)], self.own_v6.as_slice());
        }
        records.mx(name, vec![format!("mx1.{name}"), format!("mx2.{name}")]);
        records.host(&format!("mail.{name}"), &[self.own(0)], self.own_v6.as_slice());
        records.host(&format!("news.{name}"), &[self.own(3)], &[]);
    }

    fn publish_spf(&mut self, records: &mut Records, all: &Services, random: &mut Random) {
        let mut terms = vec!["v=spf1".to_owned()];
        let includes = self.services.iter().map(|service| &all.services[*service].include);
        match self.kind {
            Kind::Microsoft => terms.push(format!("include:{}", all.microsoft.include)),
            Kind::Google => terms.push(format!("include:{}", all.google.include)),
            Kind::Own => {
                let (a, mx, ip4) = (random.chance(0.4), random.chance(0.5), random.chance(0.4));
                terms.extend(a.then(|| "a".into()));
                terms.extend(mx.then(|| "mx".into()));
                terms.extend(ip4.then(|| format!("ip4:{}/29", self.own)));
                self.names_own = a || mx || ip4;
            }
        }
        terms.extend(includes.map(|include| format!("include:{include}")));
        terms.push(format!("{}all", self.qualifier));
        self.has_typing_error = random.chance(TYPING_ERRORS);
        if self.has_typing_error {
            terms.insert(1, "ip4:192.0.2.256".into());
        }
        records.publish(&self.name, Reader::Spf, terms.join(" "));
        if random.chance(0.3) {
            records.publish(&format!("mail.{}", self.name), Reader::Spf, "v=spf1 a -all");
        }
        // Bounces of a subdomain go where most of its mail comes from.
        let includes = terms.iter().find(|term| term.starts_with("include:")).expect("there is one");
        let own = if self.names_own { format!("ip4:{}/29 ", self.own) } else { String::new() };
        records.publish(&format!("bounce.{}", self.name), Reader::Spf, format!("v=spf1 {own}{includes} ~all"));
    }

    fn publish_dmarc(&self, records: &mut Records, random: &mut Random) {
        if self.has_dmarc {
            let policy = *random.among(&["none", "none", "quarantine", "reject"]);
            let sp = if random.chance(0.2) { "; sp=quarantine" } else { "" };
            let strict = if random.chance(0.1) { "; adkim=s" } else { "" };
            let name = &self.name;
            let ruf = if random.chance(0.4) { format!("; ruf=mailto:dmarc@{name}; fo=1") } else { String::new() };
            let text = format!("v=DMARC1; p={policy}{sp}{strict}; rua=mailto:dmarc-rua@{name}{ruf}");
            records.publish(&format!("_dmarc.{name}"), Reader::Dmarc, text);
        }
    }

    /// The address and the HELO of its client with this number, which stay the same.
    pub fn client(&self, all: &Services, rank: usize, number: u64, is_fresh: bool, seed: u64) -> (IpAddr, String) {
        let mut random = Random::of(seed ^ rank as u64, "client", number);
        if self.names_own && !is_fresh && random.chance(0.35) {
            return (self.own(random.below(3) as u32).into(), format!("mail.{}", self.name));
        }
        self.sender(all, &mut random).client(&mut random)
    }

    /// Who sends for it: mostly the one that it includes first.
    fn sender<'a>(&self, all: &'a Services, random: &mut Random) -> &'a Service {
        let first = match self.kind {
            Kind::Microsoft => Some(&all.microsoft),
            Kind::Google => Some(&all.google),
            Kind::Own => None,
        };
        if let Some(first) = first.filter(|_| self.services.is_empty() || random.chance(0.9)) {
            return first;
        }
        let at = if random.chance(0.5) { 0 } else { random.below(self.services.len()) };
        &all.services[self.services[at]]
    }
}
