//! Powers modulo an odd number, for the public operation of RSA.
//!
//! Everything here is public (modulus, exponent, signature), so time may depend on the values. A wrong carry would be a wrong
//! verdict: the tests hold every width against another implementation, over random and extreme values.
//!
//! Numbers are limbs of 64 bits, least significant first. A row of a product, or of a reduction (P. Montgomery, "Modular
//! multiplication without trial division", 1985), is added two columns at a time: two carries for two products, not four.

/// `low + 2^64 * high == addend + x * y + carry`; the sum cannot exceed 128 bits.
#[inline(always)]
fn multiply_add(addend: u64, x: u64, y: u64, carry: u64) -> (u64, u64) {
    halves(u128::from(addend) + u128::from(x) * u128::from(y) + u128::from(carry))
}

/// The low and the high half; both fit, and so neither conversion leaves a trace in the compiled code.
#[inline(always)]
fn halves(wide: u128) -> (u64, u64) {
    let low = u64::try_from(wide & u128::from(u64::MAX)).unwrap_or_default();
    (low, u64::try_from(wide >> 64).unwrap_or_default())
}

/// An odd modulus of at most `N` limbs with the constants that Montgomery reduction needs.
#[derive(Clone, Debug)]
pub(crate) struct Modulus<const N: usize> {
    limbs: [u64; N],
    /// `-limbs^-1` modulo 2^64.
    negated_inverse: u64,
    /// `R * R` modulo the modulus, where `R` is 2^(64 N).
    r_squared: [u64; N],
}

impl<const N: usize> Modulus<N> {
    /// `N` is even and at least 4.
    const WIDTH: () = assert!(N >= 4 && N.is_multiple_of(2));

    /// Big-endian octets of an odd number greater than 1 that fits; `None` for any other.
    pub(crate) fn new(octets: &[u8]) -> Option<Self> {
        let () = Self::WIDTH;
        let limbs = limbs_of(octets)?;
        let lowest = *limbs.first()?;
        let bits = bit_length(&limbs);
        if lowest & 1 == 0 || bits < 2 {
            return None;
        }
        // Newton's iteration: each step doubles the bits that are right, and the first has three.
        let mut inverse = lowest;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(lowest.wrapping_mul(inverse)));
        }
        let mut modulus = Self { limbs, negated_inverse: inverse.wrapping_neg(), r_squared: [0; N] };

        // From the highest power of two below the modulus by doubling to R * 2^64, which stands for 2^64 in Montgomery form.
        let mut power = [0; N];
        let top_bit = bits - 1;
        *power.get_mut(top_bit / 64)? = 1 << (top_bit % 64);
        for _ in top_bit..64 * N + 64 {
            modulus.double(&mut power);
        }
        // Its N-th power stands for R: square and multiply, from the second highest bit of N down.
        let mut result = power;
        for bit in (0..usize::BITS - 1 - N.leading_zeros()).rev() {
            result = modulus.square(&result);
            if N >> bit & 1 == 1 {
                result = modulus.multiply(&result, &power);
            }
        }
        modulus.r_squared = result;
        Some(modulus)
    }

    /// Writes `base` to the power of `2^squarings + 1`, all in big-endian octets; `None` where `base` is not less than the modulus, and
    /// where `power` has no room for the modulus.
    pub(crate) fn power(&self, base: &[u8], squarings: u32, power: &mut [u8]) -> Option<()> {
        write_octets(&self.power_limbs(&limbs_of(base)?, squarings)?, power)
    }

    fn power_limbs(&self, base: &[u64; N], squarings: u32) -> Option<[u64; N]> {
        if !is_less(base, &self.limbs) {
            return None;
        }
        let mut power = self.multiply(base, &self.r_squared);
        for _ in 0..squarings {
            power = self.square(&power);
        }
        // One factor without R takes the R out of the product. It is less than the modulus, and so the product is reduced fully.
        Some(self.multiply(&power, base))
    }

    /// Twice the number, which is less than the modulus and stays so.
    fn double(&self, number: &mut [u64; N]) {
        let mut carry = 0;
        for limb in number.iter_mut() {
            let doubled = *limb << 1 | carry;
            carry = *limb >> 63;
            *limb = doubled;
        }
        *number = self.subtract_once(number, carry);
    }

    /// `number + 2^(64 N) * top`, less the modulus where it is not less than that.
    #[inline(always)]
    fn subtract_once(&self, number: &[u64; N], top: u64) -> [u64; N] {
        let mut difference = [0; N];
        let mut borrow = false;
        for ((to, &x), &y) in difference.iter_mut().zip(number).zip(&self.limbs) {
            let (partial, first) = x.overflowing_sub(y);
            let (limb, second) = partial.overflowing_sub(u64::from(borrow));
            *to = limb;
            borrow = first | second;
        }
        if top > 0 || !borrow { difference } else { *number }
    }

    /// `x * y / R`, less than the modulus if one of the factors is.
    fn multiply(&self, x: &[u64; N], y: &[u64; N]) -> [u64; N] {
        let mut product = [[0; N]; 2];
        let wide = product.as_flattened_mut();
        for (start, &limb) in y.iter().enumerate() {
            let Some(([end, ..], row)) = split_row(wide, start, N) else { break };
            *end = add_row(row, x, limb, 0);
        }
        let top = self.reduce(&mut product);
        let [_, high] = product;
        self.subtract_once(&high, top)
    }

    /// `x * x / R`, less than `R` but not always less than the modulus.
    ///
    /// The square is less than `R * R`, the multiple of the modulus that the reduction adds is less than `R` times the modulus:
    /// their sum over `R` is less than `R` once the modulus is subtracted where `R` was reached.
    fn square(&self, x: &[u64; N]) -> [u64; N] {
        let mut product = [[0; N]; 2];
        let wide = product.as_flattened_mut();
        // Each product of two different limbs once, …
        for (pair, limbs) in x.chunks_exact(2).enumerate() {
            let &[low, high] = limbs else { break };
            let tail = x.get(2 * pair + 2..).unwrap_or_default();
            // low * high, then both with each limb after them
            let Some((column, carry)) = wide.get(4 * pair + 1).map(|column| multiply_add(*column, low, high, 0)) else {
                break;
            };
            let Some((after, [.., first])) = split_row(wide, 4 * pair + 1, 1) else { break };
            *first = column;
            let Some(([end, ..], row)) = split_row(after, 0, tail.len()) else { break };
            *end = add_row(row, tail, low, carry);
            let Some(([end, ..], row)) = split_row(after, 1, tail.len()) else { break };
            *end = add_row(row, tail, high, 0);
        }
        // … doubled, and the squares of the limbs added.
        let (mut shifted_out, mut carry) = (0, 0);
        for (columns, &limb) in wide.chunks_exact_mut(2).zip(x) {
            let [low, high] = columns else { break };
            let (square_low, square_high) = halves(u128::from(limb) * u128::from(limb));
            let doubled_low = *low << 1 | shifted_out;
            let doubled_high = *high << 1 | *low >> 63;
            shifted_out = *high >> 63;
            let inner;
            (*low, inner) = halves(u128::from(doubled_low) + u128::from(square_low) + u128::from(carry));
            (*high, carry) = halves(u128::from(doubled_high) + u128::from(square_high) + u128::from(inner));
        }
        let top = self.reduce(&mut product);
        let [_, high] = product;
        if top > 0 { self.subtract_once(&high, top) } else { high }
    }

    /// Adds the multiple of the modulus that makes the lower half vanish; the upper half and the 2^(128 N) returned are
    /// `product / R`, less than the modulus plus the upper half before.
    #[inline(always)]
    fn reduce(&self, product: &mut [[u64; N]; 2]) -> u64 {
        let wide = product.as_flattened_mut();
        let mut top = 0;
        for start in 0..N {
            let Some(([end, ..], row)) = split_row(wide, start, N) else { break };
            let [lowest, ..] = &*row else { break };
            let multiple = lowest.wrapping_mul(self.negated_inverse);
            let carry = add_row(row, &self.limbs, multiple, 0);
            (*end, top) = halves(u128::from(*end) + u128::from(carry) + u128::from(top));
        }
        top
    }
}

/// What arithmetic by vectors is prepared from, on processors that may have it.
#[cfg(target_arch = "x86_64")]
impl<const N: usize> Modulus<N> {
    pub(crate) fn limbs(&self) -> &[u64; N] {
        &self.limbs
    }

    /// `-limbs^-1` modulo 2^64.
    pub(crate) fn negated_inverse(&self) -> u64 {
        self.negated_inverse
    }

    /// 2 to the power of `exponent`, which is not less than 128 N, modulo the modulus.
    pub(crate) fn power_of_two(&self, exponent: usize) -> [u64; N] {
        // Both products are less than the modulus, for one of their factors is.
        let mut one = [0; N];
        if let [lowest, ..] = one.as_mut_slice() {
            *lowest = 1;
        }
        let r = self.multiply(&self.r_squared, &one);
        let mut power = self.multiply(&self.r_squared, &r);
        for _ in 128 * N..exponent {
            self.double(&mut power);
        }
        power
    }
}

/// What is after the row of that length, and the row.
#[inline(always)]
fn split_row(columns: &mut [u64], start: usize, length: usize) -> Option<(&mut [u64], &mut [u64])> {
    let (row, after) = columns.get_mut(start..)?.split_at_mut_checked(length)?;
    Some((after, row))
}

/// Adds `x * y + carry` to as many columns as `x` has limbs, which is an even number, and returns what goes to the next.
#[inline(always)]
fn add_row(columns: &mut [u64], x: &[u64], y: u64, mut carry: u64) -> u64 {
    // Eight at a time are unrolled.
    let (columns, columns_left) = columns.as_chunks_mut::<8>();
    let (limbs, limbs_left) = x.as_chunks::<8>();
    for (columns, limbs) in columns.iter_mut().zip(limbs) {
        carry = add_pairs(columns, limbs, y, carry);
    }
    add_pairs(columns_left, limbs_left, y, carry)
}

#[inline(always)]
fn add_pairs(columns: &mut [u64], x: &[u64], y: u64, mut carry: u64) -> u64 {
    let ((columns, _), (limbs, _)) = (columns.as_chunks_mut::<2>(), x.as_chunks::<2>());
    for (columns, limbs) in columns.iter_mut().zip(limbs) {
        carry = add_pair(columns, *limbs, y, carry);
    }
    carry
}

/// [`add_row`] for two limbs. The sum is less than 2^192, and so what is returned cannot overflow.
#[inline(always)]
fn add_pair([column_0, column_1]: &mut [u64; 2], [x_0, x_1]: [u64; 2], y: u64, carry: u64) -> u64 {
    let (low_0, high_0) = halves(u128::from(x_0) * u128::from(y));
    let (low_1, high_1) = halves(u128::from(x_1) * u128::from(y));
    let (partial, first) = joined(low_0, low_1).overflowing_add(joined(*column_0, *column_1));
    let (sum, second) = partial.overflowing_add(joined(carry, high_0));
    (*column_0, *column_1) = halves(sum);
    high_1 + u64::from(first) + u64::from(second)
}

/// The opposite of [`halves`].
#[inline(always)]
fn joined(low: u64, high: u64) -> u128 {
    u128::from(low) | u128::from(high) << 64
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
fn bit_length(limbs: &[u64]) -> usize {
    let high = limbs.iter().rposition(|limb| *limb != 0);
    high.and_then(|at| limbs.get(at).map(|limb| 64 * (at + 1) - limb.leading_zeros() as usize)).unwrap_or_default()
}

fn is_less(x: &[u64], y: &[u64]) -> bool {
    x.iter().rev().lt(y.iter().rev())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rsa::BigUint;

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
        let ours = Modulus::<N>::new(modulus).unwrap().power(base, squarings, &mut ours).map(|()| ours);
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
            let modulus = Modulus::<N>::new(&n.to_bytes_be()).unwrap();
            let below = modulus.power_limbs(&limbs_of(&(&n - 1_u32).to_bytes_be()).unwrap(), 1).unwrap();
            for x in &numbers {
                let value = BigUint::from_bytes_be(&octets_of(x));
                let square = residue(&modulus.square(x), &n);
                assert_eq!(square * &r % &n, &value * &value % &n, "the square of {value:x} modulo {n:x}");
                let product = BigUint::from_bytes_be(&octets_of(&modulus.multiply(x, &below)));
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
        for (room, fits) in
            [(0, false), (8, false), (9, false), (10, true), (11, true), (16, true), (24, true), (40, true)]
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
            assert_eq!(Modulus::<4>::new(modulus).is_some(), odd_and_short, "{modulus:?}");
        }
        assert!(
            Modulus::<4>::new(&[&[0; 9], &[0xff_u8; 32][..]].concat()).is_some(),
            "leading zeros count for nothing"
        );
    }
}
