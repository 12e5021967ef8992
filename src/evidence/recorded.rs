//! Answers as they were recorded.

use super::rdata;
use crate::{
    dns::{
        Answer, AnyAnswer, AnyLookup, Details, EndlessAliases, Lookup, LookupError, Mx, Question, Record, RecordType,
        Resolver, Zone, reverse_name,
    },
    known::Log,
    name::Name,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// What was answered to each question of an evaluation. It answers the same again, and asks nobody: to any other question it has a
/// temporary error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded(pub(super) BTreeMap<Question, AnyLookup>);

/// The names of a zone put in the place of what was recorded for them.
#[derive(Clone, Copy, Debug)]
pub struct Overlaid<'r> {
    recorded: &'r Recorded,
    zone: &'r Zone,
}

/// Why a question has no answer that was not asked when the evidence was taken.
const NOT_ASKED: &str = "the evidence has no answer to this question";
// Why a question was not asked.
const NO_RUNTIME: &str = "no-runtime";
const OUT_OF_QUESTIONS: &str = "out-of-questions";
const OUT_OF_OCTETS: &str = "out-of-octets";

impl Recorded {
    /// The questions of a log, those that were foreseen in vain and those that were answered beside included. What was not waited for is
    /// recorded as not asked.
    pub fn of(log: &Log) -> Self {
        let answer = |answer: Option<&AnyLookup>| answer.cloned().unwrap_or(Err(LookupError::OutOfTime));
        let entries = log.beside().iter().chain(log.entries());
        Self(entries.map(|entry| (entry.question().clone(), answer(entry.answer()))).collect())
    }

    /// The answer to a question.
    pub fn answer(&self, question: &Question) -> AnyLookup {
        self.0.get(question).cloned().unwrap_or_else(|| Err(LookupError::Other(NOT_ASKED.into())))
    }

    /// With each name that has records in `zone` answered by it alone.
    pub fn overlaid<'r>(&'r self, zone: &'r Zone) -> Overlaid<'r> {
        Overlaid { recorded: self, zone }
    }
}

impl Overlaid<'_> {
    fn answer(&self, question: &Question) -> AnyLookup {
        if !self.zone.has_records(&question.name) {
            return self.recorded.answer(question);
        }
        let answer = self.zone.at_hand(question).unwrap_or(Err(LookupError::Malformed))?;
        // An alias may lead to a name that only the evidence has.
        match answer.details().aliases().last() {
            Some(end) if !self.zone.has_records(end) => {
                let end = Question { name: end.clone(), record_type: question.record_type };
                let aliases = answer.details().aliases().to_vec();
                self.recorded.answer(&end).map(|found| {
                    let aliases = aliases.into_iter().chain(found.details().aliases().iter().cloned());
                    let details = Details::default().with_ttl(found.details().ttl()).with_aliases(aliases);
                    found.with_details(details)
                })
            }
            Some(_) | None => Ok(answer),
        }
    }
}

/// The answer to the question for the records of a type at a name.
fn typed<T: Record>(name: Name, answer: impl FnOnce(&Question) -> AnyLookup) -> Lookup<T> {
    let answer = answer(&Question { name, record_type: T::TYPE })?;
    T::from_any(&answer).cloned().ok_or(LookupError::Malformed)
}

macro_rules! resolver {
    ($resolver:ty) => {
        impl Resolver for $resolver {
            async fn txt(&self, name: &Name) -> Lookup<Box<[u8]>> {
                typed(name.clone(), |question| self.answer(question))
            }
            async fn a(&self, name: &Name) -> Lookup<Ipv4Addr> {
                typed(name.clone(), |question| self.answer(question))
            }
            async fn aaaa(&self, name: &Name) -> Lookup<Ipv6Addr> {
                typed(name.clone(), |question| self.answer(question))
            }
            async fn mx(&self, name: &Name) -> Lookup<Mx> {
                typed(name.clone(), |question| self.answer(question))
            }
            async fn ptr(&self, ip: IpAddr) -> Lookup<Name> {
                typed(reverse_name(ip), |question| self.answer(question))
            }
            fn at_hand(&self, question: &Question) -> Option<AnyLookup> {
                Some(self.answer(question))
            }
        }
    };
}

resolver!(Recorded);
resolver!(Overlaid<'_>);

/// A question and its answer, as they are written.
#[derive(Serialize, Deserialize)]
struct Entry<'e> {
    name: Cow<'e, Name>,
    #[serde(rename = "type")]
    record_type: Type,
    outcome: Outcome,
    #[serde(default)]
    records: Vec<String>,
    ttl: Option<u32>,
    #[serde(default)]
    aliases: Cow<'e, [Name]>,
    /// What the resolver says of a server that cannot be reached; why a question was not asked, where that was not for want of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'e, str>>,
}

/// The types as the DNS writes them.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Type {
    Txt,
    A,
    Aaaa,
    Mx,
    Ptr,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Records,
    #[serde(rename = "nodata")]
    NoData,
    #[serde(rename = "nxdomain")]
    NxDomain,
    Timeout,
    #[serde(rename = "servfail")]
    ServFail,
    Refused,
    Malformed,
    Unreachable,
    NotAsked,
}

impl From<RecordType> for Type {
    fn from(record_type: RecordType) -> Self {
        match record_type {
            RecordType::Txt => Self::Txt,
            RecordType::A => Self::A,
            RecordType::Aaaa => Self::Aaaa,
            RecordType::Mx => Self::Mx,
            RecordType::Ptr => Self::Ptr,
        }
    }
}

impl From<Type> for RecordType {
    fn from(record_type: Type) -> Self {
        match record_type {
            Type::Txt => Self::Txt,
            Type::A => Self::A,
            Type::Aaaa => Self::Aaaa,
            Type::Mx => Self::Mx,
            Type::Ptr => Self::Ptr,
        }
    }
}

impl Outcome {
    fn of(answer: &AnyLookup) -> Self {
        match answer {
            Ok(AnyAnswer::Txt(answer)) => Self::of_answer(answer),
            Ok(AnyAnswer::A(answer)) => Self::of_answer(answer),
            Ok(AnyAnswer::Aaaa(answer)) => Self::of_answer(answer),
            Ok(AnyAnswer::Mx(answer)) => Self::of_answer(answer),
            Ok(AnyAnswer::Ptr(answer)) => Self::of_answer(answer),
            Err(LookupError::Timeout) => Self::Timeout,
            Err(LookupError::ServerFailure) => Self::ServFail,
            Err(LookupError::Refused) => Self::Refused,
            Err(LookupError::Malformed | LookupError::EndlessAliases(_)) => Self::Malformed,
            Err(LookupError::Other(_)) => Self::Unreachable,
            Err(
                LookupError::NoRuntime
                | LookupError::OutOfTime
                | LookupError::OutOfQuestions
                | LookupError::OutOfOctets,
            ) => Self::NotAsked,
        }
    }

    fn of_answer<T>(answer: &Answer<T>) -> Self {
        match answer {
            Answer::Records(records) if !records.is_empty() => Self::Records,
            Answer::Records(_) | Answer::NoData(_) => Self::NoData,
            Answer::NxDomain(_) => Self::NxDomain,
        }
    }
}

impl<'e> Entry<'e> {
    fn of(question: &'e Question, answer: &'e AnyLookup) -> Self {
        let details = answer.as_ref().ok().map(AnyAnswer::details);
        Self {
            name: Cow::Borrowed(&question.name),
            record_type: question.record_type.into(),
            outcome: Outcome::of(answer),
            records: answer.as_ref().map(rdata::written).unwrap_or_default(),
            ttl: details.and_then(Details::ttl),
            aliases: Cow::Borrowed(match answer {
                Err(LookupError::EndlessAliases(endless)) => endless.names(),
                Ok(_) | Err(_) => details.map(Details::aliases).unwrap_or_default(),
            }),
            error: match answer {
                Err(LookupError::Other(error)) => Some(Cow::Borrowed(error)),
                Err(LookupError::NoRuntime) => Some(NO_RUNTIME.into()),
                Err(LookupError::OutOfQuestions) => Some(OUT_OF_QUESTIONS.into()),
                Err(LookupError::OutOfOctets) => Some(OUT_OF_OCTETS.into()),
                _ => None,
            },
        }
    }

    /// The question and its answer; why they cannot be had.
    fn read(self) -> Result<(Question, AnyLookup), String> {
        let Self { name, record_type, outcome, records, ttl, aliases, error } = self;
        let question = Question { name: name.into_owned(), record_type: record_type.into() };
        let refused = |why: &str| format!("{question}: {why}");
        if records.is_empty() == (outcome == Outcome::Records) {
            return Err(refused("records stand where the outcome is \"records\", and there alone"));
        }
        let details = Details::default().with_ttl(ttl).with_aliases(aliases.into_owned());
        let void = |record_type, answer: fn(Details) -> VoidAnswer| void(record_type, &answer(details.clone()));
        let answer = match outcome {
            Outcome::Records => {
                Ok(rdata::read(question.record_type, &records, details.clone()).map_err(|why| refused(&why))?)
            }
            Outcome::NoData => Ok(void(question.record_type, VoidAnswer::NoData)),
            Outcome::NxDomain => Ok(void(question.record_type, VoidAnswer::NxDomain)),
            Outcome::Timeout => Err(LookupError::Timeout),
            Outcome::ServFail => Err(LookupError::ServerFailure),
            Outcome::Refused => Err(LookupError::Refused),
            Outcome::Malformed if details.aliases().is_empty() => Err(LookupError::Malformed),
            Outcome::Malformed => {
                let names = details.aliases().iter().cloned();
                Err(LookupError::EndlessAliases(EndlessAliases::new(&question.name, names)))
            }
            Outcome::Unreachable => {
                Err(LookupError::Other(error.unwrap_or("the server cannot be reached".into()).into()))
            }
            Outcome::NotAsked => Err(match error.as_deref() {
                Some(NO_RUNTIME) => LookupError::NoRuntime,
                Some(OUT_OF_QUESTIONS) => LookupError::OutOfQuestions,
                Some(OUT_OF_OCTETS) => LookupError::OutOfOctets,
                Some(_) | None => LookupError::OutOfTime,
            }),
        };
        Ok((question, answer))
    }
}

/// An answer without records.
enum VoidAnswer {
    NoData(Details),
    NxDomain(Details),
}

fn void(record_type: RecordType, answer: &VoidAnswer) -> AnyAnswer {
    fn of<T>(answer: &VoidAnswer) -> Answer<T> {
        match answer {
            VoidAnswer::NoData(details) => Answer::NoData(details.clone()),
            VoidAnswer::NxDomain(details) => Answer::NxDomain(details.clone()),
        }
    }
    match record_type {
        RecordType::Txt => AnyAnswer::Txt(of(answer)),
        RecordType::A => AnyAnswer::A(of(answer)),
        RecordType::Aaaa => AnyAnswer::Aaaa(of(answer)),
        RecordType::Mx => AnyAnswer::Mx(of(answer)),
        RecordType::Ptr => AnyAnswer::Ptr(of(answer)),
    }
}

/// In the order of names, and of types below each.
impl Serialize for Recorded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|(question, _)| (&question.name, question.record_type.to_string()));
        serializer.collect_seq(entries.into_iter().map(|(question, answer)| Entry::of(question, answer)))
    }
}

impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut answers = BTreeMap::new();
        for entry in Vec::<Entry<'_>>::deserialize(deserializer)? {
            let (question, answer) = entry.read().map_err(D::Error::custom)?;
            if let Some((question, _)) = answers.get_key_value(&question) {
                return Err(D::Error::custom(format_args!("{question} is answered twice")));
            }
            answers.insert(question, answer);
        }
        Ok(Self(answers))
    }
}
