//! The program as a mail server meets it: what it answers to each kind of message, and what it writes down.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use std::{fs, net::TcpStream, time::Duration};
use support::{Answer, Milter, Mta, message};

/// When the signatures of the messages are good; they have no `x=`.
const SERVICE: (&str, &str) = ("198.51.100.40", "mail-eur01.outbound.protection.outlook.com");

fn letters(answers: &[Answer]) -> String {
    answers.iter().map(|(letter, _)| *letter).collect()
}

/// The value of the field that was put in, without folding.
fn inserted(answers: &[Answer], name: &str) -> Option<String> {
    let field = answers.iter().filter(|(letter, _)| *letter == 'i').find_map(|(_, data)| {
        data.strip_prefix(&format!("0 {name}|")).map(|value| value.trim_end_matches('|').to_owned())
    })?;
    Some(field.split('\n').map(str::trim).collect::<Vec<_>>().join(" "))
}

fn logged(milter: &Milter, text: &str) -> Value {
    serde_json::from_str(&milter.wait_for(text)).unwrap()
}

#[test]
fn mail_that_passes_goes_on_with_its_results() {
    let milter = Milter::start("");
    let mut mta = milter.connect();
    mta.greet(SERVICE.0, SERVICE.1);
    let answers = mta.message("<alice@contoso.com>", &message("01-sent-by-the-service.eml"));
    assert_eq!(letters(&answers), "ic", "{answers:?}");
    let results = inserted(&answers, "Authentication-Results").unwrap();
    assert!(results.starts_with("mx.example.net; dmarc=pass"), "{results}");
    for result in ["spf=pass", "dkim=pass", "header.d=contoso.com", "arc=none"] {
        assert!(results.contains(result), "{results}");
    }
    let line = logged(&milter, "4F1A2B3C");
    for (member, value) in [
        ("level", "info"),
        ("ip", SERVICE.0),
        ("helo", SERVICE.1),
        ("mail_from", "alice@contoso.com"),
        ("from_domain", "contoso.com"),
        ("spf", "pass"),
        ("dkim", "pass"),
        ("arc", "none"),
        ("dmarc", "pass"),
        ("action", "none"),
    ] {
        assert_eq!(line[member], value, "{line}");
    }
    assert!(line["ms"].is_u64() && line["reason"].as_str().unwrap().contains("authenticated contoso.com"));
    // Another message of the same connection, and one by a mail server that tells less.
    let again = mta.message("<alice@contoso.com>", &message("02-forwarded.eml"));
    assert_eq!(letters(&again), "ic");
    let mut old = milter.connect();
    old.steps = 0;
    old.greet(SERVICE.0, SERVICE.1);
    let answers = old.message("<alice@contoso.com>", &message("01-sent-by-the-service.eml"));
    assert!(inserted(&answers, "Authentication-Results").unwrap().contains("dkim=pass"), "{answers:?}");
}

#[test]
fn what_domain_owners_ask_for_is_what_the_configuration_makes_of_it() {
    let spoof = message("04-spoof.eml");
    for (action, letters_of, told) in [
        ("quarantine", "iqc", "mailverdict: neither SPF nor DKIM authenticated"),
        ("none", "ic", ""),
        ("add-header", "iic", ""),
        (
            "reject",
            "y",
            "550 5.7.26 contoso.com asks to reject mail that is not authenticated: SPF failed for 192.0.2.66, no",
        ),
        ("tempfail", "t", ""),
    ] {
        let milter = Milter::start(&format!("[actions]\ndmarc_reject = \"{action}\"\n"));
        let mut mta = milter.connect();
        mta.greet("192.0.2.66", "mail.example");
        let answers = mta.message("<alice@contoso.com>", &spoof);
        assert_eq!(letters(&answers), letters_of, "{answers:?}");
        let line = logged(&milter, "4F1A2B3C");
        assert_eq!((&line["action"], &line["dmarc"]), (&action.into(), &"fail".into()));
        assert_eq!(line["level"], if ["reject", "tempfail"].contains(&action) { "warn" } else { "info" });
        if !told.is_empty() {
            let answer = answers.iter().find(|(letter, _)| matches!(letter, 'y' | 'q')).unwrap();
            assert!(answer.1.starts_with(told), "{answer:?}");
        }
        let wanted = inserted(&answers, "X-Mailverdict-Action");
        assert_eq!(wanted.as_deref(), (action == "add-header").then_some("reject"));
        if letters_of.ends_with('c') {
            let results = inserted(&answers, "Authentication-Results").unwrap();
            assert!(results.contains("dmarc=fail"), "{results}");
        }
    }
}

#[test]
fn by_default_nothing_is_refused_for_its_policy() {
    let milter = Milter::start("");
    let mut mta = milter.connect();
    mta.greet("192.0.2.66", "mail.example");
    assert_eq!(letters(&mta.message("<alice@contoso.com>", &message("04-spoof.eml"))), "iqc");
    // No DMARC record, and SPF fails.
    let answers = mta.message("<x@adatum.net>", b"From: x@contoso.example\r\n\r\nHello\r\n");
    assert_eq!(letters(&answers), "ic");
}

#[test]
fn a_dry_run_changes_nothing() {
    let milter = Milter::start("dry_run = true\n[actions]\ndmarc_reject = \"reject\"\n");
    let mut mta = milter.connect();
    mta.greet("192.0.2.66", "mail.example");
    let forged = [b"Authentication-Results: mx.example.net; dmarc=pass\r\n".to_vec(), message("04-spoof.eml")].concat();
    assert_eq!(letters(&mta.message("<alice@contoso.com>", &forged)), "c");
    let line = logged(&milter, "4F1A2B3C");
    assert_eq!((&line["action"], &line["dry_run"], &line["level"]), (&"reject".into(), &true.into(), &"info".into()));
}

#[test]
fn forged_results_are_removed_the_last_first() {
    let milter = Milter::start("strip_authserv_ids = [\"other.example.net\"]\n");
    let mut mta = milter.connect();
    mta.greet(SERVICE.0, SERVICE.1);
    let raw = b"Authentication-Results: mx.example.net; dmarc=pass\r\n\
        Authentication-Results: foreign.example; spf=pass\r\n\
        Subject: x\r\n\
        authentication-results: (x) MX.Example.NET;\r\n dkim=pass\r\n\
        Authentication-Results: other.example.net; none\r\n\
        Authentication-Results: \"?\r\n\
        From: alice@contoso.com\r\n\r\nHello\r\n";
    let answers = mta.message("<alice@contoso.com>", raw);
    let removed: Vec<&str> =
        answers.iter().filter(|(letter, _)| *letter == 'm').map(|(_, data)| data.as_str()).collect();
    assert_eq!(
        removed,
        [
            "5 Authentication-Results||",
            "4 Authentication-Results||",
            "3 authentication-results||",
            "1 Authentication-Results||"
        ]
    );
    assert_eq!(letters(&answers), "mmmmic");
}

#[test]
fn own_and_authenticated_clients_are_not_evaluated() {
    let milter = Milter::start("own_networks = [\"10.0.0.0/8\"]\n");
    let forged =
        b"Authentication-Results: mx.example.net; dmarc=pass\r\nFrom: alice@contoso.com\r\nFrom: bob@b.example\r\n\r\n";
    let mut mta = milter.connect();
    mta.greet("10.1.2.3", "inside");
    assert_eq!(letters(&mta.message("<alice@contoso.com>", forged)), "mc");
    let mut mta = milter.connect();
    mta.greet("192.0.2.66", "phone");
    mta.send(b'D', b"M{auth_authen}\0alice\0");
    assert_eq!(letters(&mta.message("<alice@contoso.com>", forged)), "mc");
    let lines = milter.wait_for_all("\"action\":\"none\"", 2);
    let of_messages: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(of_messages.len(), 2);
    assert!(of_messages.iter().all(|line| line["dmarc"].is_null() && line["spf"].is_null()));
    // Without authentication the same client is a stranger.
    let answers = mta.message("<alice@contoso.com>", b"From: alice@contoso.com\r\n\r\n");
    assert_eq!(letters(&answers), "iqc");
}

#[test]
fn behind_a_relay_the_client_stands_in_received() {
    let milter = Milter::start("upstream_relays = [\"192.0.2.200\"]\n");
    let mut mta = milter.connect();
    mta.greet("192.0.2.200", "gateway.example.net");
    let received = format!(
        "Received: from {} ([{}]) by gateway.example.net; Mon, 6 Oct 2025 08:15:05 +0000\r\n",
        SERVICE.1, SERVICE.0
    );
    let raw = [received.as_bytes(), &message("01-sent-by-the-service.eml")].concat();
    let answers = mta.message("<alice@contoso.com>", &raw);
    let results = inserted(&answers, "Authentication-Results").unwrap();
    assert!(results.contains("spf=pass") && results.contains("dmarc=pass"), "{results}");
    assert_eq!(logged(&milter, "4F1A2B3C")["ip"], SERVICE.0);
    // None can be found: never the relay itself.
    let answers = mta.message("<alice@contoso.com>", b"From: alice@contoso.com\r\n\r\n");
    let results = inserted(&answers, "Authentication-Results").unwrap();
    assert!(!results.contains("spf=pass") && !results.contains("192.0.2.200"), "{results}");
}

#[test]
fn a_client_without_an_address_has_no_spf() {
    let milter = Milter::start("");
    let mut mta = milter.connect();
    mta.greet("", "localhost");
    let answers = mta.message("<alice@contoso.com>", b"From: alice@contoso.com\r\n\r\n");
    let results = inserted(&answers, "Authentication-Results").unwrap();
    assert!(results.contains("dmarc=fail") && !results.contains("spf=pass"), "{results}");
}

#[test]
fn several_authors_are_refused() {
    let milter = Milter::start("");
    let mut mta = milter.connect();
    mta.greet(SERVICE.0, SERVICE.1);
    let raw = b"From: alice@contoso.com\r\nFrom: bob@fabrikam.com\r\n\r\nHello\r\n";
    let answers = mta.message("<alice@contoso.com>", raw);
    assert_eq!(letters(&answers), "y");
    assert!(answers[0].1.starts_with("550 5.7.1 the author of this message is not clear: "), "{answers:?}");
    let milter =
        Milter::start("[actions]\nseveral_from = \"none\"\ndmarc_reject = \"none\"\ndmarc_quarantine = \"none\"\n");
    let mut mta = milter.connect();
    mta.greet(SERVICE.0, SERVICE.1);
    let answers = mta.message("<alice@contoso.com>", raw);
    assert!(inserted(&answers, "Authentication-Results").unwrap().contains("dmarc=permerror"), "{answers:?}");
    // Nobody gets round a policy by a second author.
    let milter = Milter::start("[actions]\nseveral_from = \"none\"\ndmarc_reject = \"reject\"\n");
    let mut mta = milter.connect();
    mta.greet("192.0.2.66", "x");
    let answers = mta.message("<alice@contoso.com>", raw);
    assert!(answers[0].1.starts_with("550 5.7.26 "), "{answers:?}");
}

#[test]
fn what_is_larger_than_is_taken_is_put_off_or_says_so() {
    let large = [message("01-sent-by-the-service.eml"), b"x".repeat(3000)].concat();
    let wide = [format!("X: {}\r\n", "x".repeat(3000)).into_bytes(), message("01-sent-by-the-service.eml")].concat();
    for (raw, limit, told) in [
        (&large, "body = \"2 KiB\"", "452 4.3.4 the body has more than 2 KiB"),
        (&wide, "headers = 2000", "452 4.3.4 the header has more than 2000 octets"),
    ] {
        let milter = Milter::start(&format!("[limits]\n{limit}\n"));
        let mut mta = milter.connect();
        mta.greet(SERVICE.0, SERVICE.1);
        let answers = mta.message("<alice@contoso.com>", raw);
        assert_eq!(answers, [('y', format!("{told}|"))]);
        let milter = Milter::start(&format!("[limits]\n{limit}\n[actions]\nover_limit = \"none\"\n"));
        let mut mta = milter.connect();
        mta.greet(SERVICE.0, SERVICE.1);
        let answers = mta.message("<alice@contoso.com>", raw);
        let results = inserted(&answers, "Authentication-Results").unwrap();
        assert!(results.starts_with("mx.example.net; dmarc=permerror reason=\"the "), "{results}");
        assert!(!results.contains("pass"), "{results}");
        let milter = Milter::start(&format!("[limits]\n{limit}\n[actions]\nover_limit = \"reject\"\n"));
        let mut mta = milter.connect();
        mta.greet(SERVICE.0, SERVICE.1);
        assert!(mta.message("<alice@contoso.com>", raw)[0].1.starts_with("552 5.3.4 the "));
    }
}

#[test]
fn where_the_dns_is_down_mail_goes_on_or_is_put_off() {
    // Nobody answers there.
    let dead = "[dns]\nservers = [\"127.0.0.1:1\"]\ntimeout = 2.0\n";
    let milter = Milter::start(dead);
    let mut mta = milter.connect();
    mta.greet(SERVICE.0, SERVICE.1);
    let answers = mta.message("<alice@contoso.com>", b"From: alice@contoso.com\r\n\r\n");
    assert_eq!(letters(&answers), "ic");
    assert!(inserted(&answers, "Authentication-Results").unwrap().contains("dmarc=temperror"), "{answers:?}");
    for action in ["tempfail", "reject"] {
        let milter = Milter::start(&format!("{dead}[actions]\ndmarc_temperror = \"{action}\"\n"));
        let mut mta = milter.connect();
        mta.greet(SERVICE.0, SERVICE.1);
        let answers = mta.message("<alice@contoso.com>", b"From: alice@contoso.com\r\n\r\n");
        assert!(answers[0].1.starts_with("451 4.7.1 try again later: "), "{answers:?}");
    }
}

#[test]
fn spf_alone_is_refused_where_dmarc_says_nothing() {
    let milter = Milter::start("[actions]\nspf_fail = \"reject\"\n[headers]\nreceived_spf = true\n");
    let mut mta = milter.connect();
    mta.greet("192.0.2.66", "x");
    // No DMARC record stands at marketing's neighbour.
    let answers = mta.message("<x@scanner.fabrikam.com>", b"From: x@nobody.example\r\n\r\n");
    assert!(inserted(&answers, "Received-SPF").unwrap().starts_with("none ("), "{answers:?}");
    let answers = mta.message("<x@contoso.com>", b"From: x@nobody.example\r\n\r\n");
    assert!(
        answers[0].1.starts_with("550 5.7.23 SPF failed: 192.0.2.66 is not allowed by -all of contoso.com"),
        "{answers:?}"
    );
}

#[test]
fn a_message_that_is_given_up_leaves_nothing() {
    let milter = Milter::start("");
    let mut mta = milter.connect();
    mta.greet(SERVICE.0, SERVICE.1);
    mta.goes_on(b'M', b"<mallory@contoso.com>\0");
    mta.header(b"From", b" mallory@example.org");
    mta.send(b'A', b"");
    let answers = mta.message("<alice@contoso.com>", &message("01-sent-by-the-service.eml"));
    assert!(inserted(&answers, "Authentication-Results").unwrap().contains("dmarc=pass"));
    // Another session on the same connection.
    mta.send(b'K', b"");
    mta.client("192.0.2.66");
    let answers = mta.message("<alice@contoso.com>", b"From: alice@contoso.com\r\n\r\n");
    assert!(inserted(&answers, "Authentication-Results").unwrap().contains("dmarc=fail"));
    mta.send(b'Q', b"");
    assert_eq!(mta.read(), None);
}

#[test]
fn bad_packets_end_their_connection_alone() {
    let milter = Milter::start("");
    let mut good = milter.connect();
    good.greet(SERVICE.0, SERVICE.1);
    let long: Vec<u8> = [&u32::MAX.to_be_bytes()[..], b"B"].concat();
    for (octets, told) in [
        (&b"\0\0\0\0"[..], "a packet without a command"),
        (&long, "a packet of 4294967295 octets"),
        (b"\0\0\0\x01?", "a packet with the unknown command '?'"),
        (b"\0\0\0\x05O\0\0\0\x06", "the offer of the mail server is cut short"),
        (b"\0\0\0\x0dO\0\0\0\x01\0\0\0\0\0\0\0\0", "version 1 of the protocol is not spoken here"),
        (b"\0\0\0\x0dO\0\0\0\x06\0\0\0\0\0\0\0\0", "does not let filters add and remove header fields"),
        (b"\0\0\0\x02Hx", "a malformed packet of the command 'H'"),
        (b"\0\0\0\x03Hx\0", "a command came before the options"),
    ] {
        let mut bad = milter.connect();
        std::io::Write::write_all(&mut bad.stream, octets).unwrap();
        assert_eq!(bad.read(), None, "{told}");
        milter.wait_for(told);
    }
    // Half a packet, and then nothing more.
    let mut half = milter.connect();
    std::io::Write::write_all(&mut half.stream, b"\0\0\x10\0B").unwrap();
    drop(half);
    let answers = good.message("<alice@contoso.com>", &message("01-sent-by-the-service.eml"));
    assert_eq!(letters(&answers), "ic");
}

#[test]
fn odd_fields_are_taken_as_they_come() {
    let milter = Milter::start("");
    let mut mta = milter.connect();
    mta.greet(SERVICE.0, SERVICE.1);
    mta.goes_on(b'M', b"<alice@contoso.com>\0");
    for number in 0..10_000 {
        mta.header(format!("X-{number}").as_bytes(), b" x");
    }
    mta.header(b"", b"without a name");
    mta.header(b"with space", b"x");
    mta.header(b"X", b"\xff\xfe\x1b[31m\nAuthentication-Results: mx.example.net; dmarc=pass");
    mta.header(b"From", b" alice@contoso.com");
    mta.goes_on(b'N', b"");
    mta.goes_on(b'B', b"\0\0\0");
    // Readers may end the header at a line that is no field.
    let answers = mta.end();
    assert!(answers[0].1.starts_with("550 5.7.1 the author of this message is not clear: "), "{answers:?}");
    assert_eq!(letters(&mta.message("<alice@contoso.com>", &message("01-sent-by-the-service.eml"))), "ic");
}

#[test]
fn connections_beyond_the_limit_are_closed_and_counted() {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let numbers = probe.local_addr().unwrap();
    drop(probe);
    let milter = Milter::start(&format!("[limits]\nconnections = 2\n[metrics]\nlisten = \"{numbers}\"\n"));
    let mut first = milter.connect();
    first.greet(SERVICE.0, SERVICE.1);
    let mut second = milter.connect();
    second.greet(SERVICE.0, SERVICE.1);
    let mut third = milter.connect();
    assert_eq!(third.read(), None);
    milter.wait_for("a connection too many was closed");
    drop(second);
    first.message("<alice@contoso.com>", &message("01-sent-by-the-service.eml"));
    let asked = |path: &str| {
        use std::io::{Read as _, Write as _};
        let mut stream = TcpStream::connect(numbers).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let text = asked("/metrics");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    for line in [
        "mailverdict_messages_total{dmarc=\"pass\",action=\"none\"} 1",
        "mailverdict_results_total{method=\"dkim\",result=\"pass\"} 1",
        "mailverdict_message_seconds_count 1",
        "mailverdict_connections_refused_total 1",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(asked("/").starts_with("HTTP/1.1 404 "));
}

#[test]
fn the_history_has_what_was_taken_and_what_was_refused() {
    let folder = support::Folder::new();
    let path = folder.0.join("results.jsonl");
    let milter = Milter::start_in(
        folder,
        &format!("[reports]\nhistory = \"{}\"\n[actions]\ndmarc_reject = \"reject\"\n", path.display()),
    );
    let mut mta = milter.connect();
    mta.greet(SERVICE.0, SERVICE.1);
    mta.message("<alice@contoso.com>", &message("01-sent-by-the-service.eml"));
    let mut mta = milter.connect();
    mta.greet("192.0.2.66", "x");
    mta.message("<alice@contoso.com>", &message("04-spoof.eml"));
    let mut mta = milter.connect();
    mta.greet("127.0.0.1", "inside");
    mta.message("<alice@contoso.com>", &message("04-spoof.eml"));
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["dmarc"]["result"], "pass");
    assert_eq!(lines[1]["dmarc"]["disposition"], "reject");
    // What reports to domain owners need, with what was done.
    assert_eq!(
        (&lines[0]["report"]["disposition"], &lines[1]["report"]["disposition"]),
        (&"pass".into(), &"reject".into())
    );
    assert_eq!(
        (&lines[1]["report"]["policy_domain"], &lines[1]["report"]["reasons"]),
        (&"contoso.com".into(), &serde_json::json!([]))
    );
    for line in &lines {
        assert_eq!(line["queue_id"], "4F1A2B3C");
        assert!(line["time"].is_u64() && line["authentication_results"].is_string(), "{line}");
    }
}

#[test]
fn sigterm_lets_messages_end_that_were_begun() {
    let mut milter = Milter::start("");
    let mut begun = milter.connect();
    begun.greet(SERVICE.0, SERVICE.1);
    begun.goes_on(b'M', b"<alice@contoso.com>\0");
    let mut idle = milter.connect();
    idle.greet(SERVICE.0, SERVICE.1);
    milter.signal("-TERM");
    milter.wait_for("messages that were begun are finished");
    assert_eq!(idle.read(), None);
    let answers = begun.parts(&message("01-sent-by-the-service.eml"));
    assert_eq!(letters(&answers), "ic");
    drop(begun);
    assert_eq!(milter.wait().code(), Some(0));
}

#[test]
fn sighup_reads_the_configuration_again() {
    let milter = Milter::start("[actions]\ndmarc_reject = \"none\"\n");
    let spoof = message("04-spoof.eml");
    let mut mta = milter.connect();
    mta.greet("192.0.2.66", "x");
    assert_eq!(letters(&mta.message("<alice@contoso.com>", &spoof)), "ic");
    milter.folder.write("milter.toml", &support::whole("[actions]\ndmarc_reject = \"reject\"\n"));
    milter.signal("-HUP");
    milter.wait_for("the configuration was read anew");
    // The next message of the same connection.
    assert_eq!(letters(&mta.message("<alice@contoso.com>", &spoof)), "y");
    milter.folder.write("milter.toml", "authserv_id = \"mx.example.net\"\nnonsense = 1\n");
    milter.signal("-HUP");
    milter.wait_for("the configuration stays as it was: ");
    milter.wait_for("milter.toml:2: unknown field");
    assert_eq!(letters(&mta.message("<alice@contoso.com>", &spoof)), "y");
}

#[test]
fn a_socket_in_the_file_system_has_its_mode_and_goes() {
    use std::os::unix::{fs::PermissionsExt as _, net::UnixStream};
    let folder = support::Folder::new();
    let path = folder.0.join("milter.sock");
    // One that a program left behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let config = format!("listen = [\"unix:{}\"]\nsocket_mode = \"0600\"\n", path.display());
    let mut milter = Milter::start_in(folder, &config);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut mta = Mta::new(UnixStream::connect(&path).unwrap());
    mta.greet(SERVICE.0, SERVICE.1);
    assert_eq!(letters(&mta.message("<alice@contoso.com>", &message("01-sent-by-the-service.eml"))), "ic");
    let second = std::process::Command::new(support::PROGRAM)
        .args(["--authserv-id", "mx.example.net", "--listen", &format!("unix:{}", path.display())])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another program listens there"), "{second:?}");
    drop(mta);
    milter.signal("-TERM");
    assert_eq!(milter.wait().code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn an_idle_mail_server_is_not_waited_for() {
    let milter = Milter::start("[limits]\nidle = 0.3\n");
    let mut mta = milter.connect();
    mta.greet(SERVICE.0, SERVICE.1);
    mta.goes_on(b'M', b"<alice@contoso.com>\0");
    mta.stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(mta.read(), None);
    milter.wait_for("has said nothing for too long");
}

#[test]
fn the_program_says_what_is_wrong_with_its_configuration() {
    let folder = support::Folder::new();
    let run = |arguments: &[&str]| std::process::Command::new(support::PROGRAM).args(arguments).output().unwrap();
    let good = folder.write("good.toml", &support::whole(""));
    let bad = folder.write("bad.toml", "authserv_id = \"a\"\n[limits]\nbody = \"much\"\n");
    let zone = folder
        .write("zone.toml", "authserv_id = \"a\"\nlisten = [\"inet:127.0.0.1:0\"]\n[dns]\nzone = [\"/nowhere.db\"]\n");
    let nowhere = folder.write("nowhere.toml", "authserv_id = \"a\"\n");
    for (path, status, told) in [
        (&good, 0, ""),
        (&bad, 2, "bad.toml:3: body: expected a number of octets"),
        (&zone, 2, "/nowhere.db"),
        (&nowhere, 2, "nothing says where to listen"),
    ] {
        let output = run(&["--check-config", "--config", path.to_str().unwrap()]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{stderr}");
        assert!(stderr.contains(told) && stderr.lines().count() == usize::from(status != 0), "{stderr}");
    }
    let output = run(&["--check-config", "--authserv-id", "a b", "--listen", "inet:127.0.0.1:0"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("expected a name of printable ASCII"));
    assert_eq!(run(&["--listen", "nowhere", "--authserv-id", "a"]).status.code(), Some(2));
}
