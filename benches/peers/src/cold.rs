//! A verdict over a DNS that is cold: a server on the loopback interface answers after 20 ms, and nobody remembers anything.
//!
//! Each verdict has a resolver of its own, made before the clock starts: mail-auth asks for hickory's TLS, for which this resolver and
//! that of mailverdict alike read the certificates of the system (4 ms), once in the life of a server.

use crate::{
    cases::{BOUNCE, Client, GOOGLE, Keys, MICROSOFT, NEST, from},
    messages::{Shape, message},
    ours,
    peer_mail_auth::{self, Calls},
    responder::Responder,
    sign::Canonicalization::Relaxed,
    zone::Zone,
};
use mailverdict::{Authenticator, Message, dns::Hickory};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

struct Case {
    name: &'static str,
    /// The longest chain of questions whose names stand in the answers ahead of them.
    chain: u32,
    message: String,
    client: Client,
}

fn cases(keys: &Keys) -> Vec<Case> {
    let signed = keys.signed(message(Shape::Plain2k), &[Relaxed]);
    let walked = from(&message(Shape::Plain2k), "alice@news.eu.mail.adatum.com");
    let case = |name, chain, message, client| Case { name, chain, message, client };
    vec![
        // The include; a key and a DMARC record are named by the message itself.
        case("Microsoft 365", 2, signed.clone(), MICROSOFT),
        // An include, and three more at once.
        case("Google Workspace", 3, signed.clone(), GOOGLE),
        // All names are suffixes of what the message and the session say, but for the include of HELO.
        case("bounce subdomain, author five labels deep", 2, walked, BOUNCE),
        // The include; the keys of all seals are named by the message.
        case("forwarded, ARC chain of 3", 2, keys.sealed(signed.clone()), MICROSOFT),
        // Eight records, each named by the one ahead.
        case("ten-lookup nest", 8, signed, NEST),
    ]
}

/// Prints the table: milliseconds of the wall clock, as what is measured is waiting.
pub fn print(rounds: usize) {
    let mut zone = Zone::published();
    let keys = Keys::published_in(&mut zone);
    let responder = Responder::start(zone);
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!("| message | chain | who | median ms | minimum ms | questions |\n|---|--:|---|--:|--:|--:|");
    for case in cases(&keys) {
        let contenders = ["mailverdict", "mail-auth, its calls side by side", "mail-auth, one call after another"];
        let mut times = vec![Vec::new(); contenders.len()];
        let mut asked = vec![0; contenders.len()];
        let mut verdicts = vec![String::new(); contenders.len()];
        for round in 0..rounds {
            for turn in 0..contenders.len() {
                let who = (round + turn) % contenders.len();
                let (verdict, time) = match who {
                    0 => of_ours(&runtime, responder.address, &case),
                    1 => of_mail_auth(&runtime, responder.address, &case, Calls::SideBySide),
                    _ => of_mail_auth(&runtime, responder.address, &case, Calls::OneAfterAnother),
                };
                verdicts[who] = verdict;
                times[who].push(time);
                asked[who] = responder.asked();
            }
        }
        for who in 0..contenders.len() {
            assert_eq!(verdicts[who], verdicts[0], "{}: {} says otherwise", case.name, contenders[who]);
            times[who].sort();
            println!(
                "| {} | {} | {} | {:.1} | {:.1} | {} |",
                case.name,
                case.chain,
                contenders[who],
                milliseconds(times[who][rounds / 2]),
                milliseconds(times[who][0]),
                asked[who]
            );
        }
    }
}

/// The words of the verdict, and the time from the octets of the message to them.
fn of_ours(runtime: &Runtime, server: SocketAddr, case: &Case) -> (String, Duration) {
    let authenticator = Authenticator::new(Hickory::server(server).expect("a resolver"));
    let start = Instant::now();
    let message = Message::parse(case.message.as_bytes()).expect("a message");
    let verdict = runtime.block_on(authenticator.authenticate(&message, ours::session(&case.client)));
    let time = start.elapsed();
    (ours::words(&verdict), time)
}

fn of_mail_auth(runtime: &Runtime, server: SocketAddr, case: &Case, calls: Calls) -> (String, Duration) {
    let authenticator = peer_mail_auth::asking(server);
    let start = Instant::now();
    let words = runtime.block_on(peer_mail_auth::cold(&authenticator, &case.message, &case.client, calls));
    (words, start.elapsed())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
