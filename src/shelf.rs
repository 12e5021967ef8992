//! Places for what is remembered, shared by any number of threads.

use std::sync::{PoisonError, RwLock};

/// Shelves of a collection; a power of two.
pub(crate) const SHELVES: usize = 256;
/// Places of a shelf.
pub(crate) const PLACES: usize = 4;

/// A few entries, of which the oldest makes room for the next. Readers do not wait for each other.
#[derive(Debug)]
pub(crate) struct Shelf<T>(RwLock<Places<T>>);

#[derive(Debug)]
struct Places<T> {
    /// Part of each entry's hash, so that few entries are looked at.
    tags: [u32; PLACES],
    entries: [Option<T>; PLACES],
    oldest: usize,
}

/// At most 1024 entries, spread by their hashes.
#[derive(Debug)]
pub(crate) struct Shelves<T>(Box<[Shelf<T>]>);

/// Where the entries of a hash stand: few others stand there.
#[derive(Debug)]
pub(crate) struct Place<'s, T> {
    shelf: &'s Shelf<T>,
    /// The shelf's number, from the hash's low bits.
    pub(crate) number: usize,
    /// From the hash's high bits.
    pub(crate) tag: u32,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(RwLock::new(Places { tags: [0; PLACES], entries: [const { None }; PLACES], oldest: 0 }))
    }
}

impl<T> Shelf<T> {
    /// What `take` takes of the entry with this tag that `is_it`.
    #[inline]
    pub(crate) fn find<U>(&self, tag: u32, is_it: impl Fn(&T) -> bool, take: impl FnOnce(&T) -> U) -> Option<U> {
        // A shelf is never left half changed, so a panic elsewhere does not spoil it.
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entries = places.tags.iter().zip(&places.entries).filter(|(known, _)| **known == tag);
        entries.filter_map(|(_, entry)| entry.as_ref()).find(|entry| is_it(entry)).map(take)
    }

    /// Puts an entry in the place of the one that it supersedes, or of the oldest.
    pub(crate) fn keep(&self, tag: u32, entry: T, supersedes: impl Fn(&T) -> bool) {
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let superseded = places.entries.iter().position(|place| place.as_ref().is_some_and(&supersedes));
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
        Self((0..SHELVES).map(|_| Shelf::default()).collect())
    }
}

impl<T> Shelves<T> {
    /// Where an entry with this hash stands.
    #[inline]
    pub(crate) fn place(&self, hash: u64) -> Option<Place<'_, T>> {
        let number = usize::try_from(hash % SHELVES as u64).unwrap_or_default();
        let tag = u32::try_from(hash >> 32).unwrap_or_default();
        Some(Place { shelf: self.0.get(number)?, number, tag })
    }

    /// How many shelves hold an entry.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.0.iter().filter(|shelf| shelf.0.read().unwrap().entries.iter().any(Option::is_some)).count()
    }
}

impl<T> Place<'_, T> {
    /// What `take` takes of the entry that `is_it`.
    #[inline]
    pub(crate) fn find<U>(&self, is_it: impl Fn(&T) -> bool, take: impl FnOnce(&T) -> U) -> Option<U> {
        self.shelf.find(self.tag, is_it, take)
    }

    /// Puts an entry in the place of the one that it supersedes, or of the oldest.
    pub(crate) fn keep(&self, entry: T, supersedes: impl Fn(&T) -> bool) {
        self.shelf.keep(self.tag, entry, supersedes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_the_superseded_before_it() {
        let shelf = Shelf::default();
        let held = |number| shelf.find(7, |entry: &(i32, i32)| entry.0 == number, |entry| entry.1);
        for number in 0..4 {
            shelf.keep(7, (number, 1), |old| old.0 == number);
        }
        shelf.keep(7, (0, 2), |old| old.0 == 0);
        assert_eq!([0, 1, 2, 3].map(held), [Some(2), Some(1), Some(1), Some(1)]);
        shelf.keep(7, (4, 1), |old| old.0 == 4);
        assert_eq!([0, 1, 2, 3, 4].map(held), [None, Some(1), Some(1), Some(1), Some(1)]);
        assert_eq!(shelf.find(8, |_| true, |entry| entry.1), None);
    }
}
