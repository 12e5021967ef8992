//! What was asked for one message, and what was answered.

use super::Part;
use crate::{
    dns::{Answer, AnyAnswer, AnyLookup, Details, LookupError, Question, RecordType, Records},
    name::Name,
};
use std::{fmt, time::Duration};

/// Every question to the DNS that one message caused, in the order of asking, with its answer.
///
/// ```
/// use mailverdict::{Evaluation, Message, Policy, dns::{Resolver, Zone}};
/// use std::net::Ipv4Addr;
/// let zone = Zone::parse("_dmarc.example.com. TXT \"v=DMARC1; p=none\"", "example.zone").unwrap();
/// let policy = Policy::default();
/// let mut evaluation = Evaluation::new(&policy, Ipv4Addr::new(192, 0, 2, 1));
/// evaluation.message(&Message::parse(b"From: a@example.com\r\n\r\n")?);
/// evaluation.advance_with(|question| zone.at_hand(question));
/// let log: Vec<String> = evaluation.log().entries().iter().map(ToString::to_string).collect();
/// assert_eq!(log, ["_dmarc.example.com TXT: \"v=DMARC1; p=none\"", "_dmarc.com TXT: no such name"]);
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// There are no more than the shares allow, and few in practice: a search is cheaper than a hash.
    entries: Vec<Entry>,
    /// Where those begin that were not handed out to be asked.
    handed_out: usize,
    /// How many more may be asked ahead, and octets of their answers.
    ahead: Allowance,
    /// See [`beside`](Self::beside).
    beside: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Allowance {
    questions: usize,
    octets: usize,
}

/// A question and what became of it. Entries are compared as answers are: whatever details are told of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    question: Question,
    answer: Option<AnyLookup>,
    took: Option<Duration>,
    /// A bit for each evaluation that has asked for it in its last run.
    asked_by: u8,
    /// A bit for each of them that could not afford the answer.
    refused_to: u8,
    is_ahead: bool,
}

/// Room for the questions of many messages, in a block that is small enough for an allocator to have at hand.
const USUAL: usize = 10;

impl Log {
    /// In which so many questions may be asked ahead, as long as their answers have no more octets than that.
    pub(crate) fn new(questions_ahead: usize, octets_ahead: usize) -> Self {
        let ahead = Allowance { questions: questions_ahead, octets: octets_ahead };
        Self { entries: Vec::with_capacity(USUAL), handed_out: 0, ahead, beside: Vec::new() }
    }

    /// The questions in the order of asking, those that were asked ahead and in vain included.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Answers that were at hand beside, for [`findings`](crate::finding::findings): nothing was asked for them, and no result rests on
    /// them. They are the TXT records that the check of this client passed by, the terms of which are counted (no more than 64 names for
    /// each identity), and those of other names at which a record may stand that was not found at its own. None where the resolver has
    /// nothing at hand, or nobody asked for an explanation.
    pub fn beside(&self) -> &[Entry] {
        &self.beside
    }

    /// Whether a question waits for its answer.
    pub(crate) fn is_open(&self) -> bool {
        self.entries.iter().any(|entry| entry.answer.is_none())
    }

    /// The questions that wait for their answers and were not given here before.
    pub(crate) fn hand_out(&mut self) -> Vec<Question> {
        let new = self.entries.get(self.handed_out..).unwrap_or_default();
        let open = new.iter().filter(|entry| entry.answer.is_none()).map(|entry| entry.question.clone()).collect();
        self.handed_out = self.entries.len();
        open
    }

    /// Questions that wait for their answers are handed out again: nobody else waits for them any more.
    pub(crate) fn ask_again(&mut self) {
        self.handed_out = 0;
    }

    /// What became of a question.
    pub(crate) fn entry(&self, name: &Name, record_type: RecordType) -> Option<&Entry> {
        self.entries.get(self.place(name, record_type)?)
    }

    /// What became of the question for a name's texts, or what was at hand of them beside.
    pub(crate) fn entry_or_beside(&self, name: &Name) -> Option<&Entry> {
        let beside = || self.beside.iter().find(|entry| entry.question.name == *name);
        self.entry(name, RecordType::Txt).or_else(beside)
    }

    /// Enters what became of a question; the first answer counts. Whether it was open.
    pub(crate) fn answered(&mut self, question: &Question, answer: AnyLookup, took: Option<Duration>) -> bool {
        let place = self.place(&question.name, question.record_type);
        let Some(entry) = place.and_then(|place| self.entries.get_mut(place)).filter(|entry| entry.answer.is_none())
        else {
            return false;
        };
        if entry.is_ahead {
            let octets = answer.as_ref().map_or(0, |answer| answer.octets());
            self.ahead.octets = self.ahead.octets.saturating_sub(octets);
        }
        (entry.answer, entry.took) = (Some(answer), took);
        true
    }

    /// The same log, had this been answered for the texts of a name.
    pub(crate) fn if_published(&self, name: &Name, text: &str) -> Self {
        let texts = Records::from([Box::<[u8]>::from(text.as_bytes())]);
        let mut log = self.clone();
        if let Some(place) = log.place(name, RecordType::Txt)
            && let Some(entry) = log.entries.get_mut(place)
        {
            entry.answer = Some(Ok(AnyAnswer::Txt(Answer::Records(texts))));
        }
        log
    }

    /// And what another log has that this one does not.
    pub(crate) fn add(&mut self, other: &Self) {
        for entry in &other.entries {
            if self.entry(&entry.question.name, entry.question.record_type).is_none() {
                self.entries.push(entry.clone());
            }
        }
    }

    /// Answers each open question with this error.
    pub(crate) fn give_up(&mut self, error: &LookupError) {
        for entry in self.entries.iter_mut().filter(|entry| entry.answer.is_none()) {
            entry.answer = Some(Err(error.clone()));
        }
    }

    /// Another run of this evaluation begins.
    pub(super) fn begin(&mut self, part: Part) {
        let others = !(part as u8);
        for entry in &mut self.entries {
            entry.asked_by &= others;
            entry.refused_to &= others;
        }
    }

    #[inline]
    pub(super) fn place(&self, name: &Name, record_type: RecordType) -> Option<usize> {
        let is_it = |entry: &Entry| entry.question.record_type == record_type && entry.question.name == *name;
        self.entries.iter().position(is_it)
    }

    /// Enters a question, with its answer where that is known.
    pub(super) fn enter(&mut self, question: Question, answer: Option<AnyLookup>) -> usize {
        self.entries.push(Entry::new(question, answer));
        self.entries.len() - 1
    }

    /// What is known of a question, or what `at_hand` has of it, which is kept beside.
    pub(super) fn beside_or(
        &mut self,
        name: &Name,
        record_type: RecordType,
        at_hand: impl FnOnce(&Question) -> Option<AnyLookup>,
    ) -> Option<&AnyLookup> {
        if let Some(place) = self.place(name, record_type) {
            return self.answer(place);
        }
        let is_it = |entry: &Entry| entry.question.record_type == record_type && entry.question.name == *name;
        let place = match self.beside.iter().position(is_it) {
            Some(place) => place,
            None => {
                let question = Question { name: name.clone(), record_type };
                let answer = at_hand(&question)?;
                self.beside.push(Entry::new(question, Some(answer)));
                self.beside.len() - 1
            }
        };
        self.beside.get(place)?.answer.as_ref()
    }

    /// The same ahead of the need for it; `None` where that cannot be afforded.
    pub(super) fn enter_ahead(&mut self, question: Question, answer: Option<AnyLookup>) -> Option<usize> {
        let Allowance { questions, octets } = &mut self.ahead;
        // An answer at hand costs no question.
        if *octets == 0 || *questions == 0 && answer.is_none() {
            return None;
        }
        if answer.is_none() {
            *questions -= 1;
        }
        let place = self.enter(question, answer);
        self.entries.get_mut(place)?.is_ahead = true;
        Some(place)
    }

    #[inline]
    pub(super) fn answer(&self, place: usize) -> Option<&AnyLookup> {
        self.entries.get(place)?.answer.as_ref()
    }

    #[inline]
    pub(super) fn is_asked_by(&self, place: usize, part: Part) -> bool {
        self.entries.get(place).is_some_and(|entry| entry.asked_by & part as u8 != 0)
    }

    #[inline]
    pub(super) fn asked_by(&mut self, place: usize, part: Part) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.asked_by |= part as u8;
        }
    }

    #[inline]
    pub(super) fn is_refused(&self, place: usize, part: Part) -> bool {
        self.entries.get(place).is_some_and(|entry| entry.refused_to & part as u8 != 0)
    }

    #[cold]
    pub(super) fn refuse(&mut self, place: usize, part: Part) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.refused_to |= part as u8;
        }
    }
}

impl Entry {
    fn new(question: Question, answer: Option<AnyLookup>) -> Self {
        Self { question, answer, took: None, asked_by: 0, refused_to: 0, is_ahead: false }
    }

    /// What was asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// What was answered; `None` where the verdict did not wait for it.
    pub fn answer(&self) -> Option<&AnyLookup> {
        self.answer.as_ref()
    }

    /// The texts that were answered; none where the question was another or had no answer.
    pub(crate) fn texts(&self) -> &[Box<[u8]>] {
        match &self.answer {
            Some(Ok(AnyAnswer::Txt(answer))) => answer.records(),
            Some(Ok(AnyAnswer::A(_) | AnyAnswer::Aaaa(_) | AnyAnswer::Mx(_) | AnyAnswer::Ptr(_)) | Err(_)) | None => {
                &[]
            }
        }
    }

    /// The names that aliases (CNAME records) led to on the way to the answer, in order; see
    /// [`Details::aliases`](crate::dns::Details::aliases). Strangers choose them: at most [`MAX_CNAME_CHAIN`](crate::dns::MAX_CNAME_CHAIN)
    /// names of any ASCII octets.
    pub fn aliases(&self) -> &[Name] {
        self.details().map(Details::aliases).unwrap_or_default()
    }

    /// How long the answer is good for, in seconds, where the resolver tells it; see [`Details::ttl`](crate::dns::Details::ttl).
    pub fn ttl(&self) -> Option<u32> {
        self.details().and_then(Details::ttl)
    }

    fn details(&self) -> Option<&Details> {
        Some(self.answer.as_ref()?.as_ref().ok()?.details())
    }

    /// From the question to the answer; `None` where the answer was at hand, or nobody has measured it.
    pub fn took(&self) -> Option<Duration> {
        self.took
    }

    /// Whether a result may rest on the answer; else it was asked ahead, and then not needed.
    pub fn is_needed(&self) -> bool {
        self.asked_by != 0
    }
}

/// The question, by way of which aliases, and what was answered, all of it printable.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.question.fmt(f)?;
        for (place, alias) in self.aliases().iter().enumerate() {
            f.write_str(if place == 0 { " by way of " } else { ", " })?;
            alias.to_string().escape_debug().fmt(f)?;
        }
        f.write_str(": ")?;
        match &self.answer {
            Some(Ok(answer)) => answer.fmt(f),
            Some(Err(error)) => error.fmt(f),
            None => f.write_str("not waited for"),
        }
    }
}
