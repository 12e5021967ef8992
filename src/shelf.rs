//! What came of something the last time, kept by its name for any number of threads.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, PoisonError, RwLock},
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
    entries: [Option<Arc<T>>; PLACES],
    oldest: usize,
}

/// At most 1024 entries, spread by their keys.
#[derive(Debug)]
pub(crate) struct Shelves<T> {
    shelves: Box<[Shelf<T>]>,
    /// So that nobody outside can choose keys that share a shelf.
    seed: u64,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(RwLock::new(Places { entries: [const { None }; PLACES], oldest: 0 }))
    }
}

impl<T> Shelf<T> {
    /// What `part` takes of the entry that it finds something in.
    #[inline]
    pub(crate) fn find<U>(&self, part: impl FnMut(&Arc<T>) -> Option<U>) -> Option<U> {
        // A shelf is never left half changed, so a panic elsewhere does not spoil it.
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        places.entries.iter().flatten().find_map(part)
    }

    /// Puts an entry in the place of the one that it supersedes, or of the oldest.
    pub(crate) fn keep(&self, entry: Arc<T>, supersedes: impl Fn(&T) -> bool) {
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let superseded = places.entries.iter().position(|place| place.as_deref().is_some_and(&supersedes));
        let place = superseded.unwrap_or(places.oldest);
        if superseded.is_none() {
            places.oldest = (place + 1) % PLACES;
        }
        // What goes is dropped after the lock is given back.
        let replaced = places.entries.get_mut(place).and_then(|place| place.replace(entry));
        drop(places);
        drop(replaced);
    }
}

impl<T> Default for Shelves<T> {
    fn default() -> Self {
        Self { shelves: (0..SHELVES).map(|_| Shelf::default()).collect(), seed: RandomState::new().hash_one(SHELVES) }
    }
}

impl<T> Shelves<T> {
    /// Where an entry with this key stands; `salt` is the part of the key that is no text.
    #[inline]
    pub(crate) fn shelf(&self, key: &str, salt: u64) -> Option<&Shelf<T>> {
        let (words, rest) = key.as_bytes().as_chunks();
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        let rest = rest.iter().fold(0, |word, octet| word << 8 | u64::from(*octet));
        // Each step is a bijection that spreads what it is given over the upper half, which the next step folds back.
        let hash = words.chain([rest, salt]).fold(self.seed, |hash, word| {
            let spread = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            spread ^ (spread >> 32)
        });
        self.shelves.get(usize::try_from(hash % SHELVES as u64).unwrap_or_default())
    }

    /// How many shelves hold an entry.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.shelves.iter().filter(|shelf| shelf.find(|_| Some(())).is_some()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_the_superseded_before_it() {
        let shelf = Shelf::default();
        let held = |number| shelf.find(|entry: &Arc<(i32, i32)>| (entry.0 == number).then_some(entry.1));
        for number in 0..4 {
            shelf.keep(Arc::new((number, 1)), |old| old.0 == number);
        }
        shelf.keep(Arc::new((0, 2)), |old| old.0 == 0);
        assert_eq!([0, 1, 2, 3].map(held), [Some(2), Some(1), Some(1), Some(1)]);
        shelf.keep(Arc::new((4, 1)), |old| old.0 == 4);
        assert_eq!([0, 1, 2, 3, 4].map(held), [None, Some(1), Some(1), Some(1), Some(1)]);
    }

    #[test]
    fn keys_are_spread() {
        let shelves = Shelves::default();
        for number in 0..2000_u64 {
            let keep = |key: &str, salt| shelves.shelf(key, salt).unwrap().keep(Arc::new(()), |()| false);
            if number < 1000 { keep("example.com", number) } else { keep(&format!("{number}.example.com"), 0) }
        }
        assert_eq!(shelves.used(), SHELVES);
    }
}
