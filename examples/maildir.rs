//! What became of each message of a Maildir: its author, its result, and why.
//!
//! `cargo run --example maildir -- ZONE MAILDIR`
//!
//! Saved messages tell of their session in Received and Return-Path.

use mailverdict::{Authenticator, Message, Session, dns::Zone, message::to_crlf, received};
use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

/// A line for each message of `new` and `cur`, in the order of their names.
///
/// # Errors
/// Where a folder or a message cannot be read.
pub fn verdicts(authenticator: &Authenticator<Zone>, maildir: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in ["new", "cur"] {
        let entries = fs::read_dir(maildir.join(folder))?;
        paths.extend(entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?);
    }
    paths.sort();
    let mut lines = Vec::new();
    for path in paths {
        let octets = fs::read(&path)?;
        // Files of Unix end their lines with LF.
        let octets = to_crlf(&octets);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        lines.push(match Message::parse(&octets) {
            Err(error) => format!("{name}: {error}"),
            Ok(message) => {
                let verdict = authenticator.authenticate_at_once(&message, session(&message));
                let author = verdict.dmarc.author_domain.as_ref().map_or("?", |domain| domain.as_str());
                format!("{name}: {author}: {}: {}", verdict.dmarc.result.keyword(), verdict.dmarc.result)
            }
        });
    }
    Ok(lines)
}

/// The session of a saved message: the client that the newest Received field with an address names.
fn session(message: &Message<'_>) -> Session {
    let hops = received::hops(message.header());
    let session = Session::without_peer().of_saved_mail();
    match received::client(&hops, |_| false) {
        Ok(hop) => match (hop.address, hop.time) {
            (Some(ip), Some(time)) => session.with_peer(ip).received_at(time),
            (Some(ip), None) => session.with_peer(ip),
            (None, _) => session,
        },
        Err(_) => session,
    }
}

#[allow(dead_code, reason = "a test calls the function above")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [zone, maildir] = &arguments[..] else { return Err("maildir ZONE MAILDIR".into()) };
    let authenticator = Authenticator::new(Zone::read([zone])?);
    for line in verdicts(&authenticator, Path::new(maildir))? {
        println!("{}", line.escape_debug());
    }
    Ok(())
}
