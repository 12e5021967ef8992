//! Integers modulo 2^255 - 19, the field of RFC 8032 §5.1.
//!
//! Everything here is public, so time may depend on the values. Numbers are five limbs of 51 bits, least significant first, which may
//! run over: what a multiplication returns is *tight* (limbs below 2^51 + 2^13), and it takes limbs below 2^54. Sums and differences
//! carry nothing; each says what it takes.

/// What the formulas of points ask of numbers. Beside [`Element`], the tests have bounds of limbs that go through the same formulas.
pub(crate) trait Field: Sized {
    /// d of the curve: -121665/121666.
    const D: Self;
    fn plus(&self, other: &Self) -> Self;
    fn minus(&self, other: &Self) -> Self;
    fn times(&self, other: &Self) -> Self;
    fn squared(&self) -> Self;
}

/// A number, kept modulo 2^255 - 19.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element([u64; 5]);

const BITS: u32 = 51;
const MASK: u64 = (1 << BITS) - 1;

/// The low 51 bits, and what is above them; both fit, and so neither conversion leaves a trace in the compiled code.
#[inline(always)]
fn split(wide: u128) -> (u64, u128) {
    (u64::try_from(wide & u128::from(MASK)).unwrap_or_default(), wide >> BITS)
}

#[inline(always)]
fn product(x: u64, y: u64) -> u128 {
    u128::from(x) * u128::from(y)
}

impl Field for Element {
    const D: Self =
        Self([0x3_4dca_1359_78a3, 0x1_a828_3b15_6ebd, 0x5_e7a2_6001_c029, 0x7_39c6_63a0_3cbb, 0x5_2036_cee2_b6ff]);

    /// The limbs of the sum are the sums of the limbs.
    #[inline(always)]
    fn plus(&self, other: &Self) -> Self {
        let ([a, b, c, d, e], [v, w, x, y, z]) = (self.0, other.0);
        Self([a + v, b + w, c + x, d + y, e + z])
    }

    /// Takes limbs of `other` below 2^53 - 76 (four times the modulus); those of the difference are below the first's and 2^53.
    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        const LOWEST: u64 = 4 * (MASK - 18);
        const OTHERS: u64 = 4 * MASK;
        let ([a, b, c, d, e], [v, w, x, y, z]) = (self.0, other.0);
        Self([a + LOWEST - v, b + OTHERS - w, c + OTHERS - x, d + OTHERS - y, e + OTHERS - z])
    }

    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        Self::folded(columns(self.0, other.0))
    }

    #[inline(always)]
    fn squared(&self) -> Self {
        Self::folded(columns_of_square(self.0))
    }
}

/// The columns of a product, each a sum of products of two limbs. 2^255 is 19: what goes over the top comes back so many times.
#[inline(always)]
fn columns([a, b, c, d, e]: [u64; 5], [v, w, x, y, z]: [u64; 5]) -> [u128; 5] {
    let (w19, x19, y19, z19) = (19 * w, 19 * x, 19 * y, 19 * z);
    [
        product(a, v) + product(b, z19) + product(c, y19) + product(d, x19) + product(e, w19),
        product(a, w) + product(b, v) + product(c, z19) + product(d, y19) + product(e, x19),
        product(a, x) + product(b, w) + product(c, v) + product(d, z19) + product(e, y19),
        product(a, y) + product(b, x) + product(c, w) + product(d, v) + product(e, z19),
        product(a, z) + product(b, y) + product(c, x) + product(d, w) + product(e, v),
    ]
}

/// [`columns`] of a number with itself.
#[inline(always)]
fn columns_of_square([a, b, c, d, e]: [u64; 5]) -> [u128; 5] {
    let (a2, b2, d19, e19) = (2 * a, 2 * b, 19 * d, 19 * e);
    [
        product(a, a) + product(b2, e19) + product(2 * c, d19),
        product(a2, b) + product(2 * c, e19) + product(d, d19),
        product(a2, c) + product(b, b) + product(2 * d, e19),
        product(a2, d) + product(b2, c) + product(e, e19),
        product(a2, e) + product(b2, d) + product(c, c),
    ]
}

/// The same number with tight limbs; takes any limbs. `FOLD` is what 2^(5 `BITS`) is: 19, and less for tiny limbs.
#[inline(always)]
fn carried<const BITS: u32, const FOLD: u64>([a, b, c, d, e]: [u64; 5]) -> [u64; 5] {
    let mask = (1 << BITS) - 1;
    [
        (a & mask) + FOLD * (e >> BITS),
        (b & mask) + (a >> BITS),
        (c & mask) + (b >> BITS),
        (d & mask) + (c >> BITS),
        (e & mask) + (d >> BITS),
    ]
}

/// The one number below 2^(5 `BITS`) - `FOLD` that is the same; takes limbs that run over by three bits.
#[inline(always)]
fn reduced<const BITS: u32, const FOLD: u64>(limbs: [u64; 5]) -> [u64; 5] {
    let mut limbs = carried::<BITS, FOLD>(carried::<BITS, FOLD>(limbs));
    // Now the number is below twice the modulus: it holds the modulus once more where adding 19 reaches 2^255.
    let mut carry = FOLD;
    for limb in limbs {
        carry = (limb + carry) >> BITS;
    }
    let mut carry = FOLD * carry;
    for limb in &mut limbs {
        *limb += carry;
        carry = *limb >> BITS;
        *limb &= (1 << BITS) - 1;
    }
    limbs
}

impl Element {
    pub(crate) const ZERO: Self = Self([0; 5]);
    pub(crate) const ONE: Self = Self([1, 0, 0, 0, 0]);

    /// A square root of -1: 2^((p - 1) / 4).
    pub(crate) const ROOT_OF_MINUS_ONE: Self =
        Self([0x6_1b27_4a0e_a0b0, 0x0_d5a5_fc8f_189d, 0x7_ef5e_9cbd_0c60, 0x7_8595_a680_4c9e, 0x2_b832_4804_fc1d]);

    /// From 255 bits, least significant octet first; the highest bit is passed over, and the number need not be reduced. Tight.
    pub(crate) fn from_octets(octets: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(octets.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        let [a, b, c, d] = words;
        Self([
            a & MASK,
            (a >> 51 | b << 13) & MASK,
            (b >> 38 | c << 26) & MASK,
            (c >> 25 | d << 39) & MASK,
            d >> 12 & MASK,
        ])
    }

    /// The reduced number, least significant octet first. Takes limbs below 2^54.
    pub(crate) fn to_octets(self) -> [u8; 32] {
        let [a, b, c, d, e] = reduced::<BITS, 19>(self.0);
        let words = [a | b << 51, b >> 13 | c << 38, c >> 26 | d << 25, d >> 39 | e << 12];
        let mut octets = [0; 32];
        for (chunk, word) in octets.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *chunk = word.to_le_bytes();
        }
        octets
    }

    /// Columns below 2^115, the highest below 2^111, as tight limbs.
    #[inline(always)]
    fn folded([a, b, c, d, e]: [u128; 5]) -> Self {
        let (a, carry) = split(a);
        let (b, carry) = split(b + carry);
        let (c, carry) = split(c + carry);
        let (d, carry) = split(d + carry);
        let (e, carry) = split(e + carry);
        let (a, carry) = split(u128::from(a) + 19 * carry);
        Self([a, b + u64::try_from(carry).unwrap_or_default(), c, d, e])
    }

    /// Squared so many times.
    fn squared_often(&self, times: u32) -> Self {
        let mut power = *self;
        for _ in 0..times {
            power = power.squared();
        }
        power
    }

    /// To the power of 2^250 - 1, by doubling the length of a run of ones.
    fn to_250_ones(self) -> Self {
        let join = |high: Self, low: Self, ones: u32| high.squared_often(ones).times(&low);
        let ones_2 = join(self, self, 1);
        let ones_4 = join(ones_2, ones_2, 2);
        let ones_5 = join(ones_4, self, 1);
        let ones_10 = join(ones_5, ones_5, 5);
        let ones_20 = join(ones_10, ones_10, 10);
        let ones_40 = join(ones_20, ones_20, 20);
        let ones_50 = join(ones_40, ones_10, 10);
        let ones_100 = join(ones_50, ones_50, 50);
        let ones_200 = join(ones_100, ones_100, 100);
        join(ones_200, ones_50, 50)
    }

    /// The inverse; 0 of 0: to the power of p - 2 = (2^250 - 1) 2^5 + 11.
    pub(crate) fn inverted(self) -> Self {
        let eleven = self.squared_often(3).times(&self.squared()).times(&self);
        self.to_250_ones().squared_often(5).times(&eleven)
    }

    /// To the power of (p - 5) / 8 = (2^250 - 1) 2^2 + 1.
    fn for_root(self) -> Self {
        self.to_250_ones().squared_often(2).times(&self)
    }

    /// A square root of `self / divisor`, if there is one (RFC 8032 §5.1.3, steps 2 and 3). Both are tight.
    pub(crate) fn root_of_ratio(self, divisor: Self) -> Option<Self> {
        let cubed = divisor.squared().times(&divisor);
        let seventh = cubed.squared().times(&divisor);
        let candidate = self.times(&cubed).times(&self.times(&seventh).for_root());
        let ratio = divisor.times(&candidate.squared());
        if ratio.equals(&self) {
            Some(candidate)
        } else if ratio.equals(&Self::ZERO.minus(&self)) {
            Some(candidate.times(&Self::ROOT_OF_MINUS_ONE))
        } else {
            None
        }
    }

    /// Tight.
    pub(crate) fn negated(self) -> Self {
        Self(carried::<BITS, 19>(Self::ZERO.minus(&self).0))
    }

    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.to_octets() == other.to_octets()
    }

    /// Whether the reduced number is odd, which RFC 8032 §5.1.2 calls negative.
    pub(crate) fn is_odd(self) -> bool {
        self.to_octets().first().is_some_and(|octet| octet % 2 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::BigUint;

    fn modulus() -> BigUint {
        (BigUint::from(1_u8) << 255) - 19_u8
    }

    fn value(element: &Element) -> BigUint {
        element.0.iter().rev().fold(BigUint::from(0_u8), |sum, limb| (sum << 51) + *limb) % modulus()
    }

    fn of(element: &Element) -> BigUint {
        BigUint::from_bytes_le(&element.to_octets())
    }

    /// Elements with limbs up to `2^bits - 1`, many of them extreme.
    fn elements(bits: u32) -> Vec<Element> {
        let most = (1_u64 << bits) - 1;
        let edges = [0, 1, 18, 19, MASK - 19, MASK - 18, MASK - 1, MASK, MASK + 1, most - 1, most];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut all: Vec<Element> = edges.iter().map(|edge| Element([*edge; 5])).collect();
        all.push(Element([MASK - 18, MASK, MASK, MASK, MASK]));
        all.push(Element([MASK - 17, MASK, MASK, MASK, MASK]));
        for _ in 0..60 {
            let limbs: [u64; 5] = std::array::from_fn(|_| match next() % 3 {
                0 => edges[usize::try_from(next() % 11).unwrap()],
                1 => most,
                _ => next() & most,
            });
            all.push(Element(limbs));
        }
        all
    }

    #[test]
    fn sums_differences_and_products_are_those_of_another_implementation() {
        let p = modulus();
        let factors = elements(54);
        for x in &factors {
            let x_value = value(x);
            assert_eq!(of(x), x_value, "{x:?}");
            let squared = x.squared();
            assert_eq!(of(&squared), &x_value * &x_value % &p, "{x:?}");
            assert!(squared.0.iter().all(|limb| *limb < MASK + (1 << 13)), "{squared:?}");
            for y in &factors {
                let product = x.times(y);
                assert_eq!(of(&product), &x_value * value(y) % &p, "{x:?} {y:?}");
                assert!(product.0.iter().all(|limb| *limb < MASK + (1 << 13)), "{product:?}");
            }
        }
        // 2^53 - 77 is the largest limb that may be taken away.
        for x in &elements(53) {
            for y in elements(53).iter().map(|y| Element(y.0.map(|limb| limb.min((1 << 53) - 77)))) {
                assert_eq!(of(&x.plus(&y)), (value(x) + value(&y)) % &p);
                let difference = x.minus(&y);
                assert_eq!(of(&difference), (value(x) + &p - value(&y)) % &p, "{x:?} {y:?}");
                assert!(difference.0.iter().all(|limb| *limb < 1 << 54));
            }
        }
    }

    /// The number that columns or limbs stand for.
    fn number(columns: &[u128]) -> BigUint {
        columns.iter().rev().fold(BigUint::from(0_u8), |sum, column| (sum << 51) + *column)
    }

    /// A column is a sum of products of a limb of each factor, so it is right for all if it is for limbs that are 1, each with each; and
    /// that of a square for limbs that are 1, alone and by twos.
    #[test]
    fn columns_are_right_for_the_limbs_that_decide_for_all() {
        let p = modulus();
        let unit = |at: usize| std::array::from_fn(|limb| u64::from(limb == at));
        for (i, j) in (0..5).flat_map(|i| (0..5).map(move |j| (i, j))) {
            assert_eq!(
                number(&columns(unit(i), unit(j))) % &p,
                (BigUint::from(1_u8) << (51 * (i + j))) % &p,
                "{i} {j}"
            );
            let two: [u64; 5] = std::array::from_fn(|limb| u64::from(limb == i || limb == j));
            assert_eq!(number(&columns_of_square(two)), number(&columns(two, two)), "{i} {j}");
        }
    }

    /// Nothing is ever taken away, so the largest limbs make the largest of all that is computed; tests run with overflow checked.
    #[test]
    fn the_largest_limbs_do_not_overflow() {
        let most = [(1 << 54) - 1; 5];
        let largest = columns(most, most);
        assert_eq!(largest, columns_of_square(most));
        assert!(largest.iter().all(|column| column >> 115 == 0) && largest[4] >> 111 == 0, "{largest:x?}");
        // What is handed on is largest for the largest columns; the rest of a limb is below 2^51.
        let carries = |columns: [u128; 5]| columns.into_iter().fold(0, |carry, column| (column + carry) >> BITS);
        let top = carries(largest);
        assert!((u128::from(MASK) + 19 * top) >> BITS < 1 << 13, "{top:x}");
        let tight = Element::folded(largest);
        assert_eq!(number(&largest) % modulus(), value(&tight));
    }

    /// The same code with limbs of four bits that run over by one, modulo 2^20 - 3, and of three bits, modulo 2^15 - 1 and 2^15 - 3: all
    /// numbers there are.
    #[test]
    fn all_numbers_of_tiny_limbs_are_reduced() {
        fn all<const BITS: u32, const FOLD: u64>() {
            let (modulus, limb) = ((1_u64 << (5 * BITS)) - FOLD, 2_u64 << BITS);
            let value = |limbs: [u64; 5]| limbs.iter().rev().fold(0, |sum, limb| (sum << BITS) + limb);
            for number in 0..limb.pow(5) {
                let limbs = std::array::from_fn(|at| number >> ((BITS + 1) * u32::try_from(at).unwrap()) & (limb - 1));
                let reduced = reduced::<BITS, FOLD>(limbs);
                assert!(reduced.iter().all(|limb| limb >> BITS == 0), "{limbs:?}");
                assert_eq!(value(reduced), value(limbs) % modulus, "{limbs:?}");
                assert_eq!(value(carried::<BITS, FOLD>(limbs)) % modulus, value(limbs) % modulus, "{limbs:?}");
            }
        }
        all::<3, 1>();
        all::<3, 3>();
        all::<4, 3>();
    }

    #[test]
    fn inverses_and_roots_are_what_they_say() {
        let p = modulus();
        assert_eq!(of(&Element::D.times(&Element([121_666, 0, 0, 0, 0]))), &p - 121_665_u32);
        assert_eq!(of(&Element::ROOT_OF_MINUS_ONE.squared()), &p - 1_u8);
        assert_eq!(of(&Element::ZERO.inverted()), BigUint::from(0_u8));
        let (mut roots, mut none) = (0, 0);
        for x in elements(51) {
            let is_zero = value(&x) == BigUint::from(0_u8);
            assert_eq!(of(&x.inverted().times(&x)), BigUint::from(u8::from(!is_zero)), "{x:?}");
            assert_eq!(of(&x.negated()), (&p - value(&x)) % &p);
            assert_eq!(x.is_odd(), value(&x).to_bytes_le()[0] % 2 == 1);
            let divisor = Element::D.times(&Element([3, 0, 0, 0, 0]));
            match x.root_of_ratio(divisor) {
                Some(root) => {
                    assert_eq!(of(&root.squared().times(&divisor)), value(&x));
                    roots += 1;
                }
                None => {
                    // By Euler: the power of (p - 1) / 2 of what is no square is -1.
                    let ratio = value(&x) * value(&divisor.inverted()) % &p;
                    assert_eq!(ratio.modpow(&((&p - 1_u8) >> 1), &p), &p - 1_u8, "{x:?}");
                    none += 1;
                }
            }
        }
        assert!(roots > 10 && none > 10);
    }

    #[test]
    fn octets_are_reduced_and_lose_their_highest_bit() {
        let mut octets = [0xff; 32];
        assert_eq!(Element::from_octets(&octets).to_octets()[0], 18);
        octets[0] = 0xed;
        assert_eq!(Element::from_octets(&octets).to_octets(), [0; 32]);
        octets[0] = 0xec;
        octets[31] = 0x7f;
        assert_eq!(Element::from_octets(&octets).to_octets(), octets);
        let counted = std::array::from_fn(|at| u8::try_from(at * 3 + 1).unwrap());
        assert_eq!(Element::from_octets(&counted).to_octets(), counted);
    }
}
