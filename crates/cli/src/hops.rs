//! The way of a message, and the hop that handed it over.

use crate::{
    args,
    failure::Failure,
    style::{Style, printable},
};
use mailverdict::{
    Message, Session,
    received::{self, Hop},
};
use std::fmt::{self, Write};

/// The hops of a message, the newest first.
#[derive(Debug)]
pub(crate) struct Way {
    hops: Vec<Hop>,
    /// The hop that handed the message over, counted from 1.
    border: Option<usize>,
}

impl Way {
    /// Reads the hops, and finds the one that handed the message over, if that was asked for.
    pub(crate) fn of(message: &Message<'_>, args: &args::Way) -> Result<Self, Failure> {
        let hops = received::hops(message.header());
        let usage = |reason: String| Err(Failure::Usage(reason));
        let border = if let Some(number) = args.border {
            let number = number.get();
            match hops.get(number - 1) {
                None => return usage(format!("--border {number}: the message has {} hops", hops.len())),
                Some(hop) if hop.address.is_none() => {
                    return usage(format!("--border {number}: this hop names no client's address"));
                }
                Some(_) => Some(number),
            }
        } else if args.own_networks.is_empty() {
            None
        } else {
            let is_own = |ip| args.own_networks.iter().any(|network| network.contains(&ip));
            let Some(hop) = received::border(&hops, is_own) else {
                return usage("--own-network: no hop names a client from outside with its address".to_owned());
            };
            hops.iter().position(|candidate| candidate == hop).map(|at| at + 1)
        };
        Ok(Self { hops, border })
    }

    /// The session as the border's relay saw it; what the command line gives goes before.
    pub(crate) fn session(&self, session: Session) -> Session {
        let Some(hop) = self.border.and_then(|number| self.hops.get(number - 1)) else { return session };
        let mut session = session;
        session.peer_ip = hop.address;
        match (&session.helo, &hop.from) {
            (None, Some(helo)) => session.with_helo(helo),
            (Some(_), _) | (None, None) => session,
        }
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
        writeln!(
            out,
            "\n{}",
            style.bold("HOPS (the newest first; nobody vouches for what stands below the own hosts' fields)")
        )?;
        for (number, hop) in self.numbered() {
            let Hop { from, reverse_name, by, with, .. } = hop;
            let word = |word: &Option<Box<str>>| word.as_deref().map_or_else(|| "?".to_owned(), printable);
            let address = hop.address.map_or_else(|| "?".to_owned(), |address| address.to_string());
            let time = hop.time.map_or_else(|| "no time that can be read".to_owned(), |time| time.to_string());
            let delay = hop.delay.map(|delay| format!(", {delay:+} s")).unwrap_or_default();
            let border = if self.is_border(number) { ", handed over the message" } else { "" };
            writeln!(out, "{number:>3}  {time}{delay}{border}")?;
            match (from, hop.address) {
                (None, None) => writeln!(out, "     by {} with {}", word(by), word(with))?,
                (Some(_), _) | (None, Some(_)) => {
                    let name = reverse_name.as_deref().map(|name| format!("{} ", printable(name))).unwrap_or_default();
                    writeln!(out, "     from {} ({name}[{address}])", word(from))?;
                    writeln!(out, "     by {} with {}", word(by), word(with))?;
                }
            }
        }
        if self.hops.is_empty() {
            writeln!(out, "  the message has no Received field")?;
        }
        Ok(())
    }
}
