//! A verdict on a file that may be larger than memory: the header first, then the body in pieces, with answers from master files.
//!
//! `cargo run --example stream -- ZONE CLIENT_IP MAIL_FROM MESSAGE`

use mailverdict::{
    Evaluation, Policy, Progress, Session, Verdict,
    dns::{Resolver as _, Zone},
    message::Header,
};
use std::{
    error::Error,
    fs::File,
    io::{BufRead, BufReader, Read as _},
    net::IpAddr,
};

/// Octets of a header that is read.
const MAX_HEADER: usize = 1 << 20;
/// Octets of a piece of the body.
const PIECE: usize = 64 << 10;

/// The verdict on a message with CRLF line ends, of which its header alone is kept.
///
/// # Errors
/// Where it cannot be read, has no header, or one that is too large.
pub fn evaluate(zone: &Zone, session: Session, mut message: impl BufRead) -> Result<Verdict, Box<dyn Error>> {
    let policy = Policy::default();
    let mut evaluation = Evaluation::new(&policy, session);
    let mut header = Vec::new();
    loop {
        let start = header.len();
        message.by_ref().take(MAX_HEADER as u64).read_until(b'\n', &mut header)?;
        match header.get(start..) {
            Some(b"\r\n" | b"") => break,
            _ if header.len() > MAX_HEADER => return Err("the header is too large".into()),
            _ => {}
        }
    }
    evaluation.header(&Header::parse(&header)?);
    let mut piece = vec![0; PIECE];
    loop {
        let read = message.read(&mut piece)?;
        if read == 0 {
            break;
        }
        evaluation.body(piece.get(..read).unwrap_or_default());
    }
    evaluation.end();
    match evaluation.advance_with(|question| zone.at_hand(question)) {
        Progress::Verdict(verdict) => Ok(*verdict),
        Progress::Asks(_) | Progress::WantsMessage => Err("a zone answers every question".into()),
    }
}

#[allow(dead_code, reason = "a test calls the function above")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [zone, ip, mail_from, file] = &arguments[..] else {
        return Err("stream ZONE CLIENT_IP MAIL_FROM MESSAGE".into());
    };
    let zone = Zone::read([zone])?;
    let session = Session::new(ip.parse::<IpAddr>()?).with_mail_from(mail_from);
    let verdict = evaluate(&zone, session, BufReader::new(File::open(file)?))?;
    println!("{}", verdict.to_header_field("localhost").trim_end());
    Ok(())
}
