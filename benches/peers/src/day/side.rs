//! What both sides do with the messages of the day.

use super::{
    cache::{Clock, Count},
    stream::Mail,
};
use crate::rounds::clock;

/// A library with two caches: one for whole messages, one for the parts, so that neither finds what the other asked for.
pub trait Side {
    fn name(&self) -> &'static str;

    /// From the octets to a finished Authentication-Results field, whose length this gives.
    fn everything(&self, mail: &Mail, raw: &str) -> usize;

    /// The parts by themselves, one behind the other for all of these messages, and what they came to.
    fn parts(&self, mails: &[Mail], day: &Clock, spent: &mut Spent) -> Vec<Results>;

    /// Questions for whole messages.
    fn count(&self) -> Count;
}

/// What is timed by itself.
#[derive(Clone, Copy)]
pub enum Part {
    /// All signatures, with parsing the message.
    Dkim,
    /// The chain, with parsing; for messages that have one.
    Arc,
    /// For HELO and MAIL FROM.
    Spf,
    /// With the results of SPF and DKIM at hand.
    Dmarc,
    /// The Authentication-Results field, with all results at hand.
    Field,
}

impl Part {
    pub const ALL: [Self; 5] = [Self::Dkim, Self::Arc, Self::Spf, Self::Dmarc, Self::Field];
}

/// Processor time of the parts, in nanoseconds.
#[derive(Default)]
pub struct Spent([u64; Part::ALL.len()]);

impl Spent {
    /// Runs a part that reads messages, for those that it is for. The clock is read for each, at 0.2 µs.
    pub fn on_messages(&mut self, part: Part, mails: &[Mail], day: &Clock, mut run: impl FnMut(&str)) {
        let spent = &mut self.0[part as usize];
        arrivals(mails.iter().filter(|mail| part.is_for(mail)), day, |_, raw| {
            let start = clock();
            run(raw);
            *spent += clock() - start;
        });
    }

    /// Runs a part that works with what is known already, for all messages; their places are given.
    pub fn on(&mut self, part: Part, mails: &[Mail], day: &Clock, mut run: impl FnMut(usize, &Mail)) {
        let start = clock();
        for (number, mail) in mails.iter().enumerate() {
            day.set(mail.at);
            run(number, mail);
        }
        self.0[part as usize] += clock() - start;
    }

    pub fn of(&self, part: Part) -> u64 {
        self.0[part as usize]
    }
}

impl Part {
    pub fn is_for(self, mail: &Mail) -> bool {
        match self {
            Self::Arc => mail.sets > 0,
            Self::Dkim | Self::Spf | Self::Dmarc | Self::Field => true,
        }
    }
}

/// Has the messages arrive one after the other: each is copied to where the last one was before it is looked at, so that it is as near to
/// the processor as what was just received.
pub fn arrivals<'m>(mails: impl IntoIterator<Item = &'m Mail>, day: &Clock, mut run: impl FnMut(&Mail, &str)) {
    let mut raw = String::new();
    for mail in mails {
        day.set(mail.at);
        raw.clear();
        raw.push_str(&mail.raw);
        run(mail, &raw);
    }
}

/// In words that are the same for both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    pub helo: &'static str,
    pub mail_from: &'static str,
    pub dkim: Vec<&'static str>,
    pub arc: &'static str,
    pub dmarc: &'static str,
}
