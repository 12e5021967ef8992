//! Sets of addresses, as ranges of numbers.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Ranges at most: what is beyond them is left out.
const MAX_RANGES: usize = 20_000;

/// Ranges that are put into their places one by one; more are sorted.
const FEW: usize = 8;

/// Numbers from the first to the last of each range; sorted, and apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RangeSet(Vec<Range>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    first: u128,
    last: u128,
}

impl RangeSet {
    /// All numbers of so many bits.
    pub(super) fn all(bits: u32) -> Self {
        Self(vec![Range { first: 0, last: u128::MAX.checked_shr(128 - bits).unwrap_or_default() }])
    }

    /// Those that have the first bits of a number of `width` bits.
    pub(super) fn network(number: u128, length: u8, width: u32) -> Self {
        let host = width.saturating_sub(u32::from(length));
        let mask = u128::MAX.checked_shr(128 - host).unwrap_or_default();
        Self(vec![Range { first: number & !mask, last: number | mask }])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are; all of 128 bits are one fewer.
    pub(super) fn count(&self) -> u128 {
        self.0.iter().fold(0, |count: u128, range| count.saturating_add((range.last - range.first).saturating_add(1)))
    }

    pub(super) fn union(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    /// Takes the numbers of another set in.
    pub(super) fn add(&mut self, other: Self) {
        // Most often there is one range, whose place is soon found.
        if other.0.len() > FEW {
            let mut ranges = std::mem::take(&mut self.0);
            ranges.extend(other.0);
            ranges.sort_unstable();
            ranges.into_iter().for_each(|range| self.add_range(range));
        } else {
            other.0.into_iter().for_each(|range| self.add_range(range));
        }
    }

    fn add_range(&mut self, range: Range) {
        // Those that touch it become one with it.
        let start = self.0.partition_point(|other| other.last.saturating_add(1) < range.first);
        let end = self.0.partition_point(|other| other.first <= range.last.saturating_add(1));
        let touched = self.0.get(start..end).unwrap_or_default();
        let first = touched.first().map_or(range.first, |other| other.first.min(range.first));
        let last = touched.last().map_or(range.last, |other| other.last.max(range.last));
        if self.0.len() < MAX_RANGES || !touched.is_empty() {
            self.0.splice(start..end.max(start), [Range { first, last }]);
        }
    }

    /// Takes the numbers of another set out.
    pub(super) fn remove(&mut self, other: &Self) {
        if other.0.len() > FEW {
            *self = self.without(other);
            return;
        }
        for range in &other.0 {
            let start = self.0.partition_point(|ours| ours.last < range.first);
            let end = self.0.partition_point(|ours| ours.first <= range.last).max(start);
            let touched = Self(self.0.get(start..end).unwrap_or_default().to_vec());
            let left = touched.without(&Self(vec![*range]));
            self.0.splice(start..end, left.0);
        }
    }

    /// Those that are in both.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut both = Vec::new();
        // What lies before the first of the other's is in neither.
        let from = |ranges: &'_ [Range], first: Option<&Range>| {
            first.map_or(0, |first| ranges.partition_point(|range| range.last < first.first))
        };
        let ours = self.0.get(from(&self.0, other.0.first())..).unwrap_or_default();
        let theirs = other.0.get(from(&other.0, self.0.first())..).unwrap_or_default();
        let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
        while let (Some(one), Some(two)) = (ours.peek(), theirs.peek()) {
            let (first, last) = (one.first.max(two.first), one.last.min(two.last));
            if first <= last {
                both.push(Range { first, last });
            }
            if one.last < two.last {
                ours.next()
            } else {
                theirs.next()
            };
        }
        Self(both)
    }

    /// Those of this set that are not in the other.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut theirs = other.0.iter().peekable();
        for range in &self.0 {
            let mut first = Some(range.first);
            while theirs.peek().is_some_and(|gone| gone.last < range.first) {
                theirs.next();
            }
            for gone in theirs.clone().take_while(|gone| gone.first <= range.last) {
                let Some(start) = first else { break };
                if gone.first > start {
                    left.push(Range { first: start, last: gone.first - 1 });
                }
                first = gone.last.checked_add(1).filter(|next| *next <= range.last);
                if gone.last >= range.last {
                    first = None;
                }
            }
            left.extend(first.map(|first| Range { first, last: range.last }));
        }
        Self(left)
    }

    /// Whether all of this set is in the other.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.without(other).is_empty()
    }

    /// As few IPv6 networks as hold these numbers.
    pub(super) fn prefixes(&self) -> usize {
        let networks = |range: &Range| {
            ipnet::Ipv6Subnets::new(Ipv6Addr::from_bits(range.first), Ipv6Addr::from_bits(range.last), 0).count()
        };
        self.0.iter().map(networks).sum()
    }
}

/// The number of an IPv4 address.
pub(super) fn ip4(address: Ipv4Addr) -> u128 {
    address.to_bits().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[(u128, u128)]) -> RangeSet {
        let of = |(first, last): &(u128, u128)| RangeSet(vec![Range { first: *first, last: *last }]);
        ranges.iter().map(of).fold(RangeSet::default(), RangeSet::union)
    }

    #[test]
    fn sets_are_computed_as_numbers_by_themselves_would_be() {
        let sets = [
            set(&[]),
            set(&[(0, 0)]),
            set(&[(0, 9)]),
            set(&[(3, 5), (7, 8)]),
            set(&[(1, 3), (4, 4), (9, 12)]),
            set(&[(0, 1), (5, 6), (12, 15)]),
            set(&[(15, 15)]),
            // More than a few.
            set(&[(0, 0), (2, 2), (4, 4), (6, 6), (8, 8), (10, 10), (12, 12), (14, 14), (16, 16)]),
        ];
        let has = |set: &RangeSet, number| set.0.iter().any(|range| (range.first..=range.last).contains(&number));
        for one in &sets {
            for two in &sets {
                let (union, both, left) = (one.clone().union(two.clone()), one.intersection(two), one.without(two));
                let mut removed = one.clone();
                removed.remove(two);
                assert_eq!(removed, left);
                for number in 0..=17 {
                    let (in_one, in_two) = (has(one, number), has(two, number));
                    assert_eq!(has(&union, number), in_one || in_two, "{one:?} {two:?} {number}");
                    assert_eq!(has(&both, number), in_one && in_two, "{one:?} {two:?} {number}");
                    assert_eq!(has(&left, number), in_one && !in_two, "{one:?} {two:?} {number}");
                }
                assert_eq!(one.is_within(two), (0..=17).all(|number| !has(one, number) || has(two, number)));
            }
        }
    }

    #[test]
    fn networks_are_counted_without_overlaps() {
        let net = |text: &str, length| RangeSet::network(ip4(text.parse().unwrap()), length, 32);
        let two = net("192.0.2.0", 24).union(net("192.0.2.128", 25));
        assert_eq!(two.count(), 256);
        assert_eq!(RangeSet::all(32).count(), 1 << 32);
        assert_eq!(net("192.0.2.9", 0), RangeSet::all(32));
        assert_eq!(net("192.0.2.9", 32).count(), 1);
        let six = |number, length| RangeSet::network(number, length, 128);
        assert_eq!(six(0, 0), RangeSet::all(128));
        assert_eq!(six(1 << 80, 48).union(six(2 << 80, 48)).union(six(3 << 80, 48)).prefixes(), 2);
        assert_eq!(RangeSet::all(128).prefixes(), 1);
        assert_eq!(RangeSet::all(128).without(&six(0, 1)).prefixes(), 1);
    }
}
