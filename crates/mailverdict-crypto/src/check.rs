//! A check of Montgomery products: as integers, modulo a random prime.
//!
//! A product of `x` and `y` comes with the multiple of the modulus that was added to it, and with whether the modulus was subtracted:
//! `x y + multiple modulus = (product + subtracted modulus) R`, exactly. The same must hold modulo any prime, and there it costs few
//! multiplications. Where it does not hold as integers, both sides differ by a number that few primes divide: one of 8,400 bits by 140
//! of 61 bits at most, of which there are 2^54. So a wrong carry is found, unless somebody knows the prime and makes a multiple of it.
//!
//! Therefore the prime is chosen at random, once for each process, by what the standard library keys its hash maps with: the randomness
//! of the operating system. So those who make signatures cannot know it: no verdict depends on it as long as nothing is computed
//! wrong, and nothing shows it, `Debug` neither. Where the standard library has no randomness (wasm32-unknown-unknown) the
//! prime may be the same each time: then the check still finds faults that nobody aimed at it.
//!
//! Residues are kept with a factor: that of `x` is `x A` modulo the prime, with `A = 2^64 / R`. A sum of products of 64 bits is
//! reduced as Montgomery has it, which divides by 2^64, and with that factor the division by `R` is paid for at once.

use crate::limb::Limb;
use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

/// The prime of this process.
static PRIME: LazyLock<Prime> = LazyLock::new(Prime::random);

/// What products modulo one modulus are checked by.
#[derive(Clone)]
pub(crate) struct Check {
    prime: Prime,
    /// What each limb of a number counts in its residue, times 2^128.
    weights: Box<[u64]>,
    /// What each limb of a multiple of the modulus counts in the sum, times 2^64.
    multiple_weights: Box<[u64]>,
    /// The residue of the modulus.
    modulus: u64,
}

/// What the multiple of the modulus that was added counts in a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Multiple(u128);

/// The prime shall not be known, and all the rest tells it.
impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").finish_non_exhaustive()
    }
}

impl Check {
    /// For a modulus in limbs of `bits` bits, and products that are divided by `R`, which is 2^`r_bits`.
    pub(crate) fn new<L: Limb>(modulus: &[L], bits: usize, r_bits: usize) -> Self {
        Self::by(*PRIME, modulus, bits, r_bits)
    }

    fn by<L: Limb>(prime: Prime, modulus: &[L], bits: usize, r_bits: usize) -> Self {
        let step = prime.remainder(u128::from(prime.two_to_64) << bits);
        let lowest = prime.reduced(u128::from(prime.two_to_192) * u128::from(prime.two_to_64_less(r_bits)));
        let weights = std::iter::successors(Some(lowest), |weight| Some(prime.product(*weight, step)));
        let mut check = Self {
            prime,
            weights: weights.take(modulus.len()).collect(),
            multiple_weights: Box::default(),
            modulus: 0,
        };
        check.modulus = check.residue(modulus);
        check.multiple_weights = check.weights.iter().map(|weight| prime.product(*weight, check.modulus)).collect();
        check
    }

    /// Of a number with as many limbs as the modulus.
    pub(crate) fn residue<L: Limb>(&self, limbs: &[L]) -> u64 {
        self.prime.reduced(self.prime.sum(limbs, &self.weights))
    }

    /// What a multiple of the modulus counts in a product, by the limbs of its factor.
    #[inline(always)]
    pub(crate) fn multiple<L: Limb>(&self, limbs: &[L]) -> Multiple {
        Multiple(self.prime.sum(limbs, &self.multiple_weights))
    }

    /// What each limb counts in [`Check::multiple`], for those who sum up by themselves, …
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn multiple_weights(&self) -> &[u64] {
        &self.multiple_weights
    }

    /// … and the same of their sum.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn multiple_of_sum(&self, sum: u128) -> Multiple {
        Multiple(self.prime.reduced(sum).into())
    }

    /// What the residue of the product must be, from those of the factors.
    #[inline(always)]
    pub(crate) fn product(&self, x: u64, y: u64, multiple: Multiple, subtracted: bool) -> u64 {
        self.less(self.prime.reduced(u128::from(x) * u128::from(y) + multiple.0), subtracted)
    }

    /// What is left of the residue where the modulus was subtracted.
    pub(crate) fn less(&self, residue: u64, subtracted: bool) -> u64 {
        let taken = if subtracted { self.modulus } else { 0 };
        if residue < taken { residue + self.prime.modulus - taken } else { residue - taken }
    }
}

/// A prime between 2^60 and 2^61, with what reduction needs.
#[derive(Clone, Copy)]
struct Prime {
    modulus: u64,
    /// Modulo 2^64.
    inverse: u64,
    /// 2^63 modulo the prime, and so on.
    two_to_63: u64,
    two_to_64: u64,
    two_to_192: u64,
}

impl Prime {
    fn random() -> Self {
        let random = RandomState::new();
        let mut candidates = (0_u64..).map(|count| random.hash_one(count) >> 3 | 1 << 60 | 1);
        // About one in twenty of them is prime; the last word stands for the end of a search that has none.
        Self::new(candidates.find(|candidate| is_prime(*candidate)).unwrap_or((1 << 61) - 1))
    }

    /// `modulus` is odd, between 2^60 and 2^61, and prime.
    fn new(modulus: u64) -> Self {
        let mut inverse = modulus;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(modulus.wrapping_mul(inverse)));
        }
        let mut prime = Self { modulus, inverse, two_to_63: 0, two_to_64: 0, two_to_192: 0 };
        prime.two_to_63 = prime.remainder(1 << 63);
        prime.two_to_64 = prime.remainder(1 << 64);
        let two_to_128 = prime.remainder(u128::from(prime.two_to_64).pow(2));
        prime.two_to_192 = prime.remainder(u128::from(prime.two_to_64) * u128::from(two_to_128));
        prime
    }

    /// By division, where time does not count.
    fn remainder(&self, wide: u128) -> u64 {
        u64::try_from(wide % u128::from(self.modulus)).unwrap_or_default()
    }

    /// `wide / 2^64` modulo the prime: less than it if `wide / 2^64` is, and less than 2^64 if not.
    #[inline(always)]
    fn reduced(&self, wide: u128) -> u64 {
        let halves = |wide: u128| {
            (
                u64::try_from(wide & u128::from(u64::MAX)).unwrap_or_default(),
                u64::try_from(wide >> 64).unwrap_or_default(),
            )
        };
        let (low, high) = halves(wide);
        // This multiple of the prime has the same lower half; what is left is the difference of the upper ones.
        let (_, taken) = halves(u128::from(low.wrapping_mul(self.inverse)) * u128::from(self.modulus));
        if high < taken { high + self.modulus - taken } else { high - taken }
    }

    /// `x y / 2^64` modulo the prime, where one of them is less than it.
    fn product(&self, x: u64, y: u64) -> u64 {
        self.reduced(u128::from(x) * u128::from(y))
    }

    /// The sum of the limbs times their weights, over 2^64; less than 2^64 for each eight of them.
    #[inline(always)]
    fn sum<L: Limb>(&self, limbs: &[L], weights: &[u64]) -> u128 {
        let ((limbs, last_limbs), (weights, last_weights)) = (limbs.as_chunks::<8>(), weights.as_chunks::<8>());
        let mut sum = u128::from(self.sum_of_eight(last_limbs, last_weights));
        for (limbs, weights) in limbs.iter().zip(weights) {
            sum += u128::from(self.sum_of_eight(limbs, weights));
        }
        sum
    }

    /// [`Prime::sum`] of at most eight: eight times 2^64 times 2^61 is what 128 bits hold.
    #[inline(always)]
    fn sum_of_eight<L: Limb>(&self, limbs: &[L], weights: &[u64]) -> u64 {
        let mut sum = 0;
        for (limb, weight) in limbs.iter().zip(weights) {
            sum += u128::from(limb.value()) * u128::from(*weight);
        }
        self.reduced(sum)
    }

    /// 2^(64 - less) modulo the prime, by squaring.
    fn two_to_64_less(&self, less: usize) -> u64 {
        let mut power = self.two_to_64;
        for bit in (0..usize::BITS - less.leading_zeros()).rev() {
            power = self.product(power, power);
            if less >> bit & 1 == 1 {
                power = self.product(power, self.two_to_63);
            }
        }
        power
    }
}

/// By the test of Miller and Rabin, which decides with these bases for all numbers below 2^64 (J. Sorenson and J. Webster, "Strong
/// pseudoprimes to twelve prime bases", 2015).
fn is_prime(number: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if number < 2 {
        return false;
    }
    if let Some(divisor) = BASES.iter().find(|base| number.is_multiple_of(**base)) {
        return number == *divisor;
    }
    let times = |x: u64, y: u64| u64::try_from(u128::from(x) * u128::from(y) % u128::from(number)).unwrap_or_default();
    let twos = (number - 1).trailing_zeros();
    let odd = (number - 1) >> twos;
    BASES.iter().all(|base| {
        let mut power = 1;
        for bit in (0..u64::BITS - odd.leading_zeros()).rev() {
            power = times(power, power);
            if odd >> bit & 1 == 1 {
                power = times(power, *base);
            }
        }
        let mut squares = std::iter::successors(Some(power), |power| Some(times(*power, *power)));
        power == 1 || squares.by_ref().take(twos.try_into().unwrap_or_default()).any(|square| square == number - 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::BigUint;

    impl Multiple {
        /// As it were if that limb were one more.
        pub(crate) fn with_one_more(self, limb: usize, check: &Check) -> Self {
            Self(self.0 + u128::from(check.prime.reduced(check.multiple_weights[limb].into())))
        }
    }

    #[test]
    fn primes_are_told_from_other_numbers() {
        let by_division =
            |number: u64| number > 1 && (2..).take_while(|d| d * d <= number).all(|d| !number.is_multiple_of(d));
        for number in 0..50_000 {
            assert_eq!(is_prime(number), by_division(number), "{number}");
        }
        // The largest primes below 2^61 and 2^64; a square of a prime, products of two; strong pseudoprimes to the first bases.
        for prime in [(1 << 61) - 1, 0xffff_ffff_ffff_ffc5, (1 << 60) + 33] {
            assert!(is_prime(prime), "{prime}");
        }
        let composites = [
            (1_u64 << 61) + 1,
            4_294_967_291 * 4_294_967_291,
            4_294_967_291 * 4_294_967_279,
            3_215_031_751,
            3_474_749_660_383,
            341_550_071_728_321,
            3_825_123_056_546_413_051,
        ];
        for number in composites {
            assert!(!is_prime(number), "{number}");
        }
    }

    #[test]
    fn primes_are_random_and_of_61_bits() {
        let primes: std::collections::BTreeSet<u64> = (0..50).map(|_| Prime::random().modulus).collect();
        assert_eq!(primes.len(), 50, "no prime comes twice");
        for prime in primes {
            assert!(is_prime(prime) && prime >> 60 == 1, "{prime}");
        }
        assert_eq!(format!("{:?}", Check::new(&[3_u64, 0, 0, 0], 64, 256)), "Check { .. }");
    }

    #[test]
    fn reduction_divides_by_2_to_the_64() {
        for prime in [Prime::new((1 << 61) - 1), Prime::new((1 << 60) + 33), Prime::random()] {
            let p = u128::from(prime.modulus);
            assert_eq!(prime.modulus.wrapping_mul(prime.inverse), 1);
            for high in [0, 1, 2, prime.modulus - 1, prime.modulus, 1 << 63, u64::MAX] {
                for low in [0, 1, prime.modulus, u64::MAX - 1, u64::MAX] {
                    let wide = u128::from(high) << 64 | u128::from(low);
                    let reduced = prime.reduced(wide);
                    assert_eq!(
                        prime.remainder(u128::from(reduced) * u128::from(prime.two_to_64)),
                        prime.remainder(wide)
                    );
                    assert!(reduced < prime.modulus || high >= prime.modulus, "{reduced}");
                }
            }
            for (value, power) in [(prime.two_to_63, 63_u32), (prime.two_to_64, 64), (prime.two_to_192, 192)] {
                assert_eq!(BigUint::from(value), (BigUint::from(1_u8) << power as usize) % p);
            }
            for less in [0, 1, 7, 64, 1024, 4108] {
                let doubled = BigUint::from(prime.two_to_64_less(less)) << less;
                assert_eq!(doubled % p, BigUint::from(prime.two_to_64), "{less}");
            }
        }
    }

    /// Eight limbs and weights at their largest are what a sum holds, and tests run with its overflow checked.
    #[test]
    fn the_largest_limbs_do_not_overflow() {
        let prime = Prime::new((1 << 61) - 1);
        let weights = [prime.modulus - 1; 80];
        assert!(prime.sum(&[u64::MAX; 80], &weights) < 10 << 64);
        let check =
            Check { prime, weights: weights.into(), multiple_weights: weights.into(), modulus: prime.modulus - 1 };
        let most = prime.modulus - 1;
        let sum = (0..80).map(|_| u128::from(u64::MAX >> 12) * u128::from(most)).sum();
        for subtracted in [false, true] {
            for multiple in [check.multiple(&[u64::MAX; 80]), check.multiple_of_sum(sum)] {
                assert!(check.product(most, most, multiple, subtracted) <= most);
            }
            assert!(check.less(0, subtracted) <= most && check.less(most, subtracted) <= most);
        }
        assert!(check.residue(&[u64::MAX; 80]) <= most);
    }

    /// Residues are those of the number times 2^64 over R, whatever the limbs.
    #[test]
    fn residues_are_those_of_numbers() {
        for (bits, count) in [(64, 4), (64, 32), (52, 24), (52, 80), (3, 6)] {
            let prime = Prime::random();
            let mask = u64::MAX >> (64 - bits);
            let modulus: Vec<u64> =
                (1..=count).map(|limb: u64| limb.wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask | 1).collect();
            let r_bits = bits * modulus.len();
            let check = Check::by(prime, &modulus, bits, r_bits);
            for number in [modulus.clone(), vec![mask; modulus.len()], vec![0; modulus.len()]] {
                let value = number.iter().rev().fold(BigUint::from(0_u8), |value, limb| (value << bits) + *limb);
                let residue = BigUint::from(check.residue(&number));
                assert!(residue < BigUint::from(prime.modulus));
                assert_eq!((residue << r_bits) % prime.modulus, (value << 64) % prime.modulus, "{bits} {count}");
            }
        }
    }
}
