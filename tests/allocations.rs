//! How often a message in steady state asks the allocator: one that has had its like before, so that all answers are at hand and all
//! records have been read. `cargo test --test allocations -- --nocapture` prints the figures, and with `MAILVERDICT_ALLOCATIONS=all`
//! (or a word of a row's name, such as `SPF`) before it, where each block of a row was asked for: first how many, then the functions
//! of this library on the way there, the innermost first.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use mailverdict::{Authenticator, Message, Session, dns::Zone, spf::Observers, time::UnixTime};
use std::{fmt::Write as _, net::Ipv4Addr};
use support::{
    ready::now,
    signer::{Key, SignOptions, signed},
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// The most that each may ask for, which is what it asks for today; whoever spares a block lowers the figure.
const PARSING: u64 = 1;
const DKIM: u64 = 5;
const SPF: u64 = 1;
const DMARC: u64 = 5;
/// Splitting the message, SPF for MAIL FROM, DKIM, ARC and DMARC, and the verdict, which owns what it says.
const WHOLE: u64 = 10;
const WRITING_THE_FIELD: u64 = 2;

const ZONE: &str = r#"
$TTL 3600
contoso.com.                 TXT  "v=spf1 include:spf.protection.outlook.com -all"
spf.protection.outlook.com.  TXT  "v=spf1 ip4:192.0.2.0/28 ip4:198.51.100.32/28 ip6:2001:db8:f400::/48 -all"
_dmarc.contoso.com.          TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@contoso.com"
"#;

/// A message of 2 kB with one rsa-sha256 signature, relaxed/relaxed, of its author's domain.
fn message() -> Vec<u8> {
    let mut message = "Received: from mail-eur01.outbound.protection.outlook.com (198.51.100.40)\r\n\
        \tby mx.example.net with ESMTPS id 4XkQ1z2b3Jz9sWK; Mon, 2 Mar 2026 09:00:02 +0000\r\n\
        From: \"Alice Example\" <alice@contoso.com>\r\n\
        To: Bob <bob@example.net>\r\n\
        Subject: Re: delivery schedule\r\n\
        Date: Mon, 2 Mar 2026 09:00:00 +0000\r\n\
        Message-ID: <4f3a9c@contoso.com>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\n"
        .to_owned();
    for line in 1..=16 {
        write!(message, "{line:2}. The meeting of the customer is between Monday and the quarter, \r\n").unwrap();
    }
    let template = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=contoso.com; s=rsa2048; t=1772442000;\r\n \
        h=From:To:Subject:Date:Message-ID:MIME-Version:Content-Type;\r\n bh={bh};\r\n b={b}";
    signed(message.as_bytes(), &SignOptions::dkim(template), &Key::named("rsa2048"))
}

/// One line of the table: what is done, and how many blocks that may take.
struct Row<'r> {
    name: &'static str,
    bound: u64,
    run: Box<dyn FnMut() + 'r>,
}

impl Row<'_> {
    /// Blocks that one more run asks for; a block that grows counts again.
    fn blocks(&mut self) -> u64 {
        // What is read of answers and what is made once is there from now on.
        (0..3).for_each(|_| (self.run)());
        let path = std::env::temp_dir().join(format!("mailverdict-allocations-{}.json", std::process::id()));
        let sites =
            std::env::var("MAILVERDICT_ALLOCATIONS").is_ok_and(|word| word == "all" || self.name.contains(&word));
        let profiler = if sites {
            dhat::Profiler::builder().file_name(&path).trim_backtraces(None).build()
        } else {
            dhat::Profiler::builder().testing().build()
        };
        (self.run)();
        let blocks = dhat::HeapStats::get().total_blocks;
        drop(profiler);
        if sites {
            print_sites(&std::fs::read_to_string(&path).unwrap());
            std::fs::remove_file(path).unwrap();
        }
        blocks
    }
}

/// Reads the format of DHAT: `pps` holds the program points with their total blocks (`tbk`) and frames (`fs`, into `ftbl`).
fn print_sites(profile: &str) {
    let profile: serde_json::Value = serde_json::from_str(profile).unwrap();
    let frame = |index: &serde_json::Value| {
        let text = profile["ftbl"][usize::try_from(index.as_u64().unwrap()).unwrap()].as_str().unwrap();
        text.split_once(": ").map_or(text, |(_address, function)| function).to_owned()
    };
    let mut points: Vec<_> = profile["pps"].as_array().unwrap().iter().collect();
    points.sort_by_key(|point| std::cmp::Reverse(point["tbk"].as_u64()));
    for point in points {
        let frames = point["fs"].as_array().unwrap().iter().map(frame);
        let ours: Vec<_> = frames.filter(|frame| is_of_this_library(frame)).take(4).collect();
        println!("  {} blocks, {} octets", point["tbk"], point["tb"]);
        ours.iter().for_each(|function| println!("      {function}"));
    }
}

/// A frame reads `function (path/to/file.rs:line:column)`, with the last components of the path; without debug information the
/// function alone is there.
fn is_of_this_library(frame: &str) -> bool {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = frame.rsplit_once(" (").and_then(|(_, place)| {
        let (folder, file) = place.split_at(place.find("src/")?);
        let is_root = folder.is_empty() || root.ends_with(folder);
        Some(is_root && root.join(file.split(':').next()?).is_file())
    });
    source.unwrap_or_else(|| frame.trim_start_matches('<').starts_with("mailverdict::"))
}

/// One test, as the counter counts for the whole process.
#[test]
fn steady_state_asks_for_few_blocks() {
    let octets = message();
    assert!((1_900..2_200).contains(&octets.len()), "{} octets", octets.len());
    let mut zone = Zone::parse(ZONE, "allocations.zone").unwrap();
    zone.add_txt(&"rsa2048._domainkey.contoso.com".parse().unwrap(), Key::named("rsa2048").record().into_bytes());
    let authenticator = Authenticator::new(zone);
    let session = Session::new(Ipv4Addr::new(198, 51, 100, 40)).with_mail_from("alice@contoso.com");
    let message = Message::parse(&octets).unwrap();

    let authors = message.header().authors();
    let time = UnixTime(1_772_442_010);

    let check_spf_of = |session: &Session| {
        drop(now(authenticator.check_spf(session, &mut Observers { helo: (), mail_from: () })));
    };
    let verdict = now(authenticator.authenticate(&message, session.clone()));
    assert_eq!(verdict.spf.mail_from.as_ref().unwrap().result.keyword(), "pass");
    assert_eq!(verdict.dkim[0].result.keyword(), "pass");
    assert_eq!(verdict.dmarc.result.keyword(), "pass");

    // The session is the caller's own; it is given away, so one is ready for each run.
    let mut sessions = vec![session.clone(); 4];
    let rows = [
        Row { name: "splitting the message", bound: PARSING, run: Box::new(|| drop(Message::parse(&octets).unwrap())) },
        Row { name: "DKIM", bound: DKIM, run: Box::new(|| drop(now(authenticator.check_dkim(&message, time)))) },
        Row { name: "SPF", bound: SPF, run: Box::new(|| check_spf_of(&session)) },
        Row {
            name: "DMARC",
            bound: DMARC,
            run: Box::new(|| drop(now(authenticator.check_dmarc(&authors, &verdict.spf, &verdict.dkim)))),
        },
        Row {
            name: "all, from the octets to the verdict",
            bound: WHOLE,
            run: Box::new(|| {
                let message = Message::parse(&octets).unwrap();
                drop(now(authenticator.authenticate(&message, sessions.pop().unwrap())));
            }),
        },
        Row {
            name: "writing the Authentication-Results field",
            bound: WRITING_THE_FIELD,
            run: Box::new(|| drop(verdict.to_header_field("mx.example.net"))),
        },
    ];
    let mut above = Vec::new();
    for mut row in rows {
        let blocks = row.blocks();
        println!("{:40} {blocks:4} blocks, {} at most", row.name, row.bound);
        if blocks > row.bound {
            above.push(row.name);
        }
    }
    assert!(above.is_empty(), "more blocks than allowed: {}", above.join(", "));
}
