//! Evaluates signed messages where there is no operating system: no clock, no randomness, no file, nobody to tell. What it ends with is
//! the number of messages that came to what is expected of them.

use mailverdict::{Authenticator, Message, Session, dns::Zone, time::UnixTime};
use std::{net::Ipv4Addr, process::ExitCode};

const ZONE: &[u8] = include_bytes!("../../data/microsoft365/zone.db");

/// A message that passes all, the same with another body, and one that is not from whom it says.
const SENT: &[u8] = include_bytes!("../../data/microsoft365/01-sent-by-the-service.eml");
const SCANNED: &[u8] = include_bytes!("../../data/microsoft365/03-scanner.eml");
const SPOOFED: &[u8] = include_bytes!("../../data/microsoft365/04-spoof.eml");

/// The results of DKIM, SPF (MAIL FROM) and DMARC.
fn results(octets: &[u8], client: Ipv4Addr) -> Option<[&'static str; 3]> {
    let authenticator = Authenticator::new(Zone::parse(ZONE, "zone.db").ok()?);
    let message = Message::parse(octets).ok()?;
    let session = Session::at(UnixTime(1_764_500_000)).with_peer(client).with_mail_from("alice@contoso.com");
    let verdict = authenticator.authenticate_at_once(&message, session);
    let dkim = verdict.dkim.first().map_or("none", |report| report.result.keyword());
    Some([dkim, verdict.spf.mail_from.as_ref()?.result.keyword(), verdict.dmarc.result.keyword()])
}

fn main() -> ExitCode {
    let (service, other) = (Ipv4Addr::new(198, 51, 100, 40), Ipv4Addr::new(203, 0, 113, 77));
    let altered = [SENT, b"One line more.\r\n"].concat();
    let expected = [
        (SENT, service, ["pass", "pass", "pass"]),
        (SENT, other, ["pass", "fail", "pass"]),
        (&altered, service, ["fail", "pass", "pass"]),
        (&altered, other, ["fail", "fail", "fail"]),
        (SCANNED, other, ["none", "fail", "fail"]),
        (SPOOFED, other, ["fail", "fail", "fail"]),
    ];
    let right =
        expected.iter().filter(|(octets, client, expected)| results(octets, *client).as_ref() == Some(expected));
    ExitCode::from(u8::try_from(right.count()).unwrap_or(0))
}
