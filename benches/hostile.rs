//! What a stranger can make large, at size n and 2n: the ratio of the times is about 2 where the cost is linear.
//!
//! `cargo bench --bench hostile` measures the full sizes; `cargo bench --bench hostile -- NAME` those cases whose name holds NAME.
//! `cargo test --bench hostile` runs the same at a tenth, and fails where a ratio says that something is not linear.
//! What of SPF can be made to keep a thread busy is measured by its longest poll as well (`hostile/polls.rs`): at the full sizes one of more
//! than 5 ms fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(missing_docs)]

#[allow(dead_code)]
#[path = "../tests/support/late.rs"]
mod late;
#[path = "hostile/looks.rs"]
mod looks;
#[path = "hostile/polls.rs"]
mod polls;
#[path = "../tests/support/ready.rs"]
mod ready;
#[allow(dead_code)]
#[path = "../tests/support/signer.rs"]
mod signer;

use mailverdict::{
    Authenticator, Evaluation, Message, Policy, Progress, Session, Share, Verdict,
    authentication_results::{AuthenticationResults, MAX_OCTETS, strip_forged},
    change::{Settings, changes},
    dkim::{KeyRecord, Signature},
    dmarc,
    dns::{Answer, Lookup, Mx, Question, Resolver, Zone},
    finding::{findings, findings_of_header, findings_of_spf},
    message::{Header, to_crlf},
    name::Name,
    received, spf,
    time::UnixTime,
};
use polls::Took;
use ready::now;
use signer::{Key, SignOptions, seal, sign};
use std::{
    fmt::Write as _,
    hint::black_box,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};

/// Above this the cost is not called linear: caches and allocators make 2 into 2.5 or so, a square makes it 4.
const MAX_RATIO: f64 = 3.4;

/// No case at size n should take this long; what does has failed, and is not run at size 2n.
const TOO_LONG: Duration = Duration::from_secs(15);

/// A name, the size n, and what is timed: made for a size, run any number of times.
struct Case {
    name: &'static str,
    size: usize,
    make: fn(usize) -> Box<dyn Fn()>,
}

const CASES: &[Case] = &[
    Case { name: "signatures", size: 10_000, make: signatures },
    Case { name: "octets of an SPF record that cannot be read", size: 60_000, make: spf_faults },
    Case { name: "malformed signatures, and the field of their results", size: 50_000, make: malformed_signatures },
    Case { name: "octets of values of ten signatures in that field", size: 200_000, make: long_values },
    Case { name: "signatures, all verified", size: 2_000, make: signatures_all_verified },
    Case { name: "signatures that name other domains than the authors", size: 10_000, make: signatures_and_authors },
    Case { name: "units of public-key work in the budget", size: 220, make: public_key_work },
    Case { name: "l= values, each another", size: 10_000, make: body_lengths },
    Case { name: "header fields", size: 100_000, make: header_fields },
    Case { name: "octets of one header field", size: 5_000_000, make: one_field },
    Case { name: "octets of white space in a signed field", size: 10_000_000, make: white_space_in_field },
    Case { name: "octets of white space in the body", size: 10_000_000, make: white_space_in_body },
    Case { name: "octets of empty lines in the body", size: 10_000_000, make: empty_lines },
    Case { name: "lines of a folded field", size: 1_000_000, make: folds },
    Case { name: "names in h=", size: 10_000, make: signed_names },
    Case { name: "names in h=, and white space before a colon", size: 50_000, make: names_and_space },
    Case { name: "tags of a signature", size: 100_000, make: signature_tags },
    Case { name: "tags of a key record", size: 100_000, make: key_tags },
    Case { name: "tags of a DMARC record", size: 100_000, make: dmarc_tags },
    Case { name: "octets of a U-label in d=", size: 1_000_000, make: long_u_label },
    Case { name: "copied fields in z=, diagnosed", size: 10_000, make: copied_fields },
    Case { name: "lines of a body, diagnosed", size: 10_000, make: diagnosed_lines },
    Case { name: "octets of a body of ten bad signatures, explained", size: 5_000_000, make: explained_lines },
    Case { name: "octets of empty lines, explained", size: 5_000_000, make: explained_empty_lines },
    Case { name: "octets of MIME delimiters, explained", size: 5_000_000, make: explained_delimiters },
    Case { name: "octets of encoded parts, explained", size: 5_000_000, make: explained_encodings },
    Case { name: "octets of HTML and links, explained", size: 5_000_000, make: explained_html },
    Case { name: "octets of lines to be repaired, explained", size: 5_000_000, make: explained_repairs },
    Case { name: "fields of names in h=, explained", size: 20_000, make: explained_names },
    Case { name: "octets of a header that may have been another, explained", size: 1_000_000, make: explained_header },
    Case { name: "sets of a valid ARC chain", size: 25, make: arc_chain },
    Case { name: "ARC-Seal fields of one instance", size: 10_000, make: arc_seals },
    Case { name: "octets of an SPF record", size: 32_000, make: spf_record },
    Case { name: "octets of an SPF record of macros", size: 28_000, make: spf_macros },
    Case { name: "octets of a local part in 16,000 macros", size: 500_000, make: long_local_part },
    Case { name: "octets of an explanation of macros", size: 32_000, make: explanation },
    Case { name: "octets of an SPF record, looked at", size: 32_000, make: looks::record },
    Case { name: "octets of broken terms, looked at", size: 32_000, make: looks::broken },
    Case { name: "octets of records that include two each, looked at", size: 20_000, make: looks::tree },
    Case { name: "octets of all records of a domain, looked at", size: 30_000, make: looks::all },
    Case { name: "octets of a key record", size: 32_000, make: key_record },
    Case { name: "octets of a DMARC record", size: 32_000, make: dmarc_record },
    Case { name: "mailboxes in From", size: 100_000, make: mailboxes },
    Case { name: "at signs in From", size: 1_000_000, make: at_signs },
    Case { name: "odd at signs in From", size: 300_000, make: odd_at_signs },
    Case { name: "From fields", size: 100_000, make: from_fields },
    Case { name: "nested comments in From", size: 1_000_000, make: comments_in_from },
    Case { name: "nested comments in Authentication-Results", size: 1_000_000, make: comments_in_results },
    Case { name: "open comments in Authentication-Results", size: 1_000_000, make: open_comments_in_results },
    Case { name: "results in Authentication-Results", size: 100_000, make: results },
    Case { name: "octets of odd text in Authentication-Results", size: 1_000_000, make: odd_results },
    Case { name: "bare line ends", size: 5_000_000, make: bare_line_ends },
    Case { name: "octets of a header that reads many ways", size: 200_000, make: many_readings },
    Case { name: "lines that are no fields", size: 20_000, make: no_fields },
    Case { name: "signatures under a malformed header", size: 10_000, make: signatures_under_a_malformed_header },
    Case { name: "fields that must stand once, and signatures", size: 2_000, make: repeated_fields },
    Case { name: "records of a master file", size: 50_000, make: master_file },
];

fn main() {
    let mut full = false;
    let mut filter = String::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--bench" => full = true,
            PEAK_MEMORY => return measure_peak_memory(),
            _ if argument.starts_with('-') => {}
            _ => filter = argument,
        }
    }
    println!("{:<54} {:>10} {:>12} {:>12} {:>6}", "case", "n", "time of n", "time of 2n", "ratio");
    let mut failures = Vec::new();
    let (mut passed, started) = (0, Instant::now());
    for case in CASES.iter().filter(|case| case.name.contains(&filter)) {
        // A chain has no more than 50 sets, and is small enough as it is.
        let size = if full || case.size < 1000 { case.size } else { case.size / 10 };
        let (mut once, mut twice) = (Duration::MAX, Duration::MAX);
        let (small, large) = ((case.make)(size), (case.make)(2 * size));
        // The least of several times is the one least disturbed; a ratio that looks wrong gets more chances.
        for round in 0..12 {
            once = once.min(time(&small));
            if once > TOO_LONG {
                break;
            }
            twice = twice.min(time(&large));
            if round >= 2 && ratio(once, twice) <= MAX_RATIO || twice > TOO_LONG {
                break;
            }
        }
        let ratio = ratio(once, twice);
        println!("{:<54} {size:>10} {:>12} {:>12} {ratio:>6.2}", case.name, shown(once), shown(twice));
        // What takes no time worth naming has no ratio worth naming.
        if ratio > MAX_RATIO && twice > Duration::from_micros(50) {
            failures.push(case.name.to_owned());
        } else {
            passed += 1;
        }
    }
    println!("\n{:<54} {:>10} {:>12} {:>12} {:>6} {:>12}", "longest poll", "n", "of n", "of 2n", "ratio", "all of 2n");
    for case in polls::CASES {
        for (when, arrival) in polls::ARRIVALS {
            let title = format!("{}, {when}", case.name);
            if !title.contains(&filter) {
                continue;
            }
            let size = if full { case.size } else { case.size / 10 };
            let (mut once, mut twice) = (Took::MAX, Took::MAX);
            let (small, large) = (case.made(size, arrival), case.made(2 * size, arrival));
            let is_bad = |once: Took, twice: Took| {
                // Without optimization, time says nothing beside its ratio.
                full && twice.poll > polls::MAX_POLL
                    || ratio(once.all, twice.all) > MAX_RATIO && twice.all > Duration::from_millis(1)
            };
            for round in 0..12 {
                (once, twice) = (once.min(small()), twice.min(large()));
                if round >= 2 && !is_bad(once, twice) || twice.all > TOO_LONG {
                    break;
                }
            }
            let ratio = ratio(once.poll, twice.poll);
            let (once_poll, twice_poll, all) = (shown(once.poll), shown(twice.poll), shown(twice.all));
            println!("{title:<54} {size:>10} {once_poll:>12} {twice_poll:>12} {ratio:>6.2} {all:>12}");
            if is_bad(once, twice) {
                failures.push(title);
            } else {
                passed += 1;
            }
        }
    }
    if filter.is_empty() || "peak memory".contains(&filter) {
        // In a process of its own, for what was once used counts for ever.
        let measured = std::process::Command::new(std::env::current_exe().unwrap()).arg(PEAK_MEMORY).status().unwrap();
        if measured.success() {
            passed += 1;
        } else {
            failures.push("peak memory".to_owned());
        }
    }
    println!("{passed} passed, {} failed; finished in {:.1}s", failures.len(), started.elapsed().as_secs_f64());
    assert!(failures.is_empty(), "not linear, or too long: {failures:?}");
}

const PEAK_MEMORY: &str = "--peak-memory";

/// How much memory the verification of 25 MB in streaming form takes beyond the header.
fn measure_peak_memory() {
    const BODY: usize = 25 << 20;
    let key = ed25519();
    let template =
        |c: &str| format!(" v=1; a=ed25519-sha256; c={c}; d=example.com; s=s1; h=from:subject; bh={{bh}}; b={{b}}");
    // Signed over another body: the hash is computed all the same.
    let field = |c: &str| sign(REST.as_bytes(), &SignOptions::dkim(&template(c)), &key);
    let raw = [field("relaxed/relaxed"), field("simple/simple"), REST.into()].concat();
    let zone = key_zone();
    let verify = |chunks: usize, chunk: &[u8]| {
        let header = Header::parse(&raw).unwrap();
        let (policy, at_hand) = (Policy::default(), |question: &Question| zone.at_hand(question));
        let mut evaluation = Evaluation::new(&policy, Session::without_peer().received_at(UnixTime(1_800_000_000)));
        evaluation.header(&header);
        assert!(matches!(evaluation.advance_with(at_hand), Progress::WantsMessage));
        (0..chunks).for_each(|_| evaluation.body(chunk));
        evaluation.end();
        let Progress::Verdict(verdict) = evaluation.advance_with(at_hand) else { panic!("all is at hand") };
        assert_eq!(black_box(verdict).dkim.len(), 2);
    };
    let chunk = b"Lines of \t words, and \r\n\r\n  white space.  \r\n".repeat(1 << 11);
    // Once, so that the code itself is loaded.
    verify(1, &chunk[..100]);
    let Some(before) = peak_memory() else {
        println!("peak memory: not measured, for there is no /proc/self/status");
        return;
    };
    verify(BODY.div_ceil(chunk.len()), &chunk);
    let used = peak_memory().unwrap() - before;
    println!("peak memory of verifying {} MB in streaming form, beyond the header: {used} kB", BODY >> 20);
    assert!(used < 1024, "more than 1 MB");
    if !cfg!(debug_assertions) {
        measure_peak_of_explaining();
    }
}

/// How much memory it takes to explain ten bad signatures of a message of 10 MB.
fn measure_peak_of_explaining() {
    const MOST: usize = 200 << 10;
    for make in [explained_lines, explained_encodings, explained_repairs, explained_empty_lines] {
        let run = make(10_000_000);
        let Some(before) = peak_memory() else { return };
        let started = Instant::now();
        run();
        let used = peak_memory().unwrap() - before;
        println!(
            "peak memory of explaining ten bad signatures of 10 MB: {used} kB; {} ms",
            started.elapsed().as_millis()
        );
        assert!(used < MOST, "more than 200 MB");
    }
}

/// The most memory that was ever resident, in kB.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// The time of one run: of the processor where it can be told, so that a busy machine counts for nothing.
fn time(run: &dyn Fn()) -> Duration {
    let (processor, clock) = (processor_time(), Instant::now());
    let used = || match (processor, processor_time()) {
        (Some(before), Some(now)) => now.saturating_sub(before),
        _ => clock.elapsed(),
    };
    let mut runs = 0;
    while runs == 0 || used() < Duration::from_millis(20) {
        run();
        runs += 1;
    }
    used() / runs
}

/// How long this thread has been on a processor.
fn processor_time() -> Option<Duration> {
    // The kernel brings the count up to date when the thread gives way.
    std::thread::yield_now();
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    counts.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn ratio(once: Duration, twice: Duration) -> f64 {
    twice.as_secs_f64() / once.as_secs_f64()
}

fn shown(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

fn session() -> Session {
    Session::new(Ipv4Addr::new(192, 0, 2, 1))
        .with_helo("mail.example.com")
        .with_mail_from("a@example.com")
        .received_at(UnixTime(1_800_000_000))
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn ed25519() -> Key {
    Key::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&[7; 32])))
}

fn key_zone() -> Zone {
    let mut zone = Zone::new();
    zone.add_txt(&name("s1._domainkey.example.com"), ed25519().record().into_bytes());
    zone
}

/// A whole evaluation of a message, its header fields and findings included.
fn evaluation(zone: Zone, policy: Policy, session: Session, raw: Vec<u8>) -> Box<dyn Fn()> {
    let authenticator = Authenticator::new(zone).with_policy(policy);
    Box::new(move || {
        let message = Message::parse(&raw).unwrap();
        let verdict = with_findings(&authenticator, &message, &session);
        let field = verdict.to_header_field("mx.example.org");
        assert!(field.len() <= MAX_OCTETS);
        black_box((verdict, field));
    })
}

/// A verdict, once all that is to be said of it has been said.
fn with_findings<R: Resolver>(authenticator: &Authenticator<R>, message: &Message<'_>, session: &Session) -> Verdict {
    let mut nobody = spf::Observers { helo: (), mail_from: () };
    let (verdict, log) = now(authenticator.explain(message, session.clone(), &mut nobody));
    black_box(findings(&verdict, session, &log));
    black_box(findings_of_header(&verdict, session, &log, message.header(), Some("mx.example.org")));
    verdict
}

fn evaluate(raw: impl Into<Vec<u8>>) -> Box<dyn Fn()> {
    evaluation(key_zone(), Policy::default(), session(), raw.into())
}

/// The same, and what may have happened to each signature.
fn diagnose(raw: Vec<u8>) -> Box<dyn Fn()> {
    let authenticator = Authenticator::new(key_zone());
    Box::new(move || {
        let message = Message::parse(&raw).unwrap();
        let verdict = now(authenticator.authenticate(&message, session()));
        let said: Vec<_> = verdict.dkim.iter().map(|report| report.diagnosis(&message)).collect();
        black_box(said);
    })
}

const REST: &str = "From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n";

/// A signature that follows the rules; the octets mean nothing.
fn signature(tags: &str) -> String {
    format!("DKIM-Signature: v=1; a=ed25519-sha256; d=example.com; s=s1;{tags} h=from; bh=AAAA; b=BBBB\r\n")
}

fn signatures(n: usize) -> Box<dyn Fn()> {
    evaluate(signature("").repeat(n) + REST)
}

fn malformed_signatures(n: usize) -> Box<dyn Fn()> {
    evaluate("DKIM-Signature: v=1; a=rsa-sha256; d=example.com\r\n".repeat(n) + REST)
}

/// Values of which a part alone can stand there, or none.
fn long_values(n: usize) -> Box<dyn Fn()> {
    let long = "\"\\".repeat(n / 20);
    let field = format!(
        "DKIM-Signature: v=1; a={long}; d=example.com; s=s1; i={long}@example.com; h=from; bh={long}; b={long}\r\n"
    );
    evaluate(field.repeat(10) + REST)
}

fn signatures_all_verified(n: usize) -> Box<dyn Fn()> {
    let mut policy = Policy::default();
    policy.dkim.max_signatures = usize::MAX;
    (policy.budget.dkim.signatures, policy.budget.dkim.work) = (usize::MAX, usize::MAX);
    let key = ed25519();
    let template = " v=1; a=ed25519-sha256; d=example.com; s=s1; h=from; bh={bh}; b={b}";
    let field = sign(REST.as_bytes(), &SignOptions::dkim(template), &key);
    evaluation(key_zone(), policy, session(), [field.repeat(n), REST.into()].concat())
}

fn signatures_and_authors(n: usize) -> Box<dyn Fn()> {
    let mut raw = signature("").replace("example.com", "example.net").repeat(n) + "From: x@a.example";
    (0..n).for_each(|i| write!(raw, ",\r\n x@d{i}.example").unwrap());
    evaluate(raw + "\r\n\r\n")
}

/// At 2n as much as the default budget affords: signatures by keys of 4096 bits with four keys each, at names of their own, all of
/// which are made ready, and tried in turn until the budget is used up. None fits.
fn public_key_work(n: usize) -> Box<dyn Fn()> {
    let mut policy = Policy::default();
    policy.dkim.max_signatures = usize::MAX;
    policy.budget.dkim = Share { questions: n / 4, octets: usize::MAX, signatures: n / 4, work: n };
    let key = Key::named("rsa4096");
    let template = " v=1; a=rsa-sha256; d=example.com; s=s0; h=from:subject; bh={bh}; b={b}";
    let other = REST.replace("Subject: x", "Subject: y");
    let field = String::from_utf8(sign(other.as_bytes(), &SignOptions::dkim(template), &key)).unwrap();
    let (mut zone, mut raw) = (Zone::new(), String::new());
    for at in 0..n / 4 {
        let selector = name(&format!("s{at}._domainkey.example.com"));
        // Equal records would be one.
        (0..4).for_each(|number| _ = zone.add_txt(&selector, format!("{}; n={number}", key.record()).into_bytes()));
        raw += &field.replace("s=s0;", &format!("s=s{at};"));
    }
    raw += REST;
    Box::new(move || {
        let message = Message::parse(raw.as_bytes()).unwrap();
        let authenticator = Authenticator::new(&zone).with_policy(policy.clone());
        let reports = now(authenticator.check_dkim(&message, UnixTime(1_800_000_000)));
        // 4 units a key, 16 a signature.
        let tried = reports.iter().filter(|report| report.result.keyword() == "fail").count();
        assert_eq!((reports.len(), tried), (n / 4, n / 16));
    })
}

fn body_lengths(n: usize) -> Box<dyn Fn()> {
    let mut policy = Policy::default();
    policy.dkim.max_signatures = usize::MAX;
    policy.dkim.accept_partial_body = true;
    let header: String = (0..n).map(|i| signature(&format!(" l={i};"))).collect();
    let body = "x".repeat(100_000);
    evaluation(key_zone(), policy, session(), format!("{header}{REST}{body}").into())
}

fn header_fields(n: usize) -> Box<dyn Fn()> {
    let fields: String = (0..n).map(|i| format!("X-{i}: y\r\n")).collect();
    evaluate(signature("") + &fields + REST)
}

fn signed(before: &str, c: &str, h: &str, body: &str) -> Vec<u8> {
    let raw = format!("{before}From: a@example.com\r\n\r\n{body}").into_bytes();
    let template = format!(" v=1; a=ed25519-sha256; c={c}; d=example.com; s=s1; h={h}; bh=AAAA; b=AAAA");
    [format!("DKIM-Signature:{template}\r\n").into_bytes(), raw].concat()
}

fn one_field(n: usize) -> Box<dyn Fn()> {
    let long = "word, <word@example.com> ".repeat(n / 25);
    let fields = ["Subject", "From", "Authentication-Results", "Return-Path", "DKIM-Signature", "ARC-Seal"];
    let fields: Vec<_> = fields
        .iter()
        .map(|name| signed(&format!("{name}: {long}\r\n"), "relaxed/relaxed", "from:subject", ""))
        .collect();
    let each: Vec<_> = fields.into_iter().map(evaluate).collect();
    Box::new(move || each.iter().for_each(|run| run()))
}

fn white_space_in_field(n: usize) -> Box<dyn Fn()> {
    let subject = format!("Subject: {}x\r\n", " ".repeat(n));
    evaluate(signed(&subject, "relaxed/relaxed", "from:subject", ""))
}

fn white_space_in_body(n: usize) -> Box<dyn Fn()> {
    evaluate(signed("", "relaxed/relaxed", "from", &("\t ".repeat(n / 2) + "x\r\n")))
}

fn empty_lines(n: usize) -> Box<dyn Fn()> {
    let body = "\r\n \r\n".repeat(n / 5) + "x";
    let both: Vec<_> = ["simple/simple", "relaxed/relaxed"].map(|c| evaluate(signed("", c, "from", &body))).into();
    Box::new(move || both.iter().for_each(|run| run()))
}

fn folds(n: usize) -> Box<dyn Fn()> {
    let fold = "\r\n x".repeat(n);
    let fields = format!("Subject:{fold}\r\nFrom:{fold}\r\nReturn-Path:{fold}\r\nAuthentication-Results:{fold}\r\n");
    evaluate(signed(&fields, "relaxed/relaxed", "from:subject", ""))
}

fn signed_names(n: usize) -> Box<dyn Fn()> {
    let names: String = (0..n).map(|i| format!("x-{i}:\r\n ")).collect();
    let fields: String = (0..n).map(|i| format!("X-{i}: y\r\n")).collect();
    let both = signed(&fields, "relaxed/relaxed", &(names + "from"), "");
    let one_name = signed(&"X: y\r\n".repeat(n), "relaxed/relaxed", &("x:".repeat(n) + "from"), "");
    let (both, one_name) = (evaluate(both), evaluate(one_name));
    Box::new(move || {
        both();
        one_name();
    })
}

/// Each name of `h=` looks at first sight like that of the field, which has much white space before its colon.
fn names_and_space(n: usize) -> Box<dyn Fn()> {
    let field = format!("Xaoz{}: y\r\n", " ".repeat(n));
    evaluate(signed(&field, "relaxed/relaxed", &("xboz:".repeat(n) + "from"), ""))
}

fn tags(n: usize) -> String {
    (0..n).fold(String::new(), |mut tags, i| {
        write!(tags, " x{i}=y;").unwrap();
        tags
    })
}

fn signature_tags(n: usize) -> Box<dyn Fn()> {
    let value = format!(" v=1; a=rsa-sha256;{} d=example.com; s=s1; h=from; bh=AAAA; b=BBBB", tags(n));
    Box::new(move || drop(black_box(Signature::parse(value.as_bytes()).unwrap())))
}

fn key_tags(n: usize) -> Box<dyn Fn()> {
    let record = format!("v=DKIM1;{} p=AAAA", tags(n));
    Box::new(move || drop(black_box(KeyRecord::parse(record.as_bytes()).unwrap())))
}

fn dmarc_tags(n: usize) -> Box<dyn Fn()> {
    let record = format!("v=DMARC1;{} p=reject", tags(n).replace(|c: char| c.is_ascii_digit(), "q"));
    Box::new(move || drop(black_box(dmarc::Record::parse(record.as_bytes()).unwrap())))
}

fn long_u_label(n: usize) -> Box<dyn Fn()> {
    let label: String = ('\u{4e00}'..'\u{9000}').cycle().step_by(7).take(n / 3).collect();
    let raw =
        signature("").replace("example.com", &format!("{label}.example")) + &format!("From: a@{label}.example\r\n\r\n");
    let session = session().with_mail_from(&format!("a@{label}.example")).with_helo(&format!("{label}.example"));
    evaluation(key_zone(), Policy::default(), session, raw.into())
}

fn copied_fields(n: usize) -> Box<dyn Fn()> {
    let copies: String = (0..n).map(|i| format!("X-{i}:z|\r\n ")).collect();
    let fields: String = (0..n).map(|i| format!("X-{i}: y\r\n")).collect();
    let template = format!(" v=1; a=ed25519-sha256; d=example.com; s=s1; h=from; z={copies}X:y; bh={{bh}}; b={{b}}");
    let raw = [fields.as_bytes(), REST.as_bytes()].concat();
    let field = sign(REST.replace("From: a", "From: b").as_bytes(), &SignOptions::dkim(&template), &ed25519());
    diagnose([field, raw].concat())
}

fn diagnosed_lines(n: usize) -> Box<dyn Fn()> {
    diagnose(signed("", "relaxed/relaxed", "from", &"line\r\n".repeat(n)))
}

/// Ten signatures that do not verify, each with settings of its own, over what follows; the work grows as the message does, and at the
/// full size is the default.
fn explain(n: usize, h: &str, header: &str, body: &str) -> Box<dyn Fn()> {
    const FULL: usize = 10_000_000;
    let key = Key::named("rsa2048");
    let settings = [
        "relaxed/relaxed",
        "simple/simple",
        "relaxed/simple; l=1000",
        "simple/relaxed; l=20000",
        "relaxed/relaxed; l=300000",
    ];
    let other =
        format!("{header}From: a@example.com\r\nSubject: another\r\n\r\n{}", "Another body.\r\n".repeat(30_000));
    let mut raw = Vec::new();
    for c in settings {
        let template = format!(" v=1; a=rsa-sha256; c={c}; d=example.com; s=s2; h={h}; bh={{bh}}; b={{b}}");
        let field = sign(other.as_bytes(), &SignOptions::dkim(&template), &key);
        raw.extend(field.repeat(2));
    }
    raw.extend(format!("{header}From: a@example.com\r\nSubject: x\r\n\r\n{body}").into_bytes());
    let mut zone = key_zone();
    zone.add_txt(&name("s2._domainkey.example.com"), key.record().into_bytes());
    let authenticator = Authenticator::new(zone);
    let mut settings = Settings::default();
    settings.work = settings.work / FULL as u64 * (n * if n < 100_000 { 100 } else { 1 }) as u64;
    Box::new(move || {
        let message = Message::parse(&raw).unwrap();
        let mut nobody = spf::Observers { helo: (), mail_from: () };
        let (verdict, log) = now(authenticator.explain(&message, session(), &mut nobody));
        let found = changes(&verdict, &message, &session(), &log, &settings);
        assert!(found.dkim.len() == 10 && found.dkim.iter().all(|changes| !changes.is_empty()));
        black_box(found);
    })
}

fn explained_lines(n: usize) -> Box<dyn Fn()> {
    explain(n, "from:subject", "", &"A line of  words, and more of them. \r\n".repeat(n / 38))
}

fn explained_empty_lines(n: usize) -> Box<dyn Fn()> {
    explain(n, "from:subject", "", &format!("{}x", "\r\n".repeat(n / 2)))
}

fn explained_delimiters(n: usize) -> Box<dyn Fn()> {
    let header = "Content-Type: multipart/mixed; boundary=b\r\n";
    explain(
        n,
        "from:subject:content-type",
        header,
        &"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".repeat(n / 50),
    )
}

fn explained_encodings(n: usize) -> Box<dyn Fn()> {
    let header = "Content-Type: multipart/mixed; boundary=b\r\n";
    let part = |encoding: &str, line: &str| {
        let lines = line.repeat(n / 6 / line.len());
        format!("--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{lines}\r\n")
    };
    let body = part("quoted-printable", "=3D=3C=0D=0A==\r\n")
        + &part("base64", "PGI+PGI+PGI+PGI+\r\n")
        + &part("8bit", "<b>\u{fc}=\r\n");
    explain(n, "from:subject:content-type", header, &body.repeat(2))
}

fn explained_html(n: usize) -> Box<dyn Fn()> {
    let line =
        "<body><meta http-equiv=\"Content-Type\"></body><html>https://a.safelinks.protection.outlook.com/?url=%41 ";
    explain(n, "from:subject", "Content-Type: text/html\r\n", &line.repeat(n / line.len()))
}

fn explained_repairs(n: usize) -> Box<dyn Fn()> {
    let line = ">From \r\n..\r\n--\r\n =c3\u{fc}\r\r\n\r";
    explain(n, "from:subject", "", &line.repeat(n / line.len()))
}

fn explained_names(n: usize) -> Box<dyn Fn()> {
    let names = "reply-to:sender:list-id:x-original-from:to:cc:".repeat(40) + "from:subject";
    let fields = "Reply-To: a b <a@example.com>, b@example.com\r\nTo: a@example.com, b@example.com\r\nSubject: [a] [b]: c\r\nList-Id: x\r\n";
    explain(n, &names, &fields.repeat(n / 4), "Hello\r\n")
}

fn explained_header(n: usize) -> Box<dyn Fn()> {
    let long = "[a] b: =?utf-8?q?=C3=BC?= c@example.com, ".repeat(90);
    let fields = ["Subject", "From", "To", "Reply-To", "X-Original-From", "Delivered-To", "Date", "Content-Type"];
    let fields: String = fields.iter().map(|name| format!("{name}: {long}\r\n")).collect();
    explain(
        n,
        "from:from:subject:subject:to:to:reply-to:date:content-type",
        &fields.repeat(n / fields.len()),
        "Hello\r\n",
    )
}

fn arc_chain(n: usize) -> Box<dyn Fn()> {
    let key = ed25519();
    let mut raw = REST.as_bytes().to_vec();
    let mut sealed: Vec<Vec<u8>> = Vec::new();
    for i in 1..=n {
        let cv = if i == 1 { "none" } else { "pass" };
        let template =
            format!(" i={i}; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from; bh={{bh}}; b={{b}}");
        let results = format!("ARC-Authentication-Results: i={i}; example.com; none\r\n").into_bytes();
        let signature = sign(&raw, &SignOptions { field_name: "ARC-Message-Signature", template: &template }, &key);
        sealed.extend([results, signature]);
        let template = format!(" i={i}; a=ed25519-sha256; cv={cv}; d=example.com; s=s1; b={{b}}");
        let own = seal(&sealed, &SignOptions { field_name: "ARC-Seal", template: &template }, &key);
        sealed.push(own);
        let set: Vec<u8> = sealed[sealed.len() - 3..].concat();
        raw = [set, raw].concat();
    }
    let authenticator = Authenticator::new(key_zone());
    let message = Message::parse(&raw).unwrap();
    assert_eq!(now(authenticator.authenticate(&message, session())).arc.result.keyword(), "pass");
    evaluate(raw)
}

fn arc_seals(n: usize) -> Box<dyn Fn()> {
    let fields = "ARC-Seal: i=1; a=ed25519-sha256; cv=none; d=example.com; s=s1; b=AAAA\r\n".repeat(n);
    evaluate(fields + REST)
}

/// A zone whose records are read anew each time: what was read of them would cost nothing the second time.
struct Unread<'z>(&'z Zone);

impl Resolver for Unread<'_> {
    async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
        Ok(match self.0.txt(name).await? {
            Answer::Records(records) => Answer::Records(records.iter().cloned().collect()),
            empty => empty,
        })
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

fn spf_of(record: String, session: Session) -> Box<dyn Fn()> {
    let mut zone = Zone::new();
    zone.add_txt(&name("example.com"), record.into_bytes());
    zone.add_txt(&name("long.example.com"), "%{l}".repeat(8_000).into_bytes());
    Box::new(move || {
        let authenticator = Authenticator::new(Unread(&zone));
        let mut nobody = spf::Observers { helo: (), mail_from: () };
        let (reports, log) = now(authenticator.explain_spf(&session, &mut nobody));
        black_box(findings_of_spf(&reports, &session, &log));
        black_box(reports.mail_from.map(|report| report.to_string()));
    })
}

/// A whole evaluation of a message whose records were not met yet.
fn evaluation_of_records(zone: Zone, raw: Vec<u8>) -> Box<dyn Fn()> {
    Box::new(move || {
        let message = Message::parse(&raw).unwrap();
        black_box(with_findings(&Authenticator::new(Unread(&zone)), &message, &session()));
    })
}

fn spf_record(n: usize) -> Box<dyn Fn()> {
    spf_of(format!("v=spf1 {}-all", "ip4:198.51.100.1 ".repeat(n / 17)), session())
}

/// Terms that cannot be read, of several kinds, and one that is as long as all of them.
fn spf_faults(n: usize) -> Box<dyn Fn()> {
    let terms = |term: &str| format!("v=spf1 {}-all", term.repeat(n / term.len()));
    let each: Vec<_> =
        ["ipv4:192.0.2.1 ", "inlcude:a.example ", "ip4:192.0.2.1,", "%{", "a:b.example/24/64 ", "-all~all"]
            .into_iter()
            .map(|term| spf_of(terms(term), session()))
            .collect();
    Box::new(move || each.iter().for_each(|run| run()))
}

fn spf_macros(n: usize) -> Box<dyn Fn()> {
    spf_of(format!("v=spf1 exists:{}%{{d}} -all", "%{l1r-}".repeat(n / 7)), session())
}

fn long_local_part(n: usize) -> Box<dyn Fn()> {
    let macros = |letter: &str| letter.repeat(4_000);
    let each: Vec<_> = ["%{l1}", "%{s1-}", "%{lr}", "%{h1r}", "%{L}"]
        .into_iter()
        .flat_map(|letter| {
            [format!("v=spf1 exists:{}%{{d}} -all", macros(letter)), "v=spf1 -all exp=long.example.com".to_owned()]
        })
        .map(|record| {
            let local_part = "a.-".repeat(n / 3);
            spf_of(record, session().with_mail_from(&format!("{local_part}@example.com")).with_helo(&local_part))
        })
        .collect();
    Box::new(move || each.iter().for_each(|run| run()))
}

fn explanation(n: usize) -> Box<dyn Fn()> {
    let mut zone = Zone::new();
    zone.add_txt(&name("example.com"), &b"v=spf1 -all exp=exp.example.com"[..]);
    zone.add_txt(&name("exp.example.com"), "%{l1r-}".repeat(n / 7).into_bytes());
    Box::new(move || {
        let authenticator = Authenticator::new(Unread(&zone));
        let session = session().with_mail_from("-@example.com");
        black_box(now(authenticator.check_spf(&session, &mut spf::Observers { helo: (), mail_from: () })));
    })
}

fn key_record(n: usize) -> Box<dyn Fn()> {
    let mut zone = Zone::new();
    let base64 = "AAAA ".repeat(n / 5);
    for record in [format!("v=DKIM1; p={base64}"), format!("v=DKIM1; k=ed25519; n={base64}; p=AAAA"), ";".repeat(n)] {
        zone.add_txt(&name("s1._domainkey.example.com"), record.into_bytes());
    }
    evaluation_of_records(zone, [signature(""), REST.to_owned()].concat().into())
}

fn dmarc_record(n: usize) -> Box<dyn Fn()> {
    let mut zone = Zone::new();
    let record =
        format!("v=DMARC1; p=reject; rua={}; fo={}", "mailto:a@b.example!1m,".repeat(n / 44), "0:".repeat(n / 4));
    zone.add_txt(&name("_dmarc.example.com"), record.into_bytes());
    evaluation_of_records(zone, REST.into())
}

fn mailboxes(n: usize) -> Box<dyn Fn()> {
    let mut from = "From: x@example.com".to_owned();
    (0..n).for_each(|i| write!(from, ",\r\n x@d{i}.example").unwrap());
    evaluate(from + "\r\n\r\n")
}

fn at_signs(n: usize) -> Box<dyn Fn()> {
    let each: Vec<_> =
        ["@", "@a", "@ ", "<@", "a@b <"].map(|text| evaluate(format!("From: {}\r\n\r\n", text.repeat(n)))).into();
    Box::new(move || each.iter().for_each(|run| run()))
}

fn odd_at_signs(n: usize) -> Box<dyn Fn()> {
    let each: Vec<_> = [
        "@\0",
        "@a\0b",
        "\u{ff20}",
        "\u{e9}@",
        "@\u{4e00}\u{2028}",
        "@(",
        "@a>b",
        "=?x?q?=40",
        "=?x?b?QA==?=",
        "=?utf-7?q?+AEA-",
        "@[",
    ]
    .map(|text| evaluate(format!("From: {}\r\n\r\n", text.repeat(n / text.len()))))
    .into();
    let fields = format!("From: a@{}\0\r\n", "\u{4e00}\u{5d0}".repeat(200)).repeat(n / 1000);
    let fields = evaluate(fields + "\r\n");
    Box::new(move || {
        each.iter().for_each(|run| run());
        fields();
    })
}

fn from_fields(n: usize) -> Box<dyn Fn()> {
    let fields: String = (0..n).map(|i| format!("From: x@d{i}.example\r\n")).collect();
    evaluate(fields + "\r\n")
}

fn comments_in_from(n: usize) -> Box<dyn Fn()> {
    let each: Vec<_> = [
        format!("From: {}{}a@example.com\r\n\r\n", "(".repeat(n), ")".repeat(n)),
        format!("From: {}a@example.com\r\n\r\n", "(".repeat(n)),
        format!("From: {}a@example.com\r\n\r\n", "()".repeat(n)),
        format!("From: {}a@example.com\r\n\r\n", "x,(".repeat(n)),
        format!("Return-Path: {}<a@example.com>\r\n{REST}", "(".repeat(n)),
    ]
    .map(evaluate)
    .into();
    Box::new(move || each.iter().for_each(|run| run()))
}

/// Reads a field, writes it, and looks whether it is forged.
fn read_results(value: String) -> Box<dyn Fn()> {
    let raw = format!("Authentication-Results: {value}\r\n{REST}");
    Box::new(move || {
        let message = Message::parse(raw.as_bytes()).unwrap();
        let read = AuthenticationResults::parse(message.header().fields()[0].value());
        black_box(read.map(|read| read.to_header_field().len()).ok());
        black_box(strip_forged(message.header(), "mx.example.org"));
    })
}

fn comments_in_results(n: usize) -> Box<dyn Fn()> {
    let each: Vec<_> = [
        format!("mx.example.org; spf=pass {}{}", "(".repeat(n), ")".repeat(n)),
        format!("mx.example.org; spf=pass {}", "(x)".repeat(n)),
        format!("{}mx.example.org; none", "(x)".repeat(n)),
    ]
    .map(read_results)
    .into();
    Box::new(move || each.iter().for_each(|run| run()))
}

fn open_comments_in_results(n: usize) -> Box<dyn Fn()> {
    let each: Vec<_> = [
        format!("mx.example.org; {}", "(;".repeat(n)),
        format!("mx.example.org; {}", "a=b (;".repeat(n)),
        format!("mx.example.org; {}", "\"".repeat(n)),
        format!("mx.example.org; {}", "a=\"b;".repeat(n)),
        format!("mx.example.org; {}", "x (\\".repeat(n)),
        "(".repeat(n),
        "((x)".repeat(n),
    ]
    .map(read_results)
    .into();
    Box::new(move || each.iter().for_each(|run| run()))
}

fn results(n: usize) -> Box<dyn Fn()> {
    let each: Vec<_> = [
        format!("mx.example.org{}", "; spf=pass smtp.mailfrom=a@example.com".repeat(n)),
        format!("mx.example.org; dkim=pass{}", " header.d=example.com reason=\"x y\"".repeat(n)),
        format!("mx.example.org{}", "; (a) dkim / 1 = pass (b) ".repeat(n)),
    ]
    .map(read_results)
    .into();
    Box::new(move || each.iter().for_each(|run| run()))
}

fn odd_results(n: usize) -> Box<dyn Fn()> {
    let each: Vec<_> =
        ["a=b c=d ", "x y ", ";", "= ", "a.b=@", "a/", "1 ", "\u{200b}", "\"x\" ", "a=b x.y= ", "smtp.mailfrom="]
            .map(|text| read_results(format!("mx.example.org; {}", text.repeat(n / text.len()))))
            .into();
    Box::new(move || each.iter().for_each(|run| run()))
}

fn bare_line_ends(n: usize) -> Box<dyn Fn()> {
    let raw = format!("{REST}{}", "\n\r".repeat(n / 2));
    let header = format!("{}\r\n", "X: y\nZ: a\r".repeat(n / 10)) + REST;
    let evaluate = evaluate(header);
    Box::new(move || {
        black_box(to_crlf(raw.as_bytes()));
        evaluate();
    })
}

/// All that reads the fields of a header, at once.
fn read_header(raw: String) -> Box<dyn Fn()> {
    let authenticator = Authenticator::new(key_zone());
    Box::new(move || {
        let message = Message::parse(raw.as_bytes()).unwrap();
        let verdict = now(authenticator.authenticate(&message, session()));
        assert!(!message.header().malformations().is_empty());
        black_box((verdict.to_header_field("mx.example.org"), strip_forged(message.header(), "mx.example.org")));
        black_box(received::hops(message.header()));
    })
}

/// Fields behind bare CRs and other controls, what could be continuations of them, and what reads to their end again and again if it is
/// not bounded.
fn many_readings(n: usize) -> Box<dyn Fn()> {
    let within_a_field = [
        "\rFrom: a@b",
        "\u{b}From: a@b",
        "\0From:a@b.example,",
        "\rFrom\r \r ",
        "\rFrom\u{c}",
        "\rAuthentication-Results: mx.example.org",
        "\rReceived: from a by b",
        "\rDKIM-Signature: d=a",
        "\rARC-Seal: i=1",
        "\r",
        "\r \r\u{c}",
        "\0",
        "\u{85}",
        "\u{2028}",
        "\r\r\nA",
        "A\r\u{c}",
        "F\0",
        "Fr\0o\0",
        "\0F\u{a0}\0 ",
        "\u{a0}\u{85}",
        "\u{feff}\0",
    ];
    let mut each: Vec<_> = within_a_field
        .iter()
        .map(|text| read_header(format!("X: y{}\r\n{REST}", text.repeat(n / text.len()))))
        .collect();
    // To readers of CRLF alone, the body is a part of the header.
    let beyond = format!("X: y\n\n{}", "From: a@b\r\n".repeat(n / 11));
    each.extend([
        read_header(format!("{}{beyond}", REST.replace("\r\n\r\nHello", ""))),
        read_header("From \r".repeat(n / 6) + "\n" + REST),
        read_header(format!("F{}: a@b\r\n{REST}", "\0".repeat(n))),
        read_header(format!("From{}: a@b\r\n{REST}", "\u{a0}\0 ".repeat(n / 4))),
        read_header(format!("\0{}From: a@b\r\n{REST}", "\u{a0} ".repeat(n / 3))),
        read_header(format!("junk\r\n{}{REST}", " From\r\n".repeat(n / 7))),
    ]);
    Box::new(move || each.iter().for_each(|run| run()))
}

fn no_fields(n: usize) -> Box<dyn Fn()> {
    let each: Vec<_> = ["junk\r\n", "X : y\r\n", "From a\r\n", "\u{feff}X: y\r\n", "X: y\r\n \r\n"]
        .map(|line| read_header(format!("{}{REST}", format!("junk\r\n{line}").repeat(n))))
        .into();
    Box::new(move || each.iter().for_each(|run| run()))
}

fn signatures_under_a_malformed_header(n: usize) -> Box<dyn Fn()> {
    read_header(format!("junk\r\n{}{REST}", signature("").repeat(n)))
}

/// What a signature does not cover is counted once for a header, and once for each of them.
fn repeated_fields(n: usize) -> Box<dyn Fn()> {
    let mut policy = Policy::default();
    policy.dkim.max_signatures = usize::MAX;
    let raw = "Subject: x\r\n".repeat(n) + &signature("").replace("h=from", "h=from:subject").repeat(n) + REST;
    evaluation(key_zone(), policy, session(), raw.into_bytes())
}

fn master_file(n: usize) -> Box<dyn Fn()> {
    let text: String = (0..n).map(|i| format!("d{i}.example. 3600 IN TXT ( \"v=spf1\" \" -all\" ) ; x\n")).collect();
    Box::new(move || drop(black_box(Zone::parse(&text, "x.zone").unwrap())))
}
