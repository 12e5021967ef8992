//! Products and powers held against another implementation, and against all numbers of tiny limbs.

use super::*;
use crate::limb::tests::Tiny;
use rsa::BigUint;

/// A modulus in limbs of 64 bits.
pub(crate) fn checked<const N: usize>(modulus: &[u8]) -> Option<Checked<Modulus<u64, N>, [u64; N]>> {
    let (modulus, r_squared) = Modulus::of_octets(modulus)?;
    Checked::new(modulus, r_squared)
}

/// xorshift64*, so that a failure can be repeated.
pub(crate) struct Random(pub(crate) u64);
impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    /// Mostly extreme limbs, where carries are born.
    fn limb(&mut self) -> u64 {
        match self.next() >> 61 {
            0 => 0,
            1 | 2 => u64::MAX,
            3 => 1,
            4 => 1 << 63,
            _ => self.next(),
        }
    }
    pub(crate) fn octets(&mut self, limbs: usize) -> Vec<u8> {
        let dull = self.next() >> 63 == 0;
        (0..limbs).flat_map(|_| if dull { self.next() } else { self.limb() }.to_be_bytes()).collect()
    }
}

pub(crate) fn octets_of(limbs: &[u64]) -> Vec<u8> {
    limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}

fn agrees<const N: usize>(modulus: &[u8], base: &[u8], squarings: u32) {
    let mut ours = vec![0; modulus.len()];
    let ours = checked::<N>(modulus).unwrap().power_octets(base, squarings, &mut ours).map(|()| ours);
    let (n, s) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(base));
    let theirs = (s < n).then(|| s.modpow(&((BigUint::from(1_u32) << squarings as usize) + 1_u32), &n));
    let ours = ours.map(|octets| BigUint::from_bytes_be(&octets));
    assert_eq!(ours, theirs, "n = {n:x}, s = {s:x}, e = 2^{squarings} + 1");
}

fn agrees_on_many<const N: usize>(rounds: u64) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ N as u64);
    for round in 0..rounds {
        let length = if round % 4 == 0 { 1 + random.below(N) } else { N };
        let mut modulus = random.octets(length);
        *modulus.last_mut().unwrap() |= 1;
        if modulus.iter().all(|octet| *octet == 0) || BigUint::from_bytes_be(&modulus) == BigUint::from(1_u32) {
            continue;
        }
        let squarings = if random.below(2) == 0 { 16 } else { 1 };
        let n = BigUint::from_bytes_be(&modulus);
        let edges = [BigUint::from(0_u32), BigUint::from(1_u32), &n - 1_u32, n.clone(), &n + 1_u32, &n >> 1];
        let edge = &edges[random.below(edges.len())];
        if edge.bits() <= 64 * N {
            agrees::<N>(&modulus, &edge.to_bytes_be(), squarings);
        }
        agrees::<N>(&modulus, &random.octets(length), squarings);
        let below = BigUint::from_bytes_be(&random.octets(length)) % &n;
        agrees::<N>(&modulus, &below.to_bytes_be(), squarings);
    }
}

/// `MAILVERDICT_RSA_ROUNDS=1000000 cargo test --release montgomery` for the long run.
pub(crate) fn rounds(default: u64) -> u64 {
    std::env::var("MAILVERDICT_RSA_ROUNDS").map_or(default, |rounds| rounds.parse().unwrap())
}

#[test]
fn powers_agree_with_another_implementation_at_every_width() {
    agrees_on_many::<4>(rounds(400));
    agrees_on_many::<16>(rounds(200));
    agrees_on_many::<24>(rounds(60));
    agrees_on_many::<32>(rounds(60));
    agrees_on_many::<48>(rounds(30));
    agrees_on_many::<64>(rounds(20));
}

#[test]
fn moduli_of_all_ones_and_of_one_bit_agree() {
    for bits in [2, 63, 64, 65, 127, 128, 129, 1023, 1024] {
        let one = BigUint::from(1_u32);
        for modulus in [(&one << bits) - 1_u32, (&one << (bits - 1)) + 1_u32] {
            for base in [&modulus - 1_u32, &modulus >> 1, BigUint::from(2_u32)] {
                agrees::<16>(&modulus.to_bytes_be(), &base.to_bytes_be(), 16);
            }
        }
    }
}

/// The number reduced: a square may be as long as `R`.
fn residue(limbs: &[u64], modulus: &BigUint) -> BigUint {
    BigUint::from_bytes_be(&octets_of(limbs)) % modulus
}

fn extremes_agree<const N: usize>() {
    let one = BigUint::from(1_u32);
    let r = &one << (64 * N);
    let mut numbers = vec![[0; N], [1; N], [u64::MAX; N], [1 << 63; N]];
    for at in 0..N {
        numbers.push(std::array::from_fn(|limb| if limb < at { u64::MAX } else { 0 }));
        numbers.push(std::array::from_fn(|limb| if limb >= at { u64::MAX } else { 0 }));
        numbers.push(std::array::from_fn(|limb| if limb == at { 0 } else { u64::MAX }));
    }
    for n in [&r - 1_u32, (&r >> 1) + 1_u32, (&r >> 1) - 1_u32, (&r >> 63) + 1_u32, &r - (&one << 64) + 1_u32] {
        let wide = checked::<N>(&n.to_bytes_be()).unwrap();
        let below = wide.power(&limbs_of(&(&n - 1_u32).to_bytes_be()).unwrap(), 1).unwrap();
        let modulus = wide.products();
        for x in &numbers {
            let value = BigUint::from_bytes_be(&octets_of(x));
            let square = residue(&modulus.square_of(x, |_| ()).number, &n);
            assert_eq!(square * &r % &n, &value * &value % &n, "the square of {value:x} modulo {n:x}");
            let product = BigUint::from_bytes_be(&octets_of(&modulus.product(x, &below, |_| ()).number));
            assert!(product < n, "{value:x} modulo {n:x}");
            assert_eq!(product * &r % &n, &value * residue(&below, &n) % &n, "{value:x} modulo {n:x}");
        }
    }
}

#[test]
fn squares_and_products_of_extreme_limbs_agree_at_every_width() {
    extremes_agree::<4>();
    extremes_agree::<16>();
    extremes_agree::<24>();
    extremes_agree::<32>();
    extremes_agree::<48>();
    extremes_agree::<64>();
}

#[test]
fn octets_are_written_where_the_number_fits() {
    let limbs = [0x0102_0304_0506_0708, 0x090a, 0];
    for (room, fits) in [(0, false), (8, false), (9, false), (10, true), (11, true), (16, true), (24, true), (40, true)]
    {
        let mut octets = vec![0xff; room];
        assert_eq!(write_octets(&limbs, &mut octets).is_some(), fits, "{room}");
        assert!(!fits || limbs_of(&octets) == Some(limbs), "{octets:02x?}");
    }
}

#[test]
fn what_is_even_or_one_or_too_long_is_no_modulus() {
    for modulus in [&[][..], &[0], &[1], &[2], &[0xff; 32][..31], &[0xff; 33]] {
        let odd_and_short = modulus.last() == Some(&0xff) && modulus.len() <= 32;
        assert_eq!(checked::<4>(modulus).is_some(), odd_and_short, "{modulus:?}");
    }
    assert!(checked::<4>(&[&[0; 9], &[0xff_u8; 32][..]].concat()).is_some(), "leading zeros count for nothing");
}

/// The number as limbs, and back.
fn tiny<const B: usize, const N: usize>(number: u64) -> [Tiny<B>; N] {
    std::array::from_fn(|limb| Tiny::truncated(number >> (B * limb)))
}

fn value<const B: usize>(limbs: &[Tiny<B>]) -> u64 {
    limbs.iter().rev().fold(0, |number, limb| number << B | limb.value())
}

/// Goes through all moduli of `N` limbs of `B` bits, one in `step` of them, and all numbers for each.
fn all_numbers<const B: usize, const N: usize>(step: usize, factors: impl Fn(u64) -> Vec<u64>) {
    let r = 1_u64 << (B * N);
    let mut products = 0_u64;
    for n in (0..r).filter(|n| n % 2 == 0 || *n < 3) {
        assert!(Modulus::<_, N>::new(tiny::<B, N>(n)).is_none(), "{n} is no modulus");
    }
    for n in (3..r).step_by(2).step_by(step) {
        let modulus = Modulus::<_, N>::new(tiny::<B, N>(n)).unwrap();
        assert_eq!(modulus.negated_inverse().value() * n % (1 << B), (1 << B) - 1, "n = {n}");
        let r_squared = modulus.r_squared().unwrap();
        assert_eq!(value(&r_squared) % n, r * r % n, "n = {n}");
        for more in 0..5 {
            let power = modulus.power_of_two(&r_squared, 2 * B * N + more);
            assert_eq!(value(&power), ((r * r % n) << more) % n, "n = {n}, {more}");
        }
        // What makes of a product an equation.
        let holds = |x: u64, y: u64, product: &Product<[Tiny<B>; N], [Tiny<B>; N]>| {
            let (number, multiple) = (value(&product.number), value(&product.multiple));
            let subtracted = if product.subtracted { n } else { 0 };
            assert_eq!(x * y + multiple * n, (number + subtracted) * r, "{x} by {y} modulo {n}");
            number
        };
        for x in 0..r {
            let limbs = tiny::<B, N>(x);
            assert_eq!(modulus.is_reduced(&limbs), x < n);
            assert_eq!(bit_length(&limbs), (u64::BITS - x.leading_zeros()) as usize);
            holds(x, x, &modulus.square_of(&limbs, |multiple| *multiple));
            for top in 0..(1 << B).min(2) {
                let (difference, subtracted) = modulus.subtract_once(&limbs, Tiny::truncated(top));
                let whole = x + top * r;
                assert_eq!(subtracted, whole >= n, "{whole} modulo {n}");
                // The rest is a number of that width wherever it is asked for: less than R after one subtraction.
                let left = if subtracted { whole - n } else { whole };
                assert!(value(&difference) == left % r, "{whole} less {n}");
            }
            if x < n {
                let mut double = limbs;
                modulus.double(&mut double);
                assert_eq!(value(&double), 2 * x % n, "twice {x} modulo {n}");
            }
            for y in factors(x) {
                let number = holds(x, y, &modulus.product(&limbs, &tiny(y), |multiple| *multiple));
                assert!(number < n || x >= n && y >= n, "{x} by {y} modulo {n} is {number}");
                products += 1;
            }
        }
    }
    println!("{N} limbs of {B} bits: {products} products");
}

/// All that there is: every modulus, every pair of factors.
#[test]
fn products_of_all_numbers_of_tiny_limbs_are_right() {
    fn all<const B: usize, const N: usize>() {
        all_numbers::<B, N>(1, |_| (0..1 << (B * N)).collect());
    }
    all::<1, 4>();
    all::<1, 6>();
    all::<1, 8>();
    all::<2, 4>();
}

/// Every square of some moduli, and some products; of all moduli of twelve bits with `MAILVERDICT_ALL_MODULI=1`, which takes a minute.
#[test]
fn squares_of_all_numbers_of_tiny_limbs_are_right() {
    fn some<const B: usize, const N: usize>(step: usize) {
        let top = (1 << (B * N)) - 1;
        all_numbers::<B, N>(step, |x| vec![0, 1, top, top - x, x.wrapping_mul(0x9e37_79b9) & top]);
    }
    let step = if std::env::var_os("MAILVERDICT_ALL_MODULI").is_some() { 1 } else { 29 };
    some::<1, 10>(1);
    some::<3, 4>(step);
    some::<2, 6>(step);
    some::<1, 12>(step);
    some::<4, 4>(1999);
    some::<2, 8>(1999);
    some::<1, 16>(1999);
}

/// Every modulus, every base, every exponent that keys have, with the check of all products.
#[test]
fn powers_of_all_numbers_of_tiny_limbs_are_right() {
    fn all<const B: usize, const N: usize>(squarings: impl Fn(u64) -> Vec<u32>) {
        let r = 1_u64 << (B * N);
        for n in (3..r).step_by(2) {
            let modulus = Modulus::<_, N>::new(tiny::<B, N>(n)).unwrap();
            let r_squared = modulus.r_squared().unwrap();
            let checked = Checked::new(modulus, r_squared).unwrap();
            for base in 0..r {
                for squarings in squarings(base) {
                    let power = checked.power(&tiny(base), squarings).map(|power| value(&power));
                    let wanted = (0..squarings).fold(base, |power, _| power * power % n) * base % n;
                    assert_eq!(power, (base < n).then_some(wanted), "n = {n}, s = {base}, e = 2^{squarings} + 1");
                }
            }
        }
    }
    all::<1, 4>(|_| (1..=16).collect());
    all::<1, 6>(|_| (1..=16).collect());
    all::<1, 8>(|base| vec![16, u32::try_from(base % 16).unwrap() + 1]);
    all::<2, 4>(|base| vec![16, u32::try_from(base % 16).unwrap() + 1]);
}

/// Octets become limbs and limbs octets by moving bits. So each bit alone tells where all of them go.
#[test]
fn each_bit_of_octets_goes_where_it_belongs() {
    for bit in 0..64 * 16 {
        let mut octets = [0; 128];
        octets[127 - bit / 8] = 1 << (bit % 8);
        let limbs: [u64; 16] = limbs_of(&octets).unwrap();
        assert_eq!(limbs, std::array::from_fn(|limb| if limb == bit / 64 { 1 << (bit % 64) } else { 0 }));
        let mut written = [0xff; 128];
        write_octets(&limbs, &mut written).unwrap();
        assert_eq!(written, octets);
    }
}
