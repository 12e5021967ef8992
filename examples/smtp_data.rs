//! What an SMTP server does at DATA: it takes the message, evaluates it, and replies.
//!
//! `cargo run --example smtp_data -- ZONE CLIENT_IP MAIL_FROM < message-as-it-is-sent`

use mailverdict::{Authenticator, Message, Session, dns::Resolver, reply::Reply};
use std::{
    error::Error,
    io::{self, BufRead},
    net::IpAddr,
};

/// Octets of a message that is taken.
const MAX_MESSAGE: usize = 10 << 20;

/// What comes of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is taken: its octets, with the results on top.
    Taken(Vec<u8>),
    /// It is not: the reply that says why.
    Refused(String),
}

/// Takes what follows the reply `354`, up to the line with one dot, and evaluates it.
///
/// # Errors
/// Where the client is gone before the message is whole.
pub async fn data<R: Resolver>(
    authenticator: &Authenticator<R>,
    authserv_id: &str,
    session: Session,
    client: &mut impl BufRead,
) -> io::Result<Outcome> {
    let (mut octets, mut is_behind_crlf) = (Vec::new(), true);
    loop {
        let mut line = Vec::new();
        if client.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // RFC 5321 §4.1.1.4: behind a bare LF the dot ends nothing; who takes it for an end lets strangers smuggle a second message in.
        if is_behind_crlf && line == b".\r\n" {
            break;
        }
        // §4.5.2. What is too large is read to its end, and not kept.
        let content = if is_behind_crlf { line.strip_prefix(b".").unwrap_or(&line) } else { &line };
        if octets.len() <= MAX_MESSAGE {
            octets.extend_from_slice(content);
        }
        is_behind_crlf = line.ends_with(b"\r\n");
    }
    if octets.len() > MAX_MESSAGE {
        return Ok(Outcome::Refused(Reply::too_large("the message is too large").to_string()));
    }
    let Ok(message) = Message::parse(&octets) else {
        return Ok(Outcome::Refused("554 5.6.0 the message is empty".to_owned()));
    };
    let verdict = authenticator.authenticate(&message, session).await;
    let refusals = [Reply::of_authors(&verdict), Reply::of_dmarc(&verdict), Reply::of_temporary_error(&verdict)];
    if let Some(reply) = refusals.into_iter().flatten().next() {
        return Ok(Outcome::Refused(reply.to_string()));
    }
    Ok(Outcome::Taken([verdict.to_header_field(authserv_id).as_bytes(), &octets].concat()))
}

#[allow(dead_code, reason = "a test calls the function above")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [zone, ip, mail_from] = &arguments[..] else { return Err("smtp_data ZONE CLIENT_IP MAIL_FROM".into()) };
    let authenticator = Authenticator::new(mailverdict::dns::Zone::read([zone])?);
    let session = Session::new(ip.parse::<IpAddr>()?).with_mail_from(mail_from);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(data(&authenticator, "localhost", session, &mut io::stdin().lock()))?;
    match outcome {
        Outcome::Taken(octets) => println!("250 2.6.0 taken\n{}", String::from_utf8_lossy(&octets).escape_debug()),
        Outcome::Refused(reply) => println!("{reply}"),
    }
    Ok(())
}
