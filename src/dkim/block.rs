//! Blocks of octets, looked at all at once.

/// Octets of a block.
pub(super) const BLOCK: usize = 32;

/// Octets of a word.
const WORD: usize = 8;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHEST_BITS: u64 = ONES << 7;

/// The first block of a text, with the octets that follow each of its own.
#[inline(always)]
pub(super) fn first_block(text: &[u8]) -> Option<(&[u8; BLOCK], &[u8; BLOCK])> {
    Some((text.first_chunk()?, text.get(1..)?.first_chunk()?))
}

/// The end of a text that is no longer than a block, filled up with zeros.
pub(super) fn filled_up(text: &[u8]) -> [u8; BLOCK + 1] {
    let mut block = [0; BLOCK + 1];
    block.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    block
}

/// The place of the first TAB, or of the first SP that may be more than one SP between two words: it comes before WSP, CR or another
/// control character. SP before "!" may be taken for one as well.
#[inline(always)]
pub(super) fn first_run(block: &[u8; BLOCK], next: &[u8; BLOCK]) -> Option<usize> {
    // In arithmetic of octets and without a way out, so that a block is compared by vector instructions.
    let begins_run =
        |octet: u8, next: u8| u8::from(octet == b'\t') | (u8::from(octet == b' ') & u8::from(next <= b' '));
    if block.iter().zip(next).fold(0, |any, (octet, next)| any | begins_run(*octet, *next)) == 0 {
        return None;
    }
    let (block, _) = block.as_chunks::<WORD>();
    let (next, _) = next.as_chunks::<WORD>();
    let bits = block.iter().zip(next).rev().fold(0, |bits, (octets, next)| {
        let (octets, next) = (u64::from_le_bytes(*octets), u64::from_le_bytes(*next));
        // The highest bit of each octet that is less. An octet that is less borrows from the one above, which is then taken for less
        // where it is equal: that finds no TAB before the first one, and an SP before "!".
        let less = |octets: u64, than: u8| octets.wrapping_sub(ONES * u64::from(than)) & !octets & HIGHEST_BITS;
        let tabs = less(octets ^ (ONES * u64::from(b'\t')), 1);
        let runs = tabs | !is_not(octets, b' ') & less(next, b' ' + 1);
        // The product brings a bit of each octet together in the highest octet.
        bits << WORD | (runs >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    });
    Some(bits.trailing_zeros() as usize)
}

/// How much white space a text begins with.
#[inline(always)]
pub(super) fn white_space_len(text: &[u8]) -> usize {
    if let Some((words, _)) = text.first_chunk::<{ 2 * WORD }>().map(|words| words.as_chunks::<WORD>()) {
        let others = |word: &[u8; WORD]| {
            let octets = u64::from_le_bytes(*word);
            is_not(octets, b' ') & is_not(octets, b'\t') & HIGHEST_BITS
        };
        let others = words.iter().rev().fold(0_u128, |all, word| all << 64 | u128::from(others(word)));
        if others != 0 {
            return others.trailing_zeros() as usize / 8;
        }
    }
    text.iter().position(|octet| !matches!(octet, b' ' | b'\t')).unwrap_or(text.len())
}

/// The highest bit of each octet that is another one, among bits that say nothing. No octet carries into its neighbour.
#[inline(always)]
fn is_not(octets: u64, octet: u8) -> u64 {
    let difference = octets ^ (ONES * u64::from(octet));
    (difference & !HIGHEST_BITS).wrapping_add(!HIGHEST_BITS) | difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn the_first_run_and_its_length_are_found(
            words in vec(any::<u8>(), 0..40),
            text in vec(select(&b"   \t\t\r\n!\x1f\x80\xa0\x89\x8ax\0"[..]), 0..50),
        ) {
            let text: Vec<u8> = words.into_iter().filter(|octet| *octet > b' ').chain(text).collect();
            let end = filled_up(&text);
            let (block, next) = first_block(if text.len() > BLOCK { &text } else { &end }).unwrap();
            let is_run = |at: usize, most: u8| {
                text[at] == b'\t' || text[at] == b' ' && text.get(at + 1).is_none_or(|next| *next <= most)
            };
            let plainly = (0..BLOCK.min(text.len())).find(|at| is_run(*at, b' '));
            let found = first_run(block, next);
            prop_assert_eq!(found.is_some(), plainly.is_some());
            if let (Some(found), Some(plainly)) = (found, plainly) {
                prop_assert!(found <= plainly && is_run(found, b'!'), "{found} {plainly}");
            }
            prop_assert_eq!(&block[..BLOCK.min(text.len())], &text[..BLOCK.min(text.len())]);
            for at in 0..=text.len() {
                let rest = &text[at..];
                let length = rest.iter().take_while(|octet| b" \t".contains(octet)).count();
                prop_assert_eq!(white_space_len(rest), length);
            }
        }
    }
}
