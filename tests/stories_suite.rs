//! The stories of tests/data/microsoft365, evaluated by the library: with the zone in memory, and through a real DNS server on the
//! loopback interface. (crates/cli/tests/cli_suite.rs evaluates them through the binary.)
//!
//! `MAILVERDICT_REGENERATE=1 cargo test --all-features --test stories_suite` signs the messages anew, after their text was changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/story.rs"]
mod story;
mod support;

use mailverdict::{
    Authenticator, Message, Verdict,
    dns::{Resolver, Zone},
    name::Name,
};
use std::{env, fs};
use story::{Sign, Story, stories};
use support::signer::{Key, SignOptions, sign};

/// When the messages were signed.
const SIGNED_AT: u64 = 1_759_738_501; // 2025-10-06T08:15:01Z

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn assert_none(failures: &[String]) {
    assert!(failures.is_empty(), "\n  {}", failures.join("\n  "));
}

async fn verdict<R: Resolver>(authenticator: &Authenticator<R>, story: &Story) -> Verdict {
    let octets = story.octets();
    let message = Message::parse(&octets).unwrap();
    authenticator.authenticate(&message, story.session()).await
}

#[test]
fn stories_with_the_zone_in_memory() {
    let authenticator = Authenticator::new(story::zone());
    let mut failures = Vec::new();
    let stories = stories();
    for story in &stories {
        let verdict = runtime().block_on(verdict(&authenticator, story));
        failures.extend(story.differences(|path| story::in_verdict(&verdict, path)));
        if !verdict.oddities.is_empty() {
            failures.push(format!("{}: findings {:?}", story.title, verdict.oddities));
        }
    }
    println!("{} stories with the zone in memory", stories.len());
    assert_none(&failures);
}

/// What a real server answers through hickory gives the very same verdicts, reasons included.
#[cfg(feature = "hickory")]
#[test]
fn stories_through_a_real_server() {
    use mailverdict::dns::Hickory;
    let runtime = runtime();
    runtime.block_on(async {
        let zone = fs::read_to_string(story::folder().join("zone.db")).unwrap();
        let server = support::dns_server::DnsServer::start(&zone).await;
        let network = Authenticator::new(Hickory::server(server.address).unwrap());
        let memory = Authenticator::new(story::zone());
        let mut failures = Vec::new();
        let stories = stories();
        for story in &stories {
            let found = verdict(&network, story).await;
            failures.extend(story.differences(|path| story::in_verdict(&found, path)));
            let expected = verdict(&memory, story).await;
            if found != expected {
                failures.push(format!("{}: {found:#?}\nin memory: {expected:#?}", story.title));
            }
        }
        println!("{} stories through a real server", stories.len());
        assert_none(&failures);
    });
}

/// Whoever keeps verdicts as data finds the same words in them.
#[cfg(feature = "serde")]
#[test]
fn verdicts_are_serializable() {
    let authenticator = Authenticator::new(story::zone());
    for story in stories() {
        let verdict = runtime().block_on(verdict(&authenticator, &story));
        let data = serde_json::to_value(&verdict).unwrap();
        let read: mailverdict::Verdict = serde_json::from_value(data.clone()).unwrap();
        assert_eq!(read, verdict, "{}", story.title);
        let policy = mailverdict::Policy::default();
        assert!(support::evidence::assert_replays(&story::zone(), &policy, &story.octets(), &story.session()));
        assert_eq!(data["dmarc"]["disposition"], verdict.dmarc.disposition.keyword(), "{}", story.title);
        assert_eq!(data["dkim"].as_array().unwrap().len(), verdict.dkim.len(), "{}", story.title);
        for part in ["spf", "arc", "oddities"] {
            assert!(data.get(part).is_some_and(|part| !part.is_null()), "{}: {part}", story.title);
        }
    }
}

/// The committed messages are those that the signer makes: nobody changed their octets, and they can be made again.
#[test]
fn messages_are_as_they_were_signed() {
    let regenerate = env::var_os("MAILVERDICT_REGENERATE").is_some();
    let zone = story::zone();
    let mut failures = Vec::new();
    for story in stories() {
        let committed = story.octets();
        let unsigned = without_signatures(&committed);
        let mut message = unsigned.clone();
        for how in story.sign.iter().rev() {
            let field = match how {
                Sign::With { domain, selector, algorithm } => {
                    let key = Key::named(key_of(domain));
                    assert_published(&zone, selector, domain, &key);
                    sign(&unsigned, &SignOptions::dkim(&template(domain, selector, algorithm)), &key)
                }
                Sign::SameAs { message } => signatures(&fs::read(story::folder().join(message)).unwrap()),
            };
            message = [field, message].concat();
        }
        if message == committed {
            continue;
        }
        if regenerate {
            fs::write(story::folder().join(&story.message), message).unwrap();
            println!("signed {}", story.message);
        } else {
            failures.push(format!("{} is not what the signer makes of it", story.message));
        }
    }
    assert_none(&failures);
}

/// The key of a signing domain, in tests/data/keys.
fn key_of(domain: &str) -> &'static str {
    match domain {
        "contoso.com" => "rsa2048",
        "adatum.com" | "bounces.adatum.com" => "rsa2048-other",
        "news.adatum.com" => "ed25519",
        other => panic!("no key for {other}"),
    }
}

fn template(domain: &str, selector: &str, algorithm: &str) -> String {
    format!(
        "v=1; a={algorithm}; c=relaxed/relaxed; d={domain};\r\n\ts={selector}; t={SIGNED_AT};\r\n\
         \th=From:Date:Subject:Message-ID:Content-Type:MIME-Version:To;\r\n\tbh={{bh}};\r\n\tb={{b}}"
    )
}

fn assert_published(zone: &Zone, selector: &str, domain: &str, key: &Key) {
    let name = Name::parse(&format!("{selector}._domainkey.{domain}")).unwrap();
    let answer = runtime().block_on(zone.txt(&name)).unwrap();
    let record = key.record();
    assert!(
        answer.records().iter().any(|text| **text == *record.as_bytes()),
        "zone.db publishes at {name} not {record}"
    );
}

/// The DKIM-Signature fields at the top of a message, or what stands below them.
fn signatures(message: &[u8]) -> Vec<u8> {
    message[..message.len() - without_signatures(message).len()].to_vec()
}

fn without_signatures(message: &[u8]) -> Vec<u8> {
    let mut rest = message;
    while rest.starts_with(b"DKIM-Signature:") {
        let end = rest.windows(3).position(|end| end.starts_with(b"\r\n") && !matches!(end[2], b' ' | b'\t')).unwrap();
        rest = &rest[end + 2..];
    }
    rest.to_vec()
}
