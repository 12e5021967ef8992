//! What the SMTP session showed.

use crate::{text::Text, time::UnixTime};
use std::net::IpAddr;

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
    pub helo: Option<Text>,
    /// The reverse-path.
    pub mail_from: MailFrom,
    /// The name of the host that received the message: `%{r}` of RFC 7208 §7.3, where `None` expands to `unknown`.
    pub receiver: Option<Text>,
    /// When the message was received; `x=` and `t=` of signatures and `%{t}` are judged by it.
    pub received_at: UnixTime,
    /// Whether the message was saved, and the client is the one that its own header shows; see [`of_saved_mail`](Self::of_saved_mail).
    pub is_of_saved_mail: bool,
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
    /// A session of which nothing is known but when the message was received. No clock is read.
    ///
    /// ```
    /// use mailverdict::{Session, time::UnixTime};
    /// use std::net::Ipv4Addr;
    /// let session = Session::at(UnixTime(1_759_738_505)).with_peer(Ipv4Addr::new(192, 0, 2, 1)).with_helo("mail.example.com");
    /// assert_eq!(session.received_at.to_string(), "2025-10-06T08:15:05Z");
    /// ```
    pub fn at(received_at: UnixTime) -> Self {
        let (peer_ip, helo, receiver) = (None, None, None);
        Self { peer_ip, helo, mail_from: MailFrom::FromReturnPath, receiver, received_at, is_of_saved_mail: false }
    }

    /// The same with the address of the client.
    #[must_use]
    pub fn with_peer(self, peer_ip: impl Into<IpAddr>) -> Self {
        Self { peer_ip: Some(peer_ip.into()), ..self }
    }

    /// The same with the argument of HELO or EHLO.
    #[must_use]
    pub fn with_helo(self, helo: &str) -> Self {
        Self { helo: Some(helo.into()), ..self }
    }

    /// The same with the reverse-path, with or without angle brackets, and with the parameters that may follow them in the command;
    /// `""` and `"<>"` are the null reverse-path. [`MailFrom::parse`] says more.
    #[must_use]
    pub fn with_mail_from(self, mail_from: &str) -> Self {
        Self { mail_from: MailFrom::parse(mail_from), ..self }
    }

    /// The same with the name of the receiving host.
    #[must_use]
    pub fn with_receiver(self, receiver: &str) -> Self {
        Self { receiver: Some(receiver.into()), ..self }
    }

    /// The same of a message that was saved, the client of which was taken from its header. Nobody has seen this session: where the
    /// message does not show MAIL FROM either, what DMARC came to without SPF is
    /// [not complete](crate::dmarc::DmarcReport::is_complete).
    #[must_use]
    pub fn of_saved_mail(self) -> Self {
        Self { is_of_saved_mail: true, ..self }
    }

    /// The same with the time of receipt.
    #[must_use]
    pub fn received_at(self, received_at: UnixTime) -> Self {
        Self { received_at, ..self }
    }
}

impl MailFrom {
    /// Reads a reverse-path with or without angle brackets; nothing at all is the null reverse-path.
    ///
    /// In angle brackets, it ends at the first `>` that stands in no quoted string (RFC 5321 §4.1.2), and parameters of the command may
    /// follow behind white space (§4.1.1.2, §4.1.1.11); they are not looked at. What follows without white space leaves the text as it
    /// is, which is no address. Without angle brackets all of the text is the address.
    ///
    /// ```
    /// use mailverdict::session::MailFrom;
    /// assert_eq!(MailFrom::parse("<a@example.com> SIZE=300"), MailFrom::Address("a@example.com".into()));
    /// assert_eq!(MailFrom::parse("<> BODY=8BITMIME"), MailFrom::Null);
    /// assert_eq!(MailFrom::parse("<\"a>b\"@example.com>"), MailFrom::Address("\"a>b\"@example.com".into()));
    /// ```
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let path = text.strip_prefix('<').and_then(|text| in_angle_brackets(text).or_else(|| text.strip_suffix('>')));
        let path = path.unwrap_or(text);
        if path.is_empty() { Self::Null } else { Self::Address(path.into()) }
    }
}

/// What stands before the `>` that ends a path, if white space or nothing follows it.
fn in_angle_brackets(text: &str) -> Option<&str> {
    let mut is_quoted = false;
    let mut octets = text.bytes().enumerate();
    while let Some((at, octet)) = octets.next() {
        match octet {
            b'"' => is_quoted = !is_quoted,
            // RFC 5321 §4.1.2: quoted-pairSMTP stands in quoted strings alone.
            b'\\' if is_quoted => {
                octets.next();
            }
            b'>' if !is_quoted => {
                let (path, after) = text.split_at_checked(at)?;
                let ends = after.chars().nth(1).is_none_or(char::is_whitespace);
                return ends.then_some(path);
            }
            _ => {}
        }
    }
    None
}

/// Sessions of messages that are received now: here alone does the library read the time of day.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod received_now {
    use crate::{session::Session, time::UnixTime};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    impl Session {
        /// A session with this client, received now. Where there is no clock (`wasm32-unknown-unknown`), this and
        /// [`without_peer`](Self::without_peer) do not exist; [`Session::at`] is given the time.
        pub fn new(peer_ip: impl Into<IpAddr>) -> Self {
            Self { peer_ip: Some(peer_ip.into()), ..Self::without_peer() }
        }

        /// A session of which not even the client's address is known, as for a message found in a mailbox; received now.
        pub fn without_peer() -> Self {
            Self::at(UnixTime::now())
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

    #[test]
    fn a_path_ends_at_the_first_angle_bracket_outside_quotes_and_parameters_may_follow() {
        for (text, address) in [
            ("<a@b> SIZE=300", "a@b"),
            (" <a@b>\tSIZE=300 BODY=8BITMIME ", "a@b"),
            ("<a@b> AUTH=<c@d>", "a@b"),
            ("<@c,@d:a@b> SIZE=300", "@c,@d:a@b"),
            ("<\"a>b\"@c> SIZE=300", "\"a>b\"@c"),
            ("<\"a\\\"> b\"@c> SIZE=300", "\"a\\\"> b\"@c"),
            ("<\"a\\\\\"@c> SIZE=300", "\"a\\\\\"@c"),
            // No quoted pair outside quotes.
            ("<a\\> SIZE=300", "a\\"),
            // Neither a path nor an address: what follows is not cut off.
            ("<a@b>SIZE=300", "<a@b>SIZE=300"),
            ("<a@b SIZE=300", "<a@b SIZE=300"),
            ("<\"a@b> SIZE=300", "<\"a@b> SIZE=300"),
            ("a@b SIZE=300", "a@b SIZE=300"),
            ("a@b>", "a@b>"),
            // Whatever stands in brackets without an end of its own, is theirs.
            ("<\"a@b>", "\"a@b"),
        ] {
            assert_eq!(MailFrom::parse(text), MailFrom::Address(address.into()), "{text}");
        }
        assert_eq!(MailFrom::parse("<> SIZE=300"), MailFrom::Null);
        assert_eq!(MailFrom::parse("<>SIZE=300"), MailFrom::Address("<>SIZE=300".into()));
    }
}
