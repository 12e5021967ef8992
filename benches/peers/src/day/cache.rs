//! The cache of answers that both sides use: bounded in octets, with TTLs on a clock that is set by the stream.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    mem,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

/// Seconds of the virtual day.
#[derive(Default)]
pub struct Clock(AtomicU64);

impl Clock {
    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often a cache was asked, and had the answer.
#[derive(Clone, Copy, Default)]
pub struct Count {
    pub asked: u64,
    pub hits: u64,
}

impl Count {
    pub fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.hits += other.hits;
    }

    /// What came after `before`.
    pub fn since(self, before: Self) -> Self {
        Self { asked: self.asked - before.asked, hits: self.hits - before.hits }
    }
}

/// Answers by name, each until it expires; when the memory is full, those that were not asked for lately go first.
///
/// As resolvers do it whose cache is shared by threads, it is behind a lock, which nobody else wants here. There are two generations:
/// what is new, and what is asked for, is in the young one; when that has taken up half of the octets, it becomes the old one, and
/// what was the old one is forgotten.
pub struct Cache<K, V> {
    clock: Arc<Clock>,
    generation_octets: usize,
    generations: Mutex<Generations<K, V>>,
}

struct Generations<K, V> {
    young: HashMap<K, Entry<V>>,
    young_octets: usize,
    old: HashMap<K, Entry<V>>,
    count: Count,
}

struct Entry<V> {
    value: V,
    expires: u64,
    octets: usize,
}

impl<V: Clone> Entry<V> {
    fn at(&self, now: u64) -> Option<V> {
        (now < self.expires).then(|| self.value.clone())
    }
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// For answers of `octets` in all.
    pub fn new(octets: usize, clock: &Arc<Clock>) -> Self {
        let generations =
            Generations { young: HashMap::new(), young_octets: 0, old: HashMap::new(), count: Count::default() };
        Self { clock: Arc::clone(clock), generation_octets: octets / 2, generations: Mutex::new(generations) }
    }

    /// The answer that lives now.
    pub fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let now = self.clock.now();
        let mut generations = self.locked();
        generations.count.asked += 1;
        let value = match generations.young.get(name) {
            Some(entry) => entry.at(now),
            None => {
                let (key, entry) = generations.old.remove_entry(name)?;
                let value = entry.at(now);
                if value.is_some() {
                    self.put(&mut generations, key, entry);
                }
                value
            }
        };
        generations.count.hits += u64::from(value.is_some());
        value
    }

    pub fn insert(&self, name: K, value: V, octets: usize, ttl: u64) {
        let entry = Entry { value, expires: self.clock.now() + ttl, octets };
        self.put(&mut self.locked(), name, entry);
    }

    fn put(&self, generations: &mut Generations<K, V>, name: K, entry: Entry<V>) {
        if generations.young_octets + entry.octets > self.generation_octets {
            generations.old = mem::take(&mut generations.young);
            generations.young_octets = 0;
        }
        generations.young_octets += entry.octets;
        if let Some(replaced) = generations.young.insert(name, entry) {
            generations.young_octets -= replaced.octets;
        }
    }

    pub fn count(&self) -> Count {
        self.locked().count
    }

    fn locked(&self) -> MutexGuard<'_, Generations<K, V>> {
        self.generations.lock().expect("no thread panicked")
    }
}
