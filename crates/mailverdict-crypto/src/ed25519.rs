//! Verification of Ed25519 signatures, with arithmetic of this crate for keys that are used more than once.
//!
//! It accepts what `verify_strict` of the crate `ed25519-dalek` accepts, and nothing else. That function refuses S that is not below
//! the order L; R that is the encoding of no point, or of one of small order; keys of small order, which are refused before; and
//! signatures where S B - k A, encoded, is not R octet by octet. Here R is not decoded: what equals an encoding that was just made
//! is the encoding of a point, and of small order are the points that [`has_small_order`] knows by their encodings. As there, k is
//! reduced modulo L before A is multiplied, which matters where A has a component of small order.

use crate::{
    InvalidSignature,
    edwards::{Multiples, Point},
    has_small_order,
};
use curve25519_dalek::Scalar;
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use sha2::{Digest as _, Sha512};
use std::sync::{
    LazyLock, OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// A public key; from its second use on with multiples of it, which take 8 kB.
///
/// ```
/// use mailverdict_crypto::{Ed25519PublicKey, InvalidSignature};
/// // RFC 8032 §7.1, test 1.
/// let key = b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\
///     \x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
/// let key = Ed25519PublicKey::from_bytes(key)?;
/// assert_eq!(key.verify(b"", &[0; 64]), Err(InvalidSignature));
/// # Ok::<(), mailverdict_crypto::InvalidEd25519Key>(())
/// ```
#[derive(Debug)]
pub struct Ed25519PublicKey {
    key: VerifyingKey,
    used: AtomicBool,
    /// Of -A: 64 points of 120 octets. They take the time of two verifications to compute.
    multiples: OnceLock<Option<Multiples<4>>>,
}

/// The octets are no point of the curve, or one of small order, with which one signature would verify over many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the octets are no usable point of the curve")]
pub struct InvalidEd25519Key;

/// Of the base point (RFC 8032 §5.1): 512 points, for all keys.
static BASE: LazyLock<Option<Multiples<32>>> = LazyLock::new(|| Point::decode(&BASE_POINT).map(Multiples::new));

/// The base point: y is 4/5, x is even.
const BASE_POINT: [u8; 32] = *b"Xfffffffffffffffffffffffffffffff";

impl Ed25519PublicKey {
    /// The key of its 32 octets (RFC 8032 §5.1.5). A y-coordinate that is not reduced is taken all the same, as `ed25519-dalek` does.
    ///
    /// # Errors
    /// [`InvalidEd25519Key`] for what is no point, and for the eight points of small order.
    pub fn from_bytes(octets: &[u8; 32]) -> Result<Self, InvalidEd25519Key> {
        let key = VerifyingKey::from_bytes(octets).map_err(|_| InvalidEd25519Key)?;
        if key.is_weak() { Err(InvalidEd25519Key) } else { Ok(Self::new(key)) }
    }

    /// `key` has no small order.
    fn new(key: VerifyingKey) -> Self {
        Self { key, used: AtomicBool::new(false), multiples: OnceLock::new() }
    }

    /// PureEdDSA (RFC 8032 §5.1.7) without the cofactor: accepts what `ed25519_dalek::VerifyingKey::verify_strict` accepts.
    ///
    /// # Errors
    /// [`InvalidSignature`] for any other signature than one over `message`, and for one whose R has a small order.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let octets: &[u8; 64] = signature.try_into().map_err(|_| InvalidSignature)?;
        if has_small_order(octets.first_chunk().ok_or(InvalidSignature)?) {
            return Err(InvalidSignature);
        }
        // Whoever publishes keys that are used once makes nobody prepare them.
        if !self.used.swap(true, Ordering::Relaxed) {
            return self.key.verify(message, &Signature::from_bytes(octets)).map_err(|_| InvalidSignature);
        }
        let prepare = || Point::decode(self.key.as_bytes()).map(|point| Multiples::new(point.negated()));
        match (self.multiples.get_or_init(prepare), &*BASE) {
            (Some(multiples), Some(base)) => self.verify_with(multiples, base, message, octets),
            // No octets lead here: both are points.
            _ => Err(InvalidSignature),
        }
    }

    /// RFC 8032 §5.1.7, without the cofactor.
    fn verify_with(
        &self,
        multiples: &Multiples<4>,
        base: &Multiples<32>,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), InvalidSignature> {
        let (r, s) = signature.split_first_chunk::<32>().ok_or(InvalidSignature)?;
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s.try_into().map_err(|_| InvalidSignature)?))
            .ok_or(InvalidSignature)?;
        let hash = Sha512::new().chain_update(r).chain_update(self.key.as_bytes()).chain_update(message).finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let (base_digits, key_digits) = (Multiples::<32>::digits(s.as_bytes()), Multiples::<4>::digits(k.as_bytes()));
        let expected = base.sum(&base_digits, multiples, &key_digits);
        if expected.encode() == *r { Ok(()) } else { Err(InvalidSignature) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::{EdwardsPoint, constants::EIGHT_TORSION};

    struct Random(Sha512, u64);
    impl Random {
        fn octets(&mut self) -> [u8; 64] {
            self.1 += 1;
            self.0.clone().chain_update(self.1.to_le_bytes()).finalize().into()
        }
        fn scalar(&mut self) -> Scalar {
            Scalar::from_bytes_mod_order_wide(&self.octets())
        }
        fn below(&mut self, bound: usize) -> usize {
            usize::from(u16::from_le_bytes([self.octets()[0], self.octets()[1]])) % bound
        }
    }

    /// A key that has been used.
    fn used(key: VerifyingKey) -> Ed25519PublicKey {
        let prepared = Ed25519PublicKey::new(key);
        prepared.used.store(true, Ordering::Relaxed);
        prepared
    }

    /// Both ways of verifying, and the crate: all the same.
    fn verdict(used: &Ed25519PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        let strict = used.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok();
        for (time, key) in [("first use", &Ed25519PublicKey::new(used.key)), ("later use", used)] {
            let ours = key.verify(message, signature).is_ok();
            assert_eq!(ours, strict, "{time}: key {:02x?}, signature {signature:02x?}", used.key.as_bytes());
        }
        assert!(used.multiples.get().is_some() || has_small_order(signature.first_chunk().unwrap()));
        strict
    }

    /// S = r + k a for R + of_r and A + of_key: what verifies if the components of small order cancel out.
    fn sign(random: &mut Random, secret: &Scalar, key: &VerifyingKey, of_r: &EdwardsPoint, message: &[u8]) -> [u8; 64] {
        let r = random.scalar();
        let point = (EdwardsPoint::mul_base(&r) + of_r).compress();
        let hash = Sha512::new().chain_update(point.as_bytes()).chain_update(key.as_bytes()).chain_update(message);
        let s = r + Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * secret;
        [*point.as_bytes(), *s.as_bytes()].concat().try_into().unwrap()
    }

    /// `MAILVERDICT_ED25519_ROUNDS=1000000 cargo test --release ed25519` for the long run.
    #[test]
    fn the_verdict_is_that_of_verify_strict() {
        let rounds = std::env::var("MAILVERDICT_ED25519_ROUNDS").map_or(300, |rounds| rounds.parse::<u64>().unwrap());
        let mut random = Random(Sha512::new().chain_update(b"ed25519"), 0);
        let (mut plain, mut mixed, mut refused) = (0, 0, 0);
        for round in 0..rounds {
            let message = random.octets();
            let message = &message[..random.below(64)];
            let secret = random.scalar();
            let (of_key, of_r) = if round % 2 == 0 {
                (EIGHT_TORSION[0], EIGHT_TORSION[0])
            } else {
                (EIGHT_TORSION[random.below(8)], EIGHT_TORSION[random.below(8)])
            };
            let key = VerifyingKey::from(EdwardsPoint::mul_base(&secret) + of_key);
            let good = sign(&mut random, &secret, &key, &of_r, message);
            let key = used(key);
            if verdict(&key, message, &good) {
                if round % 2 == 0 { plain += 1 } else { mixed += 1 }
            }
            assert!(round % 2 == 1 || plain == round / 2 + 1, "what was signed verifies");
            // R of small order, encoded in every way, S not reduced, S of 0, and bits that flip.
            let mut wrong = [good; 5];
            wrong[0][..32].copy_from_slice(EIGHT_TORSION[random.below(8)].compress().as_bytes());
            wrong[1][..32].fill(0xff);
            wrong[1][0] = 0xec + u8::try_from(random.below(20)).unwrap();
            wrong[1][31] = if random.below(2) == 0 { 0x7f } else { 0xff };
            wrong[2][63] |= 0x10 << random.below(4);
            wrong[3][32..].fill(0);
            wrong[4][random.below(64)] ^= 1 << random.below(8);
            for signature in &wrong {
                refused += u64::from(!verdict(&key, message, signature));
            }
        }
        println!("{plain} signatures and {mixed} with components of small order verify, {refused} others are refused");
        assert!(mixed > rounds / 40 && refused == 5 * rounds, "{mixed}, {refused}");
    }

    #[test]
    fn equations_of_small_order_are_decided_as_by_verify_strict() {
        // With S = 0 and R = -k A the equation holds for keys of any order; R of small order is refused all the same. S = 0, R of the
        // eight and keys that are nearly of small order, all of them with each other.
        let mut keys: Vec<VerifyingKey> = Vec::new();
        for torsion in EIGHT_TORSION {
            keys.push(VerifyingKey::from(EdwardsPoint::mul_base(&Scalar::ONE) + torsion));
        }
        // Keys whose y is not reduced.
        for k in 0..19 {
            for last in [0x7f, 0xff] {
                let mut octets = [0xff; 32];
                (octets[0], octets[31]) = (0xed + k, last);
                keys.extend(VerifyingKey::from_bytes(&octets).ok().filter(|key| !key.is_weak()));
            }
        }
        assert!(keys.len() > 16, "{}", keys.len());
        let mut accepted = 0;
        for key in keys {
            let prepared = used(key);
            for s in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(8_u8)] {
                for torsion in EIGHT_TORSION {
                    let candidates = [torsion, torsion + key.to_edwards(), torsion - key.to_edwards()];
                    for r in candidates.map(|point| point.compress()) {
                        let signature = [*r.as_bytes(), *s.as_bytes()].concat().try_into().unwrap();
                        accepted += u32::from(verdict(&prepared, b"message", &signature));
                    }
                }
                // R is what the equation wants.
                for message in [&b""[..], b"a", b"b", b"c"] {
                    let mut random = Random(Sha512::new().chain_update(message), 0);
                    let signature = sign(&mut random, &s, &key, &EIGHT_TORSION[0], message);
                    accepted += u32::from(verdict(&prepared, message, &signature));
                }
            }
        }
        assert!(accepted >= 4, "{accepted}");
    }
}
