//! What came of something the last time, kept by its name.

use crate::shelf::{PLACES, Place, SHELVES, Shelves};
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU32, Ordering},
};

/// At most 1024 entries, for any number of threads. What is met but once, as most of the mail of strangers, is not worth the work.
#[derive(Debug)]
pub(crate) struct Precedents<T> {
    shelves: Shelves<T>,
    /// The tags of keys that were met lately, shelf by shelf, the last one first.
    met: Box<[[AtomicU32; PLACES]]>,
    /// Unknown outside, so that nobody can choose keys that share a shelf.
    seed: u64,
    multiplier: u64,
}

/// Where the entry of a key has its place.
#[derive(Debug)]
pub(crate) struct Spot<'s, T> {
    place: Place<'s, T>,
    met: &'s [AtomicU32; PLACES],
}

impl<T> Default for Precedents<T> {
    fn default() -> Self {
        Self {
            shelves: Shelves::default(),
            met: (0..SHELVES).map(|_| [const { AtomicU32::new(0) }; PLACES]).collect(),
            seed: RandomState::new().hash_one(SHELVES),
            multiplier: RandomState::new().hash_one(PLACES) | 1,
        }
    }
}

impl<T> Precedents<T> {
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
        let place = self.shelves.place(hash)?;
        Some(Spot { met: self.met.get(place.number)?, place })
    }

    /// How many shelves hold an entry.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.shelves.used()
    }
}

impl<T> Spot<'_, T> {
    /// What `take` takes of the entry that `is_it`.
    #[inline]
    pub(crate) fn find<U>(&self, is_it: impl Fn(&T) -> bool, take: impl FnOnce(&T) -> U) -> Option<U> {
        self.place.find(is_it, take)
    }

    /// Whether the key was met lately, so that an entry is worth to be made; it counts as met from now on.
    pub(crate) fn is_met_again(&self) -> bool {
        // Between threads one may overlook the other's meeting, which then counts the next time.
        let mut tag = self.place.tag;
        for met in self.met {
            let before = met.load(Ordering::Relaxed);
            met.store(tag, Ordering::Relaxed);
            tag = before;
            if before == self.place.tag {
                return true;
            }
        }
        false
    }

    /// Puts an entry in the place of the one that it supersedes, or of the oldest.
    pub(crate) fn keep(&self, entry: T, supersedes: impl Fn(&T) -> bool) {
        self.place.keep(entry, supersedes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_in_few_bits_are_told_apart() {
        let same = (0..300).filter(|_| {
            let precedents = Precedents::<()>::default();
            let place = |key| precedents.spot(key, 0).map(|spot| (spot.place.number, spot.place.tag));
            place("mail.ab0xyz0klm0.example.com") == place("mail.abpxyzpklmp.example.com")
        });
        assert_eq!(same.count(), 0);
    }

    #[test]
    fn keys_are_spread_and_kept_when_they_are_met_again() {
        let precedents = Precedents::<()>::default();
        let met = |number: u64, salt| precedents.spot(&format!("{number}.example.com"), salt).unwrap().is_met_again();
        assert!(!met(1, 0) && met(1, 0) && met(1, 0));
        assert!(!met(1, 1) && !met(2, 0));
        for number in 0..6000 {
            met(number, 0);
            assert!(met(number, 0));
            precedents.spot(&format!("{number}.example.com"), number).unwrap().keep((), |()| false);
        }
        assert_eq!(precedents.used(), SHELVES);
        // The first ones were forgotten in favour of the last.
        assert!((0..1000).filter(|number| met(*number, 0)).count() < 300);
    }
}
