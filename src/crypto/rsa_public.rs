//! The public operation of RSA for the exponents that keys have, and the comparison that makes it a verification.

#[cfg(target_arch = "x86_64")]
use super::ifma;
use super::{InvalidSignature, montgomery};

/// Octets of the longest modulus.
const MAX_OCTETS: usize = 512;

/// A key prepared for verifying: its constants are computed once.
#[derive(Debug)]
pub(super) struct PreparedKey {
    modulus: Width,
    /// Octets of the modulus, `k` of RFC 8017.
    octets: usize,
    /// The exponent is 2 to the power of this, plus 1.
    squarings: u32,
}

/// The modulus at the least width that holds it.
#[derive(Debug)]
enum Width {
    Bits1024(Prepared<16, 3>),
    Bits1536(Prepared<24, 4>),
    Bits2048(Prepared<32, 5>),
    Bits3072(Prepared<48, 8>),
    Bits4096(Prepared<64, 10>),
}

/// The modulus in `N` limbs, or in `V` vectors where this processor has the instructions for them.
#[derive(Debug)]
enum Prepared<const N: usize, const V: usize> {
    Limbs(Box<montgomery::Modulus<N>>),
    #[cfg(target_arch = "x86_64")]
    Vectors(Box<ifma::Modulus<V>>),
}

#[cfg(target_arch = "x86_64")]
impl<const N: usize, const V: usize> Prepared<N, V>
where
    ifma::Modulus<V>: ifma::Width<V>,
{
    fn new(modulus: &[u8]) -> Option<Self> {
        let modulus = montgomery::Modulus::new(modulus)?;
        let vectors = ifma::Modulus::new(&modulus).map(|modulus| Self::Vectors(Box::new(modulus)));
        Some(vectors.unwrap_or_else(|| Self::Limbs(Box::new(modulus))))
    }

    fn power_is(&self, base: &[u8], squarings: u32, expected: &[u8]) -> bool {
        match self {
            Self::Limbs(modulus) => modulus.power_is(base, squarings, expected),
            Self::Vectors(modulus) => modulus.power_is(base, squarings, expected),
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl<const N: usize, const V: usize> Prepared<N, V> {
    fn new(modulus: &[u8]) -> Option<Self> {
        montgomery::Modulus::new(modulus).map(|modulus| Self::Limbs(Box::new(modulus)))
    }

    fn power_is(&self, base: &[u8], squarings: u32, expected: &[u8]) -> bool {
        let Self::Limbs(modulus) = self;
        modulus.power_is(base, squarings, expected)
    }
}

impl PreparedKey {
    /// `None` for a modulus of more than 4096 bits and for an exponent that is not 2^n + 1 with n from 1 to 16 (3 and 65537 are).
    ///
    /// `modulus` is big-endian, odd and without leading zeros.
    pub(super) fn new(modulus: &[u8], exponent: u64) -> Option<Self> {
        let squarings = squarings(exponent)?;
        let width = match modulus.len() {
            0..=128 => Width::Bits1024(Prepared::new(modulus)?),
            129..=192 => Width::Bits1536(Prepared::new(modulus)?),
            193..=256 => Width::Bits2048(Prepared::new(modulus)?),
            257..=384 => Width::Bits3072(Prepared::new(modulus)?),
            385..=MAX_OCTETS => Width::Bits4096(Prepared::new(modulus)?),
            _ => return None,
        };
        Some(Self { modulus: width, octets: modulus.len(), squarings })
    }

    /// RSASSA-PKCS1-V1_5-VERIFY (RFC 8017 §8.2.2), with the whole encoded message compared; `digest_info` is the DER up to the
    /// digest.
    pub(super) fn verify(&self, digest_info: &[u8], digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        // RFC 8017 §9.2 step 2: the DER ends in the length of the digest. §8.2.2 step 1: the signature is as long as the modulus.
        let is_whole = digest_info.last().is_some_and(|len| usize::from(*len) == digest.len());
        if !is_whole || signature.len() != self.octets {
            return Err(InvalidSignature);
        }
        let mut buffer = [0xff; MAX_OCTETS];
        let encoded = buffer.get_mut(..self.octets).ok_or(InvalidSignature)?;
        encode(encoded, digest_info, digest).ok_or(InvalidSignature)?;
        let verifies = self.modulus.power_is(signature, self.squarings, encoded);
        if verifies { Ok(()) } else { Err(InvalidSignature) }
    }
}

/// Whether this processor has the instructions for vectors.
#[cfg(all(feature = "aws-lc-rs", target_arch = "x86_64"))]
pub(super) fn has_vectors() -> bool {
    ifma::level().is_some()
}

#[cfg(all(feature = "aws-lc-rs", not(target_arch = "x86_64")))]
pub(super) fn has_vectors() -> bool {
    false
}

impl Width {
    fn power_is(&self, base: &[u8], squarings: u32, expected: &[u8]) -> bool {
        match self {
            Self::Bits1024(modulus) => modulus.power_is(base, squarings, expected),
            Self::Bits1536(modulus) => modulus.power_is(base, squarings, expected),
            Self::Bits2048(modulus) => modulus.power_is(base, squarings, expected),
            Self::Bits3072(modulus) => modulus.power_is(base, squarings, expected),
            Self::Bits4096(modulus) => modulus.power_is(base, squarings, expected),
        }
    }
}

/// The n of an exponent 2^n + 1, from 1 to 16.
pub(super) fn squarings(exponent: u64) -> Option<u32> {
    let power = exponent.checked_sub(1)?;
    (power.is_power_of_two() && (1..=16).contains(&power.trailing_zeros())).then(|| power.trailing_zeros())
}

/// The number that a signature stands for: the whole encoded message, for those who compare it with another's. `None` also where the
/// two ways to compute it differ.
#[cfg(any(fuzzing, test))]
pub(crate) fn power(modulus: &[u8], exponent: u64, base: &[u8]) -> Option<Vec<u8>> {
    let key = PreparedKey::new(modulus, exponent)?;
    let power = match &key.modulus {
        Width::Bits1024(_) => montgomery::Modulus::<16>::new(modulus)?.power_octets(base, key.squarings),
        Width::Bits1536(_) => montgomery::Modulus::<24>::new(modulus)?.power_octets(base, key.squarings),
        Width::Bits2048(_) => montgomery::Modulus::<32>::new(modulus)?.power_octets(base, key.squarings),
        Width::Bits3072(_) => montgomery::Modulus::<48>::new(modulus)?.power_octets(base, key.squarings),
        Width::Bits4096(_) => montgomery::Modulus::<64>::new(modulus)?.power_octets(base, key.squarings),
    };
    let expected = power.as_deref().unwrap_or(base);
    (key.modulus.power_is(base, key.squarings, expected) == power.is_some()).then_some(power).flatten()
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2) over octets that are all 0xff: 00 01 ff … ff 00, then the DER and the digest.
fn encode(message: &mut [u8], digest_info: &[u8], digest: &[u8]) -> Option<()> {
    let padding = message.len().checked_sub(digest_info.len() + digest.len() + 3)?;
    // RFC 8017 §9.2 step 4: at least eight octets of padding.
    if padding < 8 {
        return None;
    }
    let (head, tail) = message.split_at_mut_checked(padding + 2)?;
    let [zero, one, ..] = head else { return None };
    (*zero, *one) = (0, 1);
    let (separator, tail) = tail.split_first_mut()?;
    *separator = 0;
    for (to, from) in tail.iter_mut().zip(digest_info.iter().chain(digest)) {
        *to = *from;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoded_message_is_that_of_rfc_8017() {
        let mut message = [0xff; 16];
        encode(&mut message, b"\x30\x01", b"abc").unwrap();
        assert_eq!(&message, b"\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00\x30\x01abc".get(..16).unwrap());
        assert_eq!(encode(&mut [0xff; 15], b"\x30\x01", b"abc"), None, "seven octets of padding");
        assert_eq!(encode(&mut [0xff; 3], b"\x30\x01", b"abc"), None);
    }

    #[test]
    fn exponents_are_three_to_65537_by_powers_of_two() {
        let modulus = [0xff; 128];
        for (exponent, prepared) in [(0, false), (1, false), (2, false), (3, true), (5, true), (7, false)] {
            assert_eq!(PreparedKey::new(&modulus, exponent).is_some(), prepared, "{exponent}");
        }
        assert!(PreparedKey::new(&modulus, 65_537).is_some());
        assert!(PreparedKey::new(&modulus, 131_073).is_none());
        assert!(PreparedKey::new(&[0xff; 512], 65_537).is_some());
        assert!(PreparedKey::new(&[0xff; 513], 65_537).is_none());
    }
}
