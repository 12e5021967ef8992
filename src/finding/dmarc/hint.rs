//! What was probably meant by a value that cannot be read.

use crate::dmarc::Disposition;

/// Octets of a value that a guess is made from.
const MAX_OCTETS: usize = 40;

/// The letters of a value, in lower case.
fn letters(value: &[u8]) -> String {
    let value = value.get(..MAX_OCTETS).unwrap_or(value);
    value
        .iter()
        .filter(|octet| octet.is_ascii_alphabetic())
        .map(|octet| char::from(octet.to_ascii_lowercase()))
        .collect()
}

/// The policy that `p`, `sp` or `np` was probably meant to state.
pub(super) fn disposition(value: &[u8]) -> Option<Disposition> {
    let letters = letters(value);
    let begins = |words: &[&str]| words.iter().any(|word| letters.starts_with(word));
    if begins(&["none", "non", "monitor", "off"]) {
        Some(Disposition::None)
    } else if begins(&["quar", "spam"]) {
        Some(Disposition::Quarantine)
    } else if begins(&["rej", "block", "fail"]) {
        Some(Disposition::Reject)
    } else {
        None
    }
}

/// The letter that was probably meant for a tag which takes one of `allowed`.
pub(super) fn letter(value: &[u8], allowed: &str) -> Option<char> {
    letters(value).chars().next().filter(|letter| allowed.contains(*letter))
}
