//! What a message as a whole may cost of signatures: who draws first on the budget, and what is left undone when it is used up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Policy, Session, Verdict,
    dmarc::Disposition,
    dns::{Lookup, Mx, Resolver, Zone},
    name::Name,
    time::UnixTime,
};
use std::{
    future::poll_fn,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    task::Poll,
};
use support::{
    ready::drive,
    sealer::{SetOptions, sealed},
    signer::{Key, SignOptions, sign, signed},
};

const MESSAGE: &[u8] = b"From: alice@contoso.com\r\nSubject: Lunch\r\n\r\nAt noon?\r\n";

fn template(domain: &str, algorithm: &str) -> String {
    format!("v=1; a={algorithm}; c=relaxed/relaxed; d={domain}; s=k; h=from:subject; bh={{bh}}; b={{b}}")
}

fn zone(keys: &[(&str, &[&Key])]) -> Zone {
    let mut zone = Zone::parse("_dmarc.contoso.com. TXT \"v=DMARC1; p=reject\"", "zone").unwrap();
    for (domain, keys) in keys {
        let name = Name::parse(&format!("k._domainkey.{domain}")).unwrap();
        keys.iter().for_each(|key| _ = zone.add_txt(&name, key.record().into_bytes()));
    }
    zone
}

fn authenticate(resolver: impl Resolver, policy: Policy, raw: &[u8]) -> Verdict {
    let session = Session::without_peer().received_at(UnixTime(1_800_000_000));
    let message = Message::parse(raw).unwrap();
    drive(Authenticator::new(resolver).with_policy(policy).authenticate(&message, session))
}

fn keywords(verdict: &Verdict) -> Vec<&'static str> {
    verdict.dkim.iter().map(|report| report.result.keyword()).collect()
}

/// The author's own signature stands at the bottom, under more of strangers, with expensive keys, than the default budget affords.
#[test]
fn what_matters_for_dmarc_is_verified_first_wherever_it_stands() {
    let (own, expensive) = (Key::named("rsa2048"), Key::named("rsa4096"));
    let mut raw = signed(MESSAGE, &SignOptions::dkim(&template("contoso.com", "rsa-sha256")), &own);
    let foreign = sign(MESSAGE, &SignOptions::dkim(&template("stranger.example", "rsa-sha256")), &expensive);
    raw.splice(..0, foreign.repeat(150));
    let mut policy = Policy::default();
    policy.dkim.max_signatures = usize::MAX;
    let zone = zone(&[("contoso.com", &[&own]), ("stranger.example", &[&expensive])]);
    let verdict = authenticate(&zone, policy.clone(), &raw);
    assert_eq!((verdict.dmarc.result.keyword(), verdict.disposition), ("pass", Disposition::None));
    // 440 units are one for the author's signature, and four for each of 109 of strangers: the highest in the header.
    let found = keywords(&verdict);
    assert_eq!(found, [&["pass"; 109][..], &["neutral"; 41], &["pass"]].concat());
    let reason = "not verified: the message used up its budget of signatures";
    assert_eq!(verdict.dkim[109].result.to_string(), reason);

    // One unit, for the one signature that can align.
    policy.budget.work = 1;
    let verdict = authenticate(&zone, policy.clone(), &raw);
    assert_eq!(keywords(&verdict), [&["neutral"; 150][..], &["pass"]].concat());
    assert_eq!(verdict.dkim[0].result.to_string(), "not verified: the message used up its budget of public-key work");
    assert_eq!(verdict.dmarc.result.keyword(), "pass");

    // And none: no signature is better than not verified, and to try again would help nobody.
    policy.budget.work = 0;
    let verdict = authenticate(&zone, policy, &raw);
    assert_eq!(keywords(&verdict), ["neutral"; 151]);
    assert_eq!((verdict.dmarc.result.keyword(), verdict.disposition), ("fail", Disposition::Reject));
}

/// A zone that answers for one name later than for all others.
struct Late<'z>(&'z Zone, Name);

impl Late<'_> {
    async fn wait(&self, name: &Name) {
        let mut polls = if *name == self.1 { 10 } else { 0 };
        poll_fn(|_| {
            polls -= i32::from(polls > 0);
            if polls == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Resolver for Late<'_> {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        self.wait(name).await;
        self.0.txt(name).await
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.0.a(name).await
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.0.aaaa(name).await
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        self.0.mx(name).await
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.0.ptr(ip).await
    }
}

/// DKIM draws before ARC, whichever has its keys first.
#[test]
fn the_budget_is_spent_in_the_same_order_whatever_answer_comes_first() {
    let (own, sealer) = (Key::named("rsa2048"), Key::named("ed25519"));
    let raw = signed(MESSAGE, &SignOptions::dkim(&template("contoso.com", "rsa-sha256")), &own);
    let set = SetOptions {
        instance: 1,
        results: "fwd.example; dkim=pass header.d=contoso.com",
        message_signature: "i={i}; a=ed25519-sha256; c=relaxed/relaxed; d=fwd.example; s=k; h=from:subject; bh={bh}; b={b}",
        seal: "i={i}; a=ed25519-sha256; cv=none; d=fwd.example; s=k; b={b}",
        message_signature_key: &sealer,
        seal_key: &sealer,
    };
    let raw = sealed(&raw, &set);
    let zone = zone(&[("contoso.com", &[&own]), ("fwd.example", &[&sealer])]);
    let used_up = |kind: &str, what: &str| {
        format!("the field {kind} of set 1 was not verified: the message used up its budget of {what}")
    };
    let passes = "every seal and every message signature of the chain verifies".to_owned();
    let cases = [
        (3, 7, "pass", "pass", passes),
        (2, 7, "pass", "fail", used_up("ARC-Seal", "signatures")),
        (3, 6, "pass", "fail", used_up("ARC-Seal", "public-key work")),
        (1, 7, "pass", "fail", used_up("ARC-Message-Signature", "signatures")),
        (3, 3, "pass", "fail", used_up("ARC-Message-Signature", "public-key work")),
        (0, 7, "neutral", "fail", used_up("ARC-Message-Signature", "signatures")),
    ];
    for (signatures, work, dkim, arc, reason) in cases {
        let mut policy = Policy::default();
        (policy.budget.signatures, policy.budget.work) = (signatures, work);
        for late in ["contoso.com", "fwd.example", "nobody.example"] {
            let late = Late(&zone, Name::parse(&format!("k._domainkey.{late}")).unwrap());
            let verdict = authenticate(&late, policy.clone(), &raw);
            let found = (keywords(&verdict)[0], verdict.arc.result.keyword(), verdict.arc.result.to_string());
            assert_eq!(found, (dkim, arc, reason.clone()), "{signatures} signatures, {work} units");
            assert!(!verdict.arc.result.is_temporary());
        }
    }
}
