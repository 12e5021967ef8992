//! Evidence of a verdict, which leads to the same verdict without any resolver.
#![cfg(feature = "serde")]
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::ready::now;
use mailverdict::{
    Authenticator, Message, Policy, Session, Verdict,
    dns::Resolver,
    evidence::{Evidence, RedactError},
    json::Evaluated,
    spf::{Observers, Tree},
};

/// Whether it could be redacted, which random headers may refuse. Writes the evidence, reads it, writes it again octet for octet, and evaluates it to the same verdict, words and findings.
pub fn assert_replays<R: Resolver>(resolver: &R, policy: &Policy, raw: &[u8], session: &Session) -> bool {
    let message = Message::parse(raw).expect("there is an octet");
    let authenticator = Authenticator::new(resolver).with_policy(policy.clone());
    let (verdict, log) = now(authenticator.explain_all(&message, session.clone()));
    assert!(log.entries().iter().all(|entry| entry.answer().is_some()), "what was foreseen is waited for");
    let written = serde_json::to_string(&Evidence::new(raw, session.clone(), policy.clone(), &log, &verdict)).unwrap();
    let read: Evidence<Verdict> = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
    assert_eq!((&read.session, read.message.octets()), (session, raw));
    let mut is_redacted = true;
    // Without body and local parts it comes to the same results, or is refused.
    match read.clone().redacted() {
        Err(error) => {
            assert_eq!(error, RedactError::OtherVerdict, "{written}");
            is_redacted = false;
        }
        Ok((redacted, _)) => {
            let written = serde_json::to_string(&redacted).unwrap();
            let redacted: Evidence<()> = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(serde_json::to_string(&redacted).unwrap(), written);
            let (again, _) = redacted.replay(&redacted.answers, &mut Observers { helo: (), mail_from: () }).unwrap();
            let results = |verdict: &Verdict| {
                let dkim: Vec<_> = verdict.dkim.iter().map(|report| report.result.keyword()).collect();
                let spf = [&verdict.spf.helo, &verdict.spf.mail_from]
                    .map(|report| report.as_ref().map(|report| report.result.keyword()));
                (spf, dkim, verdict.arc.result.keyword(), verdict.dmarc.result.keyword(), verdict.disposition)
            };
            assert_eq!(results(&again), results(&verdict), "{written}");
        }
    }
    let mut trees = Observers::<Tree>::default();
    let (again, replayed) = read.replay(&read.answers, &mut trees).unwrap();
    assert_eq!(again, verdict, "{written}");
    let told = |verdict, log| {
        let told = Evaluated::new(&message, verdict, session, log, "mx.example.net");
        // What was asked in vain is found again, but in another order.
        let mut findings: Vec<_> = told.findings.iter().map(|found| serde_json::to_string(found).unwrap()).collect();
        findings.sort_unstable();
        (findings, told.authentication_results, told.received_spf)
    };
    assert_eq!(told(&again, &replayed), told(&verdict, &log), "{written}");
    is_redacted
}

/// Whatever is read as evidence can be evaluated, written, and read again.
pub fn assert_reads(data: &[u8]) {
    let Ok(read) = serde_json::from_slice::<Evidence<Verdict>>(data) else { return };
    let mut trees = Observers::<Tree>::default();
    let Ok((verdict, _)) = read.replay(&read.answers, &mut trees) else { return };
    let written = serde_json::to_string(&read.clone().with_verdict(&verdict)).unwrap();
    let again: Evidence<Verdict> = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!((&again.verdict, &again.message, &again.answers), (&verdict, &read.message, &read.answers));
    let _ = read.redacted();
}
