//! The records of one answer, and what was read of them.

use super::details::Details;
use smallvec::SmallVec;
use std::{
    any::Any,
    fmt,
    ops::Deref,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The records of one answer, in its order. Cheap to clone: clones share the records, and what was read of them.
///
/// A protocol that reads an answer (an SPF record, a DMARC record, a key made ready) leaves what it read with the answer. So whoever
/// hands out the same `Records` again, as a resolver that keeps answers does, has them read once. What was read says what the records
/// say, and lives as long as they do.
///
/// ```
/// use mailverdict::dns::{Answer, Records};
/// let records = Records::from([*b"v=spf1 -all"].map(Box::<[u8]>::from));
/// let answer = Answer::Records(records);
/// assert_eq!(&*answer.records()[0], b"v=spf1 -all");
/// ```
pub struct Records<T> {
    held: Arc<Held<T>>,
    /// Not in what is held, because the same records may be reached by several names.
    details: Details,
}

/// What clones share.
pub(super) struct Held<T> {
    /// One in most answers, which then needs no memory of its own.
    records: SmallVec<[T; 1]>,
    read: OnceLock<Kept>,
    /// Where the memory that `read` takes is added up, where somebody bounds it.
    account: Option<Arc<AtomicUsize>>,
}

/// What a protocol read, and how much memory that takes.
struct Kept {
    read: Arc<dyn Any + Send + Sync>,
    octets: usize,
}

/// What can be left with the records that it was read of.
pub(crate) trait Reading: Any + Send + Sync {
    /// About how many octets of memory it takes beside its own size.
    fn octets(&self) -> usize;
}

/// Octets of a small block of memory beside what it is asked for, and half of what it is rounded up by.
pub(crate) const BLOCK: usize = 32;

impl<T> Records<T> {
    /// What the resolver tells of the answer that they are.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// The same records, and what was read of them, with other details.
    #[must_use]
    pub fn with_details(self, details: Details) -> Self {
        Self { details, ..self }
    }

    /// Records that are held already.
    pub(super) fn sharing(held: &Arc<Held<T>>, details: Details) -> Self {
        Self { held: Arc::clone(held), details }
    }

    /// What `read` makes of the records. It is made once, and again only where another protocol reads the same records, as hardly ever
    /// happens.
    #[inline]
    pub(crate) fn read_as<R: Reading>(&self, read: impl FnOnce(&[T]) -> R) -> Arc<R> {
        self.kept().unwrap_or_else(|| self.keep(read(self)))
    }

    /// What was read of the records before, if it is such a thing.
    #[inline]
    pub(crate) fn kept<R: Reading>(&self) -> Option<Arc<R>> {
        Arc::clone(&self.held.read.get()?.read).downcast().ok()
    }

    /// Leaves what was read of the records with them.
    pub(crate) fn keep<R: Reading>(&self, read: R) -> Arc<R> {
        let octets = size_of_val(&read) + read.octets() + BLOCK;
        let read = Arc::new(read);
        self.held.keep(Kept { read: Arc::clone(&read) as _, octets });
        read
    }

    /// The same records, which have the memory for what is read of them added to `account` for as long as they live. Records that are
    /// shared already stay as they are.
    #[cfg_attr(not(feature = "hickory"), allow(dead_code, reason = "the one resolver that bounds its memory"))]
    pub(crate) fn charged_to(mut self, account: &Arc<AtomicUsize>) -> Self {
        if let Some(held) = Arc::get_mut(&mut self.held).filter(|held| held.read.get().is_none()) {
            held.account = Some(Arc::clone(account));
        }
        self
    }

    /// About how many octets of memory is taken by what was read of them so far.
    #[cfg_attr(not(feature = "hickory"), allow(dead_code, reason = "the one resolver that bounds its memory"))]
    pub(crate) fn read_octets(&self) -> usize {
        self.held.read.get().map_or(0, |kept| kept.octets)
    }
}

impl<T> Held<T> {
    pub(super) fn new(records: impl IntoIterator<Item = T>) -> Self {
        let mut records = SmallVec::from_iter(records);
        records.shrink_to_fit();
        Self { records, read: OnceLock::new(), account: None }
    }

    #[cold]
    fn keep(&self, kept: Kept) {
        let octets = kept.octets;
        // Another thread may have read the same in the meantime.
        if self.read.set(kept).is_ok()
            && let Some(account) = &self.account
        {
            account.fetch_add(octets, Ordering::Relaxed);
        }
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if let (Some(kept), Some(account)) = (self.read.get(), &self.account) {
            account.fetch_sub(kept.octets, Ordering::Relaxed);
        }
    }
}

impl<T> Clone for Records<T> {
    fn clone(&self) -> Self {
        Self { held: Arc::clone(&self.held), details: self.details.clone() }
    }
}

impl<T> Deref for Records<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.held.records
    }
}

impl<T> FromIterator<T> for Records<T> {
    fn from_iter<I: IntoIterator<Item = T>>(records: I) -> Self {
        Self { held: Arc::new(Held::new(records)), details: Details::default() }
    }
}

impl<T> From<Box<[T]>> for Records<T> {
    fn from(records: Box<[T]>) -> Self {
        Self::from_iter(records)
    }
}

impl<T> From<Vec<T>> for Records<T> {
    fn from(records: Vec<T>) -> Self {
        Self::from_iter(records)
    }
}

impl<T, const N: usize> From<[T; N]> for Records<T> {
    fn from(records: [T; N]) -> Self {
        Self::from_iter(records)
    }
}

/// Whether the records are the same in the same order, whatever was read of them, and whatever details there are.
impl<T: PartialEq> PartialEq for Records<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.held, &other.held) || **self == **other
    }
}

impl<T: Eq> Eq for Records<T> {}

impl<T: fmt::Debug> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.records).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Records<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Reading for usize {
        fn octets(&self) -> usize {
            *self
        }
    }

    impl Reading for String {
        fn octets(&self) -> usize {
            0
        }
    }

    #[test]
    fn the_same_answer_is_read_once_by_the_first_protocol_and_each_time_by_another() {
        let records = Records::from([1_u8, 2, 3]);
        let read = |records: &Records<u8>| *records.read_as(<[u8]>::len);
        assert_eq!(records.kept::<usize>(), None);
        assert_eq!(read(&records), 3);
        assert_eq!(*records.clone().read_as(|_| -> usize { unreachable!("read twice") }), 3);
        for _ in 0..2 {
            assert_eq!(*records.read_as(|of| format!("{of:?}")), "[1, 2, 3]");
        }
        assert_eq!((read(&records), records.kept::<String>()), (3, None));
    }

    #[test]
    fn equal_records_are_equal_whatever_was_read_of_them_and_is_told_beside_them() {
        let [one, other] = [(); 2].map(|()| Records::from([1_u8, 2]));
        one.read_as(<[u8]>::len);
        assert_eq!(one, other);
        let other = other.with_details(Details::default().with_ttl(60));
        assert_eq!(one, other);
        assert_ne!(one.details(), other.details());
        assert_ne!(one, Records::from([2_u8, 1]));
    }

    #[test]
    fn what_was_read_stays_with_other_details() {
        let records = Records::from([1_u8, 2]);
        records.read_as(<[u8]>::len);
        let other = records.with_details(Details::default().with_ttl(60));
        assert_eq!(*other.read_as(|_| -> usize { unreachable!("read twice") }), 2);
        assert_eq!(other.clone().details().ttl(), Some(60));
    }

    #[test]
    fn what_is_read_is_charged_as_long_as_the_records_live() {
        let account = Arc::default();
        let records = Records::from([0_u8; 4]).charged_to(&account);
        let clone = records.clone();
        assert_eq!(account.load(Ordering::Relaxed), 0);
        records.read_as(|_| 1000_usize);
        let charged = account.load(Ordering::Relaxed);
        assert!((1000..1200).contains(&charged), "{charged}");
        clone.read_as(|_| -> usize { unreachable!("read twice") });
        assert_eq!(clone.read_octets(), charged);
        drop(records);
        assert_eq!(account.load(Ordering::Relaxed), charged);
        // What others hold is charged to nobody.
        assert_eq!(clone.clone().charged_to(&Arc::default()), clone);
        drop(clone);
        assert_eq!(account.load(Ordering::Relaxed), 0);
    }
}
