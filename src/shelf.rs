//! What came of something the last time, kept by its name for any number of threads.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Shelves of a collection; a power of two.
pub(crate) const SHELVES: usize = 256;
/// Places of a shelf.
const PLACES: usize = 4;

/// A few entries, of which the oldest makes room for the next. Readers do not wait for each other.
#[derive(Debug)]
pub(crate) struct Shelf<T>(RwLock<Places<T>>);

#[derive(Debug)]
struct Places<T> {
    /// Part of each entry's hash, so that few entries are looked at.
    tags: [u32; PLACES],
    entries: [Option<Arc<T>>; PLACES],
    oldest: usize,
}

/// At most 1024 entries, spread by their keys. What is met but once, as most of the mail of strangers, is not worth the work.
#[derive(Debug)]
pub(crate) struct Shelves<T> {
    shelves: Box<[Shelf<T>]>,
    /// The tags of keys that were met lately, shelf by shelf, the last one first.
    met: Box<[[AtomicU32; PLACES]]>,
    /// Unknown outside, so that nobody can choose keys that share a shelf.
    seed: u64,
    multiplier: u64,
}

/// Where the entry of a key has its place.
#[derive(Debug)]
pub(crate) struct Spot<'s, T> {
    shelf: &'s Shelf<T>,
    tag: u32,
    met: &'s [AtomicU32; PLACES],
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(RwLock::new(Places { tags: [0; PLACES], entries: [const { None }; PLACES], oldest: 0 }))
    }
}

impl<T> Shelf<T> {
    /// The entry with this tag that `is_it`. The shelf is free again when it is given out.
    #[inline]
    pub(crate) fn find(&self, tag: u32, is_it: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        // A shelf is never left half changed, so a panic elsewhere does not spoil it.
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entries = places.tags.iter().zip(&places.entries).filter(|(known, _)| **known == tag);
        entries.filter_map(|(_, entry)| entry.as_ref()).find(|entry| is_it(entry)).cloned()
    }

    /// Puts an entry in the place of the one that it supersedes, or of the oldest.
    pub(crate) fn keep(&self, tag: u32, entry: Arc<T>, supersedes: impl Fn(&T) -> bool) {
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let superseded = places.entries.iter().position(|place| place.as_deref().is_some_and(&supersedes));
        let place = superseded.unwrap_or(places.oldest);
        if superseded.is_none() {
            places.oldest = (place + 1) % PLACES;
        }
        if let Some(known) = places.tags.get_mut(place) {
            *known = tag;
        }
        // What goes is dropped after the lock is given back.
        let replaced = places.entries.get_mut(place).and_then(|place| place.replace(entry));
        drop(places);
        drop(replaced);
    }
}

impl<T> Default for Shelves<T> {
    fn default() -> Self {
        Self {
            shelves: (0..SHELVES).map(|_| Shelf::default()).collect(),
            met: (0..SHELVES).map(|_| [const { AtomicU32::new(0) }; PLACES]).collect(),
            seed: RandomState::new().hash_one(SHELVES),
            multiplier: RandomState::new().hash_one(PLACES) | 1,
        }
    }
}

impl<T> Shelves<T> {
    /// Where an entry with this key stands; `salt` is the part of the key that is no text.
    #[inline]
    pub(crate) fn spot(&self, key: &str, salt: u64) -> Option<Spot<'_, T>> {
        let (words, rest) = key.as_bytes().as_chunks();
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        let rest = rest.iter().fold(0, |word, octet| word << 8 | u64::from(*octet));
        // Both halves of a product by a number that nobody knows: each bit of it depends on all bits of the key.
        let hash = words.chain([rest, salt]).fold(self.seed, |hash, word| {
            let product = u128::from(hash ^ word) * u128::from(self.multiplier);
            u64::try_from((product ^ product >> 64) & u128::from(u64::MAX)).unwrap_or_default()
        });
        let place = usize::try_from(hash % SHELVES as u64).unwrap_or_default();
        let tag = u32::try_from(hash >> 32).unwrap_or_default();
        Some(Spot { shelf: self.shelves.get(place)?, tag, met: self.met.get(place)? })
    }

    /// How many shelves hold an entry.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.shelves.iter().filter(|shelf| shelf.0.read().unwrap().entries.iter().any(Option::is_some)).count()
    }
}

impl<T> Spot<'_, T> {
    /// The entry that `is_it`.
    #[inline]
    pub(crate) fn find(&self, is_it: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        self.shelf.find(self.tag, is_it)
    }

    /// Whether the key was met lately, so that an entry is worth to be made; it counts as met from now on.
    pub(crate) fn is_met_again(&self) -> bool {
        // Between threads one may overlook the other's meeting, which then counts the next time.
        let mut tag = self.tag;
        for met in self.met {
            let before = met.load(Ordering::Relaxed);
            met.store(tag, Ordering::Relaxed);
            tag = before;
            if before == self.tag {
                return true;
            }
        }
        false
    }

    /// Puts an entry in the place of the one that it supersedes, or of the oldest.
    pub(crate) fn keep(&self, entry: Arc<T>, supersedes: impl Fn(&T) -> bool) {
        self.shelf.keep(self.tag, entry, supersedes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_the_superseded_before_it() {
        let shelf = Shelf::default();
        let held = |number| shelf.find(7, |entry: &(i32, i32)| entry.0 == number).map(|entry| entry.1);
        for number in 0..4 {
            shelf.keep(7, Arc::new((number, 1)), |old| old.0 == number);
        }
        shelf.keep(7, Arc::new((0, 2)), |old| old.0 == 0);
        assert_eq!([0, 1, 2, 3].map(held), [Some(2), Some(1), Some(1), Some(1)]);
        shelf.keep(7, Arc::new((4, 1)), |old| old.0 == 4);
        assert_eq!([0, 1, 2, 3, 4].map(held), [None, Some(1), Some(1), Some(1), Some(1)]);
        assert_eq!(shelf.find(8, |_| true), None);
    }

    #[test]
    fn keys_that_differ_in_few_bits_are_told_apart() {
        let same = (0..300).filter(|_| {
            let shelves = Shelves::<()>::default();
            let place = |key| shelves.spot(key, 0).map(|spot| (spot.tag, std::ptr::from_ref(spot.met)));
            place("mail.ab0xyz0klm0.example.com") == place("mail.abpxyzpklmp.example.com")
        });
        assert_eq!(same.count(), 0);
    }

    #[test]
    fn keys_are_spread_and_kept_when_they_are_met_again() {
        let shelves = Shelves::<()>::default();
        let met = |number: u64, salt| shelves.spot(&format!("{number}.example.com"), salt).unwrap().is_met_again();
        assert!(!met(1, 0) && met(1, 0) && met(1, 0));
        assert!(!met(1, 1) && !met(2, 0));
        for number in 0..6000 {
            met(number, 0);
            assert!(met(number, 0));
            shelves.spot(&format!("{number}.example.com"), number).unwrap().keep(Arc::new(()), |()| false);
        }
        assert_eq!(shelves.used(), SHELVES);
        // The first ones were forgotten in favour of the last.
        assert!((0..1000).filter(|number| met(*number, 0)).count() < 300);
    }
}
