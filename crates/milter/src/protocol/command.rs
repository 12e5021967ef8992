//! What a mail server says.

use super::{Frame, Offer, OptionsError};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A command of a mail server: `SMFIC_…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'f> {
    /// What the two may agree on.
    Offer(Offer),
    /// Values of macros for the command of this letter, names and values by turns.
    Macros(u8, Vec<(&'f [u8], &'f [u8])>),
    /// A client has connected.
    Connect {
        /// Its name, or its address in brackets.
        name: &'f [u8],
        /// Its address.
        peer: Peer,
    },
    /// HELO or EHLO.
    Helo(&'f [u8]),
    /// MAIL FROM, with angle brackets, and its parameters.
    MailFrom(&'f [u8]),
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// A header field.
    Header {
        /// Its name.
        name: &'f [u8],
        /// Its value.
        value: &'f [u8],
    },
    /// The header has ended.
    EndOfHeader,
    /// A piece of the body.
    Body(&'f [u8]),
    /// The message has ended, perhaps with the last piece of its body.
    EndOfMessage(&'f [u8]),
    /// The message is given up; the connection goes on.
    Abort,
    /// The connection ends.
    Quit,
    /// The connection ends, and another session begins on it.
    QuitAndNext,
    /// A command of SMTP that the server does not know.
    Unknown,
}

/// A client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Of the Internet; IPv4 where it is IPv4 mapped into IPv6.
    Address(IpAddr),
    /// None, as of a program on the same machine.
    Without,
}

/// Why a packet is no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// Its letter means nothing.
    Letter(u8),
    /// What belongs to it has another form.
    Malformed(u8),
    /// An offer that cannot be read.
    Offer(OptionsError),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Letter(letter) => write!(f, "a packet with the unknown command '{}'", letter.escape_ascii()),
            Self::Malformed(letter) => write!(f, "a malformed packet of the command '{}'", letter.escape_ascii()),
            Self::Offer(error) => error.fmt(f),
        }
    }
}

impl<'f> Command<'f> {
    /// Reads a packet.
    ///
    /// # Errors
    /// [`CommandError`]; packets behind it can be made out all the same.
    pub fn parse(frame: Frame<'f>) -> Result<Self, CommandError> {
        let Frame { letter, data } = frame;
        let malformed = || CommandError::Malformed(letter);
        Ok(match letter {
            b'O' => Self::Offer(Offer::parse(data).map_err(CommandError::Offer)?),
            b'D' => {
                let (of, rest) = data.split_first().ok_or_else(malformed)?;
                Self::Macros(*of, pairs(rest).ok_or_else(malformed)?)
            }
            b'C' => {
                let (name, rest) = text(data).ok_or_else(malformed)?;
                Self::Connect { name, peer: peer(rest).ok_or_else(malformed)? }
            }
            b'H' => Self::Helo(text(data).ok_or_else(malformed)?.0),
            b'M' => Self::MailFrom(mail_from(data).ok_or_else(malformed)?),
            b'R' => Self::Recipient,
            b'T' => Self::Data,
            b'L' => {
                let (name, rest) = text(data).ok_or_else(malformed)?;
                let (value, _) = text(rest).ok_or_else(malformed)?;
                Self::Header { name, value }
            }
            b'N' => Self::EndOfHeader,
            b'B' => Self::Body(data),
            b'E' => Self::EndOfMessage(data),
            b'A' => Self::Abort,
            b'Q' => Self::Quit,
            b'K' => Self::QuitAndNext,
            b'U' => Self::Unknown,
            _ => return Err(CommandError::Letter(letter)),
        })
    }
}

/// The octets before a NUL, and what stands behind it.
fn text(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = data.iter().position(|octet| *octet == 0)?;
    Some((data.get(..end)?, data.get(end + 1..)?))
}

fn pairs(mut data: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut pairs = Vec::new();
    while !data.is_empty() {
        let (name, rest) = text(data)?;
        let (value, rest) = text(rest)?;
        pairs.push((name, value));
        data = rest;
    }
    Some(pairs)
}

/// The address is the first argument, and parameters are others; here they stand behind it as in SMTP.
fn mail_from(data: &[u8]) -> Option<&[u8]> {
    Some(text(data)?.0)
}

fn peer(data: &[u8]) -> Option<Peer> {
    let (family, rest) = data.split_first()?;
    if matches!(family, b'U' | b'L') {
        return Some(Peer::Without);
    }
    let (_port, rest) = rest.split_first_chunk::<2>()?;
    let (address, _) = text(rest)?;
    let address = std::str::from_utf8(address).ok()?;
    // Of a client that Postfix takes for unknown.
    if address == "unknown" {
        return Some(Peer::Without);
    }
    let ip = match family {
        b'4' => IpAddr::V4(address.parse::<Ipv4Addr>().ok()?),
        b'6' => {
            let address = address
                .get(..5)
                .filter(|tag| tag.eq_ignore_ascii_case("IPv6:"))
                .map_or(address, |_| address.get(5..).unwrap_or_default());
            IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)
        }
        _ => return None,
    };
    Some(Peer::Address(ip.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(letter: u8, data: &[u8]) -> Result<Command<'_>, CommandError> {
        Command::parse(Frame { letter, data })
    }

    #[test]
    fn commands_are_read() {
        let address = |text: &str| Peer::Address(text.parse().unwrap());
        for (letter, data, command) in [
            (
                b'C',
                &b"mail.a.example\x004\x12\x34192.0.2.1\0"[..],
                Command::Connect { name: b"mail.a.example", peer: address("192.0.2.1") },
            ),
            (b'C', b"a\x006\0\0IPv6:2001:db8::1\0", Command::Connect { name: b"a", peer: address("2001:db8::1") }),
            (b'C', b"a\x006\0\0::ffff:192.0.2.1\0", Command::Connect { name: b"a", peer: address("192.0.2.1") }),
            (b'C', b"localhost\0L\0\0/x\0", Command::Connect { name: b"localhost", peer: Peer::Without }),
            (b'C', b"unknown\0U", Command::Connect { name: b"unknown", peer: Peer::Without }),
            (b'C', b"unknown\x004\0\0unknown\0", Command::Connect { name: b"unknown", peer: Peer::Without }),
            (b'H', b"a.example\0", Command::Helo(b"a.example")),
            (b'M', b"<a@b.example>\0SIZE=300\0BODY=8BITMIME\0", Command::MailFrom(b"<a@b.example>")),
            (b'L', b"Subject\0 x\n y\0", Command::Header { name: b"Subject", value: b" x\n y" }),
            (b'L', b"\0\0", Command::Header { name: b"", value: b"" }),
            (b'D', b"Mi\x001\0{auth_authen}\0a\0", Command::Macros(b'M', vec![(b"i", b"1"), (b"{auth_authen}", b"a")])),
            (b'D', b"C", Command::Macros(b'C', vec![])),
            (b'B', b"x\0y", Command::Body(b"x\0y")),
            (b'E', b"", Command::EndOfMessage(b"")),
        ] {
            assert_eq!(parse(letter, data), Ok(command));
        }
    }

    #[test]
    fn what_is_none_is_an_error() {
        for (letter, data) in [
            (b'C', &b""[..]),
            (b'C', b"a"),
            (b'C', b"a\0"),
            (b'C', b"a\x004"),
            (b'C', b"a\x004\0\x00192.0.2.1"),
            (b'C', b"a\x004\0\x00192.0.2\0"),
            (b'C', b"a\x006\0\x00192.0.2.1\0"),
            (b'C', b"a\0X\0\x00192.0.2.1\0"),
            (b'H', b"a.example"),
            (b'M', b"<a@b.example>"),
            (b'L', b"Subject"),
            (b'L', b"Subject\0 x"),
            (b'D', b""),
            (b'D', b"Mi\0"),
            (b'D', b"Mi\x001"),
        ] {
            assert_eq!(parse(letter, data), Err(CommandError::Malformed(letter)), "{data:?}");
        }
        assert_eq!(parse(b'?', b""), Err(CommandError::Letter(b'?')));
        assert_eq!(parse(b'O', b"\0"), Err(CommandError::Offer(OptionsError::TooShort)));
    }
}
