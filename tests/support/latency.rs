//! Messages whose answers each take a while, and how long the chains of their questions are.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::support::{
    sealer::{SetOptions, sealed},
    signer::{Key, SignOptions, signed},
};
use mailverdict::{
    Session, Verdict,
    dns::{Lookup, Mx, Resolver, Zone},
    name::Name,
    time::UnixTime,
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// What each answer takes.
pub const ANSWER: Duration = Duration::from_millis(20);

/// A zone whose answers come late. Nothing is remembered: who asks twice waits twice.
pub struct Slow {
    zone: Zone,
    asked: AtomicUsize,
}

impl Slow {
    pub fn new(zone: Zone) -> Self {
        Self { zone, asked: AtomicUsize::new(0) }
    }

    /// How many questions there were since the last call.
    pub fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }

    async fn wait(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(ANSWER).await;
    }
}

impl Resolver for Slow {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        self.wait().await;
        self.zone.txt(name).await
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.wait().await;
        self.zone.a(name).await
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.wait().await;
        self.zone.aaaa(name).await
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        self.wait().await;
        self.zone.mx(name).await
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.wait().await;
        self.zone.ptr(ip).await
    }
}

/// A message, and what its questions depend on.
pub struct Case {
    pub name: &'static str,
    pub message: Vec<u8>,
    pub session: Session,
    /// SPF of MAIL FROM, DKIM, ARC, DMARC.
    pub results: &'static str,
    /// The longest chain of questions, each of which nobody can ask before the one ahead of it is answered, because its name stands
    /// in that answer.
    pub chain: u32,
    /// That chain.
    pub why: &'static str,
    /// As many answers after one another the verdict waits for today; it may only fall, and not below the chain.
    pub waits: u32,
}

impl Case {
    /// In the words of `results`.
    pub fn results_of(verdict: &Verdict) -> String {
        let dkim = verdict.dkim.first().map_or("none", |report| report.result.keyword());
        let spf = verdict.spf.mail_from.as_ref().map_or("none", |report| report.result.keyword());
        format!("{spf} {dkim} {} {}", verdict.arc.result.keyword(), verdict.dmarc.result.keyword())
    }
}

const ZONE: &str = r#"
; Contoso's mail lives in Microsoft 365: one include, the key behind a CNAME.
contoso.com.                 TXT "v=spf1 include:spf.protection.outlook.com -all"
_dmarc.contoso.com.          TXT "v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@contoso.com"
rsa2048._domainkey.contoso.com. CNAME rsa2048._domainkey.contoso.onmicrosoft.com.
mail-eur01.outbound.protection.outlook.com. TXT "v=spf1 include:spf.protection.outlook.com -all"
spf.protection.outlook.com.  TXT ( "v=spf1 ip4:203.0.113.128/28 ip4:198.51.100.32/28 ip6:2001:db8:f400::/48 "
                                   "ip6:2001:db8:f403::/49 -all" )
; Its newsletters are sent by Adatum, under a subdomain for bounces.
bounce.contoso.com.          TXT "v=spf1 include:servers.adatum.com -all"
servers.adatum.com.          TXT "v=spf1 ip4:192.0.2.128/27 -all"
; Fabrikam's mail lives in Google Workspace: an include of three includes.
fabrikam.com.                TXT "v=spf1 include:_spf.google.com ~all"
_dmarc.fabrikam.com.         TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@fabrikam.com"
_spf.google.com.             TXT ( "v=spf1 include:_netblocks.google.com include:_netblocks2.google.com "
                                   "include:_netblocks3.google.com ~all" )
_netblocks.google.com.       TXT "v=spf1 ip4:198.18.0.0/20 ip4:198.18.32.0/20 ip4:198.18.64.0/20 ~all"
_netblocks2.google.com.      TXT "v=spf1 ip6:2001:db8:4000::/36 ip6:2001:db8:4864::/36 ~all"
_netblocks3.google.com.      TXT "v=spf1 ip4:198.19.64.0/20 ip4:203.0.113.0/25 ~all"
mail-sor-f41.google.com.     A   203.0.113.41
; Ten terms that ask, as many as RFC 7208 section 4.6.4 allows, in eight records one behind the other.
nest.org.                    TXT "v=spf1 include:n1.nest.org ~all"
n1.nest.org.                 TXT "v=spf1 a:h1.nest.org include:n2.nest.org -all"
n2.nest.org.                 TXT "v=spf1 mx:nest.org include:n3.nest.org -all"
n3.nest.org.                 TXT "v=spf1 exists:%{ir}.list.nest.org include:n4.nest.org -all"
n4.nest.org.                 TXT "v=spf1 ip4:198.18.0.0/24 include:n5.nest.org -all"
n5.nest.org.                 TXT "v=spf1 ip4:198.18.1.0/24 include:n6.nest.org -all"
n6.nest.org.                 TXT "v=spf1 ip4:198.18.2.0/24 include:n7.nest.org -all"
n7.nest.org.                 TXT "v=spf1 ip4:198.18.3.0/24 ip4:192.0.2.0/24 -all"
h1.nest.org.                 A   198.51.100.1
nest.org.                    MX  10 mx1.nest.org.
nest.org.                    MX  20 mx2.nest.org.
mx1.nest.org.                A   198.51.100.2
mx2.nest.org.                A   198.51.100.3
_dmarc.nest.org.             TXT "v=DMARC1; p=none"
"#;

pub fn zone() -> Zone {
    let mut zone = Zone::parse(ZONE, "latency.zone").unwrap();
    let keys = ["contoso.onmicrosoft.com", "fabrikam.com", "nest.org", "list1.org", "list2.org", "list3.org"];
    for domain in keys {
        let name = Name::parse(&format!("rsa2048._domainkey.{domain}")).unwrap();
        zone.add_txt(&name, Key::named("rsa2048").record().into_bytes());
    }
    zone
}

/// A short message from this author, signed by the domain.
fn message(author: &str, signed_by: Option<&str>) -> Vec<u8> {
    let message = format!(
        "From: Alice <{author}>\r\nTo: Bob <bob@example.net>\r\nSubject: Lunch\r\n\
         Date: Mon, 2 Mar 2026 09:00:00 +0000\r\n\r\nAt noon, in the usual place?\r\n"
    );
    let Some(domain) = signed_by else { return message.into_bytes() };
    let template = format!(
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=rsa2048; h=From:To:Subject:Date; bh={{bh}}; b={{b}}"
    );
    signed(message.as_bytes(), &SignOptions::dkim(&template), &Key::named("rsa2048"))
}

/// The message as three lists have handed it on.
fn sealed_by_three(mut message: Vec<u8>) -> Vec<u8> {
    let key = Key::named("rsa2048");
    for instance in 1..=3 {
        let domain = format!("list{instance}.org");
        let validation = if instance == 1 { "none" } else { "pass" };
        message = sealed(
            &message,
            &SetOptions {
                instance,
                results: &format!("mx.{domain}; arc={validation}"),
                message_signature: &format!(
                    "i={{i}}; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=rsa2048; h=From:To:Subject:Date; bh={{bh}}; b={{b}}"
                ),
                seal: &format!("i={{i}}; a=rsa-sha256; cv={validation}; d={domain}; s=rsa2048; b={{b}}"),
                message_signature_key: &key,
                seal_key: &key,
            },
        );
    }
    message
}

fn session(ip: [u8; 4], helo: &str, mail_from: &str) -> Session {
    Session::new(Ipv4Addr::from(ip)).with_helo(helo).with_mail_from(mail_from).received_at(UnixTime(1_772_442_000))
}

const MICROSOFT: ([u8; 4], &str) = ([198, 51, 100, 40], "mail-eur01.outbound.protection.outlook.com");

pub fn cases() -> Vec<Case> {
    let (microsoft_ip, microsoft_helo) = MICROSOFT;
    vec![
        Case {
            name: "Microsoft 365",
            message: message("alice@contoso.com", Some("contoso.com")),
            session: session(microsoft_ip, microsoft_helo, "alice@contoso.com"),
            results: "pass pass none pass",
            chain: 2,
            why: "the SPF record names the include; keys and DMARC records are named by the message",
            waits: 2,
        },
        Case {
            name: "Google Workspace",
            message: message("alice@fabrikam.com", Some("fabrikam.com")),
            session: session([203, 0, 113, 41], "mail-sor-f41.google.com", "alice@fabrikam.com"),
            results: "pass pass none pass",
            chain: 3,
            why: "the SPF record names _spf, and that names three netblocks at once",
            waits: 3,
        },
        Case {
            name: "newsletter with a bounce subdomain",
            message: message("news@news.contoso.com", Some("contoso.com")),
            session: session([192, 0, 2, 130], "out1.adatum.com", "b-17@bounce.contoso.com"),
            results: "pass pass none pass",
            chain: 2,
            why: "the SPF record of the bounce domain names the include; all names of tree walks are suffixes of domains in the \
                  message and the session",
            waits: 2,
        },
        Case {
            name: "author seven labels deep, not signed",
            message: message("a@a.b.c.d.e.contoso.com", None),
            session: session(microsoft_ip, microsoft_helo, "alice@contoso.com"),
            results: "pass none none pass",
            chain: 2,
            why: "the SPF record names the include; all names of tree walks are suffixes of domains in the message",
            waits: 2,
        },
        Case {
            name: "forwarded, ARC chain of 3",
            message: sealed_by_three(message("alice@contoso.com", Some("contoso.com"))),
            session: session([192, 0, 2, 3], "mx.list3.org", "alice@contoso.com"),
            results: "fail pass pass pass",
            chain: 2,
            why: "the SPF record names the include; the keys of all seals are named by the message",
            waits: 2,
        },
        Case {
            name: "ten-lookup nest",
            message: message("alice@nest.org", Some("nest.org")),
            session: session([192, 0, 2, 10], "mail.nest.org", "alice@nest.org"),
            results: "pass pass none pass",
            chain: 8,
            why: "each of eight SPF records names the next; what a, mx and exists ask is named on the way",
            waits: 8,
        },
    ]
}
