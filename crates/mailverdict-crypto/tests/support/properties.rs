//! What holds whatever octets come: the verdicts are those of the crates `rsa` and `ed25519-dalek`. Shared by the tests and the targets
//! of fuzzing.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use mailverdict_crypto::{Ed25519PublicKey, Hash, RsaPublicKey};
use rsa::{BigUint, Pkcs1v15Sign};

/// The power of a number is that which the crate `rsa` computes, by vectors and by limbs, and the verdict about it as a signature is that
/// crate's.
///
/// The first octet chooses an exponent, the next two the lengths of modulus and base; then come the modulus, the base and the
/// digest, each octet standing for itself and what is missing for ones.
pub(crate) fn rsa_public(data: &[u8]) {
    let [choice, modulus_len, base_len, rest @ ..] = data else { return };
    let exponent = [3, 5, 17, 257, 65_537, 65_537, 65_537, 7][usize::from(choice % 8)];
    // From one octet to two more than any width takes.
    let modulus_len = 2 * usize::from(*modulus_len) + usize::from(choice / 8 % 2) + 1;
    let base_len = (modulus_len + usize::from(base_len % 8)).saturating_sub(4);
    let mut octets = rest.iter().copied().chain(std::iter::repeat(0xff));
    let mut take = |len: usize| octets.by_ref().take(len).collect::<Vec<u8>>();
    let (mut modulus, base, digest) = (take(modulus_len), take(base_len), take(32));
    modulus[0] |= 0x40;
    *modulus.last_mut().unwrap() |= 1;
    let (n, s, e) = (BigUint::from_bytes_be(&modulus), BigUint::from_bytes_be(&base), BigUint::from(exponent));
    let theirs = rsa::RsaPublicKey::new_with_max_size(n.clone(), e.clone(), 4096);
    let takes = exponent != 7 && modulus.len() <= 512;
    for key in [RsaPublicKey::from_components(&modulus, exponent), RsaPublicKey::by_limbs(&modulus, exponent)] {
        assert_eq!(key.is_ok(), takes, "n = {n:x}, e = {exponent}");
        let Ok(key) = key else { return };
        let opened = key.open(&base).map(|block| BigUint::from_bytes_be(&block)).ok();
        let wanted = (s < n && base.len() == modulus.len()).then(|| s.modpow(&e, &n));
        assert_eq!(opened, wanted, "n = {n:x}, s = {s:x}, e = {exponent}");
        let Ok(theirs) = &theirs else { continue };
        let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix: Hash::Sha256.digest_info().into() };
        let verifies = theirs.verify(scheme, &digest, &base).is_ok();
        assert_eq!(key.verify_pkcs1v15(Hash::Sha256, &digest, &base).is_ok(), verifies, "n = {n:x}, s = {s:x}");
    }
}

/// The first use of a key and later ones say what the crate `ed25519-dalek` says, about signatures and what is close to them.
///
/// The first 32 octets are a key, or with the highest bit of the next the secret of one; then come a signature that replaces the
/// signer's where its octets are not zero, and the message.
pub(crate) fn ed25519(data: &[u8]) {
    let Some((seed, [choice, rest @ ..])) = data.split_first_chunk::<32>() else { return };
    let signer = SigningKey::from_bytes(seed);
    let public = if choice & 0x80 == 0 { *seed } else { signer.verifying_key().to_bytes() };
    let (changes, message) = rest.split_at(rest.len().min(64));
    let mut signature = signer.sign(message).to_bytes();
    for (octet, change) in signature.iter_mut().zip(changes) {
        *octet = if choice & 1 == 0 { *octet ^ change } else { *change };
    }
    let theirs = VerifyingKey::from_bytes(&public).ok().filter(|key| !key.is_weak());
    let ours = Ed25519PublicKey::from_bytes(&public);
    assert_eq!(ours.is_ok(), theirs.is_some());
    let (Ok(ours), Some(theirs)) = (ours, theirs) else { return };
    let expected = theirs.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature)).is_ok();
    for times in 1..=3 {
        let verifies = ours.verify(message, &signature).is_ok();
        assert_eq!(verifies, expected, "use {times}: {public:02x?} {signature:02x?}");
    }
    // Unchanged, it verifies.
    if choice & 0x81 == 0x80 && changes.iter().all(|change| *change == 0) {
        assert!(expected);
    }
}
