//! What a look at a domain says of DMARC and of keys, against evaluation: over all cases of DMARC and DKIM, in both directions. (SPF's
//! cases are held against evaluation by `tests/spf_suite.rs`, which runs them.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{
    Authenticator, Message, Session, Verdict,
    dkim::{DkimResult, KeyRestriction, PermReason, PolicyReason, SignatureReport},
    dmarc::{DmarcResult, NoneReason},
    finding::{About, Severity},
    lint::{Lint, Report, Scope},
};
use saphyr::{LoadableYamlNode, Yaml};
use support::{
    case::{text, zone},
    dkim_case::Case,
    ready::now,
};

fn cases(path: &str, mut judge: impl FnMut(&Yaml<'_>) -> Option<String>) -> Vec<String> {
    let source = std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let documents = Yaml::load_from_str(&source).unwrap();
    let name = |case: &Yaml<'_>| text(case, "name").unwrap().to_owned();
    documents.iter().filter_map(|case| Some(format!("{path}: {}: {}", name(case), judge(case)?))).collect()
}

/// What is said where no record applies.
const NO_RECORD: [&str; 4] = ["dmarc-none", "dmarc-not-a-record", "dmarc-multiple", "dmarc-wrong-place"];

fn has(report: &Report, ids: &[&str]) -> bool {
    report.findings.iter().any(|finding| ids.contains(&finding.rule.id()))
}

/// Where a look and an evaluation of mail from the same domain do not agree.
fn disagreement(verdict: &Verdict, look: &Report) -> Option<String> {
    let dmarc = &verdict.dmarc;
    match (&dmarc.result, &look.dmarc) {
        (DmarcResult::None(NoneReason::NoRecord { .. }), None) if has(look, &NO_RECORD) => None,
        (DmarcResult::None(NoneReason::NoRecord { .. }), _) => Some("evaluation finds no record".to_owned()),
        (DmarcResult::TempError(_), _) => {
            has(look, &["dns-unanswered"]).then_some(()).is_none().then(|| "no answer".into())
        }
        // RFC 9989 §4.10.1: a policy that cannot be read, and no destination.
        (DmarcResult::None(_), Some(_)) => {
            (!has(look, &["dmarc-p-bad", "dmarc-value-bad", "dmarc-p-missing"])).then(|| "nothing says why".to_owned())
        }
        (_, None) => Some("a look finds no record".to_owned()),
        (_, Some(told)) => {
            let policies = [told.policy, told.nonexistent_policy];
            let is_same = dmarc.policy.is_none_or(|policy| policies.contains(&policy));
            let organizations = (&dmarc.organizational_domain, &told.organizational_domain);
            let are_same = matches!(organizations, (None, _) | (_, None)) || organizations.0 == organizations.1;
            (!is_same || !are_same).then(|| format!("{:?} of {organizations:?}, and {told:?}", dmarc.policy))
        }
    }
}

#[test]
fn of_dmarc() {
    let mut judged = 0;
    let mut failed = Vec::new();
    for file in ["alignment", "appendix_b", "author", "editions", "errors", "policy", "tree_walk"] {
        failed.extend(cases(&format!("tests/data/dmarc/{file}.yml"), |case| {
            let from = text(case, "from")?;
            let raw = format!("From: {from}\r\n\r\n");
            let message = Message::parse(raw.as_bytes()).ok()?;
            let zone = zone(case);
            let verdict = now(Authenticator::new(&zone).authenticate(&message, Session::without_peer()));
            // Several author domains are several looks.
            let author = verdict.dmarc.author_domain.clone().filter(|_| verdict.dmarc.authors.is_empty())?;
            judged += 1;
            disagreement(&verdict, &now(Lint::new(&zone).look(&Scope::of(author))))
        }));
    }
    println!("{judged} cases of DMARC");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(judged > 130, "{judged}");
}

/// Whether it is the record of the key that keeps a signature from being verified.
fn is_of_key(report: &SignatureReport) -> bool {
    match &report.result {
        DkimResult::PermError(reason) => match reason {
            PermReason::NoKey | PermReason::KeyRecord(_) | PermReason::Revoked => true,
            // Of the type of a key, the signature decides; and of the hash, where it is that of RSA and SHA-1.
            PermReason::KeyNotAllowed(KeyRestriction::KeyType) => false,
            PermReason::KeyNotAllowed(KeyRestriction::HashAlgorithm) => {
                report.signature.algorithm.as_deref() != Some("rsa-sha1")
            }
            PermReason::KeyNotAllowed(_) => true,
            _ => false,
        },
        DkimResult::Policy(PolicyReason::KeyTooShort { .. }) => true,
        _ => false,
    }
}

#[test]
fn of_keys() {
    let (mut errors, mut good) = (0, 0);
    let mut failed = Vec::new();
    for file in ["key_record", "algorithm", "signature_field", "limits"] {
        failed.extend(cases(&format!("tests/data/dkim/{file}.yml"), |case| {
            let case = Case(case);
            // A look has the numbers of RFC 8301.
            if case.policy().min_rsa_bits != 1024 {
                return None;
            }
            let received = case.received();
            let message = Message::parse(&received).ok()?;
            let reports = case.reports();
            let [report] = reports.as_slice() else { return None };
            let domain = report.signature.domain.clone()?;
            let scope = Scope::of(domain).with_message(message.header());
            let look = now(Lint::new(case.zone()).look(&scope));
            let found: Vec<String> = look
                .findings
                .iter()
                .filter(|finding| finding.rule.about() == About::Dkim)
                // A receiver may accept it by explicit choice, and one case does.
                .filter(|finding| finding.rule.id() != "sig-sha1")
                // Receivers need not take a longer key, and this one does not.
                .filter(|finding| finding.severity == Severity::Error || finding.rule.id() == "dkim-long")
                .map(|finding| format!("{}: {finding}", finding.rule.id()))
                .collect();
            // Of several records one may be good, and keys that anybody can sign with verify.
            let may_pass = |found: &String| found.starts_with("dkim-multiple") || found.contains("anybody can sign");
            let may_pass = found.iter().any(may_pass);
            if is_of_key(report) && !scope.keys().is_empty() {
                errors += 1;
                return found.is_empty().then(|| format!("nothing is found, and {}", report.result));
            }
            good += usize::from(matches!(report.result, DkimResult::Pass));
            let is_pass = matches!(report.result, DkimResult::Pass) && !may_pass;
            (is_pass && !found.is_empty()).then(|| format!("it passes, and {found:?}"))
        }));
    }
    println!("{errors} keys that cannot be used, {good} signatures that verify");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(errors > 40 && good > 60, "{errors} {good}");
}
