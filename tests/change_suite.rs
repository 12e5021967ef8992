//! What happened to messages whose signatures do not verify: real ones, and for each kind of change many that are made here, singly and in
//! the pairs that lists and gateways make; and random damages, of which none may be called proven.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/changed/mod.rs"]
mod changed;
mod support;

use changed::{Damage, Signed, body_damage, header_damage, key_damage, random::Random};
use mailverdict::{
    Authenticator, Message, Session,
    change::{Changes, Settings, changes},
    dkim::{Change, DkimResult},
    dns::Zone,
    message::to_crlf,
    spf::Observers,
    time::UnixTime,
};
use saphyr::{LoadableYamlNode, Yaml};
use support::{
    case::{list, text},
    ready::now,
    sealer::{SetOptions, sealed},
    signer::Key,
};

/// What is found of a message.
fn found(raw: &[u8], zone: &Zone, at: UnixTime, most: u64) -> Changes {
    let message = Message::parse(raw).unwrap();
    let authenticator = Authenticator::new(zone.clone());
    let session = Session::without_peer().received_at(at);
    let mut nobody = Observers { helo: (), mail_from: () };
    let (verdict, log) = now(authenticator.explain(&message, session.clone(), &mut nobody));
    changes(&verdict, &message, &session, &log, &settings(most))
}

/// Octets hashed for a message that was changed in a way that can be found.
const MOST: u64 = 60_000_000;

/// Without optimization, the whole of the work would take minutes.
fn settings(most: u64) -> Settings {
    let mut settings = Settings::default();
    if cfg!(debug_assertions) {
        settings.work = most;
    }
    settings
}

/// `kind proven field`, as far as there is.
fn shown(change: &Change) -> String {
    let proven = if change.is_proven { "" } else { "?" };
    let field = change.field.as_ref().map(|field| format!(" {field}")).unwrap_or_default();
    format!("{}{proven}{field}", change.kind.keyword())
}

#[test]
fn the_cases_are_told_as_they_should_be() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/change");
    let cases = std::fs::read_to_string(format!("{folder}/cases.yml")).unwrap();
    let cases = Yaml::load_from_str(&cases).unwrap();
    let mut failures = Vec::new();
    let cases = cases[0].as_sequence().unwrap();
    for case in cases {
        let name = text(case, "name").unwrap();
        let raw = std::fs::read(format!("{folder}/{name}.eml")).unwrap();
        let file = std::fs::read_to_string(format!("{folder}/{name}.db")).unwrap();
        let zone = Zone::parse(file, name).unwrap();
        let found = found(&to_crlf(&raw), &zone, UnixTime(1_800_000_000), MOST);
        let all: Vec<&Change> = found.dkim.iter().flatten().collect();
        let kinds: Vec<String> = all.iter().map(|change| shown(change)).collect();
        for change in &all {
            println!("{name}: {} | {change}", shown(change));
        }
        assert!(
            all.iter().all(|change| change.to_string().bytes().all(|octet| matches!(octet, b' '..=b'~'))),
            "{all:?}"
        );
        let says = list(case, "says");
        let is_said = |part: &String| all.iter().any(|change| change.to_string().contains(part));
        if kinds != list(case, "changes") || !says.iter().all(is_said) {
            failures.push(format!("{name}: {all:#?}"));
        }
    }
    assert!(cases.len() >= 8 && failures.is_empty(), "{}", failures.join("\n"));
}

/// How many messages are made of each kind of damage.
const OF_EACH: usize = 12;

/// The message without what was added, where all that was done to it was to add text.
fn undone(signed: &Signed, changes: &[Change]) -> Option<Vec<u8>> {
    let mut mail = signed.mail.clone();
    mail.body = to_crlf(&mail.body).into_owned();
    let mut in_body = Vec::new();
    for change in changes {
        let removed = &change.undo.as_ref()?.removed;
        match change.field.as_deref() {
            None => in_body.extend(removed.iter().map(|span| span.range())),
            Some(name) => {
                let mut raw = format!("{name}:{}\r\n", mail.value(name));
                removed.iter().for_each(|span| raw.replace_range(span.range(), ""));
                mail.set(name, raw.trim_end_matches("\r\n").split_once(':').unwrap().1);
            }
        }
    }
    in_body.sort_by_key(|range| range.start);
    in_body.into_iter().rev().for_each(|range| drop(mail.body.drain(range)));
    Some(mail.octets())
}

fn passes(raw: &[u8], zone: &Zone, at: u64) -> bool {
    let message = Message::parse(raw).unwrap();
    let session = Session::without_peer().received_at(UnixTime(at));
    let verdict = Authenticator::new(zone.clone()).authenticate_at_once(&message, session);
    verdict.dkim.iter().any(|report| report.result == DkimResult::Pass)
}

/// Damages, and how many of their messages were told as they should be.
fn told(damages: &[&[Damage]], proven: bool) -> (usize, usize) {
    let (mut right, mut all) = (0, 0);
    for (seed, damage) in damages.iter().copied().flatten().enumerate() {
        let mut wrong = Vec::new();
        for number in 0..OF_EACH {
            let signed = damage.message(number, seed as u64 * 1000);
            let raw = signed.mail.octets();
            let zone = Zone::parse(signed.zone.clone(), "zone").unwrap();
            let changes = found(&raw, &zone, UnixTime(signed.at), MOST);
            let signatures = signed.mail.fields.iter().filter(|(name, _)| name == "DKIM-Signature");
            let own = signatures.enumerate().find(|(_, (_, value))| value.contains("d=contoso.com")).unwrap().0;
            let of_own = &changes.dkim[own];
            let are_clean =
                of_own.iter().all(|change| change.to_string().bytes().all(|octet| matches!(octet, b' '..=b'~')));
            assert!(are_clean, "{of_own:?}");
            let mut kinds: Vec<&str> =
                of_own.iter().filter(|change| change.is_proven == proven).map(|change| change.kind.keyword()).collect();
            let mut wanted = damage.kinds.to_vec();
            kinds.sort_unstable();
            wanted.sort_unstable();
            all += 1;
            let is_right = if proven { kinds == wanted } else { wanted.iter().all(|kind| kinds.contains(kind)) };
            if is_right {
                right += 1;
                if let Some(undone) = undone(&signed, of_own) {
                    assert!(passes(&undone, &zone, signed.at), "{of_own:#?}\n{}", String::from_utf8_lossy(&undone));
                }
            } else {
                wrong.push(format!("{:?} {:?}", signed.signer, of_own.iter().map(shown).collect::<Vec<_>>()));
            }
        }
        println!("{:<60} {:>2} of {OF_EACH}", damage.kinds.join(" + "), OF_EACH - wrong.len());
        wrong.iter().take(6).for_each(|wrong| println!("    {wrong}"));
    }
    (right, all)
}

#[test]
fn single_changes_are_named() {
    let damages = [body_damage::DAMAGES, header_damage::DAMAGES, header_damage::WRONG, key_damage::DAMAGES];
    let (right, all) = told(&damages, true);
    println!("kinds named right of single changes: {right} of {all}");
    assert!(right * 100 >= all * 95, "{right} of {all}");
}

#[test]
fn usual_pairs_are_named() {
    let (right, all) = told(&[body_damage::PAIRS, header_damage::PAIRS, key_damage::PAIRS], true);
    println!("usual pairs named right: {right} of {all}");
    assert!(right * 100 >= all * 80, "{right} of {all}");
}

#[test]
fn what_rests_on_the_word_of_others_is_not_proven() {
    let (right, all) = told(&[key_damage::UNPROVEN], false);
    assert_eq!(right, all);
}

/// What happens by chance: no list and no gateway does it, and nothing can undo it.
fn damaged(signed: &mut Signed) -> &'static str {
    let letter = |random: &mut Random, other: u8| loop {
        let found = random.pick(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if found != other {
            break found;
        }
    };
    let random = &mut signed.random;
    let place = random.pick(&["body", "body", "body", "From", "To", "Subject", "Date", "Message-ID", "bh", "b"]);
    match place {
        "body" => {
            let body = &mut signed.mail.body;
            for _ in 0..1 + random.below(3) {
                let letters: Vec<usize> = (1..body.len() - 1)
                    .filter(|at| body[at - 1..=at + 1].iter().all(u8::is_ascii_alphanumeric))
                    .collect();
                let at = random.pick(&letters);
                let new = letter(random, body[at]);
                match random.below(3) {
                    0 => body[at] = new,
                    1 => body.insert(at, new),
                    _ => drop(body.remove(at)),
                }
            }
        }
        name => {
            let tag = match name {
                "bh" => " bh=",
                "b" => " b=",
                _ => "",
            };
            let field = if tag.is_empty() { name } else { "DKIM-Signature" };
            let value = signed.mail.value(field).to_owned();
            let start = value.find(tag).unwrap() + tag.len() + 2;
            let at = start + random.below(20.min(value.len() - start - 1));
            let at = (at..value.len()).find(|at| value.as_bytes()[*at].is_ascii_alphanumeric()).unwrap_or(start);
            let mut octets = value.into_bytes();
            octets[at] = letter(random, octets[at]);
            signed.mail.set(field, std::str::from_utf8(&octets).unwrap());
        }
    }
    place
}

#[test]
fn random_damages_have_no_false_proof() {
    let (mut false_proofs, mut unknown) = (Vec::new(), 0);
    for number in 0..200 {
        let mut signed = Damage::NONE.message(number, 77_000);
        let place = damaged(&mut signed);
        let zone = Zone::parse(signed.zone.clone(), "zone").unwrap();
        let changes = found(&signed.mail.octets(), &zone, UnixTime(signed.at), 6_000_000);
        let all = &changes.dkim[0];
        assert!(!all.is_empty(), "{place}: nothing is said");
        // That a field differs is true, and which is not known.
        let is_true = |change: &&Change| {
            !change.is_proven || (place != "body" && change.kind.keyword() == "field-changed" && change.field.is_none())
        };
        if !all.iter().all(|change| is_true(&change)) {
            false_proofs
                .push(format!("{number} {place}: {:?}", all.iter().map(ToString::to_string).collect::<Vec<_>>()));
        }
        unknown += usize::from(all.iter().any(|change| change.kind.keyword() == "unknown"));
    }
    println!("false proofs of 200 random damages: {}; {unknown} with an unknown cause", false_proofs.len());
    assert!(false_proofs.is_empty() && unknown >= 60, "{unknown}\n{}", false_proofs.join("\n"));
}

/// A list adds its footer, a gateway seals, and another list adds its own.
#[test]
fn message_signatures_of_arc_are_explained_as_well() {
    let none = Damage { shapes: changed::TEXT, signers: &[changed::Signer::Relaxed], ..Damage::NONE };
    let signed = none.message(0, 5);
    let key = Key::named("rsa2048-other");
    let options = |instance: usize, status: &'static str| SetOptions {
        instance,
        results: "seal.example; dkim=pass header.d=contoso.com",
        message_signature: "i={i}; a=rsa-sha256; c=relaxed/relaxed; d=seal.example; s=k; h=from:to:subject; bh={bh}; b={b}",
        seal: status,
        message_signature_key: &key,
        seal_key: &key,
    };
    let none = "i={i}; a=rsa-sha256; cv=none; d=seal.example; s=k; b={b}";
    let pass = "i={i}; a=rsa-sha256; cv=pass; d=seal.example; s=k; b={b}";
    let once = sealed(&signed.mail.octets(), &options(1, none));
    let changed = [&once[..], b"-- \r\nA list.\r\n"].concat();
    let twice = sealed(&changed, &options(2, pass));
    let zone = signed.zone + &changed::record("seal.example", "k", &key.record());
    let zone = Zone::parse(zone, "zone").unwrap();
    let explained = |raw: &[u8]| {
        let found = found(raw, &zone, UnixTime(signed.at), MOST);
        let sets = found
            .message_signatures
            .iter()
            .map(|set| (set.instance, set.changes.iter().map(shown).collect::<Vec<_>>()));
        sets.collect::<Vec<_>>()
    };
    assert_eq!(explained(&once), []);
    // The second set is by the same domain as the first, and so is no other's word; the author's signature was over the same body.
    let appended = vec!["body-appended".to_owned(), "changed-after-sealer?".to_owned()];
    assert_eq!(explained(&twice), [(1, appended.clone())]);
    let broken = [&twice[..], b"More.\r\n"].concat();
    assert_eq!(explained(&broken), [(2, vec!["body-appended".to_owned()]), (1, appended)]);
}

#[test]
fn intact_signatures_cost_nothing() {
    for number in 0..21 {
        let signed = Damage::NONE.message(number, 9);
        let zone = Zone::parse(signed.zone.clone(), "zone").unwrap();
        let mut found = found(&signed.mail.octets(), &zone, UnixTime(signed.at), MOST);
        assert_eq!(found.dkim.pop(), Some(Vec::new()), "{number}");
        assert!(found.message_signatures.is_empty());
    }
}

#[test]
fn no_work_finds_nothing_and_says_so() {
    let damage = Damage {
        shapes: changed::TEXT,
        signers: &[changed::Signer::Relaxed],
        after: body_damage::append,
        ..Damage::NONE
    };
    let signed = damage.message(0, 3);
    let zone = Zone::parse(signed.zone.clone(), "zone").unwrap();
    let raw = signed.mail.octets();
    let message = Message::parse(&raw).unwrap();
    let session = Session::without_peer().received_at(UnixTime(signed.at));
    let mut nobody = Observers { helo: (), mail_from: () };
    let (verdict, log) = now(Authenticator::new(zone).explain(&message, session.clone(), &mut nobody));
    for (work, wanted) in [(0, "unknown?"), (200_000, "body-appended")] {
        let mut settings = Settings::default();
        settings.work = work;
        let found = changes(&verdict, &message, &session, &log, &settings);
        assert_eq!(shown(&found.dkim[0][0]), wanted);
        let again = changes(&verdict, &message, &session, &log, &settings);
        assert_eq!(found, again);
    }
}

/// Whatever strangers write, a sentence is one that can be read.
#[test]
fn sentences_are_bounded() {
    let none = Damage { shapes: changed::TEXT, signers: &[changed::Signer::Relaxed], ..Damage::NONE };
    let mut signed = none.message(0, 11);
    let long = "x".repeat(20_000);
    signed.mail.fields.remove(0);
    let names = format!("from:subject:{long}:{}", format!("{long}:").repeat(3).trim_end_matches(':'));
    let template =
        format!(" v=1; a=rsa-sha256; c=relaxed/relaxed; d=contoso.com; s=rsa2048; h={names}; bh={{bh}}; b={{b}}");
    signed.sign_as("DKIM-Signature", &template);
    body_damage::append(&mut signed);
    signed.mail.set("Subject", &format!(" {long}"));
    let result = format!(" {long}; dkim=pass header.d=contoso.com");
    signed.mail.fields.insert(0, ("Authentication-Results".to_owned(), result));
    let hop = format!(" from {long} ([192.0.2.1]) by {long}; Mon, 6 Oct 2025 08:15:05 +0000");
    signed.mail.fields.insert(0, ("Received".to_owned(), hop));
    let zone = Zone::parse(signed.zone.clone(), "zone").unwrap();
    let changes = found(&signed.mail.octets(), &zone, UnixTime(signed.at), 6_000_000);
    let kinds: Vec<String> = changes.dkim[0].iter().map(shown).collect();
    assert_eq!(kinds, ["body-appended", "field-changed", "changed-after-receiver?"]);
    for change in &changes.dkim[0] {
        assert!(change.to_string().len() < 1200, "{change}");
    }
}
