//! Who sends what, from where and when.

use super::{
    bodies::{Body, bodies},
    domains::{self, DOMAINS, Domain, Kind},
    keyring::{Keyring, side_by_side},
    letters::{Fault, Letter, Office},
    random::{Random, Zipf},
    records::Records,
    services::{SERVICES, Services},
};
use std::{net::IpAddr, ops::Range};

/// Seconds of a day.
const DAY: u64 = 86_400;
/// How many messages of this share come from a client that never sent for this domain and never will again.
const FRESH: f64 = 0.14;
/// Clients of a domain beside those, by Zipf: of a provider that sends from many addresses, and of all others.
const MANY_CLIENTS: usize = 4096;
const CLIENTS: usize = 16;

/// A message as it arrives.
pub struct Mail {
    pub number: usize,
    pub raw: String,
    pub ip: IpAddr,
    pub helo: String,
    pub mail_from: String,
    /// Seconds since the start of the day.
    pub at: u64,
    pub signatures: usize,
    pub sets: usize,
}

/// The day before its messages are put together.
pub struct Stream {
    seed: u64,
    pub records: Records,
    services: Services,
    domains: Vec<Domain>,
    bodies: Vec<Body>,
    /// By domain.
    letters: Vec<Vec<Letter>>,
    arrivals: Vec<Arrival>,
}

#[derive(Clone, Copy)]
struct Arrival {
    rank: usize,
    /// Which one of this domain's letters.
    letter: usize,
    client: u64,
    is_fresh: bool,
}

impl Stream {
    pub fn new(seed: u64, messages: usize) -> Self {
        let mut records = Records::new(seed);
        let services = Services::published_in(&mut records, seed);
        let domains = domains::published_in(&mut records, &services, seed);
        let bodies = bodies(seed);
        let (arrivals, counts) = arrivals(seed, messages, &domains);
        let ring = Keyring::open();
        let office = Office { seed, ring: &ring, bodies: &bodies, services: &services, by_use: Zipf::new(SERVICES) };
        let written = side_by_side(DOMAINS, |rank| office.write(&domains[rank], rank, letters(counts[rank])));
        ring.save();
        let mut letters = Vec::with_capacity(DOMAINS);
        for of_domain in written {
            for (name, reader, text) in of_domain.records {
                records.publish(&name, reader, text);
            }
            letters.push(of_domain.letters);
        }
        Self { seed, records, services, domains, bodies, letters, arrivals }
    }

    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// The messages with these numbers, put together.
    pub fn mails(&self, numbers: Range<usize>) -> Vec<Mail> {
        numbers.map(|number| self.mail(number)).collect()
    }

    fn mail(&self, number: usize) -> Mail {
        let letter = self.letter(number);
        let (ip, helo) = self.client(number);
        Mail {
            number,
            raw: letter.raw(&self.bodies),
            ip,
            helo,
            mail_from: format!("bounce-{number}@{}", letter.mail_from),
            at: number as u64 * DAY / self.len() as u64,
            signatures: letter.signatures,
            sets: letter.sets,
        }
    }

    pub fn letter(&self, number: usize) -> &Letter {
        let arrival = self.arrivals[number];
        &self.letters[arrival.rank][arrival.letter]
    }

    /// How many letters were written.
    pub fn letters(&self) -> usize {
        self.letters.iter().map(Vec::len).sum()
    }

    /// The size of a message.
    pub fn octets(&self, number: usize) -> usize {
        self.letter(number).octets(&self.bodies)
    }

    pub fn domain(&self, number: usize) -> &Domain {
        &self.domains[self.arrivals[number].rank]
    }

    /// The client of a message, and its HELO.
    pub fn client(&self, number: usize) -> (IpAddr, String) {
        let arrival = self.arrivals[number];
        let letter = self.letter(number);
        let mut random = Random::of(self.seed, "sender", number as u64);
        if letter.fault == Fault::Stranger {
            let [a, b] = [random.below(256) as u8, random.below(256) as u8];
            return (IpAddr::from([198, 51, a, b]), format!("host-{a}-{b}.unknown.test"));
        }
        match letter.forwarder {
            Some(number) => self.services.forwarders[number].client(&mut random),
            None => {
                let domain = &self.domains[arrival.rank];
                domain.client(&self.services, arrival.rank, arrival.client, arrival.is_fresh, self.seed)
            }
        }
    }
}

/// How many letters a domain writes that sends so many messages: four at least, so that rare ones do not repeat themselves, and
/// more for those that write all day.
fn letters(messages: usize) -> usize {
    messages.min(4 + messages / 40)
}

/// All arrivals, and how many messages each domain sends.
fn arrivals(seed: u64, messages: usize, domains: &[Domain]) -> (Vec<Arrival>, Vec<usize>) {
    let [mut random, mut of_clients] = ["arrivals", "clients"].map(|what| Random::of(seed, what, 0));
    let (of_domains, many, few) = (Zipf::new(DOMAINS), Zipf::new(MANY_CLIENTS), Zipf::new(CLIENTS));
    let mut counts = vec![0; DOMAINS];
    let mut arrivals: Vec<Arrival> = (0..messages)
        .map(|number| {
            let rank = of_domains.rank(&mut random);
            let clients = if domains[rank].kind == Kind::Own { &few } else { &many };
            let is_fresh = of_clients.chance(FRESH);
            let client = if is_fresh { (MANY_CLIENTS + number) as u64 } else { clients.rank(&mut of_clients) as u64 };
            counts[rank] += 1;
            Arrival { rank, letter: counts[rank] - 1, client, is_fresh }
        })
        .collect();
    for arrival in &mut arrivals {
        arrival.letter %= letters(counts[arrival.rank]);
    }
    (arrivals, counts)
}
