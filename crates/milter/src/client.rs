//! Who hands mail over.

use crate::{
    config::Config,
    protocol::{Macros, Peer},
};
use mailverdict::{Session, message::Header, received, session::MailFrom, time::UnixTime};
use std::net::IpAddr;

/// A client, as the mail server tells of it.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its address, where it has one.
    pub ip: Option<IpAddr>,
    /// What it said in HELO or EHLO.
    pub helo: Option<String>,
}

/// What is done with a client's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is evaluated.
    Stranger,
    /// The client hands on mail of others; who that is stands in Received.
    Relay,
    /// It comes from inside, and is not evaluated.
    Own,
}

impl Client {
    /// A client that has connected.
    pub fn of(peer: Peer) -> Self {
        let ip = match peer {
            Peer::Address(ip) => Some(ip),
            Peer::Without => None,
        };
        Self { ip, helo: None }
    }

    /// What is done with the mail that it sends now.
    pub fn standing(&self, config: &Config, macros: &Macros) -> Standing {
        let is_authenticated = macros.get("auth_authen").is_some_and(|name| !name.is_empty());
        match self.ip {
            _ if is_authenticated && config.skip_authenticated => Standing::Own,
            Some(ip) if config.is_relay(ip) => Standing::Relay,
            Some(ip) if config.is_own(ip) => Standing::Own,
            Some(_) | None => Standing::Stranger,
        }
    }

    /// The session in which it sends a message.
    pub fn session(&self, config: &Config, mail_from: &MailFrom, at: UnixTime) -> Session {
        let mut session = Session::at(at).with_receiver(&config.authserv_id);
        session.peer_ip = self.ip;
        session.helo = self.helo.as_deref().map(Into::into);
        session.mail_from = mail_from.clone();
        session
    }

    /// The client that stands in the Received fields of what this one handed on, with its HELO and the time; where none can be found, a
    /// client without address, because this one is not whom SPF is about.
    pub fn behind(config: &Config, header: &Header<'_>, at: UnixTime) -> (Self, UnixTime) {
        let hops = received::hops(header);
        let is_passed = |ip| config.is_relay(ip) || config.is_own(ip);
        match received::client(&hops, is_passed) {
            Ok(hop) => {
                let client = Self { ip: hop.address, helo: hop.from.as_deref().map(Into::into) };
                (client, hop.time.unwrap_or(at))
            }
            Err(_) => (Self { ip: None, helo: None }, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let text = "authserv_id = \"mx.a.example\"\nown_networks = [\"10.0.0.0/8\", \"192.0.2.9\"]\nupstream_relays = [\"198.51.100.0/24\"]";
        Config::parse(text, std::path::Path::new("x")).unwrap()
    }

    fn client(ip: &str) -> Client {
        Client::of(Peer::Address(ip.parse().unwrap()))
    }

    #[test]
    fn own_clients_relays_and_strangers() {
        let config = config();
        let mut macros = Macros::default();
        for (ip, standing) in [
            ("10.1.2.3", Standing::Own),
            ("192.0.2.9", Standing::Own),
            ("192.0.2.10", Standing::Stranger),
            ("198.51.100.7", Standing::Relay),
            ("2001:db8::1", Standing::Stranger),
        ] {
            assert_eq!(client(ip).standing(&config, &macros), standing, "{ip}");
        }
        assert_eq!(Client::of(Peer::Without).standing(&config, &macros), Standing::Stranger);
        macros.set(b'M', &[(b"{auth_authen}", b"")]);
        assert_eq!(client("192.0.2.10").standing(&config, &macros), Standing::Stranger);
        macros.set(b'M', &[(b"{auth_authen}", b"alice")]);
        assert_eq!(client("192.0.2.10").standing(&config, &macros), Standing::Own);
        let config = Config { skip_authenticated: false, ..config };
        assert_eq!(client("192.0.2.10").standing(&config, &macros), Standing::Stranger);
    }

    #[test]
    fn behind_a_relay_stands_the_newest_client_that_is_none_of_ours() {
        let raw = "Received: from relay ([198.51.100.7]) by store.a.example; Mon, 6 Oct 2025 08:15:09 +0000\r\n\
                   Received: from inside ([10.0.0.1]) by relay; Mon, 6 Oct 2025 08:15:07 +0000\r\n\
                   Received: from mail.b.example ([203.0.113.5]) by gateway; Mon, 6 Oct 2025 08:15:05 +0000\r\n\
                   Received: from forged ([192.0.2.1]) by mail.b.example; Mon, 6 Oct 2025 08:15:01 +0000\r\n\r\n";
        let header = Header::parse(raw.as_bytes()).unwrap();
        let (client, at) = Client::behind(&config(), &header, UnixTime(9));
        assert_eq!((client.ip, client.helo.as_deref()), (Some("203.0.113.5".parse().unwrap()), Some("mail.b.example")));
        assert_eq!(at, UnixTime(1_759_738_505));
        for raw in
            ["A: b\r\n\r\n", "Received: from x by y; z\r\n\r\n", "Received: from r ([198.51.100.7]) by s\r\n\r\n"]
        {
            let header = Header::parse(raw.as_bytes()).unwrap();
            let (client, at) = Client::behind(&config(), &header, UnixTime(9));
            assert_eq!((client.ip, client.helo, at), (None, None, UnixTime(9)), "{raw}");
        }
    }
}
