//! Looks at domains whose records are as large as the DNS allows, or lead to more without end.

use super::{name, now};
use mailverdict::{
    dns::{Answer, Lookup, Mx, Resolver},
    lint::{Lint, Scope},
    name::{Domain, Name},
};
use std::{
    hint::black_box,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Every name has the text that is made of it.
struct Everywhere<F>(F);

impl<F: Fn(&Name) -> String + Send + Sync> Resolver for Everywhere<F> {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        Ok(Answer::Records([self.0(name).into_bytes().into_boxed_slice()].into()))
    }
    async fn a(&self, _: &Name) -> Lookup<Ipv4Addr> {
        Ok(Answer::Records([Ipv4Addr::new(198, 51, 100, 1)].into()))
    }
    async fn aaaa(&self, _: &Name) -> Lookup<Ipv6Addr> {
        Ok(Answer::Records([Ipv6Addr::LOCALHOST].into()))
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        Ok(Answer::Records((0..20).map(|preference| Mx { preference, exchange: name.clone() }).collect()))
    }
    async fn ptr(&self, _: IpAddr) -> Lookup<Name> {
        Ok(Answer::Records([name("mail.example.com")].into()))
    }
}

fn look(text: impl Fn(&Name) -> String + Send + Sync + 'static) -> Box<dyn Fn()> {
    let lint = Lint::new(Everywhere(text));
    let scope = Scope::of(Domain::parse("example.com").unwrap()).with_selector("s1").unwrap();
    Box::new(move || {
        black_box(now(lint.look(&scope)));
    })
}

/// Of good terms.
pub(crate) fn record(n: usize) -> Box<dyn Fn()> {
    let terms: String = (0..n / 17).map(|at| format!("ip4:1.{}.{}.0/25 ", at / 250, at % 250)).collect();
    look(move |name| if name.as_str() == "example.com" { format!("v=spf1 {terms}-all") } else { "x".to_owned() })
}

/// Of terms with faults, each of which has a correction.
pub(crate) fn broken(n: usize) -> Box<dyn Fn()> {
    let terms = "ipv4:1.2.3.4, ".repeat(n / 14);
    look(move |name| if name.as_str() == "example.com" { format!("v=spf1 {terms}-all;") } else { "x".to_owned() })
}

/// A tree that branches without end: each record includes two others, beside n octets of addresses.
pub(crate) fn tree(n: usize) -> Box<dyn Fn()> {
    let addresses = "ip4:1.2.3.4 ".repeat(n / 12);
    look(move |name| {
        // Names stay short, and go on for longer than anybody looks.
        let number: u64 = name.as_str().split('.').next().and_then(|label| label.get(1..)?.parse().ok()).unwrap_or(1);
        format!("v=spf1 include:n{}.example.com include:n{}.example.com {addresses}-all", 2 * number, 2 * number + 1)
    })
}

/// The same text at every name: a DMARC record, a key, and so on.
pub(crate) fn all(n: usize) -> Box<dyn Fn()> {
    look(move |name| match name.as_str() {
        "example.com" => format!("v=spf1 {}-all", "a:b.example.com mx ".repeat(n / 19)),
        name if name.starts_with("_dmarc") => format!("v=DMARC1; p=none; rua={}", "mailto:a@b.example,".repeat(n / 19)),
        name if name.starts_with("_smtp") => format!("v=TLSRPTv1; rua={}", "tls@b.example,".repeat(n / 14)),
        name if name.contains("_domainkey") => format!("v=DKIM1; p=AAAA; {}", "x=1; ".repeat(n / 5)),
        _ => "v=spf1 a -all".to_owned(),
    })
}
