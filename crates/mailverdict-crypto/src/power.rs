//! Powers for the public operation of RSA, of products that are checked.

use crate::{
    check::{Check, Multiple},
    limb::Limb,
};

/// Who multiplies modulo an odd number, by Montgomery's method, in one width and by one kind of instructions.
pub(crate) trait Products {
    type Limb: Limb;
    type Number: Copy;

    /// The limbs of a number, least significant first.
    fn limbs(number: &Self::Number) -> &[Self::Limb];

    /// The number 1.
    fn one() -> Self::Number;

    fn modulus(&self) -> &Self::Number;

    /// Bits of a limb, and what power of two `R` is.
    fn bits() -> usize;
    fn r_bits() -> usize;

    /// `x y / R` modulo the modulus.
    fn multiply(&self, x: &Self::Number, y: &Self::Number, check: &Check) -> Product<Self::Number>;

    /// `x x / R` modulo the modulus.
    fn square(&self, x: &Self::Number, check: &Check) -> Product<Self::Number>;

    /// A product with a number below the modulus, reduced to less than the modulus; and whether the modulus was subtracted for it.
    fn reduced(&self, product: &Self::Number) -> (Self::Number, bool);

    /// Whether the number is less than the modulus.
    fn is_reduced(&self, number: &Self::Number) -> bool {
        Self::limbs(number).iter().rev().lt(Self::limbs(self.modulus()).iter().rev())
    }
}

/// A product, with what makes of it an equation between integers: `x y + multiple modulus = (number + subtracted modulus) R`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product<T, M = Multiple> {
    pub(crate) number: T,
    /// The multiple of the modulus that was added, or what the check makes of it.
    pub(crate) multiple: M,
    pub(crate) subtracted: bool,
}

/// Products of one modulus, of numbers `T`, with the check of each.
#[derive(Clone, Debug)]
pub(crate) struct Checked<P, T> {
    products: P,
    check: Check,
    /// `R R` modulo the modulus.
    r_squared: Known<T>,
}

/// A number, and what its residue must be.
#[derive(Clone, Copy, Debug)]
struct Known<T> {
    number: T,
    residue: u64,
}

/// After how many squarings a number is held against its residue.
///
/// In between, residues are computed from residues, and a difference is squared along. A number that is wrong by then differs from
/// the right one by a fraction whose numerator has less than 2^(8 + 1) times 4160 bits, and so less than 2^16 prime factors of 61 bits: of
/// 2^54 primes, less than one in 2^38 lets it pass.
const SQUARINGS_AT_ONCE: u32 = 8;

impl<P: Products> Checked<P, P::Number> {
    /// `None` where `r_squared` is not what it must be, by the arithmetic that is to use it: no key of users' leads there.
    pub(crate) fn new(products: P, r_squared: P::Number) -> Option<Self> {
        let check = Check::new(P::limbs(products.modulus()), P::bits(), P::r_bits());
        let r_squared = Known { number: r_squared, residue: check.residue(P::limbs(&r_squared)) };
        let checked = Self { products, check, r_squared };
        // R R / R is R, and R / R is 1: two products that are checked tell whether it is right, however it was computed.
        let one = checked.known(P::one());
        let r = checked.multiply(&checked.r_squared, &one);
        let last = checked.reduced(&checked.multiply(&r, &one));
        let is_one = P::limbs(&last.number) == P::limbs(&one.number);
        (is_one && checked.holds(&r) && checked.holds(&last)).then_some(checked)
    }

    /// `base` to the power of `2^squarings + 1`; `None` where `base` is not less than the modulus, and where a product was wrong.
    pub(crate) fn power(&self, base: &P::Number, squarings: u32) -> Option<P::Number> {
        if !self.products.is_reduced(base) {
            return None;
        }
        let base = self.known(*base);
        let mut power = self.multiply(&base, &self.r_squared);
        for squared in 0..squarings {
            if squared > 0 && squared % SQUARINGS_AT_ONCE == 0 && !self.holds(&power) {
                return None;
            }
            power = self.square(&power);
        }
        // One factor without R takes the R out of the product.
        let power = self.reduced(&self.multiply(&power, &base));
        self.holds(&power).then_some(power.number)
    }

    fn known(&self, number: P::Number) -> Known<P::Number> {
        Known { residue: self.check.residue(P::limbs(&number)), number }
    }

    /// Whether the number has the residue that it must have.
    fn holds(&self, known: &Known<P::Number>) -> bool {
        self.check.residue(P::limbs(&known.number)) == known.residue
    }

    fn multiply(&self, x: &Known<P::Number>, y: &Known<P::Number>) -> Known<P::Number> {
        self.known_product(self.products.multiply(&x.number, &y.number, &self.check), x.residue, y.residue)
    }

    fn square(&self, x: &Known<P::Number>) -> Known<P::Number> {
        self.known_product(self.products.square(&x.number, &self.check), x.residue, x.residue)
    }

    #[inline(always)]
    fn known_product(&self, product: Product<P::Number>, x: u64, y: u64) -> Known<P::Number> {
        let residue = self.check.product(x, y, product.multiple, product.subtracted);
        Known { number: product.number, residue }
    }

    fn reduced(&self, product: &Known<P::Number>) -> Known<P::Number> {
        let (number, subtracted) = self.products.reduced(&product.number);
        Known { number, residue: self.check.less(product.residue, subtracted) }
    }
}

#[cfg(test)]
pub(crate) mod tests;
