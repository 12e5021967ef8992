//! Answers kept for as long as they live, within a bound of memory.

use super::{
    Answer, Question,
    record::{AnyAnswer, Record, octets as octets_of},
};
use crate::name::Name;
use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    hash::{BuildHasher, RandomState},
    mem,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Locks, so that many threads rarely wait for one another.
const SHARDS: usize = 16;
/// Octets that an entry costs beside its name and data.
const ENTRY_OVERHEAD: usize = 160;

/// Answers expire at the end of a tick, less than one ahead of their time, so that within a tick none does.
const TICK: Duration = Duration::from_millis(250);

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
    start: Instant,
    /// How often something was forgotten, or replaced by what differs from it or expires sooner, counted from anywhere: two caches, of
    /// which one takes the place of the other, have no revision in common.
    losses: AtomicU64,
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
            start: Instant::now(),
            losses: AtomicU64::new(RandomState::new().hash_one(SHARDS)),
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
        self.put(&mut shard, question, entry);
        Some(answer)
    }

    /// Whether this is the answer that lives at `now`; where that was not asked for lately, it is not known.
    pub(crate) fn confirms(&self, question: &Question, answer: &AnyAnswer, now: Instant) -> bool {
        let Some(shard) = self.shard(question) else { return false };
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        // The old generation is left to `recall`, which keeps what is asked for.
        shard.young.get(question).is_some_and(|entry| now < entry.expires && entry.answer == *answer)
    }

    /// A number that changes before anything ceases to be confirmed: the ticks until now and the losses.
    pub(crate) fn revision(&self, now: Instant) -> Option<u64> {
        let ticks = u32::try_from(self.ticks(now)).ok()?;
        let losses = self.losses.load(Ordering::Relaxed) & u64::from(u32::MAX);
        Some(u64::from(ticks) << u32::BITS | losses)
    }

    fn ticks(&self, at: Instant) -> u128 {
        at.saturating_duration_since(self.start).as_nanos() / TICK.as_nanos()
    }

    /// Keeps an answer for `ttl`; an answer that lives no time is not kept.
    pub(crate) fn keep<T: Record>(&self, name: &Name, answer: &Answer<T>, now: Instant, ttl: Duration) {
        let octets = ENTRY_OVERHEAD + name.as_str().len() + octets_of(answer);
        let Some(expires) = self.expiry(now, ttl).filter(|_| !ttl.is_zero() && octets <= self.generation_octets) else {
            return;
        };
        let question = Question { name: name.clone(), record_type: T::TYPE };
        let entry = Entry { answer: T::into_any(answer.clone()), expires, octets };
        if let Some(shard) = self.shard(&question) {
            self.put(&mut shard.lock().unwrap_or_else(PoisonError::into_inner), question, entry);
        }
    }

    fn put(&self, shard: &mut Shard, question: Question, entry: Entry) {
        if shard.young_octets + entry.octets > self.generation_octets {
            self.losses.fetch_add(1, Ordering::Relaxed);
            shard.old = mem::take(&mut shard.young);
            shard.young_octets = 0;
        }
        shard.young_octets += entry.octets;
        match shard.young.entry(question) {
            Slot::Vacant(slot) => {
                slot.insert(entry);
            }
            Slot::Occupied(mut slot) => {
                let known = slot.get();
                if known.answer != entry.answer || known.expires > entry.expires {
                    self.losses.fetch_add(1, Ordering::Relaxed);
                }
                let replaced = slot.insert(entry);
                shard.young_octets = shard.young_octets.saturating_sub(replaced.octets);
            }
        }
    }

    /// The end of the last tick within `ttl`.
    fn expiry(&self, now: Instant, ttl: Duration) -> Option<Instant> {
        let expiry = now.checked_add(ttl)?;
        let beyond = expiry.saturating_duration_since(self.start).as_nanos() % TICK.as_nanos();
        expiry.checked_sub(Duration::from_nanos(u64::try_from(beyond).ok()?))
    }

    fn shard(&self, question: &Question) -> Option<&Mutex<Shard>> {
        let shards = u64::try_from(SHARDS).ok()?;
        self.shards.get(usize::try_from(self.hasher.hash_one(question) % shards).ok()?)
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
    fn a_revision_lasts_until_something_ceases_to_be_confirmed() {
        let (cache, now) = (Cache::new(1 << 16), Instant::now());
        let revision = |at| cache.revision(at).unwrap();
        let start = cache.start;
        let question = |number| Question { name: name(number), record_type: RecordType::Txt };
        let confirms = |number, at| cache.confirms(&question(number), &AnyAnswer::Txt(text(10)), at);
        // Within a tick nothing expires, whenever it came.
        cache.keep(&name(1), &text(10), start + TICK / 3, 4 * TICK);
        assert_eq!(revision(start + 4 * TICK - Duration::from_nanos(1)), revision(start + 3 * TICK));
        assert!(confirms(1, start + 4 * TICK - Duration::from_nanos(1)));
        assert!(!confirms(1, start + 4 * TICK));
        assert_ne!(revision(start + 4 * TICK), revision(start + 3 * TICK));
        // What is new, or the same again, takes nothing away.
        let before = revision(now);
        cache.keep(&name(2), &text(10), now, 60 * TICK);
        cache.keep(&name(2), &text(10), now, 90 * TICK);
        assert_eq!(revision(now), before);
        cache.keep(&name(2), &text(11), now, 60 * TICK);
        assert_ne!(revision(now), before);
        assert!(!confirms(2, now));
        let before = revision(now);
        cache.keep(&name(2), &text(11), now, 59 * TICK);
        assert_ne!(revision(now), before);
        assert_ne!(revision(now), Cache::new(1 << 16).revision(now).unwrap());
        // What is forgotten is a loss.
        for number in 3..1000 {
            cache.keep(&name(number), &text(10), now, 60 * TICK);
            let before = revision(now);
            assert!(confirms(number, now));
            cache.keep(&name(number + 1000), &text(200), now, 60 * TICK);
            assert!(confirms(number, now) || revision(now) != before, "{number} was forgotten unnoticed");
        }
        assert!(!confirms(3, now));
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
