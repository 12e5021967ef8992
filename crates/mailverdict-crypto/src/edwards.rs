//! Points of edwards25519 (RFC 8032 §5.1), and multiples of points that are prepared for it.
//!
//! The formulas are the complete ones of H. Hisil and others, "Twisted Edwards Curves Revisited" (2008), §3.1 and §3.3: they hold for
//! all points, those of small order too.

use crate::field25519::{Element, Field};

/// A point as X : Y : Z with x = X / Z, y = Y / Z and T = XY / Z. The coordinates are tight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point<F = Element> {
    x: F,
    y: F,
    z: F,
    t: F,
}

/// A point as sums are made with it: y + x, y - x and 2dxy.
#[derive(Clone, Copy, Debug)]
struct Addend<F = Element> {
    sum: F,
    difference: F,
    product: F,
}

impl Point {
    /// 0, the neutral element.
    const NEUTRAL: Self = Self { x: Element::ZERO, y: Element::ONE, z: Element::ONE, t: Element::ZERO };

    /// RFC 8032 §5.1.3, but y need not be reduced, and x may be a negative 0: as the crate `ed25519-dalek` reads keys.
    pub(crate) fn decode(octets: &[u8; 32]) -> Option<Self> {
        let y = Element::from_octets(octets);
        let y_squared = y.squared();
        let numerator = y_squared.minus(&Element::ONE).times(&Element::ONE);
        let denominator = y_squared.times(&Element::D).plus(&Element::ONE).times(&Element::ONE);
        let root = numerator.root_of_ratio(denominator)?;
        let [.., last] = octets;
        let x = if root.is_odd() == (last >> 7 == 1) { root } else { root.negated() };
        Some(Self { x, y, z: Element::ONE, t: x.times(&y) })
    }

    /// RFC 8032 §5.1.2.
    pub(crate) fn encode(&self) -> [u8; 32] {
        let inverse = self.z.inverted();
        let mut octets = self.y.times(&inverse).to_octets();
        let [.., last] = &mut octets;
        *last |= u8::from(self.x.times(&inverse).is_odd()) << 7;
        octets
    }

    pub(crate) fn negated(&self) -> Self {
        Self { x: self.x.negated(), t: self.t.negated(), ..*self }
    }

    /// The points, ready for sums; with one inversion for all of them.
    fn prepared(points: &[Self]) -> Vec<Addend> {
        // What stands before each point is the product of all earlier Z, which are never 0.
        let mut before = Vec::with_capacity(points.len());
        let mut product = Element::ONE;
        for point in points {
            before.push(product);
            product = product.times(&point.z);
        }
        let mut inverse = product.inverted();
        let mut prepared: Vec<Addend> = Vec::with_capacity(points.len());
        for (point, before) in points.iter().zip(&before).rev() {
            let of_this = inverse.times(before);
            inverse = inverse.times(&point.z);
            prepared.push(Addend::new(&point.x.times(&of_this), &point.y.times(&of_this)));
        }
        prepared.reverse();
        prepared
    }
}

/// The formulas. What they take and give is tight, but for the sums and differences of an addend.
impl<F: Field> Point<F> {
    fn doubled(&self) -> Self {
        let (xx, yy, zz) = (self.x.squared(), self.y.squared(), self.z.squared());
        let h = yy.plus(&xx);
        let e = self.x.plus(&self.y).squared().minus(&h);
        let g = yy.minus(&xx);
        let f = zz.plus(&zz).plus(&xx).minus(&yy);
        Self::completed(&e, &f, &g, &h)
    }

    fn plus(&self, other: &Self) -> Self {
        let a = self.y.minus(&self.x).times(&other.y.minus(&other.x));
        let b = self.y.plus(&self.x).times(&other.y.plus(&other.x));
        let dt = F::D.times(&self.t).times(&other.t);
        let zz = self.z.times(&other.z);
        let (c, d) = (dt.plus(&dt), zz.plus(&zz));
        Self::completed(&b.minus(&a), &d.minus(&c), &d.plus(&c), &b.plus(&a))
    }

    #[inline(always)]
    fn plus_prepared(&self, other: &Addend<F>) -> Self {
        let a = self.y.minus(&self.x).times(&other.difference);
        let b = self.y.plus(&self.x).times(&other.sum);
        let (c, d) = (self.t.times(&other.product), self.z.plus(&self.z));
        Self::completed(&b.minus(&a), &d.minus(&c), &d.plus(&c), &b.plus(&a))
    }

    #[inline(always)]
    fn minus_prepared(&self, other: &Addend<F>) -> Self {
        let a = self.y.minus(&self.x).times(&other.sum);
        let b = self.y.plus(&self.x).times(&other.difference);
        let (c, d) = (self.t.times(&other.product), self.z.plus(&self.z));
        Self::completed(&b.minus(&a), &d.plus(&c), &d.minus(&c), &b.plus(&a))
    }

    #[inline(always)]
    fn completed(e: &F, f: &F, g: &F, h: &F) -> Self {
        Self { x: e.times(f), y: g.times(h), z: f.times(g), t: e.times(h) }
    }
}

impl<F: Field> Addend<F> {
    fn new(x: &F, y: &F) -> Self {
        let dxy = F::D.times(x).times(y);
        Self { sum: y.plus(x), difference: y.minus(x), product: dxy.plus(&dxy) }
    }
}

/// Bits from one row of a table to the next, and rows of it.
const SPACING: usize = 16;

/// Multiples of a point that does not change: for every sixteenth power of two, from 2^0 to 2^240, the first `ODD` odd ones (a power
/// of two, at most 32).
#[derive(Clone, Debug)]
pub(crate) struct Multiples<const ODD: usize>(Box<[[Addend; ODD]]>);

/// A number below 2^253 as a sum of powers of two with odd factors, few of which are not 0; [`Multiples`] has all of them.
pub(crate) struct Digits([i8; 256]);

impl<const ODD: usize> Multiples<ODD> {
    pub(crate) fn new(point: Point) -> Self {
        let mut points = Vec::with_capacity(SPACING * ODD);
        let mut base = point;
        for _ in 0..SPACING {
            let twice = base.doubled();
            let mut odd = base;
            for _ in 0..ODD {
                points.push(odd);
                odd = odd.plus(&twice);
            }
            base = twice;
            for _ in 1..SPACING {
                base = base.doubled();
            }
        }
        Self(Point::prepared(&points).as_chunks::<ODD>().0.into())
    }

    /// `scalar`, least significant octet first and below 2^253, as digits that are odd and below `2 * ODD`, or 0.
    pub(crate) fn digits(scalar: &[u8; 32]) -> Digits {
        let window = 4 * ODD as u64;
        let (width, mask) = (window.trailing_zeros() as usize, window - 1);
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(scalar.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        let word = |at: usize| words.get(at).copied().unwrap_or_default();
        let mut digits = [0; 256];
        let (mut at, mut carry) = (0, 0);
        while let Some(digit) = digits.get_mut(at) {
            let (low, high) = (word(at / 64) >> (at % 64), word(at / 64 + 1) << 1 << (63 - at % 64));
            let bits = carry + ((low | high) & mask);
            if bits % 2 == 0 {
                at += 1;
                continue;
            }
            // An upper half counts down from the next power of two.
            carry = u64::from(bits > mask / 2);
            let value = i64::try_from(bits).unwrap_or_default() - i64::try_from(carry * window).unwrap_or_default();
            *digit = i8::try_from(value).unwrap_or_default();
            at += width;
        }
        Digits(digits)
    }

    /// Adds those multiples whose digit is for this power of two.
    #[inline(always)]
    fn add(&self, sum: &mut Point, digits: &Digits, power: usize) {
        for (row, digits) in self.0.iter().zip(digits.0.as_chunks::<SPACING>().0) {
            let digit = digits.get(power).copied().unwrap_or_default();
            let Some(multiple) = row.get(usize::from(digit.unsigned_abs() / 2)) else { continue };
            match digit {
                0 => {}
                1.. => *sum = sum.plus_prepared(multiple),
                _ => *sum = sum.minus_prepared(multiple),
            }
        }
    }

    /// The sum of a multiple of this point and one of another.
    pub(crate) fn sum<const OTHER: usize>(
        &self,
        digits: &Digits,
        other: &Multiples<OTHER>,
        other_digits: &Digits,
    ) -> Point {
        let mut sum = Point::NEUTRAL;
        for power in (0..SPACING).rev() {
            sum = sum.doubled();
            self.add(&mut sum, digits, power);
            other.add(&mut sum, other_digits, power);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::{
        EdwardsPoint, Scalar,
        constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
        edwards::CompressedEdwardsY,
    };
    use sha2::{Digest as _, Sha512};

    /// What the limbs of a number are at most, for numbers of which nothing else is known.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Bound(u64);

    const TIGHT: Bound = Bound((1 << 51) + (1 << 13) - 1);

    /// Each operation as it is documented: that it takes such limbs, and what limbs it gives.
    impl Field for Bound {
        const D: Self = Self((1 << 51) - 1);

        fn plus(&self, other: &Self) -> Self {
            Self(self.0 + other.0)
        }
        fn minus(&self, other: &Self) -> Self {
            assert!(other.0 < (1 << 53) - 76, "{other:?} is taken away");
            Self(self.0 + 4 * ((1 << 51) - 1))
        }
        fn times(&self, other: &Self) -> Self {
            assert!(self.0 < 1 << 54 && other.0 < 1 << 54, "{self:?} times {other:?}");
            TIGHT
        }
        fn squared(&self) -> Self {
            self.times(self)
        }
    }

    /// The formulas take tight coordinates, and whatever these are, no operation in them takes larger limbs than it may.
    #[test]
    fn formulas_keep_the_bounds_of_limbs() {
        let point = Point { x: TIGHT, y: TIGHT, z: TIGHT, t: TIGHT };
        let addend = Addend::new(&TIGHT, &TIGHT);
        let results =
            [point.doubled(), point.plus(&point), point.plus_prepared(&addend), point.minus_prepared(&addend)];
        for Point { x, y, z, t } in results {
            assert_eq!([x, y, z, t], [TIGHT; 4]);
        }
    }

    fn octets(seed: u32) -> [u8; 64] {
        Sha512::digest(seed.to_le_bytes()).into()
    }

    #[test]
    fn what_is_a_point_and_how_it_is_encoded_is_as_with_another_implementation() {
        let mut all: Vec<[u8; 32]> = (0..400).map(|seed| *octets(seed).first_chunk().unwrap()).collect();
        all.extend(EIGHT_TORSION.map(|point| point.compress().0));
        for low in 0..=255 {
            for last in [0, 0x7f, 0x80, 0xff] {
                for middle in [0, 0xff] {
                    let mut octets = [middle; 32];
                    (octets[0], octets[31]) = (low, last);
                    all.push(octets);
                }
            }
        }
        let mut points = 0;
        for octets in all {
            let theirs = CompressedEdwardsY(octets).decompress();
            let ours = Point::decode(&octets);
            assert_eq!(ours.map(|point| point.encode()), theirs.map(|point| point.compress().0), "{octets:02x?}");
            assert_eq!(ours.map(|point| point.negated().encode()), theirs.map(|point| (-point).compress().0));
            points += usize::from(ours.is_some());
        }
        assert!(points > 700, "{points}");
    }

    #[test]
    fn sums_of_multiples_are_those_of_another_implementation() {
        let base = Multiples::<32>::new(Point::decode(&ED25519_BASEPOINT_POINT.compress().0).unwrap());
        let mut scalars: Vec<Scalar> = [0_u64, 1, 2, 7, 8, 9, 63, 64, 65, 0xffff, u64::MAX].map(Scalar::from).into();
        scalars.extend([1_u8, 2, 3].map(|small| -Scalar::from(small)));
        scalars.extend((0..12).map(|seed| Scalar::from_bytes_mod_order_wide(&octets(seed))));
        // All ones, and one bit here and there.
        scalars.extend((4..252).step_by(31).map(|bit| {
            let mut octets = [0; 32];
            octets[..bit / 8].fill(0xff);
            octets[bit / 8] = (1 << (bit % 8)) - 1;
            Scalar::from_bytes_mod_order(octets)
        }));
        let mut points: Vec<EdwardsPoint> = EIGHT_TORSION.into();
        points.extend(EIGHT_TORSION.map(|torsion| torsion + EdwardsPoint::mul_base(&scalars[15])));
        points.push(ED25519_BASEPOINT_POINT);
        points.push(-ED25519_BASEPOINT_POINT);
        for point in &points {
            let ours = Multiples::<4>::new(Point::decode(&point.compress().0).unwrap());
            for (at, a) in scalars.iter().enumerate() {
                for b in scalars.iter().cycle().skip(at).step_by(7).take(5) {
                    let theirs = EdwardsPoint::vartime_double_scalar_mul_basepoint(a, point, b);
                    let (a_digits, b_digits) =
                        (Multiples::<4>::digits(a.as_bytes()), Multiples::<32>::digits(b.as_bytes()));
                    let sum = base.sum(&b_digits, &ours, &a_digits);
                    assert_eq!(sum.encode(), theirs.compress().0, "{a:?} {b:?} {point:?}");
                }
            }
        }
    }
}
