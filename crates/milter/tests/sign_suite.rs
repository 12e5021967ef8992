//! Mail from inside is signed, and what comes out verifies by what the DNS says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{Authenticator, Message, Session, dns::Zone, name::Name, sign::PrivateKey};
use std::{fs, net::Ipv4Addr, process::Command};
use support::{Answer, DATA, Folder, Milter, PROGRAM, whole};

fn key(name: &str) -> String {
    format!("{DATA}/keys/{name}.pem")
}

fn entry(domain: &str, selector: &str, name: &str, more: &str) -> String {
    format!("[[sign]]\ndomains = [\"{domain}\"]\nselector = \"{selector}\"\nkey = \"{}\"\n{more}", key(name))
}

/// The message as it goes on: with the fields that are put in at its top.
fn changed(raw: &[u8], answers: &[Answer]) -> Vec<u8> {
    let mut message = raw.to_vec();
    for (letter, data) in answers {
        if *letter == 'i' {
            let (name, value) = data.strip_prefix("0 ").unwrap().split_once('|').unwrap();
            let value = value.trim_end_matches('|').replace('\n', "\r\n");
            message = [format!("{name}: {}\r\n", value.trim_start()).as_bytes(), &message].concat();
        }
    }
    message
}

/// Result and selector of each signature, from the top down.
fn verified(message: &[u8]) -> Vec<(String, &'static str)> {
    let mut zone = Zone::default();
    for (selector, name) in [("rsa", "rsa2048"), ("ed", "ed25519")] {
        let record = PrivateKey::read(&fs::read(key(name)).unwrap()).unwrap().record().unwrap();
        let name = Name::parse(&format!("{selector}._domainkey.contoso.com")).unwrap();
        zone.add_txt(&name, record.into_bytes());
    }
    let session = Session::new(Ipv4Addr::new(192, 0, 2, 9));
    let verdict = Authenticator::new(zone).authenticate_at_once(&Message::parse(message).unwrap(), session);
    let told = verdict
        .dkim
        .iter()
        .map(|report| (report.signature.selector.as_ref().unwrap().to_string(), report.result.keyword()));
    told.collect()
}

const MESSAGE: &[u8] = b"From: Alice <alice@contoso.com>\r\nTo: bob@adatum.com\r\nSubject: a  folded\r\n\tsubject\r\n\
    Date: Mon, 6 Oct 2025 08:15:05 +0000\r\nMessage-ID: <1@contoso.com>\r\n\
    Authentication-Results: mx.example.net; dmarc=pass\r\n\r\nHello \r\n\r\n.\r\nend\r\n\r\n\r\n";

#[test]
fn what_comes_out_verifies() {
    let config = [entry("contoso.com", "rsa", "rsa2048", ""), entry("contoso.com", "ed", "ed25519", "")].concat();
    let milter = Milter::start(&config);
    // With the white space of values, and without.
    for steps in [0x1f_ffff, 0] {
        let mut mta = milter.connect();
        mta.steps = steps;
        mta.greet("127.0.0.1", "localhost");
        let large = [MESSAGE, &b"A line of text.\r\n".repeat(20_000)].concat();
        for raw in [MESSAGE, &large] {
            let answers = mta.message("<alice@contoso.com>", raw);
            let letters: String = answers.iter().map(|(letter, _)| *letter).collect();
            // A forged own result goes, two signatures come; mail from inside has no results.
            assert_eq!(letters, "miic", "{answers:?}");
            let message = changed(raw, &answers);
            let forged = b"Authentication-Results: mx.example.net; dmarc=pass\r\n";
            let at = message.windows(forged.len()).position(|window| window == forged).unwrap();
            let gone = [&message[..at], &message[at + forged.len()..]].concat();
            assert_eq!(verified(&gone), [("rsa".to_owned(), "pass"), ("ed".to_owned(), "pass")]);
            // And a change would be seen.
            let other = String::from_utf8(gone).unwrap().replace("bob@", "eve@");
            assert_eq!(verified(other.as_bytes())[0].1, "fail");
        }
    }
}

/// The mail server adds what is missing, behind the filter.
#[test]
fn there_is_room_for_fields_that_mail_servers_add() {
    let milter = Milter::start(&entry("contoso.com", "rsa", "rsa2048", ""));
    let mut mta = milter.connect();
    mta.greet("127.0.0.1", "localhost");
    let raw = b"From: alice@contoso.com\r\nSubject: x\r\n\r\nHello\r\n";
    let message = changed(raw, &mta.message("<alice@contoso.com>", raw));
    let added = |field: &str| verified(&[field.as_bytes(), &message].concat())[0].1;
    assert_eq!(added("Date: Mon, 6 Oct 2025 08:15:05 +0000\r\nMessage-ID: <1@contoso.com>\r\n"), "pass");
    // But for nothing else.
    assert_eq!((added("Subject: y\r\n"), added("From: eve@contoso.com\r\n")), ("fail", "fail"));
    let message = changed(MESSAGE, &mta.message("<alice@contoso.com>", MESSAGE));
    let more = [b"Date: Tue, 7 Oct 2025 08:15:05 +0000\r\n", &message[..]].concat();
    assert_eq!((verified(&message)[0].1, verified(&more)[0].1), ("pass", "fail"));
}

#[test]
fn each_entry_signs_for_its_domains_and_clients_alone() {
    let networks = "from_networks = [\"10.0.0.0/8\"]\n";
    let config =
        [entry("contoso.com", "rsa", "rsa2048", networks), entry("fabrikam.example", "ed", "ed25519", networks)];
    let strict = entry("contoso.com", "rsa", "rsa2048", "from_networks = []\nauthenticated = false\n");
    let signed = |milter: &Milter, ip: &str, is_authenticated: bool, raw: &str| {
        let mut mta = milter.connect();
        mta.greet(ip, "client.example");
        if is_authenticated {
            mta.send(b'D', b"M{auth_authen}\0alice\0");
        }
        let answers = mta.message("<alice@contoso.com>", raw.as_bytes());
        answers.iter().filter(|(letter, data)| *letter == 'i' && data.contains("DKIM-Signature")).count()
    };
    let text = String::from_utf8(MESSAGE.to_vec()).unwrap();
    let of = |from: &str| text.replacen("From: Alice <alice@contoso.com>", from, 1);
    let milter = Milter::start(&config.concat());
    for (ip, is_authenticated, from, count) in [
        ("10.1.2.3", false, "From: alice@contoso.com", 1),
        ("198.51.100.7", true, "From: alice@contoso.com", 1),
        // A stranger, a client that is the receiver's own and not the entry's, and a name below the domain.
        ("198.51.100.7", false, "From: alice@contoso.com", 0),
        ("127.0.0.1", false, "From: alice@contoso.com", 0),
        ("10.1.2.3", false, "From: alice@mail.contoso.com", 0),
        ("10.1.2.3", false, "From: alice@adatum.com", 0),
        ("10.1.2.3", false, "From: alice@fabrikam.example", 1),
        // Whose it is is not clear.
        ("10.1.2.3", false, "From: alice@contoso.com\r\nFrom: eve@contoso.com", 0),
        ("10.1.2.3", false, "From: alice@contoso.com, bob@fabrikam.example", 0),
    ] {
        assert_eq!(signed(&milter, ip, is_authenticated, &of(from)), count, "{ip} {is_authenticated} {from}");
    }
    let milter = Milter::start(&strict);
    assert_eq!(signed(&milter, "198.51.100.7", true, &text), 0);
    let milter = Milter::start(&format!("dry_run = true\n{}", entry("contoso.com", "rsa", "rsa2048", "")));
    assert_eq!(signed(&milter, "127.0.0.1", false, &text), 0);
}

/// A message that is not fit to be signed goes on as it is, and the log says why.
#[test]
fn what_is_not_fit_is_not_signed() {
    let milter = Milter::start(&entry("contoso.com", "rsa", "rsa2048", ""));
    let mut mta = milter.connect();
    mta.greet("127.0.0.1", "localhost");
    mta.goes_on(b'M', b"<alice@contoso.com>\0");
    mta.header(b"From", b" alice@contoso.com");
    // Readers may end the header at a line that is no field.
    mta.header(b"with space", b"x");
    mta.goes_on(b'N', b"");
    mta.goes_on(b'B', b"Hello\r\n");
    let answers = mta.end();
    let letters: String = answers.iter().map(|(letter, _)| *letter).collect();
    assert_eq!(letters, "c", "{answers:?}");
    milter.wait_for("not signed: ");
    // Nor is one that is larger than what is taken.
    let limits = "[limits]\nbody = \"1 KiB\"\n[actions]\nover_limit = \"none\"\n";
    let milter = Milter::start(&format!("{limits}{}", entry("contoso.com", "rsa", "rsa2048", "")));
    let mut mta = milter.connect();
    mta.greet("127.0.0.1", "localhost");
    let answers = mta.message("<alice@contoso.com>", &[MESSAGE, &[b'x'; 2000]].concat());
    assert!(!answers.iter().any(|(_, data)| data.contains("DKIM-Signature")), "{answers:?}");
}

#[test]
fn keys_are_read_before_anything_is_opened() {
    let folder = Folder::new();
    let bad = folder.write("bad.pem", "SECRET-SECRET-SECRET");
    let of = |key: &str| format!("[[sign]]\ndomains = [\"contoso.com\"]\nselector = \"s\"\nkey = \"{key}\"\n");
    for (config, told) in [
        (of("/nowhere.pem"), "[[sign]]: cannot read the key /nowhere.pem: "),
        (of(bad.to_str().unwrap()), "cannot be used: "),
        (of(&key("rsa1024")), "cannot be used: "),
        (of(&key("rsa2048")).replace("contoso.com", "conto so"), "[[sign]]: the domain"),
        (of(&key("rsa2048")).replace("\"s\"", "\"a b\""), "[[sign]]: the selector"),
        (of(&key("rsa2048")).replace("\"contoso.com\"", ""), "signs for no domain"),
        (of(&key("rsa2048")).replace("selector", "selektor"), "unknown field `selektor`"),
        (of(&key("rsa2048")) + "from_networks = [\"x\"]\n", "expected a network"),
    ] {
        let path = folder.write("milter.toml", &whole(&config));
        let output = Command::new(PROGRAM).arg("--check-config").arg("--config").arg(&path).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{config}: {stderr}");
        assert!(stderr.contains(told) && !stderr.contains("SECRET"), "{told}: {stderr}");
    }
    let path = folder.write("milter.toml", &whole(&of(&key("ed25519"))));
    assert!(Command::new(PROGRAM).arg("--check-config").arg("--config").arg(&path).status().unwrap().success());
}
