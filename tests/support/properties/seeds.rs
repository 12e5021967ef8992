//! Where fuzzing starts in the targets whose octets decide over structure: one input for each kind of result, found among random ones.

use super::{
    invented::{self, NOW},
    now,
};
use arbitrary::Unstructured;
use mailverdict::{
    Authenticator, Message,
    arc::ArcResult,
    message::Oddity,
    spf::{Limit, NoneReason, Observers, PermError, SpfReport, SpfReports, SpfResult},
};
use std::collections::BTreeMap;

/// What an input comes to, in a word; `None` where it comes to nothing that is worth keeping.
type Kind = fn(&[u8]) -> Option<String>;

/// For a target several of them, each of which has seeds of its own.
const TARGETS: [(&str, &[Kind]); 4] = [
    ("arc_chain", &[arc_chain]),
    ("authenticate", &[authenticate, oddity]),
    ("check_host", &[check_host]),
    ("dkim_signed", &[dkim_signed]),
];

/// For each target the shortest input of each kind among so many, by the name of the kind.
pub(crate) fn seeds(tried: usize) -> BTreeMap<&'static str, BTreeMap<String, Vec<u8>>> {
    let of = |kinds: &[Kind]| {
        let mut seeds: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for input in random(tried) {
            for name in kinds.iter().filter_map(|kind| kind(&input)) {
                if seeds.get(&name).is_none_or(|known| known.len() > input.len()) {
                    seeds.insert(name, input.clone());
                }
            }
        }
        seeds
    };
    TARGETS.into_iter().map(|(target, kinds)| (target, of(kinds))).collect()
}

/// The same at every run.
fn random(count: usize) -> impl Iterator<Item = Vec<u8>> {
    // xorshift64
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..count).map(move |at| std::iter::repeat_with(&mut next).flatten().take(64 + at % 960).collect())
}

fn check_host(data: &[u8]) -> Option<String> {
    let mut u = Unstructured::new(data);
    let (zone, session) = (invented::zone(&mut u).ok()?, invented::session(&mut u).ok()?);
    let reports = now(Authenticator::new(zone).check_spf(&session, &mut Observers { helo: (), mail_from: () }));
    let keyword = |report: &Option<SpfReport>| report.as_ref().map_or("unknown", |report| report.result.keyword());
    Some(format!("helo_{}_mailfrom_{}{}", keyword(&reports.helo), keyword(&reports.mail_from), bound(&reports)))
}

/// The bound that the check of MAIL FROM came to, where it came to one.
fn bound(reports: &SpfReports) -> &'static str {
    match reports.mail_from.as_ref().map(|report| &report.result) {
        Some(SpfResult::None(NoneReason::LocalPartTooLong { .. })) => "_of_a_long_local_part",
        Some(SpfResult::PermError(PermError::LimitExceeded { limit: Limit::Expansion(_), .. })) => "_of_many_macros",
        Some(SpfResult::PermError(PermError::LimitExceeded { limit: Limit::Lookups(_), .. })) => "_of_many_terms",
        _ => "",
    }
}

fn authenticate(data: &[u8]) -> Option<String> {
    let mut u = Unstructured::new(data);
    let (zone, session, raw) = invented::scene(&mut u)?;
    let message = Message::parse(&raw).ok()?;
    let verdict = now(Authenticator::new(zone).authenticate(&message, session));
    let mut dkim: Vec<_> = verdict.dkim.iter().map(|report| report.result.keyword()).collect();
    dkim.sort_unstable();
    dkim.dedup();
    // More than its field in the results has room for.
    let many = if verdict.dkim.len() > 10 { "many_" } else { "" };
    let authors = message.header().authors();
    let from = match (authors.is_ambiguous(), authors.is_incomplete()) {
        (false, _) => "plain",
        (true, false) => "ambiguous",
        (true, true) => "incomplete",
    };
    // Each kind of malformation is a seed of its own, and so is each kind of result.
    Some(match message.header().malformations() {
        [malformation, ..] if !dkim.is_empty() => format!("malformed_{:?}", malformation.kind),
        _ => format!(
            "dkim_{many}{}_arc_{}_dmarc_{}_from_{from}{}",
            dkim.join("_"),
            verdict.arc.result.keyword(),
            verdict.dmarc.result.keyword(),
            bound(&verdict.spf)
        ),
    })
}

/// What is odd about a message though its header is not malformed.
fn oddity(data: &[u8]) -> Option<String> {
    let (_, _, raw) = invented::scene(&mut Unstructured::new(data))?;
    let message = Message::parse(&raw).ok()?;
    let findings = message.oddities().into_iter().chain(message.header().authors().oddities());
    let name = findings.filter_map(|finding| match finding {
        Oddity::BlankLineInField { .. } => Some("blank_line_in_field"),
        Oddity::RepeatedField { .. } => Some("repeated_field"),
        Oddity::EncodedLocalPart { .. } => Some("encoded_local_part"),
        Oddity::NoField => Some("no_field"),
        _ => None,
    });
    name.min().map(str::to_owned)
}

fn arc_chain(data: &[u8]) -> Option<String> {
    let mut u = Unstructured::new(data);
    let raw = invented::message(&mut u).ok()?;
    let message = Message::parse(&raw).ok()?;
    let [key, _] = invented::keys();
    let arc = now(Authenticator::new(super::evaluation::key_zone(&key)).check_arc(&message, NOW));
    match arc.result {
        ArcResult::None => None,
        ArcResult::Pass { oldest_pass, .. } => Some(format!("{}_sets_pass_from_{oldest_pass}", arc.instances)),
        _ => Some(format!("{}_sets_fail", arc.instances)),
    }
}

fn dkim_signed(data: &[u8]) -> Option<String> {
    let mut u = Unstructured::new(data);
    let raw = invented::message(&mut u).ok()?;
    let (template, _) = invented::signature(&mut u).ok()?;
    let c = template.split("c=").nth(1)?.split(';').next()?.replace('/', "_");
    let kept = if template.contains(" l=") { "part" } else { "whole" };
    let empty = if raw.ends_with(b"\r\n\r\n") { "empty" } else { "some" };
    invented::is_plain(&raw).then(|| format!("{c}_{kept}_of_{empty}_body"))
}
