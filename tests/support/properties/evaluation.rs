//! Evaluations over any zone, session and message: they end, within their limits, and give the same result twice.

use super::{
    assert_clean,
    invented::{self, NOW, signer},
    now,
    pieces::in_pieces,
    verdict::{assert_spf, assert_verdict},
};
use arbitrary::Unstructured;
use mailverdict::{
    Authenticator, Budget, Message, Policy, Session, Span,
    dkim::DkimResult,
    dmarc::{self, Disposition, Editions, Policy as DmarcPolicy, SuffixList},
    dns::{AnyAnswer, Lookup, Mx, Resolver, Zone},
    finding::{Finding, findings, findings_of_header, findings_of_spf},
    known::Log,
    lint::{Lint, Scope},
    name::{Domain, Name},
    spf::{self, Observers, Tree},
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::atomic::{AtomicUsize, Ordering},
};

/// A zone that counts the questions it is asked.
struct Counting {
    zone: Zone,
    questions: AtomicUsize,
}

impl Counting {
    fn new(zone: Zone) -> Self {
        Self { zone, questions: AtomicUsize::new(0) }
    }

    fn asked(&self) -> &Zone {
        self.questions.fetch_add(1, Ordering::Relaxed);
        &self.zone
    }

    fn take(&self) -> usize {
        self.questions.swap(0, Ordering::Relaxed)
    }
}

impl Resolver for Counting {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        self.asked().txt(name).await
    }
    async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
        self.asked().a(name).await
    }
    async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
        self.asked().aaaa(name).await
    }
    async fn mx(&self, name: &Name) -> Lookup<Mx> {
        self.asked().mx(name).await
    }
    async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
        self.asked().ptr(ip).await
    }
}

/// Questions that SPF may cost for one identity: its own record, ten terms of eleven questions each (`mx` with ten hosts), the
/// names of the address and their addresses, and the explanation.
const SPF_QUESTIONS: usize = 123;

/// SPF over any zone and session.
pub(crate) fn check_host(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let (Ok(zone), Ok(session)) = (invented::zone(&mut u), invented::session(&mut u)) else { return };
    let resolver = Counting::new(zone);
    let authenticator = Authenticator::new(&resolver);
    let mut trees = Observers::<Tree>::default();
    let (reports, log) = now(authenticator.explain_spf(&session, &mut trees));
    assert_findings(&findings_of_spf(&reports, &session, &log), &log, &[]);
    // What is at hand beside is told as well.
    let authenticator_at_hand = Authenticator::new(&resolver.zone);
    let (_, log) = now(authenticator_at_hand.explain_spf(&session, &mut Observers { helo: (), mail_from: () }));
    assert_findings(&findings_of_spf(&reports, &session, &log), &log, &[]);
    let questions = resolver.take();
    assert!(questions <= 2 * SPF_QUESTIONS, "{questions} questions");
    for report in reports.helo.iter().chain(&reports.mail_from) {
        assert_spf(report, &session);
    }
    for tree in [&trees.helo, &trees.mail_from] {
        let drawn = tree.to_string();
        assert!(drawn.lines().all(|line| !line.contains(char::is_control)), "{drawn}");
    }
    if let (Some(report), Some(root)) = (&reports.helo, trees.helo.root()) {
        assert_eq!(root.result.as_ref().map(|result| result.keyword()), Some(report.result.keyword()));
    }
    let again = now(authenticator.check_spf(&session, &mut Observers { helo: (), mail_from: () }));
    assert_eq!(again, reports, "not the same twice");
    assert_eq!(resolver.take(), questions, "not as many questions twice");
}

/// Questions that a look at a domain may cost.
const LINT_QUESTIONS: usize = 1000;

/// A look at a domain of any zone: what is said is bounded and printable, and what is offered can be read and is offered once.
pub(crate) fn lint(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let (Ok(zone), Ok(name), Ok(ip)) = (invented::zone(&mut u), invented::name(&mut u), invented::address(&mut u))
    else {
        return;
    };
    let Ok(domain) = Domain::parse(name.as_str()) else { return };
    let resolver = Counting::new(zone);
    let Ok(scope) = Scope::of(domain).with_sender(ip).with_selector("s1") else { return };
    let lint = Lint::new(&resolver);
    let report = now(lint.look(&scope));
    let questions = resolver.take();
    assert!(questions <= LINT_QUESTIONS, "{questions} questions");
    assert_findings(&report.findings, report.log(), &[]);
    assert!(report.findings.is_sorted_by_key(|finding| finding.severity));
    for term in report.spf.iter().flat_map(|spf| &spf.terms) {
        assert_clean(&term.term);
        assert!(term.at >= usize::from(term.lookups > 0), "{term:?}");
    }
    for correction in &report.corrections {
        assert_clean(correction);
        let record = correction.record.as_bytes();
        let is_spf = correction.name == *scope.domain().as_name();
        let is_one = if is_spf { spf::Record::parse(record).is_ok() } else { dmarc::Record::parse(record).is_ok() };
        assert!(is_one, "{correction}");
    }
    let again = now(lint.look(&scope));
    assert_eq!((again.findings, again.corrections), (report.findings, report.corrections), "not the same twice");
}

/// Findings of one evaluation at most: of SPF, of sixteen signatures and their keys, of DMARC records and of questions.
const FINDINGS: usize = 500;

/// Each sentence is bounded and printable, and what is quoted stands there.
fn assert_findings(findings: &[Finding], log: &Log, raw: &[u8]) {
    assert!(findings.len() <= FINDINGS, "{} findings", findings.len());
    for finding in findings {
        let Finding { name, quote, says, advice, .. } = finding;
        for sentence in [Some(says), advice.as_ref()].into_iter().flatten() {
            assert_clean(sentence);
            assert!(!sentence.is_empty() && sentence.len() <= 1003, "{sentence}");
        }
        // A name of the DNS has no more octets, each of four characters where it is escaped.
        assert!(name.iter().all(|name| name.len() <= 4 * 255), "{finding:?}");
        name.iter().for_each(assert_clean);
        let Some(quote) = quote else { continue };
        assert_clean(quote.text());
        assert!(quote.text().len() <= 4 * 4096, "{finding:?}");
        let name = name.as_deref().expect("it stands somewhere");
        let is_there = match (quote.span(), name) {
            (Some(span), "From" | "DKIM-Signature") => stands_in_a_field(quote.text(), name, span, raw),
            // Between white space, where fields are folded.
            (None, "From" | "DKIM-Signature") => dense(raw).contains(&quote.text().replace(' ', "")),
            (Some(span), _) => stands_in_a_record(quote.text(), name, span, log),
            (None, _) => false,
        };
        assert!(is_there, "{finding:?}");
    }
}

fn stands_in_a_record(quoted: &str, name: &str, span: Span, log: &Log) -> bool {
    log.entries().iter().chain(log.beside()).any(|entry| match entry.answer() {
        Some(Ok(AnyAnswer::Txt(texts))) if printable(entry.question().name.as_str().as_bytes()) == name => {
            texts.records().iter().any(|text| span.of(text).is_some_and(|text| printable(text) == quoted))
        }
        _ => false,
    })
}

/// Without white space.
fn dense(text: &[u8]) -> String {
    let text: Vec<u8> = text.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    printable(&text)
}

/// Whether it stands there in a field of this name, as whoever reads the header may take it apart.
fn stands_in_a_field(quoted: &str, name: &str, span: Span, raw: &[u8]) -> bool {
    let begins =
        |at: &usize| raw[*at..].get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()));
    (0..raw.len()).filter(begins).any(|at| span.of(&raw[at..]).is_some_and(|text| printable(text) == quoted))
}

fn printable(text: &[u8]) -> String {
    let shown = |octet: &u8| match octet {
        b' '..=b'~' => char::from(*octet).to_string(),
        _ => format!("\\{octet:03}"),
    };
    text.iter().map(shown).collect()
}

/// A whole evaluation over any message, session and zone.
pub(crate) fn authenticate(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Some((zone, session, raw)) = invented::scene(&mut u) else { return };
    let Ok(message) = Message::parse(&raw) else { return };
    let mut policy = Policy::default();
    policy.dmarc = DmarcPolicy::by(Editions::Both(std::sync::Arc::new(SuffixList::default())));
    let resolver = Counting::new(zone);
    let authenticator = Authenticator::new(&resolver).with_policy(policy.clone());
    let verdict = now(authenticator.authenticate(&message, session.clone()));
    let questions = resolver.take();
    let Budget { helo, mail_from, dkim, arc, dmarc, .. } = Budget::default();
    let most: usize = [helo, mail_from, dkim, arc, dmarc].iter().map(|share| share.questions).sum();
    assert!(questions <= most, "{questions} questions");
    assert_verdict(&verdict, &raw, &message, &session);
    assert_eq!(now(authenticator.authenticate(&message, session.clone())), verdict, "not the same twice");
    #[cfg(feature = "serde")]
    let _ = super::evidence::assert_replays(&resolver.zone, &Policy::default(), &raw, &session);

    let at_hand = Authenticator::new(&resolver.zone).with_policy(policy.clone());
    let mut observers = Observers { helo: (), mail_from: () };
    let (explained, log) = now(at_hand.explain(&message, session.clone(), &mut observers));
    assert_eq!(explained, verdict, "otherwise where it is explained");
    assert_findings(&findings(&verdict, &session, &log), &log, &raw);
    let of_header = findings_of_header(&verdict, &session, &log, message.header(), Some("example.com"));
    assert_findings(&of_header, &log, &raw);

    let authors = message.header().authors();
    if authors.is_ambiguous() {
        assert_eq!(verdict.dmarc.result.keyword(), "permerror", "readers may disagree");
    }
    if authors.is_incomplete() {
        assert_eq!(verdict.dmarc.disposition, Disposition::Reject, "what was not evaluated may ask for anything");
    }

    // The body in chunks, as it comes over the network.
    for len in [1, 3, 64] {
        let in_chunks = in_pieces(&resolver.zone, &policy, &message, session.clone(), len);
        assert_eq!(in_chunks, verdict, "chunks of {len}");
    }
}

/// A message with a chain of valid sets passes; and then what holds of every verdict holds after any change.
pub(crate) fn arc_chain(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let (Ok(raw), Ok(session)) = (invented::message(&mut u), invented::session(&mut u)) else { return };
    let [key, _] = invented::keys();
    let zone = key_zone(&key);
    let authenticator = Authenticator::new(&zone);
    let mut changed = raw.clone();
    for _ in 0..u.int_in_range(0..=3_u8).unwrap_or_default() {
        let Ok(at) = u.int_in_range(0..=changed.len().saturating_sub(1)) else { return };
        let octet = u.arbitrary().unwrap_or(b' ');
        match u.int_in_range(0..=2).unwrap_or(0) {
            0 => changed.insert(at, octet),
            1 if at < changed.len() => drop(changed.remove(at)),
            _ if at < changed.len() => changed[at] = octet,
            _ => {}
        }
    }
    for raw in [raw, changed] {
        if let Ok(message) = Message::parse(&raw) {
            let verdict = now(authenticator.authenticate(&message, session.clone()));
            assert_verdict(&verdict, &raw, &message, &session);
        }
    }
}

/// A message that was signed passes; after any change it passes where the signer would sign the same, and nowhere else.
pub(crate) fn dkim_signed(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(raw) = invented::message(&mut u) else { return };
    let Ok((template, key)) = invented::signature(&mut u) else { return };
    let raw = [b"From: a@example.com\r\n", &raw[..]].concat();
    if !invented::is_plain(&raw) {
        return;
    }
    let options = signer::SignOptions::dkim(&template);
    let field = signer::sign(&raw, &options, &key);
    let passes = |raw: &[u8]| {
        let zone = key_zone(&key);
        let message = Message::parse(raw).expect("it has a header");
        let mut policy = Policy::default();
        policy.dkim.accept_partial_body = true;
        let session = Session::without_peer().received_at(NOW);
        let reports = Authenticator::new(&zone).with_policy(policy).authenticate_at_once(&message, session).dkim;
        reports.iter().for_each(|report| assert_clean(&report.result));
        let own = reports.first().expect("the signature stands on top");
        (own.result == DkimResult::Pass, own.result.to_string())
    };
    let (passed, reason) = passes(&[&field, &raw[..]].concat());
    // `l=` may be more than the body has, and `i=` a domain that is not below `d=`.
    let too_short = template.contains(" l=") && reason.contains("fewer than l=");
    let hopeless = too_short || template.contains("@x.") && !template.contains("d=example.com");
    assert!(passed || hopeless, "{reason}: {}", raw.escape_ascii());

    // One octet put in, taken out or replaced.
    let (Ok(at), Ok(octet), Ok(change)) =
        (u.int_in_range(0..=raw.len() - 1), u.arbitrary::<u8>(), u.int_in_range(0..=2))
    else {
        return;
    };
    let octet = if u.arbitrary().unwrap_or(true) { b" \t\r\nx:"[usize::from(octet) % 6] } else { octet };
    let mut changed = raw.clone();
    match change {
        0 => changed.insert(at, octet),
        1 => drop(changed.remove(at)),
        _ => changed[at] = octet,
    }
    if !invented::is_plain(&changed) || changed == raw || hopeless {
        return;
    }
    let same = signer::sign(&changed, &options, &key) == field;
    let (passed, reason) = passes(&[&field, &changed[..]].concat());
    assert_eq!(passed, same, "{reason}: {} became {}", raw.escape_ascii(), changed.escape_ascii());
}

pub(super) fn key_zone(key: &signer::Key) -> Zone {
    let mut zone = Zone::new();
    for name in ["s1", "s2"]
        .iter()
        .flat_map(|s| ["example.com", "a.example.com", "example.net"].map(|d| format!("{s}._domainkey.{d}")))
    {
        zone.add_txt(&Name::parse(&name).expect("a name"), key.record().into_bytes());
    }
    zone
}
