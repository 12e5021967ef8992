//! The messages of the day, apart from their bodies: what each domain writes, signed, and for some of it sealed by forwarders.

use super::{
    bodies::Body,
    domains::{DOMAINS, Domain},
    header::{Header, header},
    keyring::{Algorithm, DayKey, Keyring},
    random::{Random, Zipf},
    records::Reader,
    services::{FORWARDERS, SERVICES, Services},
};
use crate::sign::{Canonicalization, arc_set, dkim_field};

/// Numbers of keys: those of domains, services, forwarders, and of the subdomains of domains.
const OF_SERVICES: usize = DOMAINS;
const OF_FORWARDERS: usize = OF_SERVICES + SERVICES;
const OF_SUBDOMAINS: usize = OF_FORWARDERS + FORWARDERS;

/// What is wrong with a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// Lines were added to the body after it was signed.
    Footer,
    /// The subject was changed after it was signed.
    Subject,
    /// A signature names a key that does not exist.
    NoKey,
    /// It comes from where nothing of its domain comes from.
    Stranger,
}

/// How often each is seen: 5 % are broken.
const FAULTS: [(Fault, f64); 5] = [
    (Fault::Nothing, 0.95),
    (Fault::Footer, 0.02),
    (Fault::Subject, 0.01),
    (Fault::NoKey, 0.01),
    (Fault::Stranger, 0.01),
];
/// How often a message has no signature, one, two and three: 1.4 on an average.
const SIGNATURES: [f64; 4] = [0.08, 0.52, 0.32, 0.08];
const FORWARDED: f64 = 0.08;
const FROM_SUBDOMAINS: f64 = 0.20;
const FOOTER: &str =
    "_______________________________________________\r\nA list of people\r\nhttps://lists.example.org/\r\n";

pub struct Letter {
    header: String,
    body: usize,
    pub fault: Fault,
    pub signatures: usize,
    /// ARC sets.
    pub sets: usize,
    /// The one that has it sent, where it was forwarded.
    pub forwarder: Option<usize>,
    pub is_from_subdomain: bool,
    /// The domain of the reverse-path.
    pub mail_from: String,
}

impl Letter {
    /// What arrives, in pieces.
    fn pieces<'a>(&'a self, bodies: &'a [Body]) -> [&'a str; 4] {
        let footer = if self.fault == Fault::Footer { FOOTER } else { "" };
        [&self.header, "\r\n", &bodies[self.body].text, footer]
    }

    /// The octets that arrive.
    pub fn raw(&self, bodies: &[Body]) -> String {
        self.pieces(bodies).concat()
    }

    pub fn octets(&self, bodies: &[Body]) -> usize {
        self.pieces(bodies).iter().map(|piece| piece.len()).sum()
    }
}

/// All letters of a domain, and the key records that they need.
pub struct Written {
    pub letters: Vec<Letter>,
    pub records: Vec<(String, Reader, String)>,
}

/// What letters are written with.
pub struct Office<'a> {
    pub seed: u64,
    pub ring: &'a Keyring,
    pub bodies: &'a [Body],
    pub services: &'a Services,
    pub by_use: Zipf,
}

impl Office<'_> {
    /// So many letters of this domain.
    pub fn write(&self, domain: &Domain, rank: usize, count: usize) -> Written {
        let mut records = Vec::new();
        let letters = (0..count).map(|number| self.letter(domain, rank, number, &mut records)).collect();
        Written { letters, records }
    }

    fn letter(
        &self,
        domain: &Domain,
        rank: usize,
        number: usize,
        records: &mut Vec<(String, Reader, String)>,
    ) -> Letter {
        let mut random = Random::of(self.seed ^ rank as u64, "letter", number as u64);
        let random = &mut random;
        let signatures = random.weighted(&SIGNATURES);
        let mut fault = FAULTS[random.weighted(&FAULTS.map(|(_, share)| share))].0;
        if signatures == 0 && fault != Fault::Nothing {
            fault = Fault::Stranger;
        }
        let is_from_subdomain = random.chance(FROM_SUBDOMAINS);
        let author = if is_from_subdomain { format!("news.{}", domain.name) } else { domain.name.clone() };
        let body = random.below(self.bodies.len());
        let content_type = &self.bodies[body].content_type;
        let mut header = header(&Header { author: &author, host: &domain.name, content_type }, random);
        let signs_below = is_from_subdomain && random.chance(0.5);
        for signature in 0..signatures {
            let mut key = match signature {
                0 if signs_below => self.ring.key(&author, OF_SUBDOMAINS + rank, Algorithm::any(random)),
                0 => self.ring.key(&domain.name, rank, Algorithm::any(random)),
                _ => self.of_service(domain, signature, random),
            };
            if fault == Fault::NoKey && signature == 0 {
                key = key.unpublished();
            } else {
                let (name, text) = key.record();
                records.push((name, Reader::DomainKey, text));
            }
            let how = if random.chance(0.85) { Canonicalization::Relaxed } else { Canonicalization::Simple };
            header = dkim_field(&header, &key, how, self.bodies[body].hash(how)) + &header;
        }
        let mut mail_from = domain.name.clone();
        if is_from_subdomain && random.chance(0.6) {
            mail_from = format!("bounce.{}", domain.name);
        }
        let mut forwarder = None;
        let sets = if random.chance(FORWARDED) { 1 + random.below(2) } else { 0 };
        for instance in 1..=sets {
            let number = random.below(FORWARDERS);
            let key =
                self.ring.key(&self.services.forwarders[number].domain, OF_FORWARDERS + number, Algorithm::Rsa2048);
            let (name, text) = key.record();
            records.push((name, Reader::DomainKey, text));
            let hash = self.bodies[body].hash(Canonicalization::Relaxed);
            header = arc_set(&header, &key, instance, hash) + &header;
            forwarder = Some(number);
        }
        // Every second forwarder writes its own domain into the reverse-path.
        if let Some(number) = forwarder.filter(|number| number % 2 == 0) {
            mail_from.clone_from(&self.services.forwarders[number].domain);
        }
        if fault == Fault::Subject {
            header = header.replacen("\nSubject: ", "\nSubject: [EXTERNAL] ", 1);
        }
        Letter { header, body, fault, signatures, sets, forwarder, is_from_subdomain, mail_from }
    }

    /// The second signature is that of the service which sends, where there is one.
    fn of_service(&self, domain: &Domain, signature: usize, random: &mut Random) -> DayKey<'_> {
        let number = match domain.services.first().filter(|_| signature == 1) {
            Some(number) => *number,
            None => self.by_use.rank(random),
        };
        self.ring.key(&self.services.services[number].domain, OF_SERVICES + number, Algorithm::any(random))
    }
}
