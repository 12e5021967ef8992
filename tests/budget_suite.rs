//! What a message may cost of signatures: what is verified first, and what is left undone when a share is used up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Policy, Session, Verdict,
    dmarc::Disposition,
    dns::{Resolver, Zone},
    name::Name,
    time::UnixTime,
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
    (policy.budget.dkim.signatures, policy.budget.dkim.work) = (110, 440);
    let zone = zone(&[("contoso.com", &[&own]), ("stranger.example", &[&expensive])]);
    let verdict = authenticate(&zone, policy.clone(), &raw);
    assert_eq!((verdict.dmarc.result.keyword(), verdict.disposition), ("pass", Disposition::None));
    // 440 units are one for the author's signature, and four for each of 109 of strangers: the highest in the header.
    let found = keywords(&verdict);
    assert_eq!(found, [&["pass"; 109][..], &["neutral"; 41], &["pass"]].concat());
    let reason = "not verified: the message used up its budget of signatures";
    assert_eq!(verdict.dkim[109].result.to_string(), reason);

    // One unit, for the one signature that can align.
    policy.budget.dkim.work = 1;
    let verdict = authenticate(&zone, policy.clone(), &raw);
    assert_eq!(keywords(&verdict), [&["neutral"; 150][..], &["pass"]].concat());
    assert_eq!(verdict.dkim[0].result.to_string(), "not verified: the message used up its budget of public-key work");
    assert_eq!(verdict.dmarc.result.keyword(), "pass");

    // And none: no signature is better than not verified, and to try again would help nobody.
    policy.budget.dkim.work = 0;
    let verdict = authenticate(&zone, policy, &raw);
    assert_eq!(keywords(&verdict), ["neutral"; 151]);
    assert_eq!((verdict.dmarc.result.keyword(), verdict.disposition), ("fail", Disposition::Reject));
}

/// DKIM and ARC have a share each, and ARC spends its own in the order of what decides.
#[test]
fn a_share_is_spent_on_what_decides_first_and_takes_nothing_from_others() {
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
        (2, 6, "pass", passes),
        (1, 6, "fail", used_up("ARC-Seal", "signatures")),
        (2, 5, "fail", used_up("ARC-Seal", "public-key work")),
        (0, 6, "fail", used_up("ARC-Message-Signature", "signatures")),
        (2, 2, "fail", used_up("ARC-Message-Signature", "public-key work")),
    ];
    for (signatures, work, arc, reason) in cases {
        for (dkim_signatures, dkim) in [(0, "neutral"), (1, "pass")] {
            let mut policy = Policy::default();
            (policy.budget.arc.signatures, policy.budget.arc.work) = (signatures, work);
            policy.budget.dkim.signatures = dkim_signatures;
            let verdict = authenticate(&zone, policy, &raw);
            let found = (keywords(&verdict)[0], verdict.arc.result.keyword(), verdict.arc.result.to_string());
            assert_eq!(found, (dkim, arc, reason.clone()), "{signatures} signatures, {work} units");
            assert!(!verdict.arc.result.is_temporary());
        }
    }
}
