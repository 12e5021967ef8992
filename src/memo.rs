//! What was read of an answer, remembered by the answer's text.
//!
//! Reading is pure: the same text always comes to the same thing, and so nothing here can go stale. How long an answer is good for is
//! the resolver's business alone.

use crate::shelf::Shelves;
use std::{collections::hash_map::RandomState, hash::BuildHasher as _, sync::Arc};

/// The texts of one answer, as resolvers hand them out.
type Texts = Arc<[Box<[u8]>]>;

/// Octets of an answer that is still remembered, and of what was read of it. An entry is an answer and what was read of it, and there
/// are 1024 by identity and 1024 by text, which are usually the same: so all that is remembered of one kind stays below 50 MB.
const MAX_OCTETS: usize = 8192;
const MAX_WEIGHT: usize = 16_384;

/// About how many octets a small block of memory takes, whatever is asked for.
pub(crate) const BLOCK: usize = 32;

/// What is read of an answer, as it takes memory.
pub(crate) trait Weight {
    /// About how many octets it takes.
    fn weight(&self) -> usize;
}

/// Remembers what was read of the answers seen last, at most 1024 of them, for any number of threads.
///
/// A lookup is first made by the identity of the answer: a resolver that keeps its answers hands out the same [`Arc`] again, which
/// cannot have changed, and then no text is looked at. After that it is made by the text. Readers do not wait for each other.
#[derive(Debug)]
pub(crate) struct Memo<T> {
    by_identity: Shelves<Entry<T>>,
    by_text: Shelves<Entry<T>>,
    hasher: RandomState,
}

/// The answer is kept beside what was read of it, so that its address stays its own.
#[derive(Debug)]
struct Entry<T> {
    texts: Texts,
    read: Arc<T>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { by_identity: Shelves::default(), by_text: Shelves::default(), hasher: RandomState::new() }
    }
}

impl<T: Weight> Memo<T> {
    /// What `read` makes of the texts, or made of them before.
    pub(crate) fn recall(&self, texts: &Texts, read: impl FnOnce(&[Box<[u8]>]) -> T) -> Arc<T> {
        self.recall_with(texts, read, Arc::clone)
    }

    /// The part of it that is wanted, without a hold on the rest.
    #[inline]
    pub(crate) fn recall_with<U>(
        &self,
        texts: &Texts,
        read: impl FnOnce(&[Box<[u8]>]) -> T,
        part: impl Fn(&Arc<T>) -> U,
    ) -> U {
        let address = texts.as_ptr() as usize;
        // Fibonacci hashing: allocations lie on round addresses, and the product's high bits depend on all of them.
        let identity = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
        let place = self.by_identity.place(identity);
        let is_it = |entry: &Entry<T>| Arc::ptr_eq(&entry.texts, texts);
        if let Some(known) = place.and_then(|place| place.find(is_it, |entry| part(&entry.read))) {
            return known;
        }
        part(&self.recall_text(texts, identity, read))
    }

    /// By the text, and by the identity the next time.
    #[cold]
    fn recall_text(&self, texts: &Texts, identity: u64, read: impl FnOnce(&[Box<[u8]>]) -> T) -> Arc<T> {
        if texts.iter().map(|text| text.len() + size_of::<Box<[u8]>>()).sum::<usize>() > MAX_OCTETS {
            return Arc::new(read(texts));
        }
        let content = self.hasher.hash_one(texts);
        let (by_text, by_identity) = (self.by_text.place(content), self.by_identity.place(identity));
        let is_it = |entry: &Entry<T>| entry.texts == *texts;
        let known = by_text.as_ref().and_then(|place| place.find(is_it, |entry| Arc::clone(&entry.read)));
        let (read, unknown_by) = known.map_or_else(|| (Arc::new(read(texts)), by_text), |known| (known, None));
        if read.weight() > MAX_WEIGHT {
            return read;
        }
        for place in unknown_by.iter().chain(&by_identity) {
            place.keep(Entry { texts: Arc::clone(texts), read: Arc::clone(&read) }, |_| false);
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::{PLACES, SHELVES};

    /// Tests say of numbers what they weigh, and all else is light.
    macro_rules! weighs {
        ($($kind:ty: $weight:expr),*) => {$(
            impl Weight for $kind {
                fn weight(&self) -> usize {
                    let weight: fn(&$kind) -> usize = $weight;
                    weight(self)
                }
            }
        )*};
    }
    weighs!(usize: |weight| *weight, Vec<u8>: |_| 0, Box<[u8]>: |_| 0, Arc<()>: |_| 0);

    fn texts(of: &[&str]) -> Texts {
        of.iter().map(|text| text.as_bytes().into()).collect()
    }

    #[test]
    fn the_same_answer_and_an_equal_one_are_read_once() {
        let memo = Memo::default();
        let first = texts(&["v=spf1", "-all"]);
        assert_eq!(*memo.recall(&first, <[_]>::len), 2);
        for again in [&first, &texts(&["v=spf1", "-all"])] {
            assert_eq!(*memo.recall(again, |_| unreachable!("read twice")), 2);
        }
    }

    #[test]
    fn other_texts_and_other_borders_between_them_are_read() {
        let memo = Memo::default();
        for (number, of) in [&["ab", "c"][..], &["a", "bc"], &["abc"], &["abc", ""], &[]].into_iter().enumerate() {
            assert_eq!(*memo.recall(&texts(of), |_| number), number);
        }
    }

    #[test]
    fn an_address_that_is_used_again_is_no_identity() {
        let memo = Memo::default();
        // Each is dropped before the next is made; the memo alone keeps those that it knows by address.
        for number in 0..10_000 {
            let answer = texts(&[&number.to_string()]);
            assert_eq!(*memo.recall(&answer, |of| of[0].to_vec()), number.to_string().into_bytes());
        }
    }

    #[test]
    fn memory_is_bounded_in_entries_and_in_their_size() {
        let memo = Memo::default();
        let value = Arc::new(());
        for number in 0..20_000 {
            memo.recall(&texts(&[&number.to_string()]), |_| Arc::clone(&value));
        }
        assert!(Arc::strong_count(&value) <= 1 + 2 * SHELVES * PLACES);
        let long = texts(&[&"x".repeat(MAX_OCTETS)]);
        let mut reads = 0;
        for _ in 0..2 {
            memo.recall(&long, |_| {
                reads += 1;
                Arc::clone(&value)
            });
        }
        assert_eq!(reads, 2);
    }

    #[test]
    fn what_takes_too_much_is_read_again() {
        for (weight, times) in [(MAX_WEIGHT, 1), (MAX_WEIGHT + 1, 2)] {
            let (memo, answer) = (Memo::default(), texts(&["v=spf1 -all"]));
            let mut reads = 0;
            for _ in 0..2 {
                memo.recall(&answer, |_| {
                    reads += 1;
                    weight
                });
            }
            assert_eq!(reads, times, "{weight}");
        }
    }

    #[test]
    fn threads_share_what_they_know() {
        let memo = Memo::default();
        let answers: Vec<Texts> = (0..300).map(|number| texts(&[&number.to_string()])).collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..20 {
                        for answer in answers.iter().skip(round) {
                            assert_eq!(*memo.recall(answer, |of| of[0].clone()), answer[0]);
                        }
                    }
                });
            }
        });
    }
}
