//! The examples run, and say what the library says.
#![cfg(feature = "hickory")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/dns_server.rs"]
#[allow(dead_code, unreachable_pub)]
mod dns_server;
#[path = "../examples/maildir.rs"]
#[allow(unreachable_pub)]
mod maildir;
#[cfg(feature = "reports")]
#[path = "../examples/report_writer.rs"]
#[allow(unreachable_pub)]
mod report_writer;
#[path = "../examples/smtp_data.rs"]
#[allow(unreachable_pub)]
mod smtp_data;
#[path = "support/story.rs"]
mod story;
#[path = "../examples/stream.rs"]
#[allow(unreachable_pub)]
mod stream;
#[path = "../examples/udp_socket.rs"]
#[allow(unreachable_pub)]
mod udp_socket;

use dns_server::DnsServer;
use mailverdict::{Authenticator, Message, Policy};

/// Every story, once with the zone in memory and once over a socket.
#[test]
fn a_loop_over_a_udp_socket() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let zone = std::fs::read_to_string(story::folder().join("zone.db")).unwrap();
    let server = runtime.block_on(DnsServer::start(&zone));
    let policy = Policy::default();
    for story in story::stories() {
        let octets = story.octets();
        let message = Message::parse(&octets).unwrap();
        let verdict = udp_socket::evaluate(server.address, &policy, story.session(), &message).unwrap();
        let in_memory = Authenticator::new(story::zone()).authenticate_at_once(&message, story.session());
        assert_eq!(verdict, in_memory, "{}", story.title);
    }
}

/// In pieces of whatever size the reader gives.
#[test]
fn a_file_that_is_read_piece_by_piece() {
    for story in story::stories() {
        let octets = story.octets();
        let in_memory =
            Authenticator::new(story::zone()).authenticate_at_once(&Message::parse(&octets).unwrap(), story.session());
        let verdict = stream::evaluate(&story::zone(), story.session(), octets.as_slice()).unwrap();
        assert_eq!(verdict, in_memory, "{}", story.title);
    }
    let session = || mailverdict::Session::without_peer();
    assert!(stream::evaluate(&story::zone(), session(), &b""[..]).is_err());
    let endless = b"X: y\r\n".repeat(300_000);
    assert!(stream::evaluate(&story::zone(), session(), endless.as_slice()).is_err());
}

#[cfg(feature = "reports")]
#[test]
fn reports_of_what_was_seen() {
    use mailverdict::{
        name::Domain,
        report::{Observation, ReadLimits, Report, Reporter, read},
        time::UnixTime,
    };
    let folder = std::env::temp_dir().join(format!("mailverdict-report-example-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let authenticator = Authenticator::new(story::zone());
    let seen: Vec<Observation> = story::stories()
        .iter()
        .filter_map(|story| {
            let octets = story.octets();
            let verdict = authenticator.authenticate_at_once(&Message::parse(&octets).unwrap(), story.session());
            Observation::of(&verdict, &story.session())
        })
        .collect();
    let count = u64::try_from(seen.len()).unwrap();
    let submitter = Domain::parse("mx.example.net").unwrap();
    let reporter = Reporter::new(submitter, "Example", "dmarc@example.net", UnixTime(1), UnixTime(2));
    let written = report_writer::write(&authenticator, &reporter, seen, &folder).unwrap();
    let messages = written.iter().filter(|path| path.extension().is_some_and(|extension| extension == "xml"));
    let messages = messages.map(|path| match &read(path, ReadLimits::default())[0].report {
        Ok(Report::Aggregate(report)) => report.messages,
        other => panic!("{other:?}"),
    });
    assert_eq!(messages.sum::<u64>(), count);
    assert!(written.iter().any(|path| path.extension().is_some_and(|extension| extension == "eml")), "{written:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_became_of_a_maildir() {
    let folder = std::env::temp_dir().join(format!("mailverdict-maildir-{}", std::process::id()));
    for name in ["new", "cur"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    for (number, story) in story::stories().iter().enumerate() {
        let lf = String::from_utf8(story.octets()).unwrap().replace("\r\n", "\n");
        let name = if number % 2 == 0 { "new" } else { "cur" };
        std::fs::write(folder.join(name).join(format!("{number:02}.host")), lf).unwrap();
    }
    std::fs::write(folder.join("new/empty"), "").unwrap();
    let lines = maildir::verdicts(&Authenticator::new(story::zone()), &folder).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    assert_eq!(lines.len(), story::stories().len() + 1);
    assert!(lines.iter().any(|line| line.contains("contoso.com: pass: ")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("contoso.com: fail: ")), "{lines:#?}");
    assert!(lines.iter().any(|line| line == "empty: the message is empty"), "{lines:#?}");
}

/// As a client sends it, with its dots doubled.
#[test]
fn an_smtp_server_at_data() {
    use smtp_data::{Outcome, data};
    let authenticator = Authenticator::new(story::zone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let handle =
        |sent: &[u8], session| runtime.block_on(data(&authenticator, "mx.example.net", session, &mut &sent[..]));
    let (mut taken, mut refused) = (0, 0);
    for story in story::stories() {
        let octets = story.octets();
        let doubled: Vec<u8> = octets
            .split_inclusive(|octet| *octet == b'\n')
            .flat_map(|line| [if line.starts_with(b".") { &b"."[..] } else { b"" }, line].concat())
            .collect();
        let sent = [&doubled[..], b".\r\n"].concat();
        match handle(&sent, story.session()).unwrap() {
            Outcome::Taken(with_results) => {
                assert!(with_results.starts_with(b"Authentication-Results: mx.example.net;"));
                assert!(with_results.ends_with(&octets));
                taken += 1;
            }
            Outcome::Refused(reply) => {
                assert!(reply.starts_with("550 5.7."), "{reply}");
                refused += 1;
            }
        }
    }
    assert!(taken > 2 && refused > 0, "{taken} {refused}");
    let session = || mailverdict::Session::without_peer();
    assert!(handle(b"From: a@b.example\r\n", session()).is_err());
    // Nothing ends behind a bare LF.
    let smuggled = b"From: a@b.example\r\n\r\nx\n.\r\nMAIL FROM:<eve@b.example>\r\n.\r\n";
    let Ok(Outcome::Taken(whole)) = handle(smuggled, session()) else { panic!() };
    assert!(whole.ends_with(b"x\n.\r\nMAIL FROM:<eve@b.example>\r\n"));
    let large = [b"x\r\n".repeat(4 << 20), b".\r\n".to_vec()].concat();
    assert!(matches!(handle(&large, session()), Ok(Outcome::Refused(reply)) if reply.starts_with("552 5.3.4")));
}
