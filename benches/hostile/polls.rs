//! How long a single poll of SPF can be made to take, whatever the whole of it takes: for so long its thread serves no other message.

use super::{
    late::{Arrival, Late},
    name, now, processor_time,
};
use mailverdict::{
    Authenticator, Session,
    dns::{Resolver, Zone},
    spf::Observers,
};
use std::{
    fmt::Write as _,
    future::{Future, poll_fn},
    hint::black_box,
    net::Ipv4Addr,
    pin::pin,
    time::{Duration, Instant},
};

/// The most that a poll may take at size 2n.
pub(crate) const MAX_POLL: Duration = Duration::from_millis(5);

/// Octets of a record at size n: at 2n it is about as large as the DNS allows.
const LARGE: usize = 32_000;

/// Records of n octets, and who sends.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    make: fn(usize) -> (Zone, Session),
}

/// When answers are there: at once, all that are waited for together after a while, or one after another.
pub(crate) const ARRIVALS: [(&str, Option<Arrival>); 3] =
    [("at hand", None), ("late", Some(Arrival::Together)), ("late, one by one", Some(Arrival::First))];

/// As long as RFC 5321 §4.5.3.1.1 allows a local part to be, and as long as one may be to be evaluated.
const LOCAL_PART: usize = 64;
const LONGEST_LOCAL_PART: usize = 256;

pub(crate) const CASES: &[Case] = &[
    Case { name: "includes, a:%{l}.x", size: LARGE, make: |n| includes(n, "a:%{l}.x ", &"l".repeat(LOCAL_PART)) },
    Case {
        name: "the same, long local part",
        size: LARGE,
        make: |n| includes(n, "a:%{l}.x ", &"l".repeat(LONGEST_LOCAL_PART)),
    },
    Case {
        name: "the same, not ASCII",
        size: LARGE,
        make: |n| includes(n, "a:%{l}.x ", &"é".repeat(LONGEST_LOCAL_PART / 2)),
    },
    Case { name: "the same, too long", size: LARGE, make: |n| includes(n, "a:%{l}.x ", &"l".repeat(1_000_000)) },
    Case {
        name: "includes, a:%{Lr-}..x",
        size: LARGE,
        make: |n| includes(n, "a:%{Lr-}..x ", &"!-".repeat(LONGEST_LOCAL_PART / 2)),
    },
    Case { name: "includes, a:%{l}..x", size: LARGE, make: |n| includes(n, "a:%{l}..x ", "l") },
    Case { name: "includes, exists:%{h}.x", size: LARGE, make: |n| includes(n, "exists:%{h}.x ", "l") },
    Case { name: "includes, exists:%{d}..x", size: LARGE, make: |n| includes(n, "exists:%{d}..x ", "l") },
    Case { name: "ip4 and includes", size: LARGE, make: |n| ten(n, "", "ip4:198.51.100.1 ", "include:", "l") },
    Case { name: "redirects, a:%{l}..x", size: LARGE, make: |n| ten(n, "", "a:%{l}..x ", "redirect=", "l") },
    Case { name: "redirects, exists:%{h}..x", size: LARGE, make: |n| ten(n, "", "exists:%{h}..x ", "redirect=", "l") },
    Case { name: "ip4 and redirects", size: LARGE, make: |n| ten(n, "", "ip4:198.51.100.1 ", "redirect=", "l") },
    // Of a tenth, both sizes are read ahead; of the whole, neither is: between them, one more answer is waited for with each record.
    Case { name: "includes side by side, a:%{l}..x", size: 7_500, make: |n| side_by_side(n, "a:%{l}..x ") },
    Case { name: "includes side by side, ip4", size: 10_000, make: |n| side_by_side(n, "ip4:198.51.100.1 ") },
    Case { name: "terms of macros, short local part", size: LARGE, make: |n| macros(n, "%{l1-}", "-") },
    Case {
        name: "terms of macros, long local part",
        size: LARGE,
        make: |n| macros(n, "%{l1-}", &"-".repeat(LONGEST_LOCAL_PART)),
    },
    Case { name: "exists:%{h}..x, long HELO", size: LARGE, make: |n| long_helo(n, 1020) },
    Case { name: "exists:%{h}..x, HELO too long", size: LARGE, make: |n| long_helo(n, 1_000_000) },
    Case { name: "addresses of hosts of mx, names of %{p}", size: 2_000, make: many_addresses },
    Case { name: "explanation of macros", size: LARGE, make: |n| explanation(n, "%{S1-}") },
    Case { name: "explanation of escapes", size: LARGE, make: |n| explanation(n, "%%") },
    // At 2n as large as records may be to be read.
    Case {
        name: "ten records, a:%{l}.x",
        size: 2_300,
        make: |n| includes(n, "a:%{l}.x ", &"l".repeat(LONGEST_LOCAL_PART)),
    },
    Case { name: "ten records, a:x.x", size: 1_700, make: |n| includes(n, "a:x.x ", "l") },
    Case { name: "ten records, mx", size: 1_000, make: |n| includes(n, "mx ", "l") },
    Case { name: "ten records, x=", size: 1_000, make: |n| includes(n, "x= ", "l") },
    Case { name: "ten records, ip4", size: 2_900, make: |n| ten(n, "", "ip4:198.51.100.1 ", "include:", "l") },
    Case {
        name: "ten records, redirects behind ip4",
        size: 2_900,
        make: |n| ten(n, "", "ip4:198.51.100.1 ", "redirect=", "l"),
    },
    Case { name: "ten records, terms of macros", size: 6_400, make: |n| macros(n, "%{l1-}", "-") },
    Case { name: "ten records, terms of escapes", size: 6_400, make: |n| macros(n, "%%", "-") },
    Case { name: "ten records side by side, a:x.x", size: 1_700, make: |n| side_by_side(n, "a:x.x ") },
    Case { name: "ten records side by side, x=", size: 1_000, make: |n| side_by_side(n, "x= ") },
    Case { name: "one record, a:x.x", size: 17_000, make: |n| one(n, "a:x.x ") },
    Case { name: "one record, mx", size: 10_000, make: |n| one(n, "mx ") },
    Case { name: "one record, x=", size: 10_000, make: |n| one(n, "x= ") },
];

/// What one evaluation takes of the processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    /// Its longest poll.
    pub(crate) poll: Duration,
    /// All of its polls.
    pub(crate) all: Duration,
}

impl Took {
    pub(crate) const MAX: Self = Self { poll: Duration::MAX, all: Duration::MAX };

    /// What was disturbed least.
    pub(crate) fn min(self, other: Self) -> Self {
        Self { poll: self.poll.min(other.poll), all: self.all.min(other.all) }
    }
}

impl Case {
    /// Checks both identities, each time as if for the first time.
    pub(crate) fn made(&self, n: usize, arrival: Option<Arrival>) -> Box<dyn Fn() -> Took> {
        let (zone, session) = (self.make)(n);
        Box::new(move || match arrival {
            None => now(check(&zone, &session)),
            Some(arrival) => {
                let late = Late::new(&zone);
                late.run(arrival, check(&late, &session)).0
            }
        })
    }
}

async fn check<R: Resolver>(resolver: R, session: &Session) -> Took {
    let authenticator = Authenticator::new(resolver);
    let mut observers = Observers { helo: (), mail_from: () };
    let mut check = pin!(authenticator.check_spf(session, &mut observers));
    let mut took = Took { poll: Duration::ZERO, all: Duration::ZERO };
    black_box(
        poll_fn(|cx| {
            let (processor, clock) = (processor_time(), Instant::now());
            let polled = check.as_mut().poll(cx);
            let poll = match (processor, processor_time()) {
                (Some(before), Some(now)) => now.saturating_sub(before),
                _ => clock.elapsed(),
            };
            took = Took { poll: took.poll.max(poll), all: took.all + poll };
            polled
        })
        .await,
    );
    took
}

/// Each identity has records of its own.
const IDENTITIES: [&str; 2] = ["helo", "from"];

const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn session(local_part: &str) -> Session {
    Session::new(CLIENT).with_helo("r0.helo.example").with_mail_from(&format!("{local_part}@r0.from.example"))
}

fn record(n: usize, first: &str, term: &str, last: &str) -> String {
    format!("v=spf1 {first}{}{last}", term.repeat(n.saturating_sub(first.len() + last.len() + 7) / term.len()))
}

/// Ten records, each leading to the next by its first or last term.
fn ten(n: usize, first: &str, term: &str, last: &str, local_part: &str) -> (Zone, Session) {
    let mut zone = Zone::new();
    for identity in IDENTITIES {
        for at in 0..10 {
            let next = format!("r{}.{identity}.example ", at + 1);
            let leading = |to: &str| if to.is_empty() { String::new() } else { format!("{to}{next}") };
            let text = record(n, &leading(first), term, &leading(last));
            zone.add_txt(&name(&format!("r{at}.{identity}.example")), text.into_bytes());
        }
    }
    (zone, session(local_part))
}

fn includes(n: usize, term: &str, local_part: &str) -> (Zone, Session) {
    ten(n, "include:", term, "", local_part)
}

/// A record that includes nine others, whose answers arrive together.
fn side_by_side(n: usize, term: &str) -> (Zone, Session) {
    let mut zone = Zone::new();
    for identity in IDENTITIES {
        let mut first = String::new();
        for at in 1..10 {
            write!(first, "include:r{at}.{identity}.example ").unwrap();
            zone.add_txt(&name(&format!("r{at}.{identity}.example")), record(n, "?all ", term, "").into_bytes());
        }
        zone.add_txt(&name(&format!("r0.{identity}.example")), record(n, &first, term, "").into_bytes());
    }
    (zone, session("l"))
}

/// Ten records, each with one term of as many macros as it can hold.
fn macros(n: usize, part: &str, local_part: &str) -> (Zone, Session) {
    let mut zone = Zone::new();
    for identity in IDENTITIES {
        for at in 0..10 {
            let first = format!("include:r{}.{identity}.example exists:", at + 1);
            let text = record(n, &first, part, "x.x");
            zone.add_txt(&name(&format!("r{at}.{identity}.example")), text.into_bytes());
        }
    }
    (zone, session(local_part))
}

/// A record alone.
fn one(n: usize, term: &str) -> (Zone, Session) {
    let mut zone = Zone::new();
    for identity in IDENTITIES {
        zone.add_txt(&name(&format!("r0.{identity}.example")), record(n, "", term, "-all").into_bytes());
    }
    (zone, session("l"))
}

fn long_helo(n: usize, octets: usize) -> (Zone, Session) {
    let (zone, session) = includes(n, "exists:%{h}..x ", "l");
    (zone, session.with_helo(&"a-".repeat(octets / 2)))
}

/// Ten hosts of each `mx` and ten names of the client, each with n addresses; the client's is not among them.
fn many_addresses(n: usize) -> (Zone, Session) {
    let mut zone = Zone::new();
    for identity in IDENTITIES {
        let mut text = "v=spf1 ".to_owned();
        for at in 0..4 {
            write!(text, "mx:m{at}.{identity}.example exists:%{{p}}.x.example ").unwrap();
            for host in 0..10 {
                zone.add_mx(&name(&format!("m{at}.{identity}.example")), host, name(&format!("h{host}.example")));
            }
        }
        zone.add_txt(&name(&format!("r0.{identity}.example")), text.into_bytes());
    }
    for host in 0..10 {
        let host = name(&format!("h{host}.example"));
        zone.add_ptr(CLIENT.into(), host.clone());
        (0..n).for_each(|at| _ = zone.add_a(&host, Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(at).unwrap())));
    }
    (zone, session("l"))
}

fn explanation(n: usize, part: &str) -> (Zone, Session) {
    let mut zone = Zone::new();
    for identity in IDENTITIES {
        let text = format!("v=spf1 -all exp=exp.{identity}.example");
        zone.add_txt(&name(&format!("r0.{identity}.example")), text.into_bytes());
        zone.add_txt(&name(&format!("exp.{identity}.example")), part.repeat(n / part.len()).into_bytes());
    }
    (zone, session(&"-".repeat(LONGEST_LOCAL_PART)))
}
