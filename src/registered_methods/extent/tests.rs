//! Fields within their bound, for verdicts on whatever strangers may send.

use crate::{
    arc::{ArcReport, ArcResult},
    authentication_results::{AuthenticationResults, MAX_OCTETS},
    crypto::{Digest, HashAlgorithm},
    dkim::{
        DkimResult, FailReason, KeySummary, NeutralReason, PermReason, SignatureError, SignatureReport,
        SignatureSummary,
    },
    dmarc::{Disposition, DmarcReport, Edition, PermReason as DmarcPermReason},
    dns::LookupError,
    name::{Domain, NameError},
    spf::{Identity, NoneReason, SpfReport, SpfReports, SpfResult, TempError},
    verdict::Verdict,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::net::IpAddr;

const ID: &str = "mx.example.org";

/// A domain of 253 octets, or less.
fn domain(start: &str, labels: usize) -> Domain {
    let label = format!(".{}", "d".repeat(62));
    Domain::parse(&format!("{start}{}", &label.repeat(4)[..labels * 63])).unwrap()
}

/// What a key's name server may say.
fn hostile(text: &str) -> DkimResult {
    DkimResult::TempError(LookupError::Other(text.into()))
}

fn digest() -> Digest {
    HashAlgorithm::Sha256.hasher().finish()
}

fn signature(at: usize, result: DkimResult, is_verified: bool, long: &str) -> SignatureReport {
    let domain = domain(&format!("s{at}"), if long.is_empty() { 0 } else { 3 });
    let signature = SignatureSummary {
        selector: Some(domain.as_name().clone()),
        identity: Some(format!("{long}@{domain}").into()),
        domain: Some(domain),
        algorithm: Some(format!("rsa-sha256{long}").into()),
        signature_data: format!("{at:08}{long}").into(),
        ..SignatureSummary::default()
    };
    SignatureReport { header_hash: is_verified.then(digest), ..SignatureReport::decided(at, signature, result) }
}

fn dmarc(author: Option<Domain>) -> DmarcReport {
    let report = DmarcReport::without_author(Edition::Rfc9989, DmarcPermReason::NoFrom);
    let (policy, disposition) = (Some(Disposition::Quarantine), Disposition::Quarantine);
    DmarcReport { author_domain: author, policy, disposition, ..report }
}

fn verdict(dkim: Vec<SignatureReport>) -> Verdict {
    let arc = ArcReport { result: ArcResult::None, instances: 0, sealers: Vec::new(), sets: Vec::new(), trusted: None };
    Verdict::new(SpfReports { helo: None, mail_from: None }, dkim, arc, dmarc(None))
}

fn results(verdict: &Verdict) -> Vec<String> {
    let field = AuthenticationResults::new(ID, verdict);
    assert_eq!(field.to_header_field(), verdict.to_header_field(ID));
    field.results.iter().map(|result| format!("{}={}", result.method, result.result)).collect()
}

/// What was left out of a field.
fn left_out(field: &AuthenticationResults) -> Option<&str> {
    let last = field.results.last().unwrap();
    last.comments.iter().find_map(|comment| comment.strip_prefix("left out: "))
}

const MALFORMED: DkimResult = DkimResult::PermError(PermReason::Signature(SignatureError::Version));

/// The kind of finding that made the bound: a thousand malformed signatures above one that passes.
#[test]
fn dmarc_and_the_signature_that_passes_stand_in_a_field_of_a_thousand_bogus_ones() {
    let mut reports: Vec<_> = (0..1000).map(|at| signature(at, MALFORMED, false, "")).collect();
    reports.push(signature(1000, DkimResult::Pass, true, ""));
    let verdict = verdict(reports);
    let field = verdict.to_header_field(ID);
    assert!(field.len() < 3000, "{}", field.len());
    let results = results(&verdict);
    assert_eq!((&*results[0], &*results[1]), ("dmarc=permerror", "arc=none"));
    assert_eq!(results[2..11], vec!["dkim=permerror"; 9]);
    assert_eq!(results[11..], ["dkim=pass"]);
    let field = AuthenticationResults::new(ID, &verdict);
    assert_eq!(left_out(&field), Some("991 dkim permerror"));
}

#[test]
fn ten_signatures_have_results_and_of_eleven_one_is_counted() {
    for (count, expected) in [(10, None), (11, Some("1 dkim permerror"))] {
        let verdict = verdict((0..count).map(|at| signature(at, MALFORMED, false, "")).collect());
        let field = AuthenticationResults::new(ID, &verdict);
        assert_eq!((field.of_method("dkim").count(), left_out(&field)), (10, expected));
        results(&verdict);
    }
}

/// A receiver that has more than ten signatures verified sees all of them.
#[test]
fn all_that_were_verified_have_results_whatever_their_number() {
    let reports = |is_verified| (0..15).map(move |at| signature(at, DkimResult::Pass, is_verified, ""));
    assert_eq!(results(&verdict(reports(true).collect())).len(), 2 + 15);
    let neutral = DkimResult::Neutral(NeutralReason::NotEvaluated);
    let verdict = verdict(reports(true).chain([signature(15, neutral, false, "")]).collect());
    let field = AuthenticationResults::new(ID, &verdict);
    assert_eq!((results(&verdict).len(), left_out(&field)), (2 + 15, Some("1 dkim neutral")));
}

#[test]
fn reasons_are_shortened_before_results_are_left_out() {
    let reports = (0..10).map(|at| signature(at, hostile(&"many words ".repeat(40)), true, ""));
    let verdict = verdict(reports.collect());
    let [long, short] = [8192, 3000].map(|max_octets| AuthenticationResults::within(ID, &verdict, max_octets));
    for (field, reason) in [(&long, 240 + 3), (&short, 60 + 3)] {
        let lengths: Vec<_> =
            field.of_method("dkim").filter_map(|result| Some(result.reason.as_ref()?.len())).collect();
        assert_eq!(lengths, vec![reason; 10]);
        assert_eq!(left_out(field), None);
    }
    assert!(short.to_header_field().len() <= 3000 - 80);
    let shorter = AuthenticationResults::within(ID, &verdict, 1500);
    assert!(left_out(&shorter).is_some_and(|count| count.ends_with(" dkim temperror")), "{shorter:?}");
}

/// What passes, and what can align, comes first.
#[test]
fn signatures_that_matter_are_left_out_last() {
    let long = "x".repeat(150);
    let mut reports: Vec<_> = (0..20).map(|at| signature(at, DkimResult::Pass, true, &long)).collect();
    reports.push(signature(20, DkimResult::Fail(FailReason::InvalidSignature), true, ""));
    reports.push(signature(21, DkimResult::Pass, true, ""));
    let author = Domain::parse("mail.s21").unwrap();
    let verdict = Verdict { dmarc: dmarc(Some(author)), ..verdict(reports) };
    let field = AuthenticationResults::new(ID, &verdict);
    let last = field.results.last().unwrap();
    assert_eq!((last.property("header", "d"), &*last.result), (Some("s21"), "pass"));
    assert_eq!(left_out(&field).unwrap(), "9 dkim pass");
    results(&verdict);
}

/// As many sealers as there may be, with the longest names.
#[test]
fn a_long_chain_names_some_sealers_and_counts_the_others() {
    for (sealers, said) in [
        (vec![domain("a.example", 0), domain("b.example", 0)], "sealed by a.example, b.example"),
        ((0..50).map(|at| domain(&format!("a{at}.example"), 0)).collect(), "a17.example, a18.example and 31 more"),
        ((0..50).map(|at| domain(&format!("a{at}"), 3)).collect(), "dd and 49 more"),
    ] {
        let result = ArcResult::Pass { oldest_pass: 0, cut_off: None };
        let arc = ArcReport { result, instances: sealers.len(), sealers, sets: Vec::new(), trusted: None };
        let verdict = Verdict { arc, ..verdict(Vec::new()) };
        let field = AuthenticationResults::new(ID, &verdict);
        let comment = &*field.of_method("arc").next().unwrap().comments[0];
        assert!(comment.ends_with(said) && comment.len() < 300, "{comment}");
        results(&verdict);
    }
}

/// DMARC's result stands there in any case, and says what does not.
#[test]
fn a_bound_of_nothing_leaves_dmarc() {
    let author = domain("a", 3);
    let long = "\"".repeat(400);
    let verdict = Verdict {
        dmarc: dmarc(Some(author)),
        ..verdict((0..3).map(|at| signature(at, hostile(&long), true, &long[..150])).collect())
    };
    let field = AuthenticationResults::within(ID, &verdict, 0);
    let written = field.to_header_field();
    assert!(written.len() < 1024 + ID.len() + 26, "{written}");
    assert_eq!(left_out(&field), Some("3 dkim temperror"));
    assert_eq!(field.results.iter().map(|result| &*result.method).collect::<Vec<_>>(), ["dmarc", "arc"]);
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z.@=]{1,20}",
        any::<String>(),
        ("[ -~]", 1_usize..400).prop_map(|(octet, times)| octet.repeat(times)),
        "[ \"\\\\();=a-c]{0,400}",
    ]
}

fn signatures() -> impl Strategy<Value = Vec<SignatureReport>> {
    let result = prop_oneof![
        Just(DkimResult::Pass),
        Just(DkimResult::Fail(FailReason::BodyHashMismatch)),
        Just(DkimResult::Neutral(NeutralReason::NotEvaluated)),
        Just(MALFORMED),
        texts().prop_map(|text| hostile(&text)),
    ];
    let report = (result, any::<bool>(), texts(), select(vec![None, Some(2048)]));
    vec(report, 0..40).prop_map(|reports| {
        let reports = reports.into_iter().enumerate().map(|(at, (result, is_verified, text, bits))| {
            let mut report = signature(at, result, is_verified, &text);
            report.key = bits.map(|bits| KeySummary {
                name: report.signature.selector.clone().unwrap(),
                text: "".into(),
                bits: Some(bits),
                testing: false,
                records: 1,
            });
            report
        });
        reports.collect()
    })
}

fn spf_reports() -> impl Strategy<Value = Option<SpfReport>> {
    let report = (texts(), any::<bool>()).prop_map(|(text, is_none)| {
        let error = LookupError::Other(text.as_str().into());
        let result = if is_none {
            SpfResult::None(NoneReason::NotAName(NameError::NotLdh))
        } else {
            SpfResult::TempError(TempError::Lookup { name: domain("x", 3).as_name().clone(), error })
        };
        SpfReport {
            identity: Identity::Helo,
            ip: std::net::Ipv4Addr::new(192, 0, 2, 1).into(),
            domain: Err(text.len()),
            sender: text.as_str().into(),
            result,
            dns_lookups: 0,
            void_lookups: 0,
        }
    });
    option::of(report)
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    let spf = (spf_reports(), spf_reports()).prop_map(|(helo, mail_from)| SpfReports { helo, mail_from });
    let arc = (1..=50_usize, 0..=3_usize).prop_map(|(instances, labels)| {
        let result = ArcResult::Pass { oldest_pass: 0, cut_off: None };
        let sealers = (0..instances).map(|at| domain(&format!("a{at}"), labels)).collect();
        ArcReport { result, instances, sealers, sets: Vec::new(), trusted: None }
    });
    let dmarc = option::of(0..=3_usize).prop_map(|labels| dmarc(labels.map(|labels| domain("s1", labels))));
    (spf, signatures(), arc, dmarc).prop_map(|(spf, dkim, arc, dmarc)| Verdict::new(spf, dkim, arc, dmarc))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever comes, the field stays within its bound, reads back, is the same by both ways, begins with DMARC's result and counts
    /// what is not in it.
    #[test]
    fn a_field_keeps_its_bound_and_says_what_it_left_out(
        verdict in verdicts(),
        max_octets in prop_oneof![Just(MAX_OCTETS), 0..10_000_usize],
        id in select(vec![ID.to_owned(), "i".repeat(255), "(\"\r".repeat(30)]),
        ip in select(vec!["192.0.2.1", "2001:db8:1111:2222:3333:4444:5555:6666"]),
    ) {
        let ip: IpAddr = ip.parse().unwrap();
        let values = AuthenticationResults::within(&id, &verdict, max_octets);
        let start = AuthenticationResults::none(&id).to_header_field().len();
        for (field, written) in [
            (values.clone(), verdict.to_header_field_within(&id, None, max_octets)),
            (values.with_remote_ip(ip), verdict.to_header_field_within(&id, Some(ip), max_octets)),
        ] {
            prop_assert_eq!(field.to_header_field(), written.as_str());
            prop_assert!(written.len() <= max_octets.max(start + 1024), "{} octets", written.len());
            let value = written.strip_prefix("Authentication-Results:").unwrap();
            let read = AuthenticationResults::parse(value.as_bytes()).unwrap();
            prop_assert_eq!(read.results.as_slice(), field.results.as_slice());
            prop_assert!(written.is_ascii() && written.split("\r\n").all(|line| line.len() < 998), "{}", written);
            let first = &field.results[0];
            prop_assert_eq!((&*first.method, &*first.result), ("dmarc", verdict.dmarc.result.keyword()));
            let counts = left_out(&field).unwrap_or_default().split(", ").filter_map(|count| count.split(' ').next());
            let left_out: usize = counts.filter_map(|count| count.parse::<usize>().ok()).sum();
            let spf = verdict.spf.mail_from.iter().count() + verdict.spf.helo.iter().count();
            prop_assert_eq!(field.results.len() + left_out, 2 + spf + verdict.dkim.len().max(1));
        }
    }
}
