//! Random numbers from a seed, the same on every machine, and the two distributions of the day.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each `what` and `number`.
    pub fn of(seed: u64, what: &str, number: u64) -> Self {
        let mut random = Self(seed);
        for octet in what.bytes() {
            random.0 = random.draw() ^ u64::from(octet);
        }
        random.0 = random.draw() ^ number;
        random.draw();
        random
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From zero, less than `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.draw()) * bound as u128) >> 64) as usize
    }

    /// From zero, less than one.
    pub fn unit(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in this share of all cases.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub fn among<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// The place of one of these, each as often as its weight says.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (at, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return at;
            }
        }
        weights.len() - 1
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}

/// Zipf's law with the exponent 1.0: the rank `n`, counted from zero, comes as often as 1 / (n + 1).
pub struct Zipf(Vec<f64>);

impl Zipf {
    pub fn new(ranks: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=ranks).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self(sums.collect())
    }

    pub fn rank(&self, random: &mut Random) -> usize {
        let at = random.unit() * self.0.last().expect("there is a rank");
        self.0.partition_point(|sum| *sum <= at).min(self.0.len() - 1)
    }
}

/// The value that a share of the standard normal distribution is below; the share is more than 0 and less than 1.
///
/// By bisection of its density's sums: it is asked for a few thousand values once, and has to be right rather than fast.
pub fn normal_quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-8.0_f64, 8.0_f64);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if normal_share(middle) < share { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The share of the standard normal distribution below `value`: its series (Marsaglia, "Evaluating the normal distribution", 2004).
fn normal_share(value: f64) -> f64 {
    let (mut sum, mut term, mut before, mut odd) = (value, value, 0.0, 1.0);
    while sum != before {
        before = sum;
        odd += 2.0;
        term *= value * value / odd;
        sum += term;
    }
    0.5 + sum * (-0.5 * value * value - 0.918_938_533_204_672_8).exp()
}
