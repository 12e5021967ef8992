//! What the SMTP session showed.

use crate::{text::Text, time::UnixTime};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the SMTP session showed of the client: the `<ip>`, the HELO and MAIL FROM identities of RFC 7208 §2, and when and by
/// whom the message was received.
///
/// Identities are kept as the client wrote them, well-formed or not; judging them is SPF's business. All of it may be
/// unknown: an identity that is unknown is not evaluated.
///
/// ```
/// use mailverdict::session::Session;
/// use std::net::Ipv4Addr;
/// let session = Session::new(Ipv4Addr::new(192, 0, 2, 1)).with_helo("mail.example.com").with_mail_from("a@example.com");
/// assert_eq!(session.helo.as_deref(), Some("mail.example.com"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The address of the client; `None` where it is not known, and then SPF is not evaluated.
    pub peer_ip: Option<IpAddr>,
    /// The argument of HELO or EHLO.
    pub helo: Option<Box<str>>,
    /// The reverse-path.
    pub mail_from: MailFrom,
    /// The name of the host that received the message: `%{r}` of RFC 7208 §7.3, where `None` expands to `unknown`.
    pub receiver: Option<Box<str>>,
    /// When the message was received; `x=` and `t=` of signatures and `%{t}` are judged by it.
    pub received_at: UnixTime,
}

/// The reverse-path of the SMTP session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MailFrom {
    /// Not known here: taken from the topmost Return-Path field of the message, if there is one.
    #[default]
    FromReturnPath,
    /// `MAIL FROM:<>` (RFC 5321 §4.5.5).
    Null,
    /// The address without angle brackets, as it was written.
    Address(Text),
}

impl Session {
    /// A session with this client, received now. This is the one place of the library where the clock is read.
    pub fn new(peer_ip: impl Into<IpAddr>) -> Self {
        Self { peer_ip: Some(peer_ip.into()), ..Self::without_peer() }
    }

    /// A session of which not even the client's address is known, as for a message found in a mailbox; received now.
    pub fn without_peer() -> Self {
        Self {
            peer_ip: None,
            helo: None,
            mail_from: MailFrom::FromReturnPath,
            receiver: None,
            received_at: UnixTime::now(),
        }
    }

    /// The same with the argument of HELO or EHLO.
    #[must_use]
    pub fn with_helo(self, helo: &str) -> Self {
        Self { helo: Some(helo.into()), ..self }
    }

    /// The same with the reverse-path, with or without angle brackets; `""` and `"<>"` are the null reverse-path.
    #[must_use]
    pub fn with_mail_from(self, mail_from: &str) -> Self {
        Self { mail_from: MailFrom::parse(mail_from), ..self }
    }

    /// The same with the name of the receiving host.
    #[must_use]
    pub fn with_receiver(self, receiver: &str) -> Self {
        Self { receiver: Some(receiver.into()), ..self }
    }

    /// The same with the time of receipt.
    #[must_use]
    pub fn received_at(self, received_at: UnixTime) -> Self {
        Self { received_at, ..self }
    }
}

impl MailFrom {
    /// Reads a reverse-path with or without angle brackets; nothing at all is the null reverse-path.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
        if text.is_empty() { Self::Null } else { Self::Address(text.into()) }
    }
}

impl From<IpAddr> for Session {
    fn from(peer_ip: IpAddr) -> Self {
        Self::new(peer_ip)
    }
}

impl From<Ipv4Addr> for Session {
    fn from(peer_ip: Ipv4Addr) -> Self {
        Self::new(peer_ip)
    }
}

impl From<Ipv6Addr> for Session {
    fn from(peer_ip: Ipv6Addr) -> Self {
        Self::new(peer_ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_null_reverse_path_has_three_spellings() {
        for null in ["", "<>", " <> "] {
            assert_eq!(MailFrom::parse(null), MailFrom::Null);
        }
        assert_eq!(MailFrom::parse("<a@b>"), MailFrom::Address("a@b".into()));
        assert_eq!(MailFrom::parse("a@b"), MailFrom::Address("a@b".into()));
    }
}
