//! What big integers are made of.
//!
//! All that is done with the limbs of a number goes through this trait. So the arithmetic above it is the same code for limbs of 64
//! bits, which compute, and for limbs of one to four bits, with which the tests go through all numbers that there are.

use std::fmt;

/// A digit of a big integer: a number below 2^[`BITS`](Self::BITS).
pub(crate) trait Limb: Copy + Ord + fmt::Debug {
    const BITS: usize;
    const ZERO: Self;

    /// The lowest bits of a number, as many as a limb has.
    fn truncated(number: u64) -> Self;

    fn value(self) -> u64;

    /// The low and the high limb of the product.
    fn product(self, other: Self) -> [Self; 2];

    /// The low and the high limb of the sum.
    fn sum(first: Self, second: Self, third: Self) -> [Self; 2];

    /// The sum of two numbers of two limbs, least significant first, as far as two limbs hold it; and whether it is larger.
    fn sum_of_pairs(first: [Self; 2], second: [Self; 2]) -> ([Self; 2], bool);

    /// With one added for each carry; the caller knows that the sum is a limb.
    fn with_carries(self, first: bool, second: bool) -> Self;

    /// What is left of it without the other and the borrow; and whether that was below zero.
    fn difference(self, other: Self, borrow: bool) -> (Self, bool);
}

impl Limb for u64 {
    const BITS: usize = 64;
    const ZERO: Self = 0;

    #[inline(always)]
    fn truncated(number: u64) -> Self {
        number
    }

    #[inline(always)]
    fn value(self) -> u64 {
        self
    }

    #[inline(always)]
    fn product(self, other: Self) -> [Self; 2] {
        halves(u128::from(self) * u128::from(other))
    }

    #[inline(always)]
    fn sum(first: Self, second: Self, third: Self) -> [Self; 2] {
        halves(u128::from(first) + u128::from(second) + u128::from(third))
    }

    #[inline(always)]
    fn sum_of_pairs(first: [Self; 2], second: [Self; 2]) -> ([Self; 2], bool) {
        let (sum, carry) = joined(first).overflowing_add(joined(second));
        (halves(sum), carry)
    }

    #[inline(always)]
    fn with_carries(self, first: bool, second: bool) -> Self {
        self + Self::from(first) + Self::from(second)
    }

    #[inline(always)]
    fn difference(self, other: Self, borrow: bool) -> (Self, bool) {
        let (partial, first) = self.overflowing_sub(other);
        let (limb, second) = partial.overflowing_sub(Self::from(borrow));
        (limb, first | second)
    }
}

/// The low and the high half; both fit, and so neither conversion leaves a trace in the compiled code.
#[inline(always)]
fn halves(wide: u128) -> [u64; 2] {
    let low = u64::try_from(wide & u128::from(u64::MAX)).unwrap_or_default();
    [low, u64::try_from(wide >> 64).unwrap_or_default()]
}

/// The opposite of [`halves`].
#[inline(always)]
fn joined([low, high]: [u64; 2]) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A limb of `B` bits, at most four.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Tiny<const B: usize>(pub(crate) u16);

    impl<const B: usize> Tiny<B> {
        const MASK: u16 = (1 << B) - 1;

        fn limb(number: u16) -> Self {
            assert!(number <= Self::MASK, "{number} is no limb");
            Self(number)
        }

        fn halves(wide: u16) -> [Self; 2] {
            [Self(wide & Self::MASK), Self::limb(wide >> B)]
        }
    }

    impl<const B: usize> Limb for Tiny<B> {
        const BITS: usize = B;
        const ZERO: Self = Self(0);

        fn truncated(number: u64) -> Self {
            Self(u16::try_from(number & u64::from(Self::MASK)).unwrap())
        }
        fn value(self) -> u64 {
            self.0.into()
        }
        fn product(self, other: Self) -> [Self; 2] {
            Self::halves(self.0 * other.0)
        }
        fn sum(first: Self, second: Self, third: Self) -> [Self; 2] {
            Self::halves(first.0 + second.0 + third.0)
        }
        fn sum_of_pairs(first: [Self; 2], second: [Self; 2]) -> ([Self; 2], bool) {
            let joined = |[low, high]: [Self; 2]| low.0 | high.0 << B;
            let sum = joined(first) + joined(second);
            (Self::halves(sum & ((1 << (2 * B)) - 1)), sum >> (2 * B) == 1)
        }
        fn with_carries(self, first: bool, second: bool) -> Self {
            Self::limb(self.0 + u16::from(first) + u16::from(second))
        }
        fn difference(self, other: Self, borrow: bool) -> (Self, bool) {
            let taken = other.0 + u16::from(borrow);
            let below = self.0 < taken;
            (Self::limb(self.0 + (u16::from(below) << B) - taken), below)
        }
    }

    /// Each operation is what it says, as numbers, for all limbs given.
    pub(crate) fn operations_hold<L: Limb>(limbs: &[L]) {
        let base = 1_u128 << L::BITS;
        let number = |limbs: &[L]| limbs.iter().rev().fold(0, |number, limb| number * base + u128::from(limb.value()));
        for &x in limbs {
            let v = u128::from(x.value());
            assert!(v < base && L::truncated(x.value()) == x);
            for &y in limbs {
                let w = u128::from(y.value());
                assert_eq!(number(&x.product(y)), v * w);
                for z in limbs {
                    assert_eq!(number(&L::sum(x, y, *z)), v + w + u128::from(z.value()));
                }
                for borrow in [false, true] {
                    let (limb, below) = x.difference(y, borrow);
                    let (plus, minus) = (v + u128::from(below) * base, w + u128::from(borrow));
                    assert_eq!(u128::from(limb.value()) + minus, plus);
                }
                for other in [[x, x], [x, y], [y, x], [L::ZERO, y], [L::truncated(u64::MAX), x]] {
                    let (sum, carry) = L::sum_of_pairs([x, y], other);
                    let (wanted, wanted_carry) = number(&[x, y]).overflowing_add(number(&other));
                    let modulus = base.checked_mul(base);
                    assert_eq!(number(&sum), modulus.map_or(wanted, |modulus| wanted % modulus));
                    assert_eq!(carry, modulus.map_or(wanted_carry, |modulus| wanted >= modulus));
                }
            }
            for (first, second) in [(false, false), (false, true), (true, false), (true, true)] {
                let sum = v + u128::from(first) + u128::from(second);
                if sum < base {
                    assert_eq!(u128::from(x.with_carries(first, second).value()), sum);
                }
            }
        }
    }

    /// For tiny limbs there are no others.
    #[test]
    fn operations_are_those_of_numbers() {
        operations_hold::<Tiny<1>>(&[0, 1].map(Tiny));
        operations_hold::<Tiny<2>>(&[0, 1, 2, 3].map(Tiny));
        operations_hold::<Tiny<4>>(&std::array::from_fn::<_, 16, _>(|limb| Tiny(u16::try_from(limb).unwrap())));
        let mut limbs: Vec<u64> = (0..64).flat_map(|bit| [1 << bit, (1 << bit) - 1, u64::MAX << bit]).collect();
        limbs.extend([0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX - 1]);
        operations_hold(&limbs);
    }
}
