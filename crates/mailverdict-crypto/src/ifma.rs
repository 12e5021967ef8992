//! Products modulo an odd number by Montgomery's method, by the 52-bit products of AVX-512 (IFMA).
//!
//! What [`montgomery`](crate::montgomery) says of public values and of wrong carries holds here too, and the tests hold every width
//! against it. Numbers are limbs of 52 bits, least significant first, eight of them in a vector. `V` is the number of vectors, `R` is
//! 2^(52 L), where the `L` limbs that count are as many as make `R` at least four times the modulus: then a product of two numbers
//! below twice the modulus is below twice the modulus again, and nothing need be subtracted on the way.

use crate::{
    check::Check,
    montgomery,
    power::{Checked, Product, Products},
};
use fearless_simd::{Level, prelude::*, u64x8, x86::Avx512};
use std::arch::x86_64::{
    _mm_cvtsi128_si64, _mm512_add_epi64, _mm512_alignr_epi64, _mm512_broadcastq_epi64, _mm512_castsi512_si128,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_maskz_srli_epi64, _mm512_set_epi64, _mm512_set1_epi64,
    _mm512_setzero_si512,
};

/// Bits of a limb.
const BITS: usize = 52;
const MASK: u64 = (1 << BITS) - 1;

/// Limbs by vectors.
pub(crate) type Limbs<const V: usize> = [[u64; 8]; V];

/// An odd modulus with the constant that Montgomery reduction needs, on a processor that has the instructions.
#[derive(Clone, Debug)]
pub(crate) struct Modulus<const V: usize> {
    level: Avx512,
    limbs: Limbs<V>,
    /// `-limbs^-1` modulo 2^52.
    negated_inverse: u64,
}

/// What this processor has, unless `RUSTFLAGS="--cfg mailverdict_without_avx512"` would not have it so.
pub(crate) fn level() -> Option<Avx512> {
    Level::new().as_avx512().filter(|_| !cfg!(mailverdict_without_avx512))
}

/// A width for which there are products.
pub(crate) trait Width<const V: usize> {
    /// Limbs that count.
    const LIMBS: usize;
    /// `x * y / R` modulo the modulus; below twice the modulus if both are.
    ///
    /// Beside it the sum of the limbs of the multiple of the modulus that was added, each times its weight, which is below 2^61.
    fn product(&self, x: &Limbs<V>, y: &Limbs<V>, weights: &[u64]) -> (Limbs<V>, u128);
}

/// The product for a number of vectors.
///
/// In each step a limb of `y` is multiplied with all of `x`, and that multiple of the modulus added that makes the lowest limb vanish;
/// then all move down by a limb. The lower halves of the products are added before that, the upper halves, which belong a limb higher,
/// after it. A lane takes less than 2^54 in each of at most 80 steps, and so never overflows; carries are handed on at the end.
macro_rules! width {
    ($vectors:literal, $limbs:literal, $product:ident) => {
        fearless_simd::kernel!(
            fn $product(
                level: Avx512,
                x: &Limbs<$vectors>,
                y: &Limbs<$vectors>,
                modulus: &Limbs<$vectors>,
                negated_inverse: u64,
                weights: &[u64],
            ) -> (Limbs<$vectors>, u128) {
                let zero = _mm512_setzero_si512();
                let inverse = _mm512_set1_epi64(negated_inverse.cast_signed());
                let (mut factors, mut divisors, mut sums) = ([zero; $vectors], [zero; $vectors], [zero; $vectors]);
                for (vectors, numbers) in [(&mut factors, x), (&mut divisors, modulus)] {
                    for (vector, limbs) in vectors.iter_mut().zip(numbers) {
                        let [a, b, c, d, e, f, g, h] = limbs.map(u64::cast_signed);
                        *vector = _mm512_set_epi64(h, g, f, e, d, c, b, a);
                    }
                }
                let mut weighed = 0;
                for (&limb, &weight) in y.as_flattened().iter().zip(weights).take($limbs) {
                    let limb = _mm512_set1_epi64(limb.cast_signed());
                    for (sum, &factor) in sums.iter_mut().zip(&factors) {
                        // Not added by the same instruction: the product need not wait for the sum.
                        *sum = _mm512_add_epi64(*sum, _mm512_madd52lo_epu64(zero, factor, limb));
                    }
                    let [lowest, ..] = sums;
                    let lowest = _mm512_broadcastq_epi64(_mm512_castsi512_si128(lowest));
                    let multiple = _mm512_madd52lo_epu64(zero, lowest, inverse);
                    let digit = _mm_cvtsi128_si64(_mm512_castsi512_si128(multiple)).cast_unsigned();
                    weighed += u128::from(digit) * u128::from(weight);
                    for (sum, &divisor) in sums.iter_mut().zip(&divisors) {
                        *sum = _mm512_madd52lo_epu64(*sum, divisor, multiple);
                    }
                    let [lowest, ..] = sums;
                    let carry = _mm512_maskz_srli_epi64::<52>(1, lowest);
                    let mut above = zero;
                    for sum in sums.iter_mut().rev() {
                        let here = *sum;
                        *sum = _mm512_alignr_epi64::<1>(above, here);
                        above = here;
                    }
                    let [lowest, ..] = &mut sums;
                    *lowest = _mm512_add_epi64(*lowest, carry);
                    for ((sum, &factor), &divisor) in sums.iter_mut().zip(&factors).zip(&divisors) {
                        let high = _mm512_madd52hi_epu64(zero, factor, limb);
                        *sum = _mm512_add_epi64(*sum, _mm512_madd52hi_epu64(high, divisor, multiple));
                    }
                }
                let mut product = [[0; 8]; $vectors];
                for (limbs, sum) in product.iter_mut().zip(sums) {
                    let sum: u64x8<Avx512> = sum.simd_into(level);
                    *limbs = sum.into();
                }
                let mut carry = 0;
                for limb in product.as_flattened_mut() {
                    let sum = *limb + carry;
                    (*limb, carry) = (sum & MASK, sum >> BITS);
                }
                (product, weighed)
            }
        );

        impl Width<$vectors> for Modulus<$vectors> {
            const LIMBS: usize = $limbs;
            fn product(&self, x: &Limbs<$vectors>, y: &Limbs<$vectors>, weights: &[u64]) -> (Limbs<$vectors>, u128) {
                $product(self.level, x, y, &self.limbs, self.negated_inverse, weights)
            }
        }
    };
}

// For moduli of up to 1024, 1536, 2048, 3072 and 4096 bits.
width!(3, 20, product_of_3);
width!(4, 30, product_of_4);
width!(5, 40, product_of_5);
width!(8, 60, product_of_8);
width!(10, 79, product_of_10);

impl<const V: usize> Products for Modulus<V>
where
    Self: Width<V>,
{
    type Limb = u64;
    type Number = Limbs<V>;

    fn limbs(number: &Limbs<V>) -> &[u64] {
        number.as_flattened()
    }

    fn one() -> Limbs<V> {
        let mut one = [[0; 8]; V];
        if let [[lowest, ..], ..] = one.as_mut_slice() {
            *lowest = 1;
        }
        one
    }

    fn modulus(&self) -> &Limbs<V> {
        &self.limbs
    }

    fn bits() -> usize {
        BITS
    }

    fn r_bits() -> usize {
        BITS * Self::LIMBS
    }

    fn multiply(&self, x: &Limbs<V>, y: &Limbs<V>, check: &Check) -> Product<Limbs<V>> {
        let (number, sum) = self.product(x, y, check.multiple_weights());
        Product { number, multiple: check.multiple_of_sum(sum), subtracted: false }
    }

    fn square(&self, x: &Limbs<V>, check: &Check) -> Product<Limbs<V>> {
        self.multiply(x, x, check)
    }

    /// A product is below twice the modulus.
    fn reduced(&self, product: &Limbs<V>) -> (Limbs<V>, bool) {
        if self.is_reduced(product) { (*product, false) } else { (difference(product, &self.limbs), true) }
    }
}

impl<const V: usize> Checked<Modulus<V>, Limbs<V>>
where
    Modulus<V>: Width<V>,
{
    /// `None` where this processor does not have the instructions.
    pub(crate) fn of_limbs<const N: usize>(
        modulus: &montgomery::Modulus<u64, N>,
        r_squared: &[u64; N],
    ) -> Option<Self> {
        // At least two bits are left above the modulus.
        let () = const { assert!(BITS * Modulus::<V>::LIMBS >= 64 * N + 2 && Modulus::<V>::LIMBS <= 8 * V) };
        let level = level()?;
        let r_squared = from_limbs(&modulus.power_of_two(r_squared, 2 * Modulus::<V>::r_bits()))?;
        let negated_inverse = modulus.negated_inverse() & MASK;
        Self::new(Modulus { level, limbs: from_limbs(modulus.modulus())?, negated_inverse }, r_squared)
    }

    /// Writes `base` to the power of `2^squarings + 1`; `None` where `base` is not less than the modulus, where a product was wrong, and
    /// where `power` has no room for the modulus.
    pub(crate) fn power_octets(&self, base: &[u8], squarings: u32, power: &mut [u8]) -> Option<()> {
        write_octets(&self.power(&from_octets(base)?, squarings)?, power)
    }
}

/// Big-endian octets as limbs; `None` where they do not fit.
fn from_octets<const V: usize>(octets: &[u8]) -> Option<Limbs<V>> {
    let mut limbs = [[0; 8]; V];
    // Two limbs are thirteen octets.
    let mut from = octets.rchunks(13);
    let (pairs, _) = limbs.as_flattened_mut().as_chunks_mut::<2>();
    for (pair, chunk) in pairs.iter_mut().zip(&mut from) {
        let mut wide = [0; 16];
        wide.get_mut(16 - chunk.len()..)?.copy_from_slice(chunk);
        let wide = u128::from_be_bytes(wide);
        *pair = [wide, wide >> BITS].map(|wide| u64::try_from(wide & u128::from(MASK)).unwrap_or_default());
    }
    from.all(|chunk| chunk.iter().all(|octet| *octet == 0)).then_some(limbs)
}

/// The number in big-endian octets, as many as there are; `None` where it does not fit.
fn write_octets<const V: usize>(limbs: &Limbs<V>, octets: &mut [u8]) -> Option<()> {
    octets.fill(0);
    let mut pairs = limbs.as_flattened().as_chunks::<2>().0.iter();
    for (chunk, [low, high]) in octets.rchunks_mut(13).zip(&mut pairs) {
        let wide = (u128::from(*high) << BITS | u128::from(*low)).to_be_bytes();
        let (above, below) = wide.split_at_checked(16 - chunk.len())?;
        if above.iter().any(|octet| *octet != 0) {
            return None;
        }
        chunk.copy_from_slice(below);
    }
    pairs.all(|pair| *pair == [0, 0]).then_some(())
}

/// Limbs of 64 bits as limbs of 52.
fn from_limbs<const V: usize>(limbs: &[u64]) -> Option<Limbs<V>> {
    let octets: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    from_octets(&octets)
}

/// `x - y`, where `x` is not less.
fn difference<const V: usize>(x: &Limbs<V>, y: &Limbs<V>) -> Limbs<V> {
    let (mut difference, mut borrow) = (*x, 0);
    for (limb, &y) in difference.as_flattened_mut().iter_mut().zip(y.as_flattened()) {
        // What is below zero has its highest bit set, which stands for one more limb that is borrowed.
        let partial = limb.wrapping_sub(y).wrapping_sub(borrow);
        (*limb, borrow) = (partial & MASK, partial >> 63);
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        montgomery::tests::{Random, checked, octets_of, rounds},
        power::tests::every_wrong_product_is_found,
    };
    use rsa::BigUint;

    fn is_here() -> bool {
        let is_here = level().is_some();
        if !is_here {
            println!("SKIPPED: products by AVX-512, which this processor does not have");
        }
        is_here
    }

    fn number<const V: usize>(limbs: &Limbs<V>) -> BigUint {
        limbs.as_flattened().iter().rev().fold(BigUint::from(0_u32), |number, limb| (number << BITS) + *limb)
    }

    fn limbs<const V: usize>(number: &BigUint) -> Limbs<V> {
        from_octets(&number.to_bytes_be()).unwrap()
    }

    type Narrow<const N: usize> = Checked<montgomery::Modulus<u64, N>, [u64; N]>;

    fn both<const N: usize, const V: usize>(n: &BigUint) -> (Narrow<N>, Checked<Modulus<V>, Limbs<V>>)
    where
        Modulus<V>: Width<V>,
    {
        let narrow = checked::<N>(&n.to_bytes_be()).unwrap();
        let wide = Checked::<Modulus<V>, _>::of_limbs(narrow.products(), narrow.r_squared()).unwrap();
        (narrow, wide)
    }

    /// The power by limbs, and by vectors.
    fn agrees<const N: usize, const V: usize>(n: &BigUint, bases: &[BigUint], squarings: u32)
    where
        Modulus<V>: Width<V>,
    {
        let (narrow, wide) = both::<N, V>(n);
        for base in bases.iter().filter(|base| base.bits() <= 64 * N) {
            let octets = base.to_bytes_be();
            let (mut expected, mut power) = (vec![0; 8 * N], vec![1; 8 * N]);
            let expected = narrow.power_octets(&octets, squarings, &mut expected).map(|()| expected);
            let power = wide.power_octets(&octets, squarings, &mut power).map(|()| power);
            assert_eq!(power, expected, "n = {n:x}, s = {base:x}, e = 2^{squarings} + 1");
            assert_eq!(power.is_some(), base < n);
        }
    }

    fn agrees_on_many<const N: usize, const V: usize>(rounds: u64)
    where
        Modulus<V>: Width<V>,
    {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ N as u64);
        for round in 0..rounds {
            let length = if round % 4 == 0 { 1 + random.below(N) } else { N };
            let mut modulus = random.octets(length);
            *modulus.last_mut().unwrap() |= 1;
            let n = BigUint::from_bytes_be(&modulus);
            if n == BigUint::from(1_u32) {
                continue;
            }
            let edges = [BigUint::from(0_u32), BigUint::from(1_u32), &n - 1_u32, n.clone(), &n + 1_u32, &n >> 1];
            let below = BigUint::from_bytes_be(&random.octets(length)) % &n;
            let any = BigUint::from_bytes_be(&random.octets(length));
            let squarings = if random.below(2) == 0 { 16 } else { 1 };
            agrees::<N, V>(&n, &[edges[random.below(edges.len())].clone(), below, any], squarings);
        }
    }

    /// `MAILVERDICT_RSA_ROUNDS=1000000 cargo test --release ifma` for the long run.
    #[test]
    fn powers_agree_with_those_by_limbs_at_every_width() {
        if is_here() {
            agrees_on_many::<16, 3>(rounds(200));
            agrees_on_many::<24, 4>(rounds(60));
            agrees_on_many::<32, 5>(rounds(60));
            agrees_on_many::<48, 8>(rounds(30));
            agrees_on_many::<64, 10>(rounds(20));
        }
    }

    /// Factors of all ones, of none, and of runs of both, up to twice the modulus; moduli at both ends of the width.
    fn extremes_agree<const N: usize, const V: usize>()
    where
        Modulus<V>: Width<V>,
    {
        let one = BigUint::from(1_u32);
        let top = &one << (64 * N);
        let r = &one << (BITS * Modulus::<V>::LIMBS);
        for n in [&top - 1_u32, (&top >> 1) + 1_u32, (&top >> 1) - 1_u32, (&top >> 63) + 1_u32, BigUint::from(3_u32)] {
            let (_, wide) = both::<N, V>(&n);
            let twice = (&n << 1) - 1_u32;
            let mut factors = vec![BigUint::from(0_u32), one.clone(), n.clone(), &n - 1_u32, twice.clone()];
            for at in (0..64 * N + 1).step_by(BITS / 2) {
                factors.extend([(&one << at) - 1_u32, &one << at, &twice >> at]);
            }
            factors.retain(|factor| *factor <= twice);
            for x in &factors {
                for y in [x, &twice, &factors[factors.len() / 2]] {
                    let product = number(&wide.products().product(&limbs(x), &limbs(y), &[1; 80]).0);
                    assert!(product <= twice, "{x:x} by {y:x} modulo {n:x}");
                    assert_eq!(product * &r % &n, x * y % &n, "{x:x} by {y:x} modulo {n:x}");
                }
            }
        }
    }

    #[test]
    fn products_of_extreme_limbs_agree_at_every_width() {
        if is_here() {
            extremes_agree::<16, 3>();
            extremes_agree::<24, 4>();
            extremes_agree::<32, 5>();
            extremes_agree::<48, 8>();
            extremes_agree::<64, 10>();
        }
    }

    #[test]
    fn a_wrong_bit_in_any_limb_of_any_product_is_found() {
        fn at<const N: usize, const V: usize>()
        where
            Modulus<V>: Width<V>,
        {
            let (_, wide) = both::<N, V>(&BigUint::from_bytes_be(&[0xd5; 8].repeat(N)));
            let base = from_octets(&[0x77; 8].repeat(N)).unwrap();
            every_wrong_product_is_found(&wide, &base, Modulus::<V>::LIMBS);
        }
        if is_here() {
            at::<16, 3>();
            at::<24, 4>();
            at::<32, 5>();
            at::<48, 8>();
            at::<64, 10>();
        }
    }

    #[test]
    fn octets_are_written_where_the_number_fits() {
        let limbs: Limbs<3> = from_octets(&[0x11; 30]).unwrap();
        for (room, fits) in [(0, false), (13, false), (29, false), (30, true), (31, true), (156, true), (300, true)] {
            let mut octets = vec![0xff; room];
            assert_eq!(write_octets(&limbs, &mut octets).is_some(), fits, "{room}");
            assert!(!fits || from_octets(&octets) == Some(limbs), "{octets:02x?}");
        }
    }

    #[test]
    fn octets_that_do_not_fit_are_no_number() {
        let longest: Limbs<3> = [[MASK; 8]; 3];
        assert_eq!(from_octets::<3>(&[0xff; 156]), Some(longest));
        assert_eq!(from_octets::<3>(&[&[0; 9], &[0xff_u8; 156][..]].concat()), Some(longest));
        assert_eq!(from_octets::<3>(&[&[1], &[0xff_u8; 156][..]].concat()), None);
        assert_eq!(from_limbs::<3>(&[u64::MAX, 1]).map(|limbs| octets_of(&limbs.as_flattened()[..2])), {
            Some(octets_of(&[MASK, u64::MAX >> BITS | 1 << (64 - BITS)]))
        });
    }
}
