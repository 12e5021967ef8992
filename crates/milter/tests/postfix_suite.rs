//! The program behind a real Postfix: mail goes in by SMTP, and comes out at a sink.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/postfix.rs"]
mod postfix;
#[path = "../../../tests/support/skip.rs"]
mod skip;
mod support;

use mailverdict::{Authenticator, Message, Session, dns::Zone, sign::PrivateKey};
use postfix::Postfix;
use std::{fs, net::Ipv4Addr};
use support::{DATA, Milter, message};

const SERVICE: (&str, &str) = ("198.51.100.40", "mail-eur01.outbound.protection.outlook.com");
const STRANGER: (&str, &str) = ("192.0.2.66", "mail.evil.example");
const OWN: (&str, &str) = ("127.0.0.1", "localhost");

fn skipped() -> bool {
    let obstacle = postfix::obstacle();
    if let Some(why) = obstacle {
        skip::skipped(&format!("{why}: nothing is sent through a real Postfix"));
    }
    obstacle.is_some()
}

/// The message with a field before its first one, by which it is found again.
fn with_id(raw: &[u8], id: &str) -> Vec<u8> {
    [format!("X-Test: {id}\r\n").as_bytes(), raw].concat()
}

/// What came of it: the message whose X-Test is this.
fn came(postfix: &Postfix, id: &str) -> Vec<Vec<u8>> {
    let wanted = format!("X-Test: {id}\r\n");
    let all = postfix.sink.messages().into_iter();
    all.filter(|message| String::from_utf8_lossy(message).contains(&wanted)).collect()
}

fn wait_for(postfix: &Postfix, id: &str) -> String {
    let start = std::time::Instant::now();
    loop {
        let found = came(postfix, id);
        if let [message] = found.as_slice() {
            return String::from_utf8_lossy(message).into_owned();
        }
        assert!(found.is_empty(), "{id} came {} times", found.len());
        assert!(start.elapsed().as_secs() < 30, "{id} does not come: {}", postfix.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The fields of this name, from the top down, without folding.
fn fields(message: &str, name: &str) -> Vec<String> {
    let message = Message::parse(message.as_bytes()).unwrap();
    let fields = message.header().named(name).map(|field| String::from_utf8_lossy(field.value()).into_owned());
    fields.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

const ACTIONS: &str = "[actions]\ndmarc_reject = \"reject\"\n";

#[test]
fn mail_through_postfix() {
    if skipped() {
        return;
    }
    let milter = Milter::start(ACTIONS);
    let postfix = Postfix::start(milter.address(), "");
    let service = message("01-sent-by-the-service.eml");

    // 1: mail that passes.
    assert!(postfix.send(SERVICE, "<alice@contoso.com>", &with_id(&service, "pass")).starts_with("250 "));
    let passed = wait_for(&postfix, "pass");
    let results = fields(&passed, "Authentication-Results");
    assert!(results[0].starts_with("mx.example.net; dmarc=pass") && results[0].contains("dkim=pass"), "{results:?}");
    assert!(passed.starts_with("Authentication-Results: mx.example.net;"), "the own results stand on top: {passed}");

    // 2: forwarded mail passes by its signature.
    let forwarded = message("02-forwarded.eml");
    assert!(postfix.send(STRANGER, "<alice@contoso.com>", &with_id(&forwarded, "forwarded")).starts_with("250 "));
    let results = fields(&wait_for(&postfix, "forwarded"), "Authentication-Results");
    assert!(results[0].contains("dmarc=pass") && results[0].contains("spf=fail"), "{results:?}");

    // 3: a spoof is refused with the reply that says why, and is not delivered.
    let reply = postfix.send(STRANGER, "<alice@contoso.com>", &with_id(&message("04-spoof.eml"), "spoof"));
    assert!(
        reply.starts_with(
            "550 5.7.26 contoso.com asks to reject mail that is not authenticated: SPF failed for 192.0.2.66"
        ),
        "{reply}"
    );

    // 4: the null reverse-path.
    let bounce = b"From: postmaster@plain.example\r\nSubject: bounce\r\n\r\nx\r\n";
    assert!(postfix.send(STRANGER, "<>", &with_id(bounce, "null")).starts_with("250 "));
    assert!(fields(&wait_for(&postfix, "null"), "Authentication-Results")[0].contains("dmarc=none"));

    // 5, 6: forged results go, wherever they stand; those of others stay.
    let forged = [
        b"Authentication-Results: mx.example.net; dmarc=pass\r\nAuthentication-Results: other.example; dmarc=pass\r\n",
        &service[..],
    ]
    .concat();
    let forged = [&forged[..forged.len() - 2], b"\r\n"].concat();
    assert!(postfix.send(SERVICE, "<alice@contoso.com>", &with_id(&forged, "forged")).starts_with("250 "));
    let results = fields(&wait_for(&postfix, "forged"), "Authentication-Results");
    assert_eq!(results.iter().filter(|result| result.starts_with("mx.example.net")).count(), 1, "{results:?}");
    assert!(results.iter().any(|result| result == "other.example; dmarc=pass"), "{results:?}");
    let below = [
        b"From: x@plain.example\r\nSubject: x\r\nAuthentication-Results: mx.example.net; spf=pass\r\n",
        &b"\r\nx\r\n"[..],
    ]
    .concat();
    assert!(postfix.send(STRANGER, "<x@plain.example>", &with_id(&below, "below")).starts_with("250 "));
    let results = fields(&wait_for(&postfix, "below"), "Authentication-Results");
    assert!(results.len() == 1 && results[0].contains("dmarc=none"), "{results:?}");

    // 7: several authors.
    let reply = postfix.send(
        STRANGER,
        "<x@plain.example>",
        &with_id(b"From: a@contoso.com\r\nFrom: b@adatum.com\r\n\r\nx\r\n", "several"),
    );
    assert!(reply.starts_with("550 5.7."), "{reply}");

    // 8 to 11: octets, long lines, dots and an empty body go through as they are.
    for (id, body) in [
        ("8bit", "Gr\u{fc}\u{df}e aus M\u{fc}nchen\r\n".as_bytes().to_vec()),
        ("long", [&b"y"[..].repeat(990)[..], b"\r\n"].concat()),
        ("dots", b".\r\n..\r\n.x\r\n.\r\nend\r\n".to_vec()),
        ("empty", Vec::new()),
    ] {
        let raw = [b"From: x@plain.example\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n", &body[..]].concat();
        assert!(
            postfix.send(STRANGER, "<x@plain.example> BODY=8BITMIME", &with_id(&raw, id)).starts_with("250 "),
            "{id}"
        );
        wait_for(&postfix, id);
        let whole = came(&postfix, id).remove(0);
        assert!(whole.ends_with(&[b"\r\n\r\n", &body[..]].concat()), "{id}");
    }

    // 12: 10 MB.
    let large = [
        b"From: x@plain.example\r\nSubject: large\r\n\r\n",
        &b"A line of seventy characters, more or less, over and over again.\r\n".repeat(160_000)[..],
    ]
    .concat();
    assert!(postfix.send(STRANGER, "<x@plain.example>", &with_id(&large, "large")).starts_with("250 "));
    assert!(wait_for(&postfix, "large").len() > large.len());

    // 13: mail from inside has no results.
    assert!(postfix.send(OWN, "<alice@contoso.com>", &with_id(&message("04-spoof.eml"), "own")).starts_with("250 "));
    assert_eq!(fields(&wait_for(&postfix, "own"), "Authentication-Results"), Vec::<String>::new());

    postfix.settle();
    assert_eq!((came(&postfix, "spoof").len(), came(&postfix, "several").len(), postfix.held()), (0, 0, 0));
}

/// 14: by default Postfix holds what its domain owner asks to refuse.
#[test]
fn quarantined_mail_is_held() {
    if skipped() {
        return;
    }
    let milter = Milter::start("");
    let postfix = Postfix::start(milter.address(), "");
    assert!(
        postfix.send(STRANGER, "<alice@contoso.com>", &with_id(&message("04-spoof.eml"), "held")).starts_with("250 ")
    );
    postfix.settle();
    assert_eq!((postfix.held(), came(&postfix, "held").len()), (1, 0), "{}", postfix.log());
}

/// 21: a chain of ARC that holds.
#[test]
fn a_sealed_message_keeps_its_chain() {
    if skipped() {
        return;
    }
    let milter =
        Milter::start(&format!("[dns]\nzone = [\"{DATA}/arc/zone.db\"]\n[actions]\ndmarc_reject = \"none\"\n"));
    let postfix = Postfix::start(milter.address(), "");
    let text = fs::read_to_string(format!("{DATA}/arc/filtered.eml")).unwrap();
    let raw = text.replace("\r\n", "\n").replace('\n', "\r\n");
    assert!(postfix.send(STRANGER, "<x@plain.example>", &with_id(raw.as_bytes(), "sealed")).starts_with("250 "));
    let results = fields(&wait_for(&postfix, "sealed"), "Authentication-Results");
    assert!(results[0].contains("arc=pass"), "{results:?}");
}

/// 15, 16: the DNS does not answer, and mail is neither lost nor held for it.
#[test]
fn without_the_dns_mail_goes_on() {
    if skipped() {
        return;
    }
    let milter = Milter::start("[dns]\nservers = [\"127.0.0.1:1\"]\ntimeout = 0.5\n");
    let postfix = Postfix::start(milter.address(), "");
    let raw = message("01-sent-by-the-service.eml");
    assert!(postfix.send(SERVICE, "<alice@contoso.com>", &with_id(&raw, "dead")).starts_with("250 "));
    let results = fields(&wait_for(&postfix, "dead"), "Authentication-Results");
    assert!(results[0].contains("dmarc=temperror"), "{results:?}");
    drop(milter);
    let milter =
        Milter::start("[dns]\nservers = [\"127.0.0.1:1\"]\ntimeout = 0.5\n[actions]\ndmarc_temperror = \"tempfail\"\n");
    let postfix = Postfix::start(milter.address(), "");
    let reply = postfix.send(SERVICE, "<alice@contoso.com>", &with_id(&raw, "put off"));
    assert!(reply.starts_with("451 4.7."), "{reply}");
}

/// 17, 18: the filter is killed in the middle of a message, and between two: nothing is lost, nothing comes twice.
#[test]
fn a_filter_that_dies_loses_nothing_and_doubles_nothing() {
    if skipped() {
        return;
    }
    let mut milter = Milter::start("");
    let address = milter.address().to_owned();
    let postfix = Postfix::start(&address, "");
    let raw = message("01-sent-by-the-service.eml");
    assert!(postfix.send(SERVICE, "<alice@contoso.com>", &with_id(&raw, "before")).starts_with("250 "));
    let large = [&raw[..], &b"more of it\r\n".repeat(2_000_000)].concat();
    let reply = std::thread::scope(|scope| {
        let sending = scope.spawn(|| postfix.send(SERVICE, "<alice@contoso.com>", &with_id(&large, "during")));
        std::thread::sleep(std::time::Duration::from_millis(100));
        milter.signal("-KILL");
        sending.join().unwrap()
    });
    milter.wait();
    // The mail server says that the client is to try again; or it had all of it before.
    assert!(reply.starts_with("451 ") || reply.starts_with("250 "), "{reply}");
    let reply_after = postfix.send(SERVICE, "<alice@contoso.com>", &with_id(&raw, "after"));
    assert!(reply_after.starts_with("451 "), "{reply_after}");
    postfix.settle();
    assert_eq!(came(&postfix, "before").len(), 1);
    assert_eq!(came(&postfix, "during").len(), usize::from(reply.starts_with("250 ")));
    assert_eq!(came(&postfix, "after").len(), 0);
    // It comes back, and so does mail.
    let _again = Milter::start(&format!("listen = [\"inet:{address}\"]\n"));
    assert!(postfix.send(SERVICE, "<alice@contoso.com>", &with_id(&raw, "again")).starts_with("250 "));
    wait_for(&postfix, "again");
}

/// 19, 20: what is signed verifies as it comes out, also where Postfix adds what is missing.
#[test]
fn what_is_signed_verifies_behind_postfix() {
    if skipped() {
        return;
    }
    let key = format!("{DATA}/keys/rsa2048.pem");
    let config = format!("[[sign]]\ndomains = [\"contoso.com\"]\nselector = \"s1\"\nkey = \"{key}\"\n");
    let milter = Milter::start(&config);
    let postfix = Postfix::start(milter.address(), "always_add_missing_headers = yes\n");
    let record = PrivateKey::read(&fs::read(&key).unwrap()).unwrap().record().unwrap();
    let zone = format!("s1._domainkey.contoso.com. TXT \"{record}\"\n");
    let zone = Zone::parse(zone.replace("p=", "\" \"p="), "zone").unwrap();
    let whole = "From: Alice <alice@contoso.com>\r\nTo: bob@adatum.com\r\nSubject: a  folded\r\n\tsubject\r\nDate: Mon, 6 Oct 2025 08:15:05 +0000\r\n\
        Message-ID: <1@contoso.com>\r\n\r\n.dots \r\n\r\nand \u{fc}\r\n\r\n\r\n";
    let bare = "From: alice@contoso.com\r\nSubject: x\r\n\r\nHello\r\n";
    for (id, raw) in [("whole", whole), ("bare", bare)] {
        assert!(
            postfix.send(OWN, "<alice@contoso.com> BODY=8BITMIME", &with_id(raw.as_bytes(), id)).starts_with("250 ")
        );
        let text = wait_for(&postfix, id);
        assert!(text.starts_with("DKIM-Signature: ") && text.contains("\r\nDate: "), "{text}");
        let out = came(&postfix, id).remove(0);
        let session = Session::new(Ipv4Addr::new(192, 0, 2, 9));
        let verdict = Authenticator::new(&zone).authenticate_at_once(&Message::parse(&out).unwrap(), session);
        assert_eq!(verdict.dkim.len(), 1);
        assert_eq!(verdict.dkim[0].result.keyword(), "pass", "{}: {text}", verdict.dkim[0].result);
    }
}
