//! Products modulo an odd number by Montgomery's method, by the 52-bit products of AVX-512 (IFMA).
//!
//! What [`montgomery`](crate::montgomery) says of public values and of wrong carries holds here too. The tests hold every width against
//! it, and against a plain model of the same steps that they run through all numbers of tiny limbs. Numbers are limbs of 52 bits, least significant first, eight of them in a vector. `V` is the number of vectors, `R` is
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
mod tests;
