//! What is known of the DNS while a message is evaluated: the one door at which the rules ask.
//!
//! A rule asks by a synchronous call, and goes on with `?` where the answer is not known yet. The question is written down then; when
//! it is answered, the rule runs again from its start, and comes further. So a rule is a pure function of what went in and of what is
//! known, and knows nothing of waiting, of time and of what others ask.

mod log;

pub use log::{Entry, Log};

use crate::{
    budget::{Exhausted, Share},
    dns::{Answer, AnyLookup, Lookup, LookupError, Mx, Question, Record, RecordType, octets, reverse_name},
    name::Name,
};
use smallvec::SmallVec;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Not known yet: the question is written down, and the attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unknown;

/// What can be answered without waiting.
pub(crate) type AtHand<'a> = &'a dyn Fn(&Question) -> Option<AnyLookup>;

/// The parts of an evaluation, each of which has a share of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Helo = 1,
    MailFrom = 2,
    Dkim = 4,
    Arc = 8,
    /// DMARC's search for the policy of the author domains.
    Discovery = 16,
    /// DMARC's walks for what SPF and DKIM authenticated.
    Alignment = 32,
    /// A look at what a domain publishes.
    Lint = 64,
}

/// One run of one evaluation. It has a share of its own, counted from zero in each run, so that its result depends neither on what
/// others ask nor on the order in which answers come.
pub(crate) struct Known<'k> {
    at_hand: AtHand<'k>,
    log: &'k mut Log,
    part: Part,
    left: Share,
}

impl<'k> Known<'k> {
    /// At the start of a run.
    pub(crate) fn new(log: &'k mut Log, at_hand: AtHand<'k>, part: Part, share: Share) -> Self {
        log.begin(part);
        Self { at_hand, log, part, left: share }
    }

    /// Where a run goes on that has asked all it asks: what it has asked stays needed.
    pub(crate) fn going_on(log: &'k mut Log, at_hand: AtHand<'k>, part: Part, share: Share) -> Self {
        Self { at_hand, log, part, left: share }
    }

    /// What is left of the share.
    pub(crate) fn left(&self) -> Share {
        self.left
    }

    /// The TXT records of a name; the character-strings of each record are joined.
    pub(crate) fn txt(&mut self, name: &Name) -> Result<Lookup<Box<[u8]>>, Unknown> {
        self.ask(name, cloned)
    }

    /// The MX records of a name, in the order of the answer.
    pub(crate) fn mx(&mut self, name: &Name) -> Result<Lookup<Mx>, Unknown> {
        self.ask(name, cloned)
    }

    /// The names of an address.
    pub(crate) fn ptr(&mut self, ip: IpAddr) -> Result<Lookup<Name>, Unknown> {
        self.ask(&reverse_name(ip), cloned)
    }

    /// What `read` makes of the TXT records of a name, where they stand.
    #[inline]
    pub(crate) fn read_txt<U>(
        &mut self,
        name: &Name,
        read: impl FnOnce(Result<&Answer<Box<[u8]>>, &LookupError>) -> U,
    ) -> Result<U, Unknown> {
        self.ask(name, read)
    }

    /// What `read` makes of the A records of a name.
    pub(crate) fn read_a<U>(
        &mut self,
        name: &Name,
        read: impl FnOnce(Result<&Answer<Ipv4Addr>, &LookupError>) -> U,
    ) -> Result<U, Unknown> {
        self.ask(name, read)
    }

    /// What `read` makes of the AAAA records of a name.
    pub(crate) fn read_aaaa<U>(
        &mut self,
        name: &Name,
        read: impl FnOnce(Result<&Answer<Ipv6Addr>, &LookupError>) -> U,
    ) -> Result<U, Unknown> {
        self.ask(name, read)
    }

    #[inline]
    fn ask<T: Record, U>(
        &mut self,
        name: &Name,
        read: impl FnOnce(Result<&Answer<T>, &LookupError>) -> U,
    ) -> Result<U, Unknown> {
        let Self { at_hand, log, part, left } = self;
        let place = log.place(name, T::TYPE);
        let is_counted = place.is_some_and(|place| log.is_asked_by(place, *part));
        if !is_counted && let Err(error) = left.ask() {
            return Ok(read(Err(&error)));
        }
        let place = place.unwrap_or_else(|| {
            let question = Question { name: name.clone(), record_type: T::TYPE };
            let answer = at_hand(&question);
            log.enter(question, answer)
        });
        log.asked_by(place, *part);
        let answer = match log.answer(place) {
            None => return Err(Unknown),
            Some(Err(error)) => return Ok(read(Err(error))),
            // Records of another type are no answer.
            Some(Ok(answer)) => T::from_any(answer).ok_or(&LookupError::Malformed),
        };
        match answer {
            Ok(known) if !is_counted => match left.pay_octets(octets(known)) {
                Ok(()) => Ok(read(answer)),
                Err(error) => {
                    log.refuse(place, *part);
                    Ok(read(Err(&error)))
                }
            },
            Ok(_) if log.is_refused(place, *part) => Ok(read(Err(&LookupError::OutOfOctets))),
            Ok(_) | Err(_) => Ok(read(answer)),
        }
    }

    /// Pays for the next signature.
    pub(crate) fn pay_signature(&mut self) -> Result<(), Exhausted> {
        self.left.pay_signature()
    }

    /// Pays for trying a key.
    pub(crate) fn pay_work(&mut self, work: usize) -> Result<(), Exhausted> {
        self.left.pay_work(work)
    }
}

/// All of them; those behind one that is not known are asked for all the same.
pub(crate) fn all<T>(known: impl Iterator<Item = Result<T, Unknown>>) -> Result<SmallVec<[T; 1]>, Unknown> {
    let mut are_known = true;
    let found = known.filter_map(|found| found.inspect_err(|Unknown| are_known = false).ok()).collect();
    if are_known { Ok(found) } else { Err(Unknown) }
}

fn cloned<T: Clone>(answer: Result<&Answer<T>, &LookupError>) -> Lookup<T> {
    answer.cloned().map_err(LookupError::clone)
}

/// The same door for a walk over what is still to come: nothing is decided at it, and what is asked at it counts against an allowance
/// of its own.
pub(crate) struct Ahead<'k> {
    at_hand: AtHand<'k>,
    log: &'k mut Log,
}

impl<'k> Ahead<'k> {
    pub(crate) fn new(log: &'k mut Log, at_hand: AtHand<'k>) -> Self {
        Self { at_hand, log }
    }

    /// Writes a question down, if that can be afforded, and gives the answer where it is known.
    pub(crate) fn ask<T: Record>(&mut self, name: &Name) -> Option<&Answer<T>> {
        let place = match self.log.place(name, T::TYPE) {
            Some(place) => place,
            None => {
                let question = Question { name: name.clone(), record_type: T::TYPE };
                let answer = (self.at_hand)(&question);
                self.log.enter_ahead(question, answer)?
            }
        };
        T::from_any(self.log.answer(place)?.as_ref().ok()?)
    }
}

/// The same door for what can be told without asking anybody: it decides nothing, and costs no question.
pub(crate) struct Beside<'k> {
    at_hand: AtHand<'k>,
    log: &'k mut Log,
}

impl<'k> Beside<'k> {
    pub(crate) fn new(log: &'k mut Log, at_hand: AtHand<'k>) -> Self {
        Self { at_hand, log }
    }

    /// The TXT records of a name, where they are known or at hand.
    pub(crate) fn txt(&mut self, name: &Name) -> Option<&Answer<Box<[u8]>>> {
        let Self { at_hand, log } = self;
        Record::from_any(log.beside_or(name, RecordType::Txt, at_hand)?.as_ref().ok()?)
    }
}

#[cfg(test)]
mod tests;
