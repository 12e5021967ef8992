//! The client that handed a message over, where only its Received fields tell of it.

use super::{address_kind::AddressKind, hop::Hop};
use std::{fmt, net::IpAddr};

/// The hop at which a message came in from outside: the newest whose client is neither one of the receiver's own hosts nor a host that
/// nobody on the Internet can reach.
///
/// `is_own` says which addresses are the receiver's. Loopback, link-local and private addresses ([`AddressKind`]) are passed over
/// without being named, because no client from outside has one. Hops that name no client at all are deliveries inside a host, and are
/// passed over as well, and so are programs that fetched the message from a mailbox (`with POP3`). The time of the hop is that at which the receiver got the message, by which `x=` of signatures is to be judged
/// (RFC 6376 §3.5).
///
/// Whoever handed the message over may have written every field below this one, and none of them is looked at. The fields above it are
/// taken for those of own hosts, which holds for mail that a receiver's own hosts have stored. Of a message that a stranger gave as a
/// file, nothing can be believed. Where a client is named without an address that can be read, there is no answer, because anybody may
/// have written what stands below.
///
/// ```
/// use mailverdict::{Message, received};
/// let raw = b"Received: from relay ([10.0.0.2]) by store.example.net with LMTP; Mon, 6 Oct 2025 08:15:09 +0000\r\n\
///     Received: from a.example (a.example [192.0.2.1]) by mx.example.net; Mon, 6 Oct 2025 08:15:05 +0000\r\n\
///     Received: from forged ([198.51.100.7]) by a.example; Mon, 6 Oct 2025 08:15:01 +0000\r\n\r\n";
/// let message = Message::parse(raw)?;
/// let hops = received::hops(message.header());
/// let client = received::client(&hops, |_| false).unwrap();
/// assert_eq!(client.address, Some([192, 0, 2, 1].into()));
/// assert_eq!(client.by.as_deref(), Some("mx.example.net"));
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
///
/// # Errors
/// Why no hop shows a client from outside.
pub fn client(hops: &[Hop], is_own: impl Fn(IpAddr) -> bool) -> Result<&Hop, NoClient<'_>> {
    for hop in hops.iter().filter(|hop| !is_fetched(hop)) {
        match hop.address.map(|address| address.to_canonical()) {
            Some(address) if AddressKind::of(address).is_public() && !is_own(address) => return Ok(hop),
            Some(_) if hop.is_claimed => return Err(NoClient::WithoutAddress(hop)),
            None if hop.from.is_some() => return Err(NoClient::WithoutAddress(hop)),
            Some(_) | None => {}
        }
    }
    Err(if hops.is_empty() { NoClient::NoHop } else { NoClient::NoneFromOutside })
}

/// Whether the host took the message from a mailbox, as programs that fetch mail write it: the client is the mailbox's server.
fn is_fetched(hop: &Hop) -> bool {
    let protocols = ["POP2", "POP3", "APOP", "KPOP", "RPOP", "IMAP", "IMAP4"];
    let with = hop.with.as_deref().and_then(|with| with.split(' ').next()).unwrap_or_default();
    protocols.iter().any(|protocol| protocol.eq_ignore_ascii_case(with))
}

/// Why no hop shows a client from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoClient<'h> {
    /// The message has no Received field.
    NoHop,
    /// All clients are own hosts, or hosts that nobody on the Internet can reach.
    NoneFromOutside,
    /// This hop names a client, and no address of it that can be read.
    WithoutAddress(&'h Hop),
}

/// A sentence without its stop. Names are those of the field, which has no bounds.
impl fmt::Display for NoClient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHop => f.write_str("the message has no Received field"),
            Self::NoneFromOutside => f.write_str("no Received field names a client from outside"),
            Self::WithoutAddress(hop) => {
                f.write_str("a Received field names a client without an address that can be read")?;
                hop.from.iter().try_for_each(|from| write!(f, ": {from}"))
            }
        }
    }
}
