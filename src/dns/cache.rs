//! Answers kept for as long as they live, within a bound of memory.

use super::{
    Answer, Question,
    record::{AnyAnswer, Record, octets as octets_of},
};
use crate::name::Name;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Locks, so that many threads rarely wait for one another.
const SHARDS: usize = 16;
/// Octets that an entry costs beside its name and data.
const ENTRY_OVERHEAD: usize = 160;

/// Answers by question, each until it expires; when the memory is full, those that were not asked for lately go first.
///
/// Each shard has two generations. What is new, and what is asked for, is in the young one; when that has taken up half of the
/// shard's octets it becomes the old one, and what was the old one is forgotten.
#[derive(Debug)]
pub(crate) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// Octets that one generation of one shard may take up.
    generation_octets: usize,
}

#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Question, Entry>,
    young_octets: usize,
    old: HashMap<Question, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    answer: AnyAnswer,
    expires: Instant,
    octets: usize,
}

impl Cache {
    /// For answers of about `octets` in all.
    pub(crate) fn new(octets: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            generation_octets: octets / SHARDS / 2,
        }
    }

    /// The answer, if there is one that lives at `now`.
    pub(crate) fn recall<T: Record>(&self, name: &Name, now: Instant) -> Option<Answer<T>> {
        let question = Question { name: name.clone(), record_type: T::TYPE };
        let mut shard = self.shard(&question)?.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = shard.young.get(&question) {
            return entry.answer_at(now);
        }
        let entry = shard.old.remove(&question)?;
        let answer = entry.answer_at(now)?;
        shard.keep(question, entry, self.generation_octets);
        Some(answer)
    }

    /// Whether this is the answer that lives at `now`; where that was not asked for lately, it is not known.
    pub(crate) fn confirms(&self, question: &Question, answer: &AnyAnswer, now: Instant) -> bool {
        let Some(shard) = self.shard(question) else { return false };
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        // The old generation is left to `recall`, which keeps what is asked for.
        shard.young.get(question).is_some_and(|entry| now < entry.expires && entry.answer == *answer)
    }

    /// Keeps an answer for `ttl`; an answer that lives no time is not kept.
    pub(crate) fn keep<T: Record>(&self, name: &Name, answer: &Answer<T>, now: Instant, ttl: Duration) {
        let octets = ENTRY_OVERHEAD + name.as_str().len() + octets_of(answer);
        let Some(expires) = now.checked_add(ttl).filter(|_| !ttl.is_zero() && octets <= self.generation_octets) else {
            return;
        };
        let question = Question { name: name.clone(), record_type: T::TYPE };
        let entry = Entry { answer: T::into_any(answer.clone()), expires, octets };
        if let Some(shard) = self.shard(&question) {
            shard.lock().unwrap_or_else(PoisonError::into_inner).keep(question, entry, self.generation_octets);
        }
    }

    fn shard(&self, question: &Question) -> Option<&Mutex<Shard>> {
        let shards = u64::try_from(SHARDS).ok()?;
        self.shards.get(usize::try_from(self.hasher.hash_one(question) % shards).ok()?)
    }
}

impl Shard {
    fn keep(&mut self, question: Question, entry: Entry, generation_octets: usize) {
        if self.young_octets + entry.octets > generation_octets {
            self.old = mem::take(&mut self.young);
            self.young_octets = 0;
        }
        self.young_octets += entry.octets;
        if let Some(replaced) = self.young.insert(question, entry) {
            self.young_octets = self.young_octets.saturating_sub(replaced.octets);
        }
    }
}

impl Entry {
    fn answer_at<T: Record>(&self, now: Instant) -> Option<Answer<T>> {
        (now < self.expires).then(|| T::from_any(&self.answer).cloned()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::RecordType;
    use std::net::Ipv4Addr;

    fn name(number: usize) -> Name {
        Name::parse(&format!("n{number}.example")).unwrap()
    }

    fn text(len: usize) -> Answer<Box<[u8]>> {
        Answer::Records([vec![b'x'; len].into_boxed_slice()].into())
    }

    #[test]
    fn answers_live_until_their_ttl_and_zero_is_no_time() {
        let (cache, now) = (Cache::new(1 << 20), Instant::now());
        let second = Duration::from_secs(1);
        cache.keep(&name(1), &text(10), now, second);
        cache.keep(&name(2), &text(10), now, Duration::ZERO);
        cache.keep::<Ipv4Addr>(&name(3), &Answer::NxDomain, now, second);
        assert_eq!(cache.recall(&name(1), now + second / 2), Some(text(10)));
        assert_eq!(cache.recall::<Box<[u8]>>(&name(1), now + second), None);
        assert_eq!(cache.recall::<Box<[u8]>>(&name(2), now), None);
        assert_eq!(cache.recall::<Ipv4Addr>(&name(3), now), Some(Answer::NxDomain));
        let question = |number| Question { name: name(number), record_type: RecordType::Txt };
        let confirms = |number, len, at| cache.confirms(&question(number), &AnyAnswer::Txt(text(len)), at);
        assert!(confirms(1, 10, now + second / 2));
        assert!(!confirms(1, 11, now) && !confirms(2, 10, now) && !confirms(1, 10, now + second));
        // Another type of the same name is another question.
        assert_eq!(cache.recall::<Box<[u8]>>(&name(3), now), None);
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        const OCTETS: usize = 1 << 20;
        let (cache, now, hour) = (Cache::new(OCTETS), Instant::now(), Duration::from_secs(3600));
        cache.keep(&name(0), &text(10), now, hour);
        for number in 1..10_000 {
            cache.keep(&name(number), &text(1000), now, hour);
            assert!(cache.recall::<Box<[u8]>>(&name(0), now).is_some(), "forgotten after {number}");
        }
        let held: usize = cache
            .shards
            .iter()
            .map(|shard| {
                let shard = shard.lock().unwrap();
                assert_eq!(shard.young_octets, shard.young.values().map(|entry| entry.octets).sum::<usize>());
                shard.young.values().chain(shard.old.values()).map(|entry| entry.octets).sum::<usize>()
            })
            .sum();
        assert!((OCTETS / 4..=OCTETS).contains(&held), "{held} octets");
        // The last is there, the first of the many is not, and what fits in no generation never was.
        assert!(cache.recall::<Box<[u8]>>(&name(9_999), now).is_some());
        assert!(cache.recall::<Box<[u8]>>(&name(1), now).is_none());
        cache.keep(&name(1), &text(OCTETS / SHARDS), now, hour);
        assert!(cache.recall::<Box<[u8]>>(&name(1), now).is_none());
    }
}
