//! The way of a message, and the hop that handed it over.

use crate::{
    args,
    failure::Failure,
    style::{Style, printable, shortened, wrapped},
};
use mailverdict::{
    Message, Session,
    received::{self, Hop},
    session::MailFrom,
    time::UnixTime,
};
use serde::Serialize;
use std::{
    fmt::{self, Write},
    net::IpAddr,
};

/// The hops of a message, the newest first.
#[derive(Debug)]
pub(crate) struct Way {
    hops: Vec<Hop>,
    /// The hop that handed the message over, counted from 1.
    border: Option<usize>,
    client: Client,
}

/// A hop as programs read it; null where nothing could be read.
#[derive(Debug, Serialize)]
pub(crate) struct NumberedHop<'w> {
    number: usize,
    from: Option<&'w str>,
    reverse_name: Option<&'w str>,
    address: Option<IpAddr>,
    by: Option<&'w str>,
    with: Option<&'w str>,
    time: Option<String>,
    delay: Option<i64>,
    border: bool,
}

impl<'w> NumberedHop<'w> {
    fn new(number: usize, hop: &'w Hop, border: bool) -> Self {
        Self {
            number,
            from: hop.from.as_deref(),
            reverse_name: hop.reverse_name.as_deref(),
            address: hop.address,
            by: hop.by.as_deref(),
            with: hop.with.as_deref(),
            time: hop.time.map(|time| time.to_string()),
            delay: hop.delay,
            border,
        }
    }
}

/// How it is known which client handed the message over.
#[derive(Debug)]
enum Client {
    /// The command line tells its address, or which hop it was.
    Told,
    /// It was taken from the newest hop that may be it.
    Taken,
    /// Nobody knows it, with the reason.
    Unknown(String),
}

impl Way {
    /// Whether nobody gave the client's address, and it was taken from a hop.
    pub(crate) fn is_client_taken(&self) -> bool {
        matches!(self.client, Client::Taken)
    }

    /// The hops of a message that was evaluated before; which of them handed it over was not recorded.
    pub(crate) fn recorded(message: &Message<'_>) -> Self {
        Self { hops: received::hops(message.header()), border: None, client: Client::Told }
    }

    /// The hops for programs.
    pub(crate) fn numbered_hops(&self) -> Vec<NumberedHop<'_>> {
        self.numbered().map(|(number, hop)| NumberedHop::new(number, hop, self.is_border(number))).collect()
    }

    /// Reads the hops, and finds the one that handed the message over, unless the client's address is given.
    pub(crate) fn of(message: &Message<'_>, args: &args::Way, ip: Option<IpAddr>) -> Result<Self, Failure> {
        let hops = received::hops(message.header());
        let usage = |reason: String| Err(Failure::Usage(reason));
        let number = |hop: &Hop| hops.iter().position(|candidate| candidate == hop).map(|at| at + 1);
        let (border, client) = if ip.is_some() {
            (None, Client::Told)
        } else if let Some(number) = args.border {
            let number = number.get();
            match hops.get(number - 1) {
                None => {
                    let hops = match hops.len() {
                        1 => "1 hop".to_owned(),
                        len => format!("{len} hops"),
                    };
                    return usage(format!("--border {number}: the message has {hops}"));
                }
                Some(hop) if hop.address.is_none() => {
                    return usage(format!("--border {number}: this hop names no client's address"));
                }
                Some(_) => (Some(number), Client::Told),
            }
        } else {
            let is_own = |ip| args.own_networks.iter().any(|network| network.contains(&ip));
            match received::client(&hops, is_own) {
                Ok(hop) if args.own_networks.is_empty() => (number(hop), Client::Taken),
                Ok(hop) => (number(hop), Client::Told),
                Err(reason) if args.own_networks.is_empty() => (None, Client::Unknown(reason.to_string())),
                Err(_) => {
                    return usage("--own-network: no hop names a client from outside with its address".to_owned());
                }
            }
        };
        Ok(Self { hops, border, client })
    }

    fn border(&self) -> Option<&Hop> {
        self.hops.get(self.border?.checked_sub(1)?)
    }

    /// The session as the border's relay saw it, at the time `at`, or else when that relay received the message; what the command line
    /// gives goes before.
    pub(crate) fn session(&self, session: Session, at: Option<UnixTime>) -> Session {
        let Some(hop) = self.border() else { return session };
        let mut session = match &session.mail_from {
            MailFrom::FromReturnPath => session.of_saved_mail(),
            MailFrom::Null | MailFrom::Address(_) => session,
        };
        session.peer_ip = hop.address;
        // RFC 6376 §3.5: `x=` is compared with the time of receipt. No clock of a relay is believed to be ahead of time.
        if let (None, Some(time)) = (at, hop.time.filter(|time| *time <= session.received_at)) {
            session.received_at = time;
        }
        match (&session.helo, &hop.from) {
            (None, Some(helo)) => session.with_helo(helo),
            (Some(_), _) | (None, None) => session,
        }
    }

    /// Where the client's address comes from, where nobody gave it: what goes on after the address.
    pub(crate) fn origin(&self) -> Option<String> {
        match &self.client {
            Client::Taken => Some(format!("taken from the Received field by {}", self.relay()?)),
            Client::Told | Client::Unknown(_) => None,
        }
    }

    /// What is to be known of the client and of the time, and how to tell otherwise.
    pub(crate) fn remark(&self, session: &Session) -> Option<String> {
        let time = self.border().and_then(|hop| hop.time).filter(|time| *time == session.received_at);
        let time =
            time.map(|time| format!("Evaluated as of {time}, when {} received it.", self.relay().unwrap_or_default()));
        match &self.client {
            Client::Told => time,
            Client::Taken => Some(format!(
                "{}Only fields of own hosts can be believed: --own-network, --border, --ip and --at correct it.",
                time.map(|time| time + " ").unwrap_or_default()
            )),
            Client::Unknown(reason) => Some(format!(
                "The client is not known: {}. --ip gives its address, --helo and --mail-from its names.",
                shortened(reason)
            )),
        }
    }

    /// The host that wrote the border's field.
    fn relay(&self) -> Option<String> {
        let by = self.border()?.by.as_deref();
        Some(by.map_or_else(|| "a host without a name".to_owned(), |by| shortened(by).into_owned()))
    }

    /// The hops, each with its number.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &Hop)> {
        (1..).zip(&self.hops)
    }

    /// Whether the hop with this number handed the message over.
    pub(crate) fn is_border(&self, number: usize) -> bool {
        self.border == Some(number)
    }

    pub(crate) fn write(&self, out: &mut impl Write, style: Style) -> fmt::Result {
        writeln!(out, "\n{}\n  {}", style.bold("HOPS"), wrapped(HOW_TO_READ, 2))?;
        for (number, hop) in self.numbered() {
            let words = HopWords::of(hop);
            let border = if self.is_border(number) { format!(", {BORDER}") } else { String::new() };
            let delay = words.delay.map(|delay| format!(", {delay}")).unwrap_or_default();
            writeln!(out, "{number:>3}  {}{delay}{border}", words.time)?;
            for line in words.from.iter().chain([&words.by]) {
                writeln!(out, "     {}", wrapped(line, 7))?;
            }
        }
        if self.hops.is_empty() {
            writeln!(out, "  {NO_HOPS}")?;
        }
        Ok(())
    }
}

// What is said of all hops, of none, and of the one that is the border.
pub(crate) const HOW_TO_READ: &str = "The newest first; nobody vouches for what stands below the own hosts' fields.";
pub(crate) const NO_HOPS: &str = "the message has no Received field";
pub(crate) const BORDER: &str = "handed over the message";

/// A hop as people read it; printable.
#[derive(Debug)]
pub(crate) struct HopWords {
    pub(crate) time: String,
    /// Seconds since the hop before, with their sign.
    pub(crate) delay: Option<String>,
    /// Who handed the message over, where anything is known of that.
    pub(crate) from: Option<String>,
    /// Who took it, and how.
    pub(crate) by: String,
}

impl HopWords {
    pub(crate) fn of(hop: &Hop) -> Self {
        let Hop { from, reverse_name, by, with, .. } = hop;
        let word = |word: &Option<Box<str>>| word.as_deref().map_or_else(|| "?".to_owned(), printable);
        let address = hop.address.map_or_else(|| "?".to_owned(), |address| address.to_string());
        let name = reverse_name.as_deref().map(|name| format!("{} ", printable(name))).unwrap_or_default();
        Self {
            time: hop.time.map_or_else(|| "no time that can be read".to_owned(), |time| time.to_string()),
            delay: hop.delay.map(|delay| format!("{delay:+} s")),
            from: match (from, hop.address) {
                (None, None) => None,
                (Some(_), _) | (None, Some(_)) => Some(format!("from {} ({name}[{address}])", word(from))),
            },
            by: format!("by {} with {}", word(by), word(with)),
        }
    }
}
