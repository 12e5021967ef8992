//! Products and powers by vectors held against those by limbs, and against a model for all numbers of tiny limbs.

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

/// What the kernel does, in plain numbers: limbs of `bits` bits in lanes of 64. The product, and the limbs of the multiple of the modulus.
///
/// Sums are checked for overflow, as all arithmetic of tests is.
fn model(bits: u32, x: &[u64], y: &[u64], modulus: &[u64], negated_inverse: u64) -> (Vec<u64>, Vec<u64>) {
    let mask = (1 << bits) - 1;
    let halves = |x: u64, y: u64| {
        // An instruction for products looks at the lowest bits of its factors alone.
        let wide = u128::from(x & mask) * u128::from(y & mask);
        (u64::try_from(wide & u128::from(mask)).unwrap(), u64::try_from(wide >> bits).unwrap())
    };
    let (mut sums, mut multiples) = (vec![0; x.len()], Vec::new());
    for &limb in y {
        for (sum, &factor) in sums.iter_mut().zip(x) {
            *sum += halves(factor, limb).0;
        }
        let (multiple, _) = halves(sums[0], negated_inverse);
        for (sum, &divisor) in sums.iter_mut().zip(modulus) {
            *sum += halves(divisor, multiple).0;
        }
        let carry = sums.remove(0) >> bits;
        sums.push(0);
        sums[0] += carry;
        for ((sum, &factor), &divisor) in sums.iter_mut().zip(x).zip(modulus) {
            *sum += halves(factor, limb).1 + halves(divisor, multiple).1;
        }
        multiples.push(multiple);
    }
    let mut carry = 0;
    for sum in &mut sums {
        (*sum, carry) = ((*sum + carry) & mask, (*sum + carry) >> bits);
    }
    assert_eq!(carry, 0, "nothing is left over");
    (sums, multiples)
}

fn is_the_model<const N: usize, const V: usize>()
where
    Modulus<V>: Width<V>,
{
    let count = Modulus::<V>::LIMBS;
    let mut random = Random(0x1234_5678_9abc_def1 ^ N as u64);
    for round in 0..40 {
        let mut modulus = if round == 0 { vec![0xff; 8 * N] } else { random.octets(N) };
        *modulus.last_mut().unwrap() |= 1;
        modulus[0] |= 1;
        let (_, wide) = both::<N, V>(&BigUint::from_bytes_be(&modulus));
        let wide = wide.products();
        let twice = (BigUint::from_bytes_be(&modulus) << 1) - 1_u32;
        let mut factor = || if round == 0 { twice.clone() } else { BigUint::from_bytes_be(&random.octets(N)) % &twice };
        let (x, y): (Limbs<V>, Limbs<V>) = (limbs(&factor()), limbs(&factor()));
        let weights: Vec<u64> = (0..count).map(|_| random.next() >> 3).collect();
        let (product, sum) = wide.product(&x, &y, &weights);
        let [x, y, n, product] = [&x, &y, &wide.limbs, &product].map(|limbs| limbs.as_flattened());
        let (wanted, multiples) = model(52, x, &y[..count], n, wide.negated_inverse);
        assert_eq!(product, wanted);
        let weighed = multiples.iter().zip(&weights).map(|(limb, weight)| u128::from(*limb) * u128::from(*weight));
        assert_eq!(sum, weighed.sum::<u128>());
    }
}

#[test]
fn the_kernel_does_what_the_model_does() {
    if is_here() {
        is_the_model::<16, 3>();
        is_the_model::<24, 4>();
        is_the_model::<32, 5>();
        is_the_model::<48, 8>();
        is_the_model::<64, 10>();
    }
}

/// Whatever the limbs, no lane overflows: a step adds two lower halves, what goes over from the lane below, and two upper halves, and
/// there are 79 steps at most.
#[test]
fn lanes_do_not_overflow() {
    let mut most = 0_u64;
    for _ in 0..80 {
        most += 2 * MASK;
        most += (most >> BITS) + 2 * (MASK - 1);
    }
    assert!(most < 1 << 61, "{most:x}");
}

/// For all moduli of `limbs - 1` limbs and some bits, and all factors below twice the modulus, as far as `R` is four times the modulus.
fn model_is_right(bits: u32, limbs: usize) {
    let (r, mask) = (1_u64 << (bits * u32::try_from(limbs).unwrap()), (1 << bits) - 1);
    let split = |number: u64| -> Vec<u64> {
        (0..limbs).map(|limb| number >> (bits * u32::try_from(limb).unwrap()) & mask).collect()
    };
    let value = |limbs: &[u64]| limbs.iter().rev().fold(0, |number, limb| (number << bits) + limb);
    for n in (3..=r / 4).step_by(2) {
        let negated_inverse = (1..=mask).find(|inverse| (n * inverse) & mask == mask).unwrap();
        let modulus = split(n);
        for x in 0..2 * n {
            let x_limbs = split(x);
            for y in (0..2 * n).filter(|y| bits * 4 < 8 || y % 5 == x % 5 || x == *y) {
                let (product, multiples) = model(bits, &x_limbs, &split(y), &modulus, negated_inverse);
                let (product, multiple) = (value(&product), value(&multiples));
                assert_eq!(product * r, x * y + multiple * n, "{x} by {y} modulo {n}");
                assert!(product < 2 * n, "{x} by {y} modulo {n} is {product}");
            }
        }
    }
}

#[test]
fn the_model_is_right_for_all_numbers_of_tiny_limbs() {
    model_is_right(1, 4);
    model_is_right(1, 6);
    model_is_right(2, 4);
    model_is_right(1, 8);
}

/// Octets become limbs and limbs octets by moving bits. So each bit alone tells where all of them go.
#[test]
fn each_bit_of_octets_goes_where_it_belongs() {
    for bit in 0..52 * 24 {
        let mut octets = [0; 156];
        octets[155 - bit / 8] = 1 << (bit % 8);
        let limbs: Limbs<3> = from_octets(&octets).unwrap();
        let wanted: [u64; 24] = std::array::from_fn(|limb| if limb == bit / 52 { 1 << (bit % 52) } else { 0 });
        assert_eq!(limbs.as_flattened(), wanted);
        let mut written = [0xff; 156];
        write_octets(&limbs, &mut written).unwrap();
        assert_eq!(written, octets);
    }
}

/// The last subtraction, for all numbers that two limbs decide.
#[test]
fn differences_borrow_through_all_limbs() {
    let edges = [0, 1, 2, MASK / 2, MASK - 1, MASK];
    for (low, middle, high) in
        edges.iter().flat_map(|low| edges.map(|middle| edges.map(|high| (*low, middle, high)))).flatten()
    {
        for (v, w) in edges.iter().flat_map(|v| edges.map(|w| (*v, w))) {
            let (mut x, mut y): (Limbs<1>, Limbs<1>) = ([[0; 8]], [[0; 8]]);
            x[0][..4].copy_from_slice(&[low, middle, middle, high]);
            y[0][..3].copy_from_slice(&[v, w, v]);
            let (a, b) = (number(&x), number(&y));
            if a >= b {
                assert_eq!(number(&difference(&x, &y)), a - b);
            }
        }
    }
}
