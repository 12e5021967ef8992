//! A DNS made from a seed, with records of all kinds at a few names, many of them odd.

use mailverdict::{
    dns::{LookupError, RecordType, Zone},
    name::Name,
};
use std::net::Ipv4Addr;

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
