//! How much may be computed to find out what happened to a message.

/// Octets that may still be hashed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    left: u64,
    /// What an octet costs.
    price: u64,
}

/// What one attempt costs beside its octets: two blocks of a hash, and the bookkeeping.
const ATTEMPT: u64 = 256;

impl Work {
    pub(super) fn new(octets: u64) -> Self {
        Self { left: octets, price: 1 }
    }

    /// Pays for an attempt that hashes so many octets; whether that is affordable.
    pub(super) fn pay(&mut self, octets: usize) -> bool {
        let price = (octets as u64).saturating_mul(self.price).saturating_add(ATTEMPT);
        match self.left.checked_sub(price) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// The same for a text of which each octet costs more.
    pub(super) fn at_price(self, price: u64) -> Self {
        Self { price, ..self }
    }

    /// Gives away a part of what is left.
    pub(super) fn split(&mut self, parts: u64) -> Self {
        let part = self.left / parts.max(1);
        self.left -= part;
        Self { left: part, price: self.price }
    }

    /// Takes back what was not used.
    pub(super) fn join(&mut self, rest: Self) {
        self.left = self.left.saturating_add(rest.left);
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.left < ATTEMPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_paid_than_there_is() {
        let mut work = Work::new(3 * (100 + ATTEMPT));
        let mut half = work.split(2);
        assert!(half.pay(100) && !half.pay(100));
        work.join(half);
        assert!(work.pay(100) && work.pay(100) && !work.pay(100));
        assert!(work.is_used_up());
        assert!(!Work::new(u64::MAX).is_used_up());
        let mut dear = Work::new(3 * 100 + ATTEMPT).at_price(3);
        assert!(!dear.pay(101) && dear.pay(100) && dear.is_used_up());
    }
}
