//! Answers kept for as long as they live, within a bound of memory.

use super::{
    Answer, Question,
    record::{AnyAnswer, Record},
    records::BLOCK,
};
use crate::name::Name;
use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    hash::{BuildHasher, RandomState},
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Locks, so that many threads rarely wait for one another.
const SHARDS: usize = 16;
/// Octets that an entry costs beside its name and data.
const ENTRY_OVERHEAD: usize = 168;
/// Octets that an alias costs beside its name: the block of the name, and a share of the list.
const ALIAS_OVERHEAD: usize = size_of::<Name>() + 2 * BLOCK;

/// Answers by question, each until it expires; when the memory is full, those that were not asked for lately go first.
///
/// Each shard has two generations. What is new, and what is asked for, is in the young one; when that has taken up half of the
/// shard's octets it becomes the old one, and what was the old one is forgotten. What protocols read of the answers counts as well, and
/// the aliases that are told with them.
#[derive(Debug)]
pub(crate) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// Octets that one generation of one shard may take up.
    generation_octets: usize,
}

#[derive(Debug, Default)]
struct Shard {
    young: Generation,
    old: HashMap<Question, Entry>,
}

#[derive(Debug, Default)]
struct Generation {
    entries: HashMap<Question, Entry>,
    octets: usize,
    /// Octets of what was read of answers since they came into this generation.
    read: Arc<AtomicUsize>,
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
    pub(crate) fn recall(&self, question: &Question, now: Instant) -> Option<AnyAnswer> {
        let mut shard = self.shard(question)?.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = shard.young.entries.get(question) {
            return entry.answer_at(now);
        }
        let (question, Entry { answer, expires, octets }) = shard.old.remove_entry(question)?;
        let octets = octets + answer.read_octets();
        shard.make_room(octets, self.generation_octets);
        let entry = Entry { answer: answer.charged_to(&shard.young.read), expires, octets };
        let answer = entry.answer_at(now);
        // Kept also where it has expired: if the same answer comes again, what was read of it is still there.
        shard.put(question, entry);
        answer
    }

    /// Keeps an answer for this long, and gives it as it is kept: where the same answer was there before, that one, with what was read
    /// of it, and the details of the new one. An answer that lives no time is not kept.
    pub(crate) fn keep<T: Record>(&self, name: &Name, answer: Answer<T>, now: Instant, life: Duration) -> Answer<T> {
        let question = Question { name: name.clone(), record_type: T::TYPE };
        let expires = now.checked_add(life).filter(|_| !life.is_zero());
        let (Some(expires), Some(shard)) = (expires, self.shard(&question)) else { return answer };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shard.young.entries.get(&question).or_else(|| shard.old.get(&question)).map(|entry| &entry.answer);
        let answer = match before.and_then(T::from_any).filter(|before| **before == answer) {
            Some(before) => before.clone().with_details(answer.details().clone()),
            None => answer,
        };
        let octets = {
            let any = T::into_any(answer.clone());
            let aliases = any.details().aliases().iter().map(|alias| ALIAS_OVERHEAD + alias.as_str().len());
            ENTRY_OVERHEAD + name.as_str().len() + any.octets() + any.read_octets() + aliases.sum::<usize>()
        };
        if octets > self.generation_octets {
            return answer;
        }
        shard.make_room(octets, self.generation_octets);
        let answer = answer.charged_to(&shard.young.read);
        shard.put(question, Entry { answer: T::into_any(answer.clone()), expires, octets });
        answer
    }

    fn shard(&self, question: &Question) -> Option<&Mutex<Shard>> {
        let shards = u64::try_from(SHARDS).ok()?;
        self.shards.get(usize::try_from(self.hasher.hash_one(question) % shards).ok()?)
    }
}

impl Shard {
    /// Begins a new generation where `octets` more do not fit into this one. What is read of an answer is charged to the generation that
    /// it comes into, so room is made first.
    fn make_room(&mut self, octets: usize, most: usize) {
        let young = &mut self.young;
        if young.octets + young.read.load(Ordering::Relaxed) + octets > most {
            self.old = mem::take(young).entries;
        }
    }

    fn put(&mut self, question: Question, entry: Entry) {
        let young = &mut self.young;
        young.octets += entry.octets;
        match young.entries.entry(question) {
            Slot::Vacant(slot) => {
                slot.insert(entry);
            }
            Slot::Occupied(mut slot) => {
                let replaced = slot.insert(entry);
                young.octets = young.octets.saturating_sub(replaced.octets);
            }
        }
    }
}

impl Entry {
    fn answer_at(&self, now: Instant) -> Option<AnyAnswer> {
        (now < self.expires).then(|| self.answer.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Details;
    use std::net::Ipv4Addr;

    fn name(number: usize) -> Name {
        Name::parse(&format!("n{number}.example")).unwrap()
    }

    fn text(len: usize) -> Answer<Box<[u8]>> {
        Answer::Records([vec![b'x'; len].into_boxed_slice()].into())
    }

    fn recall_of<T: Record>(cache: &Cache, number: usize, now: Instant) -> Option<Answer<T>> {
        let question = Question { name: name(number), record_type: T::TYPE };
        cache.recall(&question, now).map(|answer| T::from_any(&answer).unwrap().clone())
    }

    fn recall(cache: &Cache, number: usize, now: Instant) -> Option<Answer<Box<[u8]>>> {
        recall_of(cache, number, now)
    }

    #[test]
    fn answers_live_until_their_ttl_and_zero_is_no_time() {
        let (cache, now) = (Cache::new(1 << 20), Instant::now());
        let second = Duration::from_secs(1);
        cache.keep(&name(1), text(10), now, second);
        cache.keep(&name(2), text(10), now, Duration::ZERO);
        cache.keep::<Ipv4Addr>(&name(3), Answer::NxDomain(Details::default()), now, second);
        assert_eq!(recall(&cache, 1, now + second / 2), Some(text(10)));
        assert_eq!(recall(&cache, 1, now + second), None);
        assert_eq!(recall(&cache, 2, now), None);
        assert_eq!(recall_of::<Ipv4Addr>(&cache, 3, now), Some(Answer::NxDomain(Details::default())));
        // Another type of the same name is another question.
        assert_eq!(recall(&cache, 3, now), None);
    }

    #[test]
    fn what_was_read_of_an_answer_outlives_its_ttl_where_the_same_comes_again() {
        let (cache, now, second) = (Cache::new(1 << 20), Instant::now(), Duration::from_secs(1));
        let read = |answer: &Answer<Box<[u8]>>| {
            let Answer::Records(records) = answer else { panic!("{answer:?}") };
            records.read_as(|records| Read(records.as_ptr() as usize)).0
        };
        let first = read(&cache.keep(&name(1), text(10), now, second));
        assert_eq!(recall(&cache, 1, now + second), None);
        assert_eq!(read(&cache.keep(&name(1), text(10), now + second, second)), first);
        assert_eq!(read(&recall(&cache, 1, now + second).unwrap()), first);
        let other = read(&cache.keep(&name(1), text(11), now + second, second));
        assert_ne!(other, first);
        assert_eq!(read(&recall(&cache, 1, now + second).unwrap()), other);
    }

    #[test]
    fn what_comes_again_by_another_way_is_told_anew_and_not_read_again() {
        let (cache, now, second) = (Cache::new(1 << 20), Instant::now(), Duration::from_secs(1));
        let told = |ttl: u32, alias: usize| Details::default().with_ttl(ttl).with_aliases([name(alias)]);
        read(&cache.keep(&name(1), text(10).with_details(told(60, 2)), now, second));
        for again in [told(30, 3), Details::default()] {
            cache.keep(&name(1), text(10).with_details(again.clone()), now + second, second);
            let answer = recall(&cache, 1, now + second).unwrap();
            assert_eq!(answer.details(), &again);
            let Answer::Records(records) = answer else { panic!("{answer:?}") };
            records.read_as(|_| -> Read { unreachable!("read twice") });
        }
    }

    #[test]
    fn aliases_count() {
        let octets = |aliases: usize| {
            let (cache, now) = (Cache::new(1 << 20), Instant::now());
            let details = Details::default().with_aliases((0..aliases).map(name));
            let answer = Answer::<Ipv4Addr>::NxDomain(details);
            cache.keep(&name(1), answer, now, Duration::from_secs(1));
            cache.shards.iter().map(|shard| shard.lock().unwrap().young.octets).sum::<usize>()
        };
        assert!(octets(0) > 0);
        assert_eq!(octets(9), octets(0) + 9 * (ALIAS_OVERHEAD + "n1.example".len()));
    }

    /// What was read, of a known place.
    struct Read(usize);

    impl crate::dns::Reading for Read {
        fn octets(&self) -> usize {
            10_000
        }
    }

    #[test]
    fn what_is_read_of_answers_counts() {
        let (cache, now, hour) = (Cache::new(OCTETS), Instant::now(), Duration::from_secs(3600));
        for number in 0..1_000 {
            read(&cache.keep(&name(number), text(10), now, hour));
        }
        assert_bounded(&cache);
    }

    #[test]
    fn what_is_read_of_answers_that_were_kept_long_ago_counts() {
        let (cache, now, hour) = (Cache::new(OCTETS), Instant::now(), Duration::from_secs(3600));
        for number in 0..1_000 {
            cache.keep(&name(number), text(10), now, hour);
        }
        // Now all of these are of the generation before.
        for shard in &cache.shards {
            let shard = &mut *shard.lock().unwrap();
            shard.old = mem::take(&mut shard.young).entries;
        }
        for number in 0..1_000 {
            recall(&cache, number, now).iter().for_each(read);
        }
        assert_bounded(&cache);
    }

    const OCTETS: usize = 1 << 20;

    fn read(answer: &Answer<Box<[u8]>>) {
        let Answer::Records(records) = answer else { panic!("{answer:?}") };
        records.read_as(|_| Read(0));
    }

    fn assert_bounded(cache: &Cache) {
        let held = cache.shards.iter().map(|shard| {
            let Shard { young, old } = &*shard.lock().unwrap();
            young.entries.values().chain(old.values()).map(|entry| entry.answer.read_octets()).sum::<usize>()
        });
        let held: usize = held.sum();
        // One answer more than fits may be read for each generation of each shard.
        assert!((OCTETS / 4..=OCTETS + 2 * SHARDS * 10_200).contains(&held), "{held} octets");
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        let (cache, now, hour) = (Cache::new(OCTETS), Instant::now(), Duration::from_secs(3600));
        cache.keep(&name(0), text(10), now, hour);
        for number in 1..10_000 {
            cache.keep(&name(number), text(1000), now, hour);
            assert!(recall(&cache, 0, now).is_some(), "forgotten after {number}");
        }
        let held: usize = cache
            .shards
            .iter()
            .map(|shard| {
                let shard = shard.lock().unwrap();
                assert_eq!(shard.young.octets, shard.young.entries.values().map(|entry| entry.octets).sum::<usize>());
                shard.young.entries.values().chain(shard.old.values()).map(|entry| entry.octets).sum::<usize>()
            })
            .sum();
        assert!((OCTETS / 4..=OCTETS).contains(&held), "{held} octets");
        // The last is there, the first of the many is not, and what fits in no generation never was.
        assert!(recall(&cache, 9_999, now).is_some());
        assert!(recall(&cache, 1, now).is_none());
        cache.keep(&name(1), text(OCTETS / SHARDS), now, hour);
        assert!(recall(&cache, 1, now).is_none());
    }
}
