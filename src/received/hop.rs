//! One Received field, as the many kinds of servers write it.

use super::{address::address, date::date_time};
use crate::{
    lex::structured::{Scanner, Unterminated},
    time::UnixTime,
};
use std::{collections::VecDeque, net::IpAddr};

/// One host that handed a message to another; what a field does not say, or not so that it can be read, is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Hop {
    /// The place of the field among all fields of the header, from 0 at the top.
    pub field_index: usize,
    /// What the client called itself in HELO or EHLO.
    pub from: Option<Box<str>>,
    /// The name that the server found for the client's address.
    pub reverse_name: Option<Box<str>>,
    /// The client's address, as the server saw it.
    pub address: Option<IpAddr>,
    /// The server.
    pub by: Option<Box<str>>,
    /// The protocol, such as `ESMTPS`.
    pub with: Option<Box<str>>,
    /// When the server received the message.
    pub time: Option<UnixTime>,
    /// Seconds since the time of the hop before; negative where clocks differ.
    pub delay: Option<i64>,
    /// Whether the address is known from the client's own words alone, as in `from [192.0.2.1] by …`.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) is_claimed: bool,
}

/// What a word belongs to (RFC 5321 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clause {
    From,
    By,
    With,
    /// `via`, `id` and `for`: of no use here.
    Other,
}

impl Clause {
    fn beginning_with(word: &str) -> Option<Self> {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        match word {
            _ if is("from") => Some(Self::From),
            _ if is("by") => Some(Self::By),
            _ if is("with") => Some(Self::With),
            _ if is("via") || is("id") || is("for") => Some(Self::Other),
            _ => None,
        }
    }
}

impl Hop {
    /// Reads the value of a Received field: all after the colon. Every value can be read; the less it follows the grammar, the less is
    /// found.
    pub fn parse(field_index: usize, value: &[u8]) -> Self {
        let mut hop = Self {
            field_index,
            from: None,
            reverse_name: None,
            address: None,
            by: None,
            with: None,
            time: None,
            delay: None,
            is_claimed: false,
        };
        let mut scanner = Scanner::new(value);
        // The stamp comes before the first semicolon, the date after the last.
        let Ok(stamp) = scanner.segment() else { return hop };
        let mut date = None;
        while !scanner.at_end() {
            match scanner.segment() {
                Ok(segment) if segment.trim_ascii().is_empty() => {}
                Ok(segment) => date = Some(segment),
                Err(Unterminated) => break,
            }
        }
        let stamp = match date {
            Some(date) => {
                hop.time = date_time(date).ok();
                stamp
            }
            // Some servers leave the semicolon out.
            None => match split_at_date(stamp) {
                Some((stamp, time)) => {
                    hop.time = Some(time);
                    stamp
                }
                None => stamp,
            },
        };
        hop.read(Scanner::new(stamp));
        hop
    }

    fn read(&mut self, mut stamp: Scanner<'_>) {
        let mut clause = Clause::Other;
        let mut comments = Vec::new();
        let mut client: Vec<Box<str>> = Vec::new();
        let mut with = String::new();
        let mut bracketed = None;
        while stamp.cfws(&mut comments).is_ok() {
            if clause == Clause::From {
                client.append(&mut comments);
            }
            comments.clear();
            let before = stamp.offset();
            let Ok(word) = stamp.word() else { break };
            if stamp.offset() == before {
                break;
            }
            match Clause::beginning_with(&word) {
                Some(next) => clause = next,
                // `from name [address] by`: a HELO of several words stands before what the server adds.
                None if clause == Clause::From && self.from.is_some() && word.starts_with('[') => {
                    bracketed = address(&word).or(bracketed);
                }
                None => self.take(clause, &word, &mut with),
            }
        }
        self.with = (!with.is_empty()).then(|| with.into());
        let from = self.from.clone();
        let claimed = from.as_deref().and_then(address);
        for comment in &client {
            self.take_client(comment);
        }
        // What stands in a comment is the server's. Without one, `from` is all there is; some servers write the address there.
        let stated = self.address.or(bracketed);
        // Where the HELO stands in a comment, `from` is the server's as well.
        self.is_claimed = stated.is_none() && self.from == from;
        self.address = stated.or(claimed);
    }

    fn take(&mut self, clause: Clause, word: &str, with: &mut String) {
        match clause {
            Clause::From => drop(self.from.get_or_insert_with(|| word.into())),
            Clause::By => drop(self.by.get_or_insert_with(|| word.into())),
            Clause::With => {
                // "Microsoft SMTP Server" has three words.
                with.push_str(if with.is_empty() { "" } else { " " });
                with.push_str(word);
            }
            Clause::Other => {}
        }
    }

    /// A comment about the client: `name [address]`, `[address] helo=name`, `HELO name`, or the address alone.
    ///
    /// What stands in brackets goes before: a bare word that looks like an address may be the name that the client's own network
    /// gave it in the DNS.
    fn take_client(&mut self, comment: &str) {
        let mut helo_follows = false;
        let mut bare = None;
        for word in comment.split([' ', '(', ')', ',', ';']).filter(|word| !word.is_empty()) {
            let helo = match word.split_once('=') {
                _ if helo_follows => Some(word),
                Some((key, helo)) if key.eq_ignore_ascii_case("helo") || key.eq_ignore_ascii_case("ehlo") => Some(helo),
                Some(_) | None => None,
            };
            helo_follows = word.eq_ignore_ascii_case("helo") || word.eq_ignore_ascii_case("ehlo");
            if let Some(helo) = helo {
                // The name before it was found by the server, then.
                let found = self.from.replace(helo.into()).filter(|found| address(found).is_none());
                self.reverse_name = self.reverse_name.take().or(found);
                continue;
            }
            let word = word.rsplit('@').next().unwrap_or_default();
            match address(word) {
                Some(found) if word.starts_with('[') => drop(self.address.get_or_insert(found)),
                Some(found) => drop(bare.get_or_insert(found)),
                None if self.reverse_name.is_none() && self.address.or(bare).is_none() && is_name(word) => {
                    self.reverse_name = Some(word.trim_end_matches('.').into());
                }
                None => {}
            }
        }
        self.address = self.address.or(bare);
    }
}

/// Words that a date has at most, where white space stands around its colons and before its comma (RFC 5322 §4.3).
const DATE_WORDS: usize = 12;

/// The time at the end of a stamp, and what stands before it.
fn split_at_date(stamp: &[u8]) -> Option<(&[u8], UnixTime)> {
    let mut scanner = Scanner::new(stamp);
    let mut starts = VecDeque::with_capacity(DATE_WORDS);
    let mut comments = Vec::new();
    loop {
        scanner.cfws(&mut comments).ok()?;
        comments.clear();
        let start = scanner.offset();
        scanner.word().ok()?;
        if scanner.offset() == start {
            break;
        }
        if starts.len() == DATE_WORDS {
            starts.pop_front();
        }
        starts.push_back(start);
    }
    // The day of the week is a part of it, so the longest one counts.
    starts.into_iter().find_map(|start| {
        let (before, date) = stamp.split_at_checked(start)?;
        Some((before, date_time(date).ok()?))
    })
}

fn is_name(word: &str) -> bool {
    word.contains('.') && word.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.'))
}
