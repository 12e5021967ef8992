//! Products modulo an odd number by Montgomery's method, in limbs.
//!
//! Everything here is public (modulus, exponent, signature), so time may depend on the values. A wrong carry would be a wrong
//! verdict: the tests go through all numbers of tiny limbs, hold every width against another implementation, and every product is
//! checked where it is used ([`check`](crate::check)).
//!
//! Numbers are limbs, least significant first. A row of a product, or of a reduction (P. Montgomery, "Modular multiplication without
//! trial division", 1985), is added two columns at a time: two carries for two products, not four.

use crate::{
    check::Check,
    limb::Limb,
    power::{Checked, Product, Products},
};

/// An odd modulus of at most `N` limbs with the constant that Montgomery reduction needs; `R` is 2^(`L::BITS` N).
#[derive(Clone, Debug)]
pub(crate) struct Modulus<L, const N: usize> {
    limbs: [L; N],
    negated_inverse: L,
}

impl<L: Limb, const N: usize> Modulus<L, N> {
    /// `N` is even and at least 4.
    const WIDTH: () = assert!(N >= 4 && N.is_multiple_of(2));

    /// `None` for a number that is even or less than 3.
    pub(crate) fn new(limbs: [L; N]) -> Option<Self> {
        let () = Self::WIDTH;
        let lowest = limbs.first()?.value();
        if lowest % 2 == 0 || bit_length(&limbs) < 2 {
            return None;
        }
        // Newton's iteration: each step doubles the bits that are right, and the first has three. The lowest 64 serve any limb.
        let mut inverse = lowest;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(lowest.wrapping_mul(inverse)));
        }
        Some(Self { limbs, negated_inverse: L::truncated(inverse.wrapping_neg()) })
    }

    /// `-limbs^-1` modulo the base of the limbs.
    #[cfg(any(test, target_arch = "x86_64"))]
    pub(crate) fn negated_inverse(&self) -> L {
        self.negated_inverse
    }

    /// `R R` modulo the modulus, less than `R` but not always less than the modulus.
    pub(crate) fn r_squared(&self) -> Option<[L; N]> {
        // From the highest power of two below the modulus by doubling to R times the base, which stands for the base in Montgomery form.
        let mut power = [L::ZERO; N];
        let top_bit = bit_length(&self.limbs).checked_sub(1)?;
        *power.get_mut(top_bit / L::BITS)? = L::truncated(1 << (top_bit % L::BITS));
        for _ in top_bit..L::BITS * (N + 1) {
            self.double(&mut power);
        }
        // Its N-th power stands for R: square and multiply, from the second highest bit of N down.
        let mut result = power;
        for bit in (0..usize::BITS - 1 - N.leading_zeros()).rev() {
            result = self.square_of(&result, |_| ()).number;
            if N >> bit & 1 == 1 {
                result = self.product(&result, &power, |_| ()).number;
            }
        }
        Some(result)
    }

    /// 2 to the power of `exponent`, which is not less than that of `R R`, modulo the modulus.
    #[cfg(any(test, target_arch = "x86_64"))]
    pub(crate) fn power_of_two(&self, r_squared: &[L; N], exponent: usize) -> [L; N] {
        // Both products are less than the modulus, for one of their factors is.
        let r = self.product(r_squared, &Self::one(), |_| ()).number;
        let mut power = self.product(r_squared, &r, |_| ()).number;
        for _ in 2 * L::BITS * N..exponent {
            self.double(&mut power);
        }
        power
    }

    /// Twice the number, which is less than the modulus and stays so.
    fn double(&self, number: &mut [L; N]) {
        let mut carry = L::ZERO;
        for limb in number.iter_mut() {
            [*limb, carry] = L::sum(*limb, *limb, carry);
        }
        (*number, _) = self.subtract_once(number, carry);
    }

    /// `number` and `top` above it, less the modulus where it is not less than that; and whether it was subtracted.
    #[inline(always)]
    fn subtract_once(&self, number: &[L; N], top: L) -> ([L; N], bool) {
        let mut difference = [L::ZERO; N];
        let mut borrow = false;
        for ((to, &x), &y) in difference.iter_mut().zip(number).zip(&self.limbs) {
            (*to, borrow) = x.difference(y, borrow);
        }
        if top > L::ZERO || !borrow { (difference, true) } else { (*number, false) }
    }

    /// `x y / R`, less than the modulus if one of the factors is. The multiple of the modulus that was added is handed on.
    fn product<M>(&self, x: &[L; N], y: &[L; N], multiple: impl FnOnce(&[L; N]) -> M) -> Product<[L; N], M> {
        let mut product = [[L::ZERO; N]; 2];
        let wide = product.as_flattened_mut();
        for (start, &limb) in y.iter().enumerate().filter(|(_, limb)| **limb > L::ZERO) {
            let Some(([end, ..], row)) = split_row(wide, start, N) else { break };
            *end = add_row(row, x, limb, L::ZERO);
        }
        let top = self.reduce(&mut product);
        let [added, high] = product;
        let (number, subtracted) = self.subtract_once(&high, top);
        Product { number, multiple: multiple(&added), subtracted }
    }

    /// `x x / R`, less than `R` but not always less than the modulus.
    ///
    /// The square is less than `R * R`, the multiple of the modulus that the reduction adds is less than `R` times the modulus:
    /// their sum over `R` is less than `R` once the modulus is subtracted where `R` was reached.
    fn square_of<M>(&self, x: &[L; N], multiple: impl FnOnce(&[L; N]) -> M) -> Product<[L; N], M> {
        let mut product = [[L::ZERO; N]; 2];
        let wide = product.as_flattened_mut();
        // Each product of two different limbs once, …
        for (pair, limbs) in x.chunks_exact(2).enumerate() {
            let &[low, high] = limbs else { break };
            let tail = x.get(2 * pair + 2..).unwrap_or_default();
            // low * high, then both with each limb after them
            let [product_low, product_high] = low.product(high);
            let Some([column, carry]) = wide.get(4 * pair + 1).map(|column| L::sum(*column, product_low, L::ZERO))
            else {
                break;
            };
            let [carry, _] = L::sum(product_high, carry, L::ZERO);
            let Some((after, [.., first])) = split_row(wide, 4 * pair + 1, 1) else { break };
            *first = column;
            let Some(([end, ..], row)) = split_row(after, 0, tail.len()) else { break };
            *end = add_row(row, tail, low, carry);
            let Some(([end, ..], row)) = split_row(after, 1, tail.len()) else { break };
            *end = add_row(row, tail, high, L::ZERO);
        }
        // … doubled, and the squares of the limbs added.
        let (mut shifted_out, mut carry) = (L::ZERO, L::ZERO);
        for (columns, &limb) in wide.chunks_exact_mut(2).zip(x) {
            let [low, high] = columns else { break };
            let [square_low, square_high] = limb.product(limb);
            let (doubled_low, doubled_high, inner);
            [doubled_low, shifted_out] = L::sum(*low, *low, shifted_out);
            [doubled_high, shifted_out] = L::sum(*high, *high, shifted_out);
            [*low, inner] = L::sum(doubled_low, square_low, carry);
            [*high, carry] = L::sum(doubled_high, square_high, inner);
        }
        let top = self.reduce(&mut product);
        let [added, high] = product;
        let (number, subtracted) = if top > L::ZERO { self.subtract_once(&high, top) } else { (high, false) };
        Product { number, multiple: multiple(&added), subtracted }
    }

    /// Adds the multiple of the modulus that makes the lower half vanish, and keeps that multiple there; the upper half and the limb
    /// returned are `product / R`, less than the modulus plus the upper half before.
    #[inline(always)]
    fn reduce(&self, product: &mut [[L; N]; 2]) -> L {
        let wide = product.as_flattened_mut();
        let mut top = L::ZERO;
        for start in 0..N {
            let Some(([end, ..], row)) = split_row(wide, start, N) else { break };
            let [lowest, ..] = &*row else { break };
            let [multiple, _] = lowest.product(self.negated_inverse);
            let carry = add_row(row, &self.limbs, multiple, L::ZERO);
            [*end, top] = L::sum(*end, carry, top);
            if let [vanished, ..] = row {
                *vanished = multiple;
            }
        }
        top
    }
}

impl<L: Limb, const N: usize> Products for Modulus<L, N> {
    type Limb = L;
    type Number = [L; N];

    fn limbs(number: &[L; N]) -> &[L] {
        number
    }

    fn one() -> [L; N] {
        let mut one = [L::ZERO; N];
        if let [lowest, ..] = one.as_mut_slice() {
            *lowest = L::truncated(1);
        }
        one
    }

    fn modulus(&self) -> &[L; N] {
        &self.limbs
    }

    fn bits() -> usize {
        L::BITS
    }

    fn r_bits() -> usize {
        L::BITS * N
    }

    fn multiply(&self, x: &[L; N], y: &[L; N], check: &Check) -> Product<[L; N]> {
        self.product(x, y, |multiple| check.multiple(multiple))
    }

    fn square(&self, x: &[L; N], check: &Check) -> Product<[L; N]> {
        self.square_of(x, |multiple| check.multiple(multiple))
    }

    /// It is less already.
    fn reduced(&self, product: &[L; N]) -> ([L; N], bool) {
        (*product, false)
    }
}

/// With limbs of 64 bits, numbers come and go as big-endian octets.
impl<const N: usize> Modulus<u64, N> {
    /// An odd number greater than 1 that fits, and `R R` modulo it; `None` for any other number.
    pub(crate) fn of_octets(modulus: &[u8]) -> Option<(Self, [u64; N])> {
        let modulus = Self::new(limbs_of(modulus)?)?;
        let r_squared = modulus.r_squared()?;
        Some((modulus, r_squared))
    }
}

impl<const N: usize> Checked<Modulus<u64, N>, [u64; N]> {
    /// Writes `base` to the power of `2^squarings + 1`; `None` where `base` is not less than the modulus, where a product was wrong, and
    /// where `power` has no room for the modulus.
    pub(crate) fn power_octets(&self, base: &[u8], squarings: u32, power: &mut [u8]) -> Option<()> {
        write_octets(&self.power(&limbs_of(base)?, squarings)?, power)
    }
}

/// What is after the row of that length, and the row.
#[inline(always)]
fn split_row<L>(columns: &mut [L], start: usize, length: usize) -> Option<(&mut [L], &mut [L])> {
    let (row, after) = columns.get_mut(start..)?.split_at_mut_checked(length)?;
    Some((after, row))
}

/// Adds `x * y + carry` to as many columns as `x` has limbs, which is an even number, and returns what goes to the next.
#[inline(always)]
fn add_row<L: Limb>(columns: &mut [L], x: &[L], y: L, mut carry: L) -> L {
    // Eight at a time are unrolled.
    let (columns, columns_left) = columns.as_chunks_mut::<8>();
    let (limbs, limbs_left) = x.as_chunks::<8>();
    for (columns, limbs) in columns.iter_mut().zip(limbs) {
        carry = add_pairs(columns, limbs, y, carry);
    }
    add_pairs(columns_left, limbs_left, y, carry)
}

#[inline(always)]
fn add_pairs<L: Limb>(columns: &mut [L], x: &[L], y: L, mut carry: L) -> L {
    let ((columns, _), (limbs, _)) = (columns.as_chunks_mut::<2>(), x.as_chunks::<2>());
    for (columns, limbs) in columns.iter_mut().zip(limbs) {
        carry = add_pair(columns, *limbs, y, carry);
    }
    carry
}

/// [`add_row`] for two limbs. The sum is a number of three limbs, and so what is returned cannot overflow.
#[inline(always)]
fn add_pair<L: Limb>(columns: &mut [L; 2], [x_0, x_1]: [L; 2], y: L, carry: L) -> L {
    let ([low_0, high_0], [low_1, high_1]) = (x_0.product(y), x_1.product(y));
    let (partial, first) = L::sum_of_pairs([low_0, low_1], *columns);
    let (sum, second) = L::sum_of_pairs(partial, [carry, high_0]);
    *columns = sum;
    high_1.with_carries(first, second)
}

/// Big-endian octets as limbs; `None` where they do not fit.
fn limbs_of<const N: usize>(octets: &[u8]) -> Option<[u64; N]> {
    let mut limbs = [0; N];
    let mut from = octets.rchunks(8);
    for (limb, chunk) in limbs.iter_mut().zip(&mut from) {
        *limb = chunk.iter().fold(0, |limb, octet| limb << 8 | u64::from(*octet));
    }
    from.all(|chunk| chunk.iter().all(|octet| *octet == 0)).then_some(limbs)
}

/// The number in big-endian octets, as many as there are; `None` where it does not fit.
fn write_octets(limbs: &[u64], octets: &mut [u8]) -> Option<()> {
    octets.fill(0);
    let mut limbs = limbs.iter();
    for (chunk, limb) in octets.rchunks_mut(8).zip(&mut limbs) {
        let limb = limb.to_be_bytes();
        let (above, below) = limb.split_at_checked(8 - chunk.len())?;
        if above.iter().any(|octet| *octet != 0) {
            return None;
        }
        chunk.copy_from_slice(below);
    }
    limbs.all(|limb| *limb == 0).then_some(())
}

/// How many bits the number has, without leading zeros.
fn bit_length<L: Limb>(limbs: &[L]) -> usize {
    let bits = |limb: &L| (u64::BITS - limb.value().leading_zeros()) as usize;
    let high = limbs.iter().rposition(|limb| limb.value() != 0);
    high.and_then(|at| limbs.get(at).map(|limb| L::BITS * at + bits(limb))).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests;
