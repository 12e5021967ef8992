//! Reading SPF records, and evaluating them with all answers in memory.
#![allow(clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../tests/support/ready.rs"]
mod ready;

use criterion::{Criterion, criterion_group, criterion_main};
use mailverdict::{
    Authenticator, Session,
    dns::Zone,
    spf::{Observers, Record, SpfReports},
};
use ready::now;
use std::{hint::black_box, net::Ipv4Addr};

/// Shaped like what the great mail services publish; addresses and names are those of documentation where the shape allows.
const ZONE: &str = r#"
$ORIGIN example.
$TTL 3600
; Microsoft 365: one include, a list of blocks behind it.
contoso          TXT "v=spf1 include:spf.protection.outlook.example -all"
spf.protection.outlook TXT ( "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 ip4:52.103.0.0/17 "
                             "ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 ip6:2a01:111:f403:8000::/51 "
                             "ip6:2a01:111:f403:c000::/51 ip6:2a01:111:f403:f000::/52 ip4:192.0.2.0/24 -all" )
; Google: one include, three behind it, the client in the last.
fabrikam         TXT "v=spf1 include:_spf.mail.example ~all"
_spf.mail        TXT "v=spf1 include:_netblocks.mail.example include:_netblocks2.mail.example include:_netblocks3.mail.example ~all"
_netblocks.mail  TXT ( "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 ip4:66.249.80.0/20 ip4:72.14.192.0/18 "
                       "ip4:74.125.0.0/16 ip4:108.177.8.0/21 ip4:173.194.0.0/16 ip4:209.85.128.0/17 ip4:216.58.192.0/19 "
                       "ip4:216.239.32.0/19 ~all" )
_netblocks2.mail TXT ( "v=spf1 ip6:2001:4860:4000::/36 ip6:2404:6800:4000::/36 ip6:2607:f8b0:4000::/36 ip6:2800:3f0:4000::/36 "
                       "ip6:2a00:1450:4000::/36 ip6:2c0f:fb50:4000::/36 ~all" )
_netblocks3.mail TXT ( "v=spf1 ip4:172.217.0.0/19 ip4:172.217.32.0/20 ip4:172.217.128.0/19 ip4:172.217.160.0/20 "
                       "ip4:172.217.192.0/19 ip4:172.253.56.0/21 ip4:172.253.112.0/20 ip4:108.177.96.0/19 ip4:35.191.0.0/16 "
                       "ip4:130.211.0.0/22 ip4:192.0.2.0/24 ~all" )
; A nest as deep as the limit allows.
n0  TXT "v=spf1 include:n1.example -all"
n1  TXT "v=spf1 include:n2.example -all"
n2  TXT "v=spf1 include:n3.example -all"
n3  TXT "v=spf1 include:n4.example -all"
n4  TXT "v=spf1 include:n5.example -all"
n5  TXT "v=spf1 include:n6.example -all"
n6  TXT "v=spf1 include:n7.example -all"
n7  TXT "v=spf1 include:n8.example -all"
n8  TXT "v=spf1 include:n9.example -all"
n9  TXT "v=spf1 include:n10.example -all"
n10 TXT "v=spf1 ip4:192.0.2.1 -all"
; Macros in every term.
macros TXT ( "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} exists:%{L}.%{o}.%{v}._spf.%{d2} "
             "include:%{d1r}._spf.%{d} -all exp=why.%{d}" )
macros._spf.macros TXT "v=spf1 exists:%{i}.%{l}._ok.%{d3} -all"
192.0.2.1.someone._ok._spf.macros A 127.0.0.2
"#;

fn session(domain: &str) -> Session {
    Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_mail_from(&format!("someone@{domain}"))
}

fn check(authenticator: &Authenticator<Zone>, session: &Session) -> SpfReports {
    now(authenticator.check_spf(session, &mut Observers { helo: (), mail_from: () }))
}

fn evaluation(c: &mut Criterion) {
    let authenticator = Authenticator::new(Zone::parse(ZONE, "zone.db").expect("a zone"));
    let mut group = c.benchmark_group("evaluate");
    for (name, domain, result, lookups) in [
        ("Microsoft 365", "contoso.example", "pass", 1),
        ("Google", "fabrikam.example", "pass", 4),
        ("ten includes", "n0.example", "pass", 10),
        ("macros", "macros.example", "pass", 4),
    ] {
        let session = session(domain);
        let report = check(&authenticator, &session).mail_from.expect("a report");
        assert_eq!((report.result.keyword(), report.dns_lookups), (result, lookups), "{name}: {report}");
        group.bench_function(name, |b| b.iter(|| check(&authenticator, black_box(&session))));
    }
}

fn reading(c: &mut Criterion) {
    let mut group = c.benchmark_group("read");
    for (name, text) in [
        (
            "twelve blocks",
            "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 ip6:2a01:111:f403:8000::/51 ip6:2a01:111:f403:c000::/51 ip6:2a01:111:f403:f000::/52 ip4:192.0.2.0/24 -all",
        ),
        (
            "includes",
            "v=spf1 include:_netblocks.mail.example include:_netblocks2.mail.example include:_netblocks3.mail.example ~all",
        ),
        (
            "macros",
            "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} exists:%{L}.%{o}.%{v}._spf.%{d2} include:%{d1r}._spf.%{d} -all exp=why.%{d}",
        ),
    ] {
        group.bench_function(name, |b| b.iter(|| Record::parse(black_box(text.as_bytes())).expect("a record")));
    }
}

criterion_group!(benches, evaluation, reading);
criterion_main!(benches);
