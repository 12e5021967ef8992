//! The public operation of RSA for the exponents that keys have, and the comparison that makes it a verification.

#[cfg(target_arch = "x86_64")]
use crate::ifma;
use crate::{InvalidSignature, montgomery, power::Checked};

/// Octets of the longest modulus.
const MAX_OCTETS: usize = 512;

/// A public key, ready for verifying: its constants are computed once.
///
/// ```
/// use mailverdict_crypto::{Hash, InvalidSignature, RsaPublicKey};
/// // A modulus of 1024 bits; whose it is does not matter here.
/// let key = RsaPublicKey::from_components(&[0xd5; 128], 65_537)?;
/// assert_eq!(key.bits(), 1024);
/// assert_eq!(key.verify_pkcs1v15(Hash::Sha256, &[0; 32], &[1; 128]), Err(InvalidSignature));
/// # Ok::<(), mailverdict_crypto::InvalidRsaKey>(())
/// ```
#[derive(Debug)]
pub struct RsaPublicKey {
    modulus: Width,
    /// Octets of the modulus, `k` of RFC 8017.
    octets: usize,
    bits: usize,
    /// The exponent is 2 to the power of this, plus 1.
    squarings: u32,
}

/// Why two numbers are no RSA key that is verified with here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRsaKey {
    /// The modulus has more than 4096 bits.
    #[error("the modulus has {bits} bits; at most 4096 are verified")]
    TooLong {
        /// The size of the modulus.
        bits: usize,
    },
    /// The modulus is even, or less than three.
    #[error("the modulus is not an odd number greater than one")]
    Modulus,
    /// The exponent is not one of [`RsaPublicKey::takes_exponent`].
    #[error("the public exponent is not 2^n + 1 with n from 1 to 16")]
    Exponent,
}

/// What was hashed with, as the signed block names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-1: 20 octets.
    Sha1,
    /// SHA-256: 32 octets.
    Sha256,
}

impl Hash {
    /// The DER of DigestInfo up to the digest (RFC 8017 §9.2, note 1); its last octet is the length of the digest.
    pub const fn digest_info(self) -> &'static [u8] {
        match self {
            Self::Sha1 => b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
            Self::Sha256 => b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
        }
    }
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

/// What to compute by.
#[derive(Clone, Copy, Debug)]
enum By {
    /// By limbs, although this processor may have vectors.
    Limbs,
    /// By vectors where this processor has the instructions for them.
    Vectors,
}

/// The modulus in `N` limbs, or in `V` vectors where this processor has the instructions for them.
#[derive(Debug)]
enum Prepared<const N: usize, const V: usize> {
    Limbs(Box<Checked<montgomery::Modulus<u64, N>, [u64; N]>>),
    #[cfg(target_arch = "x86_64")]
    Vectors(Box<Checked<ifma::Modulus<V>, ifma::Limbs<V>>>),
}

#[cfg(target_arch = "x86_64")]
impl<const N: usize, const V: usize> Prepared<N, V>
where
    ifma::Modulus<V>: ifma::Width<V>,
{
    fn new(modulus: &[u8], by: By) -> Option<Self> {
        let (limbs, r_squared) = montgomery::Modulus::of_octets(modulus)?;
        let vectors = match by {
            By::Vectors => Checked::<ifma::Modulus<V>, _>::of_limbs(&limbs, &r_squared),
            By::Limbs => None,
        };
        Some(match vectors {
            Some(vectors) => Self::Vectors(Box::new(vectors)),
            None => Self::Limbs(Box::new(Checked::new(limbs, r_squared)?)),
        })
    }

    fn power(&self, base: &[u8], squarings: u32, power: &mut [u8]) -> Option<()> {
        match self {
            Self::Limbs(modulus) => modulus.power_octets(base, squarings, power),
            Self::Vectors(modulus) => modulus.power_octets(base, squarings, power),
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl<const N: usize, const V: usize> Prepared<N, V> {
    fn new(modulus: &[u8], _: By) -> Option<Self> {
        let (limbs, r_squared) = montgomery::Modulus::of_octets(modulus)?;
        Some(Self::Limbs(Box::new(Checked::new(limbs, r_squared)?)))
    }

    fn power(&self, base: &[u8], squarings: u32, power: &mut [u8]) -> Option<()> {
        let Self::Limbs(modulus) = self;
        modulus.power_octets(base, squarings, power)
    }
}

impl RsaPublicKey {
    /// Makes a key ready, of a modulus in big-endian octets and a public exponent. Leading zeros of the modulus count for nothing.
    ///
    /// # Errors
    /// [`InvalidRsaKey`] for a modulus that is even, less than three or longer than 4096 bits, and for an exponent that
    /// [`takes_exponent`](Self::takes_exponent) does not name. Whether the modulus is a product of two primes is not looked at.
    pub fn from_components(modulus: &[u8], exponent: u64) -> Result<Self, InvalidRsaKey> {
        Self::new(modulus, exponent, By::Vectors)
    }

    /// The same key without vectors, for those who compare both ways.
    #[doc(hidden)]
    pub fn by_limbs(modulus: &[u8], exponent: u64) -> Result<Self, InvalidRsaKey> {
        Self::new(modulus, exponent, By::Limbs)
    }

    fn new(modulus: &[u8], exponent: u64, by: By) -> Result<Self, InvalidRsaKey> {
        let start = modulus.iter().position(|octet| *octet != 0).unwrap_or(modulus.len());
        let modulus = modulus.get(start..).unwrap_or_default();
        let leading_zeros = modulus.first().map_or(0, |octet| octet.leading_zeros() as usize);
        let bits = (8 * modulus.len()).saturating_sub(leading_zeros);
        if bits > 8 * MAX_OCTETS {
            return Err(InvalidRsaKey::TooLong { bits });
        }
        let squarings = squarings(exponent).ok_or(InvalidRsaKey::Exponent)?;
        let width = Width::new(modulus, by).ok_or(InvalidRsaKey::Modulus)?;
        Ok(Self { modulus: width, octets: modulus.len(), bits, squarings })
    }

    /// Whether keys with this public exponent are verified with here: 2^n + 1 with n from 1 to 16, which 3 and 65537 are.
    pub fn takes_exponent(exponent: u64) -> bool {
        squarings(exponent).is_some()
    }

    /// The size of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// RSASSA-PKCS1-V1_5-VERIFY (RFC 8017 §8.2.2), with the whole encoded message compared.
    ///
    /// # Errors
    /// [`InvalidSignature`] for any other signature than that over `digest`, also where the digest or the signature does not have
    /// the length it must have, and where the modulus has no room for the digest.
    pub fn verify_pkcs1v15(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let digest_info = hash.digest_info();
        // RFC 8017 §9.2 step 2: the DER ends in the length of the digest.
        if digest_info.last().is_none_or(|len| usize::from(*len) != digest.len()) {
            return Err(InvalidSignature);
        }
        let (mut expected, mut opened) = ([0xff; MAX_OCTETS], [0; MAX_OCTETS]);
        let expected = expected.get_mut(..self.octets).ok_or(InvalidSignature)?;
        encode(expected, digest_info, digest).ok_or(InvalidSignature)?;
        let opened = opened.get_mut(..self.octets).ok_or(InvalidSignature)?;
        self.open_into(signature, opened)?;
        if opened == expected { Ok(()) } else { Err(InvalidSignature) }
    }

    /// The block that was signed (RFC 8017 §8.2.2, steps 1 and 2): `signature` to the power of the exponent modulo the modulus, in as
    /// many octets as the modulus has.
    ///
    /// It says what a signature that does not verify was made of: with the key that made it, the block is 00 01 ff … ff 00, a
    /// DigestInfo and the digest that was signed; with another key it is as good as random.
    ///
    /// # Errors
    /// [`InvalidSignature`] for one that is not as long as the modulus or, as a number, not less than it.
    pub fn open(&self, signature: &[u8]) -> Result<Vec<u8>, InvalidSignature> {
        let mut opened = vec![0; self.octets];
        self.open_into(signature, &mut opened)?;
        Ok(opened)
    }

    fn open_into(&self, signature: &[u8], opened: &mut [u8]) -> Result<(), InvalidSignature> {
        // RFC 8017 §8.2.2 step 1.
        if signature.len() != self.octets {
            return Err(InvalidSignature);
        }
        self.modulus.power(signature, self.squarings, opened).ok_or(InvalidSignature)
    }
}

impl Width {
    /// `None` for what is no odd number above 1. `modulus` is without leading zeros.
    fn new(modulus: &[u8], by: By) -> Option<Self> {
        Some(match modulus.len() {
            0..=128 => Self::Bits1024(Prepared::new(modulus, by)?),
            129..=192 => Self::Bits1536(Prepared::new(modulus, by)?),
            193..=256 => Self::Bits2048(Prepared::new(modulus, by)?),
            257..=384 => Self::Bits3072(Prepared::new(modulus, by)?),
            385.. => Self::Bits4096(Prepared::new(modulus, by)?),
        })
    }

    /// Writes `base` to the power of `2^squarings + 1`, all in big-endian octets; `None` where `base` is not less than the modulus.
    fn power(&self, base: &[u8], squarings: u32, power: &mut [u8]) -> Option<()> {
        match self {
            Self::Bits1024(modulus) => modulus.power(base, squarings, power),
            Self::Bits1536(modulus) => modulus.power(base, squarings, power),
            Self::Bits2048(modulus) => modulus.power(base, squarings, power),
            Self::Bits3072(modulus) => modulus.power(base, squarings, power),
            Self::Bits4096(modulus) => modulus.power(base, squarings, power),
        }
    }
}

/// The n of an exponent 2^n + 1, from 1 to 16.
fn squarings(exponent: u64) -> Option<u32> {
    let power = exponent.checked_sub(1)?;
    (power.is_power_of_two() && (1..=16).contains(&power.trailing_zeros())).then(|| power.trailing_zeros())
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
        for exponent in [0, 1, 2, 4, 7, 65_535, 65_536, 65_539, 131_073, u64::MAX] {
            let error = RsaPublicKey::from_components(&modulus, exponent).unwrap_err();
            assert_eq!(error, InvalidRsaKey::Exponent, "{exponent}");
            assert!(!RsaPublicKey::takes_exponent(exponent));
        }
        for power in 1..=16 {
            assert!(RsaPublicKey::from_components(&modulus, (1 << power) + 1).is_ok(), "{power}");
            assert!(RsaPublicKey::takes_exponent((1 << power) + 1));
        }
    }

    #[test]
    fn moduli_are_odd_above_one_and_of_at_most_4096_bits() {
        let key = |modulus: &[u8]| RsaPublicKey::from_components(modulus, 65_537).map(|key| (key.bits(), key.octets));
        assert_eq!(key(&[0xff; 512]), Ok((4096, 512)));
        assert_eq!(key(&[&[0; 9], &[0xff_u8; 512][..]].concat()), Ok((4096, 512)), "leading zeros count for nothing");
        assert_eq!(key(&[&[1], &[0xff_u8; 512][..]].concat()), Err(InvalidRsaKey::TooLong { bits: 4097 }));
        assert_eq!(key(&[0xff; 513]), Err(InvalidRsaKey::TooLong { bits: 4104 }));
        assert_eq!([key(&[3]), key(&[1, 1]), key(&[0x40; 127].map(|octet| octet | 1))], {
            [Ok((2, 1)), Ok((9, 2)), Ok((1015, 127))]
        });
        for none in [&[][..], &[0], &[1], &[2], &[0, 0, 1], &[0xff, 0xfe]] {
            assert_eq!(key(none), Err(InvalidRsaKey::Modulus), "{none:?}");
        }
    }

    #[test]
    fn what_is_opened_is_as_long_as_the_modulus() {
        // 3^3 modulo 2^16 - 15, by limbs and by vectors where there are any.
        for key in [RsaPublicKey::from_components(&[0xff, 0xf1], 3), RsaPublicKey::by_limbs(&[0xff, 0xf1], 3)] {
            let key = key.unwrap();
            assert_eq!(key.open(&[0, 3]), Ok(vec![0, 27]));
            assert_eq!(key.open(&[0, 0]), Ok(vec![0, 0]));
            assert_eq!(key.open(&[0xff, 0xf0]), Ok(vec![0xff, 0xf0]), "the cube of -1");
            for wrong in [&[][..], &[3], &[0, 0, 3], &[0xff, 0xf1], &[0xff, 0xff]] {
                assert_eq!(key.open(wrong), Err(InvalidSignature), "{wrong:?}");
            }
        }
    }
}
