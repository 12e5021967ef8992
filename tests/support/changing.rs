//! A DNS whose records change from message to message, and whose answers are late at times.

use mailverdict::{
    dns::{AnyAnswer, Lookup, LookupError, Mx, Question, RecordType, Resolver, Zone, reverse_name},
    name::Name,
};
use std::{
    future::poll_fn,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
};

/// xorshift64, so that a failure can be repeated.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }
    pub(crate) fn pick<'t, T: ?Sized>(&mut self, of: &[&'t T]) -> &'t T {
        of[self.below(of.len())]
    }
}

pub(crate) const DOMAINS: [&str; 6] = ["a.test", "b.test", "c.test", "x.a.test", "y.x.a.test", "z.b.test"];

/// Several editions of a zone, one of which is in force.
pub(crate) struct Changing {
    zones: Vec<Zone>,
    current: AtomicUsize,
    /// How many answers of a hundred are late.
    late: AtomicUsize,
    salt: AtomicUsize,
    confirmed: AtomicUsize,
    /// Whether it tells its revision.
    tells: bool,
}

impl Changing {
    pub(crate) fn new(random: &mut Random) -> Self {
        let first = zone(random);
        let changed = |random: &mut Random| {
            let (mut zone, domain) = (first.clone(), name(random.pick(&DOMAINS)));
            match random.below(4) {
                0 => zone.add_txt(&domain, spf_record(random).into_bytes()),
                1 => zone.add_a(&domain, Ipv4Addr::new(192, 0, 2, 1)),
                2 => zone.add_txt(&domain.prepend("_dmarc").unwrap(), *b"v=DMARC1; p=none"),
                _ => zone.plant(&domain, RecordType::Txt, LookupError::Refused),
            };
            zone
        };
        let zones = vec![first.clone(), changed(random), changed(random)];
        let [current, late, salt, confirmed] = [const { AtomicUsize::new(0) }; 4];
        Self { zones, current, late, salt, confirmed, tells: random.below(2) == 0 }
    }

    /// Now and then another zone, and other answers that are late.
    pub(crate) fn change(&self, random: &mut Random) {
        let zone = if random.below(4) == 0 { random.below(self.zones.len()) } else { 0 };
        self.current.store(zone, Ordering::Relaxed);
        self.late.store([0, 0, 0, 20, 60][random.below(5)], Ordering::Relaxed);
        self.salt.store(random.below(1000), Ordering::Relaxed);
    }

    pub(crate) fn confirmed(&self) -> usize {
        self.confirmed.load(Ordering::Relaxed)
    }

    fn zone(&self) -> &Zone {
        &self.zones[self.current.load(Ordering::Relaxed)]
    }

    /// How often the answer is not yet there.
    fn polls(&self, name: &Name, record_type: RecordType) -> u64 {
        let mut hasher = DefaultHasher::new();
        (name, record_type, self.salt.load(Ordering::Relaxed)).hash(&mut hasher);
        let hash = hasher.finish();
        if hash % 100 < self.late.load(Ordering::Relaxed) as u64 { 1 + (hash >> 20) % 7 } else { 0 }
    }

    async fn arrival(&self, name: &Name, record_type: RecordType) {
        let mut left = self.polls(name, record_type);
        poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

impl Resolver for Changing {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        self.arrival(name, RecordType::Txt).await;
        self.zone().txt(name).await
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.arrival(name, RecordType::A).await;
        self.zone().a(name).await
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.arrival(name, RecordType::Aaaa).await;
        self.zone().aaaa(name).await
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        self.arrival(name, RecordType::Mx).await;
        self.zone().mx(name).await
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.arrival(&reverse_name(ip), RecordType::Ptr).await;
        self.zone().ptr(ip).await
    }
    fn confirms(&self, question: &Question, answer: &AnyAnswer) -> bool {
        let is_at_hand = self.polls(&question.name, question.record_type) == 0;
        let confirms = is_at_hand && self.zone().confirms(question, answer);
        self.confirmed.fetch_add(usize::from(confirms), Ordering::Relaxed);
        confirms
    }
    fn revision(&self) -> Option<u64> {
        let late = self.late.load(Ordering::Relaxed);
        // Which answers are late matters where some are.
        let salt = if late == 0 { 0 } else { self.salt.load(Ordering::Relaxed) };
        let mut hasher = DefaultHasher::new();
        (self.zone().revision(), late, salt).hash(&mut hasher);
        self.tells.then(|| hasher.finish())
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn spf_record(random: &mut Random) -> String {
    let mut record = "v=spf1".to_owned();
    for _ in 0..random.below(4) {
        let (domain, qualifier) = (random.pick(&DOMAINS), random.pick(&["", "-", "~", "?"]));
        let term = random.pick(&[
            "include:D",
            "a",
            "a:D",
            "mx",
            "mx:D",
            "ptr",
            "exists:%{l}.D",
            "include:%{o}",
            "ip4:192.0.2.1",
            "exists:%{i}.D",
            "exists:%{h}",
            "a:%{p}",
            "include:%{d2}",
            "exists:%{p}.D",
            "a:%{s}.D/24",
            "ip6:2001:db8::/32",
        ]);
        record.push_str(&format!(" {qualifier}{}", term.replace('D', domain)));
    }
    let end =
        random.pick(&["", " -all", " ~all", " redirect=D", " -all exp=exp.D", " -all exp=%{l}.D", " redirect=%{p}"]);
    record + &end.replace('D', random.pick(&DOMAINS))
}

/// With records of all kinds at a few names.
pub(crate) fn zone(random: &mut Random) -> Zone {
    let mut zone = Zone::new();
    for text in DOMAINS {
        let domain = name(text);
        let below = |label: &str| domain.prepend(label).unwrap();
        let records = [0, 1, 1, 1, 1, 2][random.below(6)];
        for _ in 0..records {
            zone.add_txt(&domain, spf_record(random).into_bytes());
        }
        if random.below(3) == 0 {
            let why = random.pick(&["no %{l}", "no %{i}", "%{p} no", "no \u{7}", "x %{h}", "%{t}"]);
            zone.add_txt(&below("exp"), why.as_bytes());
        }
        if random.below(3) == 0 {
            zone.add_txt(&below("u"), *b"why %{s}").add_a(&below("u"), Ipv4Addr::new(127, 0, 0, 2));
        }
        if random.below(2) == 0 {
            zone.add_a(&domain, Ipv4Addr::new(192, 0, 2, [1, 2, 3][random.below(3)]));
        }
        if random.below(2) == 0 {
            zone.add_aaaa(&domain, "2001:db8::1".parse().unwrap());
        }
        for _ in 0..random.below(3) {
            zone.add_mx(&domain, 10, name(random.pick(&DOMAINS)));
        }
        if random.below(3) == 0 {
            let policy = random.pick(&["none", "reject", "quarantine"]);
            let psd = random.pick(&["", "; psd=y", "; psd=n", "; adkim=s; aspf=s"]);
            let np = random.pick(&["", "; np=reject", "; sp=none; np=reject"]);
            zone.add_txt(&below("_dmarc"), format!("v=DMARC1; p={policy}{psd}{np}").into_bytes());
        }
        if random.below(10) == 0 {
            let record_type = [RecordType::Txt, RecordType::A, RecordType::Mx][random.below(3)];
            zone.plant(&domain, record_type, LookupError::Timeout);
        }
        if random.below(10) == 0 {
            zone.plant(&below("_dmarc"), RecordType::Txt, LookupError::ServerFailure);
        }
    }
    if random.below(3) == 0 {
        zone.add_a(&name(random.pick(&DOMAINS)).prepend("*").unwrap(), Ipv4Addr::new(127, 0, 0, 1));
    }
    if random.below(3) == 0 {
        zone.add_txt(&name("_dmarc.test"), *b"v=DMARC1; p=reject; psd=y; np=reject");
    }
    if random.below(4) == 0 {
        zone.add_cname(&name("alias.test"), name("a.test"));
    }
    for ip in ["192.0.2.1", "2001:db8::1"] {
        for _ in 0..random.below(3) {
            zone.add_ptr(ip.parse().unwrap(), name(random.pick(&DOMAINS)));
        }
    }
    zone
}
