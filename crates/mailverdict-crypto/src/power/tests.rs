//! Faults that are planted into products are found, whatever limb they are in.

use super::*;
use crate::{limb::tests::operations_hold, montgomery};
use std::cell::Cell;

impl<P: Products> Checked<P, P::Number> {
    pub(crate) fn products(&self) -> &P {
        &self.products
    }

    pub(crate) fn r_squared(&self) -> &P::Number {
        &self.r_squared.number
    }
}

/// The power as it comes without any check.
fn unchecked<P: Products>(products: &P, r_squared: &P::Number, base: &P::Number, squarings: u32) -> P::Number {
    let check = Check::new(P::limbs(products.modulus()), P::bits(), P::r_bits());
    let mut power = products.multiply(base, r_squared, &check).number;
    for _ in 0..squarings {
        power = products.square(&power, &check).number;
    }
    products.reduced(&products.multiply(&power, base, &check).number).0
}

/// What goes wrong with one operation on limbs.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The carry, or the high limb, is less or more by one, where it can be.
    Carry,
    /// A bit of the low limb flips.
    Bit(u32),
}

thread_local! {
    /// How many operations on limbs are left until one goes wrong.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
    static FAULT: Cell<Fault> = const { Cell::new(Fault::Carry) };
}

/// Runs it with a fault in the operation of that number; and whether there was such an operation.
fn with_fault<T>(at: u64, fault: Fault, run: impl FnOnce() -> T) -> (T, bool) {
    FAULT.set(fault);
    LEFT.set(at);
    let result = run();
    (result, LEFT.replace(u64::MAX) > at)
}

/// What is wrong with this operation, if anything.
fn now() -> Option<Fault> {
    let left = LEFT.get();
    LEFT.set(left.wrapping_sub(1));
    (left == 0).then(|| FAULT.get())
}

/// A limb of 64 bits that does not always compute right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Faulty(u64);

impl Faulty {
    fn limbs([low, high]: [u64; 2]) -> [Self; 2] {
        match now() {
            Some(Fault::Carry) => [Self(low), Self(high ^ 1)],
            Some(Fault::Bit(bit)) => [Self(low ^ 1 << bit), Self(high)],
            None => [Self(low), Self(high)],
        }
    }
}

impl Limb for Faulty {
    const BITS: usize = 64;
    const ZERO: Self = Self(0);

    fn truncated(number: u64) -> Self {
        Self(number)
    }
    fn value(self) -> u64 {
        self.0
    }
    fn product(self, other: Self) -> [Self; 2] {
        Self::limbs(self.0.product(other.0))
    }
    fn sum(first: Self, second: Self, third: Self) -> [Self; 2] {
        Self::limbs(u64::sum(first.0, second.0, third.0))
    }
    fn sum_of_pairs(first: [Self; 2], second: [Self; 2]) -> ([Self; 2], bool) {
        let ([low, high], carry) = u64::sum_of_pairs(first.map(|limb| limb.0), second.map(|limb| limb.0));
        match now() {
            Some(Fault::Carry) => ([Self(low), Self(high)], !carry),
            Some(Fault::Bit(bit)) => ([Self(low ^ 1 << bit), Self(high)], carry),
            None => ([Self(low), Self(high)], carry),
        }
    }
    fn with_carries(self, first: bool, second: bool) -> Self {
        match now() {
            Some(Fault::Carry) => Self(self.0.wrapping_add(u64::from(!first)).wrapping_add(u64::from(second))),
            Some(Fault::Bit(bit)) => Self(self.0.with_carries(first, second) ^ 1 << bit),
            None => Self(self.0.with_carries(first, second)),
        }
    }
    fn difference(self, other: Self, borrow: bool) -> (Self, bool) {
        let (limb, below) = self.0.difference(other.0, borrow);
        match now() {
            Some(Fault::Carry) => (Self(limb), !below),
            Some(Fault::Bit(bit)) => (Self(limb ^ 1 << bit), below),
            None => (Self(limb), below),
        }
    }
}

#[test]
fn limbs_without_a_fault_are_limbs() {
    operations_hold(&[0, 1, 2, 1 << 32, 1 << 63, u64::MAX - 1, u64::MAX].map(Faulty));
}

/// Plants a fault into every operation of a power, one after the other. How many made the power wrong, all of which were found.
fn every_fault_is_found<const N: usize>(modulus: [u64; N], base: [u64; N], squarings: u32, step: usize) -> usize {
    let (modulus, base) = (modulus.map(Faulty), base.map(Faulty));
    let modulus = montgomery::Modulus::new(modulus).unwrap();
    let r_squared = modulus.r_squared().unwrap();
    let checked = Checked::new(modulus.clone(), r_squared).unwrap();
    let right = checked.power(&base, squarings).unwrap();
    assert_eq!(right, unchecked(&modulus, &r_squared, &base, squarings));
    let (mut wrong, mut harmless) = (0, 0);
    for fault in [Fault::Carry, Fault::Bit(0), Fault::Bit(63)] {
        for at in (0..).step_by(step) {
            let (found, happened) = with_fault(at, fault, || checked.power(&base, squarings));
            if !happened {
                break;
            }
            assert!(found.is_none_or(|power| power == right), "{fault:?} in operation {at} passes");
            let (power, _) = with_fault(at, fault, || unchecked(&modulus, &r_squared, &base, squarings));
            if power == right {
                harmless += 1;
            } else {
                assert_eq!(found, None, "{fault:?} in operation {at}");
                wrong += 1;
            }
        }
    }
    println!("{wrong} faults in powers of {N} limbs, {squarings} squarings, were found; {harmless} had no effect");
    wrong
}

const ODD: u64 = 0xd5c3_a9f1_7e2b_4d6f;

#[test]
fn a_wrong_carry_in_any_operation_is_found() {
    assert!(every_fault_is_found([ODD; 4], [0x1234_5678_9abc_def1; 4], 1, 1) > 500);
    assert!(every_fault_is_found([ODD, u64::MAX, 0, 1 << 63], [3, 0, u64::MAX, 5], 1, 1) > 500);
    assert!(every_fault_is_found([ODD; 4], [0x1234_5678_9abc_def1; 4], 16, 1) > 3000);
    assert!(every_fault_is_found([ODD; 16], [u64::MAX >> 1; 16], 16, 37) > 500);
    assert!(every_fault_is_found([ODD; 32], [u64::MAX >> 1; 32], 16, 397) > 200);
}

/// A fault while a key is made ready makes no key, or the same.
#[test]
fn a_wrong_carry_in_the_preparation_is_found() {
    let (modulus, base) = ([ODD; 4].map(Faulty), [7; 4].map(Faulty));
    let prepare = || {
        let modulus = montgomery::Modulus::new(modulus)?;
        let r_squared = modulus.r_squared()?;
        Checked::new(modulus, r_squared)
    };
    let right = prepare().unwrap().power(&base, 16).unwrap();
    let (mut none, mut same) = (0, 0);
    for fault in [Fault::Carry, Fault::Bit(5)] {
        for at in 0.. {
            let (prepared, happened) = with_fault(at, fault, prepare);
            if !happened {
                break;
            }
            match prepared {
                None => none += 1,
                Some(prepared) => {
                    assert!(
                        prepared.power(&base, 16).is_none_or(|power| power == right),
                        "{fault:?} in operation {at}"
                    );
                    same += 1;
                }
            }
        }
    }
    println!("{none} faults made no key, {same} the same");
    assert!(none > 500 && none > same, "{none} {same}");
}

/// Products of which one is wrong.
#[derive(Debug)]
struct Planted<'p, P> {
    products: &'p P,
    /// How many are left until then.
    left: Cell<usize>,
    wrong: Wrong,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// The product, by a bit of a limb, as a carry that was lost or came from nowhere.
    Number(usize),
    /// The multiple of the modulus, by one in a limb.
    Multiple(usize),
    /// Whether the modulus was subtracted.
    Subtracted,
}

/// That number with a bit of a limb flipped.
pub(crate) trait Flip {
    fn flip(&mut self, limb: usize);
}

impl<const N: usize> Flip for [u64; N] {
    fn flip(&mut self, limb: usize) {
        self[limb] ^= 1;
    }
}

impl<const V: usize> Flip for [[u64; 8]; V] {
    fn flip(&mut self, limb: usize) {
        self.as_flattened_mut()[limb] ^= 1;
    }
}

impl<P: Products<Number: Flip>> Planted<'_, P> {
    fn planted(&self, mut product: Product<P::Number>, check: &Check) -> Product<P::Number> {
        let left = self.left.get();
        self.left.set(left.wrapping_sub(1));
        if left == 0 {
            match self.wrong {
                Wrong::Number(limb) => product.number.flip(limb),
                Wrong::Multiple(limb) => product.multiple = product.multiple.with_one_more(limb, check),
                Wrong::Subtracted => product.subtracted ^= true,
            }
        }
        product
    }
}

impl<P: Products<Number: Flip>> Products for Planted<'_, P> {
    type Limb = P::Limb;
    type Number = P::Number;

    fn limbs(number: &P::Number) -> &[P::Limb] {
        P::limbs(number)
    }
    fn one() -> P::Number {
        P::one()
    }
    fn modulus(&self) -> &P::Number {
        self.products.modulus()
    }
    fn bits() -> usize {
        P::bits()
    }
    fn r_bits() -> usize {
        P::r_bits()
    }
    fn multiply(&self, x: &P::Number, y: &P::Number, check: &Check) -> Product<P::Number> {
        self.planted(self.products.multiply(x, y, check), check)
    }
    fn square(&self, x: &P::Number, check: &Check) -> Product<P::Number> {
        self.planted(self.products.square(x, check), check)
    }
    fn reduced(&self, product: &P::Number) -> (P::Number, bool) {
        self.products.reduced(product)
    }
}

/// A wrong bit in any limb of any product, and of what was added for it, makes no power. `limbs` are those that count.
pub(crate) fn every_wrong_product_is_found<P>(checked: &Checked<P, P::Number>, base: &P::Number, limbs: usize)
where
    P: Products<Number: Flip>,
{
    let squarings = 16;
    assert!(checked.power(base, squarings).is_some());
    let wrong = |product: usize, wrong: Wrong| {
        // Two products prove the constant.
        let products = Planted { products: &checked.products, left: Cell::new(product + 2), wrong };
        let planted = Checked::new(products, checked.r_squared.number).unwrap();
        assert!(planted.power(base, squarings).is_none(), "{wrong:?} in product {product}");
        assert!(planted.products.left.get() > usize::MAX / 2, "it was planted");
    };
    for product in 0..=17 {
        for limb in 0..limbs {
            wrong(product, Wrong::Number(limb));
            wrong(product, Wrong::Multiple(limb));
        }
        wrong(product, Wrong::Subtracted);
    }
}

#[test]
fn a_wrong_bit_in_any_limb_of_any_product_is_found() {
    fn at<const N: usize>() {
        let modulus = montgomery::Modulus::<u64, N>::new([ODD; N]).unwrap();
        let r_squared = modulus.r_squared().unwrap();
        every_wrong_product_is_found(&Checked::new(modulus, r_squared).unwrap(), &[u64::MAX / 5; N], N);
    }
    at::<4>();
    at::<16>();
    at::<24>();
    at::<32>();
    at::<48>();
    at::<64>();
}

/// A constant that is wrong makes no key.
#[test]
fn a_wrong_constant_is_found() {
    let modulus = montgomery::Modulus::<u64, 16>::new([ODD; 16]).unwrap();
    let r_squared = modulus.r_squared().unwrap();
    for limb in 0..16 {
        for bit in [0, 1, 17, 63] {
            let mut wrong = r_squared;
            wrong[limb] ^= 1 << bit;
            assert!(Checked::new(modulus.clone(), wrong).is_none(), "bit {bit} of limb {limb}");
        }
    }
    assert!(Checked::new(modulus, r_squared).is_some());
}
